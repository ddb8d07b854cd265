use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use super::bins::Binned;
use super::criterion::{Criterion, Impurity, Purity, Variance};
use super::ensemble::{Ensemble, Output};
use super::finished::Finished;
use super::grow::{Go, Grower, Limits};
use super::node::Tree;
use super::stored::{restore, tensors};
use crate::checkpoint::Keeper;
use crate::matrix::check_with_gaps;
use crate::numeric::{dot, sum};
use crate::options::Reader;
use crate::rng::Rng;
use crate::weights::{ClassWeight, present_classes};
use crate::{Early, FitContext, FitError, Fitted, Learner, Matrix, OptionValue, Pool, Progress, Target, Task};

/// A random forest: trees on bootstrap samples of the rows, each split looking at a random part of the features.
/// Source: L. Breiman, "Random Forests" (2001); shares of classes are averaged, as scikit-learn does.
#[derive(Debug)]
pub struct ForestLearner {
    trees: usize,
    max_depth: Option<usize>,
    max_features: MaxFeatures,
    min_samples_leaf: usize,
    min_samples_split: usize,
    bootstrap: bool,
    max_bins: usize,
    class_weight: ClassWeight,
    criterion: Impurity,
    random_cuts: bool,
    seed: i64,
}

#[derive(Debug, Clone, Copy)]
enum MaxFeatures {
    Sqrt,
    Third,
    All,
    Share(f64),
}

