//! `join`.

use std::collections::BTreeSet;

use dbjob_plan::{BinaryOp, DataType, Join, JoinKind, Op, Projection, Span};

use super::asof;
use super::columns::exists;
use super::same_file;
use crate::diagnostic::{Code, Diagnostic, Fix, meant_name};
use crate::hir::Served;
use crate::hir::expr::unknown_column;
use crate::hir::items::table_named;
use crate::hir::range::Range;
use crate::hir::statistic::Copies;
use crate::hir::table::{Column, Repeat, Role, Table};
use crate::hir::taint::Taint;
use crate::hir::transform::Builder;
use crate::hir::types;
use crate::syntax::ast::{self, ExprKind, Ident, JoinStep};

const MODIFIERS: [&str; 5] = ["lookup", "many_to_many", "one_to_many", "many_to_one", "one_to_one"];

pub(in crate::hir) fn check(join: &JoinStep, span: Span, b: &mut Builder<'_, '_>) {
    if join.kind.as_ref().is_some_and(|kind| kind.name == "asof") {
        return asof::check(join, span, b);
    }
    let Some(kind) = kind_of(join, b) else {
        b.table.broken = true;
        return;
    };
    unknown_modifiers(join, &MODIFIERS, b);
    only_of_asof(join, b);
    let right = table_named(b.cx, &join.right);
    if right.broken || b.table.broken {
        b.table.broken = true;
        return;
    }
    let Some(on) = keys(join, kind, &right, b) else {
        b.table.broken = true;
        return;
    };
    let has = |word: &str| join.modifiers.iter().any(|m| meant_name(&m.name, MODIFIERS).unwrap_or(&m.name) == word);
    let right_unique = right.unique_by(on.iter().map(|(_, r)| r.as_str()));
    let left_unique = b.table.unique_by(on.iter().map(|(l, _)| l.as_str()));
    let filters_only = matches!(kind, JoinKind::Semi | JoinKind::Anti);
    if !filters_only && kind != JoinKind::Cross {
        grain(join, &right, &on, right_unique, left_unique, b);
    }
    if kind == JoinKind::Cross && !has("many_to_many") {
        let diagnostic = Diagnostic::error(Code::E0301, join.right.span, "a cross join multiplies rows")
            .label("every row with every row")
            .help("say that it is meant: `cross join … many_to_many`");
        b.report(diagnostic);
    }
    let agree = splits_agree(join, kind, &right, &on, b);
    repeats(kind, &right, &on, left_unique, join.right.span, b);
    let left_names: BTreeSet<String> = b.table.names().map(str::to_owned).collect();
    let equal = |name: &str| on.iter().any(|(l, r)| l == r && r == name);
    let right_columns = arriving(join, kind, &right, &on, &equal, &Taint::elsewhere, b);
    if !agree {
        // What was told of the table is not told of its columns.
        for column in &right_columns {
            if let Some(column) = b.table.get_mut(&column.to) {
                column.statistics.clear();
            }
        }
    }
    if right_unique {
        follow(&right_columns, &right, &on, b);
    }
    let chosen_here = b.table.chosen_by.clone();
    // Rows may be lost (inner, semi, anti) or come without a partner (left, full): either way the right side chose.
    if kind != JoinKind::Left {
        let mut chosen = right.chosen_by.elsewhere();
        chosen.absorb(&of_keys(join, &on, &right, &Taint::elsewhere, b));
        b.table.chosen_by.absorb(&chosen.through(join.right.span, "its rows choose rows here"));
    }
    if !(right_unique || filters_only) {
        b.table.keys.clear();
        if left_unique && kind == JoinKind::Inner {
            // Each right row meets at most one left row, so what tells right rows apart still does.
            let here = |name: &String| {
                let merged = on.iter().find(|(l, r)| r == name && l == r).map(|(l, _)| l);
                merged.or_else(|| right_columns.iter().find(|p| p.from == *name).map(|p| &p.to)).cloned()
            };
            b.table.keys.extend(right.keys.iter().filter_map(|key| key.iter().map(here).collect()));
        }
        b.table.forget_rows();
        b.table.rows.extend(right.rows.iter().cloned());
        b.table.copies = Some(Copies {
            span: join.right.span,
            words: "a row stands once for each of its partners",
            common: left_names.clone(),
        });
    }
    if kind == JoinKind::Full {
        b.table.keys.clear();
        // Whether there is a partner here hangs on what chose these rows.
        let chosen = chosen_here.elsewhere().through(join.right.span, "whether there is a partner hangs on it");
        b.table.columns.update(|column| {
            if !chosen.is_empty() && left_names.contains(&column.name) {
                column.taint.absorb(&chosen);
            }
            let merged = on.iter().any(|(l, r)| *l == column.name && l == r);
            column.nullable |= !merged;
            column.range = Range::ALL;
        });
    } else if matches!(kind, JoinKind::Inner | JoinKind::Semi) {
        // Null never matches.
        for (left, _) in &on {
            if let Some(column) = b.table.get_mut(left) {
                column.nullable = false;
            }
        }
    }
    let lookup = has("lookup");
    let served = if lookup || filters_only {
        Served::Computed
    } else {
        Served::Not("the other table is not at hand when one row is asked about; `lookup` takes it along")
    };
    let op = Op::Join(Join {
        kind,
        on,
        right_columns,
        verify_unique_right: right_unique && !filters_only,
        verify_unique_left: left_unique && (has("one_to_many") || has("one_to_one")),
        lookup,
        asof: None,
    });
    b.push_with(op, vec![join.right.name.clone()], span, served);
}

