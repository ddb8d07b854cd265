//! Columns, types, rows and expectations.

use std::ops::Range;

use dbjob_plan::Span;

use super::{Pair, Reader, Rule};
use crate::diagnostic::{Code, Fix};
use crate::syntax::ast::{Attribute, Column, Expect, Expr, ExprKind, Ident, Row, TestTable, Type};
use crate::syntax::mistake;
use crate::syntax::token::TokenKind;

type DatasetBody = (Vec<Column>, Vec<Expect>, Option<Span>, Vec<Ident>);

impl Reader<'_> {
    pub(super) fn dataset_body(&mut self, body: Range<usize>) -> DatasetBody {
        let layout = self.layout;
        let (mut columns, mut expects, mut rest, mut unknown) = (Vec::new(), Vec::new(), None, Vec::new());
        let mut told = false;
        let mut failed = None;
        for statement in layout.split(body, true) {
            let first = statement.start;
            let (token, word) = (layout.tokens[first], layout.symbol(first));
            if let Some(rest) = rest.filter(|_| !std::mem::replace(&mut told, true)) {
                self.error(
                    Code::E0001,
                    rest,
                    "`..` ends the block",
                    "something follows it",
                    "move `..` below the last column",
                );
            }
            let next = if statement.len() > 1 { layout.symbol(first + 1) } else { "" };
            // `expect bool(s)`: a cast, not a column whose colon is missing.
            let casts = word == "expect" && layout.symbol(first + 2) == "(";
            let is_name = matches!(token.kind, TokenKind::Word | TokenKind::Backtick);
            let line_end = |at: &usize| layout.tokens[*at..first].iter().any(|token| token.kind == TokenKind::LineEnd);
            if failed.filter(|_| !is_name).is_some_and(|failed| !line_end(&failed)) {
                // A further piece of the column that could not be read.
                continue;
            }
            if word == ".." && statement.len() == 1 {
                rest = Some(token.span(layout.file));
            } else if next == ":" || !is_name || mistake::is_type(next) && !casts {
                let column = self.read(Rule::column_statement, statement.clone(), |reader, mut pairs| {
                    Some(reader.column(pairs.next()?))
                });
                match column {
                    Some(column) => columns.push(Column { doc: self.doc(first), ..column }),
                    None => {
                        failed = Some(first);
                        self.lost.extend(is_name.then(|| self.token_ident(token)));
                    }
                }
            } else if next == "=" && mistake::is_type(layout.symbol(first + 2)) {
                let sign = layout.span(first + 1..first + 2);
                let help = format!("write `{word}: {}`", layout.symbol(first + 2));
                self.error(Code::E0001, sign, "the type of a column follows a colon", "`:` is meant", help)
                    .set_fix(Fix::write(sign, ":"));
                self.lost.push(self.token_ident(token));
            } else if word == "expect" && next != "=" {
                expects.extend(self.expect_statement(statement));
            } else if token.kind == TokenKind::Backtick || next == "=" {
                if !layout.is_broken(statement.clone()) {
                    self.leave_unread(statement);
                    unknown.push(self.token_ident(token));
                }
            } else {
                unknown.extend(self.verb(statement, "a dataset has columns, `name: type`, and `expect`"));
            }
        }
        (columns, expects, rest, unknown)
    }

    /// A `column` pair. The documentation is found by the token, not here.
    pub(super) fn column(&mut self, pair: Pair<'_>) -> Column {
        let span = self.span(&pair);
        let (mut name, mut ty, mut named, mut attributes) = (None, None, None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name | Rule::wrong_name => name = Some(self.column_name(&part)),
                Rule::type_ => ty = Some(self.type_(part)),
                Rule::string => named = Some(self.text(&part)),
                Rule::attribute => attributes.push(self.attribute(part)),
                _ => {}
            }
        }
        let mut ty = ty.expect("a column has a type");
        // In a column the refinement is the column's.
        let refinement = ty.refinement.take();
        Column { doc: Vec::new(), name: name.expect("a column has a name"), ty, refinement, named, attributes, span }
    }

    fn attribute(&mut self, pair: Pair<'_>) -> Attribute {
        let span = self.span(&pair);
        let (mut name, mut known_at, mut after) = (None, None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.ident(&part)),
                Rule::column_name => known_at = Some(self.column_name(&part)),
                Rule::literal => after = Some(self.primary(part)),
                _ => {}
            }
        }
        Attribute { name: name.expect("an attribute has a name"), known_at, after, span }
    }

    /// A `type_` pair. The span leaves the refinement out.
    pub(super) fn type_(&mut self, pair: Pair<'_>) -> Type {
        let mut parts = pair.into_inner();
        let name = self.ident(&parts.next().expect("a type has a name"));
        let span = name.span;
        let mut ty = Type { name, args: Vec::new(), empty: None, item: None, nullable: false, refinement: None, span };
        for part in parts {
            if !matches!(part.as_rule(), Rule::kw_in | Rule::refinement) {
                ty.span = ty.span.to(self.span(&part));
            }
            if matches!(part.as_rule(), Rule::type_item | Rule::type_args) {
                self.marks.calls.insert(self.span(&part).start);
            }
            match part.as_rule() {
                Rule::type_item => ty.item = part.into_inner().next().map(|item| Box::new(self.type_(item))),
                Rule::type_args => {
                    let span = self.span(&part);
                    ty.args = part.into_inner().map(|arg| self.expr(arg)).collect();
                    ty.empty = ty.args.is_empty().then_some(span);
                }
                Rule::nullable => ty.nullable = true,
                Rule::refinement => ty.refinement = part.into_inner().next().map(|set| self.refinement(set)),
                _ => {}
            }
        }
        ty
    }

    /// A `list` or a `bound_range` pair.
    fn refinement(&mut self, pair: Pair<'_>) -> Expr {
        if pair.as_rule() == Rule::list {
            return self.primary(pair);
        }
        let span = self.span(&pair);
        let (mut low, mut high, mut inclusive, mut dots) = (None, None, false, false);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::bound if dots => high = Some(Box::new(self.bound(part))),
                Rule::bound => low = Some(Box::new(self.bound(part))),
                _ => {
                    dots = true;
                    inclusive = part.as_str().starts_with("..=");
                    if let Some(low) = &low {
                        let dots = self.span(&part);
                        self.must_touch(low, dots);
                    }
                }
            }
        }
        Expr { kind: ExprKind::Range { low, high, inclusive }, span }
    }

    fn bound(&mut self, pair: Pair<'_>) -> Expr {
        let items: Vec<_> = pair.into_inner().collect();
        self.climb(&mut items.into_iter().peekable(), super::precedence::level::NEGATION)
    }

    pub(super) fn expect_statement(&mut self, statement: Range<usize>) -> Option<Expect> {
        let span = self.layout.span(statement.clone());
        self.read(Rule::expect_statement, statement, |reader, mut pairs| {
            let (mut predicate, mut action, mut quarantine) = (None, None, None);
            for part in pairs.next()?.into_inner() {
                match part.as_rule() {
                    Rule::expr => predicate = Some(reader.expr(part)),
                    Rule::name => action = Some(reader.ident(&part)),
                    Rule::string => quarantine = Some(reader.text(&part)),
                    _ => {}
                }
            }
            Some(Expect { predicate: predicate?, action, quarantine, span })
        })
    }

    /// A `rows` pair.
    pub(super) fn rows(&mut self, pair: Pair<'_>) -> Vec<Row> {
        pair.into_inner()
            .map(|row| {
                let span = self.span(&row);
                let cells = row.into_inner().map(|cell| self.cell(cell)).collect();
                Row { cells, span }
            })
            .collect()
    }

    fn cell(&mut self, pair: Pair<'_>) -> (Ident, Expr) {
        let (mut name, mut value) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name | Rule::wrong_name => name = Some(self.column_name(&part)),
                Rule::wrong_assign => {
                    let sign = self.span(&part);
                    self.error(
                        Code::E0001,
                        sign,
                        "a cell of a row is given with a colon",
                        "`:` is meant",
                        "write `column: value`",
                    )
                    .set_fix(Fix::write(sign, ":"));
                }
                Rule::expr => value = Some(self.expr(part)),
                _ => {}
            }
        }
        (name.expect("a cell has a name"), value.expect("a cell has a value"))
    }

    pub(super) fn test_body(&mut self, body: Range<usize>) -> (Vec<TestTable>, Vec<TestTable>) {
        let (mut given, mut expect) = (Vec::new(), Vec::new());
        for statement in self.layout.split(body, false) {
            let span = self.layout.span(statement.clone());
            let verb = self.layout.text_of(statement.start);
            if !matches!(verb, "given" | "expect") {
                if !self.layout.is_broken(statement.clone()) {
                    let first = self.layout.span(statement.start..statement.start + 1);
                    let message = format!("a test has `given` and `expect`, not `{verb}`");
                    let help = "write `given TABLE [ { column: value } ]` or `expect TABLE [ … ]`";
                    self.error(Code::E0001, first, message, "not in a test", help);
                }
                continue;
            }
            let table = self.read(Rule::given_statement, statement, |reader, pairs| {
                let (mut node, mut rows) = (None, None);
                for pair in pairs {
                    match pair.as_rule() {
                        Rule::name => node = Some(reader.ident(&pair)),
                        Rule::rows => rows = Some(reader.rows(pair)),
                        _ => {}
                    }
                }
                Some(TestTable { node: node?, rows: rows?, span })
            });
            if verb == "given" { given.extend(table) } else { expect.extend(table) }
        }
        (given, expect)
    }
}
