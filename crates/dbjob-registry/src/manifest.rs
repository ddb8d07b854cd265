//! The manifest of a package: written with its own fingerprint, read and verified.

use std::fs::{self, File};
use std::path::Path;

use dbjob_plan::{Manifest, RunError};

use crate::files::{digest, place, sync_folder, unwritable, write};
use crate::folder::file_name;
use crate::{FORMAT, LOOKUPS, MANIFEST, MAPS, WEIGHTS};

/// The manifest as the text of its file, with its own fingerprint in it.
///
/// Errors: E0799.
fn sealed(manifest: &Manifest) -> Result<String, RunError> {
    let engine = |e: String| RunError::new("E0799", e);
    let open = Manifest { sha256: String::new(), ..manifest.clone() };
    let text = serde_json::to_string_pretty(&open).map_err(|e| engine(e.to_string()))? + "\n";
    let hash = digest(&mut text.as_bytes()).map_err(|e| engine(e.to_string()))?;
    let at = text.rfind(&fingerprint("")).expect("it is the manifest's last field");
    let (before, after) = text.split_at(at);
    Ok(format!("{before}{}{}", fingerprint(&hash), &after[fingerprint("").len()..]))
}

/// Writes the manifest into a folder, in the place of another one; it is on the disk when this returns.
///
/// Errors: E0713, E0799.
pub fn seal_manifest(folder: &Path, manifest: &Manifest) -> Result<(), RunError> {
    let (path, text) = (folder.join(MANIFEST), sealed(manifest)?);
    if path.exists() {
        fs::remove_file(&path).map_err(|e| unwritable(&path, e))?;
    }
    write(&path, text.as_bytes())?;
    sync_folder(folder);
    Ok(())
}

/// Whether the text of a manifest is the one that was stored with this fingerprint.
fn is_sealed(text: &str, hash: &str) -> bool {
    let stored = fingerprint(hash);
    let Some(at) = text.rfind(&stored) else { return false };
    let open = format!("{}{}{}", &text[..at], fingerprint(""), &text[at + stored.len()..]);
    digest(&mut open.as_bytes()).is_ok_and(|found| found == hash)
}

fn fingerprint(hash: &str) -> String {
    format!("\"sha256\": \"{hash}\"")
}

/// The manifest in the folder of a version.
///
/// Errors: E0716 when it is not there, not the one that was stored, or of another format.
pub fn read_manifest(folder: &Path) -> Result<Manifest, RunError> {
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
///
/// Errors: E0716 naming the first that is not.
pub fn verify(folder: &Path, manifest: &Manifest) -> Result<(), RunError> {
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

/// E0716: a file of a package.
pub fn damaged(path: &Path, why: impl std::fmt::Display) -> RunError {
    RunError::new("E0716", format!("the model package is damaged: {}: {why}", path.display()))
        .help("copy the package again from where it was made, or run the job again")
        .data(place(path))
}
