use std::path::Path;
use std::sync::Arc;

use dbjob_plan::{ItemKind, Plan, Span};

use super::files::read_source;
use super::world::LocalWorld;
use crate::diagnostic::{Code, Diagnostic, Problem, Severity};
#[cfg(feature = "local")]
use crate::hir;
use crate::hir::{Given, Item, ItemBody, SoundJob};
use crate::link::Program;
#[cfg(feature = "local")]
use crate::link::link;
use crate::lock::Datasets;
use crate::lower::lower;
use crate::source::{SourceFile, SourceMap};
#[cfg(feature = "local")]
use crate::syntax;
use crate::syntax::ast::{self, Ident, Text};
use crate::{Analysis, analyse};

/// A job that went through the compiler, as far as it got.
pub struct Front {
    /// In order of the text, errors and warnings together.
    pub problems: Vec<Problem>,
    /// What is taken unchecked, in order of the text.
    pub notes: Vec<Problem>,
    pub items: usize,
    /// There if nothing is wrong: no problem is an error.
    pub plan: Option<Plan>,
    /// There whenever the plan is.
    pub job: Option<SoundJob>,
    /// Its datasets, if they are to be locked and nothing is wrong with them; what is wrong with items that read them does
    /// not matter.
    #[cfg_attr(not(feature = "local"), expect(dead_code, reason = "only an engine looks into data"))]
    pub datasets: Option<Vec<Arc<Item>>>,
    /// What `dbjob.lock` says of its datasets.
    #[cfg_attr(not(feature = "local"), expect(dead_code, reason = "only a run meets other data"))]
    pub locked: Datasets,
}

impl Front {
    fn failed(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
            notes: Vec::new(),
            items: 0,
            plan: None,
            job: None,
            datasets: None,
            locked: Datasets::new(),
        }
    }
}

/// Values for the params of a job.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct ParamArgs {
    /// Give a param of the job a value: `--set since=2024-01-31`; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Give params the values of this profile of the job; `--set` wins over it
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

impl ParamArgs {
    /// As they were typed, to be typed again.
    #[cfg(feature = "local")]
    pub fn as_given(&self) -> Vec<String> {
        self.profile.iter().map(|name| format!("--profile {name}")).chain(self.set.iter().cloned()).collect()
    }

    /// Params as an earlier run had them.
    #[cfg(feature = "local")]
    pub fn again(given: &[String]) -> Self {
        let profile = given.iter().find_map(|text| text.strip_prefix("--profile ").map(str::to_owned));
        Self { set: given.iter().filter(|text| !text.starts_with("--profile ")).cloned().collect(), profile }
    }

    /// What was typed becomes a file of its own, so that messages can point into it.
    fn given(&self, sources: &mut SourceMap) -> Result<Given, Problem> {
        let mut given = Given::default();
        for text in &self.set {
            let Some((name, value)) = text.split_once('=') else {
                let problem = Problem::error(Code::E0105, format!("`--set {text}` gives no value"));
                return Err(problem.help(format!("write `--set {text}=VALUE`")));
            };
            let file = sources.add(SourceFile::new("--set", text.as_str()));
            let behind = name.len() + 1;
            let name = Ident { name: name.trim().to_owned(), span: Span::new(file, 0, name.len()) };
            given.set.push((name, Text { value: value.to_owned(), span: Span::new(file, behind, text.len()) }));
        }
        if let Some(name) = &self.profile {
            let file = sources.add(SourceFile::new("--profile", name.as_str()));
            given.profile = Some(Ident { name: name.clone(), span: Span::new(file, 0, name.len()) });
        }
        Ok(given)
    }
}

/// Why a job is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To say what it is.
    Look,
    /// To run it now: the environment is looked up.
    #[cfg_attr(not(feature = "local"), expect(dead_code, reason = "only an engine runs jobs"))]
    Run,
    /// To write down what its data are like now, whatever was written down before.
    Lock,
}

