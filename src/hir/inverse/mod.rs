//! Undoing an expression of one column: `y = f(x)` is solved for `x`, from the outside of `f` inwards.
//!
//! The column must stand in `f` once, or `x` have so few values that a table of them undoes it.

mod decimal;
mod reason;
mod table;

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, MAPPED, Span, Value};

use super::fold::fold;
use super::range::Range;
use super::reach::range_of;
use super::types;

/// Why an expression cannot be undone, and the part of it that is to blame.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lost {
    pub span: Span,
    pub why: String,
}

/// What is known of the values that go in.
#[derive(Debug, Clone)]
pub(super) struct Known<'a> {
    pub dtype: &'a DataType,
    pub nullable: bool,
    pub range: Range,
    /// All values but null, if they are few.
    pub levels: Option<Vec<Value>>,
}

/// The expression over [`MAPPED`], then of the type of `forward`, that gives back what `forward`, over [`MAPPED`] too,
/// was computed from: ints come back exactly.
pub(super) fn invert(forward: &Expr, known: &Known<'_>) -> Result<Expr, Lost> {
    let y = Expr::column(MAPPED, forward.dtype.clone(), forward.nullable, forward.span);
    match (Solver { known }.solve(forward, y.clone()), &known.levels) {
        (Err(lost), Some(levels)) => table::invert(forward, levels, known, y, lost),
        (solved, _) => solved,
    }
}

/// An inverse for floats near the results, which a model predicts: ints are not rounded on the way, and there may be no
/// value for what is no result.
pub(super) fn of_predictions(inverse: &Expr) -> Expr {
    let mut inverse = inverse.clone();
    inverse.rewrite(&mut |e| {
        if e.dtype.is_numeric() {
            e.dtype = DataType::Float;
        }
        match &mut e.kind {
            ExprKind::Literal(value) => {
                if let (DataType::Float, Some(x)) = (&e.dtype, value.as_f64()) {
                    *value = Value::Float(x);
                }
            }
            ExprKind::Binary { op: op @ BinaryOp::FloorDiv, .. } => *op = BinaryOp::Div,
            ExprKind::Call { function, args } if is_number_cast(function) && args[0].dtype == DataType::Float => {
                *e = match &args[0].kind {
                    ExprKind::Call { function: inner, args: rounded } if function == "try_int" && inner == "round" => {
                        rounded[0].clone()
                    }
                    _ => args[0].clone(),
                };
            }
            _ => {}
        }
        e.nullable = match &e.kind {
            ExprKind::Column(_) => false,
            ExprKind::Literal(value) => *value == Value::Null,
            ExprKind::Binary { op: BinaryOp::Div, right, .. } if reads_column(right) => true,
            ExprKind::Call { function, .. } if function.starts_with("try_") => true,
            ExprKind::Call { function, .. } if ["log", "log1p", "sqrt"].contains(&function.as_str()) => true,
            _ => e.operands().iter().any(|o| o.nullable),
        };
    });
    inverse
}

fn is_number_cast(function: &str) -> bool {
    matches!(function, "int" | "try_int" | "float" | "decimal" | "try_decimal")
}

fn reads_column(expr: &Expr) -> bool {
    let mut found = false;
    expr.walk(&mut |e| found |= matches!(e.kind, ExprKind::Column(_)));
    found
}

/// The value of a part that does not read the column.
fn constant(expr: &Expr) -> Option<f64> {
    fold(expr, &|_| None)?.as_f64()
}

struct Solver<'a> {
    known: &'a Known<'a>,
}

