//! The type of a call's result, and the range of its numbers.

use dbjob_plan::{DataType, ExprKind, Value};

use super::expr::Typed;
use super::range::Range;
use super::{decimal, types};
use crate::catalog::function::ResultType;

pub(super) fn result_type(result: ResultType, args: &[Typed]) -> DataType {
    let first = || args.first().map_or(DataType::Unknown, |a| a.dtype().clone());
    let item = || types::item_type(&first()).cloned().unwrap_or(DataType::Unknown);
    let number = |i: usize| match args.get(i).map(|a| &a.expr.kind) {
        Some(ExprKind::Literal(Value::Int(n))) => *n,
        Some(ExprKind::Negate(x)) => match x.kind {
            ExprKind::Literal(Value::Int(n)) => -n,
            _ => 0,
        },
        _ => 0,
    };
    let sum = |of: DataType| match of {
        DataType::Bool => DataType::Int,
        DataType::Decimal { scale, .. } => decimal::sum(scale),
        other => other,
    };
    match result {
        ResultType::Int => DataType::Int,
        ResultType::Float => DataType::Float,
        ResultType::Bool => DataType::Bool,
        ResultType::String => DataType::String,
        ResultType::Date => DataType::Date,
        ResultType::Datetime => DataType::Datetime,
        ResultType::Same => first(),
        ResultType::Sum => sum(first()),
        ResultType::Rounded => match first() {
            DataType::Decimal { precision, scale } => decimal::rounded(precision, scale, number(1)),
            other => other,
        },
        ResultType::Sign => match first() {
            DataType::Float => DataType::Float,
            _ => DataType::Int,
        },
        ResultType::Decimal => DataType::Decimal { precision: number(1) as u8, scale: number(2) as u8 },
        ResultType::Vector => DataType::Vector { width: Some(number(1) as usize) },
        ResultType::Texts => DataType::List { item: Box::new(DataType::String) },
        ResultType::List => DataType::List { item: Box::new(first()) },
        ResultType::Item => item(),
        ResultType::ItemSum => sum(item()),
    }
}

pub(super) fn result_range(name: &str, args: &[Typed], x: Range) -> Range {
    match name {
        "abs" => x.abs(),
        "sign" | "sin" | "cos" | "tanh" | "corr" => Range::from(-1.0, 1.0),
        "cosh" => Range::from(1.0, f64::INFINITY),
        "pi" => Range::from(3.0, 4.0),
        "float" | "min" | "max" | "first" | "last" | "mode" => x,
        // Rounding may reach an end that no value has, but for 0.
        "mean" | "median" | "quantile" => {
            Range { above: x.above && x.low == 0.0, below: x.below && x.high == 0.0, ..x }
        }
        // `exp(-1000.0)` is 0.
        "sqrt" | "exp" | "hypot" | "length" | "position" | "count_matches" | "count" | "count_distinct" | "std"
        | "var" => Range::from(0.0, f64::INFINITY),
        // Which of the bounds is the greater one only the rows tell.
        "clip" => args.get(1).zip(args.get(2)).map_or(Range::ALL, |(low, high)| {
            Range::from(low.range.low.min(high.range.low), low.range.high.max(high.range.high))
        }),
        "greatest" => Range { low: args.iter().map(|a| a.range.low).fold(f64::NEG_INFINITY, f64::max), ..Range::ALL },
        "days_in_month" => Range::from(28.0, 31.0),
        "microsecond" => Range::from(0.0, 999_999.0),
        "quarter" => Range::from(1.0, 4.0),
        "month" => Range::from(1.0, 12.0),
        "week" => Range::from(1.0, 53.0),
        "day" => Range::from(1.0, 31.0),
        "day_of_year" => Range::from(1.0, 366.0),
        "weekday" => Range::from(1.0, 7.0),
        "hour" => Range::from(0.0, 23.0),
        "minute" | "second" => Range::from(0.0, 59.0),
        "lag" | "lead" => args.get(2).map_or(x, |default| x.or(default.range)),
        "row_number" | "rank" | "dense_rank" => Range::from(1.0, f64::INFINITY),
        "sum" if x.is_positive() => Range { low: 0.0, above: true, ..Range::ALL },
        "sum" if x.is_non_negative() => Range::from(0.0, f64::INFINITY),
        _ => Range::ALL,
    }
}
