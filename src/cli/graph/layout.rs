//! Where everything stands, in pixels from the top left.

use super::order::{Is, Ordered, order};
use super::text::width;
use super::{Box, Graph};

pub const TITLE: f64 = 13.0;
pub const SMALL: f64 = 11.0;
pub const ROW: f64 = 18.0;
/// Inside a box, left and right of its text.
pub const PAD: f64 = 16.0;
pub const WIDEST: f64 = 340.0;

const GAP_X: f64 = 64.0;
const GAP_Y: f64 = 18.0;
/// Between two arrows that pass through a rank.
const ARROW_Y: f64 = 12.0;
/// Around the boxes of a group, and its title.
const FRAME: f64 = 14.0;
const FRAME_TITLE: f64 = 22.0;
const MARGIN: f64 = 16.0;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

#[derive(Debug)]
pub struct Layout {
    pub w: f64,
    pub h: f64,
    pub boxes: Vec<Rect>,
    /// Of each group that has boxes.
    pub frames: Vec<Option<Rect>>,
    /// The points of each arrow: its beginning, for each rank that it passes where it enters and leaves it, its end.
    pub arrows: Vec<Vec<(f64, f64)>>,
}

/// The height of a box above its rows.
pub fn head(node: &Box) -> f64 {
    let small = node.kind.iter().count() + node.note.iter().count();
    20.0 + 4.0 + TITLE + small as f64 * 15.0 - if node.rows.is_empty() { 0.0 } else { 6.0 }
}

/// Bold letters are wider.
pub const BOLD: f64 = 1.14;

fn size(node: &Box, graph: &Graph) -> (f64, f64) {
    let small = node.kind.iter().chain(&node.note).chain(&node.rows).map(|t| width(t, SMALL));
    let widest = small.fold(width(&node.name, TITLE) * BOLD, f64::max);
    // The title of a frame fits over each of its boxes.
    let title = node.group.map_or(0.0, |g| width(&graph.groups[g].title, SMALL) * BOLD - 2.0 * PAD);
    let widest = widest.max(title);
    let rows = node.rows.len() as f64 * ROW + if node.rows.is_empty() { 0.0 } else { 6.0 };
    ((widest + 2.0 * PAD).clamp(76.0, WIDEST), head(node) + rows)
}

pub fn layout(graph: &Graph) -> Layout {
    let ordered = order(graph);
    let sizes: Vec<(f64, f64)> = ordered
        .cells
        .iter()
        .enumerate()
        .map(|(at, cell)| match cell.is {
            Is::Box => size(&graph.boxes[at], graph),
            Is::Arrow(_) => (0.0, 0.0),
        })
        .collect();
    let (left, widths) = columns(graph, &ordered, &sizes);
    let bands = bands(graph, &ordered, &sizes);
    let middle = rows(&ordered, &sizes, &bands);
    let boxes: Vec<Rect> = (0..graph.boxes.len())
        .map(|at| {
            let (w, h) = sizes[at];
            let rank = ordered.cells[at].rank;
            Rect { x: left[rank] + (widths[rank] - w) / 2.0, y: middle[at] - h / 2.0, w, h }
        })
        .collect();
    let frames = (0..graph.groups.len()).map(|g| frame(graph, &boxes, g)).collect();
    let arrows = graph
        .arrows
        .iter()
        .zip(&ordered.ways)
        .map(|(arrow, way)| {
            let end = |end: super::End, x: f64| {
                let rect = boxes[end.of];
                let node = &graph.boxes[end.of];
                let whole = if node.rows.is_empty() { rect.h / 2.0 } else { head(node) / 2.0 };
                (x, rect.y + end.row.map_or(whole, |row| head(node) + (row as f64 + 0.5) * ROW))
            };
            let from = boxes[arrow.from.of];
            let mut points = vec![end(arrow.from, from.x + from.w)];
            for cell in &way[1..way.len() - 1] {
                let rank = ordered.cells[*cell].rank;
                points.push((left[rank], middle[*cell]));
                points.push((left[rank] + widths[rank], middle[*cell]));
            }
            points.push(end(arrow.to, boxes[arrow.to.of].x));
            points
        })
        .collect();
    let w = left.iter().zip(&widths).map(|(x, w)| x + w).fold(0.0, f64::max) + MARGIN + FRAME;
    let h = bands.last().map_or(0.0, |b| b.bottom + if b.framed { FRAME } else { 0.0 }) + MARGIN;
    Layout { w, h, boxes, frames, arrows }
}

