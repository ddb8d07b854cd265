//! dbjob: a language, compiler and runtime for tabular machine-learning pipelines.
//!
//! text -> `syntax` (AST, never fails) -> `hir` (resolved, typed job) -> `lower` (a `dbjob_plan::Plan`) -> a backend.
//! `catalog` says what exists, `diagnostic` what is wrong, `format` prints an AST back, `lineage`
//! says where columns come from and go to, `cli` is the command line.

pub mod catalog;
pub mod cli;
pub mod diagnostic;
pub mod format;
pub mod hir;
pub mod lineage;
pub mod lower;
mod name;
pub mod source;
pub mod syntax;
pub mod world;