/// Reports the words behind the table that are not in `known`.
pub(super) fn unknown_modifiers(join: &JoinStep, known: &[&str], b: &mut Builder<'_, '_>) {
    // What stands behind the first may belong to it.
    if let Some(modifier) = join.modifiers.iter().find(|m| !known.contains(&m.name.as_str())) {
        let diagnostic = Diagnostic::error(Code::E0104, modifier.span, format!("a join is never `{}`", modifier.name))
            .label("unknown word");
        let words = format!("it may be {}", known.join(", "));
        b.report(diagnostic.help(words).near(&modifier.name, known.iter().copied()));
    }
}

/// One row there may stand at several rows here from now on.
fn repeats(
    kind: JoinKind,
    right: &Table,
    on: &[(String, String)],
    left_unique: bool,
    span: Span,
    b: &mut Builder<'_, '_>,
) {
    if left_unique || matches!(kind, JoinKind::Semi | JoinKind::Anti | JoinKind::Cross) {
        return;
    }
    let on = on.iter().filter_map(|(l, _)| b.table.get(l)).cloned().collect();
    let known: BTreeSet<_> = b.table.columns.iter().flat_map(|c| &c.origin).collect();
    let brought = right.columns.iter().flat_map(|c| &c.origin).filter(|o| !known.contains(o)).cloned().collect();
    b.table.repeats.push(Repeat { span, on, brought });
}

/// Ids that come along are the same wherever the keys are.
fn follow(columns: &[Projection], right: &Table, on: &[(String, String)], b: &mut Builder<'_, '_>) {
    let is_id = |p: &&Projection| right.get(&p.from).is_some_and(|c| matches!(c.role, Role::Id | Role::Key));
    let left: Vec<String> = on.iter().map(|(l, _)| l.clone()).collect();
    b.table.follows.extend(columns.iter().filter(is_id).map(|p| (left.clone(), p.to.clone())));
}

/// A joined table that is split too must be split alike, and rows may meet only those of their part; a full join must
/// not bring rows that are of no part. Whether they do.
pub(super) fn splits_agree(
    join: &JoinStep,
    kind: JoinKind,
    right: &Table,
    on: &[(String, String)],
    b: &mut Builder<'_, '_>,
) -> bool {
    match (&b.table.split, &right.split) {
        (ours, Some(theirs)) if !ours.as_ref().is_some_and(|ours| ours.agrees(theirs, on)) => {
            let name = &join.right.name;
            let (message, help) = match ours {
                None => (format!("`{name}` has a split of its own"), "join first and split then".to_owned()),
                Some(_) => (
                    format!("`{name}` is split otherwise, so train rows could meet its test rows"),
                    "split both by one key into the same parts and join on it, or join first and split then".to_owned(),
                ),
            };
            let mut diagnostic = Diagnostic::error(Code::E0406, join.right.span, message).label("split otherwise");
            if let Some(ours) = ours {
                diagnostic = diagnostic.related(ours.span, format!("here: {}", ours.words()));
            }
            let diagnostic = diagnostic.related(theirs.span, format!("there: {}", theirs.words())).help(help);
            b.report(diagnostic);
            false
        }
        (Some(ours), _) if kind == JoinKind::Full => {
            let span = join.kind.as_ref().map_or(join.right.span, |k| k.span);
            let message = format!("rows that only `{}` has would be of no part of the split", join.right.name);
            let diagnostic = Diagnostic::error(Code::E0406, span, message)
                .label("brings rows without a part")
                .related(ours.span, "split here")
                .help("join first and split then, or write `left join`");
            b.report(diagnostic);
            false
        }
        _ => true,
    }
}

