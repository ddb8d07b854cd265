use dbjob_plan::ItemKind;

use super::super::graph::{Arrow, Box, End, Graph, Group, Shape};
use super::super::item_title;
use super::outline::Outline;

/// The items and what they read; modules are groups.
pub fn of_items(outline: &Outline) -> Graph {
    let boxes = outline.items.iter().map(|item| Box {
        shape: match item.kind {
            ItemKind::Dataset => Shape::Dataset,
            ItemKind::Transform => Shape::Step,
            ItemKind::Model => Shape::Model,
            ItemKind::Deploy => Shape::Deploy,
        },
        title: item_title(item.kind, &item.name).splitn(2, ' ').map(str::to_owned).collect(),
        rows: Vec::new(),
        group: outline.modules.iter().position(|m| item.module.as_ref() == Some(&m.name)),
    });
    // A deployment may have the name of what it deploys, so it is never an input.
    let position = |name: &String| outline.items.iter().position(|i| i.name == *name && i.kind != ItemKind::Deploy);
    let arrows = outline.items.iter().enumerate().flat_map(|(to, item)| {
        let from = item.inputs.iter().filter_map(position);
        from.map(move |from| Arrow { from: End::whole(from), to: End::whole(to), faint: false, label: None })
    });
    let groups = outline.modules.iter().map(|m| Group { title: format!("module {}", m.name) });
    Graph { name: outline.job.clone(), boxes: boxes.collect(), groups: groups.collect(), arrows: arrows.collect() }
}
