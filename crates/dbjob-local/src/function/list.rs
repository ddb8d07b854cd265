//! Lists and vectors. Places count from 1; items that are null are skipped by whatever computes.

use std::collections::HashSet;

use dbjob_plan::{DataType, RunError};
use polars::prelude::{
    self as pl, AnyValue, Column, IdxSize, IntoColumn, PolarsResult, Series, SortOptions, StringChunked,
};

use super::Call;
use crate::decimal;
use crate::expr::Reporter;
use crate::list::{Lists, cut};
use crate::types::{polars_type, value_of};
use crate::udf::{fallible, map_n, map1};

pub(super) const NAMES: &[&str] = &[
    "length",
    "contains",
    "split",
    "get",
    "slice",
    "join",
    "list_sum",
    "list_mean",
    "list_min",
    "list_max",
    "list_sort",
    "list_unique",
    "list_reverse",
    "list_concat",
    "vector",
    "convert_items",
];

pub(super) fn lower(call: &Call<'_>) -> Result<Option<pl::Expr>, RunError> {
    let out = polars_type(&call.whole.dtype);
    let same = |f: fn(&Column) -> PolarsResult<Column>| map1(call.arg(0), out.clone(), f);
    Ok(Some(match call.name {
        "length" => map1(call.arg(0), pl::DataType::Int64, |c| {
            let lengths: pl::Int64Chunked =
                Lists::of(c)?.places.into_iter().map(|p| p.map(|(_, length)| length as i64)).collect();
            Ok(lengths.into_column())
        }),
        "contains" => map_n(vec![call.arg(0), call.arg(1)], pl::DataType::Boolean, contains),
        "split" => map_n(vec![call.arg(0), call.arg(1)], out, split),
        "get" => map_n(vec![call.arg(0), call.arg(1)], out, get),
        "slice" => map_n(call.lowered.clone(), out, slice),
        "join" => map_n(vec![call.arg(0), call.arg(1)], pl::DataType::String, join),
        "list_sum" => {
            let (reporter, dtype) = (call.scope.reporter(), call.whole.dtype.clone());
            fallible(vec![call.scope.guard(call.arg(0))], out, move |c| sum(&c[0], &dtype, &reporter))
        }
        "list_mean" => map1(call.arg(0), out, |c| {
            let mut means = Vec::with_capacity(c.len());
            for items in Lists::of(c)?.rows() {
                means.push(match items {
                    Some(items) => number(&items)?.mean(),
                    None => None,
                });
            }
            Ok(pl::Float64Chunked::from_iter(means).into_column())
        }),
        "list_min" => extreme(call, out, |items| items.min_reduce().map(|s| s.into_value())),
        "list_max" => extreme(call, out, |items| {
            // Polars skips NaN, which here is above every number.
            let nan = items.f64().is_ok_and(|x| x.iter().flatten().any(f64::is_nan));
            if nan { Ok(AnyValue::Float64(f64::NAN)) } else { items.max_reduce().map(|s| s.into_value()) }
        }),
        "list_sort" => same(|c| {
            let lists = Lists::of(c)?;
            let options = SortOptions { nulls_last: true, maintain_order: true, ..SortOptions::default() };
            lists.regrouped(|start, length| {
                let order = lists.items.slice(start as i64, length).arg_sort(options);
                order.iter().flatten().map(|i| start as IdxSize + i).collect()
            })
        }),
        "list_unique" => same(|c| {
            let lists = Lists::of(c)?;
            lists.regrouped(|start, length| {
                let mut seen = HashSet::new();
                let new = |i: &usize| lists.items.get(*i).is_ok_and(|v| seen.insert(value_of(&v).to_string()));
                (start..start + length).filter(new).map(|i| i as IdxSize).collect()
            })
        }),
        "list_reverse" => same(|c| {
            Lists::of(c)?.regrouped(|start, length| (start..start + length).rev().map(|i| i as IdxSize).collect())
        }),
        "list_concat" => map_n(call.lowered.clone(), out, concat),
        "vector" => vector(call, out),
        "convert_items" => call.arg(0).strict_cast(out),
        _ => return Ok(None),
    }))
}

