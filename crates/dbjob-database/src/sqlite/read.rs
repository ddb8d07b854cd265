use dbjob_plan::{Cancel, DataType, DatabaseSystem, Field, Relation, RunError};
use rusqlite::Connection;
use rusqlite::types::Type;

use super::{columns, failed, is_open, no_table, open, select, types};
use crate::address::SqliteFile;
use crate::chunk::Gather;
use crate::fault;
use crate::relation::quoted_list;
use crate::table::{self, Kind, Stored};
use crate::watch::Watch;
use crate::{Take, relation};

/// So many rows tell what a column without a declared type holds.
const SAMPLE: usize = 1_000;

pub(crate) fn infer(file: &SqliteFile, relation: &Relation) -> Result<Vec<Field>, RunError> {
    let connection = open(file)?;
    let mut stored = describe(file, &connection, relation)?;
    if stored.iter().any(|s| is_open(&s.kind)) {
        sample(file, &connection, relation, &mut stored)?;
    }
    table::fields(stored, relation)
}

pub(crate) fn read(
    file: &SqliteFile,
    relation: &Relation,
    wanted: &[Field],
    cancel: &Cancel,
    take: Take<'_>,
) -> Result<(), RunError> {
    let connection = open(file)?;
    let stored = describe(file, &connection, relation)?;
    for field in wanted {
        table::find(&stored, field, relation, DatabaseSystem::Sqlite)?;
    }
    let handle = connection.get_interrupt_handle();
    let _watch = Watch::new(cancel, move || handle.interrupt());
    let wrong = |e: rusqlite::Error| failed(file, &e);
    let names = quoted_list(wanted.iter().map(|f| f.name.as_str()), '"');
    let mut statement = connection.prepare(&select(relation, &names)).map_err(wrong)?;
    let mut rows = statement.query([]).map_err(wrong)?;
    let mut gather = Gather::new(relation, wanted, take);
    while let Some(row) = rows.next().map_err(wrong)? {
        for (i, field) in wanted.iter().enumerate() {
            gather.cell(i, types::cell(row.get_ref(i).map_err(wrong)?, &field.dtype))?;
        }
        if gather.end_row()? && cancel.is_cancelled() {
            return Err(fault::stopped());
        }
    }
    gather.finish()
}

/// The columns of what is read.
fn describe(file: &SqliteFile, connection: &Connection, relation: &Relation) -> Result<Vec<Stored>, RunError> {
    let wrong = |e: rusqlite::Error| failed(file, &e);
    match relation {
        Relation::Table(table) => match columns(connection, table).map_err(wrong)? {
            none if none.is_empty() => Err(no_table(file, connection, table)),
            columns => Ok(columns),
        },
        Relation::Query(_) => {
            let statement = connection.prepare(&select(relation, "*")).map_err(wrong)?;
            let stored = |c: rusqlite::Column<'_>| {
                let declared = c.decl_type().unwrap_or_default();
                let (kind, shown) = (types::kind(declared), types::shown(declared));
                Stored { name: c.name().to_owned(), kind, shown, nullable: true }
            };
            Ok(statement.columns().map(stored).collect())
        }
    }
}

/// Kinds of columns without a declared type, by their first values.
fn sample(
    file: &SqliteFile,
    connection: &Connection,
    relation: &Relation,
    stored: &mut [Stored],
) -> Result<(), RunError> {
    let wrong = |e: rusqlite::Error| failed(file, &e);
    let names = relation::quoted_list(stored.iter().map(|s| s.name.as_str()), '"');
    let mut statement = connection.prepare(&select(relation, &names)).map_err(wrong)?;
    let mut rows = statement.query([]).map_err(wrong)?;
    let mut seen: Vec<Option<DataType>> = vec![None; stored.len()];
    let mut left = SAMPLE;
    while let Some(row) = rows.next().map_err(wrong)?.filter(|_| left > 0) {
        left -= 1;
        for (i, seen) in seen.iter_mut().enumerate() {
            let now = match row.get_ref(i).map_err(wrong)?.data_type() {
                Type::Null => continue,
                Type::Integer => DataType::Int,
                Type::Real => DataType::Float,
                Type::Text | Type::Blob => DataType::String,
            };
            *seen = Some(match (seen.take(), now) {
                (None, now) => now,
                (Some(old), now) if old == now => now,
                (Some(DataType::Int | DataType::Float), DataType::Int | DataType::Float) => DataType::Float,
                _ => DataType::String,
            });
        }
    }
    for (column, seen) in stored.iter_mut().zip(seen).filter(|(c, _)| is_open(&c.kind)) {
        column.kind = match seen {
            Some(DataType::Int) => Kind::Int,
            Some(DataType::Float) => Kind::Float,
            _ => Kind::Text,
        };
    }
    Ok(())
}
