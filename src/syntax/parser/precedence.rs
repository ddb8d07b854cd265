//! Flat operands and operators to a tree, by precedence climbing.

use std::iter::Peekable;
use std::vec::IntoIter;

use dbjob_plan::{BinaryOp, Span, Value};

use super::{Pair, Reader, Rule};
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::syntax::ast::{Expr, ExprKind};

pub(super) type Items<'i> = Peekable<IntoIter<Pair<'i>>>;

/// Loose to tight.
pub(super) mod level {
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const NOT: u8 = 3;
    pub const COMPARISON: u8 = 4;
    pub const RANGE: u8 = 5;
    pub const COALESCE: u8 = 6;
    pub const SUM: u8 = 7;
    pub const PRODUCT: u8 = 8;
    pub const NEGATION: u8 = 9;
    pub const POWER: u8 = 10;
}

/// The level of an infix or postfix operator and, where it makes a `Binary`, its meaning.
fn operator(rule: Rule) -> Option<(u8, Option<BinaryOp>)> {
    use BinaryOp::*;
    Some(match rule {
        Rule::op_or | Rule::wrong_or => (level::OR, Some(Or)),
        Rule::op_and | Rule::wrong_and => (level::AND, Some(And)),
        Rule::op_eq | Rule::wrong_assign_op => (level::COMPARISON, Some(Eq)),
        Rule::op_ne | Rule::wrong_diamond => (level::COMPARISON, Some(Ne)),
        Rule::op_lt => (level::COMPARISON, Some(Lt)),
        Rule::op_le => (level::COMPARISON, Some(Le)),
        Rule::op_gt => (level::COMPARISON, Some(Gt)),
        Rule::op_ge => (level::COMPARISON, Some(Ge)),
        Rule::op_in | Rule::op_not_in | Rule::is_null | Rule::wrong_between => (level::COMPARISON, None),
        Rule::op_range | Rule::open_range => (level::RANGE, None),
        Rule::op_coalesce => (level::COALESCE, Some(Coalesce)),
        Rule::op_add => (level::SUM, Some(Add)),
        Rule::op_sub => (level::SUM, Some(Sub)),
        Rule::op_mul => (level::PRODUCT, Some(Mul)),
        Rule::op_div => (level::PRODUCT, Some(Div)),
        Rule::op_floor_div => (level::PRODUCT, Some(FloorDiv)),
        Rule::op_mod => (level::PRODUCT, Some(Mod)),
        Rule::op_pow => (level::POWER, Some(Pow)),
        _ => return None,
    })
}

