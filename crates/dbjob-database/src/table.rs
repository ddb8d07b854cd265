//! Columns of databases and what they hold, in the terms of the language.

use dbjob_plan::{DataLocation, DataType, DatabaseSystem, Field, Relation, RunError, near};

/// A column of a table or query.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub name: String,
    /// Its type in the words of the database.
    pub shown: String,
    pub kind: Kind,
    pub nullable: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Int,
    Float,
    /// A float of 32 bits.
    Single,
    Decimal {
        precision: u8,
        scale: u8,
    },
    /// A decimal number of any size.
    Number,
    Bool,
    Text,
    Json,
    Date,
    /// With that many digits after the second.
    Datetime {
        digits: u8,
    },
    Duration {
        digits: u8,
    },
    List(Box<Kind>),
    /// SQLite: each value has a type of its own.
    Any,
    Other,
}

impl Kind {
    /// The type that it is read as where nothing is declared.
    pub fn reads(&self) -> Option<DataType> {
        Some(match self {
            Self::Int => DataType::Int,
            Self::Float | Self::Single | Self::Number => DataType::Float,
            Self::Decimal { precision, scale } => DataType::Decimal { precision: *precision, scale: *scale },
            Self::Bool => DataType::Bool,
            Self::Text | Self::Json | Self::Any => DataType::String,
            Self::Date => DataType::Date,
            Self::Datetime { .. } => DataType::Datetime,
            Self::Duration { .. } => DataType::Duration,
            Self::List(item) => DataType::List { item: Box::new(item.reads()?) },
            Self::Other => return None,
        })
    }

    /// Whether a column of it may be declared so.
    pub fn gives(&self, declared: &DataType, system: DatabaseSystem) -> bool {
        use DataType as T;
        let sqlite = system == DatabaseSystem::Sqlite;
        match (self, declared) {
            (Self::Any, _) => true,
            (Self::Int, T::Int | T::Float | T::Decimal { .. }) => true,
            (Self::Int, T::Bool | T::Duration) => sqlite,
            (Self::Float | Self::Single, T::Float) => true,
            // SQLite keeps whole numbers there too.
            (Self::Decimal { .. } | Self::Number, T::Int) => sqlite,
            (Self::Decimal { .. } | Self::Number, T::Float | T::Decimal { .. }) => true,
            (Self::Bool, T::Bool) | (Self::Date, T::Date) => true,
            (Self::Datetime { .. }, T::Datetime) | (Self::Duration { .. }, T::Duration) => true,
            (Self::Text | Self::Json, T::String | T::Category { .. }) => true,
            (Self::Text, T::Date | T::Datetime | T::Decimal { .. }) => sqlite,
            (Self::Text | Self::Json, T::List { .. } | T::Vector { .. }) => system != DatabaseSystem::Postgres,
            (Self::List(_), T::List { .. } | T::Vector { .. }) => true,
            _ => false,
        }
    }

    /// Whether a column of it takes values of that type without loss; a value outside its range is refused by the database.
    pub fn takes(&self, written: &DataType, system: DatabaseSystem) -> bool {
        use DataType as T;
        match (self, written) {
            (Self::Single, _) => false,
            (Self::Int, T::Float | T::Decimal { .. }) => false,
            (Self::Decimal { precision, scale }, T::Decimal { precision: p, scale: s }) => {
                s <= scale && p.saturating_sub(*s) <= precision.saturating_sub(*scale)
            }
            (Self::Decimal { .. }, T::Float) => false,
            (Self::Decimal { .. } | Self::Number, T::Int) => true,
            (Self::List(item), T::List { item: inner }) => item.takes(inner, system),
            (Self::List(item), T::Vector { .. }) => **item == Self::Float,
            _ => self.gives(written, system),
        }
    }
}

/// Where a wanted column stands among those that are there.
///
/// Errors: E0705, E0717.
pub(crate) fn find(
    stored: &[Stored],
    wanted: &Field,
    relation: &Relation,
    system: DatabaseSystem,
) -> Result<usize, RunError> {
    let at = DataLocation { column: Some(wanted.name.clone()), ..DataLocation::default() };
    let Some(position) = stored.iter().position(|s| s.name == wanted.name) else {
        let error = RunError::new("E0705", format!("{relation} has no column {:?}", wanted.name)).data(at);
        return Err(with_near(error, &wanted.name, stored));
    };
    let found = &stored[position];
    if found.kind.gives(&wanted.dtype, system) {
        return Ok(position);
    }
    let message = format!("column {:?} of {relation} is {}, declared is {}", wanted.name, found.shown, wanted.dtype);
    let help = match found.kind.reads() {
        Some(reads) => format!("declare `{}: {reads}` and convert it in a `derive`", wanted.name),
        None => "this engine cannot read such columns: cast it to another type in a `query`".into(),
    };
    Err(RunError::new("E0717", message).help(help).data(at))
}

/// The columns as fields.
///
/// Errors: E0717.
pub(crate) fn fields(stored: Vec<Stored>, relation: &Relation) -> Result<Vec<Field>, RunError> {
    let field = |s: Stored| match s.kind.reads() {
        Some(dtype) => Ok(Field::new(s.name, dtype, s.nullable)),
        None => Err(RunError::new("E0717", format!("column {:?} of {} is {}", s.name, relation, s.shown))
            .help("this engine cannot read such columns: declare the dataset's columns without it")),
    };
    stored.into_iter().map(field).collect()
}

/// Whether the table takes rows of these columns.
///
/// Errors: E0735.
pub(crate) fn accepts(
    there: &[Stored],
    columns: &[Field],
    table: &str,
    system: DatabaseSystem,
) -> Result<(), RunError> {
    for column in columns {
        let Some(found) = there.iter().find(|s| same_name(&s.name, &column.name, system)) else {
            let error = RunError::new("E0735", format!("table {table:?} has no column {:?}", column.name));
            let error = with_near(error, &column.name, there);
            let help = error.help.clone().unwrap_or_default();
            return Err(
                error.help(format!("{help}; `rename` or `select` in a transform gives the columns that it has"))
            );
        };
        if !found.kind.takes(&column.dtype, system) {
            let message =
                format!("column {:?} of table {table:?} is {}, written is {}", column.name, found.shown, column.dtype);
            return Err(RunError::new("E0735", message).help(format!(
                "convert `{}` in a `derive`, alter the table, or write `mode = replace` to make it anew",
                column.name
            )));
        }
    }
    Ok(())
}

/// Whether the table has exactly these columns, so that `replace` can keep it.
pub(crate) fn is_same(there: &[Stored], columns: &[Field], table: &str, system: DatabaseSystem) -> bool {
    there.len() == columns.len() && accepts(there, columns, table, system).is_ok()
}

/// Only PostgreSQL knows columns apart by case.
pub(crate) fn same_name(a: &str, b: &str, system: DatabaseSystem) -> bool {
    a == b || (system != DatabaseSystem::Postgres && a.to_lowercase() == b.to_lowercase())
}

fn with_near(error: RunError, name: &str, stored: &[Stored]) -> RunError {
    let near = near(name, stored.iter().map(|s| s.name.as_str()));
    if near.is_empty() {
        let all: Vec<&str> = stored.iter().take(12).map(|s| s.name.as_str()).collect();
        error.help(format!("its columns are {}", all.join(", ")))
    } else {
        error.help(format!("did you mean {}?", near.join(" or ")))
    }
}
