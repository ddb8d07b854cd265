use std::fs;
use std::path::{Path, PathBuf};

use dbjob_plan::RunError;

use crate::diagnostic::near_name;

/// The folder that a user means, to be opened as a package: a package's or a model's folder, or a model's name in the
/// registry; `name@3` or `version` for another version than the live one.
///
/// Errors: E0716 for a model or version that is not there.
pub fn package(model: &str, registry: &Path, version: Option<u64>) -> Result<PathBuf, RunError> {
    let (model, version) = match (version, model.rsplit_once('@').map(|(name, v)| (name, v.parse::<u64>()))) {
        (None, Some((name, Ok(v)))) if !Path::new(model).exists() => (name, Some(v)),
        _ => (model, version),
    };
    let given = Path::new(model);
    let named = registry.join(model);
    let folder = if is_name(model) && named.is_dir() {
        named
    } else if given.is_dir() {
        given.to_owned()
    } else {
        return Err(no_model(model, registry));
    };
    let Some(version) = version else { return Ok(folder) };
    let package = folder.join("versions").join(version.to_string());
    if package.is_dir() {
        return Ok(package);
    }
    let error = not_found(format!("there is no version {version} of a model in `{}`", folder.display()));
    let mut numbers: Vec<u64> = names_in(&folder.join("versions")).iter().filter_map(|n| n.parse().ok()).collect();
    numbers.sort_unstable();
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    Err(if numbers.is_empty() { error } else { error.help(format!("there is {}", numbers.join(", "))) })
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
