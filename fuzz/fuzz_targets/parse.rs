//! Any text is read: never a panic, and every error says where it is and what to write.
#![no_main]

use dbjob_plan::FileId;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let parsed = dbjob::syntax::parse(FileId(0), text);
    for error in &parsed.errors {
        assert!(text.get(error.span.start as usize..error.span.end as usize).is_some(), "{error:?}");
        assert!(!error.message.is_empty() && error.help.is_some(), "{error:?}");
    }
});