/// `by` and `within` belong to `asof join`, which does not come this far.
fn only_of_asof(join: &JoinStep, b: &mut Builder<'_, '_>) {
    let mut report = |span: Span, word: &str, help: &str| {
        let message = format!("`{word}` belongs to `asof join`");
        b.report(Diagnostic::error(Code::E0109, span, message).label("no effect").help(help));
    };
    if let Some(first) = join.by.first() {
        report(first.span, "by", "equal keys stand behind `on`: `on k, l`");
    }
    if let Some(within) = &join.within {
        report(within.span, "within", "remove it");
    }
}

fn kind_of(join: &JoinStep, b: &mut Builder<'_, '_>) -> Option<JoinKind> {
    let Some(word) = &join.kind else { return Some(JoinKind::Inner) };
    Some(match word.name.as_str() {
        "inner" => JoinKind::Inner,
        "left" => JoinKind::Left,
        "full" => JoinKind::Full,
        "semi" => JoinKind::Semi,
        "anti" => JoinKind::Anti,
        "cross" => JoinKind::Cross,
        other => {
            let diagnostic =
                Diagnostic::error(Code::E0104, word.span, format!("there is no `{other} join`")).label("unknown kind");
            let near = match other {
                "outer" => diagnostic.help("write `full join`").fix(Fix::write(word.span, "full")),
                "right" => diagnostic.help("begin with the other table and write `left join`"),
                _ => diagnostic.near(other, ["left", "full", "semi", "anti", "cross", "asof"]),
            };
            b.report(near);
            return None;
        }
    })
}

/// The pairs of key columns; `None` when something was reported.
fn keys(join: &JoinStep, kind: JoinKind, right: &Table, b: &mut Builder<'_, '_>) -> Option<Vec<(String, String)>> {
    if kind == JoinKind::Cross {
        if let Some(first) = join.on.first() {
            b.report(
                Diagnostic::error(Code::E0109, first.span, "a cross join has no keys")
                    .label("no effect")
                    .help("drop the `on`, or write `join`"),
            );
            return None;
        }
        return Some(Vec::new());
    }
    if join.on.is_empty() {
        // An unknown word may have been `on`.
        if join.modifiers.iter().any(|m| !MODIFIERS.contains(&m.name.as_str())) {
            return None;
        }
        let diagnostic = Diagnostic::error(Code::E0108, join.right.span, "the join has no keys")
            .label("on which columns?")
            .help(format!("write `join {} on KEY`, or `cross join`", join.right.name));
        b.report(diagnostic);
        return None;
    }
    let mut pairs: Vec<(Ident, Ident)> = Vec::new();
    for expr in &join.on {
        pairs_of(expr, join, b, &mut pairs)?;
    }
    checked_pairs(pairs, join, right, b)
}

/// Equal columns of both sides; `None` when something was reported.
pub(super) fn checked_pairs(
    pairs: Vec<(Ident, Ident)>,
    join: &JoinStep,
    right: &Table,
    b: &mut Builder<'_, '_>,
) -> Option<Vec<(String, String)>> {
    let mut on = Vec::new();
    for (left, theirs) in pairs {
        let (l, r) = both(&left, &theirs, join, right, b)?;
        let fits = l.dtype == r.dtype || (l.dtype.is_text() && r.dtype.is_text());
        let unknown = l.dtype == DataType::Unknown || r.dtype == DataType::Unknown;
        if !fits && !unknown {
            let diagnostic = Diagnostic::error(
                Code::E0302,
                left.span,
                format!("the keys are of two types, {} and {}", l.dtype, r.dtype),
            )
            .label(format!("{} here", l.dtype))
            .related(r.span, format!("{} there", r.dtype))
            .help(if types::common(&l.dtype, &r.dtype).is_some() {
                "cast one of them first: `derive k = …`"
            } else {
                "join on columns of one type"
            });
            b.report(diagnostic);
            return None;
        }
        if l.dtype == DataType::Float {
            let diagnostic = Diagnostic::error(
                Code::E0302,
                left.span,
                "a float is no join key: nearly equal numbers would not match",
            )
            .label("this is float")
            .help("join on an int, string or date");
            b.report(diagnostic);
            return None;
        }
        on.push((left.name, theirs.name));
    }
    Some(on)
}

