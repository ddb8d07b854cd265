//! A model and its judgement as files, so that a later run reads it back as it was. Columns are stored by their place: a later run may
//! call them otherwise.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use dbjob_plan::{
    Algorithm, Calibration, Conformal, Confusion, FitSpec, Key, MetricValue, RequirementResult, RowCounts, RunError,
    SearchReport, SliceMetric, Threshold, Unfinished, Value,
};
use polars::prelude::{DataFrame, ParquetReader, SerReader};
use serde::{Deserialize, Serialize};

use super::fit::Fresh;
use super::held_out::OutOfFold;
use super::learned::{Inner, Learned, Report};
use crate::fault::engine_error;
use crate::kept::{read_json, strange, write, write_json};
use crate::map::MapStates;

const WEIGHTS: &str = "weights.safetensors";
const NOTE: &str = "model.json";
const JUDGEMENT: &str = "judgement.json";
const PREDICTIONS: &str = "test_predictions.parquet";
const OUT_OF_FOLD: &str = "out_of_fold.parquet";

/// What was learned.
#[derive(Serialize, Deserialize)]
struct Note {
    /// The names of the input columns, in the order of the fit.
    inputs: Vec<String>,
    algorithm: Algorithm,
    threshold: Option<f64>,
    #[serde(default)]
    calibration: Option<Calibration>,
    #[serde(default)]
    conformal: Option<Conformal>,
    classes: Vec<Value>,
    search: Option<SearchReport>,
    unfinished: Vec<Unfinished>,
}

/// How it was judged.
#[derive(Serialize, Deserialize)]
struct Judgement {
    fitted: Key,
    rows: RowCounts,
    metrics: Vec<(String, MetricValue)>,
    #[serde(default)]
    confusion: Option<Confusion>,
    requirements: Vec<RequirementResult>,
    slices: Vec<SliceMetric>,
}

impl Learned {
    /// Writes what was learned into an empty folder.
    ///
    /// Errors: E0713.
    pub(crate) fn store(&self, folder: &Path, search: Option<&SearchReport>) -> Result<(), RunError> {
        let Inner { spec, model, classes, out_of_fold, unfinished, .. } = &*self.0;
        let note = Note {
            inputs: spec.inputs.iter().map(|i| i.column.clone()).collect(),
            algorithm: spec.algorithm.clone(),
            threshold: spec.fixed_threshold(),
            calibration: spec.calibration.clone(),
            conformal: spec.conformal,
            classes: classes.clone(),
            search: search.cloned(),
            unfinished: unfinished.clone(),
        };
        write_json(&folder.join(NOTE), &note)?;
        write(&folder.join(WEIGHTS), &dbjob_learn::save(&**model))?;
        match out_of_fold {
            Some(OutOfFold(table)) => crate::write_table(table, &folder.join(OUT_OF_FOLD)),
            None => Ok(()),
        }
    }

    /// Writes how it was judged into an empty folder. `fitted`: where what was learned is kept.
    ///
    /// Errors: E0713.
    pub(crate) fn store_judgement(&self, folder: &Path, fitted: &Key) -> Result<(), RunError> {
        let report = &self.0.report;
        let judgement = Judgement {
            fitted: *fitted,
            rows: report.rows,
            metrics: report.metrics.clone(),
            confusion: report.confusion.clone(),
            requirements: report.requirements.clone(),
            slices: report.slices.clone(),
        };
        write_json(&folder.join(JUDGEMENT), &judgement)?;
        crate::write_table(&report.test_predictions, &folder.join(PREDICTIONS))
    }

    /// Where what was learned is kept, of the folder of a judgement.
    pub(crate) fn fitted_of(judged: &Path) -> Result<Key, RunError> {
        Ok(read_json::<Judgement>(&judged.join(JUDGEMENT))?.fitted)
    }

    /// The model of [`Learned::store`] and [`Learned::store_judgement`], for a spec that differs in names at most.
    ///
    /// Errors: E0799 when the files are not those.
    pub(crate) fn read_back(
        (learned, judged): (&Path, &Path),
        spec: &FitSpec,
        threads: usize,
    ) -> Result<(Self, Option<SearchReport>), RunError> {
        let (mut inner, search) = learned_of(learned, spec, threads)?;
        let Judgement { rows, metrics, confusion, requirements, slices, .. } = read_json(&judged.join(JUDGEMENT))?;
        let test_predictions = named(read(&judged.join(PREDICTIONS))?, spec)?;
        inner.report = Report { rows, metrics, confusion, requirements, slices, test_predictions };
        Ok((Self(Arc::new(inner)), search))
    }
}

