//! NDJSON: one JSON object a line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use dbjob_plan::{DataLocation, RunError};

use super::files::{place, shown, unreadable};
use super::objects::{Object, Spot};

/// Calls `visit` with the place and object of every line that is not blank, until it says no.
///
/// Errors: E0701, E0712.
pub(super) fn objects(
    file: &Path,
    visit: &mut dyn FnMut(Spot, Object) -> Result<bool, RunError>,
) -> Result<(), RunError> {
    let wrong = |e: std::io::Error| unreadable(file, &e.to_string());
    let mut reader = BufReader::with_capacity(1 << 18, File::open(file).map_err(wrong)?);
    let (mut line, mut number, mut row) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(wrong)? == 0 {
            return Ok(());
        }
        number += 1;
        let text = line.strip_prefix(b"\xEF\xBB\xBF").filter(|_| number == 1).unwrap_or(&line);
        if text.trim_ascii().is_empty() {
            continue;
        }
        row += 1;
        let damaged = |why: String| {
            let at = DataLocation { row: Some(row), line: Some(number), ..place(file) };
            RunError::new("E0712", format!("line {number} of {} is {why}", shown(file))).data(at)
        };
        if !text.trim_ascii_start().starts_with(b"{") {
            return Err(damaged("no JSON object".into()));
        }
        // The reader sees one line at a time, so its own count of lines says nothing.
        let object = serde_json::from_slice(text.trim_ascii_end()).map_err(|e| {
            damaged(format!("not valid JSON: {}", e.to_string().replace(" at line 1 column ", " at column ")))
        })?;
        if !visit(Spot { row, line: Some(number) }, object)? {
            return Ok(());
        }
    }
}
