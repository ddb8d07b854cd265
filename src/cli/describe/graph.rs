use dbjob_plan::ItemKind;

use super::super::item_title;
use super::outline::{Item, Outline};

/// The items as a Graphviz graph, data flowing from left to right; modules are clusters.
pub fn dot(outline: &Outline) -> String {
    let mut out =
        format!("digraph {} {{\n  rankdir = LR;\n  node [fontname = \"sans-serif\"];\n", quoted(&outline.job));
    for (at, item) in outline.items.iter().enumerate() {
        let shape = match item.kind {
            ItemKind::Dataset => "cylinder",
            ItemKind::Transform => "box",
            ItemKind::Model => "hexagon",
            ItemKind::Deploy => "cds",
        };
        let label = quoted(&item_title(item.kind, &item.name).replacen(' ', "\n", 1));
        out.push_str(&format!("  n{at} [label = {label}, shape = {shape}];\n"));
    }
    for (at, module) in outline.modules.iter().enumerate() {
        let members: Vec<String> = members(outline, &module.name).map(|i| format!("n{i};")).collect();
        let label = quoted(&format!("module {}", module.name));
        out.push_str(&format!("  subgraph cluster_{at} {{ label = {label}; {} }}\n", members.join(" ")));
    }
    for (from, to) in edges(outline) {
        out.push_str(&format!("  n{from} -> n{to};\n"));
    }
    out + "}\n"
}

/// The items as a Mermaid flowchart; modules are subgraphs.
pub fn mermaid(outline: &Outline) -> String {
    let mut out = String::from("flowchart LR\n");
    for (at, item) in outline.items.iter().enumerate() {
        let (open, close) = match item.kind {
            ItemKind::Dataset => ("[(", ")]"),
            ItemKind::Transform => ("[", "]"),
            ItemKind::Model => ("{{", "}}"),
            ItemKind::Deploy => ("[/", "/]"),
        };
        let label = escaped(&item_title(item.kind, &item.name));
        out.push_str(&format!("  n{at}{open}\"{label}\"{close}\n"));
    }
    for (at, module) in outline.modules.iter().enumerate() {
        out.push_str(&format!("  subgraph m{at}[\"module {}\"]\n", escaped(&module.name)));
        for member in members(outline, &module.name) {
            out.push_str(&format!("    n{member}\n"));
        }
        out.push_str("  end\n");
    }
    for (from, to) in edges(outline) {
        out.push_str(&format!("  n{from} --> n{to}\n"));
    }
    out
}

fn members<'a>(outline: &'a Outline, module: &'a str) -> impl Iterator<Item = usize> + 'a {
    let belongs = move |item: &Item| item.module.as_deref() == Some(module);
    outline.items.iter().enumerate().filter(move |(_, item)| belongs(item)).map(|(at, _)| at)
}

/// Pairs of positions in `items`. A deployment may have the name of what it deploys, so it is never an input.
fn edges(outline: &Outline) -> Vec<(usize, usize)> {
    let position = |name: &String| outline.items.iter().position(|i| i.name == *name && i.kind != ItemKind::Deploy);
    let mut edges = Vec::new();
    for (to, item) in outline.items.iter().enumerate() {
        edges.extend(item.inputs.iter().filter_map(position).map(|from| (from, to)));
    }
    edges
}

/// A double-quoted string of DOT; a line end becomes a centred line break.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// Mermaid knows entity codes in labels.
fn escaped(text: &str) -> String {
    text.replace('#', "#35;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;")
}