/// The column of here and the one of there; what is missing is reported.
pub(super) fn both<'r>(
    left: &Ident,
    theirs: &Ident,
    join: &JoinStep,
    right: &'r Table,
    b: &mut Builder<'_, '_>,
) -> Option<(Column, &'r Column)> {
    let l = b.table.get(&left.name).cloned();
    let r = right.get(&theirs.name);
    if l.is_none() && !b.table.excuses(&left.name) {
        let diagnostic = unknown_column(&b.table, &left.name, left.span);
        b.report(diagnostic);
    }
    if r.is_none() && !right.excuses(&theirs.name) && (l.is_some() || theirs.span != left.span) {
        let mut diagnostic = unknown_column(right, &theirs.name, theirs.span);
        diagnostic.message = format!("`{}` has no column `{}`", join.right.name, theirs.name);
        b.report(diagnostic);
    }
    l.zip(r)
}

/// `k` or `a == u.b`, joined by `and`.
pub(super) fn pairs_of(
    expr: &ast::Expr,
    join: &JoinStep,
    b: &mut Builder<'_, '_>,
    pairs: &mut Vec<(Ident, Ident)>,
) -> Option<()> {
    let alias = join.alias.as_ref().unwrap_or(&join.right);
    match &expr.kind {
        ExprKind::Name(name) => {
            let ident = Ident { name: name.clone(), span: expr.span };
            pairs.push((ident.clone(), ident));
            Some(())
        }
        ExprKind::Binary { op: BinaryOp::And, left, right, .. } => {
            pairs_of(left, join, b, pairs)?;
            pairs_of(right, join, b, pairs)
        }
        ExprKind::Binary { op: BinaryOp::Eq, left, right, .. } => match sides(left, right, join) {
            Some((l, r, _)) => {
                pairs.push((l, r));
                Some(())
            }
            None => {
                let diagnostic = Diagnostic::error(
                    Code::E0302,
                    expr.span,
                    "a join condition compares a column of here with one of there",
                )
                .label("not of that form")
                .help(format!("write `on a == {}.b`", alias.name));
                b.report(diagnostic);
                None
            }
        },
        _ => {
            let diagnostic = Diagnostic::error(Code::E0302, expr.span, "joins compare columns for equality")
                .label("not a pair of columns")
                .help(format!("write `on k`, or `on a == {}.b and c == {}.d`", alias.name, alias.name));
            b.report(diagnostic);
            None
        }
    }
}

/// The column of here and the one of there that are compared, and whether the latter stands left.
pub(super) fn sides(left: &ast::Expr, right: &ast::Expr, join: &JoinStep) -> Option<(Ident, Ident, bool)> {
    let ours = |e: &ast::Expr| match &e.kind {
        ExprKind::Name(name) => Some(Ident { name: name.clone(), span: e.span }),
        _ => None,
    };
    let theirs = |e: &ast::Expr| match &e.kind {
        ExprKind::Field { base, name } => {
            let alias = join.alias.as_ref().unwrap_or(&join.right);
            (base.name == alias.name || base.name == join.right.name).then(|| name.clone())
        }
        _ => None,
    };
    let straight = ours(left).zip(theirs(right)).map(|(l, r)| (l, r, false));
    straight.or_else(|| ours(right).zip(theirs(left)).map(|(l, r)| (l, r, true)))
}

fn grain(
    join: &JoinStep,
    right: &Table,
    on: &[(String, String)],
    right_unique: bool,
    left_unique: bool,
    b: &mut Builder<'_, '_>,
) {
    let modifier = |words: &[&str]| {
        join.modifiers.iter().find(|m| words.contains(&meant_name(&m.name, MODIFIERS).unwrap_or(&m.name)))
    };
    let keys: Vec<&str> = on.iter().map(|(_, r)| r.as_str()).collect();
    let said_expanding = modifier(&["many_to_many", "one_to_many"]);
    let said_unique = modifier(&["many_to_one", "one_to_one", "lookup"]);
    let unproven = format!("`{}` is not known to have one row for each {}", join.right.name, keys.join(", "));
    let declared = right.columns.iter().find(|c| keys.contains(&c.name.as_str())).map(|c| c.span);
    let why = |diagnostic: Diagnostic| match declared {
        Some(span) => diagnostic.related(span, "not declared `key`, nor made unique by a step"),
        None => diagnostic,
    };
    let mend = format!("declare it `key`, or make it so in a transform: `distinct by {}`", keys.join(", "));
    if !right_unique {
        if let Some(word) = said_unique {
            let diagnostic =
                why(Diagnostic::error(Code::E0301, word.span, format!("`{}` does not hold: {unproven}", word.name))
                    .label("not proven"));
            b.report(diagnostic.help(mend));
        } else if said_expanding.is_none() {
            let diagnostic = why(Diagnostic::error(
                Code::E0301,
                join.right.span,
                format!("this join can multiply rows: {unproven}"),
            )
            .label("may match several times"));
            b.report(diagnostic.help(format!("{mend}; if rows are to multiply, write `many_to_many`")));
        }
    }
    if let Some(word) = modifier(&["one_to_many", "one_to_one"])
        && !left_unique
    {
        let left: Vec<&str> = on.iter().map(|(l, _)| l.as_str()).collect();
        let diagnostic = Diagnostic::error(
            Code::E0301,
            word.span,
            format!(
                "`{}` does not hold: the left side is not known to have one row for each {}",
                word.name,
                left.join(", ")
            ),
        )
        .label("not proven")
        .help("make its keys unique above, with `distinct by`, or write `many_to_one`");
        b.report(diagnostic);
    }
}

