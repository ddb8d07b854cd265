//! Tables of data in files, with what is true of their columns. Jobs declare these columns, as they are or more loosely.

use std::collections::HashSet;

use dbjob_plan::{civil_date, civil_datetime};
use fastrand::Rng;

use super::{name_of, pick};

/// Texts that categories and joins share, so that values meet.
pub const LEVELS: [&str; 5] = ["red", "green", "blue", "grün", "deep red"];

const TEXTS: [&str; 10] = ["", "a", "Straße", "12", "-7.5", "2024-02-29", "x,y;z", "say \"no\"", "  padded ", "日本語"];

/// What the values of a column are.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// 1 to the number of rows, each once.
    Key,
    Int(i64, i64),
    /// Up to the ends of 64 bits.
    AnyInt,
    Float(f64, f64),
    /// Infinities and NaN too.
    AnyFloat,
    Bool,
    /// The first so many of [`LEVELS`].
    Level(usize),
    Text,
    /// Whole numbers as text.
    Digits,
    /// Days since 1970.
    Date(i32, i32),
    /// Microseconds since 1970.
    Datetime(i64, i64),
    /// Lists of [`LEVELS`], in formats that have lists.
    Texts,
    /// Two floats, in the same formats.
    Pair,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Date(i32),
    Datetime(i64),
    Texts(Vec<String>),
    Pair([f64; 2]),
}

impl Cell {
    fn json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Text(text) => text.as_str().into(),
            Self::Float(x) => (*x).into(),
            Self::Int(i) => (*i).into(),
            Self::Bool(b) => (*b).into(),
            Self::Date(days) => civil_date(*days).into(),
            Self::Datetime(us) => civil_datetime(*us).into(),
            Self::Texts(items) => items.clone().into(),
            Self::Pair(items) => items.to_vec().into(),
        }
    }

    /// As it is written in a job.
    fn literal(&self) -> String {
        match self {
            Self::Date(days) => format!("@{}", civil_date(*days)),
            Self::Datetime(us) => format!("@{}", civil_datetime(*us)),
            Self::Text(text) => format!("{text:?}"),
            Self::Float(x) => format!("{x:?}"),
            other => other.json().to_string(),
        }
    }
}

#[derive(Debug, Clone)]
pub struct DataColumn {
    pub header: String,
    pub values: Values,
    pub nulls: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    Csv {
        semicolons: bool,
    },
    Parquet,
    Arrow,
    Ndjson,
    /// An array of objects.
    Json,
    /// No file at all: the rows stand in the job.
    Inline,
}

impl FileFormat {
    /// Whether the engine makes the file, from a CSV file of its stem.
    pub fn is_made(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }

    fn has_lists(self) -> bool {
        matches!(self, Self::Ndjson | Self::Json)
    }
}

/// A table in a file.
#[derive(Debug, Clone)]
pub struct DataFile {
    pub stem: String,
    pub format: FileFormat,
    pub columns: Vec<DataColumn>,
    /// Columns that hold no combination of values twice.
    pub key: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

impl DataFile {
    pub fn new(stem: String, rng: &mut Rng) -> Self {
        let format = match rng.u8(..20) {
            0..8 => FileFormat::Csv { semicolons: false },
            8 | 9 => FileFormat::Csv { semicolons: true },
            10..13 => FileFormat::Ndjson,
            13 | 14 => FileFormat::Json,
            15 | 16 => FileFormat::Parquet,
            17 | 18 => FileFormat::Arrow,
            _ => FileFormat::Inline,
        };
        let height = match format {
            FileFormat::Inline => rng.usize(1..=12),
            _ if rng.u8(..60) == 0 => rng.usize(0..5),
            _ => rng.usize(15..=60),
        };
        let mut columns = vec![
            DataColumn { header: "id".into(), values: Values::Key, nulls: false },
            DataColumn { header: "user".into(), values: Values::Int(1, 9), nulls: rng.u8(..5) == 0 },
        ];
        for n in 0..rng.usize(4..=10) {
            let values = match rng.u8(..12) {
                0 if format.has_lists() => Values::Texts,
                1 if format.has_lists() => Values::Pair,
                // The least int is no literal.
                _ => Some(values(rng))
                    .filter(|v| *v != Values::AnyInt || format != FileFormat::Inline)
                    .unwrap_or(Values::Bool),
            };
            let header = match rng.u8(..12) {
                0 => format!("Column {n} (€)"),
                1 => format!("größe{n}"),
                2 => format!("order{n}"),
                _ => format!("{}{n}", word(&values)),
            };
            columns.push(DataColumn { header, values, nulls: rng.u8(..10) < 4 });
        }
        let mut rows: Vec<Vec<Cell>> =
            (0..height).map(|row| columns.iter().map(|c| cell(c, row, rng)).collect()).collect();
        rng.shuffle(&mut rows);
        let mut file = Self { stem, format, columns, key: vec!["id".into()], rows };
        if rng.u8(..4) == 0 {
            file.drop_duplicates_of_two();
        }
        file
    }

