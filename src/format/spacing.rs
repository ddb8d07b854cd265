use crate::syntax::layout::Layout;
use crate::syntax::{Marks, RESERVED, TokenKind};

/// Whether a space stands between two neighbours on one line.
pub(super) fn is_spaced(layout: &Layout, marks: &Marks, before: usize, after: usize) -> bool {
    let (left, right) = (layout.symbol(before), layout.symbol(after));
    let (first, second) = (layout.tokens[before], layout.tokens[after]);
    // Without a rule of the grammar it is not known what belongs together: as it was.
    let unread = marks.unread.partition_point(|(_, end)| *end <= first.start);
    if marks.unread.get(unread).is_some_and(|(start, end)| *start <= first.start && second.start < *end) {
        return first.end != second.start;
    }
    if marks.glued.contains(&second.start) || marks.signs.contains(&first.start) || marks.calls.contains(&second.start)
    {
        return false;
    }
    match (left, right) {
        ("(" | "[", _) | (_, ")" | "]" | "," | ";" | ":" | "?" | ".") | (".", _) | ("{", "}") => false,
        // A range touches its ends; what does not touch it is no end.
        (".." | "..=", _) => first.end != second.start,
        (_, ".." | "..=") => first.end != second.start || !ends_operand(first.kind, left),
        _ => true,
    }
}

fn ends_operand(kind: TokenKind, text: &str) -> bool {
    match kind {
        TokenKind::Word => !RESERVED.contains(&text) || ["true", "false", "null"].contains(&text),
        TokenKind::Comma | TokenKind::Semicolon | TokenKind::Symbol | TokenKind::Open => false,
        _ => true,
    }
}

/// The columns of a terminal that a text takes: wide East Asian characters take two.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// Unicode Standard Annex #11, the blocks that are wide throughout.
fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f
        | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd)
}
