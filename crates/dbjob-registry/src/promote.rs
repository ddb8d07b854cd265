//! Which version is live, decided by hand.

use dbjob_plan::contract::{ContractChange, Promise, changes};
use dbjob_plan::{Manifest, PackageStatus, RunError};

use crate::files::{place, unwritable};
use crate::folder::ModelFolder;
use crate::history::How;
use crate::manifest::{read_manifest, verify};

/// What became of the live version.
#[derive(Debug)]
pub struct Promoted {
    pub model: String,
    pub version: u64,
    /// The one that was live; the same: nothing changed.
    pub before: Option<u64>,
    /// How the version differs for callers from the one that was live.
    pub changes: Vec<ContractChange>,
}

/// Makes a version the live one, the latest that may be if none is named.
///
/// Errors: E0716 when the version is not there or is damaged; E0770 when it is rejected; E0771 when it breaks callers of the
/// live one and that is not allowed.
pub fn promote(folder: &ModelFolder, version: Option<u64>, allow_breaking: bool) -> Result<Promoted, RunError> {
    let _lock = folder.lock()?;
    let version = match version {
        Some(version) => version,
        None => latest(folder)?,
    };
    let manifest = sound(folder, version)?;
    if manifest.status == PackageStatus::Rejected {
        return Err(rejected(folder, &manifest));
    }
    let found = change(folder, &manifest)?;
    let breaking: Vec<&ContractChange> = found.changes.iter().filter(|c| c.breaking).collect();
    if !breaking.is_empty() && !allow_breaking {
        return Err(breaks(&manifest.model, version, breaking.into_iter())
            .help("make it live all the same with `--allow-breaking`, once callers know")
            .data(place(&folder.version(version))));
    }
    if found.before != Some(version) {
        folder.set_live(version, How::Promote)?;
    }
    Ok(found)
}

/// Makes the version live again that was live before the live one.
///
/// Errors: E0770 when there was none; E0716 when it is not there or is damaged.
pub fn rollback(folder: &ModelFolder) -> Result<Promoted, RunError> {
    let _lock = folder.lock()?;
    let Some(before) = folder.before()? else {
        let message = format!("no version of {} was live before the one that is", folder.path.display());
        return Err(RunError::new("E0770", message)
            .help("`dbjob models promote MODEL N` makes another version live")
            .data(place(&folder.path)));
    };
    let manifest = sound(folder, before)?;
    let found = change(folder, &manifest)?;
    folder.set_live(before, How::Rollback)?;
    Ok(found)
}

/// E0771: the version breaks callers.
pub fn breaks<'a>(model: &str, version: u64, breaking: impl Iterator<Item = &'a ContractChange>) -> RunError {
    let what: Vec<&str> = breaking.map(|change| change.what.as_str()).collect();
    let message = format!("version {version} of `{model}` breaks callers of the live version: {}", what.join("; "));
    RunError::new("E0771", message)
}

fn sound(folder: &ModelFolder, version: u64) -> Result<Manifest, RunError> {
    let place = folder.version(version);
    if !place.is_dir() {
        let numbers = folder.numbers().map_err(|e| unwritable(&folder.versions(), e))?;
        let there: Vec<String> = numbers.iter().map(u64::to_string).collect();
        let error = RunError::new("E0716", format!("there is no version {version} in {}", folder.path.display()));
        return Err(if there.is_empty() { error } else { error.help(format!("there is {}", there.join(", "))) });
    }
    let manifest = read_manifest(&place)?;
    verify(&place, &manifest)?;
    Ok(manifest)
}

/// The latest version whose requirements held.
fn latest(folder: &ModelFolder) -> Result<u64, RunError> {
    let numbers = folder.numbers().map_err(|e| unwritable(&folder.versions(), e))?;
    let mut last = None;
    for number in numbers.into_iter().rev() {
        let manifest = read_manifest(&folder.version(number))?;
        if manifest.status != PackageStatus::Rejected {
            return Ok(number);
        }
        last = last.or(Some(manifest));
    }
    Err(match last {
        Some(manifest) => rejected(folder, &manifest),
        None => RunError::new("E0716", format!("there is no version in {}", folder.path.display())),
    })
}

fn rejected(folder: &ModelFolder, manifest: &Manifest) -> RunError {
    let failed = manifest.requirements.iter().filter(|r| !r.held).map(|r| format!("`require {}`", r.text));
    let failed: Vec<String> = failed.collect();
    let message = format!(
        "version {} of `{}` cannot be live: it was rejected, because {} did not hold",
        manifest.version,
        manifest.model,
        failed.join(", ")
    );
    RunError::new("E0770", message)
        .help("run the job with another model or another requirement: that makes a new version")
        .data(place(&folder.version(manifest.version)))
}

/// What becomes of the live version if this one takes its place. A live version that cannot be read has no callers.
fn change(folder: &ModelFolder, manifest: &Manifest) -> Result<Promoted, RunError> {
    let before = folder.current()?;
    let live = before.filter(|live| *live != manifest.version).and_then(|n| read_manifest(&folder.version(n)).ok());
    let changes = live.map(|live| changes(&Promise::from(&live), &Promise::from(manifest))).unwrap_or_default();
    Ok(Promoted { model: manifest.model.clone(), version: manifest.version, before, changes })
}
