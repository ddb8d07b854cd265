use dbjob_plan::Via;

use super::Lineage;
use super::graph::word;
use crate::cli::table::table;
use crate::lineage::{Link, Place, Step, Trace, Vertex};

/// Statements are cut to this many characters.
const LONGEST: usize = 90;

/// A line of a tree: what stands left, the place, the statement.
type Line = [String; 3];

/// The way up, the rows, the way down.
pub fn tree(lineage: &Lineage) -> String {
    let mut out = String::new();
    if let Some(up) = &lineage.up {
        out.push_str("comes from\n");
        out.push_str(&of_trace(up));
        if !up.rows.is_empty() {
            out.push_str("\nwith rows decided by\n");
            let lines = up.rows.iter().map(|d| line(format!("  {}", d.item), d.place.as_ref(), &d.text));
            out.push_str(&table(&lines.collect::<Vec<_>>(), &[], ""));
        }
    }
    if let Some(down) = &lineage.down {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str("reaches\n");
        out.push_str(&of_trace(down));
        out.push_str(&reached(down));
    }
    out
}

/// The source columns of each target, a line each: those whose values go over, then those that only have a say.
pub fn overview(found: &[Lineage]) -> String {
    let width = found.iter().map(|l| l.target.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for lineage in found {
        let trace = lineage.up.as_ref().expect("an overview looks upwards");
        let by_value = reached_by_value(trace);
        let sources = |value: bool| {
            let of_kind = |(at, v): &(usize, &Vertex)| v.kind == Step::Source && by_value[*at] == value;
            let mut names: Vec<String> =
                trace.vertices.iter().enumerate().filter(of_kind).map(|(_, v)| v.label()).collect();
            names.sort();
            names.join(", ")
        };
        let (values, others) = (sources(true), sources(false));
        let values = if values.is_empty() { "no column" } else { &values };
        let others = if others.is_empty() { others } else { format!("  by {others}") };
        out.push_str(&format!("{:width$}  from {values}{others}\n", lineage.target));
    }
    out
}

fn reached_by_value(trace: &Trace) -> Vec<bool> {
    let children = trace.children();
    let mut reached = vec![false; trace.vertices.len()];
    let mut open = trace.roots.clone();
    while let Some(at) = open.pop() {
        if !std::mem::replace(&mut reached[at], true) {
            open.extend(children[at].iter().filter(|l| word(l.via).is_none()).map(|l| l.to));
        }
    }
    reached
}

fn of_trace(trace: &Trace) -> String {
    let children = trace.children();
    let mut lines = Vec::new();
    let mut shown = vec![false; trace.vertices.len()];
    for root in &trace.roots {
        // (vertex, how, the bars before it, its own branch), the next one last.
        let mut open: Vec<(usize, Option<Via>, String, &str)> = vec![(*root, None, "  ".into(), "")];
        while let Some((at, via, bars, branch)) = open.pop() {
            let vertex = &trace.vertices[at];
            let how = via.and_then(word).filter(|_| vertex.kind != Step::Rows);
            let how = how.map(|w| format!(" ({w})")).unwrap_or_default();
            let again = shown[at] && !children[at].is_empty();
            let more = if again { " …" } else { "" };
            let ty = vertex.ty.as_ref().map(|ty| format!(": {ty}")).unwrap_or_default();
            lines.push(line(
                format!("{bars}{branch}{}{ty}{how}{more}", vertex.label()),
                vertex.place.as_ref(),
                &vertex.text,
            ));
            if again {
                continue;
            }
            shown[at] = true;
            let bars = match branch {
                "" => bars,
                "└─ " => bars + "   ",
                _ => bars + "│  ",
            };
            for (index, Link { to, via, .. }) in children[at].iter().enumerate().rev() {
                let branch = if index + 1 == children[at].len() { "└─ " } else { "├─ " };
                open.push((*to, Some(*via), bars.clone(), branch));
            }
        }
    }
    table(&lines, &[], "")
}

fn line(left: String, place: Option<&Place>, text: &str) -> Line {
    let place = place.map(|p| format!("{}:{}", p.file.display(), p.line)).unwrap_or_default();
    [left, place, shortened(text)]
}

/// The models and deployments at the end of the ways.
fn reached(trace: &Trace) -> String {
    let mut out = String::new();
    for (kind, word) in [(Step::Model, "models"), (Step::Deploy, "deployments")] {
        let mut names: Vec<&str> = Vec::new();
        for (at, vertex) in trace.vertices.iter().enumerate() {
            let name = vertex.item.strip_prefix("deploy.").unwrap_or(&vertex.item);
            if vertex.kind == kind && !trace.roots.contains(&at) && !names.contains(&name) {
                names.push(name);
            }
        }
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        out.push_str(&format!("  {word}: {names}\n"));
    }
    out
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let cut: String = text.chars().take(LONGEST - 1).collect();
    cut + "…"
}
