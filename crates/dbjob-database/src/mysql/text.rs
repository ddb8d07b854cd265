//! Values as literals of SQL. The connection has escapes with `\` on, and utf8mb4.

use std::fmt::Write as _;

use dbjob_plan::{Decimal, Field, civil_date, civil_datetime};

use crate::Values;
use crate::chunk::Chunk;
use crate::json;
use crate::write::scale;

/// A row in parentheses.
///
/// Errors: the column that holds a value which MySQL has no place for, and what it is.
pub(super) fn row(chunk: &Chunk, fields: &[Field], row: usize, out: &mut String) -> Result<(), String> {
    for (i, (values, field)) in chunk.columns.iter().zip(fields).enumerate() {
        out.push(if i == 0 { '(' } else { ',' });
        literal(values, row, scale(&field.dtype), out)
            .map_err(|what| format!("column {:?} holds {what}, which MySQL lacks", field.name))?;
    }
    out.push(')');
    Ok(())
}

fn literal(values: &Values, row: usize, scale: u8, out: &mut String) -> Result<(), &'static str> {
    let done = match values {
        Values::Int(v) => v[row].map(|x| write!(out, "{x}")),
        Values::Float(v) => match v[row] {
            Some(x) if !x.is_finite() => return Err("NaN or an infinite number"),
            // With an exponent it is a double; without, a decimal.
            x => x.map(|x| write!(out, "{x:e}")),
        },
        Values::Decimal(v) => v[row].map(|unscaled| write!(out, "{}", Decimal { unscaled, scale })),
        Values::Bool(v) => v[row].map(|x| out.write_str(if x { "1" } else { "0" })),
        Values::Text(v) => v[row].as_ref().map(|text| {
            quoted(text, out);
            Ok(())
        }),
        Values::Date(v) => v[row].map(|days| write!(out, "'{}'", civil_date(days))),
        Values::Datetime(v) => v[row].map(|us| write!(out, "'{}'", civil_datetime(us).replace('T', " "))),
        Values::Duration(v) => v[row].map(|us| {
            let (sign, rest) = (if us < 0 { "-" } else { "" }, us.unsigned_abs());
            let seconds = rest / 1_000_000;
            let (h, min, s, us) = (seconds / 3600, seconds / 60 % 60, seconds % 60, rest % 1_000_000);
            write!(out, "'{sign}{h:02}:{min:02}:{s:02}.{us:06}'")
        }),
        Values::List(v) => match &v[row] {
            Some(items) => {
                quoted(&json::write(items).ok_or("a list with NaN or an infinite number")?, out);
                Some(Ok(()))
            }
            None => None,
        },
    };
    done.unwrap_or_else(|| out.write_str("NULL")).expect("a string takes everything");
    Ok(())
}

fn quoted(text: &str, out: &mut String) {
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            c => out.push(c),
        }
    }
    out.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_server_reads_them() {
        let mut text = String::new();
        quoted("a'b\\c\0", &mut text);
        assert_eq!(text, "'a''b\\\\c\\0'");
        let mut out = String::new();
        literal(&Values::Duration(vec![Some(-3_723_500_000)]), 0, 0, &mut out).unwrap();
        literal(&Values::Float(vec![Some(0.1)]), 0, 0, &mut out).unwrap();
        assert_eq!(out, "'-01:02:03.500000'1e-1");
        assert!(literal(&Values::Float(vec![Some(f64::NAN)]), 0, 0, &mut out).is_err());
    }
}
