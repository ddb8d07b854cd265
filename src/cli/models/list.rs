use std::collections::BTreeMap;
use std::path::PathBuf;

use dbjob_plan::RunError;
use dbjob_registry::{Listed, ListedModel, list};
use serde::Serialize;

use super::Place;
use crate::cli::locate;
use crate::cli::table::table;
use crate::cli::units::metric;
use crate::diagnostic::near_name;

/// How many metrics a line has room for.
const SHOWN: usize = 3;

#[derive(Serialize)]
struct Model {
    model: String,
    /// The live version.
    live: Option<u64>,
    versions: Vec<Version>,
}

#[derive(Serialize)]
struct Version {
    version: u64,
    live: bool,
    /// `promoted`, `held back`, `rejected` or `damaged`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<String>,
    metrics: BTreeMap<String, Option<f64>>,
    folder: PathBuf,
    /// Of a damaged one: what is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub fn tell(model: Option<&str>, place: &Place) -> Result<String, RunError> {
    locate::here(&place.registry)?;
    let mut found = list(&place.registry)?;
    if let Some(wanted) = model {
        let names: Vec<String> = found.iter().map(|m| m.name.clone()).collect();
        found.retain(|m| m.name == wanted);
        if found.is_empty() {
            let message = format!("there is no model `{wanted}` in `{}`", place.registry.display());
            let error = RunError::new("E0716", message);
            return Err(match near_name(wanted, names.iter().map(String::as_str)) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None if names.is_empty() => error,
                None => error.help(format!("there is {}", names.join(", "))),
            });
        }
    }
    let models: Vec<Model> = found.into_iter().map(told).collect();
    Ok(place.told(&models, |models| text(models)))
}

fn told(model: ListedModel) -> Model {
    let versions = model.versions.into_iter().map(version).collect();
    Model { model: model.name, live: model.current, versions }
}

fn version(listed: Listed) -> Version {
    let Listed { number, folder, live, manifest } = listed;
    match manifest {
        Ok(m) => Version {
            version: number,
            live,
            status: m.status.word(),
            created: Some(m.created.clone()),
            algorithm: Some(m.algorithm.name.clone()),
            metrics: m.metrics.iter().map(|(k, v)| (k.clone(), Some(v.value).filter(|x| x.is_finite()))).collect(),
            folder,
            problem: None,
        },
        Err(error) => Version {
            version: number,
            live,
            status: "damaged",
            created: None,
            algorithm: None,
            metrics: BTreeMap::new(),
            folder,
            problem: Some(error.message),
        },
    }
}

fn text(models: &[Model]) -> String {
    if models.iter().all(|m| m.versions.is_empty()) {
        return "no models yet\n".into();
    }
    let head = ["model", "version", "", "status", "created", "algorithm", "metrics"].map(String::from);
    let mut rows = vec![head];
    for model in models {
        for version in &model.versions {
            let shown = |(name, value): (&String, &Option<f64>)| {
                format!("{name} {}", value.map_or_else(|| "-".to_owned(), metric))
            };
            let mut metrics: Vec<String> = version.metrics.iter().take(SHOWN).map(shown).collect();
            if version.metrics.len() > SHOWN {
                metrics.push(format!("and {} more", version.metrics.len() - SHOWN));
            }
            rows.push([
                model.model.clone(),
                version.version.to_string(),
                if version.live { "live".into() } else { String::new() },
                version.status.to_owned(),
                version.created.clone().unwrap_or_default(),
                version.algorithm.clone().unwrap_or_default(),
                version.problem.clone().unwrap_or_else(|| metrics.join(", ")),
            ]);
        }
    }
    table(&rows, &[], "")
}
