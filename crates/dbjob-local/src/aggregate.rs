//! Aggregates, for `group` and for rules over a whole table. Null is skipped by all but `count()`, `first` and `last`.

use dbjob_plan::{DataType, Expr, ExprKind, RunError};
use polars::prelude::{self as pl, Column, IntoColumn, PolarsResult, QuantileMethod};

use crate::bounds::bounds;
use crate::expr::{Reporter, Scope};
use crate::{decimal, udf};

pub(crate) const NAMES: &[&str] = &[
    "count",
    "count_distinct",
    "sum",
    "mean",
    "min",
    "max",
    "median",
    "std",
    "var",
    "quantile",
    "any",
    "all",
    "first",
    "last",
    "min_by",
    "max_by",
    "mode",
    "list",
    "cov",
    "corr",
];

/// Whether the result depends on the order of the rows.
pub(crate) fn is_positional(name: &str) -> bool {
    matches!(name, "first" | "last" | "min_by" | "max_by" | "list")
}

/// The aggregate `whole` of these columns, of the rows for which `only` is true if it is given. `scope`: of its arguments.
pub(crate) fn lower(
    whole: &Expr,
    inputs: Vec<pl::Expr>,
    only: Option<pl::Expr>,
    scope: &Scope<'_>,
) -> Result<pl::Expr, RunError> {
    let ExprKind::Aggregate { function: name, args, .. } = &whole.kind else {
        return Err(RunError::new("E0799", "what is no aggregate was taken for one").or_span(whole.span));
    };
    let int64 = pl::DataType::Int64;
    let chosen = |x: pl::Expr| match &only {
        Some(rows) => x.filter(rows.clone()),
        None => x,
    };
    let inputs: Vec<pl::Expr> = inputs.into_iter().map(chosen).collect();
    let Some(x) = inputs.first().cloned() else {
        return match (name.as_str(), only) {
            ("count", Some(rows)) => Ok(rows.cast(int64).sum()),
            ("count", None) => Ok(pl::len().cast(int64)),
            _ => Err(unknown(name, whole)),
        };
    };
    let dtype = &args[0].dtype;
    let numeric = || if *dtype == DataType::Bool { x.clone().cast(pl::DataType::Float64) } else { x.clone() };
    // A result that the compiler knows to be never null has a value in every group.
    let unless_empty = |value: pl::Expr| {
        if whole.nullable {
            pl::when(x.clone().count().gt(pl::lit(0))).then(value).otherwise(pl::lit(pl::NULL))
        } else {
            value
        }
    };
    Ok(match name.as_str() {
        "count" => x.count().cast(int64),
        // Polars counts null as a value of its own.
        "count_distinct" => x.clone().n_unique().cast(int64.clone()) - x.null_count().gt(pl::lit(0)).cast(int64),
        "sum" => match dtype {
            DataType::Bool => unless_empty(x.clone().cast(int64).sum()),
            DataType::Float => unless_empty(x.clone().sum()),
            DataType::Decimal { precision, scale } => {
                unless_empty(decimal::sum(x.clone(), (*precision, *scale), scope))
            }
            DataType::Duration => {
                let sum = checked_sum(unless_empty(x.clone().cast(int64.clone()).sum()), x.clone().cast(int64), scope);
                sum.cast(crate::types::polars_type(dtype))
            }
            _ => {
                // The row count of polars has 32 bits.
                let few = bounds(&args[0], scope.schema)
                    .is_some_and(|(low, high)| low.abs().max(high.abs()) < i128::from(i64::MAX >> 32));
                let plain = unless_empty(x.clone().sum());
                if few { plain } else { checked_sum(plain, x.clone(), scope) }
            }
        },
        "mean" => numeric().mean(),
        "median" => numeric().cast(pl::DataType::Float64).median(),
        "quantile" => {
            let Some(ExprKind::Literal(share)) = args.get(1).map(|share| &share.kind) else {
                return Err(unknown(name, whole));
            };
            let share = share.as_f64().ok_or_else(|| unknown(name, whole))?;
            numeric().cast(pl::DataType::Float64).quantile(pl::lit(share), QuantileMethod::Linear)
        }
        "std" => numeric().std(1),
        "var" => numeric().var(1),
        "min" => x.min(),
        // Polars skips NaN, which here is above every number.
        "max" if *dtype == DataType::Float => {
            pl::when(x.clone().is_nan().any(true)).then(pl::lit(f64::NAN)).otherwise(x.max())
        }
        "max" => x.max(),
        "any" => unless_empty(x.clone().any(true)),
        "all" => unless_empty(x.clone().all(true)),
        "first" => x.first(),
        "last" => x.last(),
        "mode" => mode(x, dtype),
        "list" => x.drop_nulls().implode(true),
        "min_by" | "max_by" => by(name == "min_by", inputs, dtype, whole)?,
        "cov" | "corr" => together(name == "corr", inputs, whole)?,
        _ => return Err(unknown(name, whole)),
    })
}

