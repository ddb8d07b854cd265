//! Values in the text form of COPY. The server reads them as the column's own type.

use std::fmt::Write as _;

use dbjob_plan::{Decimal, Value, civil_from_days};

use crate::Values;
use crate::chunk::Chunk;
use crate::write::scale;
use dbjob_plan::Field;

const DAY: i64 = 86_400_000_000;

/// The rows of a chunk, a line each.
pub(super) fn lines(chunk: &Chunk, fields: &[Field], out: &mut String) {
    for row in 0..chunk.rows {
        for (i, (values, field)) in chunk.columns.iter().zip(fields).enumerate() {
            if i > 0 {
                out.push('\t');
            }
            cell(values, row, scale(&field.dtype), out);
        }
        out.push('\n');
    }
}

fn cell(values: &Values, row: usize, scale: u8, out: &mut String) {
    let done = match values {
        Values::Int(v) => v[row].map(|x| write!(out, "{x}")),
        Values::Float(v) => v[row].map(|x| out.write_str(&float(x))),
        Values::Decimal(v) => v[row].map(|unscaled| write!(out, "{}", Decimal { unscaled, scale })),
        Values::Bool(v) => v[row].map(|x| out.write_str(if x { "t" } else { "f" })),
        Values::Text(v) => v[row].as_ref().map(|x| {
            escape(x, out);
            Ok(())
        }),
        Values::Date(v) => v[row].map(|x| out.write_str(&date(x, ""))),
        Values::Datetime(v) => v[row].map(|x| out.write_str(&datetime(x))),
        Values::Duration(v) => v[row].map(|x| out.write_str(&interval(x))),
        Values::List(v) => v[row].as_ref().map(|items| {
            let mut text = String::new();
            array(items, &mut text);
            escape(&text, out);
            Ok(())
        }),
    };
    done.unwrap_or_else(|| out.write_str("\\N")).expect("a string takes everything");
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
}

fn float(x: f64) -> String {
    if x.is_infinite() { if x > 0.0 { "Infinity" } else { "-Infinity" }.into() } else { format!("{x:e}") }
}

/// Years before the first are counted backwards, and there is none in between.
fn date(days: i32, time: &str) -> String {
    let (year, month, day) = civil_from_days(days);
    if year > 0 {
        format!("{year:04}-{month:02}-{day:02}{time}")
    } else {
        format!("{:04}-{month:02}-{day:02}{time} BC", 1 - year)
    }
}

fn datetime(us: i64) -> String {
    let (days, rest) = (us.div_euclid(DAY), us.rem_euclid(DAY));
    let seconds = rest / 1_000_000;
    let time =
        format!(" {:02}:{:02}:{:02}.{:06}+00", seconds / 3600, seconds / 60 % 60, seconds % 60, rest % 1_000_000);
    date(i32::try_from(days).unwrap_or(i32::MAX), &time)
}

fn interval(us: i64) -> String {
    let (sign, rest) = (if us < 0 { "-" } else { "" }, us.unsigned_abs());
    let seconds = rest / 1_000_000;
    format!("{sign}{:02}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60, rest % 1_000_000)
}

fn array(items: &[Value], out: &mut String) {
    out.push('{');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        match item {
            Value::Null => out.push_str("NULL"),
            Value::Int(x) => out.push_str(&x.to_string()),
            Value::Float(x) => out.push_str(&float(*x)),
            Value::Decimal(d) => out.push_str(&d.to_string()),
            Value::Bool(b) => out.push_str(if *b { "t" } else { "f" }),
            Value::Date(d) => quoted(&date(*d, ""), out),
            Value::Datetime(us) => quoted(&datetime(*us), out),
            Value::Duration(us) => quoted(&interval(*us), out),
            Value::String(s) | Value::Word(s) => quoted(s, out),
            Value::Size(n) => out.push_str(&n.to_string()),
            Value::List(inner) => array(inner, out),
        }
    }
    out.push('}');
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_server_reads_them() {
        assert_eq!(date(-719_163, ""), "0001-12-31 BC");
        assert_eq!(datetime(-1), "1969-12-31 23:59:59.999999+00");
        assert_eq!(interval(-3_723_500_000), "-01:02:03.500000");
        assert_eq!(float(f64::NEG_INFINITY), "-Infinity");
        let mut text = String::new();
        array(&[Value::String("a\"\\,".into()), Value::Null, Value::List(vec![Value::Int(1)])], &mut text);
        assert_eq!(text, r#"{"a\"\\,",NULL,{1}}"#);
        let mut line = String::new();
        escape("a\tb\\\n", &mut line);
        assert_eq!(line, "a\\tb\\\\\\n");
    }
}