/// The left edge and width of each rank.
fn columns(graph: &Graph, ordered: &Ordered, sizes: &[(f64, f64)]) -> (Vec<f64>, Vec<f64>) {
    let widths: Vec<f64> =
        ordered.ranks.iter().map(|cells| cells.iter().map(|c| sizes[*c].0).fold(0.0, f64::max)).collect();
    let mut x = MARGIN + FRAME;
    let mut left = Vec::new();
    for (rank, w) in widths.iter().enumerate() {
        left.push(x);
        // Many arrows need room to bend.
        let leaving = ordered.links.iter().filter(|(from, _)| ordered.cells[*from].rank == rank).count();
        let arriving = graph.arrows.iter().filter(|a| ordered.cells[a.to.of].rank == rank + 1);
        let labels = arriving.filter_map(|a| a.label.as_ref()).map(|l| width(l, SMALL)).fold(0.0, f64::max);
        x += w + GAP_X + (leaving as f64 * 2.0).min(60.0) + labels;
    }
    (left, widths)
}

/// The part of the height that a lane has to itself.
struct Band {
    top: f64,
    bottom: f64,
    framed: bool,
}

/// A lane is as high as its fullest rank needs.
fn bands(graph: &Graph, ordered: &Ordered, sizes: &[(f64, f64)]) -> Vec<Band> {
    let lanes = ordered.cells.iter().map(|c| c.lane + 1).max().unwrap_or(0);
    let mut y = MARGIN;
    (0..lanes)
        .map(|lane| {
            let need = ordered.ranks.iter().map(|cells| {
                let inside: Vec<usize> = cells.iter().copied().filter(|c| ordered.cells[*c].lane == lane).collect();
                let gaps: f64 = inside.windows(2).map(|pair| gap(ordered, pair[0], pair[1])).sum();
                inside.iter().map(|c| sizes[*c].1).sum::<f64>() + gaps
            });
            let need = need.fold(0.0, f64::max);
            let framed = graph.boxes.iter().zip(&ordered.cells).any(|(b, c)| b.group.is_some() && c.lane == lane);
            if framed {
                y += FRAME_TITLE + FRAME / 2.0;
            }
            let band = Band { top: y, bottom: y + need, framed };
            y += need + GAP_Y + if framed { FRAME } else { 0.0 };
            band
        })
        .collect()
}

fn gap(ordered: &Ordered, above: usize, below: usize) -> f64 {
    let arrow = |c: usize| ordered.cells[c].is != Is::Box;
    if arrow(above) && arrow(below) { ARROW_Y } else { GAP_Y }
}

/// The middle of each cell: as near to its neighbours' as order, gaps and band allow.
fn rows(ordered: &Ordered, sizes: &[(f64, f64)], bands: &[Band]) -> Vec<f64> {
    let mut middle: Vec<f64> = ordered.cells.iter().map(|c| (bands[c.lane].top + bands[c.lane].bottom) / 2.0).collect();
    let lanes: Vec<Vec<usize>> = ordered
        .ranks
        .iter()
        .flat_map(|cells| {
            (0..bands.len()).map(|lane| cells.iter().copied().filter(|c| ordered.cells[*c].lane == lane).collect())
        })
        .filter(|cells: &Vec<usize>| !cells.is_empty())
        .collect();
    let mut beside: Vec<Vec<usize>> = vec![Vec::new(); ordered.cells.len()];
    for (from, to) in &ordered.links {
        beside[*from].push(*to);
        beside[*to].push(*from);
    }
    for round in 0..24 {
        let order: Vec<&Vec<usize>> =
            if round % 2 == 0 { lanes.iter().collect() } else { lanes.iter().rev().collect() };
        for cells in order {
            let wished: Vec<f64> = cells
                .iter()
                .map(|c| match beside[*c].len() {
                    0 => middle[*c],
                    n => beside[*c].iter().map(|b| middle[*b]).sum::<f64>() / n as f64,
                })
                .collect();
            let apart: Vec<f64> = cells
                .windows(2)
                .map(|pair| (sizes[pair[0]].1 + sizes[pair[1]].1) / 2.0 + gap(ordered, pair[0], pair[1]))
                .collect();
            let band = &bands[ordered.cells[cells[0]].lane];
            let (first, last) = (cells[0], cells[cells.len() - 1]);
            let placed = spread(&wished, &apart, band.top + sizes[first].1 / 2.0, band.bottom - sizes[last].1 / 2.0);
            for (cell, y) in cells.iter().zip(placed) {
                middle[*cell] = y;
            }
        }
    }
    middle
}

