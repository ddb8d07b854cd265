use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;

use dbjob_plan::{Backend, Plan, Rows, RunContext, RunError};

use crate::run::{STACK, crashed, supported};

/// The table of an item, in memory. Nothing is told and nothing written meanwhile.
///
/// Errors: those of the backend; E0901 for what it cannot do. A panic of the backend is E0799.
pub fn rows(backend: &dyn Backend, plan: &Plan, base: &Path, item: &str) -> Result<Rows, RunError> {
    supported(backend, plan)?;
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let compute = || {
        let observer = |_| {};
        let new = RunContext::new(base.to_owned(), &observer);
        let mut cx = RunContext { goal: vec![item.to_owned()], threads, ..new };
        catch_unwind(AssertUnwindSafe(|| backend.rows(plan, &mut cx, item)))
    };
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name("dbjob-rows".into())
            .stack_size(STACK)
            .spawn_scoped(scope, compute)
            .map_err(|e| RunError::new("E0799", format!("cannot start a thread: {e}")))?;
        worker.join().and_then(|result| result).unwrap_or_else(|panic| Err(crashed(&*panic)))
    })
}
