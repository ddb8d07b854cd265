use std::path::Path;

use dbjob_plan::Plan;

use super::files::{parent, read_source};
use super::world::LocalWorld;
use crate::diagnostic::{Diagnostic, Problem, Severity};
use crate::hir::{self, SoundJob};
use crate::lower::lower;
use crate::source::{SourceFile, SourceMap};
use crate::syntax;

/// A job that went through the compiler, as far as it got.
pub struct Front {
    /// In order of the text, errors and warnings together.
    pub problems: Vec<Problem>,
    /// What is taken unchecked, in order of the text.
    pub notes: Vec<Problem>,
    pub items: usize,
    /// There if nothing is wrong: no problem is an error.
    pub plan: Option<Plan>,
}

/// Reads, parses, checks and lowers one file.
pub fn compile(path: &Path, sources: &mut SourceMap) -> Front {
    match read_source(path) {
        Ok(file) => compile_source(file, sources),
        Err(problem) => Front { problems: vec![problem], notes: Vec::new(), items: 0, plan: None },
    }
}

/// As `compile`, of a file that was read.
pub fn compile_source(file: SourceFile, sources: &mut SourceMap) -> Front {
    let path = file.path.clone();
    let file = sources.add(file);
    let parsed = syntax::parse(file, &sources.get(file).text);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let checked = hir::check(&parsed.ast, &stem, &LocalWorld { base: parent(&path) });
    let mut diagnostics: Vec<Diagnostic> = parsed.errors;
    diagnostics.extend(checked.diagnostics.iter().cloned());
    let broken = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let sound: Option<SoundJob> = if broken { None } else { checked.sound() };
    let plan = sound.map(|job| lower(&job));
    #[cfg(feature = "local")]
    diagnostics.extend(plan.iter().flat_map(unsupported));
    diagnostics.sort_by_key(|d| (d.span.file, d.span.start, d.span.end));
    let (notes, problems): (Vec<Problem>, Vec<Problem>) =
        diagnostics.into_iter().map(Problem::from).partition(|p| p.severity == Severity::Note);
    let plan = plan.filter(|_| problems.iter().all(|p| p.severity != Severity::Error));
    Front { problems, notes, items: parsed.ast.items.len(), plan }
}

/// What the engine of this machine cannot do, as errors of the job.
#[cfg(feature = "local")]
fn unsupported(plan: &Plan) -> Vec<Diagnostic> {
    use crate::diagnostic::Code;
    let error = |u: dbjob_plan::Unsupported| {
        Diagnostic::error(Code::E0901, plan.node(u.node).span, format!("not supported yet: {}", u.what))
    };
    dbjob_plan::Backend::unsupported(&super::engine::engine(), plan).into_iter().map(error).collect()
}
