//! Formatting: canonical, idempotent, and it loses nothing.

mod golden;
mod properties;

use std::fs;
use std::sync::LazyLock;

use dbjob::format::format;
use dbjob::syntax::{Parsed, TokenKind};

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

fn comments(parsed: &Parsed) -> Vec<&str> {
    let comments = parsed.tokens.iter().filter(|t| matches!(t.kind, TokenKind::Comment | TokenKind::DocComment));
    comments.map(|token| token.text(&parsed.text).trim_end()).collect()
}

/// The AST without its spans.
fn tree(parsed: &Parsed) -> String {
    let shown = format!("{:?}", parsed.ast);
    let mut parts = shown.split("Span { file: ");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        out += part.split_once('}').expect("a span ends").1;
    }
    out
}

/// Formats a text that parses and checks what must hold for every text.
fn checked(text: &str) -> String {
    check_parsed(&read(text))
}

pub fn check_parsed(parsed: &Parsed) -> String {
    let text = &parsed.text;
    let formatted = format(parsed).expect("it parses");
    let reread = read(&formatted);
    assert_eq!(reread.errors, [], "formatted, it no longer parses:\n{text}\n----\n{formatted}");
    assert_eq!(tree(parsed), tree(&reread), "the AST changed:\n{text}\n----\n{formatted}");
    assert_eq!(comments(parsed), comments(&reread), "comments changed:\n{text}\n----\n{formatted}");
    assert_eq!(formatted, format(&reread).unwrap(), "not idempotent:\n{text}");
    // A carriage return alone ends no line: inside a comment or a string it is a part of it, and kept.
    assert!(!formatted.contains("\r\n") && !formatted.contains("\n\n\n"), "{formatted}");
    assert!(formatted.is_empty() || formatted.ends_with('\n') && !formatted.starts_with('\n'), "{formatted}");
    assert!(formatted.lines().all(|line| line.trim_end() == line), "{formatted}");
    formatted
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
