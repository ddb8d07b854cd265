use dbjob_plan::RunError;
use polars::prelude::{self as pl, BooleanChunked, Column, IntoColumn, PolarsResult, StringChunked};
use regex::Regex;

use super::Call;
use crate::udf::map_n;

pub(super) const NAMES: &[&str] = &[
    "length",
    "lower",
    "upper",
    "trim",
    "starts_with",
    "ends_with",
    "contains",
    "replace",
    "substring",
    "concat",
    "matches",
];

pub(super) fn lower(call: &Call<'_>) -> Result<Option<pl::Expr>, RunError> {
    Ok(Some(match call.name {
        "length" => call.arg(0).str().len_chars().cast(pl::DataType::Int64),
        "lower" => call.arg(0).str().to_lowercase(),
        "upper" => call.arg(0).str().to_uppercase(),
        "trim" => call.arg(0).str().strip_chars(pl::lit(pl::NULL).cast(pl::DataType::String)),
        "starts_with" => call.arg(0).str().starts_with(call.arg(1)),
        "ends_with" => call.arg(0).str().ends_with(call.arg(1)),
        "contains" => map_n(vec![call.arg(0), call.arg(1)], pl::DataType::Boolean, |c| {
            let out: BooleanChunked =
                c[0].str()?.iter().zip(c[1].str()?.iter()).map(|(s, part)| Some(s?.contains(part?))).collect();
            Ok(out.into_column())
        }),
        "replace" => map_n(call.lowered.clone(), pl::DataType::String, |c| {
            let (s, from, to) = (c[0].str()?, c[1].str()?, c[2].str()?);
            let out: StringChunked = s
                .iter()
                .zip(from.iter())
                .zip(to.iter())
                .map(|((s, from), to)| {
                    let (s, from, to) = (s?, from?, to?);
                    Some(if from.is_empty() { s.to_string() } else { s.replace(from, to) })
                })
                .collect();
            Ok(out.into_column())
        }),
        "substring" => map_n(call.lowered.clone(), pl::DataType::String, substring),
        "concat" => pl::concat_str(&call.lowered, "", false),
        "matches" => matches(call)?,
        _ => return Ok(None),
    }))
}

/// As in SQL: positions count from 1 in characters, and those before the first take from the length.
fn substring(c: &[Column]) -> PolarsResult<Column> {
    let length = c.get(2).map(Column::i64).transpose()?;
    let out: StringChunked = c[0]
        .str()?
        .iter()
        .zip(c[1].i64()?.iter())
        .enumerate()
        .map(|(i, (s, start))| {
            let (s, start) = (s?, start?);
            let end = match length {
                Some(length) => start.saturating_add(length.get(i)?),
                None => i64::MAX,
            };
            let from = start.max(1) - 1;
            let count = end.saturating_sub(1).saturating_sub(from).max(0);
            Some(s.chars().skip(from as usize).take(count as usize).collect::<String>())
        })
        .collect();
    Ok(out.into_column())
}

/// A regular expression of the `regex` crate's syntax, anywhere in the text.
fn matches(call: &Call<'_>) -> Result<pl::Expr, RunError> {
    let compile =
        |pattern: &str| Regex::new(pattern).map_err(|e| format!("{pattern:?} is not a regular expression: {e}"));
    let constant = match call.text(1) {
        Some(pattern) => {
            Some(compile(pattern).map_err(|message| RunError::new("E0710", message).or_span(call.whole.span))?)
        }
        None => None,
    };
    let reporter = call.scope.reporter();
    Ok(map_n(vec![call.arg(0), call.arg(1)], pl::DataType::Boolean, move |c| {
        let texts = c[0].str()?;
        if let Some(regex) = &constant {
            let out: BooleanChunked = texts.iter().map(|s| s.map(|s| regex.is_match(s))).collect();
            return Ok(out.into_column());
        }
        let mut last: Option<(String, Regex)> = None;
        let mut out = Vec::with_capacity(texts.len());
        for (s, pattern) in texts.iter().zip(c[1].str()?.iter()) {
            let (Some(s), Some(pattern)) = (s, pattern) else {
                out.push(None);
                continue;
            };
            if last.as_ref().is_none_or(|(text, _)| text != pattern) {
                let regex =
                    compile(pattern).map_err(|message| reporter.fail("E0710", message, Some(pattern.to_string())))?;
                last = Some((pattern.to_string(), regex));
            }
            out.push(last.as_ref().map(|(_, regex)| regex.is_match(s)));
        }
        Ok(BooleanChunked::from_iter(out).into_column())
    }))
}