/// Ints and decimals of a list as floats, where need be.
fn number(items: &Series) -> PolarsResult<Series> {
    items.drop_nulls().cast(&pl::DataType::Float64)
}

/// Whether a value equals an item that is not null.
fn contains(c: &[Column]) -> PolarsResult<Column> {
    let lists = Lists::of(&c[0])?;
    let mut found = Vec::with_capacity(lists.places.len());
    for (row, place) in lists.places.iter().enumerate() {
        let wanted = c[1].get(row)?;
        found.push(match place {
            None => None,
            Some(_) if wanted.is_null() => None,
            Some((start, length)) => {
                let mut any = false;
                for i in *start..*start + *length {
                    any |= lists.items.get(i)? == wanted;
                }
                Some(any)
            }
        });
    }
    Ok(pl::BooleanChunked::from_iter(found).into_column())
}

fn split(c: &[Column]) -> PolarsResult<Column> {
    let (mut parts, mut lengths): (Vec<String>, Vec<Option<usize>>) = (Vec::new(), Vec::new());
    for (s, sep) in c[0].str()?.iter().zip(c[1].str()?.iter()) {
        let before = parts.len();
        match (s, sep) {
            (Some(s), Some("")) => parts.extend(s.chars().map(String::from)),
            (Some(s), Some(sep)) => parts.extend(s.split(sep).map(String::from)),
            _ => {
                lengths.push(None);
                continue;
            }
        }
        lengths.push(Some(parts.len() - before));
    }
    cut(&Column::new("".into(), parts).take_materialized_series(), lengths)
}

/// From 1 on, or from the end.
fn get(c: &[Column]) -> PolarsResult<Column> {
    let lists = Lists::of(&c[0])?;
    let place = |place: Option<(usize, usize)>, n: Option<i64>| {
        let ((start, length), n) = (place?, n?);
        let length = length as i64;
        let at = if n > 0 { n - 1 } else { length + n };
        (n != 0 && (0..length).contains(&at)).then(|| (start as i64 + at) as IdxSize)
    };
    let places = lists.places.iter().zip(c[1].i64()?.iter()).map(|(p, n)| place(*p, n)).collect();
    lists.picked(places)
}

fn slice(c: &[Column]) -> PolarsResult<Column> {
    let lists = Lists::of(&c[0])?;
    let starts = c[1].i64()?;
    let counts = c.get(2).map(Column::i64).transpose()?;
    let mut order: Vec<IdxSize> = Vec::new();
    let mut lengths = Vec::with_capacity(lists.places.len());
    for (row, place) in lists.places.iter().enumerate() {
        let count = match counts {
            Some(counts) => counts.get(row),
            None => Some(i64::MAX),
        };
        let (Some((begin, length)), Some(start), Some(count)) = (place, starts.get(row), count) else {
            lengths.push(None);
            continue;
        };
        // As `substring`: places before the first take from the length.
        let end = start.saturating_add(count).saturating_sub(1).clamp(0, *length as i64);
        let from = start.max(1).saturating_sub(1).min(end);
        order.extend((from..end).map(|i| (*begin as i64 + i) as IdxSize));
        lengths.push(Some((end - from) as usize));
    }
    cut(&lists.items.take(&pl::IdxCa::from_vec("".into(), order))?, lengths)
}

fn join(c: &[Column]) -> PolarsResult<Column> {
    let lists = Lists::of(&c[0])?;
    let items = lists.items.str()?;
    let text = |place: Option<(usize, usize)>, sep: Option<&str>| {
        let ((start, length), sep) = (place?, sep?);
        let parts: Vec<&str> = (start..start + length).filter_map(|i| items.get(i)).collect();
        Some(parts.join(sep))
    };
    let out: StringChunked = lists.places.iter().zip(c[1].str()?.iter()).map(|(p, sep)| text(*p, sep)).collect();
    Ok(out.into_column())
}