impl Fresh {
    /// What an earlier run has learned from the same rows, to be judged anew.
    ///
    /// Errors: E0799 when the files are not those; E0715 as [`Fresh::fit`].
    pub fn again(
        folder: &Path,
        spec: &FitSpec,
        table: &DataFrame,
        maps: &MapStates,
        threads: usize,
    ) -> Result<(Self, Option<SearchReport>), RunError> {
        let (learned, search) = learned_of(folder, spec, threads)?;
        Ok((Self::of(learned, table, maps)?, search))
    }
}

fn learned_of(folder: &Path, spec: &FitSpec, threads: usize) -> Result<(Inner, Option<SearchReport>), RunError> {
    let note: Note = read_json(&folder.join(NOTE))?;
    let path = folder.join(WEIGHTS);
    let weights = fs::read(&path).map_err(|e| strange(&path, e))?;
    let now: Vec<&str> = spec.inputs.iter().map(|i| i.column.as_str()).collect();
    let model = dbjob_learn::load_as(&weights, |features| renamed(features, &note.inputs, &now))
        .map_err(|e| strange(&path, e))?;
    let mut spec = FitSpec { search: None, algorithm: note.algorithm, ..spec.clone() };
    spec.threshold = note.threshold.map(Threshold::Fixed);
    (spec.calibration, spec.conformal) = (note.calibration, note.conformal);
    let path = folder.join(OUT_OF_FOLD);
    let out_of_fold = if path.exists() { Some(OutOfFold(read(&path)?)) } else { None };
    let (classes, unfinished, report) = (note.classes, note.unfinished, Report::default());
    Ok((Inner { spec, model, classes, threads, unfinished, report, out_of_fold }, note.search))
}

/// The features of inputs that had other names. Features stand in the order of their inputs: `age`, `country=DE`, `v[0]`.
fn renamed(features: Vec<String>, was: &[String], now: &[&str]) -> Vec<String> {
    let mut at = 0;
    let rest_of = |feature: &str, input: &str| -> Option<String> {
        let rest = feature.strip_prefix(input)?;
        (rest.is_empty() || rest.starts_with(['=', '['])).then(|| rest.to_owned())
    };
    let rename = |feature: String| {
        while at < was.len() {
            if let Some(rest) = rest_of(&feature, &was[at]) {
                return format!("{}{rest}", now.get(at).unwrap_or(&was[at].as_str()));
            }
            at += 1;
        }
        feature
    };
    features.into_iter().map(rename).collect()
}

/// The identifying columns, the weight and the truth under their names of now; the predictions keep theirs.
fn named(mut table: DataFrame, spec: &FitSpec) -> Result<DataFrame, RunError> {
    let names: Vec<&str> = spec.beside_predictions().map(String::as_str).chain(spec.target()).collect();
    let was: Vec<String> = table.get_column_names().iter().map(|n| n.to_string()).collect();
    if was.len() < names.len() {
        return Ok(table);
    }
    // Through names that nothing has: they may only have changed places.
    for (i, name) in was.iter().take(names.len()).enumerate() {
        table.rename(name, format!("__{i}").into()).map_err(engine_error)?;
    }
    for (i, name) in names.into_iter().enumerate() {
        table.rename(&format!("__{i}"), name.into()).map_err(engine_error)?;
    }
    Ok(table)
}

fn read(path: &Path) -> Result<DataFrame, RunError> {
    let file = fs::File::open(path).map_err(|e| strange(path, e))?;
    ParquetReader::new(file).finish().map_err(|e| strange(path, e))
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn features_follow_their_inputs() {
        let own = |all: &[&str]| all.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let features = own(&["a", "a=b", "a=c", "v[0]", "v[1]", "b"]);
        // `a` is a number, then `a` of another table was a category: here two inputs, `a` and `a`'s one-hot under `a`.
        assert_eq!(
            renamed(
                own(&["a", "kind=x", "kind=y", "v[0]", "b"]),
                &own(&["a", "kind", "v", "b"]),
                &["n", "k", "w", "b"]
            ),
            own(&["n", "k=x", "k=y", "w[0]", "b"])
        );
        assert_eq!(renamed(features.clone(), &own(&["a", "v", "b"]), &["a", "v", "b"]), features);
        // Inputs that trade places by name keep their places.
        assert_eq!(renamed(own(&["a", "b"]), &own(&["a", "b"]), &["b", "a"]), own(&["b", "a"]));
    }
}
