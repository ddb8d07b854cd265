//! Joins. The right side comes with its keys under names of ours, so that no name of the user can clash.

use dbjob_plan::{Join, JoinKind, RunError};
use polars::prelude::{
    self as pl, DataFrame, Expr, IntoLazy, JoinArgs, JoinBuildSide, JoinCoalesce, JoinType, LazyFrame,
    MaintainOrderJoin,
};

use super::Step;
use super::lookup;
use super::repeated::repeated;
use crate::fault::engine_error;
use crate::udf::{col, hashable, without_beside};

pub(crate) fn right_key(i: usize) -> String {
    format!("__right_key_{i}")
}

/// The time of the right side of an asof join.
pub(super) fn right_time() -> String {
    "__right_time".to_owned()
}

/// The right side as the join takes it: keys under our names, then the columns that come over and are read.
pub(crate) fn right_side(step: &Step<'_>, join: &Join, right: LazyFrame) -> LazyFrame {
    let keys = join.on.iter().enumerate().map(|(i, (_, r))| col(r).alias(right_key(i)));
    let time = join.asof.iter().map(|asof| col(&asof.right).alias(right_time()));
    let rest = join
        .right_columns
        .iter()
        .filter(|p| step.is_live(&p.to) && !matches!(join.kind, JoinKind::Semi | JoinKind::Anti))
        .map(|p| col(&p.from).alias(p.to.as_str()));
    let mut columns: Vec<Expr> = keys.chain(time).chain(rest).collect();
    if columns.is_empty() {
        // A cross join of which only the number of rows counts.
        columns.push(pl::lit(true).alias(right_key(0)));
    }
    right.select(columns)
}

/// Left columns, then the right ones; rows in left order if that is wanted.
///
/// Errors: those of the engine.
pub(super) fn lower(
    step: &Step<'_>,
    join: &Join,
    left: LazyFrame,
    right: LazyFrame,
    ordered: bool,
) -> Result<LazyFrame, RunError> {
    hashed(join, left, right_side(step, join, right), ordered, None)
}

/// Up to so many rows a right side in memory is what the hash table is built of, without a look at the left side: for
/// that the engine would hold millions of its rows.
const SMALL: usize = 2_000_000;

/// [`lower`] with a right side in memory, a [`right_side`] that is [`verify_unique`].
///
/// Errors: those of the engine.
pub(crate) fn with_right(
    join: &Join,
    left: LazyFrame,
    right: &DataFrame,
    ordered: bool,
) -> Result<LazyFrame, RunError> {
    match lookup::lower(join, &left, right).map_err(engine_error)? {
        Some(joined) => Ok(joined),
        None => {
            let side = (right.height() <= SMALL).then_some(JoinBuildSide::ForceRight);
            hashed(join, left, right.clone().lazy(), ordered, side)
        }
    }
}

pub(super) fn hashed(
    join: &Join,
    left: LazyFrame,
    right: LazyFrame,
    ordered: bool,
    side: Option<JoinBuildSide>,
) -> Result<LazyFrame, RunError> {
    let how = match join.kind {
        JoinKind::Cross => JoinType::Cross,
        JoinKind::Inner => JoinType::Inner,
        JoinKind::Left => JoinType::Left,
        JoinKind::Full => JoinType::Full,
        JoinKind::Semi => JoinType::Semi,
        JoinKind::Anti => JoinType::Anti,
        JoinKind::Asof => unreachable!("done by `asof`, over rows"),
    };
    let left_on: Vec<Expr> = join.on.iter().map(|(l, _)| col(l)).collect();
    let right_on: Vec<Expr> = (0..join.on.len()).map(|i| col(right_key(i))).collect();
    let args = JoinArgs {
        coalesce: if join.kind == JoinKind::Full { JoinCoalesce::KeepColumns } else { JoinCoalesce::CoalesceColumns },
        maintain_order: match join.kind {
            _ if !ordered => MaintainOrderJoin::None,
            JoinKind::Cross => MaintainOrderJoin::LeftRight,
            _ => MaintainOrderJoin::Left,
        },
        build_side: side.filter(|_| matches!(join.kind, JoinKind::Inner | JoinKind::Left)),
        ..JoinArgs::new(how)
    };
    let (left, left_on) = hashable(left, left_on).map_err(engine_error)?;
    let (right, right_on) = hashable(right, right_on).map_err(engine_error)?;
    let joined = left.join(right, &left_on, &right_on, args);
    let joined = without_beside(joined, &left_on);
    Ok(match join.kind {
        JoinKind::Full => {
            // A right key that comes over itself leaves the left one as it is.
            let merged = |r: &String| !join.right_columns.iter().any(|p| p.from == *r);
            let fill = join.on.iter().enumerate().filter(|(_, (_, r))| merged(r)).map(|(i, (l, _))| {
                pl::when(col(l).is_not_null()).then(col(l)).otherwise(col(right_key(i))).alias(l.as_str())
            });
            let filled = joined.with_columns(fill.collect::<Vec<_>>());
            filled.drop(pl::by_name((0..join.on.len()).map(right_key), true, false))
        }
        _ => joined,
    })
}

/// Checks that the right side (a [`right_side`]) has each key at most once. Keys with a null match nothing and may repeat.
///
/// Errors: E0708 with the first key that repeats.
pub(crate) fn verify_unique(join: &Join, right: &DataFrame, name: &str) -> Result<(), RunError> {
    let keys: Vec<Expr> = (0..join.on.len()).map(|i| col(right_key(i))).collect();
    let columns: Vec<&str> = join.on.iter().map(|(_, r)| r.as_str()).collect();
    match repeated(right.clone().lazy(), &keys, false)? {
        None => Ok(()),
        Some(found) => Err(found.error(&columns, name)),
    }
}

/// The same of the left side.
pub(crate) fn verify_unique_left(join: &Join, left: LazyFrame, name: &str) -> Result<(), RunError> {
    let columns: Vec<&str> = join.on.iter().map(|(l, _)| l.as_str()).collect();
    let keys: Vec<Expr> = columns.iter().map(|l| col(*l)).collect();
    match repeated(left, &keys, false)? {
        None => Ok(()),
        Some(found) => Err(found.error(&columns, name)),
    }
}