/// The sum of each list's items; null of nothing.
fn sum(c: &Column, dtype: &DataType, reporter: &Reporter) -> PolarsResult<Column> {
    let lists = Lists::of(c)?;
    let ints = match dtype {
        DataType::Int => lists.items.i64()?.iter().map(|x| x.map(i128::from)).collect::<Vec<_>>(),
        DataType::Decimal { .. } => lists.items.decimal()?.physical().iter().collect(),
        _ => {
            let items = lists.items.f64()?;
            let sum = |(start, length): (usize, usize)| {
                let values: Vec<f64> = (start..start + length).filter_map(|i| items.get(i)).collect();
                (!values.is_empty()).then(|| values.iter().sum())
            };
            let sums: pl::Float64Chunked = lists.places.iter().map(|p| p.and_then(sum)).collect();
            return Ok(sums.into_column());
        }
    };
    let limit = match dtype {
        DataType::Int => i128::from(i64::MAX),
        _ => 10_i128.pow(38) - 1,
    };
    let mut sums: Vec<Option<i128>> = Vec::with_capacity(lists.places.len());
    for place in &lists.places {
        let mut sum = None;
        for item in place.map_or(&[][..], |(start, length)| &ints[start..start + length]).iter().flatten() {
            let next = sum.unwrap_or(0_i128).checked_add(*item).filter(|s| *s >= -limit - 1 && *s <= limit);
            if next.is_none() {
                return Err(reporter.fail("E0709", format!("the sum of a list does not fit {dtype}"), None));
            }
            sum = next;
        }
        sums.push(sum);
    }
    Ok(match decimal::digits(dtype) {
        Some(digits) => decimal::column(pl::Int128Chunked::from_iter(sums), digits),
        None => sums.into_iter().map(|s| s.map(|s| s as i64)).collect::<pl::Int64Chunked>().into_column(),
    })
}

/// The item that `pick` chooses of each list.
fn extreme(call: &Call<'_>, out: pl::DataType, pick: fn(&Series) -> PolarsResult<AnyValue<'static>>) -> pl::Expr {
    let target = out.clone();
    map1(call.arg(0), out, move |c| {
        let mut values = Vec::with_capacity(c.len());
        for items in Lists::of(c)?.rows() {
            values.push(match items.map(|items| items.drop_nulls()) {
                Some(items) if !items.is_empty() => pick(&items)?,
                _ => AnyValue::Null,
            });
        }
        Ok(Series::from_any_values_and_dtype("".into(), &values, &target, true)?.into_column())
    })
}

fn concat(c: &[Column]) -> PolarsResult<Column> {
    let lists = c.iter().map(Lists::of).collect::<PolarsResult<Vec<_>>>()?;
    let mut items = Series::new_empty("".into(), lists[0].items.dtype());
    let mut lengths = Vec::with_capacity(c[0].len());
    for row in 0..c[0].len() {
        let mut length = Some(0);
        for part in &lists {
            length = length.zip(part.places[row]).map(|(sum, (_, n))| sum + n);
        }
        if length.is_some() {
            for part in &lists {
                let (start, n) = part.places[row].unwrap_or_default();
                items.append(&part.items.slice(start as i64, n))?;
            }
        }
        lengths.push(length);
    }
    cut(&items.rechunk(), lengths)
}

/// A list of numbers as a vector of that many floats.
fn vector(call: &Call<'_>, out: pl::DataType) -> pl::Expr {
    let (width, reporter) = (call.int(1), call.scope.reporter());
    let inner = out.clone();
    fallible(vec![call.scope.guard(call.arg(0))], out, move |c| {
        for items in Lists::of(&c[0])?.rows().flatten() {
            let wrong = match (items.len() as i64, items.null_count()) {
                (n, 0) if n == width => continue,
                (n, 0) => format!("a list of {n} items is no vector({width})"),
                _ => format!("a list with a null in it is no vector({width})"),
            };
            let value = value_of(&AnyValue::List(items)).to_string();
            return Err(reporter.fail("E0710", wrong, Some(value)));
        }
        c[0].cast(&inner)
    })
}
