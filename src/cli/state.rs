//! The state directory of a job on the command line: where it is, and what its history says of a job.

use std::path::{Path, PathBuf};

use dbjob_plan::{Plan, RunError};
use dbjob_runtime::state::{History, STATE};
use dbjob_runtime::{Note, StepText, Texts};

use super::files::{parent, shown};
use super::front::{Front, ParamArgs};
use crate::source::SourceMap;

#[derive(clap::Args, Debug, Clone, Default)]
pub struct StateArgs {
    /// The folder that keeps results and the history of runs; if not given, `.dbjob` beside the job's file
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

impl StateArgs {
    pub fn folder(&self, file: &Path) -> PathBuf {
        folder(self.state.as_deref(), Some(file))
    }
}

/// The state directory that is named, else that beside a job's file, else that of the current folder.
pub fn folder(state: Option<&Path>, file: Option<&Path>) -> PathBuf {
    match (state, file) {
        (Some(state), _) => state.to_owned(),
        (None, Some(file)) => parent(file).join(STATE),
        (None, None) => PathBuf::from(STATE),
    }
}

/// How a job's runs are known again: by the name of its file.
pub fn file_name(file: &Path) -> String {
    file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// What the history says of a job besides its plan.
pub fn note(file: &Path, params: &ParamArgs, front: &Front, plan: &Plan, sources: &SourceMap) -> Note {
    let steps = plan.graph.node_indices().map(|id| {
        let span = plan.node(id).span;
        let source = sources.get(span.file);
        let (line, _) = source.position(span.start);
        // One line is enough to know a step by; how it is laid out does not matter.
        let text = sources.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
        let file = shown(&source.path);
        (
            id,
            StepText {
                file,
                line: u32::try_from(line).unwrap_or(u32::MAX),
                text: cut(&dbjob_plan::passwords_as_stars(text)),
            },
        )
    });
    Note {
        file: file_name(file),
        params: params.as_given(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        texts: Texts {
            steps: steps.collect(),
            params: front.job.iter().flat_map(|job| job.params.iter().cloned()).collect(),
        },
    }
}

/// So much of a step is shown.
const SHOWN: usize = 100;

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_owned(),
    }
}

/// The history of a state directory.
///
/// Errors: E0753 when nothing has run there yet.
pub fn history(state: &Path) -> Result<History, RunError> {
    History::look(state).ok_or_else(|| {
        RunError::new("E0753", format!("there is no history of runs in {}", state.display()))
            .help("run the job first; with `--state DIR` another directory is read")
    })
}
