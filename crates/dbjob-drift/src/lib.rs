//! Drift: what the rows of a training were like, in few numbers, and how far the rows of today are from that.
//!
//! A [`Profile`] is made once, of a table's columns, and stored with the model. A [`Tally`] counts other rows by its buckets and
//! levels; [`drift`] compares the two. A [`Window`] is a tally of the last hour. Nothing here knows tables or files.

mod compare;
mod profile;
mod tally;
mod window;

pub use compare::{ColumnDrift, Drift, drift};
pub use profile::{Column, Profile, Shape, levels, numbers, unlooked};
pub use tally::{Cell, Tally};
pub use window::Window;

use dbjob_plan::DataType;

/// How the values of a type are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// As numbers: quantiles and a distribution. Times are microseconds, dates days.
    Numbers,
    /// By the share of each level.
    Levels,
    /// Only how many are null.
    Nulls,
}

impl Look {
    pub fn of(dtype: &DataType) -> Self {
        match dtype {
            DataType::Int | DataType::Float | DataType::Decimal { .. } => Self::Numbers,
            DataType::Date | DataType::Datetime | DataType::Duration => Self::Numbers,
            DataType::Bool | DataType::String | DataType::Category { .. } => Self::Levels,
            DataType::List { .. } | DataType::Vector { .. } | DataType::Unknown => Self::Nulls,
        }
    }
}
