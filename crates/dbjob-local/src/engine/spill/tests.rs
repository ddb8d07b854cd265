//! A table that two items read, from memory and from a file.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};

use dbjob_plan::{BinaryOp, ExpectAction, Expectation, NamedExpr, NodeId, Op, RunError, RunReport, Target};
use polars::prelude::{DataFrame, DataType as P, TimeUnit, df};

use crate::tests::{
    Bench, Bool, Date, Datetime, Float, Int, Text, call, col, field, float, op, read_parquet, required,
};

thread_local! {
    /// To the tests of this crate every file is large, unless they say otherwise.
    static LARGE: Cell<u64> = const { Cell::new(0) };
    static TEMPORARY: RefCell<Option<PathBuf>> = const { RefCell::new(None) };
}

pub fn large() -> u64 {
    LARGE.get()
}

pub fn temporary() -> PathBuf {
    TEMPORARY.with_borrow(|folder| folder.clone().unwrap_or_else(std::env::temp_dir))
}

const ROWS: i64 = 300_000;

fn rows() -> DataFrame {
    let k: Vec<i64> = (0..ROWS).collect();
    let some = |every: i64| move |k: &i64| k % every != 0;
    let ints: Vec<Option<i64>> = k.iter().map(|k| Some(k.wrapping_mul(i64::MAX / 7)).filter(|_| some(5)(k))).collect();
    let floats = [f64::NAN, -0.0, f64::INFINITY, 0.1];
    let floats: Vec<Option<f64>> = k.iter().map(|k| Some(floats[*k as usize % 4]).filter(|_| some(7)(k))).collect();
    let texts: Vec<Option<String>> = k.iter().map(|k| Some(format!("ä{}", k % 97)).filter(|_| some(11)(k))).collect();
    let bools: Vec<Option<bool>> = k.iter().map(|k| Some(k % 2 == 0).filter(|_| some(3)(k))).collect();
    let times: Vec<i64> = k.iter().map(|k| (k - ROWS / 2) * 86_400_000_000 / 1_000).collect();
    let days: Vec<i32> = k.iter().map(|k| (k % 20_000) as i32 - 10_000).collect();
    let mut rows =
        df!["k" => k, "i" => ints, "x" => floats, "s" => texts, "b" => bools, "t" => times, "d" => days].unwrap();
    for (name, dtype) in [("t", P::Datetime(TimeUnit::Microseconds, None)), ("d", P::Date)] {
        let column = rows.column(name).unwrap().cast(&dtype).unwrap();
        rows.with_column(column).unwrap();
    }
    rows
}

/// Rows with a rule and a new column, which two files are made of.
fn bench() -> (Bench, NodeId) {
    let mut bench = Bench::new();
    let mut fields = vec![
        required("k", Int),
        field("i", Int),
        field("x", Float),
        field("s", Text),
        field("b", Bool),
        required("t", Datetime),
        required("d", Date),
    ];
    let source = bench.table("data", rows(), fields.clone());
    let predicate = op(BinaryOp::Gt, col("x", Float), float(0.0));
    let rule =
        Expectation { predicate, unique: vec![], action: ExpectAction::Drop, quarantine: None, text: "x > 0.0".into() };
    let kept = bench.step(Op::Expect(rule), fields.clone(), &[source]);
    let columns = vec![NamedExpr {
        name: "half".into(),
        expr: op(BinaryOp::Div, call("float", vec![col("k", Int)], Float), float(2.0)),
    }];
    fields.push(field("half", Float));
    let shared = bench.step(Op::Derive { columns }, fields, &[kept]);
    for name in ["one", "two"] {
        bench.deploy(name, Target::Parquet { path: format!("{name}.parquet") }, shared);
    }
    (bench, shared)
}

fn run(bench: &Bench, large: u64, folder: &Path) -> Result<RunReport, RunError> {
    LARGE.set(large);
    TEMPORARY.set(Some(folder.to_owned()));
    let ran = bench.run();
    LARGE.set(0);
    TEMPORARY.set(None);
    ran
}

fn told(bench: &Bench) -> Vec<String> {
    let events = bench.events.lock().unwrap();
    let told = events.iter().map(|e| serde_json::to_value(e).unwrap());
    told.filter(|e| e["event"] == "expected").map(|e| e.to_string()).collect()
}

#[test]
fn a_table_is_the_same_from_its_file_as_from_memory() {
    let (bench, _) = bench();
    let temporary = tempfile::tempdir().unwrap();
    let size = fs::metadata(bench.path("data.parquet")).unwrap().len();
    let made = |large| {
        let report = run(&bench, large, temporary.path()).unwrap();
        let tables = ["one.parquet", "two.parquet"].map(|name| read_parquet(&bench.path(name)));
        (report.tables.iter().map(|t| t.rows).collect::<Vec<_>>(), tables, told(&bench))
    };
    let (heights, [one, two], rules) = made(size);
    assert!(heights[0] > 10_000 && heights[0] < ROWS as u64, "{heights:?}");
    assert_eq!(rules.len(), 1, "{rules:?}");
    assert!(one.equals_missing(&two));
    let (from_file, [three, four], rules_from_file) = made(size - 1);
    assert_eq!((from_file, rules_from_file), (heights, rules));
    assert!(three.equals_missing(&one) && four.equals_missing(&one));
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "nothing is left of the file");
}

#[test]
fn without_a_place_for_its_file_a_large_table_is_an_error_that_names_the_place() {
    let (bench, _) = bench();
    let nowhere = bench.path("nowhere");
    let error = run(&bench, 0, &nowhere).unwrap_err();
    assert_eq!(error.code, "E0713");
    assert!(error.message.contains(nowhere.to_str().unwrap()), "{}", error.message);
    assert_eq!(bench.names(), ["data.parquet"]);
    run(&bench, u64::MAX, &nowhere).expect("in memory there is no need of it");
}

#[test]
fn a_failure_on_the_way_leaves_no_file() {
    let (mut bench, shared) = bench();
    let mut fields = bench.plan.node(shared).schema.fields.clone();
    fields.push(field("n", Int));
    let columns = vec![NamedExpr { name: "n".into(), expr: call("int", vec![col("s", Text)], Int) }];
    let broken = bench.step(Op::Derive { columns }, fields, &[shared]);
    for name in ["three", "four"] {
        bench.deploy(name, Target::Parquet { path: format!("{name}.parquet") }, broken);
    }
    let temporary = tempfile::tempdir().unwrap();
    assert_eq!(run(&bench, 0, temporary.path()).unwrap_err().code, "E0710");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}
