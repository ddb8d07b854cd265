//! Own column functions inside a lazy query. All are elementwise: they see a batch of rows and give as many.

use std::cell::Cell;

use polars::prelude::{self as pl, ChunkApply, Column, Field, IntoColumn, PolarsResult, TimeUnit};

/// A column by its very name: the function of this name in polars takes `*` and `^…$` for patterns.
pub(crate) fn col(name: impl Into<pl::PlSmallStr>) -> pl::Expr {
    pl::Expr::Column(name.into())
}

/// What stands beside a decimal that is the only key of a group or join: polars has such keys by themselves only with a
/// feature that this build lacks, and several together without it.
const BESIDE: &str = "__beside";

/// The table with a key of one value where [`BESIDE`] is needed, and the keys with it.
pub(crate) fn hashable(
    mut frame: pl::LazyFrame,
    mut keys: Vec<pl::Expr>,
) -> PolarsResult<(pl::LazyFrame, Vec<pl::Expr>)> {
    if let [key] = &keys[..] {
        let alone = frame.clone().select([key.clone()]).collect_schema()?;
        if alone.iter_values().any(pl::DataType::is_decimal) {
            frame = frame.with_columns([pl::lit(true).alias(BESIDE)]);
            keys.push(col(BESIDE));
        }
    }
    Ok((frame, keys))
}

/// The table without what [`hashable`] put there.
pub(crate) fn without_beside(frame: pl::LazyFrame, keys: &[pl::Expr]) -> pl::LazyFrame {
    match keys {
        [_, beside] if *beside == col(BESIDE) => {
            // A full join has that of its right side, too.
            frame.drop(pl::by_name([BESIDE.to_owned(), format!("{BESIDE}_right")], false, false))
        }
        _ => frame,
    }
}

/// `f` over one column; the result has the type `out` and the name of the input.
pub(crate) fn map1(
    input: pl::Expr,
    out: pl::DataType,
    f: impl Fn(&Column) -> PolarsResult<Column> + Send + Sync + 'static,
) -> pl::Expr {
    map_n(vec![input], out, move |columns| f(&columns[0]))
}

/// `f` once the columns have one length; its result has the name of the first.
fn of_one_length(
    f: impl Fn(&[Column]) -> PolarsResult<Column> + Send + Sync + 'static,
) -> impl Fn(&mut [Column]) -> PolarsResult<Column> + Send + Sync + 'static {
    move |columns| {
        let name = columns[0].name().clone();
        broadcast(columns);
        Ok(f(columns)?.with_name(name))
    }
}

/// `f` over several columns of one length (single values are repeated first).
pub(crate) fn map_n(
    inputs: Vec<pl::Expr>,
    out: pl::DataType,
    f: impl Fn(&[Column]) -> PolarsResult<Column> + Send + Sync + 'static,
) -> pl::Expr {
    pl::map_multiple(of_one_length(f), inputs, move |_, fields: &[Field]| {
        Ok(Field::new(fields[0].name().clone(), out.clone()))
    })
}

thread_local! {
    static IN_ORDER: Cell<bool> = const { Cell::new(false) };
}

/// Lowers for a query whose steps are done one after the other as they stand: nothing has to be held back from an optimiser.
pub(crate) fn in_order<T>(lower: impl FnOnce() -> T) -> T {
    struct Restored(bool);
    impl Drop for Restored {
        fn drop(&mut self) {
            IN_ORDER.set(self.0);
        }
    }
    let _restored = Restored(IN_ORDER.replace(true));
    lower()
}

