use std::collections::HashSet;

use crate::syntax::layout::Layout;
use crate::syntax::{ITEM_KEYWORDS, TokenKind};

/// What each brace of a file is, by the token index of its opener.
pub(super) struct Blocks {
    kinds: Vec<Option<Block>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    pub close: usize,
    /// Its statements stand on lines of their own.
    pub open: bool,
    /// It was on one line and is opened because that is too long.
    pub was_one_line: bool,
    /// Commas separate its entries.
    pub commas: bool,
    /// The columns of a dataset.
    pub columns: bool,
    /// No token is between the braces.
    pub empty: bool,
    /// Only braces are around it.
    pub statements: bool,
}

impl Blocks {
    /// `opened`: one-line blocks that are to be opened.
    pub fn new(layout: &Layout, opened: &HashSet<usize>) -> Self {
        let mut kinds = vec![None; layout.tokens.len()];
        let mut around: Vec<(usize, bool)> = Vec::new();
        let mut item = "";
        let mut statement_start = true;
        for (at, token) in layout.tokens.iter().enumerate() {
            while around.last().is_some_and(|(close, _)| *close <= at) {
                around.pop();
            }
            if around.is_empty() && token.is_significant() {
                if statement_start && ITEM_KEYWORDS.contains(&layout.text_of(at)) {
                    item = layout.text_of(at);
                }
                statement_start = token.kind == TokenKind::Semicolon;
            } else if around.is_empty() && token.kind == TokenKind::LineEnd {
                statement_start |= layout.is_separator(at);
            }
            let Some(close) = layout.content_end(at) else { continue };
            let brace = layout.symbol(at) == "{";
            if brace {
                let inside = &layout.tokens[at + 1..close];
                let many_lines = inside.iter().any(|token| token.kind == TokenKind::LineEnd);
                let body = around.is_empty();
                kinds[at] = Some(Block {
                    close,
                    open: many_lines || opened.contains(&at),
                    was_one_line: !many_lines,
                    commas: !(body && matches!(item, "transform" | "model" | "deploy" | "test")),
                    columns: body && item == "dataset",
                    empty: inside.iter().all(|token| matches!(token.kind, TokenKind::LineEnd | TokenKind::Semicolon)),
                    statements: around.iter().all(|(_, brace)| *brace),
                });
            }
            around.push((close, brace));
        }
        Self { kinds }
    }

    pub fn get(&self, open: usize) -> Option<Block> {
        self.kinds[open]
    }
}
