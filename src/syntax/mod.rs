//! Text to AST and trivia. Parsing never fails: what is wrong is in `Parsed::errors`, the rest is in `Parsed::ast`.

pub mod ast;
mod brackets;
pub(crate) mod layout;
mod lexer;
mod mistake;
mod parser;
mod token;
mod visit;

use std::collections::HashSet;

use dbjob_plan::{FileId, Value};
pub use token::{ITEM_KEYWORDS, RESERVED, Token, TokenKind};
pub use visit::Parts;

use crate::diagnostic::Diagnostic;

/// A file that was read. Invariant: when `errors` is empty, `ast` holds every statement of the text.
#[derive(Debug, Clone)]
pub struct Parsed {
    pub ast: ast::File,
    /// In the order of the text. One broken statement has one error.
    pub errors: Vec<Diagnostic>,
    /// All of the text but spaces, tabs and lone carriage returns; comments too.
    pub tokens: Vec<Token>,
    /// The text that was read; spans and tokens point into it.
    pub text: String,
    pub(crate) marks: Marks,
}

/// What the tokens alone do not tell a printer. All by the first byte of a token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    /// Signs before an operand.
    pub signs: HashSet<u32>,
    /// Opening brackets that belong to the name before them.
    pub calls: HashSet<u32>,
    /// Tokens of `*_log` that are not the first.
    pub glued: HashSet<u32>,
    /// First and last byte of what no rule of the grammar has read, because its verb is unknown; in order.
    pub unread: Vec<(u32, u32)>,
}

/// Whether a text is a date or datetime but for its `@`.
pub fn is_date(text: &str) -> bool {
    parser::is_date(text)
}

/// Reads a file. Never fails and never panics; the time is linear in the length of the text.
pub fn parse(file: FileId, text: &str) -> Parsed {
    parser::parse(file, text)
}

/// Reads a constant that stands alone: a literal, a negated one, or a list of them. `None` for anything else.
pub fn constant(text: &str) -> Option<Value> {
    let statement = format!("param x: int = {text}");
    let parsed = parse(FileId::default(), &statement);
    match &parsed.ast.items.iter().map(|item| &item.kind).collect::<Vec<_>>()[..] {
        [ast::ItemKind::Param { value: Some(value), .. }] if parsed.errors.is_empty() => value.constant(),
        _ => None,
    }
}
