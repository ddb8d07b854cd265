//! The order of boxes above each other, so that few arrows cross: the method of Sugiyama, Tagawa and Toda (1981). Boxes
//! stand in ranks from left to right; an arrow over several ranks takes a place in each.

use super::Graph;

/// A box, or the place that a long arrow takes in a rank.
#[derive(Debug, Clone)]
pub struct Cell {
    pub rank: usize,
    /// The band of the picture that it stands in, from top to bottom.
    pub lane: usize,
    pub is: Is,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    Box,
    /// Of the arrow at this position in `Graph::arrows`.
    Arrow(usize),
}

#[derive(Debug, Default)]
pub struct Ordered {
    /// The boxes first, in their order in the graph.
    pub cells: Vec<Cell>,
    /// Between cells of neighbouring ranks.
    pub links: Vec<(usize, usize)>,
    /// The cells of each rank from top to bottom; lanes in order.
    pub ranks: Vec<Vec<usize>>,
    /// The cells that each arrow goes through, its boxes included.
    pub ways: Vec<Vec<usize>>,
}

const SWEEPS: usize = 16;

pub fn order(graph: &Graph) -> Ordered {
    let rank = ranks(graph);
    let lanes = lanes(graph, &rank);
    let lane = |of: usize| graph.boxes[of].group.map_or(0, |g| lanes[g]);
    let mut out = Ordered::default();
    out.cells.extend((0..graph.boxes.len()).map(|of| Cell { rank: rank[of], lane: lane(of), is: Is::Box }));
    for (at, arrow) in graph.arrows.iter().enumerate() {
        let (from, to) = (arrow.from.of, arrow.to.of);
        let mut way = vec![from];
        for between in rank[from] + 1..rank[to] {
            let inside = graph.boxes[from].group == graph.boxes[to].group;
            let lane = if inside { lane(to) } else { 0 };
            out.cells.push(Cell { rank: between, lane, is: Is::Arrow(at) });
            way.push(out.cells.len() - 1);
        }
        way.push(to);
        out.links.extend(way.windows(2).map(|w| (w[0], w[1])));
        out.ways.push(way);
    }
    out.links.sort_unstable();
    out.links.dedup();
    out.ranks = vec![Vec::new(); rank.iter().max().map_or(0, |r| r + 1)];
    for (at, cell) in out.cells.iter().enumerate() {
        out.ranks[cell.rank].push(at);
    }
    untangle(&mut out);
    out
}

/// The lane of each group. Frames hold no strangers: what is in no group, and arrows that leave theirs, keep to the first
/// lane, and groups share a lane only where no rank has something of both.
fn lanes(graph: &Graph, rank: &[usize]) -> Vec<usize> {
    let last = rank.iter().max().map_or(0, |r| r + 1);
    let mut first = vec![false; last];
    for (node, rank) in graph.boxes.iter().zip(rank) {
        first[*rank] |= node.group.is_none();
    }
    for arrow in &graph.arrows {
        let (from, to) = (arrow.from.of, arrow.to.of);
        let inside = graph.boxes[from].group.is_some() && graph.boxes[from].group == graph.boxes[to].group;
        if !inside {
            first[rank[from] + 1..rank[to]].fill(true);
        }
    }
    let mut taken = vec![first];
    (0..graph.groups.len())
        .map(|group| {
            let ranks = || graph.boxes.iter().zip(rank).filter(|(b, _)| b.group == Some(group)).map(|(_, r)| *r);
            let (Some(low), Some(high)) = (ranks().min(), ranks().max()) else { return 0 };
            let free = taken.iter().position(|lane| lane[low..=high].iter().all(|t| !t));
            let lane = free.unwrap_or_else(|| {
                taken.push(vec![false; last]);
                taken.len() - 1
            });
            taken[lane][low..=high].fill(true);
            lane
        })
        .collect()
}

/// As far left as its arrows allow, but what nothing leads to stands just before what it leads to.
fn ranks(graph: &Graph) -> Vec<usize> {
    let mut rank = vec![0; graph.boxes.len()];
    // There are no circles, so that this ends after as many rounds as the longest way has arrows.
    loop {
        let mut changed = false;
        for arrow in &graph.arrows {
            let least = rank[arrow.from.of] + 1;
            if rank[arrow.to.of] < least {
                rank[arrow.to.of] = least;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    for of in 0..rank.len() {
        let begins = graph.arrows.iter().all(|a| a.to.of != of);
        let next = graph.arrows.iter().filter(|a| a.from.of == of).map(|a| rank[a.to.of]).min();
        if let (true, Some(next)) = (begins, next) {
            rank[of] = next - 1;
        }
    }
    rank
}

fn untangle(out: &mut Ordered) {
    for rank in &mut out.ranks {
        rank.sort_by_key(|c| out.cells[*c].lane);
    }
    let mut best = (crossings(out), out.ranks.clone());
    for sweep in 0..SWEEPS {
        let forwards = sweep % 2 == 0;
        let ranks: Vec<usize> = if forwards {
            (1..out.ranks.len()).collect()
        } else {
            (0..out.ranks.len().saturating_sub(1)).rev().collect()
        };
        for at in ranks {
            let place = places(out);
            let mut keyed: Vec<(usize, f64, usize)> = out.ranks[at]
                .iter()
                .map(|cell| {
                    let beside: Vec<f64> = out
                        .links
                        .iter()
                        .filter_map(|(from, to)| match forwards {
                            true => (to == cell).then(|| place[*from]),
                            false => (from == cell).then(|| place[*to]),
                        })
                        .collect();
                    let mean = beside.iter().sum::<f64>() / beside.len() as f64;
                    (out.cells[*cell].lane, if beside.is_empty() { place[*cell] } else { mean }, *cell)
                })
                .collect();
            keyed.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            out.ranks[at] = keyed.into_iter().map(|(_, _, cell)| cell).collect();
        }
        let now = crossings(out);
        if now < best.0 {
            best = (now, out.ranks.clone());
        }
    }
    out.ranks = best.1;
}

/// Where each cell stands in its rank, from 0 to 1.
fn places(out: &Ordered) -> Vec<f64> {
    let mut place = vec![0.0; out.cells.len()];
    for rank in &out.ranks {
        for (at, cell) in rank.iter().enumerate() {
            place[*cell] = (at as f64 + 0.5) / rank.len() as f64;
        }
    }
    place
}

/// How many pairs of arrows cross between neighbouring ranks.
fn crossings(out: &Ordered) -> usize {
    let place = places(out);
    let mut count = 0;
    for rank in 0..out.ranks.len() {
        let mut links: Vec<(f64, f64)> = out
            .links
            .iter()
            .filter(|(from, _)| out.cells[*from].rank == rank)
            .map(|(f, t)| (place[*f], place[*t]))
            .collect();
        links.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        for (at, (from, to)) in links.iter().enumerate() {
            count += links[at + 1..].iter().filter(|(f, t)| f > from && t < to).count();
        }
    }
    count
}
