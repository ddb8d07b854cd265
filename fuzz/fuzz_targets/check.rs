//! Any text is checked; what has no error is lowered, for that cannot fail.
#![no_main]

use dbjob::diagnostic::Severity;
use dbjob::hir::Given;
use dbjob::source::{SourceFile, SourceMap};
use dbjob::world::NoWorld;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("job.dbjob", text));
    let analysis = dbjob::analyse(file, &mut sources, &Given::default(), &NoWorld);
    if analysis.diagnostics.iter().all(|d| d.severity != Severity::Error) {
        let job = analysis.checked.sound().expect("there is no error");
        let plan = dbjob::lower::lower(&job);
        assert!(plan.is_acyclic());
    }
});
