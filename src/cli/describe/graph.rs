use std::collections::BTreeSet;

use dbjob_plan::ItemKind;

use super::super::graph::{Arrow, Box, End, Graph, Group, Shape};
use super::super::item_name;
use super::column::Column;
use super::outline::{Item, Outline};

/// The items and what they read; modules are groups.
pub fn of_items(outline: &Outline) -> Graph {
    let boxes: Vec<Box> = outline
        .items
        .iter()
        .map(|item| Box {
            shape: match item.kind {
                ItemKind::Dataset => Shape::Dataset,
                ItemKind::Transform => Shape::Step,
                ItemKind::Model => Shape::Model,
                ItemKind::Deploy => Shape::Deploy,
            },
            kind: Some(item.kind.word().into()),
            name: item_name(item.kind, &item.name).to_owned(),
            note: None,
            rows: Vec::new(),
            group: outline.modules.iter().position(|m| item.module.as_ref() == Some(&m.name)),
        })
        .collect();
    let arrows = outline.items.iter().enumerate().flat_map(|(to, item)| {
        let from = item.inputs.iter().filter_map(|name| position(outline, name));
        from.map(move |from| Arrow { from: End::whole(from), to: End::whole(to), faint: false, label: None })
    });
    let arrows = arrows.collect();
    let groups = outline.modules.iter().map(|m| Group { title: format!("module {}", m.name) });
    Graph { name: outline.job.clone(), boxes, groups: groups.collect(), arrows }
}

/// The same with a row for each column, and arrows between columns.
pub fn of_columns(outline: &Outline) -> Graph {
    let mut graph = of_items(outline);
    for (node, item) in graph.boxes.iter_mut().zip(&outline.items) {
        node.rows = rows(item).map(|c| format!("{}: {}", c.name, c.display_type())).collect();
    }
    let row = |of: usize, name: &str| rows(&outline.items[of]).position(|c| c.name == name);
    let mut arrows: Vec<Arrow> = Vec::new();
    for (to, item) in outline.items.iter().enumerate() {
        for (to_row, column) in rows(item).enumerate() {
            for link in column.from.iter().flatten() {
                let Some(from) = position(outline, &link.item) else { continue };
                arrows.push(Arrow {
                    // The predictions of a model come from it as a whole.
                    from: End { of: from, row: row(from, &link.column) },
                    to: End { of: to, row: Some(to_row) },
                    faint: !link.value,
                    label: None,
                });
            }
        }
    }
    // What one item reads of another is more than columns: models, tables to be written, rows that decide on rows.
    let told: BTreeSet<(usize, usize)> = arrows.iter().map(|a| (a.from.of, a.to.of)).collect();
    graph.arrows.retain(|a| !told.contains(&(a.from.of, a.to.of)));
    graph.arrows.extend(arrows);
    graph
}

/// Of a model what it takes and learns.
fn rows(item: &Item) -> impl Iterator<Item = &Column> {
    let (model, table) = match &item.model {
        Some(model) => (Some(model), None),
        None => (None, Some(&item.columns)),
    };
    model.into_iter().flat_map(|m| m.inputs.iter().chain([&m.output])).chain(table.into_iter().flatten())
}

/// A deployment may have the name of what it deploys, so it is never an input.
fn position(outline: &Outline, name: &str) -> Option<usize> {
    outline.items.iter().position(|i| i.name == name && i.kind != ItemKind::Deploy)
}
