//! The type of a call's result.

use dbjob_plan::{DataType, ExprKind, Value};

use super::expr::Typed;
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
        ResultType::Items => DataType::List { item: Box::new(item()) },
        ResultType::Item => item(),
        ResultType::ItemSum => sum(item()),
    }
}
