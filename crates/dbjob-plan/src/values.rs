//! Rows outside of an engine, column by column, in the physical forms of [`DataType`].

use crate::{DataType, Decimal, Value};

/// A column's values; `None` is null.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    Bool(Vec<Option<bool>>),
    Int(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    /// In units of the last digit of the column's scale.
    Decimal(Vec<Option<i128>>),
    /// Strings and categories.
    Text(Vec<Option<String>>),
    /// Days since 1970-01-01.
    Date(Vec<Option<i32>>),
    /// Microseconds, since 1970-01-01T00:00:00Z.
    Datetime(Vec<Option<i64>>),
    /// Microseconds.
    Duration(Vec<Option<i64>>),
    /// Lists and vectors.
    List(Vec<Option<Vec<Value>>>),
}

/// Does the same with whatever a column holds.
macro_rules! each {
    ($values:expr, $v:ident => $body:expr) => {
        match $values {
            Values::Bool($v) => $body,
            Values::Int($v) => $body,
            Values::Float($v) => $body,
            Values::Decimal($v) => $body,
            Values::Text($v) => $body,
            Values::Date($v) => $body,
            Values::Datetime($v) | Values::Duration($v) => $body,
            Values::List($v) => $body,
        }
    };
}

impl Values {
    /// Without rows.
    pub fn new(dtype: &DataType) -> Self {
        match dtype {
            DataType::Bool => Self::Bool(Vec::new()),
            DataType::Int => Self::Int(Vec::new()),
            DataType::Float => Self::Float(Vec::new()),
            DataType::Decimal { .. } => Self::Decimal(Vec::new()),
            DataType::Date => Self::Date(Vec::new()),
            DataType::Datetime => Self::Datetime(Vec::new()),
            DataType::Duration => Self::Duration(Vec::new()),
            DataType::List { .. } | DataType::Vector { .. } => Self::List(Vec::new()),
            DataType::String | DataType::Category { .. } | DataType::Unknown => Self::Text(Vec::new()),
        }
    }

    pub fn len(&self) -> usize {
        each!(self, v => v.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A value for messages and lists; `scale`: of a decimal.
    pub fn value(&self, row: usize, scale: u8) -> Value {
        match self {
            Self::Bool(v) => v[row].map_or(Value::Null, Value::Bool),
            Self::Int(v) => v[row].map_or(Value::Null, Value::Int),
            Self::Float(v) => v[row].map_or(Value::Null, Value::Float),
            Self::Decimal(v) => v[row].map_or(Value::Null, |unscaled| Value::Decimal(Decimal { unscaled, scale })),
            Self::Text(v) => v[row].clone().map_or(Value::Null, Value::String),
            Self::Date(v) => v[row].map_or(Value::Null, Value::Date),
            Self::Datetime(v) => v[row].map_or(Value::Null, Value::Datetime),
            Self::Duration(v) => v[row].map_or(Value::Null, Value::Duration),
            Self::List(v) => v[row].clone().map_or(Value::Null, Value::List),
        }
    }

    /// Makes room for so many more.
    pub fn reserve(&mut self, rows: usize) {
        each!(self, v => v.reserve(rows));
    }

    pub fn push_null(&mut self) {
        each!(self, v => v.push(None));
    }

    pub fn truncate(&mut self, rows: usize) {
        each!(self, v => v.truncate(rows));
    }

    /// Adds the rows of a column of the same type behind its own.
    pub fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::Bool(a), Self::Bool(mut b)) => a.append(&mut b),
            (Self::Int(a), Self::Int(mut b)) => a.append(&mut b),
            (Self::Float(a), Self::Float(mut b)) => a.append(&mut b),
            (Self::Decimal(a), Self::Decimal(mut b)) => a.append(&mut b),
            (Self::Text(a), Self::Text(mut b)) => a.append(&mut b),
            (Self::Date(a), Self::Date(mut b)) => a.append(&mut b),
            (Self::Datetime(a), Self::Datetime(mut b)) | (Self::Duration(a), Self::Duration(mut b)) => a.append(&mut b),
            (Self::List(a), Self::List(mut b)) => a.append(&mut b),
            (a, b) => unreachable!("columns of one field are of one type: {a:?}, {b:?}"),
        }
    }

    /// These rows, in this order.
    pub fn take(&self, rows: &[usize]) -> Self {
        fn of<T: Clone>(values: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|row| values[*row].clone()).collect()
        }
        match self {
            Self::Bool(v) => Self::Bool(of(v, rows)),
            Self::Int(v) => Self::Int(of(v, rows)),
            Self::Float(v) => Self::Float(of(v, rows)),
            Self::Decimal(v) => Self::Decimal(of(v, rows)),
            Self::Text(v) => Self::Text(of(v, rows)),
            Self::Date(v) => Self::Date(of(v, rows)),
            Self::Datetime(v) => Self::Datetime(of(v, rows)),
            Self::Duration(v) => Self::Duration(of(v, rows)),
            Self::List(v) => Self::List(of(v, rows)),
        }
    }
}
