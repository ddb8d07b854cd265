//! What failed for a reason that may pass is tried again.

use std::time::{Duration, Instant};

use dbjob_plan::{Event, Node, NodeId, RunError};

use super::Stop;
use super::need::Need;
use super::run::Run;

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Whether the same may go well a little later: files, processes and servers, but neither the job nor the data.
fn may_pass(error: &RunError) -> bool {
    matches!(
        error.code.as_str(),
        "E0701" | "E0713" | "E0721" | "E0730" | "E0734" | "E0740" | "E0742" | "E0743" | "E0773"
    )
}

impl<'a> Run<'a> {
    /// The work on a node, as often as its module allows.
    pub(super) fn attempt(&mut self, id: NodeId, node: &'a Node, need: &'a Need) -> Result<(), Stop> {
        let retries = self.plan.workers(&node.item).retries;
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            match self.node(id, node, need) {
                Err(Stop::Failed(error)) if may_pass(&error) && attempt <= retries => {
                    self.cx.emit(Event::Retried {
                        item: node.item.clone(),
                        attempt: attempt + 1,
                        of: retries + 1,
                        message: error.message,
                        wait: wait.as_secs_f64(),
                    });
                    self.pause(wait)?;
                    wait = (wait * 2).min(LONGEST_WAIT);
                    self.faults.take();
                    self.tables.values().flat_map(|t| &t.pending).for_each(|pending| pending.reset());
                }
                Err(Stop::Failed(error)) if attempt > 1 => {
                    let message = format!("{} (it was tried {attempt} times)", error.message);
                    return Err(Stop::Failed(RunError { message, ..error }));
                }
                result => return result,
            }
        }
        unreachable!("there are fewer retries than numbers")
    }

    /// Errors: E0718 when the run is stopped meanwhile.
    fn pause(&self, wait: Duration) -> Result<(), Stop> {
        let until = Instant::now() + wait;
        while Instant::now() < until {
            self.go_on()?;
            std::thread::sleep(Duration::from_millis(10).min(until.saturating_duration_since(Instant::now())));
        }
        self.go_on()
    }
}
