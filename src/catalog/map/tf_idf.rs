use dbjob_plan::DataType;

use super::{ANY, Body, Inverse, Map, MapOutput};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};
use crate::range::Range;

pub const TF_IDF: Map = Map {
    name: "tf_idf",
    options: &[
        OptionSpec {
            name: "max_terms",
            ty: OptionType::Int { min: 1, max: 100_000 },
            default: Default::Int(200),
            doc: "The most frequent terms that are kept",
        },
        OptionSpec {
            name: "min_count",
            ty: OptionType::Int { min: 1, max: 1_000_000_000 },
            default: Default::Int(1),
            doc: "Terms of fewer train rows are left out",
        },
    ],
    valid: ANY,
    body: Body::Own(|input, _| match &input.dtype {
        DataType::String | DataType::Category { .. } => {
            Ok(MapOutput { dtype: DataType::Vector { width: None }, nullable: false, fitted: true, range: Range::ALL })
        }
        dtype => Err(format!("it takes texts, not {dtype}")),
    }),
    inverse: Inverse::None("the order of the words is lost"),
    exactness: |_| Exactness::Approximate,
    doc: "One vector with a place for each term of the train part: how often the text has it, times ln((1 + n) / (1 + the \
          rows that have it)) + 1, scaled to length 1 (as scikit-learn's TfidfVectorizer). Terms are words of at least two \
          letters, digits or `_`, in lower case, sorted by code point. A null is all zeros.",
    example: "map review with tf_idf(max_terms = 500)",
};
