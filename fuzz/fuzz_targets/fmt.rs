//! What parses is formatted without loss: the same tree, the same comments, and nothing more to do the second time.
#![no_main]

#[path = "../../tests/format/holds.rs"]
mod holds;

use dbjob_plan::FileId;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let parsed = dbjob::syntax::parse(FileId(0), text);
    if parsed.errors.is_empty() {
        holds::formatted(&parsed);
    }
});
