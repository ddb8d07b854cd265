use super::{Arrow, Box, End, Graph, Shape};

/// As a Graphviz graph; groups are clusters.
pub fn dot(graph: &Graph) -> String {
    let name = quoted(&graph.name);
    let mut out = format!("digraph {name} {{\n  rankdir = LR;\n  node [fontname = \"sans-serif\"];\n");
    for (at, node) in graph.boxes.iter().enumerate() {
        out.push_str(&format!("  n{at} [{}];\n", attributes(node)));
    }
    for (at, group) in graph.groups.iter().enumerate() {
        let members = graph.boxes.iter().enumerate().filter(|(_, b)| b.group == Some(at));
        let members: Vec<String> = members.map(|(i, _)| format!("n{i};")).collect();
        let label = quoted(&group.title);
        out.push_str(&format!("  subgraph cluster_{at} {{ label = {label}; {} }}\n", members.join(" ")));
    }
    for arrow in &graph.arrows {
        out.push_str(&format!("  {} -> {}{};\n", end(arrow.from), end(arrow.to), style(arrow)));
    }
    out + "}\n"
}

fn attributes(node: &Box) -> String {
    if node.rows.is_empty() {
        let shape = match node.shape {
            Shape::Dataset => "cylinder",
            Shape::Step => "box",
            Shape::Model => "hexagon",
            Shape::Deploy => "cds",
            Shape::Note => "note",
        };
        return format!("label = {}, shape = {shape}", quoted(&node.title().collect::<Vec<_>>().join("\n")));
    }
    let title: Vec<String> = node.title().map(html).collect();
    let head = format!("<tr><td bgcolor=\"#e8e8e8\"><b>{}</b></td></tr>", title.join("<br/>"));
    let row = |(at, text): (usize, &String)| format!("<tr><td port=\"r{at}\" align=\"left\">{}</td></tr>", html(text));
    let rows: String = node.rows.iter().enumerate().map(row).collect();
    format!("shape = plain, label = <<table border=\"0\" cellborder=\"1\" cellspacing=\"0\">{head}{rows}</table>>")
}

fn end(end: End) -> String {
    end.row.map_or_else(|| format!("n{}", end.of), |row| format!("n{}:r{row}", end.of))
}

fn style(arrow: &Arrow) -> String {
    let mut parts: Vec<String> = Vec::new();
    if arrow.faint {
        parts.push("style = dashed".into());
    }
    parts.extend(arrow.label.as_ref().map(|label| format!("label = {}", quoted(label))));
    if parts.is_empty() { String::new() } else { format!(" [{}]", parts.join(", ")) }
}

/// A double-quoted string of DOT; a line end becomes a centred line break.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
