//! What formatting must keep. Used by the fuzzer too.

use dbjob::format::format;
use dbjob::syntax::{Parsed, TokenKind, parse};
use dbjob_plan::FileId;

fn comments(parsed: &Parsed) -> Vec<&str> {
    let comments = parsed.tokens.iter().filter(|t| matches!(t.kind, TokenKind::Comment | TokenKind::DocComment));
    comments.map(|token| token.text(&parsed.text).trim_end()).collect()
}

/// The AST without its spans.
fn tree(parsed: &Parsed) -> String {
    let shown = format!("{:?}", parsed.ast);
    let mut parts = shown.split("Span { file: ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // A text of the job may hold these words, too.
        out += part.split_once('}').map_or(part, |(_, rest)| rest);
    }
    out
}

/// Formats what parses and checks what must hold for every text.
pub fn formatted(parsed: &Parsed) -> String {
    let text = &parsed.text;
    let formatted = format(parsed).expect("it parses");
    let reread = parse(FileId(0), &formatted);
    assert_eq!(reread.errors, [], "formatted, it no longer parses:\n{text}\n----\n{formatted}");
    assert_eq!(tree(parsed), tree(&reread), "the AST changed:\n{text}\n----\n{formatted}");
    assert_eq!(comments(parsed), comments(&reread), "comments changed:\n{text}\n----\n{formatted}");
    assert_eq!(formatted, format(&reread).expect("it parses"), "not idempotent:\n{text}");
    // A carriage return alone ends no line: inside a comment or a string it is a part of it, and kept.
    assert!(!formatted.contains("\r\n") && !formatted.contains("\n\n\n"), "{formatted}");
    assert!(formatted.is_empty() || formatted.ends_with('\n') && !formatted.starts_with('\n'), "{formatted}");
    assert!(formatted.lines().all(|line| line.trim_end() == line), "{formatted}");
    formatted
}