/// What the keys of both sides know: which row comes along, if one does, hangs on them.
fn of_keys(
    join: &JoinStep,
    on: &[(String, String)],
    right: &Table,
    known: &dyn Fn(&Taint) -> Taint,
    b: &Builder<'_, '_>,
) -> Taint {
    let mut keys = Taint::new();
    for (l, r) in on {
        b.table.get(l).iter().for_each(|key| keys.absorb(&key.taint.elsewhere()));
        right.get(r).iter().for_each(|key| keys.absorb(&known(&key.taint)));
    }
    keys.through(join.right.span, "it chooses the row that comes along")
}

/// Adds the right columns that are not left out to the table and gives their projections. `known` is what of a taint there is one here.
pub(super) fn arriving(
    join: &JoinStep,
    kind: JoinKind,
    right: &Table,
    on: &[(String, String)],
    left_out: &dyn Fn(&str) -> bool,
    known: &dyn Fn(&Taint) -> Taint,
    b: &mut Builder<'_, '_>,
) -> Vec<Projection> {
    let mut projections = Vec::new();
    let mut twice: Vec<(String, Span, Span)> = Vec::new();
    if matches!(kind, JoinKind::Semi | JoinKind::Anti) {
        if let Some(prefix) = &join.prefix {
            b.report(
                Diagnostic::error(Code::E0109, prefix.span, "no column comes over, so a prefix has no effect")
                    .label("no effect"),
            );
        }
        return projections;
    }
    let optional = matches!(kind, JoinKind::Left | JoinKind::Full | JoinKind::Asof);
    let timed = b.table.time().is_some();
    let keys = of_keys(join, on, right, known, b);
    let of_one_file = same_file::datasets(right, b);
    for column in &right.columns {
        if left_out(&column.name) {
            continue;
        }
        let name = match &join.prefix {
            Some(prefix) => format!("{}{}", prefix.name, column.name),
            None => column.name.clone(),
        };
        if let Some(ours) = b.table.get(&name) {
            twice.push((name, ours.span, column.span));
            continue;
        }
        let words = format!("`{}` comes along as `{name}`", column.name);
        let mut taint = known(&column.taint).through(join.right.span, &words);
        taint.absorb(&keys);
        taint.absorb(&same_file::labels(column, &of_one_file, join.right.span, b));
        let nullable = column.nullable || optional;
        let statistics = column.statistics.joined(&b.table, join.right.span, &words);
        let mut arriving = Column {
            name: name.clone(),
            nullable,
            taint,
            statistics,
            clock: None,
            pace: None,
            aggregate: None,
            refinement: None,
            ..column.clone()
        };
        arriving.changed(|| format!("join {:?}", join.right.span));
        if optional {
            // Whether there is a partner depends on what chose the rows there.
            let words = format!("whether `{}` has a partner hangs on it", arriving.name);
            arriving.taint.absorb(&known(&right.chosen_by).through(join.right.span, &words));
        }
        arriving.role = match arriving.role {
            Role::Key => Role::Id,
            // What was a label there is none any more where it was known before.
            Role::Label if arriving.taint.is_empty() => Role::Feature,
            // A row has one time.
            Role::Time if timed => Role::Feature,
            role => role,
        };
        projections.push(Projection { from: column.name.clone(), to: name });
        b.table.put(arriving);
    }
    if let Some((name, ours, theirs)) = twice.first() {
        let mut diagnostic =
            exists(name, join.right.span, *ours).related(*theirs, format!("and in `{}`", join.right.name));
        if twice.len() > 1 {
            let names: Vec<String> = twice.iter().map(|(name, ..)| format!("`{name}`")).collect();
            diagnostic.message = format!("the columns {} exist already", names.join(", "));
        }
        diagnostic = diagnostic.help(format!(
            "give its columns a prefix: `join {0} as {0} prefix {0}_ on …`, or drop those of one table",
            join.right.name
        ));
        b.report(diagnostic);
    }
    projections
}
