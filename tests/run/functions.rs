//! Every function does what its entry in the catalog says: the examples hold.

use std::fs;

use dbjob::catalog::function::{self, ROWS};
use serde_json::Value;

use crate::cli::{dbjob, folder};

/// Runs a job that writes one row of bools and gives those that are not true.
fn wrong(job: &str, examples: &[&str]) -> Vec<String> {
    let here = folder(&[("job.dbjob", job)]);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let row = fs::read_to_string(here.path().join("out.ndjson")).expect("the output");
    let row: Value = serde_json::from_str(&row).expect("one row");
    let value = |i: usize| &row[format!("e{i}")];
    let wrong = examples.iter().enumerate().filter(|(i, _)| *value(*i) != Value::Bool(true));
    wrong.map(|(i, example)| format!("{example} is {}", value(i))).collect()
}

fn named(examples: &[&str]) -> String {
    examples.iter().enumerate().map(|(i, example)| format!("    e{i} = {example}\n")).collect()
}

#[test]
fn the_examples_of_functions_hold() {
    let examples: Vec<&str> = function::all().filter(|f| !f.aggregate && !f.of_order).map(|f| f.example).collect();
    assert!(examples.len() > 100, "only {}", examples.len());
    let job = format!(
        "dataset one from inline [ {{ one: 1 }} ]\ntransform t from one {{\n  derive {{\n{}  }}\n  drop one\n}}\n\
         deploy t {{ to ndjson(\"out.ndjson\") }}\n",
        named(&examples)
    );
    let wrong = wrong(&job, &examples);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_examples_of_aggregates_hold() {
    let examples: Vec<&str> = function::all().filter(|f| f.aggregate).map(|f| f.example).collect();
    assert!(examples.len() > 15, "only {}", examples.len());
    for group in ["group", "group by one"] {
        let job = format!(
            "dataset rows from inline {ROWS}\ntransform t from rows {{\n  derive one = 1\n  {group} {{\n{}  }}\n}}\n\
             deploy t {{ to ndjson(\"out.ndjson\") }}\n",
            named(&examples)
        );
        let wrong = wrong(&job, &examples);
        assert!(wrong.is_empty(), "{group}: {}", wrong.join("\n"));
    }
}
