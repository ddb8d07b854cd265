use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::Cursor;
use std::path::{Path, PathBuf};

use dbjob_plan::{DataType, Field, Manifest, MetricValue, RunError};
use polars::prelude::{DataFrame, ParquetReader, SerReader};

use super::files::{digest, place};
use super::folder::{ModelFolder, file_name};
use super::manifest::{is_sealed, spec_of};
use super::{FORMAT, LOOKUPS, MANIFEST, MAPS, WEIGHTS};
use crate::learn::Learned;
use crate::map::MapStates;

/// A stored model, read and verified.
#[derive(Debug)]
pub struct Package {
    pub(super) manifest: Manifest,
    pub(super) learned: Learned,
    pub(super) maps: MapStates,
    pub(super) lookups: HashMap<String, DataFrame>,
}

/// Opens a package folder, or the live version of a model's folder in a registry.
///
/// Errors: E0716 when there is none, when a file is missing or not the one that was stored, or when the format is of
/// another version.
pub fn open(path: &Path) -> Result<Package, RunError> {
    let folder = locate(path)?;
    let manifest = read_manifest(&folder)?;
    verify(&folder, &manifest)?;
    let maps = fs::read(folder.join(MAPS)).map_err(|e| damaged(&folder.join(MAPS), e))?;
    let maps: MapStates = serde_json::from_slice(&maps).map_err(|e| damaged(&folder.join(MAPS), e))?;
    let weights = fs::read(folder.join(WEIGHTS)).map_err(|e| damaged(&folder.join(WEIGHTS), e))?;
    let model = dbjob_learn::load(&weights).map_err(|e| damaged(&folder.join(WEIGHTS), e))?;
    if model.features() != manifest.features || model.classes() != manifest.classes.len() {
        return Err(damaged(&folder, "its manifest and its weights are of different models"));
    }
    let mut lookups = HashMap::new();
    for (name, _) in &manifest.serving.lookups {
        let file = folder.join(LOOKUPS).join(format!("{}.parquet", file_name(name)));
        let bytes = fs::read(&file).map_err(|e| damaged(&file, e))?;
        let table = ParquetReader::new(Cursor::new(bytes)).finish().map_err(|e| damaged(&file, e))?;
        lookups.insert(name.clone(), table);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let learned = Learned::restore(spec_of(&manifest), model, manifest.classes.clone(), threads);
    Ok(Package { manifest, learned, maps, lookups })
}

/// The metrics of the live version of a model; `None` when none is live.
///
/// Errors: E0716 when it is damaged.
pub fn live_metrics(registry: &Path, model: &str) -> Result<Option<BTreeMap<String, MetricValue>>, RunError> {
    let model = ModelFolder::of(registry, model);
    let Some(number) = model.current()? else { return Ok(None) };
    Ok(Some(read_manifest(&model.version(number))?.metrics))
}

/// The fields of the requests that the live version of a model takes, and the type of its answers; `None` when none is
/// live.
///
/// Errors: E0716 when it is damaged.
pub fn live_contract(registry: &Path, model: &str) -> Result<Option<(Vec<Field>, DataType)>, RunError> {
    let model = ModelFolder::of(registry, model);
    let Some(number) = model.current()? else { return Ok(None) };
    let manifest = read_manifest(&model.version(number))?;
    let visible = manifest.request.into_iter().filter(|f| !f.hidden).collect();
    Ok(Some((visible, manifest.output.dtype)))
}

/// The folder with the manifest.
fn locate(path: &Path) -> Result<PathBuf, RunError> {
    if path.join(MANIFEST).is_file() {
        return Ok(path.to_owned());
    }
    let model = ModelFolder { path: path.to_owned() };
    let error = |message: String| RunError::new("E0716", message).data(place(path));
    if let Some(number) = model.current()? {
        let version = model.version(number);
        if version.join(MANIFEST).is_file() {
            return Ok(version);
        }
        return Err(error(format!("the live version {number} of {} is not there", path.display()))
            .help("restore its folder, or write the number of another version into `current`"));
    }
    if let Ok(numbers) = model.numbers()
        && let Some(last) = numbers.last()
    {
        return Err(error(format!("no version of {} is live: none has held all of its requirements", path.display()))
            .help(format!(
                "to use a rejected version all the same, name its folder: {}",
                model.version(*last).display()
            )));
    }
    let error = error(format!("there is no model package at {}", path.display()));
    Err(match models(path).as_slice() {
        [] => error.help("give the folder of a version, or of a model in a registry (it holds the file `current`)"),
        names => error.help(format!("it is a registry; give one of its models: {}", names.join(", "))),
    })
}

/// The models of a registry folder.
fn models(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.filter(|e| e.path().join("versions").is_dir()).map(|e| e.path().display().to_string()).collect();
    names.sort();
    names
}

pub(super) fn read_manifest(folder: &Path) -> Result<Manifest, RunError> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(|e| damaged(&path, e))?;
    // The format comes first: a manifest of another format may lack what this one has.
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|e| damaged(&path, e))?;
    let format = value.get("format").and_then(serde_json::Value::as_u64);
    if format != Some(u64::from(FORMAT)) {
        let found = format.map_or_else(|| "an unknown format".to_owned(), |n| format!("format {n}"));
        let message = format!("{} has {found}; this version of dbjob reads format {FORMAT}", path.display());
        return Err(RunError::new("E0716", message)
            .help("use the version of dbjob that wrote it, or run the job again")
            .data(place(&path)));
    }
    let hash = value.get("sha256").and_then(serde_json::Value::as_str).unwrap_or_default();
    if !is_sealed(&text, hash) {
        return Err(damaged(&path, "it is not the file that was stored: its SHA-256 differs"));
    }
    let manifest: Manifest = serde_json::from_value(value).map_err(|e| damaged(&path, e))?;
    let plan = &manifest.serving.plan;
    if !plan.graph.contains_node(manifest.serving.output) || !plan.is_acyclic() {
        return Err(damaged(&path, "its serving plan is not sound"));
    }
    Ok(manifest)
}

/// Every file of the manifest is there and unchanged.
fn verify(folder: &Path, manifest: &Manifest) -> Result<(), RunError> {
    let lookups = manifest.serving.lookups.iter().map(|(name, _)| format!("{LOOKUPS}/{}.parquet", file_name(name)));
    let needed = [WEIGHTS.to_owned(), MAPS.to_owned()].into_iter().chain(lookups);
    if let Some(name) = needed.into_iter().find(|name| !manifest.files.contains_key(name)) {
        return Err(damaged(&folder.join(MANIFEST), format!("it does not list {name}")));
    }
    for (name, expected) in &manifest.files {
        let path = folder.join(name);
        let mut file = File::open(&path).map_err(|e| damaged(&path, e))?;
        let found = digest(&mut file).map_err(|e| damaged(&path, e))?;
        if found != *expected {
            return Err(damaged(&path, "it is not the file that was stored: its SHA-256 differs"));
        }
    }
    Ok(())
}

fn damaged(path: &Path, why: impl std::fmt::Display) -> RunError {
    RunError::new("E0716", format!("the model package is damaged: {}: {why}", path.display()))
        .help("copy the package again from where it was made, or run the job again")
        .data(place(path))
}
