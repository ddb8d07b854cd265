//! The first pass: text to tokens, with the errors that a token shows by itself.

use dbjob_plan::{FileId, Span};

use super::token::{Token, TokenKind, ascii_twin};
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::name;

/// A raw piece as the grammar cut it.
pub(super) struct Piece {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

/// Sorts pieces into tokens. `pieces` are in order and do not overlap.
pub(super) fn tokens(file: FileId, text: &str, pieces: impl Iterator<Item = Piece>) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut tokens = Vec::new();
    let mut errors = Vec::new();
    for Piece { mut kind, start, end } in pieces {
        let written = &text[start..end];
        let mut token = |kind, start: usize, end: usize| {
            let token = Token { kind, start: start as u32, end: end as u32 };
            tokens.push(token);
            token
        };
        match kind {
            TokenKind::Symbol => kind = symbol_kind(written),
            TokenKind::Wrong => {
                if let Some(twin) = ascii_twin(written) {
                    if twin == " " {
                        errors.push(special_space(Span::new(file, start, end), written));
                        continue;
                    }
                    kind = symbol_kind(twin);
                    errors.push(look_alike(token(kind, start, end).span(file), written, twin));
                    continue;
                }
            }
            TokenKind::WrongString => {
                let error = Diagnostic::error(
                    Code::E0001,
                    token(kind, start, end).span(file),
                    "a string is written in double quotes",
                )
                .label("other quotes")
                .help(format!("write `\"{}\"`; a column is a plain name, without quotes", unquoted(written)))
                .fix(Fix::write(Span::new(file, start, end), name::quoted(unquoted(written))));
                errors.push(error);
                continue;
            }
            TokenKind::OpenString => {
                // Brackets at the end of the line are code: `csv("a.csv) {`.
                let string = written.trim_end_matches([')', ']', '}', '{', ',', ';', ' ', '\t']);
                let end = start + string.len();
                // A lone quote opens nothing.
                let kind = if string.len() < 2 { TokenKind::Wrong } else { kind };
                let error = Diagnostic::error(
                    Code::E0003,
                    token(kind, start, end).span(file),
                    "this string is not closed on its line",
                )
                .label("opened here")
                .help("write `\"` at its end; a quote inside it is `\\\"`, a line end `\\n`");
                errors.push(error);
                for (offset, bracket) in written[string.len()..].char_indices().filter(|(_, c)| !c.is_whitespace()) {
                    let at = end + offset;
                    token(symbol_kind(&bracket.to_string()), at, at + 1);
                }
                continue;
            }
            _ => {}
        }
        token(kind, start, end);
    }
    (tokens, errors)
}

fn unquoted(written: &str) -> &str {
    written.trim_matches(['\'', '“', '”', '„', '«', '»', '"'])
}

fn symbol_kind(symbol: &str) -> TokenKind {
    match symbol {
        "(" | "[" | "{" => TokenKind::Open,
        ")" | "]" | "}" => TokenKind::Close,
        "," => TokenKind::Comma,
        ";" => TokenKind::Semicolon,
        _ => TokenKind::Symbol,
    }
}

fn special_space(span: Span, written: &str) -> Diagnostic {
    let code = written.chars().map(|c| format!("U+{:04X}", c as u32)).collect::<String>();
    Diagnostic::error(Code::E0001, span, format!("a special space ({code}) stands here"))
        .label("not a plain space")
        .help("write a plain space")
        .fix(Fix::write(span, " "))
}

fn look_alike(span: Span, written: &str, twin: &str) -> Diagnostic {
    Diagnostic::error(Code::E0001, span, format!("`{written}` is not `{twin}`"))
        .label("a look-alike")
        .help(format!("write the ASCII character `{twin}`"))
        .fix(Fix::write(span, twin))
}
