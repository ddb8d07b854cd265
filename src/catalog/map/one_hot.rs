use dbjob_plan::{DataType, Value};

use super::{Inverse, Map, MapInput, MapOutput};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const MIN_COUNT: OptionSpec = OptionSpec {
    name: "min_count",
    ty: OptionType::Int { min: 1, max: 1_000_000_000 },
    default: Default::Int(1),
    doc: "Levels with fewer train rows are treated as unseen",
};

pub const ONE_HOT: Map = Map {
    name: "one_hot",
    options: &[MIN_COUNT],
    output,
    inverse: Inverse::Exists("the level of the 1; null where there is none"),
    exactness: |_| Exactness::Exact,
    doc: "One vector column with a 1 at the value's level; a null or unseen level is all zeros.",
    example: "map country with one_hot(min_count = 20)",
};

fn output(input: &MapInput, option: &dyn Fn(&str) -> Value) -> Result<MapOutput, String> {
    let fixed = option("min_count") == Value::Int(1);
    match &input.dtype {
        DataType::Category { levels: Some(levels) } if fixed => {
            Ok(MapOutput { dtype: DataType::Vector { width: Some(levels.len()) }, nullable: false, fitted: false })
        }
        DataType::Category { .. } | DataType::String => {
            Ok(MapOutput { dtype: DataType::Vector { width: None }, nullable: false, fitted: true })
        }
        dtype => Err(format!("it takes categories and strings, not {dtype}; `derive x = string(…)` makes one")),
    }
}
