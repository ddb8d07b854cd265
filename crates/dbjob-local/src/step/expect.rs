//! `expect`: rules over rows are counted while the rows pass by; rules over the whole table are asked of it at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use dbjob_plan::{DataLocation, ExpectAction, Expectation, NodeId, RunError, Span};
use polars::prelude::{self as pl, DataFrame, Expr, IntoLazy, LazyFrame, OptFlags};

use super::Step;
use super::aggregated::Aggregated;
use super::repeated::repeated;
use crate::fault::{engine_error, guarded};
use crate::udf::col;

const HOLDS: &str = "__holds";
/// The number of a row at the rule: batches come in any order.
const NUMBER: &str = "__number";

/// A rule whose failing rows are being counted by a query that is still to run.
#[derive(Clone)]
pub(crate) struct Pending {
    pub node: NodeId,
    pub item: String,
    pub span: Span,
    pub rule: Expectation,
    failed: Arc<AtomicU64>,
    /// What failed, where it is to be kept, batch by batch.
    rejected: Arc<Mutex<Vec<DataFrame>>>,
}

impl Pending {
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Forgets what a query counted that did not come to its end.
    pub fn reset(&self) {
        self.failed.store(0, Ordering::Relaxed);
        self.rejected.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The rows that a quarantine keeps, in order; `None` if no batch had one.
    pub fn rejected(&self) -> Result<Option<DataFrame>, RunError> {
        let batches = self.rejected.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((first, rest)) = batches.split_first() else { return Ok(None) };
        let mut all = first.clone();
        for batch in rest {
            all.vstack_mut(batch).map_err(engine_error)?;
        }
        let sorted = all.sort([NUMBER], Default::default()).and_then(|all| all.drop(NUMBER));
        sorted.map(Some).map_err(engine_error)
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
    let rejected: Arc<Mutex<Vec<DataFrame>>> = Arc::default();
    let (counter, bin, action) = (failed.clone(), rejected.clone(), rule.action);
    let holds: Expr = step.lower(&rule.predicate)?.fill_null(pl::lit(false));
    let keeps = action == ExpectAction::Quarantine;
    let frame = if keeps { frame.with_row_index(NUMBER, None) } else { frame };
    let frame = frame.with_columns([holds.alias(HOLDS)]).map(
        move |batch: DataFrame| {
            let holds = batch.column(HOLDS)?.bool()?.clone();
            let kept = holds.sum().unwrap_or_default() as u64;
            let fails = batch.height() as u64 - kept;
            counter.fetch_add(fails, Ordering::Relaxed);
            if fails == 0 || !action.drops() {
                return Ok(batch);
            }
            if keeps {
                let failing = batch.filter(&!&holds)?.drop(HOLDS)?;
                bin.lock().unwrap_or_else(PoisonError::into_inner).push(failing);
            }
            batch.filter(&holds)
        },
        OptFlags::STREAMING,
        None,
        Some("expect"),
    );
    let ours: &[&str] = if keeps { &[HOLDS, NUMBER] } else { &[HOLDS] };
    let (item, span) = (step.node.item.clone(), step.node.span);
    let pending = Pending { node: step.id, item, span, rule: rule.clone(), failed, rejected };
    Ok((frame.drop(pl::by_name(ours.iter().copied(), true, false)), pending))
}

/// How often a rule over the whole table fails: for `unique`, the number of keys that repeat; else 0 or 1.
pub(crate) fn check_table(
    step: &Step<'_>,
    table: LazyFrame,
    rule: &Expectation,
) -> Result<(u64, Option<RunError>), RunError> {
    if !rule.unique.is_empty() {
        let keys: Vec<Expr> = rule.unique.iter().map(|c| col(c.as_str())).collect();
        let columns: Vec<&str> = rule.unique.iter().map(String::as_str).collect();
        return Ok(match repeated(table, &keys, true)? {
            Some(found) => (found.keys(), Some(found.error(&columns, &step.node.item))),
            None => (0, None),
        });
    }
    let mut aggregated = Aggregated::new(step, step.scope(0));
    aggregated.add(&rule.predicate, &[(HOLDS.to_owned(), None)])?;
    let query = aggregated.of_all(table);
    let row = guarded(|| query.collect_with_engine(pl::Engine::Streaming)).map(|r| r.unwrap_single());
    let row = row.map_err(|error| match step.faults.take() {
        Some(fault) => fault.into_error(None).or_span(step.node.span),
        None => engine_error(error),
    })?;
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
    let columns: Vec<&str> = rule.predicate.columns().into_iter().collect();
    let shown = crate::replay::values_of(table, &columns, at).map_err(engine_error)?;
    Ok(Some((at as u64 + 1, shown)))
}
