//! The request of the Open Inference Protocol v2: a tensor of one column for each field.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;

use dbjob_plan::DataType;

use super::cell::Cell;
use super::frame::places;
use super::{Filler, Rows, not_json, too_many};
use crate::problem::Problem;
use crate::shape::Shape;

#[derive(Deserialize)]
pub struct Request<'a> {
    pub id: Option<String>,
    #[serde(borrow)]
    pub inputs: Vec<Tensor<'a>>,
    #[serde(default)]
    pub outputs: Vec<Wanted>,
}

#[derive(Deserialize)]
pub struct Tensor<'a> {
    pub name: String,
    pub shape: Vec<u64>,
    pub datatype: String,
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub struct Wanted {
    pub name: String,
}

/// The datatype of a field's tensor.
pub fn datatype(dtype: &DataType) -> &'static str {
    match dtype {
        DataType::Int => "INT64",
        DataType::Float | DataType::Vector { .. } => "FP64",
        DataType::Bool => "BOOL",
        // A list of anything goes as JSON text.
        _ => "BYTES",
    }
}

/// Whether a tensor of this datatype may be sent for a field.
fn fits(dtype: &DataType, sent: &str) -> bool {
    let int = ["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"].contains(&sent);
    match datatype(dtype) {
        "INT64" => int,
        "FP64" => int || ["FP16", "FP32", "FP64"].contains(&sent),
        own => own == sent,
    }
}

/// Errors: the body is not JSON or not of the protocol.
pub fn request(body: &[u8]) -> Result<Request<'_>, Problem> {
    serde_json::from_slice(body).map_err(|e| match not_json(&e) {
        problem if e.is_data() => Problem { detail: format!("no inference request: {e}"), ..problem },
        problem => problem,
    })
}

/// Errors: tensors that are not those of the model's fields, or not of one length.
pub fn rows(request: &Request<'_>, shape: &Shape, limit: usize) -> Result<Rows, Problem> {
    let names: Vec<&str> = request.inputs.iter().map(|t| t.name.as_str()).collect();
    let places = places(&names, shape)?;
    let count = request.inputs.first().and_then(|t| t.shape.first()).copied().unwrap_or(0);
    if count > limit as u64 {
        return Err(too_many(limit));
    }
    let count = count as usize;
    let mut all: Vec<Vec<Cow<'_, str>>> = Vec::new();
    for (tensor, at) in request.inputs.iter().zip(&places) {
        all.push(cells(tensor, &shape.fields[*at].field.dtype, count)?);
    }
    let mut filler = Filler::new(shape, limit);
    for row in 0..count {
        for ((at, column), tensor) in places.iter().zip(&all).zip(&request.inputs) {
            let rule = &shape.fields[*at];
            filler.seen[*at] = true;
            let cell = Cell { rule, values: &mut filler.rows.good.columns[*at] };
            let read = cell.deserialize(&mut serde_json::Deserializer::from_str(&column[row]));
            let read = read.map_err(|e| Problem::unprocessable(format!("`{}`: {e}", tensor.name)))?;
            if let Err(why) = read {
                filler.tell(|| rule.wrong(why));
            }
        }
        if filler.finish().is_err() {
            break;
        }
    }
    filler.done()
}

/// The JSON of each row's value.
fn cells<'a>(tensor: &Tensor<'a>, dtype: &DataType, count: usize) -> Result<Vec<Cow<'a, str>>, Problem> {
    let wrong = |why: String| Problem::unprocessable(format!("input `{}` {why}", tensor.name));
    if !fits(dtype, &tensor.datatype) {
        return Err(wrong(format!("is {}, not {}", tensor.datatype, datatype(dtype))));
    }
    let data = tensor.data.ok_or_else(|| wrong("has no `data`: tensors are sent as JSON".into()))?;
    let nested = matches!(dtype, DataType::Vector { .. });
    let shape_fits = match (&tensor.shape[..], nested) {
        ([n], false) | ([n, 1], false) | ([n, _], true) => *n == count as u64,
        _ => false,
    };
    if !shape_fits {
        let width = if nested { ", WIDTH" } else { "" };
        return Err(wrong(format!("has the shape {:?}, not [{count}{width}]", tensor.shape)));
    }
    let list = |json: &'a RawValue| -> Result<Vec<&'a RawValue>, Problem> {
        serde_json::from_str(json.get()).map_err(|e| wrong(format!("has `data` that is no list: {e}")))
    };
    let mut cells = list(data)?;
    if cells.len() == count && tensor.shape.len() == 2 && !nested && cells.iter().all(|c| c.get().starts_with('[')) {
        // [n, 1] as it looks, with a list a row.
        cells = cells.into_iter().map(list).collect::<Result<Vec<_>, _>>()?.concat();
    }
    if nested && cells.len() != count {
        // [n, width] flat, as clients with arrays send it.
        let width = usize::try_from(tensor.shape[1]).unwrap_or(usize::MAX);
        if width > 0 && Some(cells.len()) == count.checked_mul(width) {
            let row = |row: &[&RawValue]| format!("[{}]", row.iter().map(|c| c.get()).collect::<Vec<_>>().join(","));
            return Ok(cells.chunks(width).map(|cells| row(cells).into()).collect());
        }
    }
    if cells.len() == count {
        return Ok(cells.into_iter().map(|c| c.get().into()).collect());
    }
    Err(wrong(format!("has {} values in `data` where its shape says {:?}", cells.len(), tensor.shape)))
}
