use std::fs;
use std::path::{Path, PathBuf};

use dbjob_plan::{PackageStatus, RunError};
use serde::Deserialize;

use crate::diagnostic::near_name;

/// What choosing a version needs of `manifest.json`.
#[derive(Deserialize)]
struct Head {
    version: u64,
    status: PackageStatus,
}

/// The folder of the package that a user means: a package's folder, a model's folder in a registry, or a model's
/// name there, `name@3` for a version.
///
/// Errors: E0716 for a model or version that is not there, and when no version of a model was promoted.
pub fn package(model: &str, registry: &Path, version: Option<u64>) -> Result<PathBuf, RunError> {
    let (model, version) = match (version, model.rsplit_once('@').map(|(name, v)| (name, v.parse::<u64>()))) {
        (None, Some((name, Ok(v)))) if !Path::new(model).exists() => (name, Some(v)),
        _ => (model, version),
    };
    let given = Path::new(model);
    if given.join("manifest.json").is_file() {
        return match version {
            Some(version) if head(given).is_some_and(|h| h.version != version) => {
                Err(not_found(format!("`{model}` is a package of another version than {version}")))
            }
            _ => Ok(given.to_owned()),
        };
    }
    let folder = match registry.join(model) {
        named if is_name(model) && named.is_dir() => named,
        _ if given.is_dir() => given.to_owned(),
        _ => return Err(no_model(model, registry)),
    };
    choose(&folder, version)
}

fn is_name(model: &str) -> bool {
    Path::new(model).components().count() == 1 && model != "." && model != ".."
}

/// The package of `version`, or of the newest one that was promoted.
fn choose(folder: &Path, version: Option<u64>) -> Result<PathBuf, RunError> {
    let mut packages: Vec<(Head, PathBuf)> =
        subfolders(folder).into_iter().filter_map(|p| Some((head(&p)?, p))).collect();
    packages.sort_by_key(|(head, _)| head.version);
    let shown = folder.display();
    let Some((newest, _)) = packages.last() else {
        return Err(not_found(format!("there is no model package in `{shown}`")));
    };
    let newest = newest.version;
    let versions: Vec<String> = packages.iter().map(|(head, _)| head.version.to_string()).collect();
    let wanted = |head: &Head| version.map_or(head.status == PackageStatus::Promoted, |v| head.version == v);
    match (packages.into_iter().rev().find(|(head, _)| wanted(head)), version) {
        (Some((_, package)), _) => Ok(package),
        (None, Some(version)) => Err(not_found(format!("there is no version {version} in `{shown}`"))
            .help(format!("there is {}", versions.join(", ")))),
        (None, None) => {
            Err(not_found(format!("no version in `{shown}` was promoted: their requirements did not hold"))
                .help(format!("`--version {newest}` takes the newest one all the same")))
        }
    }
}

fn head(package: &Path) -> Option<Head> {
    serde_json::from_slice(&fs::read(package.join("manifest.json")).ok()?).ok()
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect()
}

fn no_model(model: &str, registry: &Path) -> RunError {
    let error =
        not_found(format!("there is no model `{model}` in `{}` and no folder of that name", registry.display()));
    let names: Vec<String> = subfolders(registry)
        .iter()
        .filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned()))
        .filter(|name| !name.starts_with('.'))
        .collect();
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

    fn registry() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (model, version, status) in
            [("good", 1, "promoted"), ("good", 2, "promoted"), ("good", 10, "rejected"), ("bad", 1, "rejected")]
        {
            let folder = root.path().join(model).join(version.to_string());
            fs::create_dir_all(&folder).unwrap();
            let manifest = format!("{{\"version\": {version}, \"status\": \"{status}\", \"more\": []}}");
            fs::write(folder.join("manifest.json"), manifest).unwrap();
        }
        fs::create_dir(root.path().join("empty")).unwrap();
        root
    }

    fn located(model: &str, version: Option<u64>) -> Result<String, RunError> {
        let root = registry();
        let model = model.replace("ROOT", &root.path().display().to_string());
        let found = package(&model, root.path(), version)?;
        Ok(found.strip_prefix(root.path()).unwrap().display().to_string())
    }

    #[test]
    fn names_folders_and_versions_are_found() {
        assert_eq!(located("good", None).unwrap(), "good/2");
        assert_eq!(located("good", Some(10)).unwrap(), "good/10");
        assert_eq!(located("good@1", None).unwrap(), "good/1");
        assert_eq!(located("ROOT/good", None).unwrap(), "good/2");
        assert_eq!(located("ROOT/good@1", None).unwrap(), "good/1");
        assert_eq!(located("ROOT/bad/1", None).unwrap(), "bad/1");
    }

    #[test]
    fn what_is_not_there_says_what_is() {
        let error = |model: &str, version| located(model, version).unwrap_err();
        assert_eq!(error("god", None).help.unwrap(), "did you mean `good`?");
        assert_eq!(error("good", Some(7)).help.unwrap(), "there is 1, 2, 10");
        assert!(error("bad", None).help.unwrap().contains("--version 1"));
        assert!(error("empty", None).message.contains("no model package"));
        assert!(error("ROOT/bad/1", Some(4)).message.contains("another version"));
        assert_eq!(error("..", Some(7)).code, "E0716");
    }
}
