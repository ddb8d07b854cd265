//! What tests found, for people.

use super::compare::{RowDiff, TableDiff};
use crate::name;
use dbjob_plan::Value;

/// Rows of one table that are shown.
const MOST_ROWS: usize = 20;

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const PLAIN: &str = "\u{1b}[0m";

/// A value as it is written in a job.
pub fn written(value: &Value) -> String {
    match value {
        Value::String(text) => name::quoted(text),
        Value::List(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

pub fn painted(text: &str, good: bool, colour: bool) -> String {
    if colour { format!("{}{text}{PLAIN}", if good { GREEN } else { RED }) } else { text.to_owned() }
}

/// `rows: 1 row differs, 1 is missing, 2 are as expected` and the rows, cell below cell.
pub fn table(diff: &TableDiff, colour: bool) -> String {
    let count = |of: fn(&RowDiff) -> bool| diff.rows.iter().filter(|r| of(r)).count();
    let parts = [
        (count(|r| matches!(r, RowDiff::Differs { .. })), "differs", "differ"),
        (count(|r| matches!(r, RowDiff::Missing(_))), "is missing", "are missing"),
        (count(|r| matches!(r, RowDiff::Unexpected(_))), "is not expected", "are not expected"),
        (diff.same, "is as expected", "are as expected"),
    ];
    let mut told: Vec<String> = parts
        .iter()
        .filter(|(n, ..)| *n > 0)
        .map(|(n, one, many)| format!("{n} {}", if *n == 1 { one } else { many }))
        .collect();
    if let Some(first) = told.first_mut() {
        *first = first.replacen(' ', if first.starts_with("1 ") { " row " } else { " rows " }, 1);
    }
    let order = if diff.ordered { "; the order counts" } else { "" };
    let mut out = format!("  {}: {}{order}\n", diff.node, told.join(", "));
    out.push_str(&grid(diff, colour));
    if diff.rows.len() > MOST_ROWS {
        out.push_str(&format!("    … and {} more\n", diff.rows.len() - MOST_ROWS));
    }
    out
}

/// A line of the grid: what it is, its cells, and which of them differ.
struct Line<'a> {
    word: &'a str,
    cells: Vec<String>,
    marks: Vec<usize>,
    /// `None`: neither.
    good: Option<bool>,
}

fn grid(diff: &TableDiff, colour: bool) -> String {
    let cells = |row: &[Value]| row.iter().map(written).collect::<Vec<_>>();
    let names = diff.columns.iter().map(|c| name::written(c)).collect();
    let mut lines = vec![Line { word: "", cells: names, marks: Vec::new(), good: None }];
    let mut line = |word, row: &[Value], marks: &[usize], good| {
        lines.push(Line { word, cells: cells(row), marks: marks.to_vec(), good: Some(good) });
    };
    for row in diff.rows.iter().take(MOST_ROWS) {
        match row {
            RowDiff::Differs { expected, got, columns } => {
                line("expected", expected, &[], true);
                line("got", got, columns, false);
            }
            RowDiff::Missing(row) => line("missing", row, &[], true),
            RowDiff::Unexpected(row) => line("unexpected", row, &[], false),
        }
    }
    let widths: Vec<usize> = (0..diff.columns.len())
        .map(|column| lines.iter().map(|l| l.cells[column].chars().count()).max().unwrap_or(0))
        .collect();
    // Numbers stand to the right.
    let is_number = |v: &Value| matches!(v, Value::Int(_) | Value::Float(_) | Value::Decimal(_) | Value::Null);
    let right: Vec<bool> = (0..diff.columns.len())
        .map(|column| {
            diff.rows.iter().all(|row| match row {
                RowDiff::Differs { expected, got, .. } => is_number(&expected[column]) && is_number(&got[column]),
                RowDiff::Missing(row) | RowDiff::Unexpected(row) => is_number(&row[column]),
            })
        })
        .collect();
    let mut out = String::new();
    for line in &lines {
        let mut text = format!("    {:10}", line.word);
        let mut marks = " ".repeat(14);
        for (column, cell) in line.cells.iter().enumerate() {
            let blank = " ".repeat(widths[column] - cell.chars().count());
            let (left, behind) = if right[column] { (blank.as_str(), "") } else { ("", blank.as_str()) };
            text.push_str(&format!("  {left}{cell}{behind}"));
            let mark = if line.marks.contains(&column) { "^" } else { " " }.repeat(cell.chars().count());
            marks.push_str(&format!("  {left}{mark}{behind}"));
        }
        let text = text.trim_end();
        let marks = marks.trim_end();
        out.push_str(&line.good.map_or_else(|| text.to_owned(), |good| painted(text, good, colour)));
        out.push('\n');
        if !marks.is_empty() {
            out.push_str(&painted(marks, false, colour));
            out.push('\n');
        }
    }
    out
}
