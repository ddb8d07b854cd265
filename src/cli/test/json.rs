//! What tests found, for tools.

use dbjob_plan::Value;
use serde_json::{Map, Value as Json, json};

use super::super::synth::value;
use super::Ran;
use super::compare::{RowDiff, TableDiff};

/// One document; its fields are described in docs/cli.md.
pub fn render(ran: &[Ran]) -> String {
    let passed = ran.iter().filter(|r| r.passed()).count();
    let tests: Vec<Json> = ran.iter().map(one).collect();
    let document = json!({ "tests": tests, "passed": passed, "failed": ran.len() - passed });
    serde_json::to_string_pretty(&document).expect("texts and numbers are always JSON") + "\n"
}

fn one(ran: &Ran) -> Json {
    let error = ran.error.as_ref().map(|problem| {
        json!({ "code": problem.code.as_str(), "message": problem.message, "help": problem.help, "data": problem.data })
    });
    json!({
        "name": ran.name,
        "file": ran.file.display().to_string(),
        "line": ran.line,
        "ok": ran.passed(),
        "seconds": ran.seconds,
        "failures": ran.failures.iter().map(table).collect::<Vec<_>>(),
        "error": error,
    })
}

fn table(diff: &TableDiff) -> Json {
    let row = |cells: &[Value]| -> Json {
        Json::Object(diff.columns.iter().cloned().zip(cells.iter().map(value)).collect::<Map<_, _>>())
    };
    let rows: Vec<Json> = diff
        .rows
        .iter()
        .map(|found| match found {
            RowDiff::Differs { expected, got, columns } => {
                let names: Vec<&str> = columns.iter().map(|c| diff.columns[*c].as_str()).collect();
                json!({ "kind": "differs", "expected": row(expected), "got": row(got), "columns": names })
            }
            RowDiff::Missing(cells) => json!({ "kind": "missing", "expected": row(cells) }),
            RowDiff::Unexpected(cells) => json!({ "kind": "unexpected", "got": row(cells) }),
        })
        .collect();
    json!({ "node": diff.node, "as_expected": diff.same, "ordered": diff.ordered, "rows": rows })
}
