use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::contract::ContractChange;
use crate::{
    CalibrationMethod, Checkpoints, Conformal, Confusion, ItemKind, Manifest, MetricValue, Plan, RequirementResult,
    Results, RowCounts, Schema, SliceMetric, Source, Span, Trial, Unfinished, Value, Watch,
};

/// Something that carries a plan out.
pub trait Backend: Send + Sync {
    /// What of the plan it cannot do; asked before anything runs.
    fn unsupported(&self, plan: &Plan) -> Vec<Unsupported>;

    /// Runs every node that a deployment or `cx.goal` needs. An error leaves no half-written output behind.
    fn run(&self, plan: &Plan, cx: &mut RunContext<'_>) -> Result<RunReport, RunError>;

    /// The table of an item, in memory: its visible columns, all rows. Deployments do nothing meanwhile.
    fn rows(&self, plan: &Plan, cx: &mut RunContext<'_>, item: &str) -> Result<Rows, RunError> {
        let _ = (plan, cx);
        Err(RunError::new("E0901", format!("not supported yet: the rows of `{item}` on this engine")))
    }

    /// The columns that a source has, with inferred types. Reads headers and leading rows only.
    fn infer(&self, source: &Source, base: &Path) -> Result<Schema, RunError>;

    /// The names of a source's columns where they stand at its begin or end; `None` where only its rows tell them.
    fn header(&self, source: &Source, base: &Path) -> Result<Option<Vec<String>>, RunError> {
        let _ = (source, base);
        Ok(None)
    }

    /// What a run would do with each item, without doing it. `cx.results` knows what earlier runs have left.
    fn outlook(&self, plan: &Plan, cx: &RunContext<'_>) -> Result<Vec<ItemOutlook>, RunError>;

    /// Name and version of what computes: another one may find other results.
    fn version(&self) -> String;

    /// Where the rows of a source are at this moment. Asks as little as it can: no rows, no contents of files.
    fn origin(&self, source: &Source, base: &Path) -> Result<Origin, RunError>;

    /// Brings the rows of a source that cannot be read in place into files of `folder`, with bounded memory, and gives the
    /// source that reads them: of a format of files, with the same columns. `wanted`: the columns that are read.
    fn fetch(&self, source: &Source, wanted: &Schema, cx: &FetchContext<'_>) -> Result<Source, RunError>;
}

/// What a run would do with an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemOutlook {
    pub item: String,
    pub kind: ItemKind,
    pub fate: Fate,
    /// The steps of it that hold a whole table in memory, and why; the others stream.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    /// How the requests that a deployed model takes differ from those of the version that is live.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contract: Vec<ContractChange>,
}

impl Fate {
    /// Whether a run does more than to read something back.
    pub fn runs(self) -> bool {
        matches!(self, Self::Computed | Self::Judged)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is computed; of a dataset: read.
    Computed,
    /// A model that was learned before is judged anew.
    Judged,
    /// A kept result is read back.
    ReadBack,
    /// What was written is still right.
    UpToDate,
    /// Nothing that is computed needs it.
    NotNeeded,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    #[serde(skip)]
    pub span: Span,
    /// `sort`, `window`: the step in a word.
    pub step: String,
    pub why: String,
}

/// What the rows of a source are made from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// The job itself.
    Job,
    /// Files of this machine that are read where they are.
    Files(Vec<PathBuf>),
    /// Files of this machine that must be unpacked first.
    Packed(Vec<PathBuf>),
    /// Elsewhere. `version` changes whenever the contents do; `None` where only reading tells.
    Remote { version: Option<String> },
}

/// What a fetch gets from outside.
pub struct FetchContext<'a> {
    /// The folder that relative paths of the job start from.
    pub base: &'a Path,
    /// An empty folder for the files.
    pub folder: &'a Path,
    pub cancel: &'a Cancel,
}

/// A table in memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    pub columns: Vec<String>,
    /// A value for each column.
    pub rows: Vec<Vec<Value>>,
}

#[derive(Debug, Clone)]
pub struct Unsupported {
    /// The step or setting that asks for it.
    pub span: Span,
    pub what: String,
}

