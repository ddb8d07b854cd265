use super::{Box, End, Graph, Shape};

/// As a Mermaid flowchart; groups, and boxes with rows, are subgraphs.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    let boxes = |group: Option<usize>| graph.boxes.iter().enumerate().filter(move |(_, b)| b.group == group);
    for (at, node) in boxes(None) {
        out.push_str(&declared(at, node, "  "));
    }
    for (at, group) in graph.groups.iter().enumerate() {
        out.push_str(&format!("  subgraph g{at}[\"{}\"]\n", escaped(&group.title)));
        for (at, node) in boxes(Some(at)) {
            out.push_str(&declared(at, node, "    "));
        }
        out.push_str("  end\n");
    }
    for arrow in &graph.arrows {
        let line = if arrow.faint { "-.->" } else { "-->" };
        let label = arrow.label.as_ref().map(|l| format!("|\"{}\"|", escaped(l))).unwrap_or_default();
        out.push_str(&format!("  {} {line}{label} {}\n", end(arrow.from), end(arrow.to)));
    }
    out
}

fn declared(at: usize, node: &Box, indent: &str) -> String {
    let (open, close) = match node.shape {
        Shape::Dataset => ("[(", ")]"),
        Shape::Step => ("[", "]"),
        Shape::Model => ("{{", "}}"),
        Shape::Deploy => ("[/", "/]"),
        Shape::Note => ("(", ")"),
    };
    let title: Vec<String> = node.title().map(escaped).collect();
    let title = title.join("<br/>");
    if node.rows.is_empty() {
        return format!("{indent}n{at}{open}\"{title}\"{close}\n");
    }
    let mut out = format!("{indent}subgraph n{at}[\"{title}\"]\n");
    for (row, text) in node.rows.iter().enumerate() {
        out.push_str(&format!("{indent}  n{at}r{row}[\"{}\"]\n", escaped(text)));
    }
    out + indent + "end\n"
}

fn end(end: End) -> String {
    end.row.map_or_else(|| format!("n{}", end.of), |row| format!("n{}r{row}", end.of))
}

/// Mermaid knows entity codes in labels.
fn escaped(text: &str) -> String {
    text.replace('#', "#35;")
        .replace('&', "#amp;")
        .replace('"', "#quot;")
        .replace('`', "#96;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
}
