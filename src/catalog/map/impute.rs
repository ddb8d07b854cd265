use dbjob_plan::{DataType, Value};

use super::{Inverse, Map, MapInput, MapOutput};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const IMPUTE: Map = Map {
    name: "impute",
    options: &[OptionSpec {
        name: "value",
        ty: OptionType::WordOrLiteral(&["mean", "median", "mode"]),
        default: Default::Required,
        doc: "What stands for null: a statistic of the train part, or a value",
    }],
    output,
    inverse: Inverse::None("a filled-in value looks like any other, so which rows were null is not known any more"),
    exactness: |option| match option("value") {
        Value::Word(word) if word == "mean" => Exactness::Approximate,
        _ => Exactness::Exact,
    },
    doc: "Puts a value where there is none. `mode` takes the least of the most frequent values.",
    example: "map age with impute(median)",
};

fn output(input: &MapInput, option: &dyn Fn(&str) -> Value) -> Result<MapOutput, String> {
    let gives = |dtype: DataType, fitted| Ok(MapOutput { dtype, nullable: false, fitted });
    match option("value") {
        Value::Word(word) => match (word.as_str(), &input.dtype) {
            ("mean", DataType::Int | DataType::Float) => gives(DataType::Float, true),
            ("median", DataType::Int | DataType::Float) => gives(DataType::Float, true),
            ("mode", dtype) if dtype.is_ordered() => gives(dtype.clone(), true),
            (word, dtype) => Err(format!("there is no {word} of {dtype}; `impute(mode)` takes any type")),
        },
        Value::Null => Err("null cannot stand for null".into()),
        value => match (&input.dtype, &value) {
            (DataType::Int, Value::Int(_))
            | (DataType::Bool, Value::Bool(_))
            | (DataType::String, Value::String(_))
            | (DataType::Category { levels: None }, Value::String(_))
            | (DataType::Date, Value::Date(_))
            | (DataType::Datetime, Value::Datetime(_))
            | (DataType::Float, Value::Int(_) | Value::Float(_)) => gives(input.dtype.clone(), false),
            (DataType::Int, Value::Float(_)) => gives(DataType::Float, false),
            (DataType::Category { levels: Some(levels) }, Value::String(text)) => {
                if levels.contains(text) {
                    gives(input.dtype.clone(), false)
                } else {
                    Err(format!("{text:?} is not a level of {}", input.dtype))
                }
            }
            (dtype, value) => Err(format!("{value} is no value of {dtype}")),
        },
    }
}