    /// Makes two columns the key together.
    fn drop_duplicates_of_two(&mut self) {
        let Some(second) = (2..self.columns.len()).find(|c| {
            matches!(
                self.columns[*c].values,
                Values::Int(..) | Values::Level(_) | Values::Date(..) | Values::Datetime(..)
            )
        }) else {
            return;
        };
        for column in [1, second] {
            self.columns[column].nulls = false;
        }
        let mut seen = HashSet::new();
        self.rows.retain(|row| {
            let pair = format!("{:?} {:?}", row[1], row[second]);
            row[1] != Cell::Null && row[second] != Cell::Null && seen.insert(pair)
        });
        self.key = vec![self.columns[1].header.clone(), self.columns[second].header.clone()];
    }

    pub fn extension(&self) -> &'static str {
        match self.format {
            FileFormat::Csv { .. } => "csv",
            FileFormat::Parquet => "parquet",
            FileFormat::Arrow => "arrow",
            FileFormat::Ndjson => "ndjson",
            FileFormat::Json => "json",
            FileFormat::Inline => "",
        }
    }

    pub fn path(&self) -> String {
        format!("{}.{}", self.stem, self.extension())
    }

    /// The text of the file; of what the engine makes, the CSV file that it makes it from.
    pub fn text(&self) -> String {
        match self.format {
            FileFormat::Ndjson => self.objects().iter().map(|row| format!("{row}\n")).collect(),
            FileFormat::Json => serde_json::Value::Array(self.objects()).to_string(),
            _ => self.csv(),
        }
    }

    /// `inline [ { id: 1 }, … ]`
    pub fn inline(&self) -> String {
        let cell = |(column, cell): (&DataColumn, &Cell)| format!("{}: {}", name_of(&column.header), cell.literal());
        let row = |row: &Vec<Cell>| {
            let cells: Vec<String> = self.columns.iter().zip(row).map(cell).collect();
            format!("  {{ {} }}", cells.join(", "))
        };
        format!("inline [\n{}\n]", self.rows.iter().map(row).collect::<Vec<_>>().join(",\n"))
    }

    fn csv(&self) -> String {
        let separator = if self.format == (FileFormat::Csv { semicolons: true }) { ";" } else { "," };
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let mut out = self.columns.iter().map(|c| quoted(&c.header)).collect::<Vec<_>>().join(separator) + "\n";
        for row in &self.rows {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| match cell {
                    Cell::Null => String::new(),
                    Cell::Text(text) => quoted(text),
                    Cell::Float(x) => format!("{x}"),
                    Cell::Int(i) => i.to_string(),
                    Cell::Bool(b) => b.to_string(),
                    Cell::Date(days) => civil_date(*days),
                    Cell::Datetime(us) => civil_datetime(*us),
                    Cell::Texts(_) | Cell::Pair(_) => unreachable!("only in formats that have lists"),
                })
                .collect();
            out += &cells.join(separator);
            out.push('\n');
        }
        out
    }

    fn objects(&self) -> Vec<serde_json::Value> {
        let object = |row: &Vec<Cell>| {
            self.columns.iter().zip(row).map(|(column, cell)| (column.header.clone(), cell.json())).collect()
        };
        self.rows.iter().map(|row| serde_json::Value::Object(object(row))).collect()
    }
}

