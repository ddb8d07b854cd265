use dbjob_plan::DataType;

use super::{ANY, Body, Inverse, Map, MapInput, MapOutput, Options, has_key_text};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};
use crate::range::Range;

pub const TARGET_ENCODE: Map = Map {
    name: "target_encode",
    options: &[
        OptionSpec {
            name: "target",
            ty: OptionType::Column,
            default: Default::Required,
            doc: "The number or bool whose mean stands for a level",
        },
        OptionSpec {
            name: "smoothing",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: false },
            default: Default::Float(10.0),
            doc: "How many rows of the mean of all are added to each level, so that rare levels are not taken at their word",
        },
        OptionSpec {
            name: "folds",
            ty: OptionType::Int { min: 2, max: 100 },
            default: Default::Int(5),
            doc: "How many parts the train rows are cut into",
        },
    ],
    valid: ANY,
    body: Body::Own(output),
    inverse: Inverse::None("levels of one mean look alike"),
    exactness: |_| Exactness::Approximate,
    doc: "The mean of the target over the train rows of the value's level, drawn to the mean of all. Out of fold: a train \
          row is encoded from the other folds only, so it does not see its own target; folds are cut by a hash of the \
          split's key. Other rows and requests are encoded from all train rows. A level that the train rows do not have \
          gets the mean of all; null stays null.",
    example: "map postcode with target_encode(returned)",
};

fn output(input: &MapInput, _: Options<'_>) -> Result<MapOutput, String> {
    has_key_text(input)?;
    let range = match input.target.as_deref() {
        Some(MapInput { dtype: DataType::Bool, .. }) => Range::from(0.0, 1.0),
        Some(MapInput { dtype: DataType::Int | DataType::Float, range, .. }) => {
            Range { above: false, below: false, ..*range }
        }
        Some(MapInput { dtype, .. }) => {
            return Err(format!("its target is {dtype}, and means are of numbers and bools"));
        }
        None => Range::ALL,
    };
    Ok(MapOutput { dtype: DataType::Float, nullable: input.nullable, fitted: true, range })
}