/// The first argument in the row where the second is least or greatest.
fn by(least: bool, inputs: Vec<pl::Expr>, dtype: &DataType, whole: &Expr) -> Result<pl::Expr, RunError> {
    if inputs.len() < 2 {
        return Err(unknown("min_by", whole));
    }
    let out = crate::types::polars_type(dtype);
    Ok(udf::aggregate_n(inputs, out, move |c| {
        let options =
            pl::SortOptions { descending: !least, nulls_last: true, maintain_order: true, ..Default::default() };
        let first = c[1].as_materialized_series().arg_sort(options).iter().flatten().next();
        match first.filter(|at| c[1].get(*at as usize).is_ok_and(|v| !v.is_null())) {
            Some(at) => Ok(c[0].slice(i64::from(at), 1)),
            None => Ok(Column::full_null(c[0].name().clone(), 1, c[0].dtype())),
        }
    }))
}

/// The covariance or correlation of the pairs without a null.
fn together(correlation: bool, inputs: Vec<pl::Expr>, whole: &Expr) -> Result<pl::Expr, RunError> {
    if inputs.len() < 2 {
        return Err(unknown("cov", whole));
    }
    Ok(udf::aggregate_n(inputs, pl::DataType::Float64, move |c| {
        let pairs: Vec<(f64, f64)> = c[0].f64()?.iter().zip(c[1].f64()?.iter()).filter_map(|(x, y)| x.zip(y)).collect();
        let n = pairs.len() as f64;
        let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
        let sum = |f: fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| f(x - mx, y - my)).sum::<f64>();
        let (xy, xx, yy) = (sum(|x, y| x * y), sum(|x, _| x * x), sum(|_, y| y * y));
        let value = match correlation {
            _ if pairs.len() < 2 => None,
            true if xx == 0.0 || yy == 0.0 => None,
            true => Some(xy / (xx.sqrt() * yy.sqrt())),
            false => Some(xy / (n - 1.0)),
        };
        Ok(pl::Float64Chunked::from_iter([value]).into_column())
    }))
}

fn unknown(name: &str, whole: &Expr) -> RunError {
    RunError::new("E0799", format!("the local engine has no aggregate `{name}`")).or_span(whole.span)
}

/// The sum of the ints `x`, verified.
///
/// Polars wraps. Beside the wrapped sum W goes the float sum F, which is off by far less than 2^62 for any number of rows
/// that polars can count; the true sum differs from W by a multiple of 2^64, so W is true exactly if it is near F.
fn checked_sum(wrapped: pl::Expr, x: pl::Expr, scope: &Scope<'_>) -> pl::Expr {
    let reporter = scope.reporter();
    udf::map_n(vec![wrapped, x.cast(pl::DataType::Float64).sum()], pl::DataType::Int64, move |c| {
        check_sum(c, &reporter)
    })
}

fn check_sum(c: &[Column], reporter: &Reporter) -> PolarsResult<Column> {
    const NEAR: f64 = 4_611_686_018_427_387_904.0;
    for (sum, float) in c[0].i64()?.iter().zip(c[1].f64()?.iter()) {
        if let (Some(sum), Some(float)) = (sum, float)
            && (sum as f64 - float).abs() > NEAR
        {
            let message = format!("a sum of about {float:e} does not fit a 64-bit int");
            return Err(reporter.fail("E0709", message, Some(format!("{float:e}"))));
        }
    }
    Ok(c[0].clone())
}

/// The most frequent value; of several the least.
fn mode(x: pl::Expr, dtype: &DataType) -> pl::Expr {
    let out = crate::types::polars_type(dtype);
    x.agg_with_fmt_str(
        |c| most_frequent(&c),
        move |_, field| Ok(pl::Field::new(field.name().clone(), out.clone())),
        "mode",
    )
}

/// A column of one row: the most frequent value, of several the least, null if there is none.
pub(crate) fn most_frequent(c: &Column) -> PolarsResult<Column> {
    let sorted = c.drop_nulls().sort(pl::SortOptions::default())?;
    let series = sorted.as_materialized_series();
    let (mut best, mut most, mut start) = (None, 0, 0);
    for i in 1..=series.len() {
        if i == series.len() || series.get(i)? != series.get(start)? {
            if i - start > most {
                (best, most) = (Some(start), i - start);
            }
            start = i;
        }
    }
    Ok(match best {
        Some(at) => sorted.slice(at as i64, 1),
        None => Column::full_null(c.name().clone(), 1, c.dtype()),
    }
    .into_column())
}
