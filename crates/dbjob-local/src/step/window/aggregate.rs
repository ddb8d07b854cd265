//! The aggregates of the catalog over frames. Null is skipped by all but `count()`, `first` and `last`.

use dbjob_plan::{DataType, Decimal, RunError, power_of_ten};
use polars::prelude::{self as pl, Column};

use super::bag::{Distinct, Mode, Quantile};
use super::layout::{Layout, ranks};
use super::moments::{Moments, Pairs};
use super::slide::{Frames, answers, folds};
use crate::decimal;
use crate::fault::engine_error;

/// Values by position, each the result of the frame there.
pub(super) enum Values {
    Ints(Vec<Option<i64>>),
    Floats(Vec<Option<f64>>),
    Bools(Vec<Option<bool>>),
    /// Integers of decimals.
    Decimals(Vec<Option<i128>>),
    /// The argument's value at another position.
    Of(Vec<Option<usize>>),
    /// The argument's values at other positions, as lists.
    Lists(Vec<Option<Vec<usize>>>),
}

pub(super) enum Wrong {
    /// What does not fit, and the position whose frame it is of.
    Overflow(usize, String),
    Engine(RunError),
}

impl From<RunError> for Wrong {
    fn from(error: RunError) -> Self {
        Self::Engine(error)
    }
}

/// `args` are the arguments by position, of these types; `share` is that of `quantile`. `None`: no such aggregate.
pub(super) fn aggregate(
    name: &str,
    args: &[Column],
    dtypes: &[DataType],
    share: f64,
    frames: &Frames,
) -> Result<Option<Values>, Wrong> {
    let ([x, ..], [dtype, ..]) = (args, dtypes) else {
        return Ok((name == "count").then(|| Values::Ints(frames.iter().map(|(a, b)| Some((b - a) as i64)).collect())));
    };
    if let ("min_by" | "max_by" | "cov" | "corr", [_, y, ..]) = (name, args) {
        return of_two(name, x, y, frames).map(Some);
    }
    Ok(Some(match name {
        "count" => {
            let known = Running::new(known(x).into_iter().map(i128::from));
            Values::Ints(frames.iter().map(|(a, b)| Some(known.between(a, b) as i64)).collect())
        }
        "list" => {
            let known = known(x);
            Values::Lists(frames.iter().map(|(a, b)| Some((a..b).filter(|at| known[*at]).collect())).collect())
        }
        "first" => Values::Of(frames.iter().map(|(a, b)| (a < b).then_some(a)).collect()),
        "last" => Values::Of(frames.iter().map(|(a, b)| (a < b).then(|| b - 1)).collect()),
        "any" | "all" => {
            let x = bools(x)?;
            let known = Running::new(x.iter().map(|b| i128::from(b.is_some())));
            let truths = Running::new(x.iter().map(|b| i128::from(*b == Some(true))));
            let holds = |(a, b)| {
                let (known, truths) = (known.between(a, b), truths.between(a, b));
                (known > 0).then_some(if name == "any" { truths > 0 } else { truths == known })
            };
            Values::Bools(frames.iter().map(holds).collect())
        }
        "sum" if decimal::digits(dtype).is_some() => Values::Decimals(decimal_sums(x, dtype, frames)?),
        "sum" if *dtype != DataType::Float => Values::Ints(int_sums(x, frames)?),
        "sum" | "mean" => {
            let x = floats(x)?;
            let item = |at: usize| x[at].map_or((0_u32, 0.0), |x| (1, x));
            let sums = folds(frames, (0, 0.0), item, |(m, a), (n, b)| (m + n, a + b));
            let result = |(n, sum)| (n > 0).then(|| if name == "sum" { sum } else { sum / f64::from(n) });
            Values::Floats(sums.map(result).collect())
        }
        "std" | "var" => {
            let x = floats(x)?;
            let item = |at: usize| x[at].map_or(Moments::NONE, Moments::of);
            let all = folds(frames, Moments::NONE, item, Moments::and);
            let variances = all.map(Moments::variance);
            Values::Floats(variances.map(|v| if name == "var" { v } else { v.map(f64::sqrt) }).collect())
        }
        "min" | "max" => {
            let (ranks, samples) = ranks(x)?;
            let better = |a: usize, b: usize| if name == "min" { a.min(b) } else { a.max(b) };
            let join = |a: Option<usize>, b: Option<usize>| a.zip(b).map(|(a, b)| better(a, b)).or(a).or(b);
            let best = folds(frames, None, |at| ranks[at], join);
            Values::Of(best.map(|rank| rank.map(|rank| samples[rank])).collect())
        }
        "count_distinct" => {
            let (ranks, samples) = ranks(x)?;
            Values::Ints(answers(frames, &ranks, Distinct::new(samples.len())).into_iter().map(Some).collect())
        }
        "mode" => {
            let (ranks, samples) = ranks(x)?;
            let modes = answers(frames, &ranks, Mode::new(samples.len()));
            Values::Of(modes.into_iter().map(|rank| rank.map(|rank| samples[rank])).collect())
        }
        "median" | "quantile" => {
            let (ranks, samples) = ranks(x)?;
            let x = floats(x)?;
            let values: Vec<f64> = samples.iter().map(|at| x[*at].unwrap_or(f64::NAN)).collect();
            let share = if name == "median" { 0.5 } else { share };
            Values::Floats(answers(frames, &ranks, Quantile::new(share, &values)))
        }
        _ => return Ok(None),
    }))
}

