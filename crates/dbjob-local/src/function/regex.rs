//! Regular expressions of the `regex` crate's syntax. The checker has compiled them.

use dbjob_plan::RunError;
use polars::prelude::{self as pl, BooleanChunked, Int64Chunked, IntoColumn, StringChunked};
use regex::Regex;

use super::Call;
use crate::udf::map1;

pub(super) const NAMES: &[&str] = &["matches", "extract", "count_matches", "replace_regex"];

pub(super) fn lower(call: &Call<'_>) -> Result<Option<pl::Expr>, RunError> {
    if !NAMES.contains(&call.name) {
        return Ok(None);
    }
    let pattern = call.text(1).unwrap_or_default();
    let regex = Regex::new(pattern).map_err(|e| {
        RunError::new("E0710", format!("{pattern:?} is not a regular expression: {e}")).or_span(call.whole.span)
    })?;
    let x = call.arg(0);
    Ok(Some(match call.name {
        "matches" => map1(x, pl::DataType::Boolean, move |c| {
            let out: BooleanChunked = c.str()?.iter().map(|s| s.map(|s| regex.is_match(s))).collect();
            Ok(out.into_column())
        }),
        "count_matches" => map1(x, pl::DataType::Int64, move |c| {
            let out: Int64Chunked = c.str()?.iter().map(|s| s.map(|s| regex.find_iter(s).count() as i64)).collect();
            Ok(out.into_column())
        }),
        "replace_regex" => {
            let to = call.text(2).unwrap_or_default().to_owned();
            map1(x, pl::DataType::String, move |c| {
                let out: StringChunked =
                    c.str()?.iter().map(|s| s.map(|s| regex.replace_all(s, to.as_str()).into_owned())).collect();
                Ok(out.into_column())
            })
        }
        _ => {
            let first = usize::from(regex.captures_len() > 1);
            let group = call.args.get(2).map_or(first, |_| usize::try_from(call.int(2)).unwrap_or(usize::MAX));
            map1(x, pl::DataType::String, move |c| {
                let part = |s: &str| regex.captures(s).and_then(|m| m.get(group).map(|g| g.as_str().to_owned()));
                let out: StringChunked = c.str()?.iter().map(|s| s.and_then(part)).collect();
                Ok(out.into_column())
            })
        }
    }))
}
