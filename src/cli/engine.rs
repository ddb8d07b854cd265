use dbjob_local::LocalEngine;

/// The engine of this machine.
pub fn engine() -> LocalEngine {
    LocalEngine
}

/// Keeps polars to so many cores. Must come before anything else of a command.
pub fn limit_threads(threads: usize) {
    // SAFETY: a command calls it first thing, while the program has no other thread.
    unsafe { dbjob_local::use_threads(threads) };
}
