//! Rows as the CSV that a dataset declares.

use csv::{QuoteStyle, Terminator, WriterBuilder};
use dbjob_plan::{CsvOptions, Encoding, Value};

use crate::diagnostic::{Code, Problem};
use crate::synth::Synthetic;

pub fn render(made: &Synthetic, options: &CsvOptions) -> Result<Vec<u8>, Box<Problem>> {
    let mut builder = WriterBuilder::new();
    builder.delimiter(options.delimiter).terminator(Terminator::Any(b'\n'));
    match options.quote {
        Some(quote) => builder.quote(quote).quote_style(QuoteStyle::Necessary),
        None => builder.quote_style(QuoteStyle::Never),
    };
    if let Some(comment) = options.comment.as_ref().and_then(|c| c.bytes().next()) {
        builder.comment(Some(comment));
    }
    let mut text: Vec<u8> = (0..options.skip).flat_map(|_| b"-\n".to_vec()).collect();
    {
        let mut writer = builder.from_writer(&mut text);
        let failed = |e: csv::Error| Box::new(Problem::error(Code::E0713, format!("cannot write the rows: {e}")));
        if options.header {
            writer.write_record(made.source.columns.iter().map(|c| c.header.as_str())).map_err(failed)?;
        }
        for row in &made.rows {
            let cells: Vec<String> = row.iter().map(|value| cell(value, options)).collect();
            if let (None, Some(wrong)) =
                (options.quote, cells.iter().find(|c| c.bytes().any(|b| b == options.delimiter)))
            {
                let message = format!("{wrong:?} has the delimiter in it, and the file has no quotes");
                return Err(Box::new(Problem::error(Code::E0105, message)));
            }
            writer.write_record(&cells).map_err(failed)?;
        }
        writer.flush().map_err(|e| Box::new(Problem::error(Code::E0713, format!("cannot write the rows: {e}"))))?;
    }
    encoded(text, options.encoding)
}

fn cell(value: &Value, options: &CsvOptions) -> String {
    let number = |text: String| if options.decimal_comma { text.replace('.', ",") } else { text };
    match value {
        Value::Null => options.nulls.first().cloned().unwrap_or_default(),
        Value::Float(x) => number(format!("{x:?}")),
        Value::Decimal(d) => number(d.to_string()),
        Value::String(text) | Value::Word(text) => text.clone(),
        other => other.to_string().trim_start_matches('@').to_owned(),
    }
}

fn encoded(text: Vec<u8>, encoding: Encoding) -> Result<Vec<u8>, Box<Problem>> {
    if encoding == Encoding::Utf8 {
        return Ok(text);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let byte = |c: char| {
        u8::try_from(u32::from(c)).map_err(|_| {
            let message = format!("{c:?} cannot be written in latin-1");
            Box::new(Problem::error(Code::E0714, message).help("declare `encoding = \"utf-8\"`"))
        })
    };
    text.chars().map(byte).collect()
}
