//! Types an expression against the columns in scope.

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, Span, Value};

use super::clock::Clock;
use super::functions::{self, Functions};
use super::origin::{self, Origin};
use super::range::Range;
use super::statistic::Statistics;
use super::table::Table;
use super::taint::Taint;
use super::window::Window;
use super::{constant, decimal, reach, types};
use crate::diagnostic::{Code, Diagnostic, Fix, near_name};
use crate::name;
use crate::syntax::{self, ast};

/// What names mean where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub table: &'a Table,
    /// The functions of the job.
    pub functions: &'a Functions,
    pub aggregates: Aggregates<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Aggregates<'a> {
    /// Row by row; the words say where: "a filter".
    Forbidden(&'static str),
    /// Each value of a group, which is never empty; columns only inside aggregates.
    Group,
    /// One value of the whole table; columns only inside aggregates.
    Whole,
    /// Over the whole table, or over rows: `expect`.
    Allowed,
    /// Over the rows around each row, which is there too.
    Window(&'a Window),
}

/// An expression with the attributes that flow through it.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub expr: Expr,
    pub taint: Taint,
    pub origin: Origin,
    /// See [`super::table::Column::elsewhere`].
    pub elsewhere: Origin,
    pub statistics: Statistics,
    pub range: Range,
    pub clock: Option<Clock>,
}

impl Typed {
    pub fn of(expr: Expr) -> Self {
        let (taint, statistics) = (Taint::new(), Statistics::default());
        Self {
            expr,
            taint,
            origin: Origin::new(),
            elsewhere: Origin::new(),
            statistics,
            range: Range::ALL,
            clock: None,
        }
    }

    /// The stand-in for what was reported already.
    pub fn unknown(span: Span) -> Self {
        Self::of(Expr { nullable: false, ..Expr::literal(Value::Null, DataType::Unknown, span) })
    }

    pub fn dtype(&self) -> &DataType {
        &self.expr.dtype
    }

    pub fn is_unknown(&self) -> bool {
        // A bare `null` has the type `Unknown` too, but it is nullable.
        self.expr.dtype == DataType::Unknown && !self.expr.nullable
    }

    pub fn absorb(&mut self, other: &Typed) {
        self.taint.absorb(&other.taint);
        origin::absorb((&mut self.origin, &mut self.elsewhere), (&other.origin, &other.elsewhere));
        self.statistics.absorb(&other.statistics);
    }

    pub fn convert(mut self, to: &DataType) -> Self {
        self.expr = types::convert(self.expr, to);
        self
    }
}

/// Types `expr`; every problem becomes a diagnostic and an `Unknown`.
pub(super) fn check_expr(scope: Scope<'_>, expr: &ast::Expr, out: &mut Vec<Diagnostic>) -> Typed {
    Checker { scope, out }.expr(expr)
}

pub(super) struct Checker<'a, 'o> {
    pub scope: Scope<'a>,
    pub out: &'o mut Vec<Diagnostic>,
}

impl Checker<'_, '_> {
    pub fn report(&mut self, diagnostic: Diagnostic) -> Typed {
        let span = diagnostic.span;
        self.out.push(diagnostic);
        Typed::unknown(span)
    }

