//! Looks after the bounds of a run while it goes.

use std::time::{Duration, Instant};

use dbjob_plan::{Cancel, MemoryBound, Plan, RunError, TimeBound, Value, Watch};

use crate::memory;

/// Of all the memory that this process may have, the part at which a run without a limit of its own is stopped, so that the
/// system does not end it without a word.
const MOST_OF_ALL: f64 = 0.95;

/// So much must the machine still be able to give: a part of all, but no more than this.
const LEFT_OF_ALL: f64 = 0.02;
const LEFT_AT_MOST: u64 = 256 << 20;

/// Beyond its limit by this factor a process is not waited for any longer.
const RUNAWAY: f64 = 1.15;

pub(crate) struct Guard<'a> {
    plan: &'a Plan,
    cancel: &'a Cancel,
    watch: &'a Watch,
    /// When the run ends.
    deadline: Option<Instant>,
    /// How long the engine may take to stop once it was asked to.
    grace: Duration,
    /// Of the machine; `None` where it does not tell.
    all: Option<u64>,
    /// Why the run was asked to stop, and until when it may.
    stopped: Option<(RunError, Instant)>,
    /// The bytes that end the wait at once.
    runaway: Option<u64>,
}

impl<'a> Guard<'a> {
    pub fn new(
        plan: &'a Plan,
        (cancel, watch): (&'a Cancel, &'a Watch),
        deadline: Option<Instant>,
        grace: Duration,
    ) -> Self {
        Self { plan, cancel, watch, deadline, grace, all: memory::total(), stopped: None, runaway: None }
    }

    /// How long it may sleep at most.
    pub fn to_deadline(&self) -> Option<Duration> {
        self.deadline.map(|d| d.saturating_duration_since(Instant::now()))
    }

    /// Asks the run to stop where there is a reason to; false when it was given time enough to do so.
    pub fn look(&mut self) -> bool {
        let now = Instant::now();
        if self.stopped.is_none() {
            // What happened first is the reason.
            let reason = if self.cancel.is_cancelled() { Some(asked()) } else { self.exceeded(now) };
            if let Some(reason) = reason {
                self.cancel.cancel();
                self.stopped = Some((reason, now + self.grace));
            }
        }
        let Some((_, until)) = &self.stopped else { return true };
        let grows = || self.runaway.is_some_and(|most| memory::used().is_some_and(|used| used > most));
        now < *until && !grows()
    }

    /// Why the run was stopped.
    pub fn reason(self) -> RunError {
        match self.stopped {
            Some((reason, _)) => reason,
            None => asked(),
        }
    }

    fn exceeded(&mut self, now: Instant) -> Option<RunError> {
        if self.deadline.is_some_and(|d| now >= d) {
            let limit = Value::Duration(self.plan.run_time.unwrap_or_default());
            let error = RunError::new("E0718", format!("the run reached its limit: run_time = {limit}"));
            return Some(error.help("raise `run_time` in the job's settings, or give the run less to do"));
        }
        let current = self.watch.now();
        if let Some(bound) = current.time.as_ref().filter(|bound| now >= bound.at) {
            return Some(over_time(bound, current.item.as_deref()));
        }
        self.over_memory(current.item.as_deref(), current.memory.as_ref())
    }

    fn over_memory(&mut self, item: Option<&str>, bound: Option<&MemoryBound>) -> Option<RunError> {
        let used = memory::used()?;
        let at = item.map(|item| format!(" while `{item}` was computed")).unwrap_or_default();
        if let Some(MemoryBound { bytes, of }) = bound.filter(|bound| used > bound.bytes.value) {
            self.runaway = Some((bytes.value as f64 * RUNAWAY) as u64);
            let (limit, used) = (size(bytes.value), size(used));
            let message = format!("{of} reached its limit{at}: memory = {limit}, used were {used}");
            return Some(RunError::new("E0745", message).help(LESS).or_span(bytes.span));
        }
        let all = self.all?;
        let most = (all as f64 * MOST_OF_ALL) as u64;
        let least = ((all as f64 * LEFT_OF_ALL) as u64).min(LEFT_AT_MOST);
        // Only who has much is asked for what little is left of the machine.
        let short = || used > all / 4 && memory::available().is_some_and(|left| left < least);
        if used <= most && !short() {
            return None;
        }
        self.runaway = Some(used + (all - used.min(all)) / 2);
        let message =
            format!("the machine's memory is nearly full{at}: used were {}, there are {}", size(used), size(all));
        Some(RunError::new("E0745", message).help(LESS))
    }
}

const LESS: &str = "read fewer columns or rows (`select`, `filter`, `sample`), write large tables to parquet rather than keep \
                    them, or raise `memory`";

fn asked() -> RunError {
    RunError::new("E0718", "the run was stopped before its end")
}

fn over_time(bound: &TimeBound, item: Option<&str>) -> RunError {
    let limit = Value::Duration(bound.limit.value);
    let at = item.map(|item| format!(" before `{item}` was done")).unwrap_or_default();
    RunError::new("E0746", format!("{} reached its limit{at}: time = {limit}", bound.of))
        .help("raise `time` in the module, or give it less to do; only iterative fits end early with what they have")
        .or_span(bound.limit.span)
}

/// `1.5 GiB`
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let text = format!("{value:.1}");
    format!("{} {}", text.strip_suffix(".0").unwrap_or(&text), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_that_fits() {
        assert_eq!([1 << 20, 3 << 29, 700].map(size), ["1 MiB", "1.5 GiB", "0.7 KiB"]);
    }
}
