use dbjob_plan::{DataType, Value};

use super::one_hot::MIN_COUNT;
use super::{ANY, Body, Inverse, Map, MapInput, MapOutput, Options};
use crate::catalog::Exactness;
use crate::range::Range;

pub const INDEX: Map = Map {
    name: "index",
    options: &[MIN_COUNT],
    valid: ANY,
    body: Body::Own(output),
    inverse: Inverse::Exists("the level at the position; null for -1"),
    exactness: |_| Exactness::Exact,
    doc: "The 0-based position of the value's level: declared order, or sorted by code point. A level that the train \
          rows do not have is -1, and null after `unmap`; null stays null.",
    example: "map plan with index",
};

fn output(input: &MapInput, option: Options<'_>) -> Result<MapOutput, String> {
    let all = option("min_count") == Value::Int(1);
    let gives = |fitted, range| Ok(MapOutput { dtype: DataType::Int, nullable: input.nullable, fitted, range });
    match &input.dtype {
        DataType::Category { levels: Some(levels) } if all => gives(false, Range::from(0.0, levels.len() as f64 - 1.0)),
        DataType::Category { .. } | DataType::String => gives(true, Range::from(-1.0, f64::INFINITY)),
        dtype => Err(format!("it takes categories and strings, not {dtype}; `derive x = string(…)` makes one")),
    }
}
