//! Rows on their way: typed columns of a bounded number of rows.

use dbjob_plan::{DataLocation, DataType, Decimal, Field, Relation, RunError, Value};

use crate::Take;

/// Rows and bytes of a chunk; the last row may go over the bytes.
const ROWS: usize = 20_000;
const BYTES: usize = 8 << 20;

/// Some rows: a value of each column for each row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chunk {
    pub rows: usize,
    pub columns: Vec<Values>,
}

/// The values of a column, in the physical form of its [`DataType`]; a decimal is its unscaled number.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    Int(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Decimal(Vec<Option<i128>>),
    Bool(Vec<Option<bool>>),
    /// Of strings and categories.
    Text(Vec<Option<String>>),
    Date(Vec<Option<i32>>),
    Datetime(Vec<Option<i64>>),
    Duration(Vec<Option<i64>>),
    /// Of lists and vectors.
    List(Vec<Option<Vec<Value>>>),
}

impl Values {
    pub fn new(dtype: &DataType) -> Self {
        match dtype {
            DataType::Int => Self::Int(Vec::new()),
            DataType::Float => Self::Float(Vec::new()),
            DataType::Decimal { .. } => Self::Decimal(Vec::new()),
            DataType::Bool => Self::Bool(Vec::new()),
            DataType::String | DataType::Category { .. } | DataType::Unknown => Self::Text(Vec::new()),
            DataType::Date => Self::Date(Vec::new()),
            DataType::Datetime => Self::Datetime(Vec::new()),
            DataType::Duration => Self::Duration(Vec::new()),
            DataType::List { .. } | DataType::Vector { .. } => Self::List(Vec::new()),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Int(v) | Self::Datetime(v) | Self::Duration(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Decimal(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::Text(v) => v.len(),
            Self::Date(v) => v.len(),
            Self::List(v) => v.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A value for messages and lists; `scale`: of a decimal.
    pub fn value(&self, row: usize, scale: u8) -> Value {
        match self {
            Self::Int(v) => v[row].map_or(Value::Null, Value::Int),
            Self::Float(v) => v[row].map_or(Value::Null, Value::Float),
            Self::Decimal(v) => v[row].map_or(Value::Null, |unscaled| Value::Decimal(Decimal { unscaled, scale })),
            Self::Bool(v) => v[row].map_or(Value::Null, Value::Bool),
            Self::Text(v) => v[row].clone().map_or(Value::Null, Value::String),
            Self::Date(v) => v[row].map_or(Value::Null, Value::Date),
            Self::Datetime(v) => v[row].map_or(Value::Null, Value::Datetime),
            Self::Duration(v) => v[row].map_or(Value::Null, Value::Duration),
            Self::List(v) => v[row].clone().map_or(Value::Null, Value::List),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Int(v) | Self::Datetime(v) | Self::Duration(v) => v.push(None),
            Self::Float(v) => v.push(None),
            Self::Decimal(v) => v.push(None),
            Self::Bool(v) => v.push(None),
            Self::Text(v) => v.push(None),
            Self::Date(v) => v.push(None),
            Self::List(v) => v.push(None),
        }
    }
}

/// A value as a database gave it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Int(i64),
    Float(f64),
    Decimal(Decimal),
    Bool(bool),
    Text(&'a str),
    Date(i32),
    Datetime(i64),
    Duration(i64),
    List(Vec<Value>),
    /// None of the declared type: how it is shown.
    Wrong(String),
}

/// Gathers cells to chunks and hands these on.
pub(crate) struct Gather<'a> {
    relation: &'a Relation,
    wanted: &'a [Field],
    take: Take<'a>,
    chunk: Chunk,
    bytes: usize,
    before: u64,
}

impl<'a> Gather<'a> {
    pub fn new(relation: &'a Relation, wanted: &'a [Field], take: Take<'a>) -> Self {
        Self { relation, wanted, take, chunk: empty(wanted), bytes: 0, before: 0 }
    }

    /// The next cell of the row.
    ///
    /// Errors: E0704.
    pub fn cell(&mut self, column: usize, cell: Cell<'_>) -> Result<(), RunError> {
        match (&mut self.chunk.columns[column], cell) {
            (values, Cell::Null) => values.push_null(),
            (Values::Int(v), Cell::Int(x))
            | (Values::Datetime(v), Cell::Datetime(x))
            | (Values::Duration(v), Cell::Duration(x)) => v.push(Some(x)),
            (Values::Float(v), Cell::Float(x)) => v.push(Some(x)),
            (Values::Bool(v), Cell::Bool(x)) => v.push(Some(x)),
            (Values::Date(v), Cell::Date(x)) => v.push(Some(x)),
            (Values::Text(v), Cell::Text(x)) => {
                self.bytes += x.len();
                v.push(Some(x.to_owned()));
            }
            (Values::List(v), Cell::List(x)) => {
                self.bytes += 16 * x.len();
                v.push(Some(x));
            }
            (Values::Decimal(v), Cell::Decimal(x)) => {
                let DataType::Decimal { precision, scale } = self.wanted[column].dtype else { return Ok(()) };
                match x.with_scale(scale).filter(|x| x.fits(precision)) {
                    Some(x) => v.push(Some(x.unscaled)),
                    None => return Err(self.wrong(column, &x.to_string())),
                }
            }
            (_, Cell::Wrong(shown)) => return Err(self.wrong(column, &shown)),
            (_, other) => return Err(self.wrong(column, &format!("{other:?}"))),
        }
        Ok(())
    }

    /// After the last cell of a row; says whether a chunk was handed on.
    pub fn end_row(&mut self) -> Result<bool, RunError> {
        self.chunk.rows += 1;
        self.bytes += 8 * self.wanted.len();
        let full = self.chunk.rows >= ROWS || self.bytes >= BYTES;
        if full {
            self.hand_on()?;
        }
        Ok(full)
    }

    pub fn finish(mut self) -> Result<(), RunError> {
        if self.chunk.rows > 0 { self.hand_on() } else { Ok(()) }
    }

    fn hand_on(&mut self) -> Result<(), RunError> {
        self.before += self.chunk.rows as u64;
        self.bytes = 0;
        (self.take)(std::mem::replace(&mut self.chunk, empty(self.wanted)))
    }

    fn wrong(&self, column: usize, shown: &str) -> RunError {
        let field = &self.wanted[column];
        let row = self.before + self.chunk.rows as u64 + 1;
        let shown: String = shown.chars().take(80).collect();
        let relation = self.relation;
        let message =
            format!("column {:?} of {relation} is {shown} in row {row}, which is no {}", field.name, field.dtype);
        RunError::new("E0704", message)
            .help("convert or leave out such values in a query: `query = \"select …\"`")
            .data(DataLocation {
                row: Some(row),
                column: Some(field.name.clone()),
                value: Some(shown),
                ..Default::default()
            })
    }
}

fn empty(wanted: &[Field]) -> Chunk {
    Chunk { rows: 0, columns: wanted.iter().map(|f| Values::new(&f.dtype)).collect() }
}
