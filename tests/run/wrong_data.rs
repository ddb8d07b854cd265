//! Data that is not what the job says: the message names file, row and column, and nothing half-written stays.

use std::fs;

use super::files_below;
use crate::cli::{dbjob, folder};

const JOB: &str = r#"
dataset people from csv("people.csv", nulls = ["NA"]) {
  id:   int key
  age:  int in 0..=150
  size: float?
  born: date?
  plan: category("free", "paid")
}
transform adults from people {
  filter age >= 18
  derive twice = age * 2
}
deploy adults { to csv("out/adults.csv"); to parquet("out/adults.parquet") }
"#;

const HEADER: &str = "id,age,size,born,plan\n";

/// Runs the job on these rows, expects it to fail with `code`, and that stderr has every part; nothing may be left.
fn fails_with(data: &[u8], code: &str, parts: &[&str]) {
    let here = folder(&[("job.dbjob", JOB)]);
    fs::write(here.path().join("people.csv"), data).expect("data");
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains(code), "{code}: {ended:?}");
    for part in parts {
        assert!(ended.err.contains(part), "{part}: {ended:?}");
    }
    assert!(!ended.err.contains("panicked"), "{ended:?}");
    assert_eq!(files_below(here.path()), ["job.dbjob", "people.csv"], "something was left: {ended:?}");
}

fn rows(rows: &str) -> Vec<u8> {
    format!("{HEADER}{rows}").into_bytes()
}

#[test]
fn good_data_runs() {
    let here = folder(&[("job.dbjob", JOB)]);
    fs::write(here.path().join("people.csv"), rows("1,30,1.8,1990-01-31,free\n2,12,NA,,paid\n3,40,,2000-02-29,paid\n"))
        .expect("data");
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let table = fs::read_to_string(here.path().join("out/adults.csv")).expect("the table");
    assert_eq!(table, "id,age,size,born,plan,twice\n1,30,1.8,1990-01-31,free,60\n3,40,,2000-02-29,paid,80\n");
    assert!(here.path().join("out/adults.parquet").exists());
}

#[test]
fn a_short_row() {
    fails_with(&rows("1,30,1.8,,free\n2,40\n3,50,1.7,,paid\n"), "E0703", &["people.csv", "row 2"]);
}

#[test]
fn a_long_row() {
    fails_with(&rows("1,30,1.8,,free\n2,40,1.7,,paid,more\n"), "E0703", &["people.csv", "row 2"]);
}

#[test]
fn a_number_that_is_none() {
    fails_with(&rows("1,30,1.8,,free\n2,forty,1.7,,paid\n"), "E0704", &["people.csv", "row 2", "`age`", "forty"]);
    fails_with(&rows("1,30,1.8,,free\n2,40,tall,,paid\n"), "E0704", &["people.csv", "row 2", "`size`", "tall"]);
    fails_with(&rows("1,30,1.8,,free\n2,40.5,1.7,,paid\n"), "E0704", &["people.csv", "row 2", "`age`", "40.5"]);
}

#[test]
fn a_date_that_is_none() {
    fails_with(&rows("1,30,1.8,1990-02-30,free\n"), "E0704", &["people.csv", "row 1", "`born`", "1990-02-30"]);
}

#[test]
fn a_null_where_none_is_allowed() {
    fails_with(&rows("1,30,1.8,,free\n2,NA,1.7,,paid\n"), "E0706", &["people.csv", "row 2", "`age`"]);
}

#[test]
fn a_value_outside_of_its_range_or_levels() {
    fails_with(&rows("1,30,1.8,,free\n2,400,1.7,,paid\n"), "E0707", &["people.csv", "row 2", "`age`", "400"]);
    fails_with(&rows("1,30,1.8,,free\n2,40,1.7,,gold\n"), "E0707", &["people.csv", "row 2", "`plan`", "gold"]);
}

#[test]
fn a_column_that_is_not_there() {
    fails_with(b"id,aeg,size,born,plan\n1,30,1.8,,free\n", "E0705", &["people.csv", "age", "aeg"]);
}

#[test]
fn an_empty_file() {
    fails_with(b"", "E0702", &["people.csv"]);
}

#[test]
fn bytes_that_are_no_text() {
    fails_with(b"id,age,size,born,plan\n1,30,1.8,,fr\xe9e\n", "E0714", &["people.csv", "row 1"]);
}

#[test]
fn a_missing_file() {
    let here = folder(&[("job.dbjob", JOB), ("peple.csv", "x\n1\n")]);
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    for part in ["E0701", "people.csv", "peple.csv"] {
        assert!(ended.err.contains(part), "{part}: {ended:?}");
    }
    assert_eq!(files_below(here.path()), ["job.dbjob", "peple.csv"]);
}

