use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use dbjob_plan::{
    Event, FitSpec, Key, Manifest, ModelReport, Op, PackageStatus, Plan, RunContext, RunError, SourceFingerprint,
    Target,
};
use polars::prelude::DataFrame;
use tempfile::TempDir;

use super::files::{digest, seal, sync_folder, unwritable, write};
use super::folder::{ModelFolder, file_name};
use super::manifest::{manifest, sealed};
use super::{LOOKUPS, MANIFEST, MAPS, TEST_PREDICTIONS, WEIGHTS};
use crate::learn::Learned;
use crate::map::MapStates;

/// Stores a model as a new version in a registry and makes it the live one if every requirement held. A version whose
/// requirements did not hold is kept with the status `rejected`. Tells of it in [`Event::Written`].
///
/// `lookups`: the tables that serving joins, by snapshot name. `lineage`: what the data of the fit were. `key`: what it is
/// that is deployed; if the last version is the same, none is made.
///
/// Errors: E0713 when something cannot be written; then no version appears.
#[expect(clippy::too_many_arguments, reason = "the parts of a package, each of its own origin")]
pub fn deploy(
    target: &Target,
    learned: &Learned,
    spec: &FitSpec,
    maps: &MapStates,
    lookups: &[(String, DataFrame)],
    lineage: Vec<SourceFingerprint>,
    key: Option<Key>,
    plan: &Plan,
    cx: &RunContext<'_>,
) -> Result<ModelReport, RunError> {
    let Target::Registry { path, deploy } = target else {
        return Err(RunError::new("E0799", "a model can go to a registry only"));
    };
    let folder = ModelFolder::of(&cx.output(path), &spec.model);
    let versions = folder.versions();
    fs::create_dir_all(&versions).map_err(|e| unwritable(&versions, e))?;
    if let Some(key) = key
        && let Some((number, status)) = folder.last_of(&key)?
    {
        // A run that was killed had come so far; what it had not done yet is done now.
        let promoted = status == PackageStatus::Promoted;
        if promoted && folder.current()?.is_none_or(|live| live < number) {
            folder.promote(number)?;
        }
        let place = folder.version(number);
        return Ok(ModelReport { package: Some(place), version: Some(number), promoted, ..learned.report(None) });
    }
    let staged = tempfile::Builder::new()
        .prefix(&dbjob_plan::temp_prefix())
        .tempdir_in(&versions)
        .map_err(|e| unwritable(&versions, e))?;
    let mut manifest = manifest(learned, plan, lineage, key);
    stage(staged.path(), learned, spec, maps, lookups, &mut manifest)?;

    let (number, place) = publish(&folder, staged, &mut manifest)?;
    let promoted = manifest.status == PackageStatus::Promoted;
    cx.emit(Event::Written {
        item: deploy.clone(),
        kind: "model".to_owned(),
        path: place.display().to_string(),
        version: Some(number),
        promoted,
    });
    Ok(ModelReport { package: Some(place), version: Some(number), promoted, ..learned.report(None) })
}

/// Writes all files but the manifest, and their hashes into it.
fn stage(
    folder: &Path,
    learned: &Learned,
    spec: &FitSpec,
    maps: &MapStates,
    lookups: &[(String, DataFrame)],
    manifest: &mut Manifest,
) -> Result<(), RunError> {
    // They may be large: the hash is made while the disk takes them.
    let (weights, bytes) = (folder.join(WEIGHTS), dbjob_learn::save(learned.model()));
    let hash = std::thread::scope(|scope| {
        let hash = scope.spawn(|| digest(&mut bytes.as_slice()));
        write(&weights, &bytes)?;
        let hash = hash.join().expect("hashing does not panic");
        hash.map_err(|e| unwritable(&weights, e))
    })?;
    drop(bytes);
    manifest.files.insert(WEIGHTS.to_owned(), hash);
    let maps = serde_json::to_vec_pretty(&needed(maps, spec)).map_err(|e| RunError::new("E0799", e.to_string()))?;
    write(&folder.join(MAPS), &maps)?;
    let mut names = vec![MAPS.to_owned(), TEST_PREDICTIONS.to_owned()];
    crate::write_table(&mut learned.test_predictions().clone(), &folder.join(TEST_PREDICTIONS))?;
    if !lookups.is_empty() {
        let tables = folder.join(LOOKUPS);
        fs::create_dir(&tables).map_err(|e| unwritable(&tables, e))?;
        for (name, table) in lookups {
            let file = format!("{}.parquet", file_name(name));
            crate::write_table(&mut table.clone(), &tables.join(&file))?;
            names.push(format!("{LOOKUPS}/{file}"));
        }
        sync_folder(&tables);
    }
    for name in names {
        let hash = seal(&folder.join(&name))?;
        manifest.files.insert(name, hash);
    }
    Ok(())
}

/// The states that serving and undoing predictions need; what other branches of the job learned stays out.
fn needed(maps: &MapStates, spec: &FitSpec) -> MapStates {
    let mut ids: BTreeSet<u32> = spec.output.unmap.iter().map(|l| l.id).collect();
    for node in spec.serving.plan.graph.node_weights() {
        match &node.op {
            Op::Map { columns } => ids.extend(columns.iter().map(|c| c.link.id)),
            Op::Unmap { columns } => ids.extend(columns.iter().flat_map(|c| c.links.iter().map(|l| l.id))),
            _ => {}
        }
    }
    MapStates(maps.0.iter().filter(|(id, _)| ids.contains(id)).map(|(id, state)| (*id, state.clone())).collect())
}

/// Gives the staged files the next version number and, if the gates held, makes them live.
fn publish(folder: &ModelFolder, staged: TempDir, manifest: &mut Manifest) -> Result<(u64, PathBuf), RunError> {
    // Writers take turns, where the file system has locks; where it has none, the rename below still lets one win.
    let lock_path = folder.path.join(".lock");
    let lock = File::create(&lock_path).map_err(|e| unwritable(&lock_path, e))?;
    let _ = lock.lock();
    let path = staged.path().join(MANIFEST);
    for _ in 0..1000 {
        let taken = folder.numbers().map_err(|e| unwritable(&folder.versions(), e))?;
        let number = taken.last().copied().max(folder.current()?).unwrap_or(0) + 1;
        manifest.version = number;
        let text = sealed(manifest)?;
        if path.exists() {
            fs::remove_file(&path).map_err(|e| unwritable(&path, e))?;
        }
        write(&path, text.as_bytes())?;
        sync_folder(staged.path());
        let place = folder.version(number);
        match fs::rename(staged.path(), &place) {
            Ok(()) => {
                // The folder has its new name: nothing is left to clean up under the old one.
                let _ = staged.keep();
                sync_folder(&folder.versions());
                if manifest.status == PackageStatus::Promoted && folder.current()?.is_none_or(|live| live < number) {
                    folder.promote(number)?;
                }
                return Ok((number, place));
            }
            // Another writer took the number.
            Err(_) if place.exists() => {}
            Err(e) => return Err(unwritable(&place, e)),
        }
    }
    Err(unwritable(&folder.versions(), "other writers took every version number that was tried"))
}
