//! dbjob: a language, compiler and runtime for tabular machine-learning pipelines.
//!
//! text -> `syntax` (AST, never fails) -> `link` (the files that it uses) -> `hir` (resolved, typed job) -> `lower`
//! (a `dbjob_plan::Plan`) -> a backend. `catalog` says what exists, `diagnostic` what is wrong, `format` prints an AST
//! back, `lineage` says where columns come from and go to, `ide` checks a text while it is edited, `cli` is the command
//! line.

pub mod catalog;
pub mod cli;
pub mod diagnostic;
pub mod format;
pub mod hir;
pub mod ide;
pub mod lineage;
pub mod link;
pub mod lock;
pub mod lower;
mod name;
pub mod range;
pub mod source;
pub mod syntax;
pub mod synth;
pub mod world;

use diagnostic::{Diagnostic, Severity};
use source::SourceMap;
use world::World;

/// A job as far as it is understood before it is lowered.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// All files of the job in one tree.
    pub program: link::Program,
    /// The resolved job; complete only where nothing is wrong.
    pub checked: hir::Checked,
    /// What is wrong with text, uses and meaning, in order of file and place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and checks the job of `file`, with what it uses; those files are added to `sources`.
pub fn analyse(file: dbjob_plan::FileId, sources: &mut SourceMap, given: &hir::Given, world: &dyn World) -> Analysis {
    let parsed = syntax::parse(file, &sources.get(file).text);
    let program = link::link(parsed, sources, world);
    let stem = sources.path(file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let checked = hir::check(&program, &stem, given, world);
    let diagnostics = together(program.errors.iter().chain(&checked.diagnostics).cloned().collect());
    Analysis { program, checked, diagnostics }
}

/// What was found in text, uses and meaning, in order of file and place.
fn together(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|d| (d.span.file, d.span.start, d.span.end));
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        // What is wrong may be what needs it.
        diagnostics.retain(|d| !d.code.is_about_use());
    }
    diagnostics
}
