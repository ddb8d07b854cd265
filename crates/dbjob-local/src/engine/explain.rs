//! Why a query failed: the fault that one of our closures left, a file that is not as declared, or polars itself.

use std::collections::BTreeSet;

use dbjob_plan::{Format, NodeId, Op};
use polars::prelude::{DataFrame, IntoLazy, PolarsError};

use super::Stop;
use super::run::Run;
use super::table::Table;
use crate::fault::{Fault, engine_error, guarded};
use crate::step::expect::{self, Pending};
use crate::step::lower_step;

/// The reason with its place in the data; or that some CSV files must be read exactly.
pub(super) fn explain(run: &Run<'_>, table: &Table, error: PolarsError) -> Stop {
    let fault = run.faults.take();
    let of_source = |id: NodeId| matches!(run.plan.node(id).op, Op::Read(_));
    match fault {
        Some(fault) if !of_source(fault.node) => {
            let span = run.plan.node(fault.node).span;
            let (row, fault) = match first_fault(run, &fault) {
                Some((row, first)) => (Some(row), first),
                None => (None, fault),
            };
            Stop::Failed(fault.into_error(row).or_span(span))
        }
        fault => {
            let suspects: BTreeSet<NodeId> = match &fault {
                Some(fault) => [fault.node].into(),
                None => table.reads.clone(),
            };
            for id in &suspects {
                if let Err(error) = run.explain_source(*id) {
                    return Stop::Failed(error);
                }
            }
            let exactly: BTreeSet<NodeId> = suspects
                .into_iter()
                .filter(|id| matches!(&run.plan.node(*id).op, Op::Read(s) if matches!(s.format, Format::Csv(_))))
                .filter(|id| !run.is_exact(*id))
                .collect();
            match fault {
                _ if !exactly.is_empty() => Stop::ReadExactly(exactly),
                Some(fault) => Stop::Failed(fault.into_error(None)),
                None => Stop::Failed(engine_error(error)),
            }
        }
    }
}

/// The rows that a node reads, computed again; `None` if that fails too.
fn input_rows(run: &Run<'_>, id: NodeId) -> Option<DataFrame> {
    let input = *run.plan.inputs(id).first()?;
    let table = run.table(input)?;
    match &table.rows {
        Some(rows) => Some(rows.clone()),
        None => guarded(|| table.frame.clone().collect()).ok(),
    }
}

/// The first row (1-based) of the failing step's input that it fails on, and what is wrong with it.
fn first_fault(run: &Run<'_>, fault: &Fault) -> Option<(u64, Fault)> {
    let step = run.step_of(fault.node)?;
    if !matches!(
        step.node.op,
        Op::Filter { .. } | Op::Derive { .. } | Op::Map { .. } | Op::Unmap { .. } | Op::Explode { .. } | Op::Expect(_)
    ) {
        return None;
    }
    let rows = input_rows(run, fault.node)?;
    run.faults.first(&rows, &|part| {
        let frame = match &step.node.op {
            Op::Expect(rule) => expect::lower_rows(&step, part.lazy(), rule).ok().map(|(frame, _)| frame),
            _ => lower_step(&step, vec![part.lazy()], true).ok().flatten(),
        };
        frame.map_or(Ok(()), |frame| guarded(|| frame.collect()).map(drop))
    })
}

/// The first row that breaks a rule, and what it holds.
pub(super) fn first_failing(run: &Run<'_>, pending: &Pending) -> Option<(u64, String)> {
    let rows = input_rows(run, pending.node)?;
    let step = run.step_of(pending.node)?;
    expect::first_failing(&step, &rows, &pending.rule).ok().flatten()
}