impl MaxFeatures {
    const WORDS: [(&'static str, Self); 3] = [("sqrt", Self::Sqrt), ("third", Self::Third), ("all", Self::All)];

    /// Null: the square root for classes, a third for numbers.
    fn read(options: &mut Reader<'_>, task: Task) -> Result<Self, FitError> {
        match options.peek("max_features") {
            Some(OptionValue::Null) => {
                options.skip("max_features");
                Ok(if task == Task::Classification { Self::Sqrt } else { Self::Third })
            }
            Some(OptionValue::Float(share)) if *share > 0.0 && *share <= 1.0 => {
                options.skip("max_features");
                Ok(Self::Share(*share))
            }
            _ => options.word("max_features", &Self::WORDS),
        }
    }

    fn of(self, features: usize) -> usize {
        let n = features as f64;
        let count = match self {
            Self::Sqrt => n.sqrt(),
            Self::Third => n / 3.0,
            Self::All => n,
            Self::Share(share) => n * share,
        };
        (count as usize).max(1)
    }
}

impl ForestLearner {
    /// Many trees, each on other rows.
    pub(crate) fn random(options: &mut Reader<'_>, task: Task, seed: i64) -> Result<Self, FitError> {
        Self::read(options, task, seed, false)
    }

    /// The same with random cuts. Source: P. Geurts et al., "Extremely randomized trees" (2006).
    pub(crate) fn extra(options: &mut Reader<'_>, task: Task, seed: i64) -> Result<Self, FitError> {
        Self::read(options, task, seed, true)
    }

    /// One tree that looks at all rows and features.
    pub(crate) fn single(options: &mut Reader<'_>, seed: i64) -> Result<Self, FitError> {
        Ok(Self {
            trees: 1,
            max_depth: options.optional_int("max_depth", 1)?,
            max_features: MaxFeatures::All,
            min_samples_leaf: options.int("min_samples_leaf", 1, i64::MAX / 2)?,
            min_samples_split: options.int("min_samples_split", 2, i64::MAX)?,
            bootstrap: false,
            max_bins: options.int("max_bins", 2, 255)?,
            class_weight: ClassWeight::read(options)?,
            criterion: impurity(options)?,
            random_cuts: false,
            seed,
        })
    }

    fn read(options: &mut Reader<'_>, task: Task, seed: i64, random_cuts: bool) -> Result<Self, FitError> {
        Ok(Self {
            trees: options.int("trees", 1, 100_000)?,
            max_depth: options.optional_int("max_depth", 1)?,
            max_features: MaxFeatures::read(options, task)?,
            min_samples_leaf: options.int("min_samples_leaf", 1, i64::MAX / 2)?,
            min_samples_split: options.int("min_samples_split", 2, i64::MAX)?,
            bootstrap: options.bool("bootstrap")?,
            max_bins: options.int("max_bins", 2, 255)?,
            class_weight: ClassWeight::read(options)?,
            criterion: impurity(options)?,
            random_cuts,
            seed,
        })
    }

    fn grow_all<C: Criterion>(
        &self,
        criterion: &C,
        x: &Matrix,
        labels: &[C::Label],
        weights: &[f64],
        (leaf_width, keeper): (usize, &Keeper<'_>),
        cx: &FitContext<'_>,
    ) -> Result<(Vec<Tree>, Option<Early>), FitError> {
        let pool = Pool::new(cx.threads)?;
        let made = x.made(self.max_bins, || Binned::new(x, self.max_bins, &pool));
        let binned = &*made;
        let limits = Limits {
            max_depth: self.max_depth,
            max_features: self.max_features.of(x.width()),
            min_samples_leaf: self.min_samples_leaf,
            min_samples_split: self.min_samples_split,
            random_cuts: self.random_cuts,
        };
        let grower = Grower { criterion, binned, labels, limits, leaf_width };
        let resumed = keeper.resume().and_then(|(_, stored)| restore(&stored, x.width(), leaf_width).ok());
        let finished = Finished::new(resumed.unwrap_or_default(), self.trees, leaf_width);
        let first = finished.count();
        // There is no forest without a tree: the first one stops growing instead. It is not the one that the whole
        // forest has, so that it stands alone and nothing goes on from it.
        let cut_short = Mutex::new(None);
        pool.run_in_order(self.trees - first, |at| {
            let number = first + at;
            if (cx.cancelled)() || number > 0 && (cx.out_of_time)() {
                return false;
            }
            let cut = Cell::new(false);
            let at_node = || match () {
                () if (cx.cancelled)() => Go::Away,
                () if (cx.out_of_time)() => {
                    if number == 0 {
                        cut.set(true);
                        Go::ToLeaves
                    } else {
                        Go::Away
                    }
                }
                () => Go::On,
            };
            let mut rng = Rng::new(self.seed, number as u64);
            let drawn = self.bootstrap.then(|| bootstrap(weights, &mut rng));
            let Some(tree) = grower.grow(drawn.as_deref().unwrap_or(weights), &mut rng, &at_node) else { return false };
            if cut.get() {
                *cut_short.lock().unwrap_or_else(PoisonError::into_inner) = Some(tree);
                return false;
            }
            finished.add(number, tree, |done| {
                (cx.progress)(Progress { done, total: self.trees as u64, loss: None, valid: None });
            });
            finished.keep(keeper, false);
            true
        });
        if (cx.cancelled)() {
            finished.keep(keeper, true);
            return Err(FitError::cancelled());
        }
        let mut trees = finished.into_prefix();
        let cut_short = cut_short.into_inner().unwrap_or_else(PoisonError::into_inner);
        let is_cut = cut_short.is_some();
        trees.extend(cut_short);
        let (done, total) = (trees.len() as u64, self.trees as u64);
        if is_cut {
            return Ok((trees, Some(Early { done, total, unit: "trees" })));
        }
        if done < total {
            keeper.keep(true, done, || tensors(trees.iter(), leaf_width));
        }
        Ok((trees, (done < total).then_some(Early { done, total, unit: "trees" })))
    }
}

fn impurity(options: &mut Reader<'_>) -> Result<Impurity, FitError> {
    options.word("criterion", &[("gini", Impurity::Gini), ("entropy", Impurity::Entropy)])
}

/// As many rows as have weight, drawn from them with replacement: each row's weight times how often it was drawn.
fn bootstrap(weights: &[f64], rng: &mut Rng) -> Vec<f64> {
    let rows: Vec<u32> = (0..weights.len() as u32).filter(|i| weights[*i as usize] > 0.0).collect();
    let mut drawn = vec![0.0; weights.len()];
    for _ in 0..rows.len() {
        let row = rows[rng.below(rows.len())] as usize;
        drawn[row] += weights[row];
    }
    drawn
}

impl Learner for ForestLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check_with_gaps(x, y, weights)?;
        if x.rows() > u32::MAX as usize {
            return Err(FitError::data(format!("{} rows are more than a forest takes ({})", x.rows(), u32::MAX)));
        }
        let keeper = Keeper::new(cx, self, x, y, weights);
        let (classes, (trees, ended_early)) = match y {
            Target::Classes { codes, count } => {
                let rows = self.class_weight.rows(codes, *count, weights);
                present_classes(codes, *count, &rows)?;
                (
                    *count,
                    self.grow_all(
                        &Purity { classes: *count, by: self.criterion },
                        x,
                        codes,
                        &rows,
                        (*count, &keeper),
                        cx,
                    )?,
                )
            }
            Target::Numbers(numbers) => {
                if self.class_weight != ClassWeight::None {
                    return Err(FitError::option("class_weight has no meaning where numbers are learned")
                        .help("leave class_weight out"));
                }
                let rows = weights.map_or_else(|| vec![1.0; x.rows()], <[f64]>::to_vec);
                let centre = dot(numbers, &rows) / sum(&rows);
                (0, self.grow_all(&Variance { centre }, x, numbers, &rows, (1, &keeper), cx)?)
            }
            Target::Unlabelled(_) => return Err(FitError::data("trees learn classes or numbers")),
        };
        Ok(Fitted::ended(Ensemble::new(x, classes, Output::Mean, trees), ended_early))
    }

    /// Large trees lie in memory that is slow to walk; measured with 280,000 rows and 10 features: 0.85.
    fn prediction_share(&self) -> f64 {
        1.0
    }
}