impl Solver<'_> {
    fn range(&self, expr: &Expr) -> Range {
        range_of(expr, &|_| self.known.range)
    }

    /// Solves `y = e` for the column. `y` has the type of `e`.
    fn solve(&self, e: &Expr, y: Expr) -> Result<Expr, Lost> {
        let lost = |why: &str| Err(Lost { span: e.span, why: why.to_owned() });
        match &e.kind {
            ExprKind::Column(_) => Ok(y),
            ExprKind::Negate(x) => self.solve(x, negate(y)),
            ExprKind::Not(x) => self.solve(x, Expr { kind: ExprKind::Not(Box::new(y.clone())), ..y }),
            ExprKind::Binary { op, left, right } => match (reads_column(left), reads_column(right)) {
                (true, false) => self.left(e, *op, left, right, y),
                (false, true) => self.right(e, *op, left, right, y),
                (true, true) if *op == BinaryOp::Mul && reason::same(left, right) => self.root(e, left, 2.0, y),
                (true, true) => lost(reason::TWICE),
                (false, false) => lost(reason::CONSTANT),
            },
            ExprKind::Call { function, args } => self.call(e, function, args, y),
            ExprKind::If { .. } => lost(reason::CHOICE),
            ExprKind::IsNull(_) | ExprKind::InList { .. } | ExprKind::InRange { .. } => lost(reason::COMPARISON),
            ExprKind::List(_) => lost(reason::LIST),
            ExprKind::Literal(_) | ExprKind::Aggregate { .. } => lost(reason::CONSTANT),
        }
    }

    /// `y = left op c`
    fn left(&self, e: &Expr, op: BinaryOp, left: &Expr, c: &Expr, y: Expr) -> Result<Expr, Lost> {
        let lost = |why: &str| Err(Lost { span: e.span, why: why.to_owned() });
        let value = constant(c);
        if value.is_none() && e.dtype.is_numeric() {
            return lost(reason::NOT_CONSTANT);
        }
        match op {
            BinaryOp::Add if e.dtype.is_text() => lost(reason::TEXT),
            BinaryOp::Add | BinaryOp::Sub => {
                let back = if op == BinaryOp::Add { BinaryOp::Sub } else { BinaryOp::Add };
                // Of a difference of moments, `y` is a duration: the later one is the other and the duration.
                let to = left.dtype.clone();
                let x = match &y.dtype {
                    DataType::Decimal { .. } => decimal::moved(back, y, c, &to),
                    _ if c.dtype.is_temporal() && op == BinaryOp::Sub => Some(binary(BinaryOp::Add, c.clone(), y, to)),
                    _ => Some(with(back, y, c, to)),
                };
                x.map_or_else(|| lost(reason::DIGITS), |x| self.solve(left, x))
            }
            BinaryOp::Mul if value == Some(0.0) => lost(reason::CONSTANT),
            BinaryOp::Mul if matches!(y.dtype, DataType::Decimal { .. }) => {
                let x = decimal::quotient(y, c, &left.dtype);
                x.map_or_else(|| lost(reason::DIGITS), |x| self.solve(left, x))
            }
            BinaryOp::Mul => {
                let exact = y.dtype == DataType::Int;
                let back = if exact { BinaryOp::FloorDiv } else { BinaryOp::Div };
                self.solve(left, with(back, y, c, left.dtype.clone()))
            }
            BinaryOp::Div => self.solve(left, with(BinaryOp::Mul, y, c, DataType::Float)),
            BinaryOp::Pow => match value {
                Some(power) => self.root(e, left, power, y),
                None => lost(reason::NOT_CONSTANT),
            },
            BinaryOp::FloorDiv => lost(reason::REMAINDER),
            BinaryOp::Mod => lost(reason::QUOTIENT),
            BinaryOp::Coalesce if !left.nullable => self.solve(left, y),
            BinaryOp::Coalesce => lost(reason::FILLED),
            _ => lost(reason::COMPARISON),
        }
    }

    /// `y = c op right`
    fn right(&self, e: &Expr, op: BinaryOp, c: &Expr, right: &Expr, y: Expr) -> Result<Expr, Lost> {
        let lost = |why: &str| Err(Lost { span: e.span, why: why.to_owned() });
        let value = constant(c);
        match op {
            BinaryOp::Add | BinaryOp::Mul if !e.dtype.is_text() => {
                if c.dtype.is_temporal() {
                    // A moment and a duration: `y` is the moment, later.
                    return self.solve(right, binary(BinaryOp::Sub, y, c.clone(), right.dtype.clone()));
                }
                self.left(e, op, right, c, y)
            }
            BinaryOp::Add => lost(reason::TEXT),
            BinaryOp::Sub if matches!(y.dtype, DataType::Decimal { .. }) => {
                let x = decimal::moved(BinaryOp::Sub, c.clone(), &y, &right.dtype);
                x.map_or_else(|| lost(reason::DIGITS), |x| self.solve(right, x))
            }
            BinaryOp::Sub => {
                let c = types::convert(c.clone(), if y.dtype.is_numeric() { &y.dtype } else { &c.dtype });
                let to = if y.dtype.is_numeric() { y.dtype.clone() } else { right.dtype.clone() };
                self.solve(right, binary(BinaryOp::Sub, c, y, to))
            }
            BinaryOp::Div => match value {
                None => lost(reason::NOT_CONSTANT),
                Some(0.0) => lost(reason::CONSTANT),
                Some(_) => self.solve(right, binary(BinaryOp::Div, c.clone(), y, DataType::Float)),
            },
            BinaryOp::Pow => match value {
                Some(base) if base > 0.0 && base != 1.0 => self.solve(right, call("log", vec![y, float(base, e.span)])),
                Some(_) => lost(reason::CONSTANT),
                None => lost(reason::NOT_CONSTANT),
            },
            BinaryOp::FloorDiv | BinaryOp::Mod => lost(reason::QUOTIENT),
            BinaryOp::Coalesce => lost(reason::CONSTANT),
            _ => lost(reason::COMPARISON),
        }
    }

    /// `y = x ** power`
    fn root(&self, e: &Expr, x: &Expr, power: f64, y: Expr) -> Result<Expr, Lost> {
        let lost = |why: &str| Err(Lost { span: e.span, why: why.to_owned() });
        if power == 0.0 || power.is_nan() {
            return lost(reason::CONSTANT);
        }
        let y = types::convert(y, &DataType::Float);
        let take = |y: Expr| {
            if power == 2.0 {
                call("sqrt", vec![y])
            } else {
                binary(BinaryOp::Pow, y, float(1.0 / power, e.span), DataType::Float)
            }
        };
        let range = self.range(x);
        let root = if power == 1.0 {
            y
        } else if power % 2.0 == 1.0 || power % 2.0 == -1.0 {
            let sign = call("sign", vec![y.clone()]);
            binary(BinaryOp::Mul, sign, take(call("abs", vec![y])), DataType::Float)
        } else if range.is_non_negative() || power % 2.0 != 0.0 {
            // Of what is below 0 only whole powers exist.
            take(y)
        } else if range.high <= 0.0 {
            negate(take(y))
        } else {
            return lost(reason::SIGN);
        };
        self.solve(x, typed(root, &x.dtype))
    }

    fn call(&self, e: &Expr, function: &str, args: &[Expr], y: Expr) -> Result<Expr, Lost> {
        let lost = |why: &str| Err(Lost { span: e.span, why: why.to_owned() });
        let reading: Vec<bool> = args.iter().map(reads_column).collect();
        if reading != [&[true][..], &vec![false; args.len().saturating_sub(1)]].concat() {
            return lost(if reading.contains(&true) { reason::of_function(function) } else { reason::CONSTANT });
        }
        let x = &args[0];
        let solved = |back: Expr| self.solve(x, back);
        let power = |base: Expr| binary(BinaryOp::Pow, base, y.clone(), DataType::Float);
        match (function, &x.dtype) {
            ("log", _) if args.len() == 2 => solved(power(args[1].clone())),
            ("log", _) => solved(call("exp", vec![y])),
            ("log2", _) => solved(power(float(2.0, e.span))),
            ("log10", _) => solved(power(float(10.0, e.span))),
            ("log1p", _) => solved(call("expm1", vec![y])),
            ("exp", _) => solved(call("log", vec![y])),
            ("expm1", _) => solved(call("log1p", vec![y])),
            ("sqrt", _) => solved(binary(BinaryOp::Pow, y, float(2.0, e.span), DataType::Float)),
            ("abs", _) if self.range(x).is_non_negative() => solved(y),
            ("abs", _) if self.range(x).high <= 0.0 => solved(negate(y)),
            ("float", DataType::Int | DataType::Decimal { .. }) => solved(typed(y, &x.dtype)),
            ("decimal", DataType::Int) => solved(cast("try_int", y, DataType::Int)),
            ("decimal", DataType::Decimal { scale, .. }) if keeps_digits(&e.dtype, *scale) => {
                solved(decimal::fitted(y, &x.dtype))
            }
            ("string", DataType::Decimal { .. }) => solved(cast("try_decimal", y, x.dtype.clone())),
            ("float", DataType::Float) | ("int", DataType::Int) => solved(y),
            ("bool", DataType::Bool) | ("date", DataType::Date) | ("datetime", DataType::Datetime) => solved(y),
            ("string", dtype) if dtype.is_text() => solved(y),
            ("string", DataType::Int) => solved(cast("try_int", y, DataType::Int)),
            ("string", DataType::Date) => solved(cast("try_date", y, DataType::Date)),
            ("string", DataType::Datetime) => solved(cast("try_datetime", y, DataType::Datetime)),
            ("datetime", DataType::Date) => solved(cast("date", y, DataType::Date)),
            _ => lost(reason::of_function(function)),
        }
    }
}

