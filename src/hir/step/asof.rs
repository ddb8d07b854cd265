//! `asof join`: to each row the last one of another table at or before its time.

use std::collections::BTreeSet;

use dbjob_plan::{Asof, BinaryOp, DataType, Join, JoinKind, Op, Span, Value};

use super::join::{arriving, both, checked_pairs, sides, splits_agree, unknown_modifiers};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::Served;
use crate::hir::clock::Clock;
use crate::hir::items::table_named;
use crate::hir::options;
use crate::hir::table::{Column, Table};
use crate::hir::taint::{Taint, TaintKind, TaintSource};
use crate::hir::transform::Builder;
use crate::syntax::ast::{self, ExprKind, Ident, JoinStep};

/// Words that speak of how many rows match: here it is never more than one.
const GRAIN: [&str; 4] = ["many_to_many", "one_to_many", "many_to_one", "one_to_one"];

pub(super) fn check(join: &JoinStep, span: Span, b: &mut Builder<'_, '_>) {
    unknown_modifiers(join, &[&["lookup"], &GRAIN[..]].concat(), b);
    for word in join.modifiers.iter().filter(|m| GRAIN.contains(&m.name.as_str())) {
        let message = format!("an asof join takes at most one row, so `{}` has no effect", word.name);
        b.report(Diagnostic::error(Code::E0109, word.span, message).label("no effect").help("remove it"));
    }
    let mut right = table_named(b.cx, &join.right);
    if right.broken || b.table.broken {
        b.table.broken = true;
        return;
    }
    let Some((on, times, asof)) = keys(join, &right, b) else {
        b.table.broken = true;
        return;
    };
    splits_agree(join, JoinKind::Asof, &right, &on, b);
    let of_earlier = times.of_earlier_rows(&mut right);
    // A time of one name here and there is one column to the reader, unless the other gets a name of its own.
    let left_out = |name: &str| {
        let is_time = join.prefix.is_none() && asof.left == asof.right && name == asof.right;
        is_time || on.iter().any(|(l, r)| l == r && r == name)
    };
    let known = |taint: &Taint| times.known(taint, join.right.span);
    let right_columns = arriving(join, JoinKind::Asof, &right, &on, &left_out, &known, b);
    let earlier = times.are_earlier();
    for column in right_columns.iter().filter(|c| earlier || of_earlier.contains(&c.from)) {
        if let Some(column) = b.table.get_mut(&column.to) {
            column.elsewhere.clone_from(&column.origin);
        }
    }
    let lookup = join.modifiers.iter().any(|m| m.name == "lookup");
    let served = if lookup {
        Served::Computed
    } else {
        Served::Not("the other table is not at hand when one row is asked about; `lookup` takes it along")
    };
    let kind = JoinKind::Asof;
    let op = Op::Join(Join {
        kind,
        on,
        right_columns,
        verify_unique_right: false,
        verify_unique_left: false,
        lookup,
        asof: Some(asof),
    });
    b.push_with(op, vec![join.right.name.clone()], span, served);
}

type Pair = (String, String);

