//! What holds of all rows of a table because others were left out: two tables whose conditions exclude each other have no
//! row in common, although both come from one dataset.

use std::collections::BTreeSet;

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, Span, Value};

use super::range::Range;
use super::table::Table;

/// Conditions that hold together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conditions(Vec<Condition>);

/// A column is known by the place that made it, under whatever name it stands.
#[derive(Debug, Clone, PartialEq)]
struct Condition {
    column: Span,
    holds: Values,
}

#[derive(Debug, Clone, PartialEq)]
enum Values {
    In(Range),
    OneOf(BTreeSet<String>),
    NoneOf(BTreeSet<String>),
}

impl Values {
    fn excludes(&self, other: &Values) -> bool {
        match (self, other) {
            (Self::In(a), Self::In(b)) => {
                let both = a.and(*b);
                both.low > both.high || (both.low == both.high && (both.above || both.below))
            }
            (Self::OneOf(a), Self::OneOf(b)) => a.is_disjoint(b),
            (Self::OneOf(a), Self::NoneOf(b)) | (Self::NoneOf(b), Self::OneOf(a)) => a.is_subset(b),
            _ => false,
        }
    }
}

impl Conditions {
    /// Adds what a predicate says that is true of every row.
    pub fn add(&mut self, predicate: &Expr, table: &Table) {
        if let ExprKind::Binary { op: BinaryOp::And, left, right } = &predicate.kind {
            self.add(left, table);
            return self.add(right, table);
        }
        let Some((column, holds)) = condition(predicate) else { return };
        if let Some(column) = table.get(column) {
            let condition = Condition { column: column.span, holds };
            if !self.0.contains(&condition) {
                self.0.push(condition);
            }
        }
    }

    /// Whether all rows that meet them have one value in the column that was made at this place.
    pub fn leave_one_value(&self, column: Span) -> bool {
        self.0.iter().filter(|c| c.column == column).any(|c| match &c.holds {
            Values::In(range) => range.is_one(),
            Values::OneOf(values) => values.len() == 1,
            Values::NoneOf(_) => false,
        })
    }

    /// Whether no row can meet both.
    pub fn exclude(&self, other: &Conditions) -> bool {
        self.0.iter().any(|a| other.0.iter().any(|b| a.column == b.column && a.holds.excludes(&b.holds)))
    }

    /// Keeps what holds of the rows of either.
    pub fn keep_common(&mut self, other: &Conditions) {
        self.0.retain(|condition| other.0.contains(condition));
    }
}

fn condition(predicate: &Expr) -> Option<(&str, Values)> {
    let one = |text: &str| BTreeSet::from([text.to_owned()]);
    match &predicate.kind {
        ExprKind::Column(name) if predicate.dtype == DataType::Bool => Some((name, Values::OneOf(one("true")))),
        ExprKind::IsNull(value) => Some((column(value)?, Values::OneOf(one(NULL)))),
        ExprKind::Not(inner) => match (&inner.kind, condition(inner)?) {
            // Of null neither is true.
            (ExprKind::IsNull(_), (name, _)) => Some((name, Values::NoneOf(one(NULL)))),
            (ExprKind::Column(_), (name, _)) => Some((name, Values::OneOf(one("false")))),
            (_, (name, Values::OneOf(values))) => Some((name, Values::NoneOf(with_null(values)))),
            _ => None,
        },
        ExprKind::Binary { op, left, right } => match (column(left), column(right)) {
            (Some(name), None) => Some((name, compared(*op, right)?)),
            (None, Some(name)) => Some((name, compared(op.mirrored(), left)?)),
            _ => None,
        },
        ExprKind::InList { value, items } => {
            let numbers: Option<Vec<f64>> = items.iter().map(number).collect();
            let holds = match numbers {
                Some(numbers) => Values::In(numbers.into_iter().map(Range::exactly).reduce(Range::or)?),
                None => Values::OneOf(items.iter().map(text).collect::<Option<_>>()?),
            };
            Some((column(value)?, holds))
        }
        ExprKind::InRange { value, low, high, inclusive } => {
            let end = |e: &Option<Box<Expr>>, or: f64| e.as_deref().map_or(Some(or), number);
            let (low, top) = (end(low, f64::NEG_INFINITY)?, end(high, f64::INFINITY)?);
            let range = Range { low, high: top, above: false, below: high.is_some() && !inclusive };
            Some((column(value)?, Values::In(range)))
        }
        _ => None,
    }
}

const NULL: &str = "null";

fn with_null(mut values: BTreeSet<String>) -> BTreeSet<String> {
    values.insert(NULL.to_owned());
    values
}

fn compared(op: BinaryOp, constant: &Expr) -> Option<Values> {
    if let Some(c) = number(constant) {
        return Some(Values::In(match op {
            BinaryOp::Eq => Range::exactly(c),
            BinaryOp::Lt => Range { high: c, below: true, ..Range::ALL },
            BinaryOp::Le => Range { high: c, ..Range::ALL },
            BinaryOp::Gt => Range { low: c, above: true, ..Range::ALL },
            BinaryOp::Ge => Range { low: c, ..Range::ALL },
            _ => return None,
        }));
    }
    let text = BTreeSet::from([text(constant)?]);
    match op {
        BinaryOp::Eq => Some(Values::OneOf(text)),
        BinaryOp::Ne => Some(Values::NoneOf(with_null(text))),
        _ => None,
    }
}

/// A column as it is; a date as a datetime is its midnight.
fn column(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Column(name) => Some(name),
        ExprKind::Call { function, args } if matches!(function.as_str(), "float" | "datetime") && args.len() == 1 => {
            column(&args[0])
        }
        _ => None,
    }
}

/// A constant as a number; a time is its microseconds, which a float holds exactly.
fn number(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Literal(Value::Date(days)) => Some(f64::from(*days) * 86_400e6),
        ExprKind::Literal(Value::Datetime(us)) => Some(*us as f64),
        ExprKind::Literal(value) => value.as_f64(),
        ExprKind::Negate(x) => number(x).map(|c| -c),
        ExprKind::Call { function, args } if matches!(function.as_str(), "float" | "datetime") && args.len() == 1 => {
            number(&args[0])
        }
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Literal(Value::String(text)) => Some(format!("\"{text}\"")),
        ExprKind::Literal(Value::Bool(value)) => Some(value.to_string()),
        _ => None,
    }
}
