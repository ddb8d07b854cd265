//! Where the columns of a CSV file are: its header.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use dbjob_plan::{CsvOptions, Encoding, RunError, near};

use crate::source::Wanted;
use crate::source::files::{place, shown, unreadable};

/// The columns of a file, in order.
#[derive(Debug)]
pub(crate) struct Layout {
    pub headers: Vec<String>,
}

/// Without a header columns are called so, counted from 1.
fn invented(position: usize) -> String {
    format!("column_{}", position + 1)
}

/// Reads the first record: the header, or the first row of a file without one.
///
/// Errors: E0701, E0702, E0714.
pub(crate) fn read_layout(file: &Path, options: &CsvOptions) -> Result<Layout, RunError> {
    let wrong = |e: std::io::Error| unreadable(file, &e.to_string());
    let mut reader = BufReader::new(File::open(file).map_err(wrong)?);
    let mut line = Vec::new();
    for _ in 0..options.skip {
        line.clear();
        reader.read_until(b'\n', &mut line).map_err(wrong)?;
    }
    let mut text = Vec::new();
    let first_line = options.skip == 0;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(wrong)? == 0 {
            break;
        }
        if first_line && text.is_empty() && line.starts_with(BOM) {
            line.drain(..BOM.len());
        }
        let comment = options.comment.as_deref().is_some_and(|c| line.starts_with(c.as_bytes()));
        if text.is_empty() && (comment || line.iter().all(|b| matches!(b, b'\r' | b'\n'))) {
            continue;
        }
        text.extend_from_slice(&line);
        let quotes = options.quote.map_or(0, |q| text.iter().filter(|b| **b == q).count());
        if quotes % 2 == 0 {
            break;
        }
    }
    let mut record = csv::ByteRecord::new();
    let found = builder(options).from_reader(text.as_slice()).read_byte_record(&mut record);
    if !found.map_err(|e| unreadable(file, &e.to_string()))? {
        let what = if options.header { "has no header" } else { "has no rows" };
        return Err(RunError::new("E0702", format!("{} {what}", shown(file))).data(place(file)));
    }
    if !options.header {
        return Ok(Layout { headers: (0..record.len()).map(invented).collect() });
    }
    let headers = record.iter().map(|cell| decode(cell, options.encoding)).collect::<Option<Vec<_>>>();
    let headers = headers.ok_or_else(|| {
        RunError::new("E0714", format!("the header of {} is not valid UTF-8", shown(file)))
            .help("if the file is in Latin-1, say `encoding = \"latin-1\"`")
            .data(place(file))
    })?;
    Ok(Layout { headers })
}

pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The reader of the `csv` crate with our options. Comment lines and skipped lines are gone before it sees the text.
pub(super) fn builder(options: &CsvOptions) -> csv::ReaderBuilder {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(options.delimiter).quoting(options.quote.is_some());
    if let Some(quote) = options.quote {
        builder.quote(quote);
    }
    builder
}

pub(super) fn decode(cell: &[u8], encoding: Encoding) -> Option<String> {
    match encoding {
        Encoding::Utf8 => std::str::from_utf8(cell).ok().map(str::to_string),
        Encoding::Latin1 => Some(encoding_rs::mem::decode_latin1(cell).into_owned()),
    }
}

impl Layout {
    pub fn width(&self) -> usize {
        self.headers.len()
    }

    /// The position of each wanted column in the file.
    ///
    /// Errors: E0705.
    pub fn places(&self, wanted: &[Wanted], file: &Path, options: &CsvOptions) -> Result<Vec<usize>, RunError> {
        wanted.iter().map(|w| self.place(w, file, options)).collect()
    }

    fn place(&self, w: &Wanted, file: &Path, options: &CsvOptions) -> Result<usize, RunError> {
        let mut found = self.headers.iter().enumerate().filter(|(_, h)| **h == w.header).map(|(i, _)| i);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => {
                Err(RunError::new("E0705", format!("{} has the column {:?} more than once", shown(file), w.header))
                    .data(place(file)))
            }
            (None, _) if !options.header && w.position < self.width() => Ok(w.position),
            (None, _) => {
                let error = RunError::new("E0705", format!("{} has no column {:?}", shown(file), w.header))
                    .data(dbjob_plan::DataLocation { column: Some(w.header.clone()), ..place(file) });
                let near = near(&w.header, self.headers.iter().map(String::as_str));
                Err(if near.is_empty() {
                    let some: Vec<_> = self.headers.iter().take(12).map(String::as_str).collect();
                    let more = if self.width() > some.len() { ", …" } else { "" };
                    error.help(format!("its columns are {}{more}", some.join(", ")))
                } else {
                    error.help(format!("did you mean {}?", near.join(" or ")))
                })
            }
        }
    }
}

/// The first `limit` bytes of a file, up to the last whole line, and whether that is all of it.
pub(crate) fn head(file: &Path, limit: u64) -> Result<(Vec<u8>, bool), RunError> {
    let wrong = |e: std::io::Error| unreadable(file, &e.to_string());
    let mut bytes = Vec::new();
    File::open(file).map_err(wrong)?.take(limit).read_to_end(&mut bytes).map_err(wrong)?;
    let whole = (bytes.len() as u64) < limit;
    if !whole && let Some(end) = memchr::memrchr(b'\n', &bytes) {
        bytes.truncate(end + 1);
    }
    Ok((bytes, whole))
}
