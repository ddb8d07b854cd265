use dbjob_plan::DataType;

use super::{ANY, Body, Inverse, Map, MapOutput, has_key_text};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};
use crate::range::Range;

pub const HASH_BUCKET: Map = Map {
    name: "hash_bucket",
    options: &[OptionSpec {
        name: "n",
        ty: OptionType::Int { min: 2, max: 1_000_000_000 },
        default: Default::Required,
        doc: "The number of buckets",
    }],
    valid: ANY,
    body: Body::Own(|input, option| {
        has_key_text(input)?;
        let last = option("n").as_f64().unwrap_or(f64::INFINITY) - 1.0;
        let range = Range::from(0.0, last);
        Ok(MapOutput { dtype: DataType::Int, nullable: input.nullable, fitted: false, range })
    }),
    inverse: Inverse::None("several values share a bucket"),
    exactness: |_| Exactness::Exact,
    doc: "XXH64 (seed 42) of the value's text, modulo n: a number from 0 to n - 1 that needs no list of levels. The texts \
          are those of `split`.",
    example: "map user_agent with hash_bucket(256)",
};
