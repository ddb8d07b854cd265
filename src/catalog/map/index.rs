use dbjob_plan::{DataType, Value};

use super::one_hot::MIN_COUNT;
use super::{Inverse, Map, MapInput, MapOutput};
use crate::catalog::Exactness;

pub const INDEX: Map = Map {
    name: "index",
    options: &[MIN_COUNT],
    output,
    inverse: Inverse::Exists("the level at the position; null for -1"),
    exactness: |_| Exactness::Exact,
    doc: "The 0-based position of the value's level: declared order, or sorted by code point; an unseen level is -1, null stays null.",
    example: "map plan with index",
};

fn output(input: &MapInput, option: &dyn Fn(&str) -> Value) -> Result<MapOutput, String> {
    let fixed = option("min_count") == Value::Int(1);
    match &input.dtype {
        DataType::Category { levels } => {
            Ok(MapOutput { dtype: DataType::Int, nullable: input.nullable, fitted: !(fixed && levels.is_some()) })
        }
        DataType::String => Ok(MapOutput { dtype: DataType::Int, nullable: input.nullable, fitted: true }),
        dtype => Err(format!("it takes categories and strings, not {dtype}; `derive x = string(…)` makes one")),
    }
}