    pub fn expr(&mut self, ast: &ast::Expr) -> Typed {
        let span = ast.span;
        match &ast.kind {
            ast::ExprKind::Name(name) => self.name(name, span),
            ast::ExprKind::Field { base, name } => self.report(
                Diagnostic::error(Code::E0203, span, format!("there is no table `{}` here", base.name))
                    .label("only `join … on` speaks of another table")
                    .help(format!("write the column alone: `{}`", name.name)),
            ),
            ast::ExprKind::Literal(value) => literal(value, span),
            ast::ExprKind::List(items) => self.list(items, span),
            ast::ExprKind::Range { .. } => self.report(
                Diagnostic::error(Code::E0201, span, "a range is no value here")
                    .label("a range")
                    .help("ranges stand behind `in`: `age in 18..=65`"),
            ),
            ast::ExprKind::Call(call) => self.call(call, span),
            ast::ExprKind::Not(x) => {
                let x = self.wanted(x, &DataType::Bool, "`not`");
                self.unary(x, span, ExprKind::Not)
            }
            ast::ExprKind::Negate(x) => {
                let x = self.expr(x);
                if x.is_unknown() || x.dtype().is_numeric() || *x.dtype() == DataType::Duration {
                    let range = x.range.negate();
                    Typed { range, ..self.unary(x, span, ExprKind::Negate) }
                } else {
                    let what = format!("`-` takes a number, not {}", x.dtype());
                    let mut diagnostic =
                        Diagnostic::error(Code::E0201, x.expr.span, what).label(format!("this is {}", x.dtype()));
                    diagnostic.help = types::bridge(x.dtype(), &DataType::Float).map(str::to_owned);
                    self.report(diagnostic)
                }
            }
            ast::ExprKind::Binary { op, op_span, left, right } => self.binary(*op, *op_span, left, right, span),
            ast::ExprKind::In { value, set, negated } => {
                let inside = self.contained(value, set, span);
                if *negated { self.unary(inside, span, ExprKind::Not) } else { inside }
            }
            ast::ExprKind::IsNull { value, negated } => {
                let value = self.expr(value);
                let mut typed = self.unary(value, span, ExprKind::IsNull);
                typed.expr.dtype = DataType::Bool;
                typed.expr.nullable = false;
                typed.range = Range::ALL;
                if *negated { self.unary(typed, span, ExprKind::Not) } else { typed }
            }
            ast::ExprKind::If { condition, then, otherwise } => {
                let condition = self.wanted(condition, &DataType::Bool, "`if`");
                let then = self.branch(&condition, true, then);
                let otherwise = self.branch(&condition, false, otherwise);
                self.choose(condition, then, otherwise, span)
            }
            ast::ExprKind::Match { value, arms, otherwise } => self.matched(value, arms, otherwise.as_deref(), span),
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Typed {
        let table = self.scope.table;
        let Some(column) = table.get(name) else {
            if table.excuses(name) {
                return Typed::unknown(span);
            }
            if table.open.iter().any(|prefix| name.starts_with(prefix.as_str())) {
                return Typed::of(Expr::column(name, DataType::Float, false, span));
            }
            // A function sees its arguments and no columns.
            let what = match self.scope.aggregates {
                Aggregates::Forbidden(functions::PLACE) => "argument",
                _ => "column",
            };
            let diagnostic = unknown_name(what, table, name, span);
            let is_near = near_name(name, table.names()).is_some();
            let params = self.scope.functions.params(span.file).filter(|_| !is_near);
            return self.report(diagnostic.near(name, params));
        };
        if matches!(self.scope.aggregates, Aggregates::Group | Aggregates::Whole) {
            return self.report(
                Diagnostic::error(Code::E0206, span, format!("`{name}` has many values in a group"))
                    .label("a column outside an aggregate")
                    .help(format!("say which: `mean({name})`, `max({name})`, `first({name})`, or group by it")),
            );
        }
        Typed {
            expr: Expr::column(name, column.dtype.clone(), column.nullable, span),
            taint: column.taint.clone(),
            origin: column.origin.clone(),
            elsewhere: column.elsewhere.clone(),
            statistics: column.statistics.clone(),
            range: column.range,
            clock: column.clock.clone(),
        }
    }

    pub fn unary(&mut self, x: Typed, span: Span, kind: impl FnOnce(Box<Expr>) -> ExprKind) -> Typed {
        let mut typed = Typed::of(Expr {
            dtype: x.expr.dtype.clone(),
            nullable: x.expr.nullable,
            span,
            kind: ExprKind::Literal(Value::Null),
        });
        typed.absorb(&x);
        typed.expr.kind = kind(Box::new(x.expr));
        typed
    }

    /// An operand that must be of a type.
    pub fn wanted(&mut self, ast: &ast::Expr, dtype: &DataType, by: &str) -> Typed {
        let typed = self.expr(ast);
        if typed.is_unknown() {
            return typed;
        }
        if types::converts(typed.dtype(), dtype) {
            return typed.convert(dtype);
        }
        let diagnostic = Diagnostic::error(Code::E0201, ast.span, format!("{by} takes {dtype}, not {}", typed.dtype()))
            .label(format!("this is {}", typed.dtype()));
        let diagnostic = self.string_for_column(ast, diagnostic);
        let diagnostic = match (&diagnostic.help, dtype) {
            (None, DataType::Bool) if typed.dtype().is_numeric() => {
                diagnostic.help("compare it with something: `x != 0`")
            }
            (None, DataType::Bool) => diagnostic.help("write a condition: `x == …`, `x in […]`, `x is not null`"),
            _ => diagnostic,
        };
        self.report(diagnostic)
    }

    /// A text whose content names a column was most likely meant as the column.
    pub fn string_for_column(&self, ast: &ast::Expr, diagnostic: Diagnostic) -> Diagnostic {
        match &ast.kind {
            ast::ExprKind::Literal(Value::String(text)) if self.scope.table.get(text).is_some() => {
                let message = format!("the string {text:?} stands where the column `{text}` belongs");
                Diagnostic::error(Code::E0207, ast.span, message)
                    .label("a string")
                    .help(format!("columns are written without quotes: {}", name::written(text)))
                    .fix(Fix::write(ast.span, name::written(text)))
            }
            _ => diagnostic,
        }
    }

    pub fn binary(&mut self, op: BinaryOp, op_span: Span, left: &ast::Expr, right: &ast::Expr, span: Span) -> Typed {
        use BinaryOp::*;
        let sign = op.sign();
        if matches!(op, And | Or) {
            let by = format!("`{sign}`");
            let (l, r) = (self.wanted(left, &DataType::Bool, &by), self.wanted(right, &DataType::Bool, &by));
            return join(op, l, r, DataType::Bool, span);
        }
        let (mut l, mut r) = (self.expr(left), self.expr(right));
        decimal::meet(&mut l, &mut r);
        if l.is_unknown() || r.is_unknown() {
            let mut typed = Typed::unknown(span);
            if matches!(op, Eq | Ne | Lt | Le | Gt | Ge) {
                typed.expr.dtype = DataType::Bool;
            }
            return typed;
        }
        let mismatch = |this: &mut Self| {
            let message = format!("`{sign}` does not take {} and {}", l.dtype(), r.dtype());
            let mut diagnostic = Diagnostic::error(Code::E0201, op_span, message)
                .label("here")
                .related(left.span, format!("this is {}", shown(&l)))
                .related(right.span, format!("this is {}", shown(&r)));
            if let (DataType::Decimal { .. }, DataType::Float) | (DataType::Float, DataType::Decimal { .. }) =
                (l.dtype(), r.dtype())
            {
                diagnostic = diagnostic
                    .help("say which it is: `float(price)` computes with floats, `decimal(x, 10, 2)` rounds to digits");
            }
            diagnostic.help = diagnostic.help.or_else(|| {
                let otherwise = match (types::item_type(l.dtype()), types::item_type(r.dtype())) {
                    (Some(_), Some(_)) => "`list_concat(xs, ys)` joins lists",
                    (None, None) => "convert one of them, so that both are of types that go together",
                    _ => "compute with what is in the list: `get(xs, 1)`, `list_sum(xs)`",
                };
                Some(types::bridge(l.dtype(), r.dtype()).unwrap_or(otherwise).to_owned())
            });
            for (ast, other) in [(left, &r), (right, &l)] {
                diagnostic = literal_help(ast, other, diagnostic);
            }
            for ast in [left, right] {
                diagnostic = this.string_for_column(ast, diagnostic);
            }
            this.report(diagnostic)
        };
        let (lt, rt) = (l.dtype().clone(), r.dtype().clone());
        match op {
            Eq | Ne | Lt | Le | Gt | Ge => {
                let Some(common) = types::common(&lt, &rt)
                    .filter(|t| matches!(op, Eq | Ne) || t.is_ordered() || *t == DataType::Unknown)
                else {
                    return mismatch(self);
                };
                if !common.is_comparable() {
                    let message = format!("values of {common} are not compared");
                    let diagnostic = Diagnostic::error(Code::E0201, op_span, message)
                        .label("here")
                        .help("compare their lengths or items: `length(xs)`, `get(xs, 1)`, `x in xs`");
                    return self.report(diagnostic);
                }
                if matches!(lt, DataType::Unknown) || matches!(rt, DataType::Unknown) {
                    return self.report(
                        Diagnostic::error(Code::E0201, span, "a comparison with null is never true")
                            .label("always null")
                            .help("write `is null` or `is not null`"),
                    );
                }
                for (column, constant) in [(&l, &r), (&r, &l)] {
                    if let Some(diagnostic) = unknown_level(column, constant) {
                        return self.report(diagnostic);
                    }
                }
                let (l, r) = if common.is_text() { (l, r) } else { (l.convert(&common), r.convert(&common)) };
                join(op, l, r, DataType::Bool, span)
            }
            Coalesce => {
                let Some(common) = types::common(&lt, &rt) else { return mismatch(self) };
                let nullable = r.expr.nullable && l.expr.nullable;
                let range = l.range.or(r.range);
                let mut typed = join(op, l.convert(&common), r.convert(&common), common, span);
                typed.expr.nullable = nullable;
                typed.range = range;
                typed
            }
            Div if lt == DataType::Duration && rt == DataType::Duration => {
                let seconds = |mut d: Typed| {
                    let (nullable, span) = (d.expr.nullable, d.expr.span);
                    let kind = ExprKind::Call { function: "seconds".into(), args: vec![d.expr] };
                    d.expr = Expr { kind, dtype: DataType::Float, nullable, span };
                    d
                };
                let mut typed = join(op, seconds(l), seconds(r), DataType::Float, span);
                typed.expr.nullable = true;
                typed
            }
            Div | Pow => {
                if !(lt.is_numeric() && rt.is_numeric()) {
                    return mismatch(self);
                }
                let may_divide_by_zero = op == Div && r.range.has_zero();
                let range = reach::of_binary(op, l.range, r.range, &DataType::Float);
                let mut typed =
                    join(op, l.convert(&DataType::Float), r.convert(&DataType::Float), DataType::Float, span);
                typed.expr.nullable |= may_divide_by_zero;
                typed.range = range;
                typed
            }
            FloorDiv | Mod => {
                if !(lt.is_numeric() && rt.is_numeric()) {
                    return mismatch(self);
                }
                let decimals = decimal::operands(op, &l, &r).map(|(_, _, result)| result);
                let common = match decimals.transpose() {
                    Ok(decimals) => decimals.or_else(|| types::common(&lt, &rt)),
                    Err(_) => None,
                };
                let Some(common) = common else { return mismatch(self) };
                let may_divide_by_zero = r.range.has_zero();
                let range = reach::of_binary(op, l.range, r.range, &common);
                let mut typed = join(op, l.convert(&common), r.convert(&common), common, span);
                typed.expr.nullable |= may_divide_by_zero;
                typed.range = range;
                typed
            }
            Add | Sub | Mul => {
                let (lt, rt, result) = match decimal::operands(op, &l, &r) {
                    Some((lt, rt, Ok(result))) => (lt, rt, result),
                    Some((_, _, Err(why))) => {
                        let diagnostic = Diagnostic::error(Code::E0201, op_span, why)
                            .label(format!("{} {sign} {}", l.dtype(), r.dtype()))
                            .help("round one of them first: `round(x, 2)`");
                        return self.report(diagnostic);
                    }
                    None => match arithmetic(op, &l, &r) {
                        Some(types) => types,
                        None => return mismatch(self),
                    },
                };
                let range = reach::of_binary(op, l.range, r.range, &result);
                let clock = Clock::moved(op, (l.clock.as_ref(), &l.expr), (r.clock.as_ref(), &r.expr));
                let mut typed = join(op, l.convert(&lt), r.convert(&rt), result, span);
                typed.range = range;
                typed.clock = clock;
                if constant::int_of(&typed.expr).is_some_and(|i| i64::try_from(i).is_err()) {
                    let diagnostic = Diagnostic::error(Code::E0201, span, "the result does not fit a 64-bit int")
                        .label("overflows in every row")
                        .help("compute with floats: write one of the numbers with a point");
                    return self.report(diagnostic);
                }
                typed
            }
            And | Or => unreachable!("handled above"),
        }
    }

    pub fn choose(&mut self, condition: Typed, mut then: Typed, mut otherwise: Typed, span: Span) -> Typed {
        decimal::meet(&mut then, &mut otherwise);
        if condition.is_unknown() || then.is_unknown() || otherwise.is_unknown() {
            return Typed::unknown(span);
        }
        let Some(common) = types::common(then.dtype(), otherwise.dtype()) else {
            let decimals = |a: &DataType, b: &DataType| {
                matches!(
                    (a, b),
                    (DataType::Decimal { .. }, DataType::Float) | (DataType::Float, DataType::Decimal { .. })
                )
            };
            let mixed = decimals(then.dtype(), otherwise.dtype())
                .then_some("say which it is: `float(price)`, or `decimal(x, 10, 2)`");
            let message = format!("the branches are of two types, {} and {}", then.dtype(), otherwise.dtype());
            let mut diagnostic = Diagnostic::error(Code::E0201, otherwise.expr.span, message)
                .label(format!("this is {}", otherwise.dtype()))
                .related(then.expr.span, format!("this is {}", then.dtype()));
            diagnostic.help = mixed.or(types::bridge(then.dtype(), otherwise.dtype())).map(str::to_owned);
            return self.report(diagnostic);
        };
        let mut typed = Typed::of(Expr {
            kind: ExprKind::Literal(Value::Null),
            dtype: common.clone(),
            nullable: then.expr.nullable || otherwise.expr.nullable,
            span,
        });
        [&condition, &then, &otherwise].into_iter().for_each(|part| typed.absorb(part));
        typed.range = then.range.or(otherwise.range);
        typed.expr.kind = ExprKind::If {
            condition: Box::new(condition.expr),
            then: Box::new(then.convert(&common).expr),
            otherwise: Box::new(otherwise.convert(&common).expr),
        };
        typed
    }
}

fn literal(value: &Value, span: Span) -> Typed {
    let mut typed = Typed::of(Expr::literal(value.clone(), types::of_value(value), span));
    if let Some(x) = value.as_f64() {
        typed.range = Range::exactly(x);
    }
    typed
}

fn join(op: BinaryOp, l: Typed, r: Typed, dtype: DataType, span: Span) -> Typed {
    let nullable = l.expr.nullable || r.expr.nullable;
    let mut typed = Typed::of(Expr { kind: ExprKind::Literal(Value::Null), dtype, nullable, span });
    typed.absorb(&l);
    typed.absorb(&r);
    typed.expr.kind = ExprKind::Binary { op, left: Box::new(l.expr), right: Box::new(r.expr) };
    typed
}

/// The types that the operands of `+ - *` become, and the result's.
fn arithmetic(op: BinaryOp, l: &Typed, r: &Typed) -> Option<(DataType, DataType, DataType)> {
    use DataType::*;
    let same = |t: DataType| Some((t.clone(), t.clone(), t));
    match (l.dtype(), op, r.dtype()) {
        (a, _, b) if a.is_numeric() && b.is_numeric() => same(types::common(a, b)?),
        (a, BinaryOp::Add, b) if a.is_text() && b.is_text() => same(String),
        (Duration, BinaryOp::Add | BinaryOp::Sub, Duration) => same(Duration),
        (Duration, BinaryOp::Mul, number @ (Int | Float)) => Some((Duration, number.clone(), Duration)),
        (number @ (Int | Float), BinaryOp::Mul, Duration) => Some((number.clone(), Duration, Duration)),
        (Date, BinaryOp::Sub, Date) => Some((Datetime, Datetime, Duration)),
        (Date | Datetime, BinaryOp::Sub, Date | Datetime) => Some((Datetime, Datetime, Duration)),
        // A date stays one when it is moved by whole days.
        (Date, BinaryOp::Add | BinaryOp::Sub, Duration) if whole_days(r) => Some((Date, Duration, Date)),
        (Date | Datetime, BinaryOp::Add | BinaryOp::Sub, Duration) => Some((Datetime, Duration, Datetime)),
        (Duration, BinaryOp::Add, Date) if whole_days(l) => Some((Duration, Date, Date)),
        (Duration, BinaryOp::Add, Date | Datetime) => Some((Duration, Datetime, Datetime)),
        _ => None,
    }
}

fn whole_days(typed: &Typed) -> bool {
    matches!(typed.expr.kind, ExprKind::Literal(Value::Duration(us)) if us % 86_400_000_000 == 0)
}

/// A constant that is no level of the closed category that it is compared with.
pub(super) fn unknown_level(column: &Typed, constant: &Typed) -> Option<Diagnostic> {
    let DataType::Category { levels: Some(levels) } = column.dtype() else { return None };
    let ExprKind::Literal(Value::String(text)) = &constant.expr.kind else { return None };
    if levels.contains(text) {
        return None;
    }
    let diagnostic =
        Diagnostic::error(Code::E0201, constant.expr.span, format!("{text:?} is never equal to {}", column.dtype()))
            .label("no such level")
            .related(column.expr.span, format!("this is {}", column.dtype()))
            .help("write one of its levels, or add it where the column is declared")
            .near_text(text, levels.iter().map(String::as_str));
    Some(diagnostic)
}

/// What to write instead of a literal of the wrong type.
fn literal_help(ast: &ast::Expr, other: &Typed, diagnostic: Diagnostic) -> Diagnostic {
    let ast::ExprKind::Literal(Value::String(text)) = &ast.kind else { return diagnostic };
    let number = text.starts_with(|c: char| c.is_ascii_digit()) && text.ends_with(|c: char| c.is_ascii_digit());
    let (help, bare) = match other.dtype() {
        DataType::Int if number && text.parse::<i64>().is_ok() => {
            (format!("write the number without quotes: {text}"), text.clone())
        }
        DataType::Float if number && text.parse::<f64>().is_ok() => {
            (format!("write the number without quotes: {text}"), text.clone())
        }
        DataType::Bool if text == "true" || text == "false" => {
            (format!("write it without quotes: {text}"), text.clone())
        }
        DataType::Date | DataType::Datetime if syntax::is_date(text) => {
            (format!("write the date without quotes: @{text}"), format!("@{text}"))
        }
        DataType::Date | DataType::Datetime => {
            return diagnostic.help("dates are written @2024-01-31, without quotes");
        }
        _ => return diagnostic,
    };
    diagnostic.help(help).fix(Fix::write(ast.span, bare))
}

fn shown(typed: &Typed) -> String {
    format!("{}{}", typed.dtype(), if typed.expr.nullable { "?" } else { "" })
}

pub(super) fn unknown_column(table: &Table, name: &str, span: Span) -> Diagnostic {
    unknown_name("column", table, name, span)
}

fn unknown_name(what: &str, table: &Table, name: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::E0203, span, format!("there is no {what} `{name}` here"))
        .label(format!("unknown {what}"));
    let names: Vec<_> = table.names().take(12).collect();
    let more = table.columns.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    diagnostic.help(format!("the {what}s here are {}{more}", names.join(", "))).near(name, table.names())
}
