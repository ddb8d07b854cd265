use dbjob_plan::{DataType, Value};

use super::{ANY, Body, Inverse, Map, MapInput, MapOutput, Options};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};
use crate::range::Range;

pub const MIN_COUNT: OptionSpec = OptionSpec {
    name: "min_count",
    ty: OptionType::Int { min: 1, max: 1_000_000_000 },
    default: Default::Int(1),
    doc: "Levels with fewer train rows are treated as unseen",
};

pub const ONE_HOT: Map = Map {
    name: "one_hot",
    options: &[MIN_COUNT],
    valid: ANY,
    body: Body::Own(output),
    inverse: Inverse::Exists("the level of the 1; null where there is none"),
    exactness: |_| Exactness::Exact,
    doc: "One vector column with a 1 at the value's level; a null or a level that the train rows do not have is all \
          zeros, and null after `unmap`.",
    example: "map country with one_hot(min_count = 20)",
};

fn output(input: &MapInput, option: Options<'_>) -> Result<MapOutput, String> {
    let all = option("min_count") == Value::Int(1);
    let gives =
        |width, fitted| Ok(MapOutput { dtype: DataType::Vector { width }, nullable: false, fitted, range: Range::ALL });
    match &input.dtype {
        DataType::Category { levels: Some(levels) } if all => gives(Some(levels.len()), false),
        DataType::Category { .. } | DataType::String => gives(None, true),
        dtype => Err(format!("it takes categories and strings, not {dtype}; `derive x = string(…)` makes one")),
    }
}
