use dbjob_plan::{DataType, Value};

use super::{ANY, Body, Inverse, Map, MapInput, MapOutput, Options};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};
use crate::range::Range;

pub const IMPUTE: Map = Map {
    name: "impute",
    options: &[OptionSpec {
        name: "value",
        ty: OptionType::WordOrLiteral(&["mean", "median", "mode"]),
        default: Default::Required,
        doc: "What stands for null: a statistic of the train part, or a value",
    }],
    valid: ANY,
    body: Body::Own(output),
    inverse: Inverse::None("a filled-in value looks like any other, so which rows were null is not known any more"),
    exactness: |option| match option("value") {
        Value::Word(word) if word == "mean" => Exactness::Approximate,
        _ => Exactness::Exact,
    },
    doc: "Puts a value where there is none. `mode` takes the least of the most frequent values.",
    example: "map age with impute(median)",
};

fn output(input: &MapInput, option: Options<'_>) -> Result<MapOutput, String> {
    let value = option("value");
    // A statistic lies among the values.
    let range = match &value {
        Value::Word(_) => input.range.averaged(),
        value => value.as_f64().map_or(Range::ALL, |x| input.range.or(Range::exactly(x))),
    };
    let gives = |dtype: DataType, fitted| Ok(MapOutput { dtype, nullable: false, fitted, range });
    match value {
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
