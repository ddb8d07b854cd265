use dbjob_local::LocalEngine;

/// The engine of this machine.
pub fn engine() -> LocalEngine {
    LocalEngine
}
