use dbjob_plan::{DataType, Schema, SplitKey, civil_date, civil_datetime};
use polars::prelude::{Column, PolarsResult};
use twox_hash::XxHash64;

/// What stands for null in a key; no text of a table begins so.
const NULL_KEY: &str = "\u{0}null";
/// Between the parts of a key of several columns.
const UNIT_SEPARATOR: char = '\u{1f}';

/// Gives each row a number in [0, 1) by the text of its key.
#[derive(Debug, Clone)]
pub(crate) struct RowHash {
    /// All that stands before the key: `<seed>|`, `<seed>|folds|`, `<seed>|sample1|`.
    prefix: String,
    types: Vec<DataType>,
}

impl RowHash {
    /// `salt` tells folds and samples from parts. Without key columns the key is one int: the row's number.
    pub fn new(seed: i64, salt: &str, key: &SplitKey, schema: &Schema) -> Self {
        let prefix = if salt.is_empty() { format!("{seed}|") } else { format!("{seed}|{salt}|") };
        let types = match key.columns.as_slice() {
            [] => vec![DataType::Int],
            some => some.iter().map(|n| schema.get(n).map_or(DataType::String, |f| f.dtype.clone())).collect(),
        };
        Self { prefix, types }
    }

    /// u of every row of the key's columns.
    pub fn of(&self, columns: &[Column]) -> PolarsResult<Vec<f64>> {
        let rows = columns.first().map_or(0, Column::len);
        let physical: Vec<Column> = columns.iter().map(Column::to_physical_repr).collect();
        let texts = Texts::new(&physical, &self.types)?;
        let mut key = String::new();
        Ok((0..rows)
            .map(|row| {
                key.clear();
                key.push_str(&self.prefix);
                texts.push(row, &mut key);
                share(&key)
            })
            .collect())
    }
}

/// u in [0, 1) of a whole key text.
pub(crate) fn share(key: &str) -> f64 {
    (XxHash64::oneshot(42, key.as_bytes()) >> 11) as f64 * (0.5_f64).powi(53)
}

/// The canonical texts of rows: ints in decimal, dates `YYYY-MM-DD`, datetimes `YYYY-MM-DDThh:mm:ss` with a fraction only
/// if there is one, bools `true` and `false`, strings as they are.
pub(crate) struct Texts<'a> {
    columns: Vec<Text<'a>>,
}

/// Appends the text of a row's value.
type Text<'a> = Box<dyn Fn(usize, &mut String) + 'a>;

impl<'a> Texts<'a> {
    /// Of columns in their physical form.
    pub fn new(physical: &'a [Column], types: &[DataType]) -> PolarsResult<Self> {
        let columns =
            physical.iter().zip(types).map(|(column, dtype)| text(column, dtype)).collect::<PolarsResult<_>>()?;
        Ok(Self { columns })
    }

    /// Appends the text of a row.
    pub fn push(&self, row: usize, out: &mut String) {
        for (i, text) in self.columns.iter().enumerate() {
            if i > 0 {
                out.push(UNIT_SEPARATOR);
            }
            text(row, out);
        }
    }
}

fn text<'a>(column: &'a Column, dtype: &DataType) -> PolarsResult<Text<'a>> {
    use std::fmt::Write as _;
    fn put<T>(value: Option<T>, out: &mut String, show: impl Fn(T, &mut String)) {
        match value {
            Some(value) => show(value, out),
            None => out.push_str(NULL_KEY),
        }
    }
    Ok(match dtype {
        DataType::String | DataType::Category { .. } => {
            let values = column.str()?;
            Box::new(move |row, out| put(values.get(row), out, |s, out| out.push_str(s)))
        }
        DataType::Bool => {
            let values = column.bool()?;
            Box::new(move |row, out| put(values.get(row), out, |b, out| out.push_str(if b { "true" } else { "false" })))
        }
        DataType::Date => {
            let values = column.i32()?;
            Box::new(move |row, out| put(values.get(row), out, |d, out| out.push_str(&civil_date(d))))
        }
        DataType::Datetime => {
            let values = column.i64()?;
            Box::new(move |row, out| put(values.get(row), out, |us, out| out.push_str(&civil_datetime(us))))
        }
        _ => {
            let values = column.i64()?;
            Box::new(move |row, out| {
                put(values.get(row), out, |i, out| write!(out, "{i}").expect("writing to a string cannot fail"));
            })
        }
    })
}
