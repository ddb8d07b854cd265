//! `unmap`, and undoing maps wherever else it is needed.

use dbjob_plan::{DataType, MapLink, Op, Span, Undo, UnmapColumn};

use crate::catalog::map::{self as maps, Inverse};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::range::Range;
use crate::hir::reach::range_of;
use crate::hir::selection::known;
use crate::hir::table::Column;
use crate::hir::transform::Builder;
use crate::hir::{Served, inverse};
use crate::syntax::ast::Ident;

pub(in crate::hir) fn check(names: &[Ident], span: Span, b: &mut Builder<'_, '_>) {
    let mut columns: Vec<UnmapColumn> = Vec::new();
    for name in names {
        if !known(name, &b.table, &mut b.cx.out) {
            continue;
        }
        let mut column = b.table.get(&name.name).expect("known above").clone();
        if column.maps.is_empty() {
            column.maps = std::mem::take(&mut column.replaced);
        }
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
        let mut restored = Column {
            dtype: first.from.clone(),
            nullable: column.nullable || column.maps.iter().any(|(link, _)| gives_null(link)),
            range: links.iter().fold(column.range, undone),
            maps: Vec::new(),
            ..column.clone()
        };
        restored.changed(|| "unmap".into());
        b.table.put(restored);
        columns.push(UnmapColumn { column: name.name.clone(), links });
    }
    if !columns.is_empty() {
        b.push(Op::Unmap { columns }, span, Served::Computed);
    }
}

/// What is known of the values that a link made of a column of that range.
fn undone(range: Range, link: &MapLink) -> Range {
    match link.formula.as_ref().map(|formula| &formula.undo) {
        Some(Undo::By(back)) => range_of(back, &|_| range),
        _ => Range::ALL,
    }
}

/// Whether undoing may give null where the mapped value is not: a level that was not seen, a null that became zeros.
fn gives_null(link: &MapLink) -> bool {
    let unseen = link.fitted && matches!(link.map.as_str(), "index" | "one_hot");
    unseen || (link.from_nullable && !link.to_nullable)
}

/// The links of a column, the last applied first; reports the link that cannot be undone.
pub(in crate::hir) fn undo(column: &Column, wanted: Span, out: &mut Vec<Diagnostic>) -> Option<Vec<MapLink>> {
    for (link, span) in &column.maps {
        if let Some(why) = never(link) {
            let diagnostic = Diagnostic::error(
                Code::E0501,
                *span,
                format!("`{}` of `{}` cannot be undone: {why}", link.map, column.name),
            )
            .label("has no inverse")
            .related(wanted, "to be undone here")
            .help(match link.map.as_str() {
                "derive" => "keep the column: `derive` the new one under another name".to_owned(),
                map => format!("keep the mapped column under another name: `map {} with {map} as …`", column.name),
            });
            out.push(diagnostic);
            return None;
        }
    }
    Some(column.maps.iter().rev().map(|(link, _)| link.clone()).collect())
}

/// Why a link cannot be undone, if it cannot.
fn never(link: &MapLink) -> Option<&str> {
    if let Some(formula) = &link.formula {
        return match &formula.undo {
            Undo::By(_) => None,
            Undo::Never(why) => Some(why),
        };
    }
    match maps::find(&link.map).expect("a link is a formula or of the catalog").inverse {
        Inverse::None(why) => Some(why),
        Inverse::Derived | Inverse::Exists(_) => None,
    }
}

/// The links for what a model predicts: floats all the way, so that an int is rounded once and at the end.
pub(in crate::hir) fn of_predictions(links: Vec<MapLink>) -> Vec<MapLink> {
    let float = |dtype: DataType| if dtype.is_numeric() { DataType::Float } else { dtype };
    let relaxed = |mut link: MapLink| {
        if let Some(formula) = &mut link.formula
            && let Undo::By(back) = &mut formula.undo
        {
            *back = inverse::of_predictions(back);
        }
        MapLink { from: float(link.from), to: float(link.to), ..link }
    };
    links.into_iter().map(relaxed).collect()
}
