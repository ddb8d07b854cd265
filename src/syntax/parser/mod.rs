//! The third pass: items and statements by the rules of grammar/dbjob.pest. `Rule` stays in here.

mod errors;
mod expr;
mod item;
mod literal;
mod model;
mod precedence;
mod step;
mod table;
mod usage;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use dbjob_plan::{FileId, Span};
use errors::Explained;
pub use literal::is_date;
use pest::Parser as _;
use pest::iterators::{Pair as PestPair, Pairs};

use super::ast::{self, Ident, Text};
use super::layout::Layout;
use super::lexer::{self, Piece};
use super::token::{Token, TokenKind};
use super::{Marks, Parsed, mistake};
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::name;

#[derive(pest_derive::Parser)]
#[grammar = "grammar/dbjob.pest"]
struct Grammar;

type Pair<'i> = PestPair<'i, Rule>;

/// Errors in one statement after which its reading is given up.
const MOST_RETRIES: usize = 20;

/// How deep brackets, `if` and `match` may nest: a bound on the stack that reading and checking take.
const DEEPEST: usize = 64;

pub fn parse(file: FileId, text: &str) -> Parsed {
    let pieces = Grammar::parse(Rule::tokens, text).map_or_else(|_| Vec::new(), pieces);
    let (tokens, lexical) = lexer::tokens(file, text, pieces.into_iter());
    let mut layout = Layout::new(file, text, &tokens);
    let structural = std::mem::take(&mut layout.errors);
    let mut reader = Reader {
        layout: &layout,
        base: 0,
        depth: 0,
        incomplete: false,
        next: None,
        skip: None,
        structural,
        errors: Vec::new(),
        lexical: lexical.into(),
        lost: Vec::new(),
        strays: Vec::new(),
        told: Vec::new(),
        marks: Marks::default(),
    };
    let items = reader.items();
    let Reader { mut errors, lexical, mut structural, strays, mut lost, told, marks, .. } = reader;
    let headless = !strays.is_empty();
    structural.retain(|error| !follows(error, &errors, &strays, text));
    lost.dedup_by(|a, b| a.name == b.name);
    errors.extend(lexical);
    errors.extend(structural);
    errors.sort_by_key(|error| error.span.start);
    let broken = errors.iter().map(|error| error.span).collect();
    let items = items.into_iter().map(Arc::new).collect();
    let span = Span::new(file, 0, text.len());
    let ast = ast::File { items, span, parts: Vec::new(), lost, headless, broken, told };
    Parsed { ast, errors, tokens, text: text.to_owned(), marks }
}

fn pieces(pairs: Pairs<'_, Rule>) -> Vec<Piece> {
    pairs
        .flat_map(Pair::into_inner)
        .filter_map(|pair| {
            let kind = match pair.as_rule() {
                Rule::line_end => TokenKind::LineEnd,
                Rule::comment => TokenKind::Comment,
                Rule::doc_comment => TokenKind::DocComment,
                Rule::string => TokenKind::String,
                Rule::backtick => TokenKind::Backtick,
                Rule::date => TokenKind::Date,
                Rule::number => TokenKind::Number,
                Rule::word => TokenKind::Word,
                Rule::symbol => TokenKind::Symbol,
                Rule::wrong_open_string => TokenKind::OpenString,
                Rule::wrong_single_quoted | Rule::wrong_curly_quoted => TokenKind::WrongString,
                Rule::EOI => return None,
                _ => TokenKind::Wrong,
            };
            let span = pair.as_span();
            Some(Piece { kind, start: span.start(), end: span.end() })
        })
        .collect()
}

/// Reads statements into the AST. Byte offsets of pairs are relative to `base`.
struct Reader<'a> {
    layout: &'a Layout<'a>,
    base: usize,
    /// Nesting of the expression that is being built.
    depth: usize,
    /// A part of the statement was broken and taken out.
    incomplete: bool,
    /// The token where the next statement begins, if the last one took it in by mistake.
    next: Option<usize>,
    /// The token where a statement begins that a told error covers.
    skip: Option<usize>,
    errors: Vec<Diagnostic>,
    /// Errors of the lexer that no statement has taken yet, in the order of the text.
    lexical: VecDeque<Diagnostic>,
    /// Errors of the layout.
    structural: Vec<Diagnostic>,
    lost: Vec<Ident>,
    /// Where statements stand outside of any item, in order.
    strays: Vec<Span>,
    /// As `ast::File::told`.
    told: Vec<Span>,
    marks: Marks,
}

