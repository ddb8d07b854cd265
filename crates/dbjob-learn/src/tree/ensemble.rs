use std::cell::OnceCell;
use std::ops::Range;

use super::coded::{Coded, Codes};
use super::node::Tree;
use super::route::{MOST, Router};
use super::rows::RowMajor;
use super::stored::{restore, tensors};
use crate::matrix::Levels;
use crate::numeric::{sigmoid, softmax};
use crate::store::{LoadError, Stored};
use crate::{Contributions, Matrix, Model, Pool, Scores, Tensor, Tensors};

/// A row that walks down a tree costs about as much as so many nodes of [`Coded`], which are all looked at for all rows.
const CODED: usize = 8;

/// Trees and how their leaves become predictions: the one form of all models made of trees.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    features: Vec<String>,
    levels: Vec<Levels>,
    classes: usize,
    pub(super) output: Output,
    trees: Vec<Tree>,
    /// The same trees, where that form serves.
    coded: Option<Coded>,
}

/// What the leaves of the trees are.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Class shares or means, averaged over the trees.
    Mean,
    /// Summands: tree t adds to sum `t % base.len()`.
    Sum {
        link: Link,
        /// Where the sums begin.
        base: Vec<f64>,
        /// The classes that the sums are of, ascending; others have the probability 0. Of two classes there is one sum,
        /// of the second. Empty where numbers are learned.
        present: Vec<u32>,
    },
}

/// How a sum becomes a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It is one.
    Identity,
    /// Its exponential is.
    Log,
    /// The probability of the second class is 1 / (1 + e^-sum).
    Logistic,
    /// Probabilities go with the exponentials of the sums.
    Softmax,
}

impl Link {
    const ALL: [Self; 4] = [Self::Identity, Self::Log, Self::Logistic, Self::Softmax];
}

impl Ensemble {
    pub(crate) const KIND: &'static str = "trees";

    /// `trees`: at least one.
    pub(super) fn new(x: &Matrix, classes: usize, output: Output, trees: Vec<Tree>) -> Self {
        Self::of(x.names().to_vec(), x.all_levels().to_vec(), classes, output, trees)
    }

    fn of(features: Vec<String>, levels: Vec<Levels>, classes: usize, output: Output, trees: Vec<Tree>) -> Self {
        let coded = Coded::of(&trees, features.len());
        Self { features, levels, classes, output, trees, coded }
    }

    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    pub(super) fn class_count(&self) -> usize {
        self.classes
    }

    pub fn output(&self) -> &Output {
        &self.output
    }

    pub(crate) fn restore(stored: Stored<'_>) -> Result<Self, LoadError> {
        let unfit = |what: &str| LoadError(format!("the {what} of the trees do not fit together"));
        let classes = stored.classes;
        let link = stored.u8("link")?;
        let (output, width) = match link[..] {
            [] => (Output::Mean, classes.max(1)),
            [link] => {
                let link = *Link::ALL.get(link as usize).ok_or_else(|| unfit("link"))?;
                let (base, present) = (stored.f64("base")?.0, stored.u32("present")?);
                let sums = match link {
                    Link::Identity | Link::Log if classes == 0 && present.is_empty() => 1,
                    Link::Logistic if present.len() == 2 => 1,
                    Link::Softmax if present.len() > 2 => present.len(),
                    _ => return Err(unfit("classes")),
                };
                let in_range = present.is_sorted_by(|a, b| a < b) && present.iter().all(|c| (*c as usize) < classes);
                if base.len() != sums || !in_range {
                    return Err(unfit("classes"));
                }
                (Output::Sum { link, base, present }, 1)
            }
            _ => return Err(unfit("link")),
        };
        let trees = restore(&stored, stored.features.len(), width)?;
        Ok(Self::of(stored.features, stored.levels, classes, output, trees))
    }

