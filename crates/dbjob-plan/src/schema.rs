use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Value;

/// The type of a column's values, without nullability.
///
/// Physical form on every engine: `Int` 64-bit signed, `Float` 64-bit IEEE, `Date` days since 1970-01-01,
/// `Datetime` microseconds since 1970-01-01T00:00:00Z, `Duration` microseconds, `Category` text, `Vector` a list of floats
/// without nulls, `Decimal` a 128-bit integer of its scale; the items of a `List` may be null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum DataType {
    Int,
    Float,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Bool,
    String,
    Date,
    Datetime,
    Duration,
    /// `levels: None` is an open category: its levels are learned from data.
    Category {
        levels: Option<Vec<String>>,
    },
    List {
        item: Box<DataType>,
    },
    /// `width: None` when only the data tell it (one-hot of an open category).
    Vector {
        width: Option<usize>,
    },
    /// The type of a bare `null`, and of an expression that was already reported. Never in a finished plan's schema.
    Unknown,
}

impl DataType {
    pub fn is_numeric(&self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Decimal { .. })
    }

    pub fn is_text(&self) -> bool {
        matches!(self, Self::String | Self::Category { .. })
    }

    pub fn is_temporal(&self) -> bool {
        matches!(self, Self::Date | Self::Datetime)
    }

    /// Whether `==`, groups and joins take its values: lists and vectors are looked into, not compared.
    pub fn is_comparable(&self) -> bool {
        !matches!(self, Self::List { .. } | Self::Vector { .. })
    }

    /// Whether values may be ordered with `<`, sorted and aggregated by `min` and `max`.
    pub fn is_ordered(&self) -> bool {
        self.is_numeric() || self.is_text() || self.is_temporal() || matches!(self, Self::Duration | Self::Bool)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision}, {scale})"),
            Self::Bool => f.write_str("bool"),
            Self::String => f.write_str("string"),
            Self::Date => f.write_str("date"),
            Self::Datetime => f.write_str("datetime"),
            Self::Duration => f.write_str("duration"),
            Self::Category { levels: None } => f.write_str("category"),
            Self::Category { levels: Some(levels) } => {
                let quoted: Vec<_> = levels.iter().map(|l| format!("{l:?}")).collect();
                write!(f, "category({})", quoted.join(", "))
            }
            Self::List { item } => write!(f, "list[{item}]"),
            Self::Vector { width: Some(n) } => write!(f, "vector({n})"),
            Self::Vector { width: None } => f.write_str("vector"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// What a declared column promises beyond its type: `int in 1..=500`, `string in ["a", "b"]`. Null passes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refinement {
    /// Bounds in the column's own type; a missing bound is open.
    Range {
        low: Option<Value>,
        high: Option<Value>,
        inclusive: bool,
    },
    OneOf(Vec<Value>),
}

/// As it stands behind `in`.
impl fmt::Display for Refinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(values) => write!(f, "{}", Value::List(values.clone())),
            Self::Range { low, high, inclusive } => {
                if let Some(low) = low {
                    write!(f, "{low}")?;
                }
                f.write_str(if *inclusive && high.is_some() { "..=" } else { ".." })?;
                high.as_ref().map_or(Ok(()), |high| write!(f, "{high}"))
            }
        }
    }
}

/// A column of a table in the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    pub dtype: DataType,
    pub nullable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refinement: Option<Refinement>,
    /// Columns of ours that no user sees and no sink writes: what a split adds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

impl Field {
    pub fn new(name: impl Into<String>, dtype: DataType, nullable: bool) -> Self {
        Self { name: name.into(), dtype, nullable, refinement: None, hidden: false }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.name, self.dtype, if self.nullable { "?" } else { "" })
    }
}

/// The columns of a table, in order; names are unique.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Schema {
    pub fields: Vec<Field>,
    /// Prefixes of columns whose names only the data tell: the class probabilities of a model whose output is an
    /// open category (`p_probability_`). They ride along behind `fields` through every step that keeps its columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
}

impl Schema {
    pub fn new(fields: Vec<Field>) -> Self {
        Self { fields, open: Vec::new() }
    }

    pub fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// The columns that a user sees.
    pub fn visible(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|f| !f.hidden)
    }
}

/// The hidden column that a split adds: `PART_TRAIN`, `PART_VALID`, `PART_TEST` or `PART_NONE` as an `Int`.
pub const PART: &str = "__part";
pub const PART_TRAIN: i64 = 0;
pub const PART_VALID: i64 = 1;
pub const PART_TEST: i64 = 2;
/// Neither learned from nor judged; while a model is fitted for one fold.
pub const PART_NONE: i64 = 3;

/// The hidden column of a split with folds: the fold of a train row, from 0, or [`NO_FOLD`].
pub const FOLD: &str = "__fold";
/// The row is never held out: it is of another part, or of the first block in time.
pub const NO_FOLD: i64 = -1;

/// The hidden column of folds in time: the first fold that may learn from the row. Other folds learn from all rows but
/// their own.
pub const FOLD_FROM: &str = "__fold_from";

/// The hidden column of a split with folds: the number of the row there, by which it is known again. Gone below steps
/// that make other rows.
pub const ROW: &str = "__row";