/// What a run gets from outside.
pub struct RunContext<'a> {
    /// The folder that relative paths of the job start from.
    pub base: PathBuf,
    pub observer: &'a (dyn Fn(Event) + Sync),
    pub cancel: Cancel,
    /// Items to compute; empty: all.
    pub goal: Vec<String>,
    /// Cores to use.
    pub threads: usize,
    /// Where the engine says what bounds its work.
    pub watch: Watch,
    /// `None`: fits keep no checkpoints.
    pub checkpoints: Option<&'a dyn Checkpoints>,
    /// What earlier runs found, and who keeps what this one finds.
    pub results: Option<&'a dyn Results>,
    /// The folder that takes the place of all folders that the job writes to.
    pub outputs: Option<PathBuf>,
}

impl<'a> RunContext<'a> {
    /// Of all items, on one core.
    pub fn new(base: PathBuf, observer: &'a (dyn Fn(Event) + Sync)) -> Self {
        Self {
            base,
            observer,
            cancel: Cancel::default(),
            goal: Vec::new(),
            threads: 1,
            watch: Watch::default(),
            checkpoints: None,
            results: None,
            outputs: None,
        }
    }

    pub fn emit(&self, event: Event) {
        (self.observer)(event);
    }

    /// Where an output of the job goes on this machine.
    pub fn output(&self, path: &str) -> PathBuf {
        match &self.outputs {
            None => self.resolve(path),
            Some(folder) => {
                use std::path::Component;
                let inside = Path::new(path).components().filter_map(|part| match part {
                    Component::Normal(name) => Some(name.to_owned()),
                    Component::ParentDir => Some("__".into()),
                    _ => None,
                });
                folder.join(inside.collect::<PathBuf>())
            }
        }
    }

    /// The path of the job as a path of this machine; that of an object stays as it is.
    pub fn resolve(&self, path: &str) -> PathBuf {
        if crate::in_object_store(path) { path.into() } else { self.base.join(path) }
    }
}

/// How the names of files and folders begin that an engine writes before it renames them to an output: `.dbjob-`, the
/// machine, the process and `-`. In the folder of the output; what a stopped run leaves of them is known by it and removed.
pub fn temp_prefix() -> String {
    format!("{}{}-", machine_prefix(), std::process::id())
}

/// How [`temp_prefix`] begins in every process of this machine.
pub fn machine_prefix() -> &'static str {
    static PREFIX: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    PREFIX.get_or_init(|| {
        let name = std::fs::read("/proc/sys/kernel/hostname").unwrap_or_default();
        let hash = name.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
        format!("{TEMP_PREFIX}{hash:08x}-")
    })
}

/// How [`temp_prefix`] begins in every process.
pub const TEMP_PREFIX: &str = ".dbjob-";

