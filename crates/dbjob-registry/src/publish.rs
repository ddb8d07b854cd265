use std::fs;
use std::path::{Path, PathBuf};

use dbjob_plan::contract::{ContractChange, Promise, changes};
use dbjob_plan::{Manifest, PackageStatus, RunError};
use tempfile::TempDir;

use crate::files::{sync_folder, unwritable};
use crate::folder::ModelFolder;
use crate::history::How;
use crate::manifest::{read_manifest, seal_manifest};

/// A new version of a model.
#[derive(Debug)]
pub struct Published {
    pub version: u64,
    pub place: PathBuf,
    pub live: bool,
    /// What of it breaks callers of the version that was live; then it is not.
    pub breaks: Vec<ContractChange>,
}

/// Gives staged files the next version number. The version is live afterwards if its status is `promoted` and nothing in it
/// breaks callers of the live one; if something does, its status becomes `held_back`.
///
/// Errors: E0713 when something cannot be written; then no version appears. E0716 when the live version is damaged.
pub fn publish(folder: &ModelFolder, staged: TempDir, manifest: &mut Manifest) -> Result<Published, RunError> {
    // Where the file system has no locks the rename below still lets one win.
    let _lock = folder.lock()?;
    for _ in 0..1000 {
        let taken = folder.numbers().map_err(|e| unwritable(&folder.versions(), e))?;
        let number = taken.last().copied().max(folder.current()?).unwrap_or(0) + 1;
        manifest.version = number;
        let mut breaks = Vec::new();
        if manifest.status != PackageStatus::Rejected {
            breaks = self::breaks(folder, manifest)?;
            manifest.status = if breaks.is_empty() { PackageStatus::Promoted } else { PackageStatus::HeldBack };
        }
        seal_manifest(staged.path(), manifest)?;
        let place = folder.version(number);
        match fs::rename(staged.path(), &place) {
            Ok(()) => {
                // The folder has its new name: nothing is left to clean up under the old one.
                let _ = staged.keep();
                sync_folder(&folder.versions());
                let live = manifest.status == PackageStatus::Promoted;
                if live {
                    folder.set_live(number, How::Run)?;
                }
                return Ok(Published { version: number, place, live, breaks });
            }
            // Another writer took the number.
            Err(_) if place.exists() => {}
            Err(e) => return Err(unwritable(&place, e)),
        }
    }
    Err(unwritable(&folder.versions(), "other writers took every version number that was tried"))
}

/// What of a version breaks callers of the live one.
pub(crate) fn breaks(folder: &ModelFolder, manifest: &Manifest) -> Result<Vec<ContractChange>, RunError> {
    let Some(live) = folder.current()?.filter(|live| *live != manifest.version) else { return Ok(Vec::new()) };
    let live = read_manifest(&folder.version(live))?;
    let mut found = changes(&Promise::from(&live), &Promise::from(manifest));
    found.retain(|change| change.breaking);
    Ok(found)
}

/// Looks for a version of the same content that is there already, of which the process that made it was killed before it was
/// live, and makes it so. `None`: the last version is another one, or was rejected by what holds (`held`) now.
///
/// Errors: E0713, E0716.
pub fn again(folder: &ModelFolder, key: &dbjob_plan::Key, held: bool) -> Result<Option<Published>, RunError> {
    let _lock = folder.lock()?;
    let Some((version, status)) = folder.last_of(key)? else { return Ok(None) };
    if status == PackageStatus::Rejected && held {
        return Ok(None);
    }
    let place = folder.version(version);
    let breaks = match status {
        PackageStatus::HeldBack => breaks(folder, &read_manifest(&place)?)?,
        PackageStatus::Promoted | PackageStatus::Rejected => Vec::new(),
    };
    // One that was live once was taken back since.
    let was_live = folder.promotions()?.iter().any(|p| p.version == version);
    let later = folder.current()?.is_none_or(|live| live < version);
    if status != PackageStatus::Rejected && breaks.is_empty() && !was_live && later {
        folder.set_live(version, How::Run)?;
    }
    let live = folder.current()? == Some(version);
    Ok(Some(Published { version, place, live, breaks }))
}

/// The folder for the files of a version while it is written.
///
/// Errors: E0713.
pub fn stage(folder: &ModelFolder) -> Result<TempDir, RunError> {
    let versions: &Path = &folder.versions();
    fs::create_dir_all(versions).map_err(|e| unwritable(versions, e))?;
    let staged = tempfile::Builder::new().prefix(&dbjob_plan::temp_prefix()).tempdir_in(versions);
    staged.map_err(|e| unwritable(versions, e))
}
