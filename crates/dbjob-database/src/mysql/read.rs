use dbjob_plan::{Cancel, DatabaseSystem, Field, Relation, RunError};
use mysql::prelude::Queryable;

use super::{Session, describe, failed, select, types};
use crate::address::Server;
use crate::chunk::Gather;
use crate::relation::quoted_list;
use crate::{Take, fault, table};

pub(crate) fn infer(server: &Server, relation: &Relation) -> Result<Vec<Field>, RunError> {
    let mut session = Session::open(server)?;
    table::fields(describe(&mut session.conn, server, relation)?, relation)
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
    let interrupt = session.interrupt();
    let conn = &mut session.conn;
    let wrong = |e: mysql::Error| if cancel.is_cancelled() { fault::stopped() } else { failed(server, &e) };
    conn.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").map_err(wrong)?;
    conn.query_drop("START TRANSACTION READ ONLY").map_err(wrong)?;
    let stored = describe(conn, server, relation)?;
    let mut places = Vec::with_capacity(wanted.len());
    for (i, field) in wanted.iter().enumerate() {
        let place = table::find(&stored, field, relation, DatabaseSystem::Mysql)?;
        // Of a table only the wanted columns are asked for; a query is as it is.
        places.push(if matches!(relation, Relation::Table(_)) { i } else { place });
    }
    let names = quoted_list(wanted.iter().map(|f| f.name.as_str()), '`');
    let statement = conn.prep(select(relation, &names)).map_err(wrong)?;
    let mut result = conn.exec_iter(&statement, ()).map_err(wrong)?;
    let mut gather = Gather::new(relation, wanted, take);
    let mut next = || -> Result<bool, RunError> {
        let Some(row) = result.next() else { return Ok(false) };
        let row = row.map_err(wrong)?;
        for (i, (place, field)) in places.iter().zip(wanted).enumerate() {
            let value = row.as_ref(*place).unwrap_or(&mysql::Value::NULL);
            gather.cell(i, types::cell(value, &field.dtype))?;
        }
        if gather.end_row()? && cancel.is_cancelled() {
            return Err(fault::stopped());
        }
        Ok(true)
    };
    let done = loop {
        match next() {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    if done.is_err() {
        // The rest of the rows would be read before the connection ends.
        interrupt();
    }
    drop(result);
    done.and_then(|()| gather.finish())
}