/// The columns that must be equal, and the times.
fn keys(join: &JoinStep, right: &Table, b: &mut Builder<'_, '_>) -> Option<(Vec<Pair>, Times, Asof)> {
    let mut equal: Vec<(Ident, Ident)> = join.by.iter().map(|k| (k.clone(), k.clone())).collect();
    let mut time: Option<(Ident, Ident, bool)> = None;
    for expr in &join.on {
        condition(expr, join, &mut time, &mut equal, b)?;
    }
    let Some((left, theirs, strict)) = time else {
        let at = join.on.first().map_or(join.right.span, |e| e.span);
        let other = join.alias.as_ref().unwrap_or(&join.right);
        let help = match equal.last().filter(|_| !join.on.is_empty()) {
            Some((l, r)) => format!("write `on {} >= {}.{}`, or `>` for strictly before", l.name, other.name, r.name),
            None => format!("write `asof join {} on TIME by KEY`", join.right.name),
        };
        let diagnostic =
            Diagnostic::error(Code::E0108, at, "the asof join has no time").label("as of when?").help(help);
        b.report(diagnostic);
        return None;
    };
    let on = checked_pairs(equal, join, right, b)?;
    let (ours, there) = both(&left, &theirs, join, right, b)?;
    let fits = |c: &Column| matches!(c.dtype, DataType::Int | DataType::Date | DataType::Datetime);
    if [&ours, there].iter().any(|c| c.dtype == DataType::Unknown) {
        return None;
    }
    if ours.dtype != there.dtype || !fits(&ours) {
        let message = if ours.dtype == there.dtype {
            format!("an asof join goes by a date, a datetime or an int, not {}", ours.dtype)
        } else {
            format!("the times are of two types, {} and {}", ours.dtype, there.dtype)
        };
        let diagnostic = Diagnostic::error(Code::E0302, left.span, message)
            .label(format!("{} here", ours.dtype))
            .related(there.span, format!("{} there", there.dtype))
            .help("make both of one type first: `derive at = datetime(day)`");
        b.report(diagnostic);
        return None;
    }
    let within = within(join, &ours, b)?;
    let of_row = b.table.time().and_then(|c| c.clock.clone());
    let times = Times { of_row, ours, theirs: there.clone(), strict };
    Some((on, times, Asof { left: left.name, right: theirs.name, strict, within }))
}

/// `at`, `at >= p.at`, `at > p.at`, `k == p.l`, joined by `and`.
fn condition(
    expr: &ast::Expr,
    join: &JoinStep,
    time: &mut Option<(Ident, Ident, bool)>,
    equal: &mut Vec<(Ident, Ident)>,
    b: &mut Builder<'_, '_>,
) -> Option<()> {
    use BinaryOp::{And, Eq, Ge, Gt, Le, Lt};
    let other = join.alias.as_ref().unwrap_or(&join.right).name.as_str();
    let (found, help) = match &expr.kind {
        ExprKind::Name(name) => {
            let ident = Ident { name: name.clone(), span: expr.span };
            (Some((ident.clone(), ident, false)), String::new())
        }
        ExprKind::Binary { op: And, left, right, .. } => {
            condition(left, join, time, equal, b)?;
            return condition(right, join, time, equal, b);
        }
        ExprKind::Binary { op: op @ (Eq | Ge | Gt | Le | Lt), left, right, .. } => match (sides(left, right, join), op)
        {
            (Some((l, r, _)), Eq) => {
                equal.push((l, r));
                return Some(());
            }
            (Some((l, r, mirrored)), op) if matches!(op, Ge | Gt) != mirrored => {
                (Some((l, r, matches!(op, Gt | Lt))), String::new())
            }
            (Some((l, r, _)), op) => {
                let sign = if matches!(op, Lt | Gt) { ">" } else { ">=" };
                let message = format!("`{}` looks ahead, which an asof join never does", op.sign());
                let diagnostic = Diagnostic::error(Code::E0302, expr.span, message)
                    .label("later rows")
                    .help(format!("write `on {} {sign} {other}.{}`", l.name, r.name));
                b.report(diagnostic);
                return None;
            }
            (None, _) => (None, format!("write `on a >= {other}.b`")),
        },
        _ => (None, format!("write `on at`, or `on a >= {other}.b`, or `>` for strictly before")),
    };
    let Some(found) = found else {
        let message = "an asof join compares a time of here with one of there";
        b.report(Diagnostic::error(Code::E0302, expr.span, message).label("not of that form").help(help));
        return None;
    };
    if let Some((first, ..)) = time {
        let diagnostic = Diagnostic::error(Code::E0302, expr.span, "an asof join goes by one time")
            .label("a second one")
            .related(first.span, "the first")
            .help("keys that must be equal stand behind `by`: `on at by sku, shop`");
        b.report(diagnostic);
        return None;
    }
    *time = Some(found);
    Some(())
}

