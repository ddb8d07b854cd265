//! The engine: walks a plan and carries it out.

mod audit;
mod crew;
mod deploy;
mod explain;
mod fetched;
mod fit;
mod folds;
mod keep;
mod known;
mod line;
mod mlflow;
mod need;
mod outlook;
mod outside;
mod placement;
mod quarantine;
mod retry;
mod rows;
mod run;
mod search;
mod sent;
mod settle;
mod spill;
mod table;
mod together;
mod tried;
mod unsupported;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use dbjob_plan::{
    Backend, FetchContext, ItemOutlook, Origin, Plan, Rows, RunContext, RunError, RunReport, Schema, Source,
    Unsupported,
};

/// Runs plans on this machine.
///
/// Polars reads its number of threads once, from the environment: see [`use_threads`].
#[derive(Debug, Default, Clone, Copy)]
pub struct LocalEngine;

/// How a walk over the plan ended early.
pub(crate) enum Stop {
    Failed(RunError),
    /// A CSV file that polars cannot read as it should: begin again and read these nodes exactly.
    ReadExactly(BTreeSet<dbjob_plan::NodeId>),
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Self {
        Self::Failed(error)
    }
}

impl Backend for LocalEngine {
    fn unsupported(&self, plan: &Plan) -> Vec<Unsupported> {
        unsupported::unsupported(plan)
    }

    fn run(&self, plan: &Plan, cx: &mut RunContext<'_>) -> Result<RunReport, RunError> {
        let start = Instant::now();
        let needs = need::Needs::of(plan, &cx.goal)?;
        walk(plan, cx, &needs, |run| run.all()).map(|mut report| {
            report.seconds = start.elapsed().as_secs_f64();
            report
        })
    }

    fn rows(&self, plan: &Plan, cx: &mut RunContext<'_>, item: &str) -> Result<Rows, RunError> {
        let needs = need::Needs::of(plan, &[item.to_owned()])?;
        let node = plan.item(item).map(|i| i.output);
        let node = node.ok_or_else(|| RunError::new("E0799", format!("there is no item `{item}`")))?;
        let frame = walk(plan, cx, &needs, |run| run.rows_of(node))?;
        Ok(rows::of(&frame, &plan.node(node).schema))
    }

    fn infer(&self, source: &Source, base: &Path) -> Result<Schema, RunError> {
        crate::source::infer(source, base)
    }

    fn header(&self, source: &Source, base: &Path) -> Result<Option<Vec<String>>, RunError> {
        crate::source::header(source, base)
    }

    fn outlook(&self, plan: &Plan, cx: &RunContext<'_>) -> Result<Vec<ItemOutlook>, RunError> {
        outlook::outlook(plan, cx)
    }

    fn version(&self) -> String {
        // Results of one version serve another only if both compute alike: raised with every change of a result.
        const RESULTS: u32 = 1;
        format!("local {}.{RESULTS}", env!("CARGO_PKG_VERSION"))
    }

    fn origin(&self, source: &Source, base: &Path) -> Result<Origin, RunError> {
        crate::fetch::origin(source, base)
    }

    fn fetch(&self, source: &Source, wanted: &Schema, cx: &FetchContext<'_>) -> Result<Source, RunError> {
        crate::fetch::fetch(source, wanted, cx)
    }
}

/// Walks the plan, again where a file must be read exactly.
fn walk<T>(
    plan: &Plan,
    cx: &RunContext<'_>,
    needs: &need::Needs,
    walk: impl Fn(run::Run<'_>) -> Result<T, Stop>,
) -> Result<T, RunError> {
    let (mut exact, clocks) = (BTreeSet::new(), crew::Clocks::default());
    let known = known::Known::of(plan, needs, cx);
    outside::check(plan, &known)?;
    let fetched = fetched::Fetched::default();
    loop {
        match walk(run::Run::new(plan, cx, (needs, &known), (&exact, &clocks, &fetched))) {
            Ok(done) => return Ok(done),
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::ReadExactly(nodes)) => exact.extend(nodes),
        }
    }
}

/// Makes polars and rayon use `threads` cores. Works only before the first table is touched, so a program calls it first
/// thing, while it has no other thread.
///
/// # Safety
/// As [`std::env::set_var`]: no other thread may read or write the environment meanwhile.
pub unsafe fn use_threads(threads: usize) {
    for name in ["POLARS_MAX_THREADS", "RAYON_NUM_THREADS"] {
        // SAFETY: promised by the caller.
        unsafe { std::env::set_var(name, threads.max(1).to_string()) };
    }
}