/// A float where an int or a decimal is wanted, as the nearest one.
fn typed(y: Expr, dtype: &DataType) -> Expr {
    match dtype {
        _ if y.dtype != DataType::Float => y,
        DataType::Int => cast("try_int", call("round", vec![y]), DataType::Int),
        DataType::Decimal { .. } => cast("try_decimal", y, dtype.clone()),
        _ => y,
    }
}

/// Whether a decimal type has room for so many digits after the point.
fn keeps_digits(dtype: &DataType, wanted: u8) -> bool {
    matches!(dtype, DataType::Decimal { scale, .. } if *scale >= wanted)
}

/// `y op c` in the type of `y`, which is a number's where `c` is one.
fn with(op: BinaryOp, y: Expr, c: &Expr, dtype: DataType) -> Expr {
    if y.dtype.is_numeric() {
        let to = y.dtype.clone();
        return binary(op, y, types::convert(c.clone(), &to), to);
    }
    binary(op, y, c.clone(), dtype)
}

fn binary(op: BinaryOp, left: Expr, right: Expr, dtype: DataType) -> Expr {
    let (nullable, span) = (left.nullable || right.nullable, left.span);
    Expr { kind: ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, dtype, nullable, span }
}

fn negate(y: Expr) -> Expr {
    let (dtype, nullable, span) = (y.dtype.clone(), y.nullable, y.span);
    Expr { kind: ExprKind::Negate(Box::new(y)), dtype, nullable, span }
}

/// A function of floats, for what it has a value of.
fn call(function: &str, args: Vec<Expr>) -> Expr {
    let (nullable, span) = (args.iter().any(|a| a.nullable), args[0].span);
    Expr { kind: ExprKind::Call { function: function.to_owned(), args }, dtype: DataType::Float, nullable, span }
}

fn cast(function: &str, y: Expr, dtype: DataType) -> Expr {
    Expr { dtype, ..call(function, vec![y]) }
}

fn float(x: f64, span: Span) -> Expr {
    Expr::literal(Value::Float(x), DataType::Float, span)
}

#[cfg(test)]
mod tests;
