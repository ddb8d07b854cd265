//! What the words of a statement show when it cannot be read.

use std::ops::Range;

use dbjob_plan::Span;

use super::layout::{Layout, is_operator};
use super::token::{RESERVED, TokenKind};
use crate::diagnostic::{Code, Diagnostic, Edit, Fix};

const VERBS: [&str; 37] = [
    "filter", "derive", "select", "drop", "rename", "join", "left", "full", "semi", "anti", "cross", "asof", "group",
    "window", "sort", "take", "distinct", "sample", "union", "pivot", "unpivot", "explode", "split", "map", "unmap",
    "predict", "expect", "extern", "input", "output", "fit", "tune", "refit", "evaluate", "require", "to", "accept",
];

const TYPES: [&str; 11] =
    ["int", "float", "decimal", "bool", "string", "date", "datetime", "duration", "category", "list", "vector"];

/// Begins a statement of some block.
pub(super) fn is_verb(word: &str) -> bool {
    VERBS.contains(&word)
}

pub(super) fn is_type(word: &str) -> bool {
    TYPES.contains(&word)
}

/// The first token at which brackets, `if` and `match` nest deeper than `deepest`.
pub(super) fn too_deep(layout: &Layout, range: Range<usize>, deepest: usize) -> Option<usize> {
    // For each open bracket, how many `if` and `match` wait inside it before the next separator.
    let mut waiting = vec![0usize];
    let mut total = 0;
    for at in range {
        let token = layout.tokens[at];
        match token.kind {
            TokenKind::Open => waiting.push(0),
            TokenKind::Close if waiting.len() > 1 => total -= waiting.pop().unwrap_or(0),
            TokenKind::Comma | TokenKind::Semicolon => total -= reset(&mut waiting),
            TokenKind::LineEnd if layout.is_separator(at) => total -= reset(&mut waiting),
            TokenKind::Word => {
                let word = layout.text_of(at);
                let chained =
                    word == "if" && layout.previous_significant(at).is_some_and(|p| layout.text_of(p) == "else");
                if (word == "if" && !chained) || word == "match" {
                    *waiting.last_mut().expect("the outermost stays") += 1;
                    total += 1;
                }
            }
            _ => {}
        }
        if total + waiting.len() > deepest + 1 {
            return Some(at);
        }
    }
    None
}

fn reset(waiting: &mut [usize]) -> usize {
    std::mem::take(waiting.last_mut().expect("the outermost stays"))
}

/// Where the reading of a statement stopped, and what could have stood there.
pub(super) struct Place<'a> {
    pub layout: &'a Layout<'a>,
    /// The tokens of the statement.
    pub range: Range<usize>,
    /// The token that could not be read; `None`: the statement ended.
    pub found: Option<usize>,
    pub wants_name: bool,
    pub wants_value: bool,
    pub wants_else: bool,
    pub wants_then: bool,
    pub wants_range: bool,
    pub wants_arrow: bool,
    pub may_end: bool,
    /// It is a statement of a block that holds settings.
    pub setting: bool,
}

impl Place<'_> {
    /// The significant token `back` places before the found one, within the statement.
    fn before(&self, back: usize) -> Option<usize> {
        let mut at = self.found.unwrap_or(self.range.end);
        for _ in 0..back {
            at = self.layout.previous_significant(at).filter(|at| *at >= self.range.start)?;
        }
        Some(at)
    }

    fn word(&self, at: Option<usize>) -> &str {
        at.map_or("", |at| self.layout.symbol(at))
    }

    fn error(&self, at: usize, message: impl Into<String>, label: &str, help: impl Into<String>) -> Option<Diagnostic> {
        let span = self.layout.tokens[at].span(self.layout.file);
        Some(Diagnostic::error(Code::E0001, span, message).label(label).help(help))
    }
}

/// The bytes of a `// …` comment on the line where the reading stopped.
pub(super) fn foreign_comment(place: &Place) -> Option<Range<usize>> {
    let layout = place.layout;
    let last = place.found.unwrap_or(place.range.end - 1);
    let on_line = |at: &usize| layout.tokens[*at].kind != TokenKind::LineEnd;
    let slashes =
        (place.range.start..=last).rev().take_while(on_line).filter(|at| layout.symbol(*at) == "//").last()?;
    // Two words in a row are prose.
    let words = |at: usize| layout.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Word);
    if !(words(slashes + 1) && words(slashes + 2)) && place.found.is_some_and(|found| found > slashes + 1) {
        return None;
    }
    let end = (slashes..place.range.end).take_while(on_line).last()?;
    Some(layout.tokens[slashes].start as usize..layout.tokens[end].end as usize)
}