/// `Some(None)` without `within`; `None` when something was reported.
fn within(join: &JoinStep, ours: &Column, b: &mut Builder<'_, '_>) -> Option<Option<i64>> {
    let Some(written) = &join.within else { return Some(None) };
    match (options::constant(written), &ours.dtype) {
        (Some(Value::Duration(us)), DataType::Date | DataType::Datetime) if us > 0 => Some(Some(us)),
        (Some(Value::Int(n)), DataType::Int) if n > 0 => Some(Some(n)),
        _ => {
            let (wanted, example) =
                if ours.dtype == DataType::Int { ("a whole number", "100") } else { ("a duration", "7d") };
            let what = options::describe(written);
            let diagnostic =
                Diagnostic::error(Code::E0105, written.span, format!("`within` wants {wanted} above 0, not {what}"))
                    .label(format!("not {wanted}"))
                    .related(ours.span, format!("the time is {}", ours.dtype))
                    .help(format!("write `within {example}`"));
            b.report(diagnostic);
            None
        }
    }
}

/// What the two times say about what is known.
struct Times {
    /// The clock of the row's `time`.
    of_row: Option<Clock>,
    ours: Column,
    theirs: Column,
    strict: bool,
}

impl Times {
    /// Whether the rows there came to be strictly before ours.
    fn are_earlier(&self) -> bool {
        let ahead = |time: &Clock| self.ours.clock.as_ref()?.after(time);
        self.strict && self.of_row.as_ref().and_then(ahead).is_some_and(|ahead| ahead <= 0)
    }

    /// The aggregates there that were computed over rows strictly before ours, as the months before a row's own; what
    /// they share with later rows is nothing that these do not know.
    fn of_earlier_rows(&self, right: &mut Table) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let pace = self.ours.paced().filter(|pace| self.strict && self.of_row.as_ref() == Some(&pace.time));
        let Some(pace) = pace else { return found };
        right.columns.update(|column| {
            if let Some(group) = column.aggregate.clone().filter(|group| group.ends_before(&pace, &self.theirs)) {
                column.statistics.forget(&group);
                found.insert(column.name.clone());
            }
        });
        found
    }

    /// What of a taint there is one here. With rows there before ours, and ours so much after the row's `time`, what is
    /// known so much after theirs is known before the row came to be.
    fn known(&self, taint: &Taint, span: Span) -> Taint {
        let ahead = self.of_row.as_ref().and_then(|time| self.ours.clock.as_ref()?.after(time));
        // Which row comes hangs on both times.
        let mut seen = taint.clone();
        seen.absorb(&self.theirs.taint);
        let is_known = |known: &Clock| {
            let later = self.theirs.clock.as_ref().and_then(|theirs| known.after(theirs));
            ahead.zip(later).is_some_and(|(a, b)| if self.strict { a + b <= 0 } else { a + b < 0 })
        };
        let mut open = seen.clone();
        open.retain(|_, source| source.known.is_none());
        let mut waiting = seen;
        waiting.retain(|_, source| source.known.as_ref().is_some_and(|known| !is_known(known)));
        let why = match ahead {
            None => format!("`{}` is not the row's `time`, before which it would be known", self.ours.name),
            Some(_) if self.strict => format!("it may not be known yet at `{}`", self.theirs.name),
            Some(_) => "it may be known at the same time only: `>` takes rows strictly before".to_owned(),
        };
        let mut out = open.elsewhere();
        out.absorb(&waiting.elsewhere().through(span, &why));
        // A time after the row's own sees its future.
        out.absorb(&self.ours.taint.elsewhere());
        if ahead.is_some_and(|a| a > 0) {
            out.add(format!("rows up to {}", self.ours.name), TaintSource::new(TaintKind::Late, self.ours.span));
        }
        out
    }
}
