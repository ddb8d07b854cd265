use std::sync::atomic::{AtomicBool, Ordering};

use dbjob_plan::{Cancel, RunError};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The exit code of a process that Ctrl-C ended (128 + SIGINT).
const EXIT_INTERRUPTED: i32 = 130;

/// From now on the first Ctrl-C (or SIGTERM, SIGHUP) asks the run to stop; the second ends the process at once with
/// exit code 130, after `before_exit`.
///
/// Errors: E0799 when the process has another handler already.
pub fn cancel_on_interrupt(cancel: Cancel, before_exit: impl Fn() + Send + 'static) -> Result<(), RunError> {
    ctrlc::set_handler(move || {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            before_exit();
            std::process::exit(EXIT_INTERRUPTED);
        }
        cancel.cancel();
    })
    .map_err(|e| RunError::new("E0799", format!("cannot listen for Ctrl-C: {e}")))
}

/// Whether a signal asked this process to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