/// A `/* … */` comment, by its tokens.
pub(super) fn block_comment(place: &Place) -> Option<Range<usize>> {
    let layout = place.layout;
    let pair = |at: usize, first: &str, second: &str| {
        layout.symbol(at) == first
            && layout.symbol(at + 1) == second
            && layout.tokens[at].end == layout.tokens[at + 1].start
    };
    let found = place.found?;
    let begin =
        [found.checked_sub(1)?, found].into_iter().find(|at| *at >= place.range.start && pair(*at, "/", "*"))?;
    let end = (begin + 2..place.range.end.saturating_sub(1)).find(|at| pair(*at, "*", "/"));
    Some(begin..end.map_or(place.range.end, |end| end + 2))
}

/// The common mistake that explains why the reading stopped.
pub(super) fn find(place: &Place) -> Option<Diagnostic> {
    without_else(place).or_else(|| list_without_brackets(place)).or_else(|| before_it(place)).or_else(|| found(place))
}

/// A comma or an operator at the end of a line pulls the next statement in: the error, and where that begins.
pub(super) fn goes_on_by_accident(place: &Place) -> Option<(Diagnostic, usize)> {
    let layout = place.layout;
    let last = place.found.unwrap_or(place.range.end - 1);
    let begins_statement = |at: usize| {
        let operand = layout.tokens.get(at + 1).is_some_and(|next| {
            matches!(next.kind, TokenKind::Word | TokenKind::Backtick | TokenKind::Number | TokenKind::String)
        });
        is_verb(layout.symbol(at)) && (operand || matches!(layout.symbol(at + 1), "{" | "["))
    };
    let mut open = Vec::new();
    let mut previous = None;
    for at in place.range.start..=last {
        let token = layout.tokens[at];
        if token.is_significant() {
            let pulls = previous.filter(|previous| {
                open.is_empty()
                    && layout.tokens[*previous..at].iter().any(|token| token.kind == TokenKind::LineEnd)
                    && (layout.tokens[*previous].kind == TokenKind::Comma || is_continuation(layout.symbol(*previous)))
            });
            if let Some(pulls) = pulls.filter(|_| begins_statement(at)) {
                let symbol = layout.symbol(pulls);
                let message =
                    format!("the `{symbol}` at the end of the line makes the next line a part of this statement");
                let help = format!("remove the `{symbol}`, or write what belongs after it");
                return Some((place.error(pulls, message, "goes on", help)?, at));
            }
            previous = Some(at);
        }
        open.retain(|end| *end != at);
        open.extend(layout.content_end(at));
    }
    None
}

fn is_continuation(symbol: &str) -> bool {
    is_operator(symbol) || matches!(symbol, "and" | "or" | "not" | "in" | "is" | "then" | "else")
}

fn list_without_brackets(place: &Place) -> Option<Diagnostic> {
    let begun = place.range.start.checked_sub(1);
    if !place.setting || place.found.is_some() || place.range.len() > 1 || place.word(begun) != "," {
        return None;
    }
    let last = place.range.start;
    let help = format!("write `name = [a, {}]`", place.layout.symbol(last));
    place.error(last, "a list of values stands in brackets", "a second value", help)
}

fn without_else(place: &Place) -> Option<Diagnostic> {
    if !place.wants_else || matches!(place.word(place.found), "elif" | "elseif" | "elsif") {
        return None;
    }
    let at = place.range.clone().rev().find(|at| place.layout.text_of(*at) == "if")?;
    place.error(
        at,
        "this `if` has no `else`",
        "needs a value for the other case",
        "write `if CONDITION then VALUE else VALUE`; `else null` if there is none",
    )
}

