//! All integration tests: one binary, one module a subject.

mod cli;
mod docs;
mod format;
mod generate;
mod ide;
mod leakage;
mod lineage;
#[cfg(feature = "local")]
mod run;
mod syntax;
mod tidy;
mod ui;
mod words;
