use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::groups::Groups;
use super::grow::{Go, Grower, Workspace};
use super::learner::BoostLearner;
use super::rows::{Rows, Truth, add};
use super::split::Limits;
use super::watch::Watch;
use crate::checkpoint::Keeper;
use crate::pool::blocks;
use crate::rng::Rng;
use crate::tree::node::Tree;
use crate::tree::rows::RowMajor;
use crate::tree::stored::{restore, tensors};
use crate::{Early, FitContext, FitError, Matrix, Pool, Progress};

/// One fit.
pub(super) struct Fit<'a> {
    pub learner: &'a BoostLearner,
    pub x: &'a Matrix,
    pub cx: &'a FitContext<'a>,
    pub keeper: &'a Keeper<'a>,
}

/// Categories with fewer rows than this do not move alone, nor than a part of all rows.
const GROUP: usize = 100;
const GROUP_SHARE: usize = 50;

impl Fit<'_> {
    /// The trees, by round and sum. `base`: where the sums begin.
    pub fn run(
        &self,
        truth: Truth,
        weights: Option<Vec<f64>>,
        base: &[f64],
        watch: Option<Watch>,
    ) -> Result<(Vec<Tree>, Option<Early>), FitError> {
        let pool = Pool::new(self.cx.threads)?;
        pool.enter(|| self.rounds(truth, weights, base, watch, &pool))
    }

    fn rounds(
        &self,
        truth: Truth,
        weights: Option<Vec<f64>>,
        base: &[f64],
        mut watch: Option<Watch>,
        pool: &Pool,
    ) -> Result<(Vec<Tree>, Option<Early>), FitError> {
        let Self { learner, x, cx, keeper } = *self;
        let most = cx.rounds.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
        let (rounds, sums) = (learner.trees.min(most), base.len());
        let made = x.made(learner.max_bins, || Groups::new(x, learner.max_bins, pool));
        let groups = &*made;
        let mut rows = Rows::new(truth, weights, base, x.rows());
        let mut trees = self.resumed(&mut rows, pool);
        let patience = learner.stop_early.unwrap_or(usize::MAX);
        let mut is_over = false;
        if let Some(watch) = &mut watch {
            trees.chunks(sums).for_each(|round| {
                watch.add(round, pool);
            });
            is_over = watch.is_over(patience);
        }
        // Trees of one round side by side, or one by one on all threads.
        let side_by_side = sums >= 2 * pool.threads() || sums > 1 && x.rows() < SMALL;
        let threads = if side_by_side { 1 } else { pool.threads() };
        let spaces = if side_by_side { pool.threads().min(sums) } else { 1 };
        let spaces: Vec<_> = (0..spaces).map(|_| Mutex::new(Workspace::new(groups, threads))).collect();
        let limits = Limits {
            min_leaf: learner.min_samples_leaf,
            lambda: learner.lambda,
            min_gain: learner.min_gain,
            min_group: GROUP.min(x.rows() / GROUP_SHARE).max(learner.min_samples_leaf),
        };
        let directions = learner.directions(x, sums)?;
        let grower = Grower {
            groups,
            limits,
            max_leaves: learner.max_leaves,
            max_depth: learner.depth,
            learning_rate: learner.learning_rate,
            directions: &directions,
        };
        let alone = Pool::single();
        rows.slope(pool);
        // There is no model without a tree: the first one stops growing instead, and nothing goes on from it.
        let cut_short = AtomicBool::new(false);
        for round in trees.len() / sums..rounds {
            let at_node = || match () {
                () if (cx.cancelled)() => Go::Away,
                () if (cx.out_of_time)() => {
                    if round == 0 {
                        cut_short.store(true, Ordering::Relaxed);
                        Go::ToLeaves
                    } else {
                        Go::Away
                    }
                }
                () => Go::On,
            };
            if is_over || matches!(at_node(), Go::Away) {
                break;
            }
            let mut rng = Rng::new(learner.seed, round as u64);
            let chosen = self.sample(rows.weights.as_deref(), &mut rng);
            let used = self.features(&mut rng);
            let Rows { sums: totals, gradients, units, weights, .. } = &mut rows;
            let totals: Vec<_> = totals.iter_mut().map(Mutex::new).collect();
            let grown = |k: usize| {
                let mut space = spaces.iter().find_map(|s| s.try_lock().ok()).expect("one a thread");
                let grown = grower.grow(chosen.as_deref(), &gradients[k], units[k], &used, &mut space, &at_node)?;
                let mut totals = totals[k].lock().unwrap_or_else(PoisonError::into_inner);
                add(&grown.leaves, &mut totals, if side_by_side { &alone } else { pool });
                let mut tree = grown.tree;
                for leaf in &grown.leaves {
                    tree.cover[leaf.node] = match &*weights {
                        None => leaf.rows[0].len() as f64,
                        Some(w) => leaf.rows[0].iter().map(|i| w[*i as usize]).sum(),
                    };
                }
                tree.sum_covers();
                Some(tree)
            };
            let new: Option<Vec<Tree>> =
                if side_by_side { pool.run(sums, grown).into_iter().collect() } else { (0..sums).map(grown).collect() };
            let Some(new) = new else { break };
            drop(totals);
            let valid = watch.as_mut().map(|watch| watch.add(&new, pool));
            is_over = watch.as_ref().is_some_and(|watch| watch.is_over(patience));
            trees.extend(new);
            rows.slope(pool);
            let done = round as u64 + 1;
            (cx.progress)(Progress { done, total: rounds as u64, loss: Some(rows.loss), valid });
            if !cut_short.load(Ordering::Relaxed) {
                keeper.keep(false, done, || tensors(trees.iter(), 1));
            }
        }
        let (done, total) = ((trees.len() / sums) as u64, rounds as u64);
        if done < total && done > 0 && !is_over && !cut_short.into_inner() {
            keeper.keep(true, done, || tensors(trees.iter(), 1));
        }
        if (cx.cancelled)() {
            return Err(FitError::cancelled());
        }
        if !rows.loss.is_finite() {
            return Err(FitError::new(crate::FitErrorKind::Diverged, "the loss is no finite number any more")
                .help("a lower `learning_rate` helps"));
        }
        if let Some(watch) = watch {
            trees.truncate(watch.best() * sums);
        }
        Ok((trees, (done < total && !is_over).then_some(Early { done, total, unit: "trees" })))
    }

    /// The trees of an interrupted fit, added to the sums.
    fn resumed(&self, rows: &mut Rows, pool: &Pool) -> Vec<Tree> {
        let sums = rows.sums.len();
        let Some((done, stored)) = self.keeper.resume() else { return Vec::new() };
        let trees = match restore(&stored, self.x.width(), 1) {
            Ok(trees) if trees.len() == done as usize * sums && done as usize <= self.learner.trees => trees,
            _ => return Vec::new(),
        };
        let ranges = blocks(self.x.rows(), 256);
        let parts = pool.run(ranges.len(), |b| {
            let block = RowMajor::of(self.x, ranges[b].clone());
            let mut added: Vec<Vec<f64>> = rows.sums.iter().map(|s| s[ranges[b].clone()].to_vec()).collect();
            for (t, tree) in trees.iter().enumerate() {
                let added = &mut added[t % sums];
                tree.each_leaf(&block, |i, leaf| added[i] += tree.values(leaf)[0]);
            }
            added
        });
        for (range, part) in ranges.iter().zip(parts) {
            for (sums, part) in rows.sums.iter_mut().zip(part) {
                sums[range.clone()].copy_from_slice(&part);
            }
        }
        trees
    }

    /// The rows to learn the next trees from; `None`: all.
    fn sample(&self, weights: Option<&[f64]>, rng: &mut Rng) -> Option<Vec<bool>> {
        let rows = self.x.rows();
        let counts = |i: usize| weights.is_none_or(|w| w[i] > 0.0);
        let share = self.learner.subsample;
        if share >= 1.0 {
            return (0..rows).any(|i| !counts(i)).then(|| (0..rows).map(counts).collect());
        }
        let mut left = (0..rows).filter(|i| counts(*i)).count();
        let mut wanted = ((left as f64 * share) as usize).max(1);
        let mut draw = |i| {
            if !counts(i) {
                return false;
            }
            let drawn = rng.below(left) < wanted;
            left -= 1;
            wanted -= usize::from(drawn);
            drawn
        };
        Some((0..rows).map(&mut draw).collect())
    }

    /// The features that the next trees may use.
    fn features(&self, rng: &mut Rng) -> Vec<bool> {
        let count = self.x.width();
        let wanted = ((count as f64 * self.learner.colsample).round() as usize).clamp(1, count);
        let mut used = vec![wanted == count; count];
        if wanted < count {
            let mut order: Vec<usize> = (0..count).collect();
            rng.shuffle(&mut order);
            order[..wanted].iter().for_each(|j| used[*j] = true);
        }
        used
    }
}

/// Trees of several sums on fewer rows than this grow faster side by side.
const SMALL: usize = 20_000;