fn values(rng: &mut Rng) -> Values {
    match rng.u8(..40) {
        0..7 => {
            let low = rng.i64(-20..=10);
            Values::Int(low, low + rng.i64(0..=100))
        }
        7 => Values::AnyInt,
        8..16 => {
            let low = *pick(rng, &[0.0, 0.5, -10.0, -1.0]);
            Values::Float(low, low + *pick(rng, &[0.0, 1.0, 20.0, 1000.0]))
        }
        16 => Values::AnyFloat,
        17..23 => Values::Bool,
        23..29 => Values::Level(rng.usize(1..=LEVELS.len())),
        29..32 => Values::Text,
        32 => Values::Digits,
        33..36 => Values::Date(19_700, 19_700 + rng.i32(0..=400)),
        _ => Values::Datetime(1_700_000_000_000_000, 1_700_000_000_000_000 + rng.i64(0..=90) * 86_400_000_000),
    }
}

fn word(values: &Values) -> &'static str {
    match values {
        Values::Key | Values::Int(..) | Values::AnyInt => "i",
        Values::Float(..) | Values::AnyFloat => "f",
        Values::Bool => "b",
        Values::Level(_) => "c",
        Values::Text | Values::Digits => "s",
        Values::Date(..) => "d",
        Values::Datetime(..) => "t",
        Values::Texts => "l",
        Values::Pair => "v",
    }
}

fn cell(column: &DataColumn, row: usize, rng: &mut Rng) -> Cell {
    if column.nulls && rng.u8(..5) == 0 {
        return Cell::Null;
    }
    match column.values {
        Values::Key => Cell::Int(row as i64 + 1),
        Values::Int(low, high) => Cell::Int(rng.i64(low..=high)),
        Values::AnyInt => Cell::Int(*pick(rng, &[i64::MIN, i64::MIN + 1, -1, 0, 1, 1 << 53, i64::MAX])),
        Values::Float(low, high) if rng.u8(..4) == 0 => Cell::Float(*pick(rng, &[low, high])),
        // Two digits, so that values meet.
        Values::Float(low, high) => {
            let x = low + rng.f64() * (high - low);
            Cell::Float(((x * 100.0).round() / 100.0).clamp(low, high))
        }
        // JSON has no other numbers.
        Values::AnyFloat => Cell::Float(*pick(rng, &[-1e300, -2.5, -0.0, 0.0, 1e-320, 0.1, 1e18, 1.7e308])),
        Values::Bool => Cell::Bool(rng.bool()),
        Values::Level(levels) => Cell::Text((*pick(rng, &LEVELS[..levels])).into()),
        Values::Text if rng.bool() => Cell::Text((*pick(rng, &LEVELS)).into()),
        // An empty cell is a null in a CSV file.
        Values::Text => Cell::Text((*pick(rng, &TEXTS[1..])).into()),
        Values::Digits => Cell::Text(rng.i64(-5..50).to_string()),
        Values::Date(low, high) => Cell::Date(rng.i32(low..=high)),
        Values::Datetime(low, high) if rng.bool() => Cell::Datetime(rng.i64(low..=high)),
        Values::Datetime(low, _) => Cell::Datetime(low),
        Values::Texts => Cell::Texts((0..rng.usize(..4)).map(|_| (*pick(rng, &LEVELS)).into()).collect()),
        Values::Pair => Cell::Pair([f64::from(rng.i8(..)), f64::from(rng.u8(..)) / 4.0]),
    }
}
