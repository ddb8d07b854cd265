use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use dbjob_plan::{Key, RunError, TEMP_PREFIX};

use super::{History, Store, unusable};

/// Results beyond this size are removed after a run, those that were not used for longest first; changed by
/// `dbjob clean --cap`.
const CAP: u64 = 20 << 30;

/// What is to be removed of a state directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clean {
    /// Everything that is kept.
    pub all: bool,
    /// What no run of the last so many has used.
    pub unused_for: Option<i64>,
    /// Until so many bytes are left.
    pub to_size: Option<u64>,
    /// What this run has used stays.
    pub spare: Option<i64>,
    /// Only say what would go.
    pub dry: bool,
}

impl Clean {
    pub(crate) fn to_size(bytes: u64, run: i64) -> Self {
        Self { to_size: Some(bytes), spare: Some(run), ..Self::default() }
    }
}

/// What was removed and what is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    pub removed: usize,
    pub removed_bytes: u64,
    pub left: usize,
    pub left_bytes: u64,
}

/// Removes results. Nobody else may use the state meanwhile.
///
/// Errors: E0751.
pub fn clean(state: &Path, history: &History, what: &Clean) -> Result<Cleaned, RunError> {
    let failed = |e: std::io::Error| unusable(state, &e.to_string());
    let store = Store::new(state.join("results"));
    let mut cleaned = Cleaned::default();
    let latest = history.runs(None, 1).ok().and_then(|runs| runs.first().map(|r| r.id)).unwrap_or(0);
    let mut whole: Vec<(i64, Key, u64)> = Vec::new();
    for (place, entry) in store.entries() {
        match entry {
            Some(entry) => {
                let used = history.last_use(&entry.key).unwrap_or(0);
                whole.push((used, entry.key, entry.bytes()));
            }
            None => {
                cleaned.removed += 1;
                if !what.dry {
                    fs::remove_dir_all(&place).map_err(failed)?;
                }
            }
        }
    }
    if what.all && !what.dry {
        // Fits that were not finished begin anew.
        let _ = fs::remove_dir_all(state.join("checkpoints"));
    }
    whole.sort();
    let mut total: u64 = whole.iter().map(|(.., bytes)| bytes).sum();
    for (used, key, bytes) in whole {
        let old = what.unused_for.is_some_and(|runs| used <= latest - runs);
        let too_much = what.to_size.is_some_and(|cap| total > cap);
        if (what.all || old || too_much) && what.spare.is_none_or(|run| used < run) {
            if !what.dry {
                store.remove(&key).map_err(failed)?;
                let _ = history.forget(&key);
            }
            cleaned.removed += 1;
            cleaned.removed_bytes += bytes;
            total -= bytes;
        } else {
            cleaned.left += 1;
            cleaned.left_bytes += bytes;
        }
    }
    Ok(cleaned)
}

/// How large the results may be.
pub fn cap(history: &History) -> Option<u64> {
    match history.setting("cap") {
        Some(text) if text == "none" => None,
        Some(text) => Some(text.parse().unwrap_or(CAP)),
        None => Some(CAP),
    }
}

/// Removes what processes that were killed have left half done. Only for the run that holds the lock.
pub(crate) fn sweep(state: &Path) {
    let now = SystemTime::now();
    let folders = [state.join("results"), state.join("checkpoints")];
    for entry in folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(TEMP_PREFIX);
        // A look ahead stages nothing; another run holds no lock. A moment's grace for clocks of other machines.
        let still = entry
            .metadata()
            .and_then(|m| m.modified())
            .is_ok_and(|t| now.duration_since(t).is_ok_and(|age| age < Duration::from_secs(1)));
        if ours && !still {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}
