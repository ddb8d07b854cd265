//! The second pass: brackets, items, and which line ends end a statement.

use std::ops::Range;

use dbjob_plan::{FileId, Span};

use super::brackets::{Problem, bracket, closer_of, match_brackets};
use super::token::{ITEM_KEYWORDS, RESERVED, Token, TokenKind, ascii_twin};
use crate::diagnostic::{Code, Diagnostic};

/// Tokens with their structure. Token ranges are half-open ranges of indices into `tokens`.
pub(crate) struct Layout<'t> {
    pub file: FileId,
    pub text: &'t str,
    pub tokens: &'t [Token],
    /// The text for the statement parser, byte for byte as long: comments and line ends that do not end a statement are
    /// spaces, and look-alikes of symbols are the symbols.
    pub masked: String,
    /// For an opening bracket, the index where its content ends: of its closer, or of the token before which an
    /// unclosed brace was noticed. `None` for other tokens and for unclosed `(` and `[`, which then open nothing.
    content_end: Vec<Option<usize>>,
    /// For a line end: it separates statements or entries.
    separates: Vec<bool>,
    /// Brackets without a partner. A statement that holds one is not parsed: its error has been told.
    broken: Vec<bool>,
    pub errors: Vec<Diagnostic>,
}

impl<'t> Layout<'t> {
    pub fn new(file: FileId, text: &'t str, tokens: &'t [Token]) -> Self {
        let mut layout = Self {
            file,
            text,
            tokens,
            masked: String::new(),
            content_end: vec![None; tokens.len()],
            separates: vec![false; tokens.len()],
            broken: vec![false; tokens.len()],
            errors: Vec::new(),
        };
        let mut start = 0;
        for at in 1..=tokens.len() {
            if at == tokens.len() || layout.starts_item(at) {
                layout.match_region(start..at);
                start = at;
            }
        }
        layout.classify_line_ends();
        layout.mask();
        layout
    }

    pub fn is_separator(&self, at: usize) -> bool {
        self.separates[at]
    }

    pub fn content_end(&self, open: usize) -> Option<usize> {
        self.content_end[open]
    }

    pub fn is_broken(&self, range: Range<usize>) -> bool {
        self.broken[range].iter().any(|broken| *broken)
    }