/// What stands before the token explains it.
fn before_it(place: &Place) -> Option<Diagnostic> {
    let layout = place.layout;
    let previous = place.before(1)?;
    if place.wants_range && place.word(place.before(2)) == "in" {
        let help = "write `in 1..=5` or `in [1, 2]`";
        return place.error(previous, "a refinement is a range or a list", "a single value", help);
    }
    let (word, token) = (layout.symbol(previous), layout.tokens[previous]);
    let found = place.word(place.found);
    if word.ends_with('%') && token.kind == TokenKind::Number && place.found.is_some() && place.may_end {
        let number = word.trim_end_matches('%');
        return place
            .error(
                previous,
                format!("`{word}` is a percentage"),
                "no space before the `%`",
                format!("write `{number} % {found}` for the remainder"),
            )
            .map(in_place(&format!("{number} % ")));
    }
    if word == "named" {
        let help = "write it before the attributes: `name: type named \"header\" key`";
        return place.error(previous, "`named` follows the type", "too late", help);
    }
    if matches!(word, ".." | "..=") {
        return place
            .error(
                previous,
                "a range is written without spaces",
                "a space after it",
                "write `low..high`; with no upper bound `low..`",
            )
            .map(|error| match (place.before(2), place.found) {
                (Some(low), Some(found)) => {
                    let gap = |from: u32, to: u32| {
                        Edit::Write(Span { file: layout.file, start: from, end: to }, String::new())
                    };
                    let (low, found) = (layout.tokens[low], layout.tokens[found]);
                    let gaps = vec![gap(low.end, token.start), gap(token.end, found.start)];
                    error.fix(Fix::new("write it without spaces", gaps))
                }
                _ => error,
            });
    }
    if token.kind == TokenKind::Date && layout.tokens.get(place.found?).is_some_and(|t| t.kind == TokenKind::Number) {
        return place
            .error(
                place.found?,
                "a time follows its date without a space",
                "not a part of the date",
                format!("write `{word}T09:30:00`"),
            )
            .map(|error| {
                let gap = Span { file: layout.file, start: token.end, end: error.span.start };
                error.fix(Fix::new("write `T` between them", vec![Edit::Write(gap, "T".into())]))
            });
    }
    let is = word == "is" || word == "not" && place.word(place.before(2)) == "is";
    if is {
        let help = match found {
            "nan" | "NaN" => "write `is_nan(x)`",
            _ => "write `x is null` or `x is not null`; to compare write `==` or `!=`",
        };
        return place.error(previous, "`is` asks for `null` only", "here", help);
    }
    if matches!(word, "case" | "CASE") && matches!(found, "when" | "WHEN") {
        let help = "write `if CONDITION then VALUE else VALUE`, or `match x { \"a\" => 1, else => 0 }`";
        return place.error(previous, "there is no `case`", "`if` or `match` is meant", help);
    }
    if word == "by" && place.word(place.before(2)) == "sort" {
        let error = place.error(previous, "`sort` needs no `by`", "leave it out", "write `sort a desc, b`")?;
        return Some(match layout.tokens.get(previous + 1) {
            Some(next) => error.fix(Fix::write(Span { file: layout.file, start: token.start, end: next.start }, "")),
            None => error,
        });
    }
    None
}

