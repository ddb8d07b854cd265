use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use dbjob_plan::{Schema, Span};

use super::table::Table;
use super::{Item, Job, items, job, lint, module};
use crate::diagnostic::{Diagnostic, Severity};
use crate::syntax::ast;
use crate::world::World;

/// A job and what is wrong with it. The job is complete only where there is no error.
#[derive(Debug, Clone)]
pub struct Checked {
    pub job: Job,
    /// In order of place.
    pub diagnostics: Vec<Diagnostic>,
}

/// A job without errors.
#[derive(Debug, Clone)]
pub struct SoundJob(Job);

impl std::ops::Deref for SoundJob {
    type Target = Job;

    fn deref(&self) -> &Job {
        &self.0
    }
}

impl Checked {
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }

    /// The job, if it may be lowered.
    pub fn sound(self) -> Option<SoundJob> {
        if self.has_errors() { None } else { Some(SoundJob(self.job)) }
    }
}

/// Resolves and types a job. `name` is the file's stem, for a job without a name of its own.
pub fn check(file: &ast::File, name: &str, world: &dyn World) -> Checked {
    let mut cx = Context {
        world,
        out: Vec::new(),
        items: Vec::new(),
        tables: HashMap::new(),
        models: HashMap::new(),
        names: BTreeMap::new(),
        next_map: 0,
        lost: Arc::new(file.lost.iter().map(|i| i.name.clone()).collect()),
        broken: file.broken.clone(),
    };
    let mut job = Job { name: name.to_owned(), ..Job::default() };
    job::settings(file, &mut job, &mut cx.out);
    items::check_all(file, &mut cx);
    job.modules = module::check_all(file, &mut cx);
    lint::check_all(&mut cx);
    job.items = cx.items;
    let mut diagnostics = cx.out;
    diagnostics.sort_by_key(|d| (d.span.file, d.span.start, d.span.end));
    diagnostics.dedup();
    diagnostics.retain(|d| {
        let before = file.told.partition_point(|told| told.start <= d.span.start);
        before == 0 || d.span.file != file.span.file || d.span.start >= file.told[before - 1].end
    });
    Checked { job, diagnostics }
}

/// What the rooms of the checker share while items are checked one after the other.
pub(super) struct Context<'a> {
    pub world: &'a dyn World,
    pub out: Vec<Diagnostic>,
    /// Finished ones, each behind those that it reads.
    pub items: Vec<Item>,
    /// The result of each finished dataset and transform; a broken one too.
    pub tables: HashMap<String, Table>,
    /// Each finished model; `None` if it is wrong.
    pub models: HashMap<String, Option<ModelFact>>,
    /// Every declared dataset, transform and model.
    pub names: BTreeMap<String, Declared>,
    /// The id of the next map link.
    pub next_map: u32,
    /// Names that broken statements would have declared.
    pub lost: Arc<BTreeSet<String>>,
    /// Where syntax errors are.
    pub broken: Vec<Span>,
}

impl Context<'_> {
    /// Whether a statement inside could not be parsed, so that what is missing was told already.
    pub fn is_broken(&self, item: Span) -> bool {
        self.broken.iter().any(|b| b.file == item.file && b.start >= item.start && b.start <= item.end)
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Declared {
    pub kind: &'static str,
    pub span: Span,
}

/// What `predict` and `deploy` need to know of a model.
#[derive(Debug, Clone)]
pub(super) struct ModelFact {
    /// The table that it learns from.
    pub input: String,
    pub inputs: Vec<dbjob_plan::Input>,
    pub output: dbjob_plan::Output,
    pub task: dbjob_plan::Task,
    pub request: Schema,
    pub boundary: Option<(Span, String)>,
    /// (the name that callers see, the column) of each request column that has two names.
    pub renames: Vec<(String, String)>,
    pub span: Span,
}
