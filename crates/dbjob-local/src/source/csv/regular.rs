//! A quick look over a whole CSV file: has every row as many cells as the header?
//!
//! Polars fills short rows with nulls, cuts long ones when not all columns are read, and takes blank lines for rows of
//! nulls. None of that is wanted, so a file where it could happen is read by the exact reader instead.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use dbjob_plan::{CsvOptions, RunError};

use super::layout::BOM;
use crate::source::files::unreadable;

#[derive(Debug, PartialEq)]
pub(super) struct Shape {
    pub regular: bool,
    /// Whether a quote appears anywhere.
    pub quotes: bool,
}

/// Errors: E0701.
pub(super) fn look(file: &Path, options: &CsvOptions, width: usize) -> Result<Shape, RunError> {
    let wrong = |e: std::io::Error| unreadable(file, &e.to_string());
    let mut file_in = File::open(file).map_err(wrong)?;
    let mut buffer = vec![0; 1 << 18];
    let mut counter = Counter::new(options, width);
    loop {
        let n = file_in.read(&mut buffer).map_err(wrong)?;
        if n == 0 || !counter.feed(&buffer[..n]) {
            break;
        }
    }
    Ok(counter.finish())
}

/// Counts cells while bytes come in.
struct Counter<'a> {
    options: &'a CsvOptions,
    delimiters: usize,
    /// Delimiters of this line so far.
    seen: usize,
    /// Bytes of this line so far.
    length: usize,
    first: Vec<u8>,
    in_quotes: bool,
    quotes: bool,
    skip: u64,
    start: bool,
    regular: bool,
}

impl<'a> Counter<'a> {
    fn new(options: &'a CsvOptions, width: usize) -> Self {
        Self {
            options,
            delimiters: width.saturating_sub(1),
            seen: 0,
            length: 0,
            first: Vec::new(),
            in_quotes: false,
            quotes: false,
            skip: options.skip,
            start: true,
            regular: true,
        }
    }

    /// False: it is settled that the file is not regular.
    fn feed(&mut self, mut bytes: &[u8]) -> bool {
        if self.start {
            bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
            self.start = false;
        }
        let delimiter = self.options.delimiter;
        let quote = self.options.quote.unwrap_or(b'\n');
        let prefix = self.options.comment.as_deref().map_or(0, str::len);
        let mut last = 0;
        for at in memchr::memchr3_iter(b'\n', delimiter, quote, bytes) {
            if prefix > 0 && self.first.len() < prefix {
                let part = &bytes[last..=at];
                self.first.extend_from_slice(&part[..part.len().min(prefix - self.first.len())]);
            }
            self.length += at - last;
            let byte = bytes[at];
            if byte == b'\n' && !self.in_quotes {
                let returned = at > 0 && bytes[at - 1] == b'\r';
                if !self.line(returned) {
                    return false;
                }
                last = at + 1;
                continue;
            }
            self.length += 1;
            last = at + 1;
            if self.skip > 0 {
                continue;
            }
            if byte == quote && byte != b'\n' {
                self.quotes = true;
                self.in_quotes = !self.in_quotes;
            } else if byte == delimiter && !self.in_quotes {
                self.seen += 1;
            }
        }
        if prefix > 0 && self.first.len() < prefix {
            let part = &bytes[last..];
            self.first.extend_from_slice(&part[..part.len().min(prefix - self.first.len())]);
        }
        self.length += bytes.len() - last;
        true
    }

    fn line(&mut self, returned: bool) -> bool {
        let comment = self.options.comment.as_deref().is_some_and(|c| self.first.starts_with(c.as_bytes()));
        if self.skip > 0 {
            self.skip -= 1;
        } else if comment && self.quotes {
            // Quotes in a comment would have to be taken back; leave it to the exact reader.
            self.regular = false;
        } else if !comment {
            let blank = self.length == usize::from(returned && self.length > 0);
            self.regular &= !blank && self.seen == self.delimiters;
        }
        self.seen = 0;
        self.length = 0;
        self.first.clear();
        self.regular
    }

    fn finish(mut self) -> Shape {
        if self.length > 0 {
            self.line(false);
        }
        Shape { regular: self.regular && !self.in_quotes, quotes: self.quotes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str, options: &CsvOptions, width: usize) -> Shape {
        let mut all = Vec::new();
        // Whatever the sizes of the pieces, the answer is the same.
        for size in [1, 3, 1000] {
            let mut counter = Counter::new(options, width);
            for piece in text.as_bytes().chunks(size) {
                if !counter.feed(piece) {
                    break;
                }
            }
            all.push(counter.finish());
        }
        assert_eq!(all[0].regular, all[2].regular, "{text:?}");
        assert_eq!(all[1], all[2], "{text:?}");
        all.remove(2)
    }

    #[test]
    fn regular_and_not() {
        let o = CsvOptions::default();
        for (text, width, regular, quotes) in [
            ("a,b\n1,2\n", 2, true, false),
            ("a,b\r\n1,2\r\n", 2, true, false),
            ("a,b\n1,2", 2, true, false),
            ("a,b\n1\n", 2, false, false),
            ("a,b\n1,2,3\n4\n", 2, false, false),
            ("a,b\n1,2\n\n", 2, false, false),
            ("a,b\r\n\r\n1,2\r\n", 2, false, false),
            ("a,b\n\"x,\ny\",2\n", 2, true, true),
            ("a,b\n\"x\"\"y\",2\n", 2, true, true),
            ("a,b\n\"x,2\n", 2, false, true),
            ("a\n1\n2\n", 1, true, false),
            ("a\n1\n\n2\n", 1, false, false),
        ] {
            assert_eq!(shape(text, &o, width), Shape { regular, quotes }, "{text:?}");
        }
    }

    #[test]
    fn skipped_lines_and_comments_do_not_count() {
        let o = CsvOptions { skip: 1, comment: Some("//".into()), ..CsvOptions::default() };
        assert!(shape("x,,,\na,b\n// one, two, three\n1,2\n", &o, 2).regular);
        assert!(!shape("x,,,\na,b\n/ one, two, three\n1,2\n", &o, 2).regular);
    }
}
