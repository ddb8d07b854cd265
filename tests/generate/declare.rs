//! `dataset` items: a file's columns as a job may declare them.

use dbjob_plan::{civil_date, civil_datetime};
use fastrand::Rng;

use super::data::{DataColumn, DataFile, FileFormat, LEVELS, Values};
use super::{chance, name_of, pick};

/// The text of a dataset of this file, without its expectations: the lines of its block, if it has one.
pub struct Declared {
    pub head: String,
    pub columns: Option<Vec<String>>,
}

impl Declared {
    pub fn text(&self, more: &[String]) -> String {
        match &self.columns {
            None => format!("{}\n", self.head),
            Some(columns) => {
                let lines: Vec<String> = columns.iter().chain(more).map(|line| format!("  {line}\n")).collect();
                format!("{} {{\n{}}}\n", self.head, lines.concat())
            }
        }
    }
}

pub fn dataset(name: &str, file: &DataFile, rng: &mut Rng) -> Declared {
    let source = match file.format {
        FileFormat::Csv { semicolons: true } => format!("csv({:?}, delimiter = \";\")", file.path()),
        FileFormat::Csv { .. } => format!("csv({:?})", file.path()),
        FileFormat::Parquet => format!("parquet({:?})", file.path()),
        FileFormat::Arrow => format!("arrow({:?})", file.path()),
        FileFormat::Ndjson => format!("ndjson({:?})", file.path()),
        FileFormat::Json => format!("json({:?})", file.path()),
        FileFormat::Inline => file.inline(),
    };
    let head = format!("dataset {name} from {source}");
    if chance(rng, 12) {
        return Declared { head, columns: None };
    }
    let with_key = chance(rng, 75);
    let rest = chance(rng, 12);
    let mut lines: Vec<String> = Vec::new();
    let (mut has_time, mut times) = (false, Vec::new());
    for column in &file.columns {
        let of_key = with_key && file.key.contains(&column.header);
        if !of_key && chance(rng, if rest { 50 } else { 15 }) {
            continue;
        }
        let line = declared(column, file.format, of_key, &mut has_time, rng);
        if let (Values::Datetime(..), Some((name, _))) = (&column.values, line.split_once(": ")) {
            times.push(name.to_owned());
        }
        lines.push(line);
    }
    for line in &mut lines {
        if line.ends_with(" label") && !times.is_empty() && chance(rng, 40) {
            line.push_str(&format!(" known at {}", pick(rng, &times)));
        } else if line.ends_with(" late") && has_time && chance(rng, 40) {
            line.push_str(" after 30d");
        }
    }
    rng.shuffle(&mut lines);
    if rest {
        lines.push("..".into());
    }
    Declared { head, columns: Some(lines) }
}

/// `amount: float? in 0.0.. named "Amount" late`
fn declared(column: &DataColumn, format: FileFormat, of_key: bool, has_time: &mut bool, rng: &mut Rng) -> String {
    let nullable = column.nulls || !of_key && chance(rng, 10);
    let mut ty = type_of(&column.values, rng);
    // Numbers of two digits, in text.
    if matches!(column.values, Values::Float(..)) && !format.is_made() && chance(rng, 12) {
        ty = "decimal(8, 2)".into();
    }
    if nullable {
        // `int? in 0..=9`
        ty = match ty.split_once(' ').filter(|_| !ty.starts_with("category")) {
            Some((name, refinement)) if !ty.starts_with("decimal") => format!("{name}? {refinement}"),
            _ => ty + "?",
        };
    }
    let name = if chance(rng, 8) && format != FileFormat::Inline {
        format!("n_{}", rng.u16(..))
    } else {
        column.header.clone()
    };
    let named = if name == column.header || format == FileFormat::Inline {
        String::new()
    } else {
        format!(" named {:?}", column.header)
    };
    let attribute = match &column.values {
        _ if of_key => " key",
        Values::Datetime(..) if !*has_time && !nullable && chance(rng, 40) => {
            *has_time = true;
            " time"
        }
        Values::Int(1, 9) if chance(rng, 60) => " id",
        Values::Bool | Values::Level(_) | Values::Float(..) if chance(rng, 12) => " label",
        Values::Float(..) if !nullable && chance(rng, 5) => " weight",
        _ if chance(rng, 5) => " late",
        _ => "",
    };
    format!("{}: {ty}{named}{attribute}", name_of(&name))
}

/// A type that holds the values, exact or looser.
pub fn type_of(values: &Values, rng: &mut Rng) -> String {
    let exact = rng.bool();
    match values {
        Values::Key if exact => "int in 1..".into(),
        Values::Int(low, high) if exact => match rng.u8(..3) {
            0 => format!("int in {low}..={high}"),
            1 => format!("int in {low}..{}", high + 1),
            _ => format!("int in {}..", low - 1),
        },
        Values::Key | Values::Int(..) | Values::AnyInt => "int".into(),
        Values::Float(low, high) if exact => match rng.u8(..2) {
            0 => format!("float in {low:?}..={high:?}"),
            _ => format!("float in {low:?}.."),
        },
        Values::Float(..) | Values::AnyFloat => "float".into(),
        Values::Bool => "bool".into(),
        Values::Level(n) => {
            let levels: Vec<String> = LEVELS[..*n].iter().map(|l| format!("{l:?}")).collect();
            match rng.u8(..4) {
                0 => "string".into(),
                1 => format!("string in [{}]", levels.join(", ")),
                2 => "category".into(),
                _ => format!("category({})", levels.join(", ")),
            }
        }
        Values::Text | Values::Digits => (*pick(rng, &["string", "string", "category"])).into(),
        Values::Date(low, high) if chance(rng, 20) => format!("date in @{}..=@{}", civil_date(*low), civil_date(*high)),
        Values::Date(..) => "date".into(),
        Values::Datetime(low, _) if chance(rng, 20) => format!("datetime in @{}..", civil_datetime(*low)),
        Values::Datetime(..) => "datetime".into(),
        Values::Texts => "list[string]".into(),
        Values::Pair => (*pick(rng, &["vector(2)", "list[float]"])).into(),
    }
}
