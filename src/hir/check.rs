use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dbjob_plan::{ClusterEngine, Outside, Schema, Span, Value};

use super::bind::{self, Binder};
use super::finished::Finished;
use super::functions::{self, Functions};
use super::lost::Lost;
use super::memory::Memory;
use super::params::{self, Given, Params};
use super::quarantine::{self, Quarantined};
use super::table::Table;
use super::{Job, cluster, deploy, items, job, lint, module, test};
use crate::diagnostic::{Code, Diagnostic, Severity, merge_uses};
use crate::link::Program;
use crate::syntax::{Parts, ast};
use crate::world::{Variable, World};

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
pub fn check(program: &Program, name: &str, given: &Given, world: &dyn World) -> Checked {
    check_again(program, name, given, world, &mut Memory::default())
}

/// As `check`, with what is known from the last time: only items that changed, and those that read them, are checked
/// anew. World and given values must be the same.
pub fn check_again(program: &Program, name: &str, given: &Given, world: &dyn World, memory: &mut Memory) -> Checked {
    let file = &program.ast;
    let mut cx = Context::new(program, given, world);
    cx.next_map = memory.next_map;
    cx.lost = memory.lost(file, cx.is_torn());
    let mut job = Job { name: name.to_owned(), ..Job::default() };
    job::settings(file, &mut job, &mut cx);
    job.params = cx.params.texts();
    functions::check_all(file, &mut cx);
    items::check_all(file, memory, &mut cx);
    memory.next_map = cx.next_map;
    job.clusters = cluster::check_all(file, &mut cx);
    job.modules = module::check_all(file, &mut cx);
    deploy::check_all(&mut cx);
    quarantine::check_all(&mut cx);
    job.tests = test::check_all(file, &mut cx);
    lint::check_all(&job.tests, &mut cx);
    job.modules.retain(|m| program.takes(m.position));
    job.items = cx.items.into_items();
    job.items.retain(|item| program.takes(item.position));
    let mut diagnostics = cx.out;
    diagnostics.sort_by_key(|d| program.place(d.span));
    diagnostics.dedup();
    cx.told.sort_unstable();
    diagnostics.retain(|d| !covered(&file.told, d.span) && !covered(&cx.told, d.span));
    merge_uses(&mut diagnostics);
    Checked { job, diagnostics }
}

/// The cores that the job's cluster grants on this machine. Nothing else is looked at, so it comes before any data.
pub fn threads(program: &Program, given: &Given, world: &dyn World) -> Option<u32> {
    let mut cx = Context::new(program, given, world);
    let mut job = Job::default();
    job::settings(&program.ast, &mut job, &mut cx);
    let name = job.cluster?.value;
    match cluster::check_all(&program.ast, &mut cx).into_iter().find(|c| c.name == name)?.engine {
        ClusterEngine::Local { threads, .. } => threads,
        _ => None,
    }
}

/// Whether a span begins in one of these, which are in order and apart from each other.
fn covered(told: &[Span], span: Span) -> bool {
    let before = told.partition_point(|t| (t.file, t.start) <= (span.file, span.start));
    before > 0 && told[before - 1].file == span.file && span.start < told[before - 1].end
}

/// What the rooms of the checker share while items are checked one after the other.
pub(super) struct Context<'a> {
    pub program: &'a Program,
    pub params: Params,
    pub functions: Functions,
    pub world: &'a dyn World,
    /// Where a param stands whose value is wrong: what follows from that is not told.
    pub told: Vec<Span>,
    pub out: Vec<Diagnostic>,
    /// Finished ones, each behind those that it reads.
    pub items: Finished,
    /// The result of each finished dataset and transform; a broken one too.
    pub tables: HashMap<String, Table>,
    /// Each finished model; `None` if it is wrong.
    pub models: HashMap<String, Option<ModelFact>>,
    /// Every declared dataset, transform and model.
    pub names: BTreeMap<String, Declared>,
    /// Where rejected rows go.
    pub quarantines: Vec<Quarantined>,
    /// The number of the next map link or copied column.
    pub next_map: u32,
    /// Names that broken statements would have declared.
    pub lost: Arc<Lost>,
    /// Where syntax errors are.
    pub broken: Vec<Span>,
}

