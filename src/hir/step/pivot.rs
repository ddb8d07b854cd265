//! `pivot month in [1, 2, 3] values revenue = sum(revenue)`.

use std::collections::BTreeSet;

use dbjob_plan::{DataType, NamedExpr, Op, Pivot, PivotValue, Projection, Span, Value};

use super::columns::{computed, of_some_type, part_of};
use super::group::{add, no_key, split_of_groups};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::Served;
use crate::hir::expr::{Aggregates, Scope, check_expr};
use crate::hir::options;
use crate::hir::selection::known;
use crate::hir::statistic::Statistic;
use crate::hir::table::{Column, Table};
use crate::hir::transform::Builder;
use crate::hir::value::{self, Wanted};
use crate::syntax::ast::{Expr, Ident, Named};

/// One row for each combination of the columns that neither the values nor the aggregates speak of.
pub(in crate::hir) fn check(
    column: &Ident,
    list: &[Expr],
    aggregates: &[Named],
    verb: Span,
    span: Span,
    b: &mut Builder<'_, '_>,
) {
    if !known(column, &b.table, &mut b.cx.out) {
        b.table.broken = true;
        return;
    }
    let chooser = b.table.get(&column.name).expect("known above").clone();
    if let Some(diagnostic) = no_key(&chooser.dtype, column.span) {
        b.report(diagnostic);
        b.table.broken = true;
        return;
    }
    let values = values(list, &chooser.dtype, b);
    let mut made: Vec<NamedExpr> = Vec::new();
    let mut used: BTreeSet<String> = [column.name.clone()].into();
    let mut typed_aggregates = Vec::new();
    for aggregate in aggregates {
        // A value may have no row.
        let scope = Scope { table: &b.table, functions: &b.cx.functions, aggregates: Aggregates::Whole };
        let typed = check_expr(scope, &aggregate.value, &mut b.cx.out);
        let Some(name) = &aggregate.name else { continue };
        if typed.is_unknown() {
            b.table.broken = true;
            continue;
        }
        of_some_type(name, aggregate.value.span, &typed, b);
        used.extend(typed.expr.columns().into_iter().map(str::to_owned));
        made.push(NamedExpr { name: name.name.clone(), expr: typed.expr.clone() });
        typed_aggregates.push((name, typed));
    }
    let mut out = Table {
        broken: b.table.broken,
        lost: b.table.lost.clone(),
        chosen_by: b.table.chosen_by.clone(),
        rows: b.table.rows.clone(),
        conditions: b.table.conditions.clone(),
        ..Table::default()
    };
    let (mut keys, mut wrong): (Vec<String>, Vec<Column>) = (Vec::new(), Vec::new());
    for key in b.table.columns.iter().filter(|c| !used.contains(&c.name)).cloned().collect::<Vec<_>>() {
        if no_key(&key.dtype, verb).is_some() {
            wrong.push(key);
            continue;
        }
        keys.push(key.name.clone());
        out.put(key);
    }
    if !wrong.is_empty() && !out.broken {
        let names: Vec<String> = wrong.iter().map(|c| crate::name::written(&c.name)).collect();
        let shown: Vec<String> = wrong.iter().map(|c| format!("`{}` ({})", c.name, c.dtype)).collect();
        let message = format!("the rows would be told apart by {}", shown.join(", "));
        let diagnostic = Diagnostic::error(Code::E0201, verb, message)
            .label("every column that is left makes a row")
            .related(wrong[0].span, "such values make no groups")
            .help(format!("leave out what makes no row first: `drop {}`", names.join(", ")));
        b.report(diagnostic);
        out.broken = true;
    }
    // Which rows are taken together hangs on the keys, and on what tells the values apart.
    let mut grouped_by = chooser.taint.elsewhere();
    out.columns.iter().for_each(|key| grouped_by.absorb(&key.taint.elsewhere()));
    let grouped_by = grouped_by.through(column.span, "rows are told apart by it here");
    let statistic = Statistic::of_group(&b.table, &out.columns, span);
    for (name, typed) in &typed_aggregates {
        for value in &values {
            let column_name = Ident { name: format!("{}_{}", name.name, value.name), span: name.span };
            let mut column = computed(&column_name, typed);
            column.taint.absorb(&grouped_by);
            column.absorb_origin(&chooser);
            column.statistics.push(statistic.clone());
            add(&mut out, column, name.span, b);
        }
    }
    let here = |name: &str| keys.iter().any(|k| k == name).then(|| name.to_owned());
    out.split = split_of_groups("`pivot`", verb, here, b);
    if !keys.is_empty() {
        out.keys.push(keys.iter().cloned().collect());
    }
    if let Some(split) = &out.split {
        keys.extend(split.hidden().of_key().map(str::to_owned));
    }
    b.table = out;
    let op = Op::Pivot(Pivot { keys, column: column.name.clone(), values, aggregates: made });
    b.push(op, span, Served::Not("a pivot needs more than one row"));
    if b.table.split.is_some() {
        // The hidden columns stand last, as everywhere.
        let visible = b.table.names().map(|n| Projection { from: n.into(), to: n.into() });
        let columns = visible.chain(part_of(&b.table)).collect();
        b.push(Op::Project { columns }, span, Served::Computed);
    }
}

/// The values in the type of the column, each once, with the names that they give to columns.
fn values(list: &[Expr], dtype: &DataType, b: &mut Builder<'_, '_>) -> Vec<PivotValue> {
    let wanted = Wanted { dtype: dtype.clone(), nullable: true, refinement: None };
    let mut values: Vec<(PivotValue, Span)> = Vec::new();
    for item in list {
        let fitted = options::constant(item).map(|v| value::fit(v, &wanted));
        let value = match fitted {
            Some(Ok(value)) => value,
            other => {
                let found = other.and_then(Result::err).unwrap_or_else(|| options::describe(item));
                let diagnostic =
                    Diagnostic::error(Code::E0201, item.span, format!("the column is {dtype}, and never {found}"))
                        .label("no such value")
                        .help("write the values as they are: `pivot month in [1, 2, 3]`");
                b.report(diagnostic);
                b.table.broken = true;
                continue;
            }
        };
        let name = match &value {
            Value::String(text) => text.clone(),
            other => other.to_string().trim_start_matches('@').to_owned(),
        };
        if let Some((_, first)) = values.iter().find(|(v, _)| v.name == name) {
            let diagnostic = Diagnostic::error(Code::E0102, item.span, format!("the value {value} stands twice"))
                .again()
                .related(*first, "first here")
                .help("its columns would have one name");
            b.report(diagnostic);
            continue;
        }
        values.push((PivotValue { value, name }, item.span));
    }
    values.into_iter().map(|(value, _)| value).collect()
}
