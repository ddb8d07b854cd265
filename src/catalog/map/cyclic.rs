use dbjob_plan::DataType;

use super::{ANY, Body, Inverse, Map, MapInput, MapOutput, Options, not_a_number};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};
use crate::range::Range;

pub const CYCLIC: Map = Map {
    name: "cyclic",
    options: &[OptionSpec {
        name: "period",
        ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: true },
        default: Default::Required,
        doc: "After how much the values begin again",
    }],
    valid: ANY,
    body: Body::Own(output),
    inverse: Inverse::Exists("the angle of the point: the value modulo the period, from 0 on"),
    exactness: |_| Exactness::Approximate,
    doc: "The sine and cosine of 2π x / period: one vector in which the last hour of a day lies beside the first.",
    example: "map hour with cyclic(24)",
};

fn output(input: &MapInput, _: Options<'_>) -> Result<MapOutput, String> {
    if !input.dtype.is_numeric() {
        return Err(not_a_number(&input.dtype));
    }
    let dtype = DataType::Vector { width: Some(2) };
    Ok(MapOutput { dtype, nullable: input.nullable, fitted: false, range: Range::ALL })
}
