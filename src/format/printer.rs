use super::blocks::{Block, Blocks};
use super::spacing::is_spaced;
use crate::syntax::layout::Layout;
use crate::syntax::{Marks, RESERVED, Token, TokenKind};

/// Spaces of one level.
const INDENT: usize = 2;

/// One line of the output.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub indent: usize,
    pub text: String,
    pub comment: Option<String>,
    pub blank_before: bool,
    /// Of a column of a dataset: where its type begins in `text`.
    pub type_at: Option<usize>,
    /// The opener of the outermost one-line block of statements on it.
    pub block: Option<usize>,
}

impl Line {
    /// Of a column: its name with the colon.
    pub fn name(&self) -> Option<&str> {
        self.type_at.map(|at| self.text[..at].trim_end())
    }
}

/// The lines of a file.
pub(super) fn lines(layout: &Layout, marks: &Marks, blocks: &Blocks) -> Vec<Line> {
    let mut printer = Printer {
        layout,
        marks,
        blocks,
        done: Vec::new(),
        line: Line::default(),
        open: Vec::new(),
        previous: None,
        significant: None,
        line_ends: 0,
        separated: true,
        semicolon: false,
    };
    for (at, token) in layout.tokens.iter().enumerate() {
        match token.kind {
            TokenKind::LineEnd => {
                printer.line_ends += 1;
                printer.separated |= layout.is_separator(at);
            }
            TokenKind::Semicolon => {
                printer.semicolon = true;
                printer.separated = true;
            }
            TokenKind::Comma if printer.is_needless(at) => {}
            _ => printer.token(at, *token),
        }
    }
    if printer.previous.is_some() {
        printer.done.push(printer.line);
    }
    printer.done
}

struct Bracket {
    /// Of the line that it was opened on.
    indent: usize,
    block: Option<Block>,
}

struct Printer<'a> {
    layout: &'a Layout<'a>,
    marks: &'a Marks,
    blocks: &'a Blocks,
    done: Vec<Line>,
    line: Line,
    open: Vec<Bracket>,
    /// The last printed token.
    previous: Option<usize>,
    /// The last printed token that is no comment.
    significant: Option<usize>,
    /// Since the last printed token.
    line_ends: usize,
    /// A statement ended since the last significant token.
    separated: bool,
    /// A `;` stood since the last significant token.
    semicolon: bool,
}