/// Reads, links, checks and lowers one job.
pub fn compile(path: &Path, params: &ParamArgs, purpose: Purpose, sources: &mut SourceMap) -> Front {
    match read_source(path) {
        Ok(file) => compile_source(file, params, purpose, sources),
        Err(problem) => Front::failed(problem),
    }
}

/// As `compile`, of a file that was read.
pub fn compile_source(file: SourceFile, params: &ParamArgs, purpose: Purpose, sources: &mut SourceMap) -> Front {
    let world = match LocalWorld::of(&file.path, purpose) {
        Ok(world) => world,
        Err(error) => return Front::failed(error.into()),
    };
    let file = sources.add(file);
    let given = match params.given(sources) {
        Ok(given) => given,
        Err(problem) => return Front::failed(problem),
    };
    let Analysis { program, checked, mut diagnostics } = analyse(file, sources, &given, &world);
    let datasets = (purpose == Purpose::Lock && has_sound_datasets(&program, &diagnostics)).then(|| {
        let is_dataset = |item: &&Arc<Item>| matches!(item.body, ItemBody::Table { kind: ItemKind::Dataset, .. });
        checked.job.items.iter().filter(is_dataset).cloned().collect()
    });
    let broken = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let sound: Option<SoundJob> = if broken { None } else { checked.sound() };
    let plan = sound.as_ref().map(lower);
    #[cfg(feature = "local")]
    diagnostics.extend(plan.iter().flat_map(unsupported));
    diagnostics.sort_by_key(|d| (d.span.file, d.span.start, d.span.end));
    let (notes, problems): (Vec<Problem>, Vec<Problem>) =
        diagnostics.into_iter().map(Problem::from).partition(|p| p.severity == Severity::Note);
    let plan = plan.filter(|_| problems.iter().all(|p| p.severity != Severity::Error));
    let items = program.ast.items.iter().filter(|item| item.span.file == file).count();
    Front { problems, notes, items, job: sound.filter(|_| plan.is_some()), plan, datasets, locked: world.locked }
}

/// Whether every error is in an item that only reads datasets, or what those give.
fn has_sound_datasets(program: &Program, diagnostics: &[Diagnostic]) -> bool {
    let reads = |kind: &ast::ItemKind| {
        use ast::ItemKind::{Deploy, Model, Module, Test, Transform};
        matches!(kind, Transform(_) | Model(_) | Deploy(_) | Module { .. } | Test { .. })
    };
    let inside = |span: Span| {
        let there = |item: &&Arc<ast::Item>| {
            item.span.file == span.file && (item.span.start..item.span.end).contains(&span.start)
        };
        program.ast.items.iter().find(there).is_some_and(|item| reads(&item.kind))
    };
    let mut errors = diagnostics.iter().filter(|d| d.severity == Severity::Error);
    errors.all(|d| inside(d.span)) && program.ast.broken.is_empty()
}

/// The cores that the job's cluster grants, without a look at data; problems are told by `compile`.
#[cfg(feature = "local")]
pub fn threads(path: &Path, params: &ParamArgs) -> Option<usize> {
    let mut sources = SourceMap::default();
    let world = LocalWorld::of(path, Purpose::Run).ok()?;
    let file = sources.add(read_source(path).ok()?);
    let given = params.given(&mut sources).ok()?;
    let parsed = syntax::parse(file, &sources.get(file).text);
    let program = link(parsed, &mut sources, &world);
    hir::threads(&program, &given, &world).and_then(|n| usize::try_from(n).ok())
}

/// What the engine of this machine cannot do, as errors of the job.
#[cfg(feature = "local")]
fn unsupported(plan: &Plan) -> Vec<Diagnostic> {
    let error = |u: dbjob_plan::Unsupported| {
        Diagnostic::error(Code::E0901, u.span, format!("not supported yet: {}", u.what))
            .label("not built yet")
            .help("this version checks it and does not run it: leave it out for now")
    };
    dbjob_plan::Backend::unsupported(&super::engine::engine(), plan).into_iter().map(error).collect()
}
