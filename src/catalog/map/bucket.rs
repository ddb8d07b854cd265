use dbjob_plan::{DataType, Value};

use super::{Body, Inverse, Map, MapInput, MapOutput, Options, not_a_number};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};
use crate::range::Range;

pub const BUCKET: Map = Map {
    name: "bucket",
    options: &[
        OptionSpec {
            name: "edges",
            ty: OptionType::Numbers,
            default: Default::Null,
            doc: "Where a new bucket begins, ascending",
        },
        OptionSpec {
            name: "quantiles",
            ty: OptionType::Int { min: 2, max: 1_000 },
            default: Default::Null,
            doc: "The number of buckets of about as many train rows each, instead of edges",
        },
    ],
    valid,
    body: Body::Own(output),
    inverse: Inverse::None("where in its bucket a value was is lost"),
    exactness: |_| Exactness::Exact,
    doc: "The number of edges that are not above x: 0 below the first, and x at an edge belongs to the bucket above it. \
          With `quantiles` the edges are those of the train part; equal ones count once.",
    example: "map age with bucket([18, 30, 65])",
};

fn edges(option: Options<'_>) -> Option<Vec<f64>> {
    match option("edges") {
        Value::List(items) => Some(items.iter().filter_map(Value::as_f64).collect()),
        _ => None,
    }
}

fn valid(option: Options<'_>) -> Result<(), String> {
    match (edges(option), option("quantiles")) {
        (None, Value::Null) => {
            Err("it needs edges, or a number of quantiles: `bucket([18, 65])`, `bucket(quantiles = 10)`".into())
        }
        (Some(_), quantiles) if quantiles != Value::Null => Err("edges and quantiles are two ways; give one".into()),
        (Some(edges), _) if edges.is_empty() => Err("without an edge there is one bucket only".into()),
        (Some(edges), _) => match edges.windows(2).find(|pair| pair[0] >= pair[1]) {
            Some(pair) => Err(format!("edges ascend, and {} stands before {}", pair[0], pair[1])),
            None => Ok(()),
        },
        (None, _) => Ok(()),
    }
}

fn output(input: &MapInput, option: Options<'_>) -> Result<MapOutput, String> {
    if !input.dtype.is_numeric() {
        return Err(not_a_number(&input.dtype));
    }
    let edges = edges(option);
    let last = match (&edges, option("quantiles")) {
        (Some(edges), _) => edges.len() as f64,
        (None, Value::Int(n)) => n as f64 - 1.0,
        _ => f64::INFINITY,
    };
    let range = Range::from(0.0, last);
    Ok(MapOutput { dtype: DataType::Int, nullable: input.nullable, fitted: edges.is_none(), range })
}