impl Printer<'_> {
    fn token(&mut self, at: usize, token: Token) {
        let closes = token.kind == TokenKind::Close;
        let trailing = token.is_comment() && self.line_ends == 0 && self.previous.is_some();
        let breaks = !trailing && self.breaks_before(at);
        if self.semicolon && self.keeps_semicolon(at, breaks) {
            self.line.text.push(';');
            self.semicolon = false;
        }
        let bracket = if closes { self.open.pop() } else { None };
        if breaks {
            self.begin_line(at, bracket.as_ref());
        } else if !trailing && self.previous.is_some_and(|previous| is_spaced(self.layout, self.marks, previous, at)) {
            self.line.text.push(' ');
        }
        self.print(token);
        if token.kind == TokenKind::Open {
            let block = self.blocks.get(at);
            if block.is_some_and(|block| !block.open && !block.empty && block.statements) {
                self.line.block.get_or_insert(at);
            }
            self.open.push(Bracket { indent: self.line.indent, block });
        }
        self.previous = Some(at);
        self.line_ends = 0;
        if token.is_significant() {
            self.significant = Some(at);
            self.separated = false;
            self.semicolon = false;
        }
    }

    fn print(&mut self, token: Token) {
        let text = token.text(self.layout.text);
        if token.is_comment() {
            self.line.comment = Some(text.trim_end().to_owned());
            return;
        }
        self.line.text.push_str(text);
        let columns = self.open.last().and_then(|bracket| bracket.block).is_some_and(|block| block.columns);
        // The colon of the first column of a line.
        let first = self.line.text.len() == 1 + self.significant.map_or(0, |name| self.layout.text_of(name).len());
        if columns && text == ":" && first && self.line.type_at.is_none() {
            self.line.type_at = Some(self.line.text.len() + 1);
        }
    }

    fn breaks_before(&self, at: usize) -> bool {
        let Some(previous) = self.previous else { return true };
        let layout = self.layout;
        let token = layout.tokens[at];
        let block = self.open.last().and_then(|bracket| bracket.block);
        if block.is_some_and(|block| block.empty) {
            return false;
        }
        if self.line_ends > 0 {
            return true;
        }
        let Some(block) = block else { return self.semicolon && self.open.is_empty() };
        let begins = layout.tokens[previous].kind == TokenKind::Open;
        let ends = block.close == at;
        // `random_forest {…} ridge {…}` in a block that is opened.
        let after_block = layout.symbol(previous) == "}"
            && matches!(token.kind, TokenKind::Word | TokenKind::Backtick)
            && !RESERVED.contains(&layout.text_of(at));
        let entry = block.commas && (layout.tokens[previous].kind == TokenKind::Comma || after_block);
        block.open && (begins || ends || self.semicolon || block.was_one_line && entry)
    }

    /// The `;` between two statements of a one-line block, and one that keeps `-1` from going on with the line before.
    fn keeps_semicolon(&self, at: usize, breaks: bool) -> bool {
        let layout = self.layout;
        let Some(significant) = self.significant.filter(|significant| self.previous == Some(*significant)) else {
            return false;
        };
        let Some(next) = layout.next_significant(at) else { return false };
        if layout.tokens[significant].kind == TokenKind::Open || layout.tokens[next].kind == TokenKind::Close {
            return false;
        }
        // A line end alone would not separate these.
        let goes_on = layout.continues_after(significant)
            || layout.continues_before(Some(significant), next) && !self.is_else_arm(next);
        goes_on || !breaks && next == at
    }

    fn begin_line(&mut self, at: usize, closed: Option<&Bracket>) {
        let inside = |bracket: &Bracket| bracket.indent + INDENT;
        let indent = match (closed, self.open.last()) {
            (Some(bracket), _) => bracket.indent,
            (None, None) if self.begins_statement(at, None) => 0,
            (None, None) => INDENT,
            (None, Some(bracket)) if bracket.block.is_none() || self.begins_statement(at, bracket.block) => {
                inside(bracket)
            }
            (None, Some(bracket)) => inside(bracket) + INDENT,
        };
        let after_open = self.previous.is_some_and(|previous| self.layout.tokens[previous].kind == TokenKind::Open);
        let first = self.previous.is_none();
        let blank_before = self.line_ends > 1 && !first && !after_open && closed.is_none();
        let done = std::mem::replace(&mut self.line, Line { indent, blank_before, ..Line::default() });
        if !first {
            self.done.push(done);
        }
    }

    fn begins_statement(&self, at: usize, block: Option<Block>) -> bool {
        let Some(significant) = self.significant else { return true };
        let kind = self.layout.tokens[significant].kind;
        self.separated
            || kind == TokenKind::Open
            || kind == TokenKind::Comma && block.is_some_and(|block| block.commas)
            || block.is_some_and(|block| block.was_one_line)
            || self.is_else_arm(at)
    }

    /// The last arm of a `match`; a line end before `else` does not separate.
    fn is_else_arm(&self, at: usize) -> bool {
        let layout = self.layout;
        let word = layout.next_significant(at).filter(|word| layout.text_of(*word) == "else");
        let arrow = word.and_then(|word| layout.next_significant(word + 1));
        arrow.is_some_and(|arrow| layout.symbol(arrow) == "=>")
    }

    /// A comma right before the closer on the same line; semicolons there are not printed.
    fn is_needless(&self, at: usize) -> bool {
        let mut rest = self.layout.tokens.iter().enumerate().skip(at + 1);
        let next = rest.find(|(_, token)| token.kind != TokenKind::Semicolon);
        next.is_some_and(|(next, token)| token.kind == TokenKind::Close && !self.closes_opened_block(next))
            && self.significant.is_some_and(|before| self.layout.tokens[before].kind != TokenKind::Comma)
            && self.line_ends == 0
    }

    fn closes_opened_block(&self, close: usize) -> bool {
        self.open.last().and_then(|bracket| bracket.block).is_some_and(|block| block.open && block.close == close)
    }
}