    /// The columns of scores for a range of rows. Every row adds up its leaves in the order of the trees.
    fn block(&self, x: &Matrix, range: Range<usize>) -> Vec<Vec<f64>> {
        let n = range.len();
        let codes = self.coded.as_ref().filter(|_| n * CODED >= self.largest().max(64));
        let mut leaves = Leaves {
            columns: (0..x.width()).map(|j| &x.column(j)[range.clone()]).collect(),
            router: Router::default(),
            rows: OnceCell::new(),
            codes: codes.map(|coded| (coded, coded.codes(x, range.clone()))),
            of: (x, range),
        };
        match &self.output {
            Output::Mean => {
                let width = self.classes.max(1);
                let mut totals = vec![0.0; n * width];
                for (t, tree) in self.trees.iter().enumerate() {
                    leaves.each(t, tree, |rows, values| {
                        for i in rows {
                            let start = usize::from(*i) * width;
                            totals[start..start + width].iter_mut().zip(values).for_each(|(t, v)| *t += v);
                        }
                    });
                }
                let count = self.trees.len() as f64;
                (0..width).map(|c| totals[c..].iter().step_by(width).map(|t| t / count).collect()).collect()
            }
            Output::Sum { link, base, present } => {
                let mut sums: Vec<Vec<f64>> = base.iter().map(|b| vec![*b; n]).collect();
                for (t, tree) in self.trees.iter().enumerate() {
                    let sum = &mut sums[t % base.len()];
                    leaves.each(t, tree, |rows, values| rows.iter().for_each(|i| sum[usize::from(*i)] += values[0]));
                }
                self.linked(*link, present, sums)
            }
        }
    }

    /// The most nodes of a tree.
    fn largest(&self) -> usize {
        self.trees.iter().map(Tree::len).max().unwrap_or(0)
    }

    fn linked(&self, link: Link, present: &[u32], mut sums: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        let n = sums[0].len();
        let mut columns = vec![vec![0.0; n]; self.classes];
        match link {
            Link::Identity => return sums,
            Link::Log => {
                sums[0].iter_mut().for_each(|s| *s = s.exp());
                return sums;
            }
            Link::Logistic => {
                for (i, sum) in sums[0].iter().enumerate() {
                    columns[present[0] as usize][i] = sigmoid(-sum);
                    columns[present[1] as usize][i] = sigmoid(*sum);
                }
            }
            Link::Softmax => {
                softmax(&mut sums);
                sums.into_iter().zip(present).for_each(|(sum, class)| columns[*class as usize] = sum);
            }
        }
        columns
    }
}

/// Finds the leaves of a block of rows.
struct Leaves<'a> {
    columns: Vec<&'a [f64]>,
    router: Router,
    rows: OnceCell<RowMajor>,
    codes: Option<(&'a Coded, Codes)>,
    of: (&'a Matrix, Range<usize>),
}

impl Leaves<'_> {
    /// Tells the values of the leaf of each row in a tree, the t-th, leaf by leaf or row by row.
    #[inline]
    fn each(&mut self, t: usize, tree: &Tree, mut tell: impl FnMut(&[u16], &[f64])) {
        if let Some((coded, codes)) = &mut self.codes {
            coded.each(t, codes, |first, leaves| {
                for (number, i) in leaves.iter().zip(first..) {
                    let start = usize::from(*number) * tree.width;
                    tell(&[i as u16], &tree.values[start..start + tree.width]);
                }
            });
        } else if tree.len() <= self.of.1.len() {
            self.router.send(tree, &self.columns, |leaf, rows| tell(rows, tree.values(leaf)));
        } else {
            let rows = self.rows.get_or_init(|| RowMajor::of(self.of.0, self.of.1.clone()));
            tree.each_leaf(rows, |i, leaf| tell(&[i as u16], tree.values(leaf)));
        }
    }
}

impl Model for Ensemble {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn levels(&self) -> &[Levels] {
        &self.levels
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn scores(&self, x: &Matrix, pool: &Pool) -> Scores {
        // Many rows go through one large tree after another: it is fetched from memory once for all of them.
        let size = x.rows().div_ceil(pool.threads()).clamp(128, (self.largest() / 4).clamp(1024, MOST / 4));
        Scores::in_blocks((x.rows(), self.classes.max(1), size), pool, |rows| self.block(x, rows))
    }

    fn contributions(&self, x: &Matrix, pool: &Pool) -> Option<Contributions> {
        Some(self.shapley(x, pool))
    }

    fn importance(&self) -> Option<Vec<f64>> {
        Some(self.gains(self.features.len()))
    }

    fn tensors(&self) -> Tensors {
        let (link, base, present): (_, &[f64], &[u32]) = match &self.output {
            Output::Mean => (vec![], &[], &[]),
            Output::Sum { link, base, present } => {
                let number = Link::ALL.iter().position(|l| l == link).expect("all are listed");
                (vec![number as u8], base, present)
            }
        };
        let width = self.trees.first().map_or(1, |tree| tree.width);
        let mut all = tensors(self.trees.iter(), width);
        all.push(("link", Tensor::u8(link)));
        all.push(("base", Tensor::f64(vec![base.len()], base)));
        all.push(("present", Tensor::u32(present)));
        all
    }
}