    pub fn text_of(&self, at: usize) -> &'t str {
        self.tokens[at].text(self.text)
    }

    /// The symbol or word at `at` as ASCII; "" past the end.
    pub fn symbol(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| ascii_twin(token.text(self.text)).unwrap_or(token.text(self.text)))
    }

    /// A word that takes the place of what stands at a span, with spaces where it would touch another.
    pub fn as_word(&self, span: Span, word: &str) -> String {
        let touches = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '`');
        if !touches(word.chars().next()) {
            return word.to_owned();
        }
        let before = if touches(self.text[..span.start as usize].chars().next_back()) { " " } else { "" };
        let after = if touches(self.text[span.end as usize..].chars().next()) { " " } else { "" };
        format!("{before}{word}{after}")
    }

    pub fn span(&self, range: Range<usize>) -> Span {
        self.tokens[range.start].span(self.file).to(self.tokens[range.end - 1].span(self.file))
    }

    /// The statements or entries of a token range, each without line ends and comments at its edges.
    pub fn split(&self, range: Range<usize>, commas: bool) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut first, mut last) = (None, 0);
        let mut at = range.start;
        while at < range.end {
            let token = self.tokens[at];
            let ends = match token.kind {
                TokenKind::LineEnd => self.separates[at],
                TokenKind::Semicolon => true,
                TokenKind::Comma => commas,
                _ => false,
            };
            if ends {
                parts.extend(first.take().map(|first| first..last + 1));
            } else if token.is_significant() {
                first.get_or_insert(at);
                last = at;
                if let Some(end) = self.content_end[at].filter(|end| *end <= range.end) {
                    let closed = end < range.end && self.tokens[end].kind == TokenKind::Close;
                    last = if closed { end } else { self.last_significant(at..end) };
                    if !closed {
                        // An unclosed brace: its statement ends with its content.
                        parts.extend(first.take().map(|first| first..last + 1));
                    }
                    at = if closed { end + 1 } else { end.max(at + 1) };
                    continue;
                }
            }
            at += 1;
        }
        parts.extend(first.map(|first| first..last + 1));
        parts
    }

    pub fn last_significant(&self, range: Range<usize>) -> usize {
        range.clone().rev().find(|at| self.tokens[*at].is_significant()).unwrap_or(range.start)
    }

    pub fn previous_significant(&self, at: usize) -> Option<usize> {
        (0..at).rev().find(|at| self.tokens[*at].is_significant())
    }

    pub fn next_significant(&self, at: usize) -> Option<usize> {
        (at..self.tokens.len()).find(|at| self.tokens[*at].is_significant())
    }

    /// In column 1 an item keyword, a space and a name.
    pub fn starts_item(&self, at: usize) -> bool {
        let token = self.tokens[at];
        let start = token.start as usize;
        let column_one = start == 0 || self.text.as_bytes()[start - 1] == b'\n';
        if !column_one || token.kind != TokenKind::Word || !ITEM_KEYWORDS.contains(&self.text_of(at)) {
            return false;
        }
        let Some(name) = self.tokens.get(at + 1) else { return false };
        let named = name.kind == TokenKind::Backtick
            || name.kind == TokenKind::Word && !RESERVED.contains(&name.text(self.text));
        // `test from @2024-01-01` is a part of a split.
        let part = self.text_of(at) == "test" && self.symbol(at + 2) != "{";
        named && name.start > token.end && !part
    }

    fn match_region(&mut self, region: Range<usize>) {
        let found = match_brackets(self.text, self.tokens, region.clone());
        for (open, close) in found.pairs {
            self.content_end[open] = Some(close);
        }
        let is_line_end = |at: &usize| self.tokens[*at].kind == TokenKind::LineEnd;
        let line_ends: Vec<usize> = region.clone().filter(is_line_end).collect();
        let mut told_braces = None;
        let mut told_line = usize::MAX;
        let mut told_stray = usize::MAX;
        for problem in found.problems {
            match problem {
                Problem::Unclosed { open, noticed } => {
                    self.broken[open] = true;
                    let line = line_ends.partition_point(|line_end| *line_end < open);
                    let told = if bracket(self.tokens[open], self.text) == "{" {
                        self.content_end[open] = Some(noticed);
                        // Several that were noticed at one place have one cause: the innermost.
                        told_braces.replace(noticed) == Some(noticed)
                    } else {
                        std::mem::replace(&mut told_line, line) == line
                    };
                    if !told {
                        self.errors.push(self.unclosed(open, noticed));
                    }
                }
                Problem::Stray { close } => {
                    self.broken[close] = true;
                    let symbol = bracket(self.tokens[close], self.text);
                    let line = line_ends.partition_point(|line_end| *line_end < close);
                    if symbol != "}" && std::mem::replace(&mut told_stray, line) == line {
                        continue;
                    }
                    self.errors.push(
                        Diagnostic::error(
                            Code::E0001,
                            self.tokens[close].span(self.file),
                            format!("this `{symbol}` closes nothing"),
                        )
                        .label("nothing is open here")
                        .help(format!("remove the `{symbol}`, or open the bracket that it should close")),
                    );
                }
            }
        }
    }

    /// Columns before the first token of a token's line.
    pub fn indent(&self, at: usize) -> usize {
        let start = self.tokens[at].start as usize;
        let line = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        self.text[line..].len() - self.text[line..].trim_start_matches([' ', '\t']).len()
    }

    fn unclosed(&self, open: usize, noticed: usize) -> Diagnostic {
        let symbol = bracket(self.tokens[open], self.text);
        let closer = closer_of(symbol);
        let error = Diagnostic::error(
            Code::E0002,
            self.tokens[open].span(self.file),
            format!("this `{symbol}` is never closed"),
        )
        .label("opened here")
        .help(format!("write `{closer}` where it ends"));
        match self.tokens.get(noticed) {
            _ if closer != "}" => error,
            Some(token) => error.related(token.span(self.file), format!("a `{closer}` is missing before this")),
            None => error.related(
                Span::new(self.file, self.text.len(), self.text.len()),
                format!("the file ends without `{closer}`"),
            ),
        }
    }

    fn classify_line_ends(&mut self) {
        let next_significant = {
            let mut next = vec![self.tokens.len(); self.tokens.len()];
            let mut seen = self.tokens.len();
            for at in (0..self.tokens.len()).rev() {
                next[at] = seen;
                if self.tokens[at].is_significant() {
                    seen = at;
                }
            }
            next
        };
        let mut open: Vec<(bool, usize)> = Vec::new();
        let mut previous = None;
        for (at, token) in self.tokens.iter().enumerate() {
            while open.last().is_some_and(|(_, end)| *end <= at) {
                open.pop();
            }
            if let Some(end) = self.content_end[at] {
                open.push((bracket(*token, self.text) == "{", end));
            }
            if token.is_significant() {
                previous = Some(at);
            }
            if token.kind == TokenKind::LineEnd {
                let next = next_significant[at];
                let in_block = open.last().is_none_or(|(brace, _)| *brace);
                let item = next < self.tokens.len() && self.starts_item(next);
                self.separates[at] = in_block
                    && (item
                        || !(previous.is_some_and(|previous| self.continues_after(previous))
                            || self.continues_before(previous, next)));
            }
        }
    }

    /// A statement that has this token last goes on in the next line.
    pub fn continues_after(&self, at: usize) -> bool {
        match self.tokens[at].kind {
            TokenKind::Comma => true,
            TokenKind::Word => matches!(self.text_of(at), "and" | "or" | "not" | "in" | "is" | "then" | "else"),
            _ => is_operator(self.symbol(at)) && !self.is_name_pattern(at),
        }
    }

    /// A line that has this token first goes on with the statement before it.
    pub fn continues_before(&self, previous: Option<usize>, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else { return false };
        match token.kind {
            TokenKind::Word => match self.text_of(at) {
                "and" | "or" | "in" | "is" | "then" | "else" => true,
                "not" => self.symbol(at + 1) == "in",
                _ => false,
            },
            // After a block, `//` at the start of a line is a comment of another language.
            _ if self.symbol(at) == "//" => previous
                .is_some_and(|previous| self.tokens[previous].kind != TokenKind::Open && self.symbol(previous) != "}"),
            _ => is_operator(self.symbol(at)),
        }
    }

    /// The `*` of `as *_log` or `as log_*`.
    fn is_name_pattern(&self, at: usize) -> bool {
        if self.symbol(at) != "*" {
            return false;
        }
        let before = |at: usize| self.previous_significant(at);
        let Some(word) = before(at) else { return false };
        let touches = self.tokens[word].end == self.tokens[at].start;
        self.text_of(word) == "as" || touches && before(word).is_some_and(|at| self.text_of(at) == "as")
    }

    fn mask(&mut self) {
        let mut masked = String::with_capacity(self.text.len());
        let blank = |masked: &mut String, count| masked.extend(std::iter::repeat_n(' ', count));
        for (at, token) in self.tokens.iter().enumerate() {
            let gap = token.start as usize - masked.len();
            blank(&mut masked, gap);
            let written = token.text(self.text);
            match token.kind {
                TokenKind::Comment | TokenKind::DocComment => blank(&mut masked, written.len()),
                TokenKind::LineEnd => {
                    blank(&mut masked, written.len() - 1);
                    masked.push(if self.separates[at] { '\n' } else { ' ' });
                }
                TokenKind::WrongString | TokenKind::OpenString => {
                    let quotes = |c: char| matches!(c, '\'' | '“' | '”' | '„' | '«' | '»' | '"');
                    let inner = written.strip_prefix(quotes).unwrap_or(written);
                    let inner = inner.strip_suffix(quotes).unwrap_or(inner);
                    let inner: String = inner.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
                    // An open string has one quote only: its last character gives way.
                    let room = written.len() - 2;
                    let inner = &inner[..inner.floor_char_boundary(room)];
                    masked.push('"');
                    masked.push_str(inner);
                    masked.push('"');
                    blank(&mut masked, room - inner.len());
                }
                // A lone quote must not find a partner behind a comment that is blank now.
                TokenKind::Wrong if matches!(written, "`" | "\"" | "'") => masked.push('\u{1}'),
                _ => {
                    let symbol = ascii_twin(written).unwrap_or(written);
                    masked.push_str(symbol);
                    blank(&mut masked, written.len() - symbol.len());
                }
            }
        }
        let gap = self.text.len() - masked.len();
        blank(&mut masked, gap);
        self.masked = masked;
    }
}

/// What goes on over a line end, before and after it.
pub(super) fn is_operator(symbol: &str) -> bool {
    matches!(
        symbol,
        "=" | "=>"
            | "=="
            | "!="
            | "<"
            | "<="
            | ">"
            | ">="
            | "??"
            | "+"
            | "-"
            | "*"
            | "/"
            | "//"
            | "%"
            | "**"
            | "&&"
            | "||"
            | "&"
            | "|"
    )
}
