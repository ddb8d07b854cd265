//! Tables that several items read and that may be larger than memory: computed once into a file, and read from there.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use dbjob_plan::{NodeId, RunError, TableFormat};
use polars::prelude::{self as pl, LazyFrame, ScanArgsParquet};
use tempfile::TempDir;

use super::run::Run;
use super::table::Table;
use super::{Stop, explain};
use crate::fault::{engine_error, guarded};
use crate::sink::{Sink, unwritable};

#[cfg(not(test))]
pub(super) use self::bounds::large;
#[cfg(not(test))]
use self::bounds::temporary;
#[cfg(test)]
pub(super) use self::tests::large;
#[cfg(test)]
use self::tests::temporary;

/// What tests set otherwise.
#[cfg(not(test))]
mod bounds {
    /// What is made from files of more bytes than that is large. A table in memory takes a few times the bytes of its files.
    pub fn large() -> u64 {
        256 << 20
    }

    /// Where files go that a run needs for a while and that has no place of its own for them.
    pub fn temporary() -> std::path::PathBuf {
        std::env::temp_dir()
    }
}

impl Run<'_> {
    /// Computes a table for several readers: into memory, or into a file if it is made from large ones.
    pub(super) fn share(&mut self, id: NodeId) -> Result<(), Stop> {
        let table = self.tables[&id].clone();
        if table.height.is_some() {
            return Ok(());
        }
        if !self.plan.node(id).schema.open.is_empty() || table.bytes <= large() {
            return self.rows(id).map(drop);
        }
        let mut narrow = self.only_live(id, table.frame.clone());
        let schema = narrow.collect_schema().map_err(|e| explain::explain(self, &table, e))?;
        let folder = self.scratch()?;
        let file = folder.path().join("rows.parquet");
        let sink = Sink::create(&file)?;
        let query = sink.query(narrow, &schema, TableFormat::Parquet);
        let query = query.map_err(|e| unwritable(&file, &e.to_string()))?;
        guarded(|| query.collect_with_engine(pl::Engine::Streaming)).map_err(|e| match sink.failure() {
            Some(unwritten) => Stop::Failed(unwritten),
            None => explain::explain(self, &table, e),
        })?;
        self.settle(&table)?;
        let rows = sink.finish(&self.cx.cancel)?;
        let names: Vec<&str> = schema.iter_names().map(|name| name.as_str()).collect();
        self.keep_file(id, &names, &file)?;
        let table = Table { height: Some(rows), spilled: vec![Arc::new(folder)], ..stored(&file)? };
        self.tables.insert(id, table);
        Ok(())
    }

    /// A folder for files of this run: in the state directory, else where the system has its temporary files.
    fn scratch(&self) -> Result<TempDir, RunError> {
        let folder = self.cx.results.and_then(|r| r.scratch()).unwrap_or_else(temporary);
        let made = tempfile::Builder::new().prefix(&dbjob_plan::temp_prefix()).tempdir_in(&folder);
        made.map_err(|e| unwritable(&folder, &e.to_string()))
    }
}

/// The table of a file that this engine wrote.
pub(super) fn stored(file: &Path) -> Result<Table, RunError> {
    let name = file.to_str().ok_or_else(|| unwritable(file, "its name is not valid Unicode"))?;
    let args = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
    let frame = LazyFrame::scan_parquet(name.into(), args).map_err(engine_error)?;
    Ok(Table { bytes: file.metadata().map_or(0, |m| m.len()), ..Table::lazy(frame) })
}
