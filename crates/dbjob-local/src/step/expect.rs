//! `expect`: rules over rows are counted while the rows pass by; rules over the whole table are asked of it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dbjob_plan::{DataLocation, ExpectAction, Expectation, NodeId, RunError, Span};
use polars::prelude::{self as pl, DataFrame, Expr, IntoLazy, LazyFrame, OptFlags};

use super::Step;
use super::join::most_repeated;
use crate::fault::{engine_error, guarded};
use crate::udf::col;

const HOLDS: &str = "__holds";

/// A rule whose failing rows are being counted by a query that is still to run.
#[derive(Clone)]
pub(crate) struct Pending {
    pub node: NodeId,
    pub item: String,
    pub span: Span,
    pub rule: Expectation,
    failed: Arc<AtomicU64>,
}

impl Pending {
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Whether a rule is decided row by row.
pub(crate) fn is_row_wise(rule: &Expectation) -> bool {
    rule.unique.is_empty() && !rule.predicate.has_aggregate()
}

/// A row rule inside the query. It counts in a step of its own that no filter may be moved over: a row that a later filter
/// removes still counts. Null does not hold.
pub(crate) fn lower_rows(
    step: &Step<'_>,
    frame: LazyFrame,
    rule: &Expectation,
) -> Result<(LazyFrame, Pending), RunError> {
    let failed = Arc::new(AtomicU64::new(0));
    let (counter, drops) = (failed.clone(), rule.action == ExpectAction::Drop);
    let holds: Expr = step.lower(&rule.predicate)?.fill_null(pl::lit(false));
    let frame = frame.with_columns([holds.alias(HOLDS)]).map(
        move |batch: DataFrame| {
            let holds = batch.column(HOLDS)?.bool()?.clone();
            let kept = holds.sum().unwrap_or_default() as u64;
            counter.fetch_add(batch.height() as u64 - kept, Ordering::Relaxed);
            if drops && kept < batch.height() as u64 { batch.filter(&holds) } else { Ok(batch) }
        },
        OptFlags::STREAMING,
        None,
        Some("expect"),
    );
    let pending =
        Pending { node: step.id, item: step.node.item.clone(), span: step.node.span, rule: rule.clone(), failed };
    Ok((frame.drop(pl::by_name([HOLDS], true, false)), pending))
}

/// How often a rule over the whole table fails: for `unique`, the number of keys that repeat; else 0 or 1.
pub(crate) fn check_table(
    step: &Step<'_>,
    table: &DataFrame,
    rule: &Expectation,
) -> Result<(u64, Option<RunError>), RunError> {
    if !rule.unique.is_empty() {
        let keys: Vec<Expr> = rule.unique.iter().map(|c| col(c.as_str())).collect();
        let columns: Vec<&str> = rule.unique.iter().map(String::as_str).collect();
        return Ok(match most_repeated(table.clone().lazy(), &keys, true)? {
            Some(found) => (found.keys(), Some(found.error(&columns, &step.node.item))),
            None => (0, None),
        });
    }
    let holds = step.lower(&rule.predicate)?;
    let query = table.clone().lazy().select([holds.alias(HOLDS)]);
    let row = guarded(|| query.collect()).map_err(engine_error)?;
    let held = row.column(HOLDS).and_then(|c| c.bool().map(|c| c.get(0))).map_err(engine_error)? == Some(true);
    Ok((u64::from(!held), None))
}

/// E0711, with the first row that fails if there is one.
pub(crate) fn failure(rule: &Expectation, item: &str, failed: u64, first: Option<(u64, String)>) -> RunError {
    let rows = if failed == 1 { "row".to_string() } else { "rows".to_string() };
    let message = if is_row_wise(rule) {
        format!("`expect {}` does not hold for {failed} {rows} of `{item}`", rule.text)
    } else {
        format!("`expect {}` does not hold for `{item}`", rule.text)
    };
    let error = RunError::new("E0711", message);
    match first {
        Some((row, value)) => error.help(format!("the first is row {row}: {value}")).data(DataLocation {
            row: Some(row),
            value: Some(value),
            ..DataLocation::default()
        }),
        None => error,
    }
}

/// The first row (1-based) of `table` for which a row rule does not hold, with the values that the rule reads.
pub(crate) fn first_failing(
    step: &Step<'_>,
    table: &DataFrame,
    rule: &Expectation,
) -> Result<Option<(u64, String)>, RunError> {
    let holds = step.lower(&rule.predicate)?.fill_null(pl::lit(false));
    let flags = guarded(|| table.clone().lazy().select([holds.alias(HOLDS)]).collect()).map_err(engine_error)?;
    let flags = flags.column(HOLDS).and_then(|c| c.bool().cloned()).map_err(engine_error)?;
    let Some(at) = flags.iter().position(|held| held != Some(true)) else { return Ok(None) };
    let mut shown = Vec::new();
    for name in rule.predicate.columns() {
        let value = table.column(name).and_then(|c| c.get(at)).map_err(engine_error)?;
        shown.push(format!("{name} = {}", crate::types::value_of(&value)));
    }
    Ok(Some((at as u64 + 1, shown.join(", "))))
}
