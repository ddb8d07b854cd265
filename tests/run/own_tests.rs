//! `dbjob test`: tests that stand in jobs.

use std::fs;

use serde_json::{Value, json};

use crate::cli::{dbjob, folder};

const JOB: &str = "\
param least: float = 1.0

dataset orders from csv(\"orders.csv\") {
  id:      int key
  user_id: int
  amount:  float
  country: category(\"DE\", \"FR\")
  at:      date
  expect amount > 0.0 else quarantine \"bad.csv\"
  expect count() >= 100 else fail
}

dataset users from csv(\"users.csv\") {
  user_id: int key
  age:     int?
}

transform rows from orders {
  left join users on user_id
  filter amount > least
  derive twice = amount * 2.0
}

transform sums from rows {
  group by country { total = sum(twice), n = count() }
  sort total desc
}

transform scaled from rows {
  split by user_id { train 80%, test 20% }
  map twice with standardize
}

transform centred from scaled {
  unmap twice
}
";

const GOOD: &str = "
test rules_over_rows_hold_and_those_over_tables_are_not_asked {
  given orders [{ amount: 2.0 }, { amount: -1.0 }, { amount: 0.1 + 0.2, id: 7 }]
  given users  []
  expect orders [{ id: 1 }, { id: 7 }]
  expect rows   [{ twice: 4.0, age: null, at: @2024-01-01, country: \"DE\" }]
}

test from_the_middle {
  given rows [{ twice: 3.0 }, { twice: 4.0, country: \"FR\" }, { twice: 2.5, country: \"FR\" }]
  expect sums [{ country: \"FR\", total: 6.5, n: 2 }, { country: \"DE\", total: 3.0, n: 1 }]
}

test fitted {
  given scaled [{ twice: 0.5 }]
  expect scaled [{ twice: 0.5 }]
}
";

fn shop(tests: &str) -> tempfile::TempDir {
    folder(&[("a.dbjob", &format!("{JOB}{tests}")), ("none.dbjob", JOB)])
}

#[test]
fn rows_in_rows_out() {
    let here = shop(&GOOD.replace("0.1 + 0.2", "0.3"));
    // Only files with tests are looked at.
    let ended = dbjob(here.path(), &["test"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.out.matches("ok     ").count(), 3, "{ended:?}");
    assert!(ended.err.starts_with("3 tests: 3 passed, 0 failed ("), "{ended:?}");
    assert!(!here.path().join("bad.csv").exists(), "a test wrote a file");
    // No row is above 100.
    let ended = dbjob(here.path(), &["test", "--set", "least=100", "--filter", "rules", "a.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("1 test: 0 passed, 1 failed, 2 left out"), "{ended:?}");
}

#[test]
fn what_differs_is_shown_cell_by_cell() {
    let here = shop(
        "
test wrong {
  given rows [{ id: 1, twice: 3.0 }, { id: 2, twice: 4.0 }, { id: 3, twice: 5.5 }, { id: 4, twice: 6.0 }]
  expect rows [
    { id: 2, twice: 4.000000000001, country: \"DE\" },
    { id: 3, twice: 5.25, country: \"FR\" },
    { id: 9, twice: 9.0, country: \"FR\" },
    { id: 1, twice: 3.0, country: \"DE\" }
  ]
}
",
    );
    let ended = dbjob(here.path(), &["test", "a.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(
        ended.out,
        "\
FAILED wrong  a.dbjob:38
  rows: 1 row differs, 1 is missing, 1 is not expected, 2 are as expected
                id  twice  country
    expected     3   5.25  \"FR\"
    got          3    5.5  \"DE\"
                      ^^^  ^^^^
    missing      9    9.0  \"FR\"
    unexpected   4    6.0  \"DE\"
"
    );
    let ended = dbjob(here.path(), &["test", "a.dbjob", "--format", "json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let found: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&found["passed"], &found["failed"]), (&json!(0), &json!(1)));
    let test = &found["tests"][0];
    assert_eq!((&test["name"], &test["file"], &test["line"]), (&json!("wrong"), &json!("a.dbjob"), &json!(38)));
    let failure = &test["failures"][0];
    assert_eq!(
        (&failure["node"], &failure["as_expected"], &failure["ordered"]),
        (&json!("rows"), &json!(2), &json!(false))
    );
    assert_eq!(
        failure["rows"][0],
        json!({
            "kind": "differs",
            "expected": { "id": 3, "twice": 5.25, "country": "FR" },
            "got": { "id": 3, "twice": 5.5, "country": "DE" },
            "columns": ["twice", "country"],
        })
    );
    let kinds: Vec<&str> = failure["rows"].as_array().unwrap().iter().map(|r| r["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["differs", "missing", "unexpected"]);
}

#[test]
fn a_run_that_fails_is_a_test_that_fails() {
    let job = JOB.replace("derive twice = amount * 2.0", "derive twice = float(int(amount) * 9223372036854775807)");
    let tests = "
test overflows {
  given orders [{ amount: 3.0 }]
  given users []
  expect sums []
}
";
    let here = folder(&[("a.dbjob", &format!("{job}{tests}"))]);
    let ended = dbjob(here.path(), &["test"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    for part in ["FAILED overflows  a.dbjob:38", "error[E0709]", "[a.dbjob:21:"] {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
    let ended = dbjob(here.path(), &["test", "--format", "json"]);
    let found: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(found["tests"][0]["error"]["code"], "E0709");
}

#[test]
fn what_cannot_be_tested_is_2() {
    let here = shop(GOOD);
    let ended = dbjob(here.path(), &["test", "a.dbjob"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{ended:?}");
    assert!(ended.err.contains("error[E0105]") && ended.err.contains("not a constant"), "{ended:?}");
    let ended = dbjob(here.path(), &["test", "none.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.err.starts_with("0 tests: "), "{ended:?}");
    fs::remove_file(here.path().join("a.dbjob")).unwrap();
    let ended = dbjob(here.path(), &["test"]);
    assert!(ended.code == 2 && ended.err.contains("no .dbjob file of this folder has a test"), "{ended:?}");
    let here = shop(&GOOD.replace("0.1 + 0.2", "0.3"));
    let ended = dbjob(here.path(), &["test", "--filter", "no_such"]);
    assert!(ended.code == 2 && ended.err.contains("no test has `no_such` in its name"), "{ended:?}");
}

/// Orders of three countries; those of users 1 to 4, of which user 4 is not known.
fn live() -> tempfile::TempDir {
    let job = JOB.replace("expect count() >= 100 else fail", "expect count() >= 10 else fail");
    let mut orders = String::from("id,user_id,amount,country,at\n");
    for id in 1..=40 {
        let country = if id % 3 == 0 { "FR" } else { "DE" };
        orders.push_str(&format!("{id},{},{}.5,{country},2024-01-{:02}\n", id % 4 + 1, id % 7, id % 28 + 1));
    }
    folder(&[
        ("a.dbjob", &format!("{job}# The end.\n")),
        ("orders.csv", &orders),
        ("users.csv", "user_id,age\n1,31\n2,\n3,45\n9,80\n"),
    ])
}

#[test]
fn a_test_is_made_from_data_and_holds() {
    let here = live();
    for node in ["rows", "sums", "scaled", "centred"] {
        let ended = dbjob(here.path(), &["test", "--create", node]);
        assert_eq!(ended.code, 0, "{node}: {ended:?}");
        assert!(ended.out.starts_with(&format!("test {node}_from_data {{\n  given orders [\n")), "{ended:?}");
        assert!(ended.err.contains(&format!("the test `{node}_from_data` stands in a.dbjob:")), "{ended:?}");
        let text = fs::read_to_string(here.path().join("a.dbjob")).unwrap();
        assert!(text.starts_with(JOB.split_once("expect count").unwrap().0) && text.ends_with(&ended.out), "{text}");
    }
    assert_eq!(dbjob(here.path(), &["fmt", "--check", "a.dbjob"]).code, 0);
    let ended = dbjob(here.path(), &["test"]);
    assert!(ended.code == 0 && ended.err.starts_with("4 tests: 4 passed"), "{ended:?}");
    // Again: another name, and the same rows.
    let again = dbjob(here.path(), &["test", "--create", "rows", "--format", "json", "a.dbjob"]);
    let made: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!((&made["name"], &made["file"]), (&json!("rows_from_data_2"), &json!("a.dbjob")));
}

#[test]
fn a_made_test_has_few_rows_and_the_columns_that_matter() {
    let here = live();
    let ended = dbjob(here.path(), &["test", "--create", "sums", "a.dbjob"]);
    assert_eq!(
        ended.out,
        "\
test sums_from_data {
  given orders [
    { amount: 3.5, country: \"FR\" },
    { amount: 4.5, country: \"DE\" }
  ]
  given users []
  expect sums [
    { country: \"DE\", total: 9.0, n: 1 },
    { country: \"FR\", total: 7.0, n: 1 }
  ]
}
"
    );
}

#[test]
fn what_no_test_can_be_made_of_is_told_and_nothing_is_written() {
    let here = live();
    let before = fs::read_to_string(here.path().join("a.dbjob")).unwrap();
    for (args, code, part) in [
        (&["--create", "row"][..], 2, "did you mean `rows`?"),
        (&["--create", "orders"], 2, "`orders` is a dataset"),
        (&["--create", "rows", "--set", "least=1000"], 1, "no row of the data reaches `rows`"),
        (&["--create", "rows", "a.dbjob", "b.dbjob"], 2, "several are named"),
    ] {
        let ended = dbjob(here.path(), &[&["test"], args].concat());
        assert!(ended.code == code && ended.err.contains(part), "{args:?}: {ended:?}");
    }
    assert_eq!(fs::read_to_string(here.path().join("a.dbjob")).unwrap(), before);
}
