use dbjob_plan::{Cancel, DataType, DatabaseSystem, Field, Relation, RunError};
use postgres::types::{FromSql, Type};
use postgres::{IsolationLevel, Row};

use super::{Session, describe, failed, select, types};
use crate::address::Server;
use crate::chunk::{Cell, Gather};
use crate::relation::quote;
use crate::{Take, fault, json, table};

/// Rows that are asked for at a time: what is in memory is that many rows at most.
const ROWS: i32 = 2_000;
/// 1970-01-01 to 2000-01-01, from where PostgreSQL counts.
const DAYS: i32 = 10_957;
const DAY: i64 = 86_400_000_000;

pub(crate) fn infer(server: &Server, relation: &Relation) -> Result<Vec<Field>, RunError> {
    let mut session = Session::open(server)?;
    table::fields(describe(&mut session.client, server, relation)?, relation)
}

pub(crate) fn read(
    server: &Server,
    relation: &Relation,
    wanted: &[Field],
    cancel: &Cancel,
    take: Take<'_>,
) -> Result<(), RunError> {
    let mut session = Session::open(server)?;
    let _watch = session.watch(cancel);
    let wrong = |e: postgres::Error| if cancel.is_cancelled() { fault::stopped() } else { failed(server, &e) };
    let transaction =
        session.client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let mut transaction = transaction.start().map_err(wrong)?;
    let stored = describe(&mut transaction, server, relation)?;
    for field in wanted {
        table::find(&stored, field, relation, DatabaseSystem::Postgres)?;
    }
    let columns: Vec<String> = wanted.iter().map(|f| types::asked(&quote(&f.name, '"'), &f.dtype)).collect();
    let statement = transaction.prepare(&select(relation, &columns.join(", "))).map_err(wrong)?;
    let portal = transaction.bind(&statement, &[]).map_err(wrong)?;
    let mut gather = Gather::new(relation, wanted, take);
    loop {
        let rows = transaction.query_portal(&portal, ROWS).map_err(wrong)?;
        for row in &rows {
            for (i, field) in wanted.iter().enumerate() {
                gather.cell(i, cell(row, i, &field.dtype).map_err(wrong)?)?;
            }
            gather.end_row()?;
        }
        if cancel.is_cancelled() {
            return Err(fault::stopped());
        }
        if rows.len() < ROWS as usize {
            break;
        }
    }
    gather.finish()
}

/// A value as it is on the wire.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn cell<'a>(row: &'a Row, at: usize, dtype: &DataType) -> Result<Cell<'a>, postgres::Error> {
    let Some(Raw(raw)) = row.try_get::<_, Option<Raw<'a>>>(at)? else { return Ok(Cell::Null) };
    Ok(decode(raw, dtype).unwrap_or_else(|| Cell::Wrong(String::from_utf8_lossy(raw).into_owned())))
}

fn decode<'a>(raw: &'a [u8], dtype: &DataType) -> Option<Cell<'a>> {
    let long = |bytes: &[u8]| bytes.try_into().map(i64::from_be_bytes).ok();
    let int = |bytes: &[u8]| bytes.try_into().map(i32::from_be_bytes).ok();
    let text = std::str::from_utf8(raw);
    let infinite = |negative: bool| Cell::Wrong(if negative { "-infinity" } else { "infinity" }.into());
    Some(match dtype {
        DataType::Int => Cell::Int(long(raw)?),
        DataType::Float => Cell::Float(f64::from_bits(long(raw)? as u64)),
        DataType::Bool => Cell::Bool(*raw.first()? != 0),
        DataType::Decimal { .. } => Cell::Decimal(text.ok()?.parse().ok()?),
        DataType::String | DataType::Category { .. } | DataType::Unknown => Cell::Text(text.ok()?),
        DataType::Date => match int(raw)? {
            days @ (i32::MIN | i32::MAX) => infinite(days < 0),
            days => Cell::Date(days.checked_add(DAYS)?),
        },
        DataType::Datetime => match long(raw)? {
            us @ (i64::MIN | i64::MAX) => infinite(us < 0),
            us => Cell::Datetime(us.checked_add(i64::from(DAYS) * DAY)?),
        },
        DataType::Duration => {
            let (us, days, months) = (long(raw.get(..8)?)?, int(raw.get(8..12)?)?, int(raw.get(12..16)?)?);
            if months != 0 {
                return Some(Cell::Wrong(format!("an interval of {months} months, which have no one length")));
            }
            Cell::Duration(i64::from(days).checked_mul(DAY)?.checked_add(us)?)
        }
        DataType::List { .. } | DataType::Vector { .. } => Cell::List(json::read(text.ok()?, dtype)?),
    })
}
