//! Models and versions by the names that users give them.

use std::fs;
use std::path::{Path, PathBuf};

use dbjob_plan::{RunError, in_object_store};
use dbjob_registry::{MANIFEST, ModelFolder, file_name};

use crate::diagnostic::near_name;

/// The folder that a user means, to be opened as a package: a package's or a model's folder, or a model's name in the
/// registry; `name@3` or `version` for another version than the live one.
///
/// Errors: E0716 for a model or version that is not there; E0901 for a registry in an object store.
pub fn package(model: &str, registry: &Path, version: Option<u64>) -> Result<PathBuf, RunError> {
    let (folder, version) = given(model, registry, version)?;
    let Some(version) = version else { return Ok(folder) };
    let package = folder.join("versions").join(version.to_string());
    if package.is_dir() {
        return Ok(package);
    }
    let error = not_found(format!("there is no version {version} of a model in `{}`", folder.display()));
    let numbers = ModelFolder::at(&folder).numbers().unwrap_or_default();
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    Err(if numbers.is_empty() { error } else { error.help(format!("there is {}", numbers.join(", "))) })
}

/// The folder of a model with its versions, and the version if the name says one: `name@3`.
///
/// Errors: as of [`package`].
pub fn model(model: &str, registry: &Path) -> Result<(ModelFolder, Option<u64>), RunError> {
    let (folder, version) = given(model, registry, None)?;
    if folder.join(MANIFEST).is_file() {
        let message = format!("`{}` is the folder of one version, not of a model", folder.display());
        return Err(not_found(message).help("give the name of the model, or the folder with its `versions`"));
    }
    if !folder.join("versions").is_dir() {
        let error = not_found(format!("`{}` is no folder of a model: it has no `versions`", folder.display()));
        let names = names_in(&folder);
        let inside = names.iter().find(|name| folder.join(name).join("versions").is_dir());
        return Err(match inside {
            Some(inside) => error.help(format!(
                "it is a registry: `--registry {}`, and the name of a model, such as `{inside}`",
                folder.display()
            )),
            None => error,
        });
    }
    Ok((ModelFolder::at(&folder), version))
}

/// Errors: E0901 for a registry in an object store.
pub fn here(registry: &Path) -> Result<(), RunError> {
    match registry.to_str().filter(|text| in_object_store(text)) {
        Some(text) => Err(RunError::new("E0901", format!("not supported yet: a registry in an object store ({text})"))
            .help("name a folder of this machine")),
        None => Ok(()),
    }
}

fn given(model: &str, registry: &Path, version: Option<u64>) -> Result<(PathBuf, Option<u64>), RunError> {
    here(registry)?;
    here(Path::new(model))?;
    let (model, version) = match (version, model.rsplit_once('@').map(|(name, v)| (name, v.parse::<u64>()))) {
        (None, Some((name, Ok(v)))) if !Path::new(model).exists() => (name, Some(v)),
        _ => (model, version),
    };
    let named = [registry.join(model), registry.join(file_name(model))];
    if let Some(named) = named.into_iter().find(|named| is_name(model) && named.is_dir()) {
        return Ok((named, version));
    }
    if Path::new(model).is_dir() {
        return Ok((model.into(), version));
    }
    Err(no_model(model, registry))
}

fn is_name(model: &str) -> bool {
    Path::new(model).components().count() == 1 && model != "." && model != ".."
}

/// The names of the folders in a folder, sorted, hidden ones left out.
fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

fn no_model(model: &str, registry: &Path) -> RunError {
    let error =
        not_found(format!("there is no model `{model}` in `{}` and no folder of that name", registry.display()));
    let names = names_in(registry);
    match near_name(model, names.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => error.help("`--registry DIR` says where models are"),
        None => error.help(format!("there is {}", names.join(", "))),
    }
}

fn not_found(message: String) -> RunError {
    RunError::new("E0716", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(model: &str, version: Option<u64>) -> Result<String, RunError> {
        let root = tempfile::tempdir().unwrap();
        for folder in ["good/versions/1", "good/versions/10", "empty"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let model = model.replace("ROOT", &root.path().display().to_string());
        let found = package(&model, root.path(), version)?;
        Ok(found.strip_prefix(root.path()).unwrap().display().to_string())
    }

    #[test]
    fn names_folders_and_versions_are_found() {
        assert_eq!(located("good", None).unwrap(), "good");
        assert_eq!(located("good", Some(10)).unwrap(), "good/versions/10");
        assert_eq!(located("good@1", None).unwrap(), "good/versions/1");
        assert_eq!(located("ROOT/good", None).unwrap(), "good");
        assert_eq!(located("ROOT/good@1", None).unwrap(), "good/versions/1");
        assert_eq!(located("ROOT/good/versions/1", None).unwrap(), "good/versions/1");
    }

    #[test]
    fn what_is_not_there_says_what_is() {
        let error = |model: &str, version| located(model, version).unwrap_err();
        assert_eq!(error("god", None).help.unwrap(), "did you mean `good`?");
        assert_eq!(error("something", None).help.unwrap(), "there is empty, good");
        assert_eq!(error("good", Some(7)).help.unwrap(), "there is 1, 10");
        assert_eq!(error("empty@1", None).help, None);
        assert_eq!(error("../good", None).code, "E0716");
    }
}
