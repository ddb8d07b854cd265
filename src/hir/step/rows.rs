//! `filter`, `union`.

use dbjob_plan::{DataType, Expr, Op, Projection, Span};

use super::columns::part_of;
use super::split;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::expr::{Aggregates, Checker, Scope};
use crate::hir::items::table_named;
use crate::hir::range::Range;
use crate::hir::statistic::Copies;
use crate::hir::table::Table;
use crate::hir::transform::Builder;
use crate::hir::types;
use crate::hir::{Served, facts, never};
use crate::syntax::ast::{self, Ident};

pub(in crate::hir) fn filter(predicate: &ast::Expr, on: Option<Span>, span: Span, b: &mut Builder<'_, '_>) {
    let scope = Scope { table: &b.table, functions: &b.cx.functions, aggregates: Aggregates::Forbidden("a filter") };
    let typed = Checker { scope, out: &mut b.cx.out }.wanted(predicate, &DataType::Bool, "`filter`");
    if typed.is_unknown() {
        return;
    }
    let taint = facts::chooses(&b.table, &typed.expr).through(span, "rows are chosen by it here");
    b.table.chosen_by.absorb(&taint);
    let predicate = match on {
        Some(on) => split::on_train(typed.expr, on, b),
        None => {
            if let Some(warning) = keeps_nothing(&b.table, &typed.expr) {
                b.report(warning);
            }
            facts::assume(&mut b.table, &typed.expr);
            Some(typed.expr)
        }
    };
    if let Some(predicate) = predicate {
        b.push(Op::Filter { predicate }, span, Served::Skipped);
    }
}

fn keeps_nothing(table: &Table, predicate: &Expr) -> Option<Diagnostic> {
    let (column, known) = never::true_of(table, predicate)?;
    let message = format!("no row passes: `{}` is {known}", column.name);
    let diagnostic = Diagnostic::warning(Code::W0104, predicate.span, message).label("never true");
    Some(
        diagnostic
            .related(column.span, "the column")
            .help("the table is empty from here on: compare with what the column can be"),
    )
}

pub(in crate::hir) fn union(others: &[Ident], span: Span, b: &mut Builder<'_, '_>) {
    let mut names = Vec::new();
    for other in others {
        let right = table_named(b.cx, other);
        if right.broken || b.table.broken {
            b.table.broken = true;
            continue;
        }
        let missing: Vec<&str> = b.table.names().filter(|n| right.get(n).is_none()).collect();
        let extra: Vec<&str> = right.names().filter(|n| b.table.get(n).is_none()).collect();
        if !missing.is_empty() || !extra.is_empty() {
            let mut parts = Vec::new();
            if !missing.is_empty() {
                parts.push(format!("`{}` lacks {}", other.name, missing.join(", ")));
            }
            if !extra.is_empty() {
                parts.push(format!("it has {} besides", extra.join(", ")));
            }
            let diagnostic = Diagnostic::error(
                Code::E0302,
                other.span,
                format!("the tables do not have the same columns: {}", parts.join("; ")),
            )
            .label("other columns")
            .help("`select`, `rename` or `derive` them in a transform of it first");
            b.report(diagnostic);
            b.table.broken = true;
            continue;
        }
        let agree = match (&b.table.split, &right.split) {
            (None, None) => true,
            (Some(ours), Some(theirs)) => ours.agrees_by_name(theirs),
            _ => false,
        };
        if !agree {
            let diagnostic = Diagnostic::error(
                Code::E0302,
                other.span,
                "one of the tables is split and the other is not, or otherwise",
            )
            .label("another split")
            .help("append the rows first and split then");
            b.report(diagnostic);
            continue;
        }
        let mut chosen = b.table.chosen_by.clone();
        chosen.absorb(&right.chosen_by);
        for theirs in &right.columns {
            let ours = b.table.get_mut(&theirs.name).expect("both have the same columns");
            // What was made here and there in two ways tells from which table a row comes.
            let tells = ours.span != theirs.span && !(ours.plain && theirs.plain);
            match types::common(&ours.dtype, &theirs.dtype) {
                // An int beside a float becomes one, a date its midnight. A decimal keeps its digits.
                Some(common) if common == ours.dtype || !matches!(common, DataType::Decimal { .. }) => {
                    ours.dtype = common;
                    ours.nullable |= theirs.nullable;
                    ours.range = ours.range.or(theirs.range);
                    ours.taint
                        .absorb(&theirs.taint.through(other.span, &format!("`{}` is appended here", theirs.name)));
                    ours.absorb_origin(theirs);
                    ours.statistics.absorb(&theirs.statistics);
                    if tells {
                        let words = format!("`{}` tells from which table a row comes", theirs.name);
                        ours.taint.absorb(&chosen.elsewhere().through(other.span, &words));
                    }
                    ours.plain &= theirs.plain;
                    // Keys and times of the other table were made elsewhere.
                    (ours.pace, ours.aggregate) = (None, None);
                    ours.constant &= theirs.constant && ours.span == theirs.span;
                    if ours.copied != theirs.copied {
                        ours.copied = None;
                    }
                    ours.refinement = None;
                    if ours.clock != theirs.clock {
                        ours.clock = None;
                    }
                    if ours.maps != theirs.maps {
                        ours.maps.clear();
                    }
                    if ours.replaced != theirs.replaced {
                        ours.replaced.clear();
                    }
                }
                _ => {
                    let (ours, ours_span) = (ours.dtype.clone(), ours.span);
                    let diagnostic = Diagnostic::error(
                        Code::E0302,
                        other.span,
                        format!("`{}` is {ours} in one table and {} in the other", theirs.name, theirs.dtype),
                    )
                    .label(format!("{} here", theirs.dtype))
                    .related(ours_span, format!("{ours} here"))
                    .help(format!("cast it in a transform first: `derive replace {} = …`", theirs.name));
                    b.report(diagnostic);
                }
            }
        }
        if !b.table.rows.is_disjoint(&right.rows) && !b.table.conditions.exclude(&right.conditions) {
            b.table.copies = Some(Copies {
                span: other.span,
                words: "rows of one dataset may come from both tables",
                common: b.table.names().map(str::to_owned).collect(),
            });
        }
        b.table.rows.extend(right.rows.iter().cloned());
        b.table.conditions.keep_common(&right.conditions);
        b.table.samples = b.table.samples.max(right.samples);
        b.table.chosen_by.absorb(&right.chosen_by.through(other.span, "its rows are appended here"));
        names.push(other.name.clone());
    }
    if names.is_empty() {
        return;
    }
    b.table.keys.clear();
    b.table.follows.clear();
    b.table.forget_rows();
    b.table.columns.update(|column| {
        if column.dtype.is_text() {
            column.range = Range::ALL;
        }
    });
    b.push_with(Op::Union, names, span, Served::Not("its rows come from several tables"));
    // The engine keeps the columns of the first table; the projection pins their order.
    let mut columns: Vec<Projection> = b.table.names().map(|n| Projection { from: n.into(), to: n.into() }).collect();
    columns.extend(part_of(&b.table));
    b.push(Op::Project { columns }, span, Served::Computed);
}
