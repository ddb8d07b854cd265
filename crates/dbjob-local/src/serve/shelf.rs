//! Folders of models as the shelf of a server: what `current` names is live.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dbjob_plan::{Predictor, RunError};
use dbjob_registry::{MANIFEST, ModelFolder, model_name, read_manifest};
use dbjob_serve::{Live, Scorer, Shelf};

use super::Served;
use crate::package;

/// Where models are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// All models of a registry, also those that come later.
    Registry(PathBuf),
    /// The live version of one model.
    Model(PathBuf),
    /// A version, live or not.
    Version(PathBuf),
}

impl Place {
    /// Of a model in a registry; `None`: it was never stored there.
    pub fn model(registry: &Path, name: &str) -> Option<Self> {
        let folder = ModelFolder::of(registry, name);
        folder.versions().is_dir().then_some(Self::Model(folder.path))
    }

    /// What a folder is; `None`: no folder of models.
    pub fn of(folder: &Path) -> Option<Self> {
        let path = folder.to_owned();
        if folder.join(MANIFEST).is_file() {
            Some(Self::Version(path))
        } else if folder.join("versions").is_dir() {
            Some(Self::Model(path))
        } else {
            let mut entries = fs::read_dir(folder).ok()?.flatten();
            entries.any(|e| e.path().join("versions").is_dir()).then_some(Self::Registry(path))
        }
    }
}

/// The models of some places. Of one name only the first place's is served.
pub struct Registry(pub Vec<Place>);

impl Registry {
    /// The folder of each live version.
    fn folders(&self) -> Result<BTreeMap<Live, PathBuf>, RunError> {
        let mut found: BTreeMap<String, (Live, PathBuf)> = BTreeMap::new();
        let mut add = |live: Live, folder: PathBuf| {
            found.entry(live.model.clone()).or_insert((live, folder));
        };
        for place in &self.0 {
            match place {
                Place::Version(folder) => {
                    let manifest = read_manifest(folder)?;
                    add(Live { model: manifest.model, version: manifest.version }, folder.clone());
                }
                // Its folder may have been copied under another name.
                Place::Model(folder) => {
                    if let Some((_, folder)) = live_of(folder)? {
                        let manifest = read_manifest(&folder)?;
                        add(Live { model: manifest.model, version: manifest.version }, folder);
                    }
                }
                Place::Registry(folder) => {
                    let unreadable = |e| RunError::new("E0716", format!("cannot read {}: {e}", folder.display()));
                    for entry in fs::read_dir(folder).map_err(unreadable)?.flatten() {
                        if let Some((live, folder)) = live_of(&entry.path())? {
                            add(live, folder);
                        }
                    }
                }
            }
        }
        Ok(found.into_values().collect())
    }
}

/// The live version of a model's folder, and where it is.
fn live_of(path: &Path) -> Result<Option<(Live, PathBuf)>, RunError> {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    let folder = ModelFolder::at(path);
    if !folder.versions().is_dir() {
        return Ok(None);
    }
    let Some(version) = folder.current()? else { return Ok(None) };
    Ok(Some((Live { model: model_name(name), version }, folder.version(version))))
}

impl Shelf for Registry {
    fn live(&self) -> Result<Vec<Live>, String> {
        self.folders().map(|all| all.into_keys().collect()).map_err(|e| e.message)
    }

    fn open(&self, live: &Live) -> Result<Arc<dyn Scorer>, RunError> {
        let folders = self.folders()?;
        let folder = folders.get(live).ok_or_else(|| {
            RunError::new("E0716", format!("version {} of `{}` is not there", live.version, live.model))
        })?;
        let package = package::open(folder)?;
        let manifest = package.manifest();
        if manifest.model != live.model || manifest.version != live.version {
            let (model, version) = (&manifest.model, manifest.version);
            let message = format!("{} holds version {version} of `{model}`", folder.display());
            return Err(RunError::new("E0716", message).help("a version's folder keeps its name and place"));
        }
        Ok(Arc::new(Served::new(package)?))
    }
}
