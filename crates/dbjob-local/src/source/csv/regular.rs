//! A quick look over a whole CSV file: has every row as many cells as the header?
//!
//! Polars fills short rows with nulls, cuts long ones when not all columns are read, and takes blank lines for rows of
//! nulls. None of that is wanted, so a file where it could happen is read by the exact reader instead.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
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

/// A file from this size on is looked at by several threads.
const LARGE: u64 = 16 << 20;

/// Errors: E0701.
pub(super) fn look(file: &Path, options: &CsvOptions, width: usize) -> Result<Shape, RunError> {
    let wrong = |e: std::io::Error| unreadable(file, &e.to_string());
    let size = std::fs::metadata(file).map_err(wrong)?.len();
    if size >= LARGE && Counter::new(options, width).is_simple() {
        // Where a line begins can be told from the middle of a file only if nothing is quoted.
        let shape = side_by_side(file, options, width, size).map_err(wrong)?;
        if !shape.quotes {
            return Ok(shape);
        }
    }
    whole_lines(file, options, width, 0, u64::MAX).map_err(wrong)
}

fn side_by_side(file: &Path, options: &CsvOptions, width: usize, size: u64) -> std::io::Result<Shape> {
    let parts = std::thread::available_parallelism().map_or(1, usize::from).min(8) as u64;
    let shapes: Vec<std::io::Result<Shape>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..parts)
            .map(|i| {
                let (start, end) = (size * i / parts, if i + 1 == parts { u64::MAX } else { size * (i + 1) / parts });
                scope.spawn(move || whole_lines(file, options, width, start, end))
            })
            .collect();
        threads.into_iter().map(|t| t.join().expect("counting bytes does not panic")).collect()
    });
    let mut all = Shape { regular: true, quotes: false };
    for shape in shapes {
        let shape = shape?;
        all.regular &= shape.regular;
        all.quotes |= shape.quotes;
    }
    Ok(all)
}

/// Looks at the lines that begin in `start..end`; the one that begins at `start` only if that is 0.
fn whole_lines(file: &Path, options: &CsvOptions, width: usize, start: u64, end: u64) -> std::io::Result<Shape> {
    let mut reader = File::open(file)?;
    let mut counter = Counter::new(options, width);
    let mut at = start;
    let mut inside = start > 0;
    if inside {
        counter.start = false;
        reader.seek(SeekFrom::Start(start))?;
    }
    let mut buffer = vec![0; 1 << 18];
    loop {
        let n = reader.read(&mut buffer)?;
        let mut bytes = &buffer[..n];
        if n == 0 {
            break;
        }
        let begin = at;
        at += n as u64;
        if inside {
            let Some(line) = memchr::memchr(b'\n', bytes) else { continue };
            if begin + line as u64 >= end {
                break;
            }
            bytes = &bytes[line + 1..];
            inside = false;
        }
        // The line over `end` is ours to its own end.
        let over = (end.saturating_sub(at - bytes.len() as u64)) as usize;
        let last = if end >= at { None } else { memchr::memchr(b'\n', &bytes[over.min(bytes.len())..]) };
        if let Some(line) = last {
            counter.feed(&bytes[..over.min(bytes.len()) + line + 1]);
            break;
        }
        if !counter.feed(bytes) {
            break;
        }
    }
    Ok(counter.finish())
}

