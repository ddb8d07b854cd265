//! Formatting: canonical, idempotent, and it loses nothing.

mod golden;
mod holds;
mod properties;

use std::fs;
use std::sync::LazyLock;

use dbjob::format::format;

pub use holds::formatted as check_parsed;

use crate::syntax::corpus::files;
use crate::syntax::{messages, read};

/// The files that parse: this corpus, the examples and the tests of messages.
static CORPUS: LazyLock<Vec<String>> = LazyLock::new(|| {
    ["tests/format", "tests/ui", "examples"]
        .iter()
        .flat_map(|directory| files(directory))
        .map(|path| fs::read_to_string(path).unwrap())
        .filter(|text| messages(text).is_empty())
        .collect()
});

/// Formats a text that parses and checks what must hold for every text.
fn checked(text: &str) -> String {
    check_parsed(&read(text))
}

#[test]
fn the_corpus() {
    assert!(CORPUS.len() >= 6);
    for text in CORPUS.iter() {
        checked(text);
        checked(&text.replace('\n', "\r\n"));
    }
}

#[test]
fn a_file_with_errors_is_refused() {
    let parsed = read("job {\n  seed == 1\n}\n");
    let errors = format(&parsed).unwrap_err();
    assert_eq!(errors.len(), 1);
}
