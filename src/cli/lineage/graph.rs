use std::collections::HashMap;

use dbjob_plan::Via;

use super::super::graph::{Arrow, Box, End, Graph, Shape};
use super::Lineage;
use crate::lineage::{Step, Trace, Vertex};

/// Both directions in one graph; data flow from left to right.
pub fn of(job: &str, found: &[Lineage]) -> Graph {
    let mut graph = Graph { name: job.to_owned(), ..Graph::default() };
    // The same step may be met on the way up and on the way down.
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    for lineage in found {
        for (trace, upwards) in lineage.up.iter().map(|t| (t, true)).chain(lineage.down.iter().map(|t| (t, false))) {
            add(trace, upwards, &mut graph, &mut known);
        }
    }
    graph
}

fn add(trace: &Trace, upwards: bool, graph: &mut Graph, known: &mut HashMap<(String, String), usize>) {
    let at: Vec<usize> = trace
        .vertices
        .iter()
        .map(|vertex| {
            *known.entry((vertex.label(), vertex.text.clone())).or_insert_with(|| {
                graph.boxes.push(boxed(vertex));
                graph.boxes.len() - 1
            })
        })
        .collect();
    for link in &trace.links {
        let (from, to) = if upwards { (link.to, link.from) } else { (link.from, link.to) };
        let arrow = Arrow {
            from: End::whole(at[from]),
            to: End::whole(at[to]),
            faint: matches!(link.via, Via::Key | Via::Choice | Via::Learned),
            label: word(link.via).filter(|_| trace.vertices[link.to].kind != Step::Rows).map(str::to_owned),
        };
        if !graph.arrows.contains(&arrow) {
            graph.arrows.push(arrow);
        }
    }
}

fn boxed(vertex: &Vertex) -> Box {
    let shape = match vertex.kind {
        Step::Source => Shape::Dataset,
        Step::Column | Step::Input => Shape::Step,
        Step::Model => Shape::Model,
        Step::Deploy => Shape::Deploy,
        Step::Rows => Shape::Note,
    };
    let name = match &vertex.ty {
        Some(ty) => format!("{}: {ty}", vertex.label()),
        None => vertex.label(),
    };
    let note = (!vertex.text.is_empty()).then(|| vertex.text.clone());
    Box { shape, kind: None, name, note, rows: Vec::new(), group: None }
}

/// How a column takes part, where it is not by its values.
pub fn word(via: Via) -> Option<&'static str> {
    match via {
        Via::Key => Some("key"),
        Via::Choice => Some("grouping"),
        Via::Learned => Some("learned from"),
        Via::Copy | Via::Value | Via::Aggregate | Via::Map | Via::Unmap | Via::Model => None,
    }
}
