//! The parser over a corpus, and what it says of broken text.

use dbjob::syntax::{Parsed, parse};
use dbjob_plan::FileId;

pub mod corpus;
mod expressions;
mod mistakes;
mod recovery;
mod tree;

pub fn read(text: &str) -> Parsed {
    parse(FileId(0), text)
}

/// `line:column-column code message`, one a line.
pub fn messages(text: &str) -> String {
    let parsed = read(text);
    let source = dbjob::source::SourceFile::new("x.dbjob", text);
    let mut out = String::new();
    for error in &parsed.errors {
        let (line, column) = source.position(error.span.start);
        let width = text[error.span.start as usize..error.span.end as usize].chars().count();
        out += &format!("{line}:{column}-{} {} {}\n", column + width, error.code, error.message);
    }
    out
}
