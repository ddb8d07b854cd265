use crate::{FitError, Matrix};

/// Rows that lie side by side in a panel: feature by feature, each a small vector of them.
pub(crate) const PANEL: usize = 8;
/// Rows of the smallest box of the tree.
const LEAF: usize = 4 * PANEL;
/// With more features than this nearly every box is near: a scan is faster.
const WIDEST_TREE: usize = 15;
/// Features between two looks at whether a panel is too far already.
const STRIDE: usize = 8;

/// How far two rows are from each other, in a form that keeps the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distance {
    /// Kept as its square.
    Euclidean,
    Manhattan,
}

impl Distance {
    pub const WORDS: [(&'static str, Self); 2] = [("euclidean", Self::Euclidean), ("manhattan", Self::Manhattan)];

    fn term(self, d: f64) -> f64 {
        match self {
            Self::Euclidean => d * d,
            Self::Manhattan => d.abs(),
        }
    }

    /// The distance that a kept form stands for.
    pub fn plain(self, kept: f64) -> f64 {
        match self {
            Self::Euclidean => kept.sqrt(),
            Self::Manhattan => kept,
        }
    }

    /// The kept form of a distance.
    pub fn kept(self, plain: f64) -> f64 {
        match self {
            Self::Euclidean => plain * plain,
            Self::Manhattan => plain,
        }
    }
}

/// Rows to search in. The distance of two rows is summed feature by feature in their order, so that it is the same
/// wherever a row lies; a box is skipped only if, computed alike, it is farther than what is wanted. Rounding keeps order,
/// so nothing that is near is ever missed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Points {
    pub distance: Distance,
    width: usize,
    rows: usize,
    /// Panels of `PANEL` rows; the last is filled up with infinity.
    panels: Vec<f64>,
    /// The number of each row.
    order: Vec<u32>,
    /// In preorder; empty without a tree.
    nodes: Vec<Node>,
}

/// A box around rows, halved at the median of its widest feature.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    low: Vec<f64>,
    high: Vec<f64>,
    first: usize,
    count: usize,
    /// Its right half; the left one follows it. 0: it is not halved.
    right: usize,
}

impl Points {
    /// `columns`: `rows` values each, at most `u32::MAX` of them.
    pub fn new(columns: &[&[f64]], rows: usize, distance: Distance) -> Self {
        let mut order: Vec<u32> = (0..rows as u32).collect();
        let mut nodes = vec![];
        if columns.len() <= WIDEST_TREE && rows > LEAF {
            build(columns, &mut order, 0, &mut nodes);
        }
        let width = columns.len();
        let mut panels = vec![f64::INFINITY; rows.div_ceil(PANEL) * PANEL * width];
        for (at, row) in order.iter().enumerate() {
            let panel = at / PANEL * PANEL * width;
            for (j, column) in columns.iter().enumerate() {
                panels[panel + j * PANEL + at % PANEL] = column[*row as usize];
            }
        }
        Self { distance, width, rows, panels, order, nodes }
    }

