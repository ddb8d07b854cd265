use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use dbjob_plan::{Cancel, RunError};

use super::unusable;

const TICK: Duration = Duration::from_millis(50);

/// Held by the one run that writes to a state directory; gone with its process, however that ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, and released with the file")] File);

impl Lock {
    /// Waits until no other run holds it. `waiting` is told once, with the process that does.
    ///
    /// Errors: E0751; E0752 when another run holds it and `wait` is false; E0718 when cancelled.
    pub fn take(
        state: &Path,
        wait: bool,
        cancel: &Cancel,
        waiting: &mut dyn FnMut(Option<u32>),
    ) -> Result<Self, RunError> {
        let failed = |e: std::io::Error| unusable(state, &e.to_string());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(state.join("lock"))
            .map_err(failed)?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(e)) => return Err(failed(e)),
                Err(TryLockError::WouldBlock) => {}
            }
            let mut holder = String::new();
            let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut holder));
            let holder: Option<u32> = holder.trim().parse().ok();
            if !wait {
                let by = holder.map(|pid| format!(" (process {pid})")).unwrap_or_default();
                return Err(RunError::new("E0752", format!("another run{by} is using {}", state.display()))
                    .help("wait for it, leave out `--no-wait`, or give this run another `--state DIR`"));
            }
            if !told {
                waiting(holder);
                told = true;
            }
            if cancel.is_cancelled() {
                return Err(RunError::new("E0718", "the run was stopped while it waited for another one"));
            }
            sleep(TICK);
        }
        let name = std::process::id().to_string();
        file.seek(SeekFrom::Start(0))
            .and_then(|_| file.set_len(0))
            .and_then(|()| writeln!(file, "{name}"))
            .map_err(failed)?;
        Ok(Self(file))
    }

    /// Whether a run holds the lock of this state directory now.
    pub fn is_held(state: &Path) -> bool {
        match File::open(state.join("lock")) {
            Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        }
    }
}