#[test]
fn a_truncated_parquet_file() {
    let make = r#"
dataset a from csv("a.csv") { x: int; y: float }
transform b from a { derive z = x + 1 }
deploy b { to parquet("b.parquet") }
"#;
    let read = r#"
dataset b from parquet("b.parquet") { x: int; y: float; z: int }
transform c from b { filter x > 10 }
deploy c { to csv("out/c.csv") }
"#;
    let mut data = String::from("x,y\n");
    (0..5000).for_each(|i| data.push_str(&format!("{i},{}\n", f64::from(i) / 7.0)));
    let here = folder(&[("make.dbjob", make), ("read.dbjob", read), ("a.csv", &data)]);
    assert_eq!(dbjob(here.path(), &["run", "make.dbjob"]).code, 0);
    assert_eq!(dbjob(here.path(), &["run", "read.dbjob"]).code, 0);
    fs::remove_dir_all(here.path().join("out")).expect("the first result");
    let whole = fs::read(here.path().join("b.parquet")).expect("a parquet file");
    for keep in [whole.len() / 2, 3, whole.len() - 1] {
        fs::write(here.path().join("b.parquet"), &whole[..keep]).expect("a truncated file");
        let ended = dbjob(here.path(), &["run", "read.dbjob"]);
        assert_eq!(ended.code, 1, "{keep} bytes: {ended:?}");
        assert!(ended.err.contains("E0712") && ended.err.contains("b.parquet"), "{keep} bytes: {ended:?}");
        assert_eq!(files_below(here.path()), ["a.csv", "b.parquet", "make.dbjob", "read.dbjob"], "{keep} bytes");
    }
}

#[test]
fn a_parquet_column_of_another_type() {
    let make = "dataset a from csv(\"a.csv\") { x: string }\ntransform b from a { derive y = length(x) }\ndeploy b { to parquet(\"b.parquet\") }\n";
    let read = "dataset b from parquet(\"b.parquet\") { x: int }\ntransform c from b { filter x > 1 }\ndeploy c { to csv(\"out/c.csv\") }\n";
    let here = folder(&[("make.dbjob", make), ("read.dbjob", read), ("a.csv", "x\none\n")]);
    assert_eq!(dbjob(here.path(), &["run", "make.dbjob"]).code, 0);
    let ended = dbjob(here.path(), &["run", "read.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("E0717") && ended.err.contains("`x`"), "{ended:?}");
}

#[test]
fn a_bad_line_of_ndjson() {
    let job = "dataset a from ndjson(\"a.ndjson\") { x: int; y: string? }\ntransform b from a { filter x > 0 }\ndeploy b { to ndjson(\"out/b.ndjson\") }\n";
    let here = folder(&[("job.dbjob", job), ("a.ndjson", "{\"x\": 1, \"y\": \"a\"}\n{\"x\": 2, \"y\": \n")]);
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("E0712") && ended.err.contains("a.ndjson") && ended.err.contains("2"), "{ended:?}");
    assert!(!here.path().join("out").exists() || files_below(&here.path().join("out")).is_empty());
}

#[test]
fn an_old_output_survives_a_failed_run() {
    let here = folder(&[("job.dbjob", JOB), ("out/adults.csv", "the old table\n")]);
    fs::write(here.path().join("people.csv"), rows("1,30,1.8,,free\nx,40,1.7,,paid\n")).expect("data");
    assert_eq!(dbjob(here.path(), &["run", "job.dbjob"]).code, 1);
    assert_eq!(files_below(here.path()), ["job.dbjob", "out/adults.csv", "people.csv"]);
    assert_eq!(fs::read_to_string(here.path().join("out/adults.csv")).expect("the old table"), "the old table\n");
}

#[test]
fn an_overflow_and_a_failing_cast_name_the_line_of_the_job() {
    for (step, code) in [("derive big = x * 4", "E0709"), ("derive n = int(s)", "E0710")] {
        let job = format!(
            "dataset a from csv(\"a.csv\") {{ x: int; s: string }}\ntransform b from a {{\n  {step}\n}}\ndeploy b {{ to csv(\"out/b.csv\") }}\n"
        );
        let here = folder(&[("job.dbjob", &job), ("a.csv", "x,s\n1,1\n9000000000000000000,two\n")]);
        let ended = dbjob(here.path(), &["run", "job.dbjob"]);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.err.contains(code) && ended.err.contains("job.dbjob:3"), "{ended:?}");
        assert!(!here.path().join("out/b.csv").exists());
    }
}

#[test]
fn a_duplicate_key_on_the_right_side_of_a_join() {
    let job = r#"
dataset a from csv("a.csv") { k: int }
dataset b from csv("b.csv") { k: int key; v: string }
transform c from a { left join b on k }
deploy c { to csv("out/c.csv") }
"#;
    let here = folder(&[("job.dbjob", job), ("a.csv", "k\n1\n2\n"), ("b.csv", "k,v\n1,x\n2,y\n1,z\n")]);
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("E0708") && ended.err.contains("`b`"), "{ended:?}");
    assert!(!here.path().join("out/c.csv").exists());
}
