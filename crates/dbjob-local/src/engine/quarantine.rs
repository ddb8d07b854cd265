//! The rows that `expect … else quarantine` rejects: kept in files, each row with the rule that rejected it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dbjob_plan::{Cancel, Field, Node, RunError, TableFormat};
use polars::prelude::{self as pl, Column, DataFrame, IntoLazy};

use crate::fault::{engine_error, guarded};
use crate::sink::{Sink, unwritable};
use crate::step::expect::Pending;
use crate::types::polars_type;

/// What each file of a run holds so far: rules may share one.
#[derive(Default)]
pub(super) struct Quarantine {
    files: BTreeMap<PathBuf, DataFrame>,
}

impl Quarantine {
    /// Adds what a rule rejected and writes the file anew, whole or not at all; without such rows too, so that what an
    /// earlier run left is not taken for this one's.
    ///
    /// Errors: E0713.
    pub fn write(&mut self, file: PathBuf, pending: &Pending, node: &Node) -> Result<(), RunError> {
        let fields: Vec<&Field> = node.schema.visible().collect();
        let rows = match pending.rejected()? {
            Some(rows) => rows.select(fields.iter().map(|f| f.name.as_str())).map_err(engine_error)?,
            None => nothing(&fields)?,
        };
        let name = rule_column(&fields);
        let rule = Column::new_scalar(
            name.into(),
            pl::Scalar::from(pl::PlSmallStr::from(pending.rule.text.as_str())),
            rows.height(),
        );
        let rows = rows.hstack(&[rule]).map_err(engine_error)?;
        let all = match self.files.get(&file) {
            Some(before) => before.vstack(&rows).map_err(engine_error)?,
            None => rows,
        };
        let format = TableFormat::of(&file).ok_or_else(|| unwritable(&file, "its ending names no format"))?;
        let sink = Sink::create(&file)?;
        let failed = |e: pl::PolarsError| unwritable(&file, &e.to_string());
        let query = sink.query(all.clone().lazy(), all.schema(), format).map_err(failed)?;
        guarded(|| query.collect()).map_err(failed)?;
        sink.finish(&Cancel::default())?;
        self.files.insert(file, all);
        Ok(())
    }
}

/// `rule`, behind which no column of the user hides.
fn rule_column(fields: &[&Field]) -> String {
    let mut name = "rule".to_owned();
    while fields.iter().any(|f| f.name == name) {
        name.push('_');
    }
    name
}

fn nothing(fields: &[&Field]) -> Result<DataFrame, RunError> {
    let column = |f: &&Field| Column::new_empty(f.name.as_str().into(), &polars_type(&f.dtype));
    let columns = fields.iter().map(column).collect();
    DataFrame::new(0, columns).map_err(engine_error)
}
