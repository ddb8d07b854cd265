use dbjob_plan::RunError;
use polars::prelude::{self as pl, BooleanChunked, Column, Int64Chunked, IntoColumn, PolarsResult, StringChunked};

use super::Call;
use crate::udf::{fallible, map_n, map1};

pub(super) const NAMES: &[&str] = &[
    "length",
    "lower",
    "upper",
    "to_title",
    "trim",
    "ltrim",
    "rtrim",
    "starts_with",
    "ends_with",
    "contains",
    "position",
    "replace",
    "substring",
    "left",
    "right",
    "pad_left",
    "pad_right",
    "repeat",
    "reverse",
    "concat",
];

pub(super) fn lower(call: &Call<'_>) -> Result<Option<pl::Expr>, RunError> {
    if !call.args.first().is_some_and(|a| a.dtype.is_text() || a.dtype == dbjob_plan::DataType::Unknown) {
        return Ok(None);
    }
    let blanks = || pl::lit(pl::NULL).cast(pl::DataType::String);
    Ok(Some(match call.name {
        "length" => call.arg(0).str().len_chars().cast(pl::DataType::Int64),
        "lower" => call.arg(0).str().to_lowercase(),
        "upper" => call.arg(0).str().to_uppercase(),
        "to_title" => texts(call.arg(0), title),
        "trim" => call.arg(0).str().strip_chars(blanks()),
        "ltrim" => call.arg(0).str().strip_chars_start(blanks()),
        "rtrim" => call.arg(0).str().strip_chars_end(blanks()),
        "starts_with" => call.arg(0).str().starts_with(call.arg(1)),
        "ends_with" => call.arg(0).str().ends_with(call.arg(1)),
        "contains" => map_n(vec![call.arg(0), call.arg(1)], pl::DataType::Boolean, |c| {
            let out: BooleanChunked =
                c[0].str()?.iter().zip(c[1].str()?.iter()).map(|(s, part)| Some(s?.contains(part?))).collect();
            Ok(out.into_column())
        }),
        "position" => map_n(vec![call.arg(0), call.arg(1)], pl::DataType::Int64, |c| {
            let place = |s: &str, part: &str| s.find(part).map_or(0, |at| s[..at].chars().count() as i64 + 1);
            let out: Int64Chunked =
                c[0].str()?.iter().zip(c[1].str()?.iter()).map(|(s, part)| Some(place(s?, part?))).collect();
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
        "left" => counted(call, |s, n| s.chars().take(usize::try_from(n).unwrap_or(0)).collect()),
        "right" => counted(call, |s, n| {
            let drop = s.chars().count().saturating_sub(usize::try_from(n).unwrap_or(0));
            s.chars().skip(drop).collect()
        }),
        "pad_left" => pad(call, |s, filling| filling + s),
        "pad_right" => pad(call, |s, filling| s.to_owned() + &filling),
        "repeat" => repeat(call),
        "reverse" => texts(call.arg(0), |s| s.chars().rev().collect()),
        "concat" => pl::concat_str(&call.lowered, "", false),
        _ => return Ok(None),
    }))
}

/// `f` of every text.
fn texts(x: pl::Expr, f: fn(&str) -> String) -> pl::Expr {
    map1(x, pl::DataType::String, move |c| {
        let out: StringChunked = c.str()?.iter().map(|s| s.map(f)).collect();
        Ok(out.into_column())
    })
}

/// `f` of every text and the number beside it.
fn counted(call: &Call<'_>, f: fn(&str, i64) -> String) -> pl::Expr {
    map_n(vec![call.arg(0), call.arg(1)], pl::DataType::String, move |c| {
        let out: StringChunked = c[0].str()?.iter().zip(c[1].i64()?.iter()).map(|(s, n)| Some(f(s?, n?))).collect();
        Ok(out.into_column())
    })
}

/// A letter behind something that is none is large, the others are small.
fn title(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    let mut inside = false;
    for c in s.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || (inside && matches!(c, '\'' | '’'));
    }
    out
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

/// With what is missing to so many characters; the filling is repeated and cut.
fn pad(call: &Call<'_>, join: fn(&str, String) -> String) -> pl::Expr {
    let fill = call.lowered.get(2).cloned().unwrap_or_else(|| pl::lit(" "));
    map_n(vec![call.arg(0), call.arg(1), fill], pl::DataType::String, move |c| {
        let (width, fill) = (c[1].i64()?, c[2].str()?);
        let out: StringChunked = c[0]
            .str()?
            .iter()
            .zip(width.iter())
            .zip(fill.iter())
            .map(|((s, width), fill)| {
                let (s, width, fill) = (s?, usize::try_from(width?).unwrap_or(0), fill?);
                let missing = width.saturating_sub(s.chars().count());
                Some(join(s, fill.chars().cycle().take(missing).collect()))
            })
            .collect();
        Ok(out.into_column())
    })
}

/// A text of more than this many bytes was not meant.
const LONGEST: usize = 1 << 24;

fn repeat(call: &Call<'_>) -> pl::Expr {
    let reporter = call.scope.reporter();
    fallible(vec![call.scope.guard(call.arg(0)), call.arg(1)], pl::DataType::String, move |c| {
        let mut out = Vec::with_capacity(c[0].len());
        for (s, n) in c[0].str()?.iter().zip(c[1].i64()?.iter()) {
            let (Some(s), Some(n)) = (s, n) else {
                out.push(None);
                continue;
            };
            let n = usize::try_from(n).unwrap_or(0);
            if s.len().saturating_mul(n) > LONGEST {
                let message = format!("repeat({s:?}, {n}) is a text of more than {LONGEST} bytes");
                return Err(reporter.fail("E0709", message, Some(n.to_string())));
            }
            out.push(Some(s.repeat(n)));
        }
        Ok(StringChunked::from_iter(out).into_column())
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn titles() {
        assert_eq!(super::title("new yORK o'neill straße-5a"), "New York O'neill Straße-5a");
    }
}
