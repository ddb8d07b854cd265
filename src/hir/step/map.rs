//! `map` and `unmap`.

use std::collections::BTreeMap;
use std::sync::Arc;

use dbjob_plan::{DataType, MapColumn, MapLink, Op, Span, UnmapColumn, Value};

use crate::catalog::map::{self as maps, Inverse, MapInput};
use crate::diagnostic::{Code, Diagnostic, meant_name};
use crate::hir::Served;
use crate::hir::items::not_yet;
use crate::hir::options::{self, Given};
use crate::hir::range::Range;
use crate::hir::selection::{columns_of, known};
use crate::hir::table::Column;
use crate::hir::transform::Builder;
use crate::syntax::ast::{Call, Ident, MapStep, Selector};

pub(in crate::hir) fn map(step: &MapStep, span: Span, b: &mut Builder<'_, '_>) {
    if step.grouped {
        b.report(not_yet("maps of several columns to one", step.columns.span));
        return;
    }
    let mut columns: Vec<String> = Vec::new();
    for selector in &step.columns.items {
        // A misspelt column is not mapped, and that is told.
        if let Selector::Name(name) = selector
            && let Some(meant) = meant_name(&name.name, b.table.names()).filter(|meant| *meant != name.name)
            && b.table.get(&name.name).is_none()
        {
            let meant = meant.to_owned();
            Arc::make_mut(&mut b.table.missing).insert(meant);
        }
        for name in columns_of(selector, &b.table, &mut b.cx.out) {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    // (source of the next link, result)
    let mut targets: Vec<(String, String)> = Vec::new();
    for column in columns {
        let out = match &step.name {
            None => column.clone(),
            Some(name) if name.pattern.contains('*') => name.pattern.replace('*', &column),
            Some(name) => name.pattern.clone(),
        };
        if let Some(name) = &step.name {
            let taken = b
                .table
                .get(&out)
                .map(|c| c.span)
                .or_else(|| targets.iter().any(|(_, o)| *o == out).then_some(name.span));
            if let Some(first) = taken {
                let diagnostic = super::columns::exists(&out, name.span, first)
                    .help("take another name; several columns need a pattern: `as *_log`");
                b.report(diagnostic);
                continue;
            }
        }
        targets.push((column, out));
    }
    for op in &step.ops {
        if targets.is_empty() {
            return;
        }
        link(op, &mut targets, span, b);
    }
}

/// Of many places that a message could point at.
const MOST_RELATED: usize = 8;

/// What became of these columns is not known: something was reported.
fn doubt(targets: &mut Vec<(String, String)>, b: &mut Builder<'_, '_>) {
    Arc::make_mut(&mut b.table.missing).extend(targets.drain(..).map(|(_, out)| out));
}

/// One map on all target columns: one node of the plan, fitted in one pass.
fn link(op: &Call, targets: &mut Vec<(String, String)>, span: Span, b: &mut Builder<'_, '_>) {
    let name = op.name.name.as_str();
    let found = maps::find(name);
    if found.is_none() {
        if maps::LATER.contains(&name) {
            b.report(not_yet(&format!("the map `{name}`"), op.name.span));
        } else {
            let diagnostic =
                Diagnostic::error(Code::E0205, op.name.span, format!("there is no map `{name}`")).label("unknown map");
            let names: Vec<_> = maps::MAPS.iter().map(|m| m.name).collect();
            b.report(
                diagnostic
                    .help(format!("the maps are {}", names.join(", ")))
                    .near(name, maps::MAPS.iter().map(|m| m.name)),
            );
        }
    }
    let meant = || maps::find(meant_name(name, maps::MAPS.iter().map(|m| m.name))?);
    let Some(map) = found.or_else(meant) else { return doubt(targets, b) };
    let name = map.name;
    let given: Vec<Given<'_>> = op.args.iter().map(|a| Given { name: a.name.as_ref(), value: &a.value }).collect();
    let Some(values) = options::resolve(&format!("`{name}`"), op.span, map.options, &given, &mut b.cx.out) else {
        return doubt(targets, b);
    };
    let mut columns: Vec<MapColumn> = Vec::new();
    let mut doubted = Vec::new();
    let mut learns_without_split = false;
    targets.retain_mut(|(source, out)| {
        let column = b.table.get(source).expect("selected from this table").clone();
        if column.dtype == DataType::Unknown {
            return false;
        }
        let input = MapInput { dtype: column.dtype.clone(), nullable: column.nullable };
        let option = |name: &str| values.get(name).cloned().unwrap_or(Value::Null);
        let output = match (map.output)(&input, &option) {
            Ok(output) => output,
            Err(why) => {
                let diagnostic =
                    Diagnostic::error(Code::E0502, op.span, format!("`{name}` does not fit `{source}`: {why}"))
                        .label("does not fit")
                        .related(column.span, format!("`{source}` is {}", column.dtype));
                b.cx.out.push(diagnostic);
                doubted.push((source.clone(), out.clone()));
                return false;
            }
        };
        learns_without_split |= output.fitted && b.table.split.is_none();
        b.cx.next_map += 1;
        let link = MapLink {
            id: b.cx.next_map,
            map: name.to_owned(),
            options: complete(&values, &column.dtype),
            from: column.dtype.clone(),
            from_nullable: column.nullable,
            to: output.dtype.clone(),
            to_nullable: output.nullable,
            fitted: output.fitted,
        };
        let mut mapped = Column {
            name: out.clone(),
            dtype: output.dtype,
            nullable: output.nullable,
            refinement: None,
            plain: false,
            range: if name == "impute" { Range::ALL } else { range(name) },
            taint: column.taint.through(op.span, &format!("`{name}` makes `{out}` of it")),
            ..column
        };
        mapped.maps.push((link.clone(), op.span));
        b.table.forget_keys_with(out);
        b.table.put(mapped);
        columns.push(MapColumn { column: source.clone(), out: out.clone(), link });
        // What follows continues on the result.
        source.clone_from(out);
        true
    });
    doubt(&mut doubted, b);
    if learns_without_split && !b.table.broken {
        if let Some(told) = b.table.unsplit {
            // One missing split is one problem.
            let first = b.cx.out.iter_mut().find(|d| d.code == Code::E0402 && d.span == told);
            if let Some(first) = first.filter(|d| d.related.len() < MOST_RELATED) {
                first.related.push((op.span, "so does this".into()));
            }
        } else {
            b.table.unsplit = Some(op.span);
            let diagnostic = Diagnostic::error(
                Code::E0402,
                op.span,
                format!("`{name}` learns from the rows, test rows among them: no split is above it"),
            )
            .label("learns from all rows")
            .help("put a split above it: `split test 20%`");
            b.report(diagnostic);
        }
    }
    if !columns.is_empty() {
        b.push(Op::Map { columns }, span, Served::Computed);
    }
}

/// `impute(0)` of a float column means 0.0.
fn complete(values: &BTreeMap<String, Value>, dtype: &DataType) -> BTreeMap<String, Value> {
    values
        .iter()
        .map(|(name, value)| match (value, dtype) {
            (Value::Int(i), DataType::Float) if name == "value" => (name.clone(), Value::Float(*i as f64)),
            _ => (name.clone(), value.clone()),
        })
        .collect()
}

fn range(map: &str) -> Range {
    match map {
        "exp" => Range { low: 0.0, above: true, ..Range::ALL },
        "sqrt" => Range::from(0.0, f64::INFINITY),
        "index" => Range::from(-1.0, f64::INFINITY),
        _ => Range::ALL,
    }
}

pub(in crate::hir) fn unmap(names: &[Ident], span: Span, b: &mut Builder<'_, '_>) {
    let mut columns: Vec<UnmapColumn> = Vec::new();
    for name in names {
        if !known(name, &b.table, &mut b.cx.out) {
            continue;
        }
        let column = b.table.get(&name.name).expect("known above").clone();
        if column.maps.is_empty() {
            let diagnostic =
                Diagnostic::error(Code::E0501, name.span, format!("`{}` carries no map to undo", name.name))
                    .label("never mapped")
                    .related(column.span, "made here")
                    .help("drop it from `unmap`");
            b.report(diagnostic);
            continue;
        }
        let Some(links) = undo(&column, name.span, &mut b.cx.out) else { continue };
        let first = &column.maps[0].0;
        let restored = Column {
            dtype: first.from.clone(),
            nullable: restored_nullable(&column),
            range: Range::ALL,
            maps: Vec::new(),
            ..column.clone()
        };
        b.table.put(restored);
        columns.push(UnmapColumn { column: name.name.clone(), links });
    }
    if !columns.is_empty() {
        b.push(Op::Unmap { columns }, span, Served::Computed);
    }
}

/// Whether undoing may give null: where the original was, or where a level was not seen.
fn restored_nullable(column: &Column) -> bool {
    column.maps.iter().any(|(link, _)| {
        link.from_nullable
            || (matches!(link.map.as_str(), "index" | "one_hot")
                && !matches!(link.from, DataType::Category { levels: Some(_) }))
    })
}

/// The links of a column, the last applied first; reports the link that cannot be undone.
pub(in crate::hir) fn undo(column: &Column, wanted: Span, out: &mut Vec<Diagnostic>) -> Option<Vec<MapLink>> {
    for (link, span) in &column.maps {
        let map = maps::find(&link.map).expect("links come from the catalog");
        if let Inverse::None(why) = map.inverse {
            let diagnostic = Diagnostic::error(
                Code::E0501,
                *span,
                format!("`{}` of `{}` cannot be undone: {why}", link.map, column.name),
            )
            .label("has no inverse")
            .related(wanted, "to be undone here")
            .help(format!("keep the mapped column under another name: `map {} with {} as …`", column.name, link.map));
            out.push(diagnostic);
            return None;
        }
    }
    Some(column.maps.iter().rev().map(|(link, _)| link.clone()).collect())
}
