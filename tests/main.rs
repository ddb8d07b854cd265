//! All integration tests: one binary, one module a subject.

mod cli;
mod format;
mod syntax;
mod tidy;
mod ui;
mod words;
