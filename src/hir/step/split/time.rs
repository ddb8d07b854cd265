//! Parts that follow each other in time.

use dbjob_plan::{DataType, Span, SplitParts, Value};

use super::PARTS;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::options;
use crate::hir::selection::known;
use crate::hir::transform::Builder;
use crate::syntax::ast::{Expr, Ident, SplitPart, SplitSize};

const DAY: i64 = 86_400_000_000;

pub(super) struct Time {
    pub name: String,
    pub is_date: bool,
}

/// The time that decides: a date or datetime that is never null.
pub(super) fn column(at: &Ident, b: &mut Builder<'_, '_>) -> Option<Time> {
    if !known(at, &b.table, &mut b.cx.out) {
        return None;
    }
    let column = b.table.get(&at.name).expect("known above");
    let name = &at.name;
    let diagnostic = if column.dtype == DataType::Unknown {
        return None;
    } else if !column.dtype.is_temporal() {
        let times = b.table.columns.iter().filter(|c| c.dtype.is_temporal()).map(|c| c.name.as_str());
        let times: Vec<&str> = times.collect();
        let diagnostic = Diagnostic::error(Code::E0201, at.span, format!("`{name}` is {}, not a time", column.dtype))
            .label("no date or datetime")
            .related(column.span, "its type");
        match times.as_slice() {
            [] => diagnostic
                .help(format!("a time is a date or datetime; to keep equal values together, write `split by {name}`")),
            some => diagnostic.help(format!("times are {}", some.join(", "))),
        }
    } else if column.nullable {
        Diagnostic::error(Code::E0208, at.span, format!("`{name}` may be null, and such a row would be of no part"))
            .label("may be null")
            .related(column.span, "nullable here")
            .help(format!("write `filter {name} is not null` above"))
    } else {
        return Some(Time { name: name.clone(), is_date: column.dtype == DataType::Date });
    };
    b.report(diagnostic);
    None
}

/// Microseconds; 0 if none is written.
pub(super) fn gap(gap: Option<&Expr>, of_dates: bool, b: &mut Builder<'_, '_>) -> Option<i64> {
    let Some(gap) = gap else { return Some(0) };
    let diagnostic = match options::constant(gap) {
        Some(Value::Duration(us)) if us > 0 && !(of_dates && us % DAY != 0) => return Some(us),
        Some(Value::Duration(us)) if us > 0 => {
            Diagnostic::error(Code::E0105, gap.span, "a gap between dates is a number of whole days")
                .label("not of days")
        }
        _ => {
            let what = options::describe(gap);
            Diagnostic::error(Code::E0105, gap.span, format!("a gap is a duration, not {what}")).label("not a duration")
        }
    };
    b.report(diagnostic.help("write `gap 7d`"));
    None
}

/// When a part begins or ends, with its place.
#[derive(Clone, Copy)]
struct Moment {
    at: i64,
    span: Span,
}

struct Stretch<'a> {
    name: &'a Ident,
    from: Option<Moment>,
    before: Option<Moment>,
}

/// `train before …, test from …`: each part begins where the one before it ends.
pub(super) fn bounds(parts: &[SplitPart], time: &str, gap: i64, b: &mut Builder<'_, '_>) -> Option<SplitParts> {
    let mut stretches: Vec<Stretch<'_>> = Vec::new();
    for name in PARTS {
        let Some(part) = parts.iter().find(|p| p.part.name == name) else { continue };
        match &part.size {
            SplitSize::Share(share) => {
                let message = "some parts are shares and others have a beginning or an end";
                let diagnostic = Diagnostic::error(Code::E0105, share.span, message)
                    .label("a share")
                    .help("write shares for all, or times for all");
                b.report(diagnostic);
                return None;
            }
            SplitSize::Time { from, before } => {
                let from = moment(from.as_ref(), b)?;
                let before = moment(before.as_ref(), b)?;
                stretches.push(Stretch { name: &part.part, from, before });
            }
        }
    }
    if let Err(diagnostic) = whole(&stretches) {
        b.report(diagnostic);
        return None;
    }
    // `split at t { test from @… }`: what is earlier is train.
    let mut begins = [None; 3];
    for (index, stretch) in stretches.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|i| stretches[i].before);
        let place = PARTS.iter().position(|p| *p == stretch.name.name)?;
        begins[place] = stretch.from.or(before);
    }
    let ordered: Vec<Moment> = begins.iter().flatten().copied().collect();
    if let [first, second] = ordered.as_slice()
        && first.at >= second.at
    {
        let diagnostic = Diagnostic::error(Code::E0105, second.span, "`test` begins before `valid` does")
            .label("not after it")
            .related(first.span, "`valid` begins here")
            .help("in time, train comes first, then valid, then test");
        b.report(diagnostic);
        return None;
    }
    let [_, valid, test] = begins.map(|begin| begin.map(|m| m.at));
    Some(SplitParts::Bounded { time: time.to_owned(), valid_from: valid, test_from: test, gap })
}