impl<'a> Reader<'a> {
    /// Reads the tokens of `range` by `rule` and builds from the pairs inside. `None`: it is broken, and that is told.
    fn read<T>(
        &mut self,
        rule: Rule,
        range: Range<usize>,
        build: impl FnOnce(&mut Self, Pairs<'_, Rule>) -> Option<T>,
    ) -> Option<T> {
        let mark = self.errors.len();
        let span = self.layout.span(range.clone());
        self.take_lexical(span);
        let built = self.read_unfiltered(rule, range.clone(), build);
        self.keep_one_a_line(mark);
        self.cover(range, mark);
        built
    }

    /// Notes that the statement was told of by the errors since `mark`: all of it, or their lines if it has a block.
    fn cover(&mut self, range: Range<usize>, mark: usize) {
        let next = self.next.unwrap_or(range.end).clamp(range.start + 1, range.end);
        let whole = self.layout.span(range.start..next);
        let has_block = range.start < next && (range.start..next).any(|at| self.layout.symbol(at) == "{");
        for at in mark..self.errors.len() {
            // What the lexer found before the statement says nothing of it.
            if self.errors[at].span.start < whole.start {
                continue;
            }
            let mut told = whole;
            if has_block {
                let start = self.errors[at].span.start as usize;
                let text = self.layout.text;
                let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
                let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
                told.start = told.start.max(line_start as u32);
                told.end = told.end.min(line_end as u32);
            }
            if self.told.last() != Some(&told) {
                self.told.push(told);
            }
        }
    }

    fn read_unfiltered<T>(
        &mut self,
        rule: Rule,
        range: Range<usize>,
        build: impl FnOnce(&mut Self, Pairs<'_, Rule>) -> Option<T>,
    ) -> Option<T> {
        if self.layout.is_broken(range.clone()) || self.too_deep(range.clone()) {
            return None;
        }
        let span = self.layout.span(range.clone());
        self.base = span.start as usize;
        self.incomplete = false;
        let mut text = self.layout.masked[span.start as usize..span.end as usize].to_owned();
        for _ in 0..MOST_RETRIES {
            let error = match Grammar::parse(rule, &text) {
                Ok(mut pairs) => return build(self, pairs.next()?.into_inner()),
                Err(error) => error,
            };
            let at = self.base + errors::position(&error);
            let Explained { error, cut, next, skip } = self.explain(rule, range.clone(), at, &error, &text);
            self.errors.push(error);
            self.next = next.or(self.next);
            self.skip = skip;
            // What is broken inside is taken out, so that the rest of the statement is read.
            let cut = cut?;
            if next.is_none() {
                self.lost.extend(self.declared(cut.clone()));
            }
            let cut = cut.start - self.base..cut.end - self.base;
            if text[cut.clone()].trim_ascii().is_empty() {
                return None;
            }
            blank(&mut text, cut);
            self.incomplete = true;
        }
        None
    }

    /// Takes over what the lexer found in a statement. Statements are read in the order of the text.
    fn take_lexical(&mut self, span: Span) {
        while self.lexical.front().is_some_and(|error| error.span.start < span.end) {
            self.errors.extend(self.lexical.pop_front());
        }
    }

    /// Of the errors since `mark`, those that begin on one line have one cause: the first.
    fn keep_one_a_line(&mut self, mark: usize) {
        let mut told: Vec<Diagnostic> = self.errors.drain(mark..).collect();
        told.sort_by_key(|error| error.span.start);
        let text = self.layout.text.as_bytes();
        let mut last: Option<usize> = None;
        for error in told {
            let start = error.span.start as usize;
            let same_line = last.is_some_and(|last| !text[last..start].contains(&b'\n'));
            if !same_line {
                self.errors.push(error);
                last = Some(start);
            }
        }
    }

    /// The bytes of the innermost entry of a block that holds `at`, with the comma after it.
    fn broken_entry(&self, range: Range<usize>, at: usize) -> Option<Range<usize>> {
        let layout = self.layout;
        let mut found = None;
        let mut inside = range;
        loop {
            let start = |token: usize| layout.tokens[token].start as usize;
            let open = inside.clone().find(|token| {
                let end = layout.content_end(*token).filter(|end| *end < inside.end);
                end.is_some_and(|end| start(*token) < at && at <= start(end))
            });
            let Some(open) = open.filter(|open| layout.symbol(*open) == "{") else { return found };
            let head = inside.start..open;
            if head.clone().any(|token| layout.symbol(token) == "match") {
                return found;
            }
            let end = layout.content_end(open).expect("found by its content");
            let entries = layout.split(open + 1..end, true);
            let entry = entries.iter().rev().find(|entry| start(entry.start) <= at).cloned()?;
            let mut stop = layout.tokens[entry.end - 1].end as usize;
            let comma = (entry.end..end).find(|token| start(*token) == at && layout.symbol(*token) == ",");
            if let Some(comma) = comma {
                // A comma that no entry ends with.
                return Some(start(comma)..layout.tokens[comma].end as usize);
            }
            if layout.symbol(entry.end) == "," {
                stop = layout.tokens[entry.end].end as usize;
            }
            found = Some(start(entry.start)..stop);
            inside = entry;
        }
    }

    /// The names that broken text seems to declare. `bytes` are of the file.
    fn declared(&self, bytes: Range<usize>) -> Vec<Ident> {
        let tokens = self.layout.tokens;
        let first = tokens.partition_point(|token| (token.start as usize) < bytes.start);
        let inside = (first..tokens.len()).take_while(|at| (tokens[*at].end as usize) <= bytes.end);
        let signs = inside.filter(|at| *at > first && matches!(self.layout.symbol(*at), "=" | ":" | "=="));
        // The sign of the first may be what is missing.
        let names = std::iter::once(first).chain(signs.map(|sign| sign - 1)).filter_map(|at| tokens.get(at));
        let named = names.filter(|name| matches!(name.kind, TokenKind::Word | TokenKind::Backtick));
        named.map(|name| self.token_ident(*name)).collect()
    }

    fn token_ident(&self, token: Token) -> Ident {
        Ident { name: token.text(self.layout.text).trim_matches('`').to_owned(), span: token.span(self.layout.file) }
    }

    fn too_deep(&mut self, range: Range<usize>) -> bool {
        let Some(at) = mistake::too_deep(self.layout, range, DEEPEST) else { return false };
        let span = self.layout.tokens[at].span(self.layout.file);
        self.errors.push(
            Diagnostic::error(Code::E0001, span, "this is nested too deeply")
                .label(format!("more than {DEEPEST} levels"))
                .help("take a part out into a `derive` of its own"),
        );
        true
    }

    /// Calls `each` for every statement of a block; also for one that a statement before it took in.
    fn each_statement<T>(&mut self, body: Range<usize>, each: impl Fn(&mut Self, Range<usize>) -> Option<T>) -> Vec<T> {
        let mut read = Vec::new();
        let mut broken_at = None;
        for mut statement in self.layout.split(body, false) {
            // The further lines of a statement whose bracket is not closed.
            let indent = self.layout.indent(statement.start);
            if broken_at.is_some_and(|broken| indent > broken) {
                continue;
            }
            broken_at = self.layout.is_broken(statement.clone()).then_some(indent);
            if self.skip.take() == Some(statement.start) {
                continue;
            }
            loop {
                self.next = None;
                read.extend(each(self, statement.clone()));
                match self.next.take() {
                    Some(next) if next > statement.start => statement.start = next,
                    _ => break,
                }
            }
        }
        read
    }

    /// What a statement that is not read says of names is not known.
    fn lose_words(&mut self, statement: Range<usize>) {
        for at in statement {
            let token = self.layout.tokens[at];
            if matches!(token.kind, TokenKind::Word | TokenKind::Backtick) {
                self.lost.push(self.token_ident(token));
            }
        }
    }

    fn leave_unread(&mut self, statement: Range<usize>) {
        let span = self.layout.span(statement);
        self.marks.unread.push((span.start, span.end));
    }

    /// Told unless what was in the block was broken.
    fn empty_block(&mut self, span: Span) {
        if !self.incomplete {
            self.error(
                Code::E0001,
                span,
                "there is nothing in this block",
                "empty",
                "write at least one entry, or remove it",
            );
        }
    }

    fn error(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        label: &str,
        help: impl Into<String>,
    ) -> &mut Diagnostic {
        self.errors.push(Diagnostic::error(code, span, message).label(label).help(help));
        self.errors.last_mut().expect("one was pushed")
    }

    /// Without the white space that pest leaves at the end of a pair.
    fn span(&self, pair: &Pair<'_>) -> Span {
        let start = self.base + pair.as_span().start();
        Span::new(self.layout.file, start, start + pair.as_str().trim_ascii_end().len())
    }

    fn ident(&self, pair: &Pair<'_>) -> Ident {
        Ident { name: pair.as_str().trim_ascii_end().trim_matches('`').to_owned(), span: self.span(pair) }
    }

    /// A `string` pair.
    fn text(&mut self, pair: &Pair<'_>) -> Text {
        let span = self.span(pair);
        Text { value: self.unescape(pair.as_str(), span), span }
    }

    /// A `column_name`, `name` or `wrong_name` pair.
    fn column_name(&mut self, pair: &Pair<'_>) -> Ident {
        let inner = match pair.as_rule() {
            Rule::column_name => pair.clone().into_inner().next().unwrap_or_else(|| pair.clone()),
            _ => pair.clone(),
        };
        if inner.as_rule() != Rule::wrong_name {
            return self.ident(&inner);
        }
        let span = self.span(&inner);
        let name = self.unescape(inner.as_str().trim_ascii_end(), span);
        let help = match name::is_plain(&name) {
            true => format!("write `{name}` without the double quotes"),
            false => format!("write `` `{name}` `` with backticks for the double quotes"),
        };
        let error = Diagnostic::error(Code::E0207, span, "a column is a name, not a string").label("a string");
        self.errors.push(error.help(help).fix(Fix::write(span, name::written(&name))));
        Ident { name, span }
    }

    /// The names in a `columns` pair.
    fn columns(&mut self, pair: Pair<'_>) -> Vec<Ident> {
        pair.into_inner().map(|column| self.column_name(&column)).collect()
    }

    /// The lines of the `##` comments on the lines above a token.
    fn doc(&self, first: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let tokens = self.layout.tokens;
        let own_line = |at: usize| {
            let before = tokens[..at].iter().rfind(|token| token.kind != TokenKind::Semicolon);
            before.is_none_or(|token| token.kind == TokenKind::LineEnd)
        };
        for at in (0..first).rev() {
            match tokens[at].kind {
                TokenKind::LineEnd | TokenKind::Semicolon => {}
                TokenKind::DocComment if own_line(at) => {
                    let text = tokens[at].text(self.layout.text).trim_start_matches("##").trim_end();
                    lines.push(text.strip_prefix(' ').unwrap_or(text).to_owned());
                }
                TokenKind::Comment if own_line(at) => {}
                _ => break,
            }
        }
        lines.reverse();
        lines
    }
}

/// Whether a bracket without a partner follows from an error that is told: one before it on its line, or a block whose
/// head is missing. `errors` are those of statements, in the order of the text.
fn follows(bracket: &Diagnostic, errors: &[Diagnostic], strays: &[Span], text: &str) -> bool {
    let start = bracket.span.start;
    let stray = strays[..strays.partition_point(|stray| stray.start <= start)].last();
    if stray.is_some_and(|stray| start < stray.end) && text[start as usize..].starts_with('}') {
        return true;
    }
    let line_start = text[..start as usize].rfind('\n').map_or(0, |newline| newline + 1) as u32;
    errors[..errors.partition_point(|error| error.span.start < start)]
        .last()
        .is_some_and(|e| e.span.start >= line_start)
}

/// Overwrites bytes with spaces; both ends are character boundaries.
fn blank(text: &mut String, range: Range<usize>) {
    let spaces = " ".repeat(range.len());
    text.replace_range(range, &spaces);
}
