use dbjob_plan::{DataType, Value};

use super::{Body, Inverse, Map, MapInput, MapOutput, Options, not_a_number};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const CLIP: Map = Map {
    name: "clip",
    options: &[
        OptionSpec { name: "low", ty: OptionType::Number, default: Default::Required, doc: "The least value" },
        OptionSpec { name: "high", ty: OptionType::Number, default: Default::Required, doc: "The greatest value" },
    ],
    valid: |option| {
        let (low, high) = bounds(option);
        if low <= high { Ok(()) } else { Err(format!("{low} to {high} holds no value")) }
    },
    body: Body::Own(output),
    inverse: Inverse::None("how far beyond the bound a value was is lost"),
    exactness: |_| Exactness::Exact,
    doc: "x, but not below low and not above high. An int stays one if both are ints.",
    example: "map age with clip(18, 99)",
};

fn bounds(option: Options<'_>) -> (f64, f64) {
    let end = |name| option(name).as_f64().unwrap_or(f64::NAN);
    (end("low"), end("high"))
}

fn output(input: &MapInput, option: Options<'_>) -> Result<MapOutput, String> {
    if !input.dtype.is_numeric() {
        return Err(not_a_number(&input.dtype));
    }
    let ints = matches!((option("low"), option("high")), (Value::Int(_), Value::Int(_)));
    let dtype = if ints && input.dtype == DataType::Int { DataType::Int } else { DataType::Float };
    let (low, high) = bounds(option);
    let range = input.range.stepping(|x| x.clamp(low, high));
    Ok(MapOutput { dtype, nullable: input.nullable, fitted: false, range })
}
