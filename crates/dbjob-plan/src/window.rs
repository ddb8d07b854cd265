use serde::{Deserialize, Serialize};

use crate::{Expr, NamedExpr, SortKey};

/// Columns computed over the rows around each row; the rows stay as they are and where they are.
///
/// Invariants of the expressions in `columns`: an aggregate has a frame; the functions of the order (`lag`, `lead`,
/// `row_number`, `rank`, `dense_rank`) have none and need `order`, as do all frames but [`Frame::All`]; what is outside of
/// them is computed for the row itself. The columns do not see each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Rows with one combination of values are a partition; null is a value like any other. Empty: one partition.
    pub by: Vec<Expr>,
    /// The order inside a partition, nulls last; rows with equal keys are peers, and among them the order of the table
    /// decides.
    pub order: Vec<SortKey>,
    pub columns: Vec<NamedExpr>,
}

/// The rows that an aggregate of a window sees from one row: rows of its partition, by the window's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// The whole partition.
    All,
    /// By the first order key, a date (its midnight) or datetime t, in microseconds: `Last` is (t - size, t], the row and
    /// its peers included; `Previous` is [t - size, t); `Next` is (t, t + size]. Whether the order is ascending does not
    /// matter. From a row whose key is null nothing is seen, and such a row is never seen.
    Time { reach: Reach, size: i64 },
    /// By position: `Last` counts the row itself, `Previous` and `Next` do not. `None`: all of that side.
    Rows { reach: Reach, count: Option<u64> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Up to the row, with it.
    Last,
    /// Before the row.
    Previous,
    /// Behind the row.
    Next,
}
