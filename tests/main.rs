//! All integration tests: one binary, one module a subject.

mod format;
mod syntax;
mod ui;