    /// Feature `j` of all rows, in the order of their numbers.
    pub fn column(&self, j: usize) -> Vec<f64> {
        let mut column = vec![0.0; self.rows];
        for (at, row) in self.order.iter().enumerate() {
            column[*row as usize] = self.panels[(at / PANEL * self.width + j) * PANEL + at % PANEL];
        }
        column
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Shows `found` each row that may be no farther than `found` says, with its distance: (distance, number).
    /// `found` gives the farthest distance that is still wanted; it may only fall.
    pub fn visit(&self, query: &[f64], farthest: f64, found: &mut impl FnMut(f64, u32) -> f64) {
        let mut farthest = farthest;
        if self.nodes.is_empty() {
            self.scan(0, self.rows, query, &mut farthest, found);
            return;
        }
        let mut open = vec![(self.gap(0, query), 0)];
        while let Some((gap, at)) = open.pop() {
            if gap > farthest {
                continue;
            }
            let node = &self.nodes[at];
            if node.right == 0 {
                self.scan(node.first, node.count, query, &mut farthest, found);
                continue;
            }
            let (left, right) = ((self.gap(at + 1, query), at + 1), (self.gap(node.right, query), node.right));
            // The nearer half is searched first.
            open.extend(if left.0 <= right.0 { [right, left] } else { [left, right] });
        }
    }

    fn gap(&self, node: usize, query: &[f64]) -> f64 {
        let Node { low, high, .. } = &self.nodes[node];
        let sides = low.iter().zip(high).zip(query);
        sides.map(|((low, high), q)| self.distance.term((low - q).max(q - high).max(0.0))).sum()
    }

    /// `first` is the beginning of a panel.
    fn scan(
        &self,
        first: usize,
        count: usize,
        query: &[f64],
        farthest: &mut f64,
        found: &mut impl FnMut(f64, u32) -> f64,
    ) {
        let size = PANEL * self.width;
        let from = first / PANEL * size;
        let to = (first + count).div_ceil(PANEL) * size;
        let mut numbers = self.order[first..first + count].chunks(PANEL);
        for panel in self.panels[from..to].chunks_exact(size) {
            let numbers = numbers.next().expect("as many panels as rows need");
            let lanes = match self.distance {
                Distance::Euclidean => within(panel, query, *farthest, |d| d * d),
                Distance::Manhattan => within(panel, query, *farthest, f64::abs),
            };
            let Some(lanes) = lanes else { continue };
            for (d, number) in lanes.iter().zip(numbers) {
                if *d <= *farthest {
                    *farthest = found(*d, *number);
                }
            }
        }
    }
}

/// The distances of a panel's rows; `None` once all are farther than `farthest`.
#[inline]
fn within(panel: &[f64], query: &[f64], farthest: f64, term: impl Fn(f64) -> f64) -> Option<[f64; PANEL]> {
    let mut lanes = [0.0; PANEL];
    let (vectors, _) = panel.as_chunks::<PANEL>();
    for (vectors, query) in vectors.chunks(STRIDE).zip(query.chunks(STRIDE)) {
        for (vector, q) in vectors.iter().zip(query) {
            for l in 0..PANEL {
                lanes[l] += term(vector[l] - q);
            }
        }
        if lanes.iter().all(|d| *d > farthest) {
            return None;
        }
    }
    Some(lanes)
}

/// Orders the rows `first..` of `order` into boxes, and gives the place of the outermost one.
fn build(columns: &[&[f64]], order: &mut [u32], first: usize, nodes: &mut Vec<Node>) -> usize {
    let bound = |column: &&[f64], start: f64, of: fn(f64, f64) -> f64| {
        order.iter().fold(start, |m, i| of(m, column[*i as usize]))
    };
    let low: Vec<f64> = columns.iter().map(|c| bound(c, f64::INFINITY, f64::min)).collect();
    let high: Vec<f64> = columns.iter().map(|c| bound(c, f64::NEG_INFINITY, f64::max)).collect();
    let at = nodes.len();
    let mut widest = 0;
    for j in 1..columns.len() {
        if high[j] - low[j] > high[widest] - low[widest] {
            widest = j;
        }
    }
    let flat = high[widest] <= low[widest];
    nodes.push(Node { low, high, first, count: order.len(), right: 0 });
    if order.len() <= LEAF || flat {
        order.sort_unstable();
        return at;
    }
    // A half begins with a panel.
    let middle = (order.len() / 2).next_multiple_of(LEAF).min(order.len() - 1) / PANEL * PANEL;
    let column = columns[widest];
    order.select_nth_unstable_by(middle, |a, b| column[*a as usize].total_cmp(&column[*b as usize]).then(a.cmp(b)));
    let (left, right) = order.split_at_mut(middle);
    build(columns, left, first, nodes);
    let right = build(columns, right, first + middle, nodes);
    nodes[at].right = right;
    at
}

/// A larger value has no square that is a number.
const FARTHEST: f64 = 1e150;

/// An error at the first value whose distances cannot be told.
pub(crate) fn refuse_far(x: &Matrix) -> Result<(), FitError> {
    for (j, name) in x.names().iter().enumerate() {
        if let Some(row) = x.column(j).iter().position(|v| v.abs() > FARTHEST) {
            let value = x.column(j)[row];
            return Err(FitError::in_row(format!("feature `{name}` is {value:e}"), row, "")
                .help(format!("distances of such numbers cannot be told: `map {name} with standardize`"))
                .of(name));
        }
    }
    Ok(())
}