/// Asks a run to stop; checked between nodes and in every round of an iterative fit.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a run tells while it goes; one JSON object a line with `--json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    RunStarted {
        job: String,
        items: usize,
        /// The cores that it may use.
        threads: usize,
    },
    ItemStarted {
        item: String,
        kind: ItemKind,
    },
    /// How far an item is that takes its time, about twice a second.
    Working {
        item: String,
        /// Rows that it has written or counted so far.
        #[serde(skip_serializing_if = "Option::is_none")]
        rows: Option<u64>,
        /// How many they were the last time.
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<u64>,
        /// Bytes of memory that the process has.
        #[serde(skip_serializing_if = "Option::is_none")]
        memory: Option<u64>,
    },
    /// An iterative fit's state after `done` of `total` rounds (epochs, trees, iterations).
    Progress {
        item: String,
        done: u64,
        total: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        loss: Option<f64>,
    },
    ItemFinished {
        item: String,
        kind: ItemKind,
        #[serde(skip_serializing_if = "Option::is_none")]
        rows: Option<u64>,
        seconds: f64,
    },
    /// The result of an earlier run serves: it is up to date where it was written, or was read back.
    ItemReused {
        item: String,
        kind: ItemKind,
        #[serde(skip_serializing_if = "Option::is_none")]
        rows: Option<u64>,
        /// Where it is, if it was written.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<PathBuf>,
    },
    /// Another run holds the state directory; this one waits.
    Waiting {
        #[serde(skip_serializing_if = "Option::is_none")]
        process: Option<u32>,
    },
    /// What an `expect` found; also when nothing failed.
    Expected {
        item: String,
        rule: String,
        failed: u64,
        action: String,
        /// The file that a quarantine wrote.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<String>,
    },
    /// What was tried before a model was fitted, the best first.
    Searched {
        item: String,
        search: SearchReport,
    },
    Evaluated {
        item: String,
        rows: RowCounts,
        metrics: Vec<(String, MetricValue)>,
        requirements: Vec<RequirementResult>,
        /// Of a classifier of few classes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        confusion: Option<Confusion>,
    },
    /// Something was written: `kind` is `model` or `table`.
    Written {
        item: String,
        kind: String,
        path: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<u64>,
        promoted: bool,
    },
    Warning {
        item: String,
        message: String,
    },
    /// What failed is tried again after a wait; `attempt` of `of` is the one that comes.
    Retried {
        item: String,
        attempt: u32,
        of: u32,
        /// Why it failed.
        message: String,
        /// Seconds.
        wait: f64,
    },
    RunFinished {
        ok: bool,
        seconds: f64,
    },
}

/// How a run ended that reached its end.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RunReport {
    pub models: Vec<ModelReport>,
    pub tables: Vec<TableReport>,
    pub seconds: f64,
}

impl RunReport {
    /// Whether every requirement of every model held, and none is kept back because it breaks callers.
    pub fn gates_held(&self) -> bool {
        self.models.iter().all(|m| m.breaks.is_empty() && m.requirements.iter().all(|r| r.held))
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelReport {
    pub model: String,
    pub algorithm: String,
    pub rows: RowCounts,
    pub metrics: Vec<(String, MetricValue)>,
    /// Of a classifier of few classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Confusion>,
    pub requirements: Vec<RequirementResult>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<SliceMetric>,
    /// What was tried, the best first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchReport>,
    /// From which probability of `true` on the answer is `true`, where it is not 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// How its probabilities are put right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationMethod>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conformal: Option<Conformal>,
    /// What the `time` of its module did not suffice for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<Unfinished>,
    /// Where its package is, if it was deployed.
    pub package: Option<PathBuf>,
    pub version: Option<u64>,
    pub promoted: bool,
    /// What of the version breaks callers of the live one; then it is kept and not promoted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<ContractChange>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchReport {
    pub metric: String,
    pub trials: Vec<Trial>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TableReport {
    pub item: String,
    pub rows: u64,
    pub path: Option<PathBuf>,
}

/// Why a run stopped. `code` is one of the `E07xx` of docs/errors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunError {
    pub code: String,
    pub message: String,
    pub help: Option<String>,
    /// The step or declaration in the job that the failure belongs to.
    #[serde(skip)]
    pub span: Option<Span>,
    pub data: Option<DataLocation>,
}

/// A place in data: file, row, column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DataLocation {
    pub file: Option<String>,
    /// 1-based, without the header: the first row of data is 1.
    pub row: Option<u64>,
    /// 1-based line of a text file.
    pub line: Option<u64>,
    pub column: Option<String>,
    /// The offending text or value.
    pub value: Option<String>,
}

impl RunError {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), help: None, span: None, data: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn data(mut self, data: DataLocation) -> Self {
        self.data = Some(data);
        self
    }

    /// Sets the span unless a more exact one is there.
    pub fn or_span(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for RunError {}

/// A stored model, ready to answer.
pub trait Predictor: Send + Sync {
    fn manifest(&self) -> &Manifest;

    /// Reads rows of the request schema (csv, parquet or ndjson by the file's ending), writes them with the prediction
    /// columns added, and gives their number. The output appears whole or not at all.
    fn predict_file(&self, input: &Path, output: &Path, prefix: &str) -> Result<u64, RunError>;
}
