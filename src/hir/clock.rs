use std::sync::Arc;

use dbjob_plan::{BinaryOp, Expr, ExprKind, Value};

/// A time of a row, by the dataset that the row comes from: its column, and so many microseconds later.
///
/// A column has one where it holds exactly this time of its own row (see [`super::table::Column::clock`]), and a label
/// where it is known from then on (see [`super::taint::TaintSource::known`]). Both are lost where a value may come from
/// another row than the columns beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// (dataset, column)
    pub column: Arc<(String, String)>,
    pub later: i64,
}

/// A function of a time of a row that never falls: of two rows, the one with the greater value is the later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    pub time: Clock,
    /// The function and its other arguments; none of the time itself.
    function: String,
}

impl Pace {
    pub fn of_time(time: Clock) -> Self {
        Self { time, function: String::new() }
    }

    /// The function that an expression is, `clock` giving the time that a column holds.
    pub fn of(expr: &Expr, clock: impl Fn(&str) -> Option<Clock>) -> Option<Self> {
        let ExprKind::Call { function, args } = &expr.kind else { return None };
        let (first, others) = args.split_first()?;
        let ExprKind::Column(name) = &first.kind else { return None };
        let constants: Option<Vec<String>> = others
            .iter()
            .map(|arg| match &arg.kind {
                ExprKind::Literal(value) => Some(value.to_string()),
                _ => None,
            })
            .collect();
        let (time, constants) = (clock(name)?, constants?);
        let never_falls = matches!((function.as_str(), others.len()), ("truncate", 1) | ("date" | "year", 0));
        never_falls.then(|| Self { time, function: format!("{function}({})", constants.join(", ")) })
    }
}

impl Clock {
    pub fn new(dataset: &str, column: &str) -> Self {
        Self { column: Arc::new((dataset.to_owned(), column.to_owned())), later: 0 }
    }

    /// `None` where that is no time any more.
    pub fn shifted(&self, by: i64) -> Option<Self> {
        Some(Self { column: self.column.clone(), later: self.later.checked_add(by)? })
    }

    /// How much later this one is than another of the same column.
    pub fn after(&self, other: &Clock) -> Option<i128> {
        (self.column == other.column).then(|| i128::from(self.later) - i128::from(other.later))
    }

    /// Of `time + duration` and `time - duration`, with a constant duration.
    pub fn moved(op: BinaryOp, left: (Option<&Clock>, &Expr), right: (Option<&Clock>, &Expr)) -> Option<Self> {
        let by = |e: &Expr| match &e.kind {
            ExprKind::Literal(Value::Duration(us)) => Some(*us),
            _ => None,
        };
        match op {
            BinaryOp::Add => match (left.0, right.0) {
                (Some(time), _) => time.shifted(by(right.1)?),
                (None, time) => time?.shifted(by(left.1)?),
            },
            BinaryOp::Sub => left.0?.shifted(by(right.1)?.checked_neg()?),
            _ => None,
        }
    }
}
