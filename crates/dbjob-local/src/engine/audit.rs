//! What a package is held to before it is deployed: what the rows were like that it learned from, and what it says of rows
//! that it did not.

use dbjob_drift::Profile;
use dbjob_plan::{NodeId, Op, PART, PART_TEST, PART_TRAIN, PART_VALID, RunError};
use polars::prelude::{self as pl, DataFrame};

use super::run::Run;
use super::sent::Sent;
use crate::drift::{fields_of, profile};
use crate::fault::engine_error;
use crate::package::Audit;

/// So many rows are asked of the server that is to answer from the package.
const HELD_OUT: usize = 100;

/// The predictions of so many rows are looked at.
const PREDICTED: usize = 100_000;

impl Run<'_> {
    /// `None`: the rows cannot be traced back to what callers would send.
    pub(super) fn audit(&self, fit: NodeId) -> Result<Option<Audit>, RunError> {
        let Op::Fit(spec) = &self.plan.node(fit).op else { return Ok(None) };
        let Some(Sent { request, table }) = self.sent(fit)? else { return Ok(None) };
        let learned = &self.models[&fit];
        let rows = Rows::of(&table, self.has_encodings(fit))?;
        let learned_from = if spec.refit { (0..table.height() as pl::IdxSize).collect() } else { rows.learned_from };
        let fields: Vec<_> = spec.serving.request.visible().cloned().collect();
        let columns = profile(&take(&request, &learned_from)?, &fields)?;
        let predicted = &rows.held_out[..rows.held_out.len().min(PREDICTED)];
        let predictions = learned.predict(&take(&table, predicted)?, "prediction", &self.maps)?;
        let predictions = DataFrame::new(predicted.len(), predictions).map_err(engine_error)?;
        let asked = predicted.len().min(HELD_OUT);
        let answers = predictions.head(Some(asked));
        let predictions = profile(&predictions, &fields_of(&predictions))?;
        let profile = Profile { columns, predictions };
        Ok(Some(Audit { profile, request: take(&request, &predicted[..asked])?, answers }))
    }

    /// Whether a map on the way to the fit says other things of rows that it learned from.
    fn has_encodings(&self, fit: NodeId) -> bool {
        let mut open = self.plan.inputs(fit);
        while let Some(id) = open.pop() {
            match &self.plan.node(id).op {
                Op::Map { columns } if columns.iter().any(|c| c.out_of_fold.is_some()) => return true,
                _ => open.extend(self.plan.inputs(id).first()),
            }
        }
        false
    }
}

struct Rows {
    learned_from: Vec<pl::IdxSize>,
    /// The test part, or the valid part, or for want of both those that were learned from.
    held_out: Vec<pl::IdxSize>,
}

impl Rows {
    fn of(table: &DataFrame, has_encodings: bool) -> Result<Self, RunError> {
        let all: Vec<pl::IdxSize> = (0..table.height() as pl::IdxSize).collect();
        let Ok(parts) = table.column(PART) else {
            let held_out = if has_encodings { Vec::new() } else { all.clone() };
            return Ok(Self { learned_from: all, held_out });
        };
        let parts = parts.i64().map_err(engine_error)?;
        let of = |part: i64| -> Vec<pl::IdxSize> {
            let rows = parts.iter().zip(0..).filter(|(p, _)| *p == Some(part));
            rows.map(|(_, row)| row).collect()
        };
        let (learned_from, test, valid) = (of(PART_TRAIN), of(PART_TEST), of(PART_VALID));
        let held_out = match (test.is_empty(), valid.is_empty()) {
            (false, _) => test,
            (true, false) => valid,
            (true, true) if has_encodings => Vec::new(),
            (true, true) => learned_from.clone(),
        };
        Ok(Self { learned_from, held_out })
    }
}

fn take(table: &DataFrame, rows: &[pl::IdxSize]) -> Result<DataFrame, RunError> {
    table.take(&pl::IdxCa::from_vec("".into(), rows.to_vec())).map_err(engine_error)
}
