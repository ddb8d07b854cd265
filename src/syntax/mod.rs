//! Text to AST and trivia. Parsing never fails: what is wrong is in `Parsed::errors`, the rest is in `Parsed::ast`.

pub mod ast;
mod brackets;
mod layout;
mod lexer;
mod mistake;
mod parser;
mod token;

use dbjob_plan::FileId;
pub use token::{ITEM_KEYWORDS, RESERVED, Token, TokenKind};

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
    /// Names that broken statements and items seem to declare, so that their uses are not told as unknown.
    pub lost: Vec<ast::Ident>,
}

/// Reads a file. Never fails and never panics; the time is linear in the length of the text.
pub fn parse(file: FileId, text: &str) -> Parsed {
    parser::parse(file, text)
}
