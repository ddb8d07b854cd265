use dbjob_plan::{DataType, Value};

use super::{ANY, Body, Inverse, Map, MapInput, MapOutput, Options};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};
use crate::range::Range;

pub const PCA: Map = Map {
    name: "pca",
    options: &[OptionSpec {
        name: "n",
        ty: OptionType::Int { min: 1, max: 1_000 },
        default: Default::Required,
        doc: "The number of components that are kept",
    }],
    valid: ANY,
    body: Body::Several(output),
    inverse: Inverse::None("what the components that are left out held is lost"),
    exactness: |_| Exactness::Approximate,
    doc: "The n directions in which the columns vary most over the train part, as one vector: centred, not scaled, each \
          direction with its largest weight positive. A null in one of the columns gives null.",
    example: "map [height, width, depth] with pca(2) as size",
};

fn output(inputs: &[MapInput], option: Options<'_>) -> Result<MapOutput, String> {
    let mut width = Some(0);
    for input in inputs {
        width = match &input.dtype {
            DataType::Vector { width: own } => width.zip(*own).map(|(a, b)| a + b),
            dtype if dtype.is_numeric() => width.map(|w| w + 1),
            dtype => return Err(format!("it takes numbers and vectors, not {dtype}")),
        };
    }
    let n = match option("n") {
        Value::Int(n) => n as usize,
        _ => 1,
    };
    if let Some(width) = width.filter(|width| *width < n) {
        return Err(format!("{width} columns have no {n} components"));
    }
    let nullable = inputs.iter().any(|i| i.nullable);
    Ok(MapOutput { dtype: DataType::Vector { width: Some(n) }, nullable, fitted: true, range: Range::ALL })
}