/// The values nearest to the wished ones, in the sense of least squares, that keep their order and are `apart` from each
/// other, between `low` and `high`: pool adjacent violators on what is left when the distances are taken away.
fn spread(wished: &[f64], apart: &[f64], low: f64, high: f64) -> Vec<f64> {
    let mut offset = 0.0;
    let mut offsets = vec![0.0];
    for distance in apart {
        offset += distance;
        offsets.push(offset);
    }
    // (sum, count) of values that share one place.
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (wish, offset) in wished.iter().zip(&offsets) {
        pools.push((wish - offset, 1));
        while let [.., (a, n), (b, m)] = pools[..] {
            if a / n as f64 <= b / m as f64 {
                break;
            }
            pools.truncate(pools.len() - 2);
            pools.push((a + b, n + m));
        }
    }
    let top = high - offset;
    let places = pools.iter().flat_map(|(sum, n)| std::iter::repeat_n((sum / *n as f64).min(top).max(low), *n));
    places.zip(offsets).map(|(place, offset)| place + offset).collect()
}

fn frame(graph: &Graph, boxes: &[Rect], group: usize) -> Option<Rect> {
    let inside = || graph.boxes.iter().zip(boxes).filter(|(b, _)| b.group == Some(group)).map(|(_, rect)| *rect);
    inside().next()?;
    let x = inside().map(|r| r.x).fold(f64::INFINITY, f64::min) - FRAME;
    let y = inside().map(|r| r.y).fold(f64::INFINITY, f64::min) - FRAME_TITLE - FRAME / 2.0;
    let right = inside().map(|r| r.x + r.w).fold(0.0, f64::max) + FRAME;
    let bottom = inside().map(|r| r.y + r.h).fold(0.0, f64::max) + FRAME;
    Some(Rect { x, y, w: right - x, h: bottom - y })
}

#[cfg(test)]
mod tests {
    use super::super::{Arrow, End, Group, Shape};
    use super::*;

    #[test]
    fn spread_keeps_distances_and_bounds_and_is_near() {
        assert_eq!(spread(&[10.0, 10.0], &[4.0], 0.0, 100.0), [8.0, 12.0]);
        assert_eq!(spread(&[1.0, 50.0], &[4.0], 0.0, 100.0), [1.0, 50.0]);
        assert_eq!(spread(&[-9.0, 1.0, 200.0], &[4.0, 4.0], 0.0, 100.0), [0.0, 4.0, 100.0]);
    }

    /// Boxes `0..n` and arrows by number; odd boxes are in one group.
    fn graph(n: usize, arrows: &[(usize, usize)]) -> Graph {
        let boxes = (0..n).map(|i| Box {
            shape: Shape::Step,
            kind: Some("transform".into()),
            name: format!("box_{i}"),
            note: None,
            rows: Vec::new(),
            group: (i % 2 == 1).then_some(0),
        });
        let arrow = |(from, to): &(usize, usize)| Arrow {
            from: End::whole(*from),
            to: End::whole(*to),
            faint: false,
            label: None,
        };
        Graph {
            name: "g".into(),
            boxes: boxes.collect(),
            groups: vec![Group { title: "module m".into() }],
            arrows: arrows.iter().map(arrow).collect(),
        }
    }

    #[test]
    fn boxes_do_not_overlap_and_arrows_point_to_the_right() {
        let all: Vec<(usize, usize)> =
            (0..14).flat_map(|a| (a + 1..14).filter(move |b| (a * 7 + b * 3) % 4 == 0).map(move |b| (a, b))).collect();
        let graph = graph(14, &all);
        let layout = layout(&graph);
        for (i, a) in layout.boxes.iter().enumerate() {
            assert!(a.x >= 0.0 && a.y >= 0.0 && a.x + a.w <= layout.w && a.y + a.h <= layout.h, "{i}");
            for (j, b) in layout.boxes.iter().enumerate().skip(i + 1) {
                let apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
                assert!(apart, "{i} and {j}: {a:?} {b:?}");
            }
        }
        let frame = layout.frames[0].unwrap();
        for (i, rect) in layout.boxes.iter().enumerate() {
            let inside = rect.y < frame.y + frame.h && rect.y + rect.h > frame.y;
            assert_eq!(inside, i % 2 == 1, "{i}");
        }
        for (arrow, points) in graph.arrows.iter().zip(&layout.arrows) {
            assert!(points.windows(2).all(|p| p[0].0 <= p[1].0), "{arrow:?} {points:?}");
        }
    }

    #[test]
    fn two_chains_do_not_cross() {
        let graph = graph(6, &[(0, 2), (2, 4), (1, 3), (3, 5)]);
        let layout = layout(&graph);
        for i in [0, 2] {
            assert!((layout.boxes[i].y - layout.boxes[i + 2].y).abs() < 1.0, "a chain is a line");
        }
    }
}
