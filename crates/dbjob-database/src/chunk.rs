//! Rows on their way: typed columns of a bounded number of rows.

use dbjob_plan::{DataLocation, DataType, Decimal, Field, Relation, RunError, Value, Values};

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