/// The token explains itself.
fn found(place: &Place) -> Option<Diagnostic> {
    let layout = place.layout;
    let at = place.found?;
    let (word, token) = (layout.symbol(at), layout.tokens[at]);
    let next = layout.symbol(at + 1);
    let touches_next = layout.tokens.get(at + 1).is_some_and(|next| next.start == token.end);
    match word {
        "elif" | "elseif" | "elsif" => place
            .error(at, format!("there is no `{word}`"), "`else if` is meant", "write `else if`")
            .map(in_place("else if")),
        "`" => place.error(at, "this name is not closed on its line", "opened here", "write a backtick at its end"),
        "?" => place.error(at, "there is no `? :`", "here", "write `if CONDITION then VALUE else VALUE`"),
        "between" => place.error(at, "there is no `between`", "a range is meant", "write `x in low..=high`"),
        "like" | "ilike" | "rlike" | "regexp" | "LIKE" => place.error(
            at,
            format!("there is no `{word}`"),
            "here",
            "write `starts_with(x, \"a\")`, `contains(x, \"a\")` or `matches(x, \"^a\")`",
        ),
        "using" => place.error(at, "there is no `using`", "`on` is meant", "write `join TABLE on key`"),
        "as" if layout.symbol(place.range.start) == "select" => {
            place.error(at, "`select` does not rename", "here", "write `rename old as new` on a line of its own")
        }
        "{" if place.wants_then => place.error(
            at,
            "the condition of an `if` ends with `then`",
            "`then` is meant",
            "write `if CONDITION then VALUE else VALUE`",
        ),
        "*" if layout.symbol(at.wrapping_sub(1)) == "(" => place.error(
            at,
            "`*` does not stand for all columns",
            "here",
            "write `count()` for the number of rows, `select all` for all columns",
        ),
        "else" if layout.symbol(at.wrapping_sub(1)) == "{" => place.error(
            at,
            "`else` is the last arm of a `match`",
            "no arm stands before it",
            "write `match x { \"a\" => 1, else => 0 }`",
        ),
        "{" if layout.symbol(place.range.start) == "use" => place.error(
            place.range.clone().find(|at| layout.symbol(*at) == "as")?,
            "`use` gives no other names",
            "here",
            "write `use { a, b } from \"path.dbjob\"`; a transform may give a table another name",
        ),
        "." if place.wants_value && touches_next && next.starts_with(|c: char| c.is_ascii_digit()) => {
            let (start, end) = (token.start, layout.tokens[at + 1].end);
            let span = Span { file: layout.file, start, end };
            let error =
                Diagnostic::error(Code::E0003, span, "a number begins with a digit").label("no digit before the point");
            Some(error.instead(format!("0.{next}")))
        }
        "," if first_on_line(layout, at) => place.error(
            at,
            "a line does not begin with a comma",
            "here",
            "write it at the end of the line above, or leave it out where a new line separates",
        ),
        _ if place.wants_arrow && arm_sign(place, at).is_some() => place
            .error(arm_sign(place, at)?, "an arm of a `match` has `=>`", "`=>` is meant", "write `value => result`")
            .map(in_place("=>")),
        "," if after_else_arm(place, at) => place.error(
            at,
            "`else` is the last arm of a `match`",
            "an arm follows it",
            "move the `else` arm to the end",
        ),
        "," if in_parentheses(place, at) => {
            place.error(at, "a list stands in `[ ]`", "a second value", "write `x in [1, 2]`")
        }
        "," if place.may_end => place.error(
            at,
            "nothing can follow this comma",
            "a comma goes on with the statement",
            "remove it, or begin a new line",
        ),
        "-" if next == ">" && touches_next => {
            place.error(at, "the type of the result follows a colon", "`:` is meant", "write `fn f(x: int): int = …`")
        }
        "=>" => {
            place.error(at, "`=>` stands in a `match` only", "here", "a name is given with `=`, a comparison is `>=`")
        }
        _ if place.wants_then && !word.is_empty() => place.error(
            at,
            "this `if` has no `then`",
            "`then` is missing before this",
            "write `if CONDITION then VALUE else VALUE`",
        ),
        _ if RESERVED.contains(&word) && place.wants_name && token.kind == TokenKind::Word => {
            let message = format!("`{word}` is a reserved word");
            place.error(at, message, "not a name", format!("as a name write it in backticks: `` `{word}` ``"))
        }
        _ if is_operand(token.kind)
            && !place.wants_value
            && enclosing(place, at).is_some_and(|open| layout.symbol(open) != "{") =>
        {
            place.error(at, "values in brackets have a comma between them", "`,` is missing before this", "write `,`")
        }
        _ if word == "`" => place.error(
            at,
            "this name in backticks is not closed on its line",
            "opened here",
            "write a backtick at its end",
        ),
        _ if token.kind == TokenKind::Wrong => place.error(
            at,
            format!("`{word}` means nothing here"),
            "not a character of the language",
            "remove it; a name with such characters stands in backticks",
        ),
        _ => None,
    }
}

/// The text that is certain to belong at the place of an error.
fn in_place(text: &str) -> impl Fn(Diagnostic) -> Diagnostic {
    move |error| {
        let span = error.span;
        error.fix(Fix::write(span, text))
    }
}

fn first_on_line(layout: &Layout, at: usize) -> bool {
    at > 0 && layout.tokens[at - 1].kind == TokenKind::LineEnd
}

/// The `=` or `:` of the arm that ends at `at`.
fn arm_sign(place: &Place, at: usize) -> Option<usize> {
    let arm = |at: &usize| !matches!(place.layout.symbol(*at), "," | "{" | ";");
    (place.range.start..at).rev().take_while(arm).find(|at| matches!(place.layout.symbol(*at), "=" | ":"))
}

fn after_else_arm(place: &Place, at: usize) -> bool {
    let arm = |at: &usize| !matches!(place.layout.symbol(*at), "," | "{" | ";");
    let mut back = (place.range.start..at).rev().take_while(arm);
    back.any(|at| place.layout.symbol(at) == "else" && place.layout.symbol(at + 1) == "=>")
}

/// The innermost bracket of the statement that is open at a token.
fn enclosing(place: &Place, at: usize) -> Option<usize> {
    (place.range.start..at).rev().find(|open| place.layout.content_end(*open).is_some_and(|end| end > at))
}

fn is_operand(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Word | TokenKind::Backtick | TokenKind::Number | TokenKind::String | TokenKind::Date)
}

/// In brackets that only group, not in those of a call.
fn in_parentheses(place: &Place, at: usize) -> bool {
    let layout = place.layout;
    enclosing(place, at).is_some_and(|open| {
        let before = layout.previous_significant(open).filter(|before| *before >= place.range.start);
        layout.symbol(open) == "("
            && before.is_some_and(|before| {
                layout.tokens[before].kind != TokenKind::Word || RESERVED.contains(&layout.symbol(before))
            })
    })
}