/// The places of `byte` in a block, as bits. Eight bytes at a time: a byte of `word ^ pattern` is 0 exactly where the
/// sum below leaves its top bit clear, and the product gathers the top bits in one byte.
fn places(block: &[u8; 64], byte: u8) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let pattern = u64::from_le_bytes([byte; 8]);
    let mut bits = 0;
    for (i, word) in block.as_chunks::<8>().0.iter().enumerate() {
        let x = u64::from_le_bytes(*word) ^ pattern;
        let found = !(((x & LOW) + LOW) | x | LOW);
        bits |= ((found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * i);
    }
    bits
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
        if !self.is_simple() {
            return self.slowly(bytes);
        }
        let (blocks, rest) = bytes.as_chunks::<64>();
        for block in blocks {
            // A block with a quote in it, or inside of one, goes byte by byte.
            let fine = if self.in_quotes || !self.block(block) { self.slowly(block) } else { self.regular };
            if !fine {
                return false;
            }
        }
        self.slowly(rest)
    }

    /// Whether a whole block without quotes can be looked at at once.
    fn is_simple(&self) -> bool {
        self.skip == 0 && self.options.comment.is_none() && self.delimiters > 0
    }

    /// Counts in 64 bytes at once, outside of quotes. False: there is a quote in it, and nothing was counted.
    fn block(&mut self, block: &[u8; 64]) -> bool {
        if self.options.quote.is_some_and(|quote| places(block, quote) != 0) {
            return false;
        }
        let mut delimiters = places(block, self.options.delimiter);
        let mut lines = places(block, b'\n');
        while lines != 0 {
            let before = (lines & lines.wrapping_neg()) - 1;
            // A blank line has no delimiter, so it is not regular either.
            self.regular &= self.seen + (delimiters & before).count_ones() as usize == self.delimiters;
            self.seen = 0;
            delimiters &= !before;
            lines &= lines - 1;
        }
        self.seen += delimiters.count_ones() as usize;
        // Only whether the last line has anything in it is asked of it later.
        self.length = usize::from(block[63] != b'\n');
        true
    }

    fn slowly(&mut self, bytes: &[u8]) -> bool {
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
        for size in [1, 3, 100, 100_000] {
            let mut counter = Counter::new(options, width);
            for piece in text.as_bytes().chunks(size) {
                if !counter.feed(piece) {
                    break;
                }
            }
            all.push(counter.finish());
        }
        for other in &all[1..] {
            assert_eq!(other.regular, all[0].regular, "{text:?}");
        }
        all.remove(3)
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
    fn long_texts_are_looked_at_block_by_block() {
        let o = CsvOptions::default();
        let mut text = String::from("a,b,c\n");
        for i in 0..500 {
            text.push_str(&format!("{i},{},x\n", "y".repeat(i % 90)));
        }
        assert_eq!(shape(&text, &o, 3), Shape { regular: true, quotes: false });
        for at in [10, 70, 499] {
            let one = text.replace(&format!("\n{at},"), &format!("\n{at},,"));
            assert!(!shape(&one, &o, 3).regular, "{at}");
            // A long and a short row do not make up for each other.
            let two = one.replacen("\n5,", "\n5", 1);
            assert!(!shape(&two, &o, 3).regular, "{at}");
            let quoted = text.replace(&format!("\n{at},"), &format!("\n\"{at},\n,\","));
            assert_eq!(shape(&quoted, &o, 3), Shape { regular: true, quotes: true }, "{at}");
            let open = text.replace(&format!("\n{at},"), &format!("\n\"{at},"));
            assert!(!shape(&open, &o, 3).regular, "{at}");
        }
    }

    #[test]
    fn the_parts_of_a_large_file_meet() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut text = String::from("a,b,c\n");
        for i in 0..2_000 {
            text.push_str(&format!("{i},{},x\n", "y".repeat(i % 37)));
        }
        for broken in [None, Some(3), Some(999), Some(1_999)] {
            let text = match broken {
                Some(row) => text.replace(&format!("\n{row},"), &format!("\n{row}")),
                None => text.clone(),
            };
            std::fs::write(file.path(), &text).unwrap();
            let o = CsvOptions::default();
            for size in [text.len() as u64, 200, 7] {
                let shape = side_by_side(file.path(), &o, 3, size).unwrap();
                assert_eq!(shape.regular, broken.is_none(), "{broken:?} {size}");
            }
            // Every line is looked at by exactly one part, wherever the cut is.
            for cut in (1..400).chain(text.len() as u64 as usize - 50..text.len()).map(|c| c as u64) {
                let parts = [(0, cut), (cut, u64::MAX)].map(|(s, e)| whole_lines(file.path(), &o, 3, s, e).unwrap());
                assert_eq!(
                    parts.iter().filter(|p| !p.regular).count(),
                    usize::from(broken.is_some()),
                    "{broken:?} {cut}"
                );
            }
        }
    }

    #[test]
    fn every_place_is_found() {
        let mut block = [0_u8; 64];
        for (i, b) in block.iter_mut().enumerate() {
            *b = [b',', b'-', b'+', 0xac, 0x2d, 0x80, 0][i % 7];
        }
        let expected = (0..64).filter(|i| block[*i] == b',').fold(0, |bits, i| bits | 1_u64 << i);
        assert_eq!(places(&block, b','), expected);
    }

    #[test]
    fn skipped_lines_and_comments_do_not_count() {
        let o = CsvOptions { skip: 1, comment: Some("//".into()), ..CsvOptions::default() };
        assert!(shape("x,,,\na,b\n// one, two, three\n1,2\n", &o, 2).regular);
        assert!(!shape("x,,,\na,b\n/ one, two, three\n1,2\n", &o, 2).regular);
    }
}
