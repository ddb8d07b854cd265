use std::fs;
use std::path::{Path, PathBuf};

use dbjob_plan::{Manifest, RunError};

use crate::MANIFEST;
use crate::files::place;
use crate::folder::ModelFolder;
use crate::manifest::read_manifest;

/// The folder with the manifest: of a version itself, or of the live version of a model's folder.
///
/// Errors: E0716 when there is none.
pub fn locate(path: &Path) -> Result<PathBuf, RunError> {
    if path.join(MANIFEST).is_file() {
        return Ok(path.to_owned());
    }
    let model = ModelFolder::at(path);
    let error = |message: String| RunError::new("E0716", message).data(place(path));
    if let Some(number) = model.current()? {
        let version = model.version(number);
        if version.join(MANIFEST).is_file() {
            return Ok(version);
        }
        return Err(error(format!("the live version {number} of {} is not there", path.display()))
            .help("restore its folder, or make another version live: `dbjob models promote MODEL N`"));
    }
    if let Ok(numbers) = model.numbers()
        && let Some(last) = numbers.last()
    {
        return Err(error(format!("no version of {} is live: none was promoted", path.display()))
            .help(format!("to use one all the same, name its folder: {}", model.version(*last).display())));
    }
    let error = error(format!("there is no model package at {}", path.display()));
    Err(match models(path).as_slice() {
        [] => error.help("give the folder of a version, or of a model in a registry (it holds the file `current`)"),
        models => {
            let names: Vec<String> = models.iter().map(|m| m.path.display().to_string()).collect();
            error.help(format!("it is a registry; give one of its models: {}", names.join(", ")))
        }
    })
}

/// The manifest of the live version of a model; `None` when none is live.
///
/// Errors: E0716 when it is damaged.
pub fn live(registry: &Path, model: &str) -> Result<Option<Manifest>, RunError> {
    let model = ModelFolder::of(registry, model);
    let Some(number) = model.current()? else { return Ok(None) };
    read_manifest(&model.version(number)).map(Some)
}

/// The models of a registry folder, by name.
pub fn models(registry: &Path) -> Vec<ModelFolder> {
    let entries = fs::read_dir(registry).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.join("versions").is_dir()).collect();
    found.sort();
    found.iter().map(|path| ModelFolder::at(path)).collect()
}