/// A path or address, relative ones from the folder of the job's own file.
pub(super) struct Path {
    pub text: String,
    /// Only a run knows it; the text stands for it.
    pub later: bool,
    /// A secret, which nothing but an engine looks at; the text is empty.
    pub outside: Option<Outside>,
}

impl Path {
    fn known(text: String) -> Self {
        Self { text, later: false, outside: None }
    }
}

impl<'a> Context<'a> {
    fn new(program: &'a Program, given: &Given, world: &'a dyn World) -> Self {
        let mut out = Vec::new();
        Context {
            params: Params::of(program, given, world, &mut out),
            functions: Functions::default(),
            program,
            world,
            told: Vec::new(),
            out,
            items: Finished::default(),
            tables: HashMap::new(),
            models: HashMap::new(),
            names: BTreeMap::new(),
            quarantines: Vec::new(),
            next_map: 0,
            lost: Arc::new(Lost::of(&program.ast)),
            broken: program.ast.broken.clone(),
        }
    }
}

impl Context<'_> {
    /// A copy of a part of the tree with constants in place of params.
    pub fn bind<'t, T: Clone>(
        &mut self,
        tree: &'t T,
        parts: fn(&mut T) -> Parts<'_>,
        is_column: &dyn Fn(&str) -> bool,
    ) -> Cow<'t, T> {
        self.binder(is_column).bound(tree, parts)
    }

    pub fn binder<'b>(&'b mut self, is_column: &'b dyn Fn(&str) -> bool) -> Binder<'b> {
        Binder { program: self.program, params: &self.params, is_column, told: &mut self.told }
    }

    /// The path that an argument gives; what else it is is reported. `write` says what to write instead.
    pub fn path(&mut self, value: &ast::Expr, write: &str) -> Option<Path> {
        self.place(value, "a path", write).map(|path| match path.outside {
            None if !path.later => Path::known(self.program.path(value.span.file, &path.text)),
            _ => path,
        })
    }

    /// A text that may come from outside; `what` it is, in words.
    pub fn place(&mut self, value: &ast::Expr, what: &str, write: &str) -> Option<Path> {
        match (&value.kind, value.constant()) {
            (_, Some(Value::String(text))) if !text.is_empty() => Some(Path::known(text)),
            (ast::ExprKind::Call(call), _) if call.name.name == "env" && params::variable_name(call).is_some() => {
                match self.world.variable(params::variable_name(call).unwrap_or_default()) {
                    Variable::Later => Some(Path { text: bind::shown(call), later: true, outside: None }),
                    Variable::Set(text) if !text.is_empty() => Some(Path::known(text)),
                    Variable::Set(_) | Variable::Unset => {
                        self.out.push(params::unset(call));
                        None
                    }
                }
            }
            (ast::ExprKind::Call(call), _) if call.name.name == "secret" && params::variable_name(call).is_some() => {
                let name = params::variable_name(call).unwrap_or_default().to_owned();
                Some(Path { text: String::new(), later: true, outside: Some(Outside { name, secret: true }) })
            }
            _ => {
                let diagnostic = Diagnostic::error(Code::E0105, value.span, format!("{what} is a text in quotes"))
                    .label(format!("not {what}"))
                    .help(write);
                self.out.push(diagnostic);
                None
            }
        }
    }

    /// Whether it was told why there is no item of that name.
    pub fn excuses(&self, name: &str) -> bool {
        self.lost.note();
        self.program.ast.headless || self.lost.contains(name)
    }

    /// Whether steps or statements may be missing from items, for they stand where no item takes them.
    pub fn is_torn(&self) -> bool {
        self.lost.note();
        self.program.ast.headless || self.program.errors.iter().any(|d| d.code == Code::E0002)
    }

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
    /// Whether a predicted number has an interval.
    pub intervals: bool,
    pub request: Schema,
    pub boundary: Option<(Span, String)>,
    /// (the name that callers see, the column) of each request column that has two names.
    pub renames: Vec<(String, String)>,
    /// The folds of the table that it learns from, if its split has some.
    pub folds: Option<dbjob_plan::SplitFolds>,
    /// Whether the rows of that table are those that the split numbered.
    pub rows_known: bool,
    pub span: Span,
}
