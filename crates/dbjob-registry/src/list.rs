use std::path::{Path, PathBuf};

use dbjob_plan::{Manifest, RunError};

use crate::files::place;
use crate::folder::ModelFolder;
use crate::locate::models;
use crate::manifest::read_manifest;

/// A model of a registry with its versions, the latest first.
#[derive(Debug)]
pub struct ListedModel {
    pub folder: ModelFolder,
    /// The name of its folder; of a model with letters that no file has, not its own.
    pub name: String,
    pub current: Option<u64>,
    pub versions: Vec<Listed>,
}

/// A version; what cannot be read is told in its place.
#[derive(Debug)]
pub struct Listed {
    pub number: u64,
    pub folder: PathBuf,
    pub live: bool,
    pub manifest: Result<Box<Manifest>, RunError>,
}

/// All models of a registry, by name.
///
/// Errors: E0716 when it is no folder, or a `current` holds no number.
pub fn list(registry: &Path) -> Result<Vec<ListedModel>, RunError> {
    if !registry.is_dir() {
        let message = format!("there is no registry at {}", registry.display());
        return Err(RunError::new("E0716", message)
            .help("`--registry DIR` names the folder of `to registry(\"DIR\")`; the first run makes it")
            .data(place(registry)));
    }
    models(registry).into_iter().map(listed).collect()
}

fn listed(folder: ModelFolder) -> Result<ListedModel, RunError> {
    let current = folder.current()?;
    let mut numbers = folder.numbers().unwrap_or_default();
    numbers.reverse();
    let version = |number: u64| {
        let place = folder.version(number);
        let manifest = read_manifest(&place).map(Box::new);
        Listed { number, live: current == Some(number), folder: place, manifest }
    };
    let versions: Vec<Listed> = numbers.into_iter().map(version).collect();
    let own = versions.iter().find_map(|v| v.manifest.as_ref().ok().map(|m| m.model.clone()));
    let name = || folder.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(ListedModel { name: own.unwrap_or_else(name), current, versions, folder })
}
