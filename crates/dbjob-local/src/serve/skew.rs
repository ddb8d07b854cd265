//! Before a package is deployed a server answers from it, in this process: what it says of rows must be what the run says of
//! them, to the last bit.

use std::sync::Arc;

use dbjob_plan::{DataLocation, DataType, Field, Predictor, RunError};
use dbjob_serve::{Fixed, Options, Values, json, predict_path};
use polars::prelude::DataFrame;
use serde_json::{Map, Value as Json};

use super::Served;
use crate::chunks::values;
use crate::fault::engine_error;
use crate::package::Package;

/// Sends rows to a server over HTTP and compares its answers with those that are expected.
///
/// Errors: E0772 naming the row and the column that differ, with both values.
pub(crate) fn replay(package: Package, rows: &DataFrame, expected: &DataFrame) -> Result<(), RunError> {
    let model = package.manifest().model.clone();
    let served = Served::new(package)?;
    let (fields, predictions) = (served.fields.clone(), served.predictions.clone());
    let (sent, answers) = (Table::of(rows, &fields)?, Table::of(expected, &predictions)?);
    // JSON has no infinite numbers, and none that is not a number.
    let asked: Vec<usize> = (0..rows.height()).filter(|row| sent.is_finite(*row)).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let body = Json::Array(asked.iter().map(|row| sent.row(*row)).collect());
    let failed = |why: String| RunError::new("E0772", format!("the server of `{model}` does not answer: {why}"));
    let server = dbjob_serve::start(Arc::new(Fixed(vec![Arc::new(served)])), Options::loopback()).map_err(failed)?;
    let url = format!("http://{}{}", server.address(), predict_path(&model));
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
    let answer = agent.post(url).header("Content-Type", "application/json").send(body.to_string());
    let mut answer = answer.map_err(|e| failed(e.to_string()))?;
    let text = answer.body_mut().with_config().limit(256 << 20).read_to_string().map_err(|e| failed(e.to_string()))?;
    server.stop();
    let got: Json = serde_json::from_str(&text).map_err(|e| failed(e.to_string()))?;
    let Json::Array(got) = got else { return Err(failed(text)) };
    if got.len() != asked.len() {
        return Err(failed(format!("{} answers to {} rows", got.len(), asked.len())));
    }
    asked.iter().zip(&got).try_for_each(|(row, got)| compare(&model, *row, &answers.row(*row), got))
}

fn compare(model: &str, row: usize, expected: &Json, got: &Json) -> Result<(), RunError> {
    let number = row as u64 + 1;
    let differs = |column: Option<&str>, message: String, value: String| {
        let column = column.map(str::to_owned);
        RunError::new("E0772", message)
            .help("nothing was deployed. This is a bug in dbjob, or the package was changed while it was written")
            .data(DataLocation { row: Some(number), column, value: Some(value), ..DataLocation::default() })
    };
    let whole = got.as_object().filter(|got| !got.contains_key("status") || expected.get("status").is_some());
    let Some(whole) = whole else {
        let message =
            format!("`{model}` answers otherwise when it is served: it refuses row {number} of those held out");
        return Err(differs(None, message, got.to_string()));
    };
    for (column, run) in expected.as_object().into_iter().flatten() {
        let served = whole.get(column).unwrap_or(&Json::Null);
        if !same(run, served) {
            let message = format!(
                "`{model}` answers otherwise when it is served: `{column}` of row {number} of those held out is {served}, \
                 and {run} in the run"
            );
            return Err(differs(Some(column), message, served.to_string()));
        }
    }
    Ok(())
}

/// To the last bit: 0.0 and -0.0 are not the same.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(x), Json::Number(y)) if x.is_f64() || y.is_f64() => {
            x.as_f64().map(f64::to_bits) == y.as_f64().map(f64::to_bits)
        }
        _ => a == b,
    }
}

/// Columns with the scale of decimals.
struct Table<'a> {
    columns: Vec<(&'a Field, Values, u8)>,
}

impl<'a> Table<'a> {
    fn of(table: &DataFrame, fields: &'a [Field]) -> Result<Self, RunError> {
        let column = |field: &'a Field| {
            let column = table.column(&field.name).map_err(engine_error)?;
            let scale = if let DataType::Decimal { scale, .. } = field.dtype { scale } else { 0 };
            Ok((field, values(column, &field.dtype).map_err(engine_error)?, scale))
        };
        Ok(Self { columns: fields.iter().map(column).collect::<Result<_, RunError>>()? })
    }

    fn row(&self, row: usize) -> Json {
        let cell = |(field, values, scale): &(&Field, Values, u8)| (field.name.clone(), json(values, row, *scale));
        Json::Object(self.columns.iter().map(cell).collect::<Map<_, _>>())
    }

    fn is_finite(&self, row: usize) -> bool {
        self.columns.iter().all(|(_, values, _)| match values {
            Values::Float(v) => v[row].is_none_or(f64::is_finite),
            _ => true,
        })
    }
}