impl Reader<'_> {
    /// Takes operators of at least `min` from the front of `items`, which begin with an operand.
    pub(super) fn climb(&mut self, items: &mut Items<'_>, min: u8) -> Expr {
        let mut left = self.operand(items, min);
        let mut last = None;
        while let Some((level, binary)) = items.peek().and_then(|pair| operator(pair.as_rule())) {
            if level < min {
                break;
            }
            let pair = items.next().expect("peeked");
            let op_span = self.span(&pair);
            if matches!(level, level::COMPARISON | level::RANGE) && last == Some(level) {
                self.chained(level, op_span);
            }
            last = Some(level);
            left = match (pair.as_rule(), binary) {
                (rule, Some(op)) => {
                    self.mistaken_operator(rule, pair.as_str(), op_span);
                    if rule == Rule::wrong_assign_op
                        && let (ExprKind::Literal(value @ (Value::Null | Value::Bool(_))), Some(error)) =
                            (&left.kind, self.errors.last_mut())
                    {
                        // `null = …` gives a value, to a name that is a word of the language.
                        *error = Diagnostic::error(Code::E0001, left.span, format!("`{value}` is not a name"))
                            .label("a value")
                            .help("write another name, or `==` to compare");
                    }
                    let right = self.climb(items, if op == BinaryOp::Pow { level } else { level + 1 });
                    let span = left.span.to(right.span);
                    Expr { kind: ExprKind::Binary { op, op_span, left: left.into(), right: right.into() }, span }
                }
                (rule @ (Rule::op_in | Rule::op_not_in), _) => {
                    let set = self.climb(items, level + 1);
                    let span = left.span.to(set.span);
                    let negated = rule == Rule::op_not_in;
                    Expr { kind: ExprKind::In { value: left.into(), set: set.into(), negated }, span }
                }
                (Rule::is_null, _) => {
                    let negated = pair.into_inner().any(|word| word.as_rule() == Rule::kw_not);
                    let span = left.span.to(op_span);
                    Expr { kind: ExprKind::IsNull { value: left.into(), negated }, span }
                }
                (Rule::wrong_between, _) => self.between(left, pair),
                (rule, _) => {
                    self.must_touch(&left, op_span);
                    let inclusive = pair.as_str().starts_with("..=");
                    let high = (rule == Rule::op_range).then(|| Box::new(self.climb(items, level + 1)));
                    let span = high.as_ref().map_or(left.span.to(op_span), |high| left.span.to(high.span));
                    Expr { kind: ExprKind::Range { low: Some(left.into()), high, inclusive }, span }
                }
            };
        }
        left
    }

    fn operand(&mut self, items: &mut Items<'_>, min: u8) -> Expr {
        let pair = items.next().expect("the grammar gives every operator its operands");
        let op_span = self.span(&pair);
        let prefixed = |kind, operand: Span| Expr { kind, span: op_span.to(operand) };
        match pair.as_rule() {
            rule @ (Rule::op_not | Rule::wrong_bang) => {
                if rule == Rule::wrong_bang {
                    let fix = Fix::write(op_span, self.layout.as_word(op_span, "not"));
                    self.error(Code::E0001, op_span, "`!` is not an operator", "`not` is meant", "write `not`")
                        .set_fix(fix);
                } else if min > level::NOT {
                    self.error(
                        Code::E0001,
                        op_span,
                        "`not` binds looser than the operator before it",
                        "here",
                        "put brackets around it: `(not …)`",
                    );
                }
                let value = self.climb(items, level::NOT);
                let span = value.span;
                prefixed(ExprKind::Not(value.into()), span)
            }
            Rule::op_minus => {
                self.marks.signs.insert(op_span.start);
                // The one whole number that exists only with its sign.
                if let Some(literal) = items.next_if(|pair| pair.as_str().trim_ascii_end() == "9223372036854775808") {
                    return prefixed(ExprKind::Literal(Value::Int(i64::MIN)), self.span(&literal));
                }
                let value = self.climb(items, level::NEGATION);
                let span = value.span;
                prefixed(ExprKind::Negate(value.into()), span)
            }
            Rule::wrong_plus => {
                self.error(
                    Code::E0001,
                    op_span,
                    "a plus sign stands before nothing to add to",
                    "here",
                    "leave the `+` out",
                )
                .set_fix(Fix::write(op_span, ""));
                self.climb(items, level::NEGATION)
            }
            Rule::op_range => {
                let inclusive = pair.as_str().starts_with("..=");
                let high = self.climb(items, level::RANGE + 1);
                let span = high.span;
                prefixed(ExprKind::Range { low: None, high: Some(high.into()), inclusive }, span)
            }
            _ => self.primary(pair),
        }
    }

    fn chained(&mut self, level: u8, span: Span) {
        if level == level::RANGE {
            self.error(Code::E0001, span, "a range has two ends", "a third one", "write `low..high`");
            return;
        }
        self.error(
            Code::E0001,
            span,
            "comparisons do not chain",
            "the second comparison",
            "write `a < b and b < c`, or `x in low..=high`",
        );
    }

    fn mistaken_operator(&mut self, rule: Rule, written: &str, span: Span) {
        let right = match rule {
            Rule::wrong_or => "or",
            Rule::wrong_and => "and",
            Rule::wrong_diamond => "!=",
            Rule::op_eq if written == "===" => "==",
            Rule::op_ne if written == "!==" => "!=",
            Rule::wrong_assign_op => {
                self.error(
                    Code::E0001,
                    span,
                    "`=` gives a name to a value; it does not compare",
                    "`==` is meant",
                    "write `==` to compare",
                )
                .set_fix(Fix::write(span, "=="));
                return;
            }
            _ => return,
        };
        let message = format!("`{written}` is not an operator");
        let fix = Fix::write(span, self.layout.as_word(span, right));
        self.error(Code::E0001, span, message, &format!("`{right}` is meant"), format!("write `{right}`")).set_fix(fix);
    }

    fn between(&mut self, value: Expr, pair: Pair<'_>) -> Expr {
        let keyword = pair.clone().into_inner().next().map_or(value.span, |word| self.span(&word));
        let span = value.span.to(self.span(&pair));
        let (mut low, mut high) = (Vec::new(), Vec::new());
        let mut second = false;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::kw_between => {}
                Rule::kw_and => second = true,
                _ if second => high.push(part),
                _ => low.push(part),
            }
        }
        let low = self.climb(&mut low.into_iter().peekable(), level::RANGE + 1);
        let high = self.climb(&mut high.into_iter().peekable(), level::RANGE + 1);
        let written = |span: Span| &self.layout.text[span.start as usize..span.end as usize];
        let help = format!("write `{} in {}..={}`", written(value.span), written(low.span), written(high.span));
        let fix = Fix::write(keyword.to(high.span), format!("in {}..={}", written(low.span), written(high.span)));
        self.error(Code::E0001, keyword, "there is no `between`", "a range is meant", help).set_fix(fix);
        let range = low.span.to(high.span);
        let set = ExprKind::Range { low: Some(low.into()), high: Some(high.into()), inclusive: true };
        let set = Box::new(Expr { kind: set, span: range });
        Expr { kind: ExprKind::In { value: value.into(), set, negated: false }, span }
    }

    /// The dots of a range touch both ends, so that an open range ends where a space begins.
    pub(super) fn must_touch(&mut self, low: &Expr, dots: Span) {
        if low.span.end != dots.start {
            self.error(
                Code::E0001,
                dots,
                "a range is written without spaces",
                "a space before it",
                "write `low..high`; with no upper bound `low..`",
            )
            .set_fix(Fix::write(Span { start: low.span.end, end: dots.start, ..dots }, ""));
        }
    }
}
