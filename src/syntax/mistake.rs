//! What the words of a statement show when it cannot be read.

use std::ops::Range;

use super::layout::Layout;
use super::token::{RESERVED, TokenKind};

const VERBS: [&str; 37] = [
    "filter", "derive", "select", "drop", "rename", "join", "left", "full", "semi", "anti", "cross", "asof", "group",
    "window", "sort", "take", "distinct", "sample", "union", "pivot", "unpivot", "explode", "split", "map", "unmap",
    "predict", "expect", "extern", "input", "output", "fit", "tune", "refit", "evaluate", "require", "to", "accept",
];

const TYPES: [&str; 11] =
    ["int", "float", "decimal", "bool", "string", "date", "datetime", "duration", "category", "list", "vector"];

/// Begins a statement of some block.
pub(super) fn is_verb(word: &str) -> bool {
    VERBS.contains(&word)
}

pub(super) fn is_type(word: &str) -> bool {
    TYPES.contains(&word)
}

/// Needs no backticks.
pub(super) fn is_plain_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
        && !RESERVED.contains(&name)
}

/// The first token at which brackets, `if` and `match` nest deeper than `deepest`.
pub(super) fn too_deep(layout: &Layout, range: Range<usize>, deepest: usize) -> Option<usize> {
    // For each open bracket, how many `if` and `match` wait inside it before the next separator.
    let mut waiting = vec![0usize];
    let mut total = 0;
    for at in range {
        let token = layout.tokens[at];
        match token.kind {
            TokenKind::Open => waiting.push(0),
            TokenKind::Close if waiting.len() > 1 => total -= waiting.pop().unwrap_or(0),
            TokenKind::Comma | TokenKind::Semicolon => total -= reset(&mut waiting),
            TokenKind::LineEnd if layout.is_separator(at) => total -= reset(&mut waiting),
            TokenKind::Word => {
                let word = layout.text_of(at);
                let chained =
                    word == "if" && layout.previous_significant(at).is_some_and(|p| layout.text_of(p) == "else");
                if (word == "if" && !chained) || word == "match" {
                    *waiting.last_mut().expect("the outermost stays") += 1;
                    total += 1;
                }
            }
            _ => {}
        }
        if total + waiting.len() > deepest + 1 {
            return Some(at);
        }
    }
    None
}

fn reset(waiting: &mut [usize]) -> usize {
    std::mem::take(waiting.last_mut().expect("the outermost stays"))
}
