use super::dense::Dense;
use crate::matrix::check;
use crate::neighbors::{Distance, Points, refuse_far};
use crate::options::Reader;
use crate::pool::blocks;
use crate::{FitContext, FitError, Fitted, Learner, Matrix, Pool, Progress, Target};

/// Rows whose neighbourhoods are searched between two looks at the clock; the same for any number of threads.
const BLOCK: usize = 256;
/// Blocks whose neighbours are held at a time.
const HELD: usize = 16;

/// Density-based clusters: rows with `min_samples` of weight within `eps` are core, core rows within `eps` of each other
/// are of one cluster. Source: M. Ester, H.-P. Kriegel, J. Sander, X. Xu, "A Density-Based Algorithm for Discovering
/// Clusters in Large Spatial Databases with Noise" (1996).
#[derive(Debug)]
pub struct DbscanLearner {
    eps: f64,
    min_samples: usize,
    distance: Distance,
}

impl DbscanLearner {
    pub(crate) fn read(options: &mut Reader<'_>) -> Result<Self, FitError> {
        Ok(Self {
            eps: options.float("eps", 0.0, false)?,
            min_samples: options.int("min_samples", 1, i64::MAX / 2)?,
            distance: options.word("metric", &Distance::WORDS)?,
        })
    }
}

impl Learner for DbscanLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check(x, y, weights)?;
        refuse_far(x)?;
        let (n, p) = (x.rows(), x.width());
        if n > u32::MAX as usize {
            return Err(FitError::data(format!("{n} rows are more than dbscan takes ({})", u32::MAX)));
        }
        let pool = Pool::new(cx.threads)?;
        let columns: Vec<&[f64]> = (0..p).map(|j| x.column(j)).collect();
        let points = Points::new(&columns, n, self.distance);
        let near = self.distance.kept(self.eps);
        let ranges = blocks(n, BLOCK);
        let total = 2 * n as u64;
        let stopped = || {
            // Half of the clusters are none: there is no best so far.
            let late = (cx.out_of_time)();
            if late && !(cx.cancelled)() {
                let error = FitError::data("the time was over before the clusters of dbscan were found");
                return error.help("give it more time, take a smaller `eps` or learn from a `sample` of the rows");
            }
            FitError::cancelled()
        };
        let tell = |done: usize| (cx.progress)(Progress { done: done as u64, total, loss: None, valid: None });

        let mut core: Vec<bool> = Vec::with_capacity(n);
        for chunk in ranges.chunks(HELD) {
            let parts = pool.run(chunk.len(), |b| {
                if cx.stops() {
                    return None;
                }
                let dense = |query: &[f64]| {
                    let mut mass = 0.0;
                    points.visit(query, near, &mut |_, row| {
                        mass += weights.map_or(1.0, |w| w[row as usize]);
                        near
                    });
                    f64::from(u8::from(mass >= self.min_samples as f64))
                };
                Some(x.each_row(chunk[b].clone(), dense))
            });
            for part in parts {
                core.extend(part.ok_or_else(stopped)?.iter().map(|v| *v > 0.0));
            }
            tell(core.len());
        }

        let mut sets = Sets::new(n);
        for chunk in ranges.chunks(HELD) {
            // Rows before the chunk are in their sets by now: of each set near a row one is enough.
            let before = chunk.first().map_or(0, |range| range.start);
            let roots: Vec<u32> = (0..before as u32).map(|row| sets.first(row)).collect();
            let parts = pool.run(chunk.len(), |b| {
                if cx.stops() {
                    return None;
                }
                let mut near_sets: Vec<u32> = Vec::new();
                let mut pairs: Vec<(u32, u32)> = Vec::new();
                let mut row = chunk[b].start;
                x.each_row(chunk[b].clone(), |query| {
                    near_sets.clear();
                    if core[row] {
                        points.visit(query, near, &mut |_, other| {
                            let at = other as usize;
                            if at < row && core[at] {
                                let set = roots.get(at).copied();
                                if set.is_none_or(|set| !near_sets.contains(&set)) {
                                    near_sets.extend(set);
                                    pairs.push((row as u32, other));
                                }
                            }
                            near
                        });
                    }
                    row += 1;
                    0.0
                });
                Some(pairs)
            });
            for part in parts {
                part.ok_or_else(stopped)?.into_iter().for_each(|(a, b)| sets.join(a, b));
            }
            tell(n + chunk.last().map_or(0, |range| range.end));
        }

        let rows: Vec<usize> = (0..n).filter(|i| core[*i]).collect();
        let clusters = sets.numbers(&rows);
        let found = clusters.iter().max().map_or(0, |c| *c as usize + 1);
        if found == 0 {
            (cx.warn)(format!(
                "dbscan found no cluster: no row has {} rows within eps = {}",
                self.min_samples, self.eps
            ));
        }
        let taken: Vec<Vec<f64>> = columns.iter().map(|c| rows.iter().map(|i| c[*i]).collect()).collect();
        let views: Vec<&[f64]> = taken.iter().map(Vec::as_slice).collect();
        let core = Points::new(&views, rows.len(), self.distance);
        Ok(Fitted::whole(Dense { features: x.names().to_vec(), eps: self.eps, core, clusters }))
    }
}

/// Disjoint sets of rows; a set is named by its first row.
struct Sets {
    parent: Vec<u32>,
}

impl Sets {
    fn new(rows: usize) -> Self {
        Self { parent: (0..rows as u32).collect() }
    }

    fn first(&mut self, mut row: u32) -> u32 {
        while self.parent[row as usize] != row {
            let up = self.parent[self.parent[row as usize] as usize];
            self.parent[row as usize] = up;
            row = up;
        }
        row
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.first(a), self.first(b));
        self.parent[a.max(b) as usize] = a.min(b);
    }

    /// The number of each row's set, in the order of their first rows.
    fn numbers(&mut self, rows: &[usize]) -> Vec<u32> {
        let mut number = vec![u32::MAX; self.parent.len()];
        let mut count = 0;
        let mut numbered = Vec::with_capacity(rows.len());
        for row in rows {
            let first = self.first(*row as u32) as usize;
            if number[first] == u32::MAX {
                number[first] = count;
                count += 1;
            }
            numbered.push(number[first]);
        }
        numbered
    }
}
