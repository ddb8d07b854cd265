use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use dbjob_drift::Profile;
use dbjob_plan::{Manifest, MetricValue, RunError};
use dbjob_registry::{LOOKUPS, MAPS, PROFILE, WEIGHTS, damaged, file_name, live, locate, read_manifest, verify};
use polars::prelude::{DataFrame, ParquetReader, SerReader};

use super::manifest::spec_of;
use crate::learn::Learned;
use crate::map::MapStates;

/// A stored model, read and verified.
#[derive(Debug)]
pub struct Package {
    pub(super) folder: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) learned: Learned,
    pub(super) maps: MapStates,
    pub(super) lookups: HashMap<String, DataFrame>,
    /// What the rows were like that it learned from; older packages, and those whose rows cannot be traced, have none.
    pub(super) profile: Option<Profile>,
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
    let profile = match manifest.files.contains_key(PROFILE) {
        true => {
            let text = fs::read(folder.join(PROFILE)).map_err(|e| damaged(&folder.join(PROFILE), e))?;
            Some(serde_json::from_slice(&text).map_err(|e| damaged(&folder.join(PROFILE), e))?)
        }
        false => None,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let learned = Learned::restore(spec_of(&manifest), model, manifest.classes.clone(), threads);
    Ok(Package { folder, manifest, learned, maps, lookups, profile })
}

/// The metrics of the live version of a model; `None` when none is live.
///
/// Errors: E0716 when it is damaged.
pub fn live_metrics(registry: &Path, model: &str) -> Result<Option<BTreeMap<String, MetricValue>>, RunError> {
    Ok(live(registry, model)?.map(|manifest| manifest.metrics))
}
