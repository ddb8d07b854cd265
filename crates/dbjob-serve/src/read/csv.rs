//! Rows as CSV with a header: empty cells, and the texts that mean null in the dataset's own file, are null.

use dbjob_plan::{DataType, Decimal, Value, parse};

use super::frame::places;
use super::{Filler, Rows, duration};
use crate::Values;
use crate::problem::{Problem, Wrong};
use crate::shape::{Rule, Shape, shown};

/// Errors: the body is no CSV, its header has not the fields, or it has too many rows.
pub fn rows(body: &[u8], shape: &Shape, nulls: &[String], limit: usize) -> Result<Rows, Problem> {
    let no_csv = |e: &dyn std::fmt::Display| Problem::bad_request(format!("the body is not CSV: {e}"));
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(body);
    let header = reader.headers().map_err(|e| no_csv(&e))?.clone();
    let names: Vec<&str> = header.iter().collect();
    let places = places(&names, shape)?;
    let mut filler = Filler::new(shape, limit);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| no_csv(&e))? {
        if record.len() > places.len() {
            let more = record.len() - places.len();
            filler.tell(|| Wrong::new(None, format!("has {more} values more than there are columns")));
        }
        for (at, text) in places.iter().zip(record.iter()) {
            let rule = &shape.fields[*at];
            filler.seen[*at] = true;
            let null = text.is_empty() || nulls.iter().any(|n| n == text);
            if let Err(why) = cell(rule, &mut filler.rows.good.columns[*at], (!null).then_some(text)) {
                filler.tell(|| rule.wrong(why));
            }
        }
        if filler.finish().is_err() {
            break;
        }
    }
    filler.done()
}

fn cell(rule: &Rule, values: &mut Values, text: Option<&str>) -> Result<(), String> {
    let Some(text) = text else {
        rule.null()?;
        values.push_null();
        return Ok(());
    };
    let no = || format!("is {}, not {}", shown(text), rule.expected());
    match values {
        Values::Bool(v) => {
            let b = parse::bool(text).ok_or_else(no)?;
            rule.value(&Value::Bool(b))?;
            v.push(Some(b));
        }
        Values::Int(v) => {
            let x = parse::int(text).ok_or_else(no)?;
            rule.int(x)?;
            v.push(Some(x));
        }
        Values::Float(v) => {
            let x = parse::float(text).filter(|x| x.is_finite()).ok_or_else(no)?;
            rule.float(x)?;
            v.push(Some(x));
        }
        Values::Decimal(v) => {
            let DataType::Decimal { precision, scale } = rule.field.dtype else { return Err(no()) };
            let d: Decimal = parse::decimal(text, precision, scale).ok_or_else(no)?;
            rule.value(&Value::Decimal(d))?;
            v.push(Some(d.unscaled));
        }
        Values::Text(v) => {
            rule.text(text)?;
            v.push(Some(text.to_owned()));
        }
        Values::Date(v) => {
            let d = parse::date(text).ok_or_else(no)?;
            rule.value(&Value::Date(d))?;
            v.push(Some(d));
        }
        Values::Datetime(v) => {
            let us = parse::datetime(text).ok_or_else(no)?;
            rule.value(&Value::Datetime(us))?;
            v.push(Some(us));
        }
        Values::Duration(v) => {
            let us = duration::read(text).ok_or_else(no)?;
            rule.value(&Value::Duration(us))?;
            v.push(Some(us));
        }
        Values::List(_) => return Err("is a list, which CSV cannot hold".to_owned()),
    }
    Ok(())
}
