//! What was made live, in order, so that there is a way back.
//!
//! A promotion is written down before `current` says it. What is written down last and is not what `current` says was either
//! never finished, because the process was killed, or undone by hand: it did not happen.

use std::fs;
use std::io::ErrorKind;
use std::time::{SystemTime, UNIX_EPOCH};

use dbjob_plan::{RunError, civil_datetime};
use serde::{Deserialize, Serialize};

use crate::folder::ModelFolder;
use crate::manifest::damaged;

const PROMOTIONS: &str = "promotions.ndjson";

/// How many are kept.
const KEPT: usize = 1000;

/// A version became the live one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    pub version: u64,
    pub how: How,
    /// RFC 3339, UTC.
    pub at: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By the run that made it.
    Run,
    Promote,
    Rollback,
    /// Somebody wrote the number into `current`.
    Hand,
}

impl ModelFolder {
    /// What was made live, in order; the last is what `current` says.
    ///
    /// Errors: E0716 when the history or `current` cannot be read.
    pub fn promotions(&self) -> Result<Vec<Promotion>, RunError> {
        let mut past = read(self)?;
        let Some(current) = self.current()? else { return Ok(Vec::new()) };
        let last = |past: &[Promotion]| past.last().map(|p| p.version);
        if last(&past) != Some(current) {
            let unfinished = past.pop();
            if last(&past) != Some(current) {
                past.extend(unfinished);
                past.push(Promotion { version: current, how: How::Hand, at: String::new() });
            }
        }
        Ok(past)
    }

    /// The version that was live before the live one, if it is known.
    pub fn before(&self) -> Result<Option<u64>, RunError> {
        let stack = stack(&self.promotions()?);
        Ok(stack.len().checked_sub(2).map(|at| stack[at]))
    }
}

/// The way back: the live version on top. A rollback takes off what it undid.
fn stack(past: &[Promotion]) -> Vec<u64> {
    let mut stack: Vec<u64> = Vec::new();
    for promotion in past {
        if promotion.how == How::Rollback {
            while stack.last().is_some_and(|top| *top != promotion.version) {
                stack.pop();
            }
        }
        if stack.last() != Some(&promotion.version) {
            stack.push(promotion.version);
        }
    }
    stack
}

/// Writes down that a version is about to be live.
pub(crate) fn note(folder: &ModelFolder, version: u64, how: How) -> Result<(), RunError> {
    let mut past = folder.promotions()?;
    past.push(Promotion { version, how, at: now() });
    let from = past.len().saturating_sub(KEPT);
    let line = |p: &Promotion| serde_json::to_string(p).expect("a promotion has only string keys") + "\n";
    folder.replace(PROMOTIONS, &past[from..].iter().map(line).collect::<String>())
}

fn read(folder: &ModelFolder) -> Result<Vec<Promotion>, RunError> {
    let path = folder.path.join(PROMOTIONS);
    match fs::read_to_string(&path) {
        Ok(text) => text.lines().map(|line| serde_json::from_str(line).map_err(|e| damaged(&path, e))).collect(),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(damaged(&path, e)),
    }
}

/// RFC 3339, UTC, to the second.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}Z", civil_datetime(since.as_secs() as i64 * 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, ModelFolder) {
        let place = tempfile::tempdir().unwrap();
        let folder = ModelFolder::of(place.path(), "m");
        fs::create_dir_all(folder.versions()).unwrap();
        (place, folder)
    }

    #[test]
    fn the_way_back_is_that_of_what_was_live() {
        let (_place, folder) = folder();
        assert_eq!(folder.before().unwrap(), None);
        for version in [1, 2, 3] {
            folder.set_live(version, How::Run).unwrap();
        }
        assert_eq!(folder.before().unwrap(), Some(2));
        folder.set_live(2, How::Rollback).unwrap();
        assert_eq!(folder.before().unwrap(), Some(1));
        folder.set_live(3, How::Promote).unwrap();
        assert_eq!(folder.before().unwrap(), Some(2));
        folder.set_live(2, How::Rollback).unwrap();
        folder.set_live(1, How::Rollback).unwrap();
        assert_eq!(folder.before().unwrap(), None);
        assert_eq!(folder.promotions().unwrap().len(), 7);
    }

    #[test]
    fn a_promotion_that_was_killed_on_its_way_did_not_happen() {
        let (_place, folder) = folder();
        folder.set_live(1, How::Run).unwrap();
        folder.set_live(2, How::Run).unwrap();
        note(&folder, 3, How::Run).unwrap();
        assert_eq!((folder.current().unwrap(), folder.before().unwrap()), (Some(2), Some(1)));
        folder.set_live(4, How::Run).unwrap();
        assert_eq!(folder.before().unwrap(), Some(2));
        // A rollback that was killed did not happen either.
        note(&folder, 2, How::Rollback).unwrap();
        assert_eq!((folder.current().unwrap(), folder.before().unwrap()), (Some(4), Some(2)));
    }

    #[test]
    fn what_is_written_by_hand_counts() {
        let (_place, folder) = folder();
        folder.set_live(1, How::Run).unwrap();
        folder.set_live(2, How::Run).unwrap();
        fs::write(folder.path.join("current"), "7").unwrap();
        assert_eq!(folder.before().unwrap(), Some(2));
        folder.set_live(8, How::Run).unwrap();
        assert_eq!(folder.before().unwrap(), Some(7));
        let hand: Vec<u64> =
            folder.promotions().unwrap().iter().filter(|p| p.how == How::Hand).map(|p| p.version).collect();
        assert_eq!(hand, [7]);
    }
}
