use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use dbjob_drift::Profile;
use dbjob_plan::{
    Event, FitSpec, Key, Manifest, ModelReport, Op, Plan, RunContext, RunError, SourceFingerprint, Target,
};
use dbjob_registry::{
    LOOKUPS, MAPS, ModelFolder, PROFILE, Published, TEST_PREDICTIONS, WEIGHTS, again, digest, file_name, publish, seal,
    seal_manifest, stage as begin, sync_folder, unwritable, write,
};
use polars::prelude::DataFrame;

use super::manifest::manifest;
use super::open::open;
use crate::learn::Learned;
use crate::map::MapStates;
use crate::serve::replay;

/// What a package is made of.
pub struct Parts<'a> {
    pub learned: &'a Learned,
    pub spec: &'a FitSpec,
    pub maps: &'a MapStates,
    /// The tables that serving joins, by snapshot name.
    pub lookups: &'a [(String, DataFrame)],
    /// What the package is held to; asked for when a version is made.
    pub audit: &'a dyn Fn() -> Result<Option<Audit>, RunError>,
}

/// What the rows of the training were like, and what is to be answered to some of those that were held out.
pub struct Audit {
    pub profile: Profile,
    /// Rows as callers send them.
    pub request: DataFrame,
    /// The predictions of these rows, named from `prediction`.
    pub answers: DataFrame,
}

/// Stores a model as a new version in a registry and makes it the live one if every requirement held and callers of the
/// version that was live may go on; else it is kept, `rejected` or `held_back`. Tells of it in [`Event::Written`].
///
/// `lineage`: what the data of the fit were. `key`: what it is that is deployed; if the last version is the same, none is
/// made.
///
/// Errors: E0713 when something cannot be written, E0772 when a server would answer otherwise than the run; then no version
/// appears.
pub fn deploy(
    target: &Target,
    parts: &Parts<'_>,
    lineage: Vec<SourceFingerprint>,
    key: Option<Key>,
    plan: &Plan,
    cx: &RunContext<'_>,
) -> Result<ModelReport, RunError> {
    let (learned, spec) = (parts.learned, parts.spec);
    let Target::Registry { path, deploy } = target else {
        return Err(RunError::new("E0799", "a model can go to a registry only"));
    };
    let folder = ModelFolder::of(&cx.output(path), &spec.model);
    let staged = begin(&folder)?;
    let told = |published: Published| ModelReport {
        package: Some(published.place),
        version: Some(published.version),
        promoted: published.live,
        breaks: published.breaks,
        ..learned.report(None)
    };
    // A run that was killed may have come so far; what it had not done yet is done now.
    if let Some(there) = key.map(|key| again(&folder, &key, learned.held())).transpose()?.flatten() {
        return Ok(told(there));
    }
    let mut manifest = manifest(learned, plan, lineage, key);
    let audit = (parts.audit)()?;
    stage(staged.path(), parts, audit.as_ref(), &mut manifest)?;
    if let Some(audit) = &audit {
        seal_manifest(staged.path(), &manifest)?;
        replay(open(staged.path())?, &audit.request, &audit.answers)?;
    }
    let published = publish(&folder, staged, &mut manifest)?;
    cx.emit(Event::Written {
        item: deploy.clone(),
        kind: "model".to_owned(),
        path: published.place.display().to_string(),
        version: Some(published.version),
        promoted: published.live,
    });
    Ok(told(published))
}

/// Writes all files but the manifest, and their hashes into it.
fn stage(folder: &Path, parts: &Parts<'_>, audit: Option<&Audit>, manifest: &mut Manifest) -> Result<(), RunError> {
    let Parts { learned, spec, maps, lookups, .. } = parts;
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
    if let Some(audit) = audit {
        let profile = serde_json::to_vec(&audit.profile).map_err(|e| RunError::new("E0799", e.to_string()))?;
        write(&folder.join(PROFILE), &profile)?;
        names.push(PROFILE.to_owned());
    }
    if !lookups.is_empty() {
        let tables = folder.join(LOOKUPS);
        fs::create_dir(&tables).map_err(|e| unwritable(&tables, e))?;
        for (name, table) in *lookups {
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