/// Like [`map_n`] for a function that may raise a fault.
///
/// The optimiser moves filters freely over functions that it believes cannot fail, and would so run this one on rows
/// that an earlier filter removes. It believes only its own strict cast to be fallible, so the function gives its result
/// as another type of the same bits, and a strict cast (which copies nothing) turns it into the real one.
pub(crate) fn fallible(
    inputs: Vec<pl::Expr>,
    out: pl::DataType,
    f: impl Fn(&[Column]) -> PolarsResult<Column> + Send + Sync + 'static,
) -> pl::Expr {
    if IN_ORDER.get() {
        return map_n(inputs, out, f);
    }
    let us = TimeUnit::Microseconds;
    match out {
        pl::DataType::Int64 => {
            let duration = pl::DataType::Duration(us);
            let inner = duration.clone();
            map_n(inputs, duration, move |c| f(c)?.cast(&inner)).strict_cast(pl::DataType::Int64)
        }
        pl::DataType::Date => {
            map_n(inputs, pl::DataType::Int32, move |c| Ok(f(c)?.to_physical_repr())).strict_cast(pl::DataType::Date)
        }
        pl::DataType::Datetime(..) | pl::DataType::Duration(_) => {
            map_n(inputs, pl::DataType::Int64, move |c| Ok(f(c)?.to_physical_repr())).strict_cast(out)
        }
        pl::DataType::Boolean => map_n(inputs, pl::DataType::Int64, move |c| f(c)?.cast(&pl::DataType::Int64))
            .strict_cast(pl::DataType::Boolean),
        pl::DataType::Float64 => {
            let duration = pl::DataType::Duration(us);
            let inner = duration.clone();
            let bits = map_n(inputs, duration, move |c| {
                let values = f(c)?;
                let bits: pl::Int64Chunked = values.f64()?.iter().map(|x| x.map(|x| x.to_bits() as i64)).collect();
                bits.into_column().cast(&inner)
            });
            map1(bits.strict_cast(pl::DataType::Int64), pl::DataType::Float64, |c| {
                let values: pl::Float64Chunked = c.i64()?.iter().map(|b| b.map(|b| f64::from_bits(b as u64))).collect();
                Ok(values.into_column())
            })
        }
        pl::DataType::Decimal(precision, scale) if precision < 38 => {
            let wide = pl::DataType::Decimal(38, scale);
            let inner = wide.clone();
            map_n(inputs, wide, move |c| f(c)?.cast(&inner)).strict_cast(out)
        }
        other => {
            let mut inputs = inputs;
            inputs.push(inputs[0].clone().is_null().strict_cast(pl::DataType::Int64));
            map_n(inputs, other, move |c| f(&c[..c.len() - 1]))
        }
    }
}

/// `f` over the rows of a group (or of the whole table), several columns of one length; it gives one value.
pub(crate) fn aggregate_n(
    inputs: Vec<pl::Expr>,
    out: pl::DataType,
    f: impl Fn(&[Column]) -> PolarsResult<Column> + Send + Sync + 'static,
) -> pl::Expr {
    pl::apply_multiple(
        of_one_length(f),
        inputs,
        move |_, fields: &[Field]| Ok(Field::new(fields[0].name().clone(), out.clone())),
        true,
    )
}

fn broadcast(columns: &mut [Column]) {
    let Some(length) = columns.iter().map(Column::len).find(|n| *n != 1) else { return };
    for column in columns {
        if column.len() == 1 {
            *column = column.new_from_index(0, length);
        }
    }
}

/// `f` over a float column; null stays null.
pub(crate) fn float1(input: pl::Expr, f: impl Fn(f64) -> f64 + Send + Sync + Copy + 'static) -> pl::Expr {
    map1(input, pl::DataType::Float64, move |c| Ok(c.f64()?.apply_values(f).into_column()))
}

/// Like [`float1`] for a function without a value at some points: null there.
pub(crate) fn float1_partial(
    input: pl::Expr,
    f: impl Fn(f64) -> Option<f64> + Send + Sync + Copy + 'static,
) -> pl::Expr {
    map1(input, pl::DataType::Float64, move |c| {
        let out: pl::Float64Chunked = pl::arity::unary_elementwise(c.f64()?, |x: Option<f64>| x.and_then(f));
        Ok(out.into_column())
    })
}