/// Whether the parts, in order, cover all of time once.
fn whole(stretches: &[Stretch<'_>]) -> Result<(), Diagnostic> {
    let (Some(first), Some(last)) = (stretches.first(), stretches.last()) else { return Ok(()) };
    if let Some(begin) = first.from.filter(|_| first.name.name == "train") {
        return Err(Diagnostic::error(Code::E0105, begin.span, "rows before the beginning of `train` are of no part")
            .label("leaves a hole")
            .help("leave such rows out with `filter`, and write `train before @…`"));
    }
    if let Some(end) = last.before {
        let message = format!("rows after the end of `{}` are of no part", last.name.name);
        let help = match last.name.name.as_str() {
            "test" => "leave such rows out with `filter`, and write `test from @…`",
            _ => "add `test from @…`",
        };
        return Err(Diagnostic::error(Code::E0105, end.span, message).label("leaves a hole").help(help));
    }
    if first.from.is_none() && first.name.name != "train" {
        let message = format!("when does `{}` begin?", first.name.name);
        return Err(Diagnostic::error(Code::E0108, first.name.span, message)
            .label("no beginning")
            .help(format!("write `{} from @2024-01-01`", first.name.name)));
    }
    for pair in stretches.windows(2) {
        let (earlier, later) = (&pair[0], &pair[1]);
        let names = (&earlier.name.name, &later.name.name);
        match (earlier.before, later.from) {
            (None, None) => {
                return Err(Diagnostic::error(
                    Code::E0108,
                    later.name.span,
                    format!("when does `{}` end and `{}` begin?", names.0, names.1),
                )
                .label("no beginning")
                .help(format!("write `{} from @2024-01-01`", names.1)));
            }
            (Some(end), Some(begin)) if end.at != begin.at => {
                let (what, help) = if end.at > begin.at {
                    ("overlap", "a part ends where the next begins")
                } else {
                    (
                        "leave a hole between them",
                        "a part ends where the next begins; rows between are left out by `gap 7d`",
                    )
                };
                return Err(Diagnostic::error(
                    Code::E0105,
                    begin.span,
                    format!("`{}` and `{}` {what}", names.0, names.1),
                )
                .label(format!("`{}` begins here", names.1))
                .related(end.span, format!("`{}` ends here", names.0))
                .help(help));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A date or datetime; the outer `None` if something was reported.
fn moment(written: Option<&Expr>, b: &mut Builder<'_, '_>) -> Option<Option<Moment>> {
    let Some(written) = written else { return Some(None) };
    let at = match options::constant(written) {
        Some(Value::Date(days)) => i64::from(days) * DAY,
        Some(Value::Datetime(us)) => us,
        _ => {
            let what = options::describe(written);
            let message = format!("a part begins or ends at a date or datetime, not at {what}");
            let diagnostic = Diagnostic::error(Code::E0105, written.span, message).label("not a time");
            b.report(diagnostic.help("write `@2024-01-31`"));
            return None;
        }
    };
    Some(Some(Moment { at, span: written.span }))
}
