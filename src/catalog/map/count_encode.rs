use dbjob_plan::DataType;

use super::{ANY, Body, Inverse, Map, MapOutput, has_key_text};
use crate::catalog::Exactness;
use crate::range::Range;

pub const COUNT_ENCODE: Map = Map {
    name: "count_encode",
    options: &[],
    valid: ANY,
    body: Body::Own(|input, _| {
        has_key_text(input)?;
        Ok(MapOutput { dtype: DataType::Int, nullable: input.nullable, fitted: true, range: Range::NON_NEGATIVE })
    }),
    inverse: Inverse::None("levels of one frequency look alike"),
    exactness: |_| Exactness::Exact,
    doc: "How many train rows have the value; 0 for one that they do not have. Null stays null.",
    example: "map postcode with count_encode",
};
