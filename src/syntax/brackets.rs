//! Which bracket closes which, and which are left over.

use std::ops::Range;

use super::token::{Token, TokenKind};

/// What is wrong with the brackets of a region, by token index.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Problem {
    /// `noticed`: the token where it became certain, or the end of the region.
    Unclosed {
        open: usize,
        noticed: usize,
    },
    Stray {
        close: usize,
    },
}

/// How many brackets are followed at most.
const DEEPEST: usize = 500;

#[derive(Debug, Default)]
pub(super) struct Matching {
    pub pairs: Vec<(usize, usize)>,
    pub problems: Vec<Problem>,
}

struct Open<'a> {
    index: usize,
    symbol: &'a str,
    /// Columns before the first token of its line.
    indent: usize,
    /// Nothing follows on its line: the opener of a block that is indented.
    last_on_line: bool,
}

/// Matches the brackets of one region. Where plain nesting does not work out, the indentation decides, if that explains
/// the text with no more problems.
pub(super) fn match_brackets(text: &str, tokens: &[Token], region: Range<usize>) -> Matching {
    let plain = Matcher::new(text, tokens, region.clone(), false).run();
    if plain.problems.is_empty() {
        return plain;
    }
    let guided = Matcher::new(text, tokens, region, true).run();
    if guided.problems.len() <= plain.problems.len() { guided } else { plain }
}

struct Matcher<'a> {
    text: &'a str,
    tokens: &'a [Token],
    region: Range<usize>,
    by_indentation: bool,
    stack: Vec<Open<'a>>,
    found: Matching,
}

impl<'a> Matcher<'a> {
    fn new(text: &'a str, tokens: &'a [Token], region: Range<usize>, by_indentation: bool) -> Self {
        Self { text, tokens, region, by_indentation, stack: Vec::new(), found: Matching::default() }
    }

    fn run(mut self) -> Matching {
        let mut indent = 0;
        let mut line_start = true;
        for at in self.region.clone() {
            let token = self.tokens[at];
            if token.kind == TokenKind::LineEnd {
                line_start = true;
                continue;
            }
            if token.is_comment() {
                continue;
            }
            let symbol = bracket(token, self.text);
            if line_start {
                indent = self.column(token);
                line_start = false;
                if self.by_indentation && self.dedent(at, symbol, indent) {
                    continue;
                }
            }
            match token.kind {
                // So deep is no program; unbounded, a closer would look through all of them.
                TokenKind::Open if self.stack.len() == DEEPEST => {
                    self.found.problems.push(Problem::Unclosed { open: at, noticed: self.region.end });
                }
                TokenKind::Open => {
                    let last_on_line =
                        self.tokens.get(at + 1).is_none_or(|next| next.kind == TokenKind::LineEnd || next.is_comment());
                    self.stack.push(Open { index: at, symbol, indent, last_on_line });
                }
                TokenKind::Close => self.close(at, symbol),
                _ => {}
            }
        }
        let end = self.region.end;
        self.pop_unclosed(0, end);
        self.found
    }

    fn column(&self, token: Token) -> usize {
        let start = token.start as usize;
        start - self.text[..start].rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn close(&mut self, at: usize, symbol: &str) {
        let opener = opener_of(symbol);
        match self.stack.iter().rposition(|open| open.symbol == opener) {
            Some(depth) => {
                self.pop_unclosed(depth + 1, at);
                let open = self.stack.pop().expect("rposition found it");
                self.found.pairs.push((open.index, at));
            }
            None => self.found.problems.push(Problem::Stray { close: at }),
        }
    }

    /// Lets the indentation of a line's first token close blocks. True: the token has been dealt with.
    fn dedent(&mut self, at: usize, symbol: &str, indent: usize) -> bool {
        let blocks = |open: &Open| open.symbol == "{" && open.last_on_line;
        if symbol == "}" {
            if let Some(depth) = self.stack.iter().rposition(|open| blocks(open) && open.indent == indent) {
                self.pop_unclosed(depth + 1, at);
                let open = self.stack.pop().expect("rposition found it");
                self.found.pairs.push((open.index, at));
                return true;
            }
            if self.stack.last().is_none_or(blocks) {
                self.found.problems.push(Problem::Stray { close: at });
                return true;
            }
            return false;
        }
        if let Some(depth) = self.stack.iter().position(|open| blocks(open) && open.indent >= indent) {
            self.pop_unclosed(depth, at);
        }
        false
    }

    /// Everything from `depth` of the stack on stays open.
    fn pop_unclosed(&mut self, depth: usize, noticed: usize) {
        for open in self.stack.drain(depth..).rev() {
            self.found.problems.push(Problem::Unclosed { open: open.index, noticed });
        }
    }
}

/// The ASCII form of a bracket token, or "".
pub(super) fn bracket(token: Token, text: &str) -> &str {
    if !matches!(token.kind, TokenKind::Open | TokenKind::Close) {
        return "";
    }
    let written = token.text(text);
    super::token::ascii_twin(written).unwrap_or(written)
}

pub(super) fn opener_of(close: &str) -> &'static str {
    match close {
        ")" => "(",
        "]" => "[",
        _ => "{",
    }
}

pub(super) fn closer_of(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}
