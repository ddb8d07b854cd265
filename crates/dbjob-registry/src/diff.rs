//! How two versions of a model differ.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dbjob_plan::contract::{ContractChange, Promise, changes};
use dbjob_plan::{Manifest, MapLink, MapState, MapStates, Op, RowCounts, RunError};
use serde::Serialize;

use crate::MAPS;
use crate::manifest::{damaged, read_manifest, verify};

/// From version `a` to version `b`.
#[derive(Debug, Serialize)]
pub struct Difference {
    pub a: Version,
    pub b: Version,
    /// Whether callers of `a` are broken by `b`.
    pub breaking: bool,
    pub contract: Vec<ContractChange>,
    pub metrics: Vec<MetricChange>,
    pub algorithm: Option<Changed<String>>,
    /// Options of the algorithm, the threshold, the calibration, the coverage, the seed.
    pub options: Vec<Named>,
    /// What fitted maps are there and what they learned.
    pub maps: Vec<Named>,
    pub features: FeatureChange,
    pub rows: Vec<Named>,
    /// The data that they were learned from.
    pub lineage: Vec<Named>,
}

#[derive(Debug, Serialize)]
pub struct Version {
    pub model: String,
    pub version: u64,
    pub created: String,
    pub status: dbjob_plan::PackageStatus,
}

#[derive(Debug, PartialEq, Serialize)]
pub struct Changed<T> {
    pub a: T,
    pub b: T,
}

/// Something with a name; `None` where it is not there.
#[derive(Debug, PartialEq, Serialize)]
pub struct Named {
    pub name: String,
    pub a: Option<String>,
    pub b: Option<String>,
}

/// Of a metric that both or one of them has.
#[derive(Debug, Serialize)]
pub struct MetricChange {
    pub name: String,
    pub a: Option<f64>,
    pub b: Option<f64>,
}

#[derive(Debug, Default, Serialize)]
pub struct FeatureChange {
    pub gone: Vec<String>,
    pub new: Vec<String>,
}

/// Compares the packages in two folders.
///
/// Errors: E0716 when one is damaged.
pub fn difference(a: &Path, b: &Path) -> Result<Difference, RunError> {
    let ((a, a_maps), (b, b_maps)) = (read(a)?, read(b)?);
    let contract = changes(&Promise::from(&a), &Promise::from(&b));
    let algorithm = (a.algorithm.name != b.algorithm.name)
        .then(|| Changed { a: a.algorithm.name.clone(), b: b.algorithm.name.clone() });
    let missing = |of: &[String], from: &[String]| of.iter().filter(|f| !from.contains(f)).cloned().collect();
    Ok(Difference {
        breaking: contract.iter().any(|change| change.breaking),
        contract,
        metrics: metrics(&a, &b),
        algorithm,
        options: named(options(&a), options(&b)),
        maps: maps((&a, &a_maps), (&b, &b_maps)),
        features: FeatureChange { gone: missing(&a.features, &b.features), new: missing(&b.features, &a.features) },
        rows: named(rows(&a.rows), rows(&b.rows)),
        lineage: named(lineage(&a), lineage(&b)),
        a: version(&a),
        b: version(&b),
    })
}

fn read(folder: &Path) -> Result<(Manifest, MapStates), RunError> {
    let manifest = read_manifest(folder)?;
    verify(folder, &manifest)?;
    let path = folder.join(MAPS);
    let text = fs::read(&path).map_err(|e| damaged(&path, e))?;
    Ok((manifest, serde_json::from_slice(&text).map_err(|e| damaged(&path, e))?))
}

fn version(manifest: &Manifest) -> Version {
    let (model, created) = (manifest.model.clone(), manifest.created.clone());
    Version { model, version: manifest.version, created, status: manifest.status }
}

fn metrics(a: &Manifest, b: &Manifest) -> Vec<MetricChange> {
    let names: std::collections::BTreeSet<&String> = a.metrics.keys().chain(b.metrics.keys()).collect();
    let of = |m: &Manifest, name: &String| m.metrics.get(name).map(|v| v.value).filter(|v| v.is_finite());
    let change = |name: &String| MetricChange { a: of(a, name), b: of(b, name), name: name.clone() };
    names.into_iter().map(change).collect()
}

/// What differs of two lists of texts by name.
fn named(a: BTreeMap<String, String>, mut b: BTreeMap<String, String>) -> Vec<Named> {
    let mut found = Vec::new();
    for (name, was) in a {
        let now = b.remove(&name);
        if now.as_ref() != Some(&was) {
            found.push(Named { name, a: Some(was), b: now });
        }
    }
    found.extend(b.into_iter().map(|(name, now)| Named { name, a: None, b: Some(now) }));
    found
}

