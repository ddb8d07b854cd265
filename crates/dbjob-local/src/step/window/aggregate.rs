//! The aggregates of the catalog over frames. Null is skipped by all but `count()`, `first` and `last`.

use dbjob_plan::{DataType, Decimal, RunError, power_of_ten};
use polars::prelude::{self as pl, Column};

use super::bag::{Distinct, Mode, Quantile, Total};
use super::layout::ranks;
use super::moments::{Moments, Pairs};
use super::part::Part;
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
            let known: Vec<Option<i64>> = known(x).into_iter().map(|known| known.then_some(1)).collect();
            Values::Ints(answers(frames, &known, Total::default()).map(|(known, _)| Some(known)).collect())
        }
        "list" => {
            let known = known(x);
            Values::Lists(frames.iter().map(|(a, b)| Some((a..b).filter(|at| known[*at]).collect())).collect())
        }
        "first" => Values::Of(frames.iter().map(|(a, b)| (a < b).then_some(a)).collect()),
        "last" => Values::Of(frames.iter().map(|(a, b)| (a < b).then(|| b - 1)).collect()),
        "any" | "all" => {
            let holds = |(known, truths): (i64, i128)| {
                (known > 0).then_some(if name == "any" { truths > 0 } else { truths == i128::from(known) })
            };
            Values::Bools(answers(frames, &ints(x)?, Total::default()).map(holds).collect())
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
            Values::Ints(answers(frames, &ranks, Distinct::new(samples.len())).map(Some).collect())
        }
        "mode" => {
            let (ranks, samples) = ranks(x)?;
            let modes = answers(frames, &ranks, Mode::new(samples.len()));
            Values::Of(modes.map(|rank| rank.map(|rank| samples[rank])).collect())
        }
        "median" | "quantile" => {
            let (ranks, samples) = ranks(x)?;
            let x = floats(x)?;
            let values: Vec<f64> = samples.iter().map(|at| x[*at].unwrap_or(f64::NAN)).collect();
            let share = if name == "median" { 0.5 } else { share };
            Values::Floats(answers(frames, &ranks, Quantile::new(share, &values)).collect())
        }
        _ => return Ok(None),
    }))
}

/// The functions of the order: they see the row's place in its partition.
pub(super) fn of_order(name: &str, offset: i64, part: &Part<'_>) -> Option<Values> {
    let at_distance = |by: i64| Values::Of((0..part.len()).map(|at| part.moved(at, by)).collect());
    Some(match name {
        "lag" => at_distance(offset.checked_neg()?),
        "lead" => at_distance(offset),
        "row_number" => Values::Ints(part.row_numbers().map(Some).collect()),
        "rank" => Values::Ints(part.ranks().map(Some).collect()),
        "dense_rank" => Values::Ints(part.dense_ranks().map(Some).collect()),
        _ => return None,
    })
}

fn int_sums(x: &Column, frames: &Frames) -> Result<Vec<Option<i64>>, Wrong> {
    let x = ints(x)?;
    let totals = answers(frames, &x, Total::default()).enumerate();
    let sum = |(at, (count, sum)): (usize, (i64, i128))| match i64::try_from(sum) {
        Ok(sum) => Ok((count > 0).then_some(sum)),
        Err(_) => Err(Wrong::Overflow(at, format!("a sum of {sum} does not fit a 64-bit int"))),
    };
    totals.map(sum).collect()
}

/// Sums of decimals have all the digits that there are.
fn decimal_sums(x: &Column, dtype: &DataType, frames: &Frames) -> Result<Vec<Option<i128>>, Wrong> {
    let scale = decimal::digits(dtype).map_or(0, |(_, scale)| scale);
    let limit = power_of_ten(38).unwrap_or(i128::MAX);
    let x: Vec<Option<i128>> = decimal::unscaled(x).map_err(engine_error)?.iter().collect();
    let item = |at: usize| x[at].map_or((0_u32, Some(0)), |x| (1, Some(x)));
    let join = |(m, a): (u32, Option<i128>), (n, b): (u32, Option<i128>)| {
        (m + n, a.zip(b).and_then(|(a, b)| a.checked_add(b)))
    };
    let sums = folds(frames, (0, Some(0)), item, join);
    let mut out = Vec::with_capacity(x.len());
    for (at, (known, sum)) in sums.enumerate() {
        match sum.filter(|sum| sum.abs() < limit) {
            Some(sum) => out.push((known > 0).then_some(sum)),
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

/// Ints, and bools as 0 and 1.
fn ints(x: &Column) -> Result<Vec<Option<i64>>, Wrong> {
    let x = x.cast(&pl::DataType::Int64).map_err(engine_error)?;
    Ok(x.i64().map_err(engine_error)?.iter().collect())
}

fn floats(x: &Column) -> Result<Vec<Option<f64>>, Wrong> {
    let x = x.cast(&pl::DataType::Float64).map_err(engine_error)?;
    Ok(x.f64().map_err(engine_error)?.iter().collect())
}