/// The functions of the order: they see the row's place in its partition.
pub(super) fn of_order(name: &str, offset: i64, layout: &Layout) -> Option<Values> {
    let at_distance = |by: i64| Values::Of((0..layout.len()).map(|at| layout.moved(at, by)).collect());
    Some(match name {
        "lag" => at_distance(offset.checked_neg()?),
        "lead" => at_distance(offset),
        "row_number" => Values::Ints(layout.row_numbers().map(Some).collect()),
        "rank" => Values::Ints(layout.ranks().map(Some).collect()),
        "dense_rank" => Values::Ints(layout.dense_ranks().map(Some).collect()),
        _ => return None,
    })
}

/// Exact: differences of running sums that 128 bits hold for any number of rows.
fn int_sums(x: &Column, frames: &Frames) -> Result<Vec<Option<i64>>, Wrong> {
    let x = x.cast(&pl::DataType::Int64).map_err(engine_error)?;
    let x: Vec<Option<i64>> = x.i64().map_err(engine_error)?.iter().collect();
    let known = Running::new(x.iter().map(|x| i128::from(x.is_some())));
    let sums = Running::new(x.iter().map(|x| i128::from(x.unwrap_or(0))));
    let mut out = Vec::with_capacity(frames.len());
    for (at, (low, high)) in frames.iter().enumerate() {
        let sum = sums.between(low, high);
        match i64::try_from(sum) {
            Ok(sum) => out.push((known.between(low, high) > 0).then_some(sum)),
            Err(_) => return Err(Wrong::Overflow(at, format!("a sum of {sum} does not fit a 64-bit int"))),
        }
    }
    Ok(out)
}

/// Sums of decimals have all the digits that there are.
fn decimal_sums(x: &Column, dtype: &DataType, frames: &Frames) -> Result<Vec<Option<i128>>, Wrong> {
    let scale = decimal::digits(dtype).map_or(0, |(_, scale)| scale);
    let limit = power_of_ten(38).unwrap_or(i128::MAX);
    let x: Vec<Option<i128>> = decimal::unscaled(x).map_err(engine_error)?.iter().collect();
    let known = Running::new(x.iter().map(|x| i128::from(x.is_some())));
    let join = |a: Option<i128>, b: Option<i128>| a?.checked_add(b?);
    let sums = folds(frames, Some(0), |at| Some(x[at].unwrap_or(0)), join);
    let mut out = Vec::with_capacity(frames.len());
    for (at, (sum, (low, high))) in sums.zip(frames.iter()).enumerate() {
        match sum.filter(|sum| sum.abs() < limit) {
            Some(sum) => out.push((known.between(low, high) > 0).then_some(sum)),
            None => {
                let near = sum.map_or(String::new(), |unscaled| format!(" of {}", Decimal { unscaled, scale }));
                return Err(Wrong::Overflow(at, format!("a sum{near} does not fit a decimal(38, {scale})")));
            }
        }
    }
    Ok(out)
}

/// `min_by`, `max_by`, `cov`, `corr`.
fn of_two(name: &str, x: &Column, y: &Column, frames: &Frames) -> Result<Values, Wrong> {
    if matches!(name, "min_by" | "max_by") {
        let (ranks, samples) = ranks(y)?;
        // The greatest is the least in the order that goes down.
        let place = |rank: usize| if name == "min_by" { rank } else { samples.len() - rank };
        let item = |at: usize| ranks[at].map(|rank| (place(rank), at));
        let first = |a: Option<(usize, usize)>, b: Option<(usize, usize)>| a.zip(b).map(|(a, b)| a.min(b)).or(a).or(b);
        return Ok(Values::Of(folds(frames, None, item, first).map(|best| best.map(|(_, at)| at)).collect()));
    }
    let (x, y) = (floats(x)?, floats(y)?);
    let item = |at: usize| x[at].zip(y[at]).map_or(Pairs::NONE, |(x, y)| Pairs::of(x, y));
    let all = folds(frames, Pairs::NONE, item, Pairs::and);
    Ok(Values::Floats(all.map(|p| if name == "cov" { p.covariance() } else { p.correlation() }).collect()))
}

/// Which values are not null.
fn known(x: &Column) -> Vec<bool> {
    x.as_materialized_series().is_not_null().iter().map(|there| there == Some(true)).collect()
}

/// Sums up to each position.
struct Running(Vec<i128>);

impl Running {
    fn new(items: impl Iterator<Item = i128>) -> Self {
        let mut sum = 0;
        let sums = items.map(|item| {
            sum += item;
            sum
        });
        Self(std::iter::once(0).chain(sums).collect())
    }

    fn between(&self, low: usize, high: usize) -> i128 {
        self.0[high] - self.0[low]
    }
}

fn floats(x: &Column) -> Result<Vec<Option<f64>>, Wrong> {
    let x = x.cast(&pl::DataType::Float64).map_err(engine_error)?;
    Ok(x.f64().map_err(engine_error)?.iter().collect())
}

fn bools(x: &Column) -> Result<Vec<Option<bool>>, Wrong> {
    Ok(x.bool().map_err(engine_error)?.iter().collect())
}
