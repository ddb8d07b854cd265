//! `dbjob clean`: removes results that are kept for later runs.

use std::path::PathBuf;

use dbjob_plan::{Cancel, RunError};
use dbjob_runtime::state::{Clean, History, Lock, cap, clean};

use super::state::folder;
use super::{Outcome, Output};
use crate::diagnostic::{Code, Problem};
use crate::source::SourceMap;

#[derive(clap::Args)]
pub struct Args {
    /// A .dbjob file, whose folder holds the state; if not given, this folder's
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The state directory itself
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    state: Option<PathBuf>,
    /// Remove every result; the history of runs stays
    #[arg(long)]
    all: bool,
    /// Remove what none of the last N runs has used
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    unused: Option<i64>,
    /// Remove what was not used for longest until this much is left: 500MB, 10GiB
    #[arg(long, value_name = "SIZE")]
    size: Option<String>,
    /// From now on every run keeps at most this much, `none` for all; without this option 20GiB
    #[arg(long, value_name = "SIZE")]
    cap: Option<String>,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let folder = folder(args.state.as_deref(), args.file.as_deref());
    let sizes = || -> Result<(Option<u64>, Option<Option<u64>>), Problem> {
        let size = args.size.as_deref().map(bytes).transpose()?;
        let cap = match args.cap.as_deref() {
            Some("none") => Some(None),
            Some(text) => Some(Some(bytes(text)?)),
            None => None,
        };
        Ok((size, cap))
    };
    let (size, new_cap) = match sizes() {
        Ok(sizes) => sizes,
        Err(problem) => {
            output.problem(problem);
            return Outcome::Wrong;
        }
    };
    match tidy(args, &folder, size, new_cap) {
        Ok(text) => {
            output.result(&text);
            Outcome::Fine
        }
        Err(error) => {
            output.problems(&[error.into()], &SourceMap::default());
            Outcome::Failed
        }
    }
}

fn tidy(
    args: &Args,
    folder: &std::path::Path,
    size: Option<u64>,
    new_cap: Option<Option<u64>>,
) -> Result<String, RunError> {
    if !folder.exists() {
        return Ok(format!("nothing is kept in {}\n", folder.display()));
    }
    let _lock = Lock::take(folder, false, &Cancel::default(), &mut |_| {})?;
    let (history, _) = History::open(folder)?;
    if let Some(cap) = new_cap {
        let text = cap.map_or_else(|| "none".to_owned(), |bytes| bytes.to_string());
        history.set("cap", Some(&text)).map_err(|e| RunError::new("E0751", e.to_string()))?;
    }
    let nothing_said = !args.all && args.unused.is_none() && size.is_none();
    let to_size = if nothing_said { cap(&history) } else { size };
    let what = Clean { all: args.all, unused_for: args.unused, to_size, spare: None, dry: args.dry_run };
    let done = clean(folder, &history, &what)?;
    let verb = if args.dry_run { "would remove" } else { "removed" };
    Ok(format!(
        "{verb} {} of {}, {} of {} {} left\n",
        results(done.removed),
        human(done.removed_bytes),
        results(done.left),
        human(done.left_bytes),
        if done.left == 1 { "is" } else { "are" },
    ))
}

fn results(n: usize) -> String {
    format!("{n} result{}", if n == 1 { "" } else { "s" })
}

/// `512MB`, `4GiB`, as the language writes sizes.
fn bytes(text: &str) -> Result<u64, Problem> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match &text[digits.len()..] {
        "B" | "" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => 0,
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(unit))
        .filter(|_| unit > 0)
        .ok_or_else(|| Problem::error(Code::E0105, format!("{text:?} is no size")).help("write 500MB or 10GiB"))
}

pub fn human(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} B"),
    }
}