fn options(m: &Manifest) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> =
        m.algorithm.options.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    found.extend(m.threshold.map(|t| ("threshold".to_owned(), t.to_string())));
    found.extend(m.calibration.as_ref().map(|c| ("calibration".to_owned(), c.method.word().to_owned())));
    found.extend(m.conformal.map(|c| ("coverage".to_owned(), c.coverage.to_string())));
    found.insert("seed".to_owned(), m.seed.to_string());
    found
}

fn rows(rows: &RowCounts) -> BTreeMap<String, String> {
    let all = [
        ("train", rows.train),
        ("valid", rows.valid),
        ("test", rows.test),
        ("out of fold", rows.out_of_fold),
        ("without output", rows.without_output),
    ];
    all.into_iter().map(|(part, n)| (part.to_owned(), n.to_string())).collect()
}

fn lineage(m: &Manifest) -> BTreeMap<String, String> {
    let source = |s: &dbjob_plan::SourceFingerprint| {
        (s.dataset.clone(), format!("{}, {} bytes, SHA-256 {}", s.path, s.bytes, s.sha256))
    };
    m.lineage.iter().map(source).collect()
}

/// Each fitted map of the way from a request to the model, `age impute(median)`, with what it learned.
fn maps(a: (&Manifest, &MapStates), b: (&Manifest, &MapStates)) -> Vec<Named> {
    let (old, new) = (learned(a), learned(b));
    let mut found = Vec::new();
    for (name, was) in &old {
        match new.get(name) {
            Some(now) if was == now => {}
            Some(now) => {
                let (a, b) = told(was, now);
                found.push(Named { name: name.clone(), a: Some(a), b: Some(b) });
            }
            None => found.push(Named { name: name.clone(), a: Some(brief(was)), b: None }),
        }
    }
    let come = new.iter().filter(|(name, _)| !old.contains_key(*name));
    found.extend(come.map(|(name, now)| Named { name: name.clone(), a: None, b: Some(brief(now)) }));
    found
}

fn learned<'a>((manifest, states): (&Manifest, &'a MapStates)) -> BTreeMap<String, Option<&'a MapState>> {
    let mut found = BTreeMap::new();
    let mut add = |columns: String, link: &MapLink| {
        let options: Vec<String> = link.options.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let options = if options.is_empty() { String::new() } else { format!("({})", options.join(", ")) };
        let base = format!("`{columns}` {}{options}", link.map);
        let mut name = base.clone();
        let mut n = 2;
        while found.contains_key(&name) {
            name = format!("{base}, the {n}. time");
            n += 1;
        }
        found.insert(name, states.0.get(&link.id));
    };
    for id in manifest.serving.plan.topological() {
        if let Op::Map { columns } = &manifest.serving.plan.node(id).op {
            for column in columns {
                let names: Vec<&str> =
                    std::iter::once(&column.column).chain(&column.more).map(String::as_str).collect();
                add(names.join("`, `"), &column.link);
            }
        }
    }
    manifest.output.unmap.iter().rev().for_each(|link| add(manifest.output.column.clone(), link));
    found
}

/// Two states in few words that say how they differ.
fn told(was: &Option<&MapState>, now: &Option<&MapState>) -> (String, String) {
    if let (Some(MapState::Levels { levels: old }), Some(MapState::Levels { levels: new })) = (was, now) {
        let only = |of: &[String], from: &[String]| {
            let own: Vec<String> = of.iter().filter(|l| !from.contains(l)).map(|l| format!("{l:?}")).collect();
            match own.is_empty() {
                true => format!("{} levels", of.len()),
                false => format!("{} levels, with {}", of.len(), own.join(", ")),
            }
        };
        return (only(old, new), only(new, old));
    }
    let (a, b) = (brief(was), brief(now));
    if a == b { (a, format!("{b}, other values")) } else { (a, b) }
}

fn brief(state: &Option<&MapState>) -> String {
    match state {
        None => "there".to_owned(),
        Some(MapState::Affine(a)) => format!("shift {}, scale {}", a.shift, a.scale),
        Some(MapState::Power { lambda, .. }) => format!("lambda {lambda}"),
        Some(MapState::Fill { value }) => value.value().to_string(),
        Some(MapState::Levels { levels }) => format!("{} levels", levels.len()),
        Some(MapState::Edges { edges }) => {
            format!("edges {}", edges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Some(MapState::Counts { counts }) => format!("{} levels", counts.len()),
        Some(MapState::Means(means)) => format!("{} levels, mean {}", means.levels.len(), means.all),
        Some(MapState::Terms { terms, .. }) => format!("{} terms", terms.len()),
        Some(MapState::Axes { axes, .. }) => format!("{} axes", axes.len()),
    }
}
