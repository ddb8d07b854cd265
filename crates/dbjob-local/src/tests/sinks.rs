use dbjob_plan::{CsvOptions, DataType, Event, Field, NamedExpr, Op, PART, Target};
use polars::prelude::{Column, DataFrame, NamedFrom, Series, df};

use super::*;

fn sample() -> (Bench, NodeId) {
    let mut bench = Bench::new();
    let mut rows = df![
        "i" => [Some(1_i64), None],
        "x" => [0.1 + 0.2, f64::NAN],
        "s" => ["a,\"b\"\n", ""],
        "t" => [1_500_000_i64, 0],
        "d" => [Some(0_i32), None],
    ]
    .unwrap();
    for (name, dtype) in [("d", Date), ("t", Datetime)] {
        let typed = rows.column(name).unwrap().cast(&crate::types::polars_type(&dtype)).unwrap();
        rows.with_column(typed).unwrap();
    }
    let lists = Series::new("v".into(), [Series::new("".into(), [1.5, 2.0]), Series::new("".into(), [0.0, 0.0])]);
    rows.with_column(Column::from(lists)).unwrap();
    let fields = vec![
        field("i", Int),
        field("x", Float),
        field("s", Text),
        field("t", Datetime),
        field("d", Date),
        field("v", DataType::Vector { width: None }),
    ];
    let input = bench.table("data", rows, fields.clone());
    let mut all = fields;
    all.push(Field { hidden: true, ..required(PART, Int) });
    let columns = vec![NamedExpr { name: PART.into(), expr: int(0) }];
    let node = bench.step(Op::Derive { columns }, all, &[input]);
    (bench, node)
}

#[test]
fn every_format_without_hidden_columns() {
    let (mut bench, node) = sample();
    bench.deploy("c", Target::Csv { path: "deep/out.csv".into() }, node);
    bench.deploy("n", Target::Ndjson { path: "out.ndjson".into() }, node);
    bench.deploy("p", Target::Parquet { path: "out.parquet".into() }, node);
    let report = bench.run().unwrap();
    assert_eq!(
        report.tables.iter().map(|t| (t.item.as_str(), t.rows)).collect::<Vec<_>>(),
        [("c", 2), ("n", 2), ("p", 2)]
    );
    let text = |name: &str| std::fs::read_to_string(bench.path(name)).unwrap();
    assert_eq!(
        text("deep/out.csv"),
        "i,x,s,t,d,v\n1,0.30000000000000004,\"a,\"\"b\"\"\n\",1970-01-01T00:00:01.5,1970-01-01,\"[1.5,2.0]\"\n,NaN,\"\",1970-01-01T00:00:00,,\"[0.0,0.0]\"\n"
    );
    let lines: Vec<serde_json::Value> = text("out.ndjson").lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines[0]["t"], "1970-01-01T00:00:01.5");
    assert_eq!(lines[0]["v"], serde_json::json!([1.5, 2.0]));
    assert_eq!(names(&read_parquet(&bench.path("out.parquet"))), "i x s t d v");
    let events = bench.events.lock().unwrap();
    let written = events.iter().filter(|e| matches!(e, Event::Written { kind, .. } if kind == "table")).count();
    assert_eq!(written, 3);
}

#[cfg(unix)]
#[test]
fn outputs_have_the_usual_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let (mut bench, node) = sample();
    bench.deploy("c", Target::Csv { path: "out.csv".into() }, node);
    bench.run().unwrap();
    let usual = std::fs::metadata(bench.path("data.parquet")).unwrap().permissions().mode();
    assert_eq!(std::fs::metadata(bench.path("out.csv")).unwrap().permissions().mode(), usual);
}

#[test]
fn a_failed_run_leaves_the_old_output_and_nothing_else() {
    let mut bench = Bench::new();
    bench.file("out.csv", "old");
    let input = bench.csv("data", "s\n1\nx\n", vec![field("s", Text)]);
    let expr = call("int", vec![col("s", Text)], Int);
    let columns = vec![NamedExpr { name: "n".into(), expr }];
    let node = bench.step(Op::Derive { columns }, vec![field("s", Text), field("n", Int)], &[input]);
    bench.deploy("out", Target::Csv { path: "out.csv".into() }, node);
    assert_eq!(bench.run().unwrap_err().code, "E0710");
    assert_eq!(std::fs::read_to_string(bench.path("out.csv")).unwrap(), "old");
    assert_eq!(bench.names(), ["data.csv", "out.csv"]);
}

#[test]
fn what_cannot_be_written_is_said() {
    for path in ["data.csv/out.csv", "folder"] {
        let mut bench = Bench::new();
        std::fs::create_dir(bench.path("folder")).unwrap();
        let input = bench.csv("data", "s\n1\n", vec![field("s", Text)]);
        bench.deploy("out", Target::Csv { path: path.into() }, input);
        assert_eq!(bench.run().unwrap_err().code, "E0713", "{path}");
        assert_eq!(bench.names(), ["data.csv", "folder"]);
    }
}

#[test]
fn written_files_read_back_equal() {
    let mut bench = Bench::new();
    let rows = df!["x" => [Some(0.1), Some(1e-300), Some(1.0 / 3.0), Some(f64::INFINITY), None], "i" => [i64::MAX, i64::MIN, 0, 1, 2]];
    let fields = vec![field("x", Float), field("i", Int)];
    let input = bench.table("data", rows.unwrap(), fields.clone());
    bench.deploy("c", Target::Csv { path: "out.csv".into() }, input);
    bench.run().unwrap();
    let mut again = Bench::new();
    again.file("in.csv", std::fs::read(bench.path("out.csv")).unwrap());
    let node = again.read("data", dbjob_plan::Format::Csv(CsvOptions::default()), "in.csv", fields);
    let back: DataFrame = again.rows(node).unwrap();
    assert_eq!(lines(&back), lines(&read_parquet(&bench.path("data.parquet"))));
}

#[test]
fn a_null_that_is_alone_in_its_row_is_no_blank_line() {
    let rows = df!["x" => [Some(1.5), None, Some(-2.0)], "s" => [None, Some("a b"), Some("c,d")]].unwrap();
    for (name, dtype, text) in [("x", Float, "x\n1.5\n\"\"\n-2.0\n"), ("s", Text, "s\n\"\"\na b\n\"c,d\"\n")] {
        let mut bench = Bench::new();
        let input = bench.table("data", rows.select([name]).unwrap(), vec![field(name, dtype.clone())]);
        bench.deploy("c", Target::Csv { path: "out.csv".into() }, input);
        bench.run().unwrap();
        assert_eq!(std::fs::read_to_string(bench.path("out.csv")).unwrap(), text);
        let node =
            bench.read("again", dbjob_plan::Format::Csv(CsvOptions::default()), "out.csv", vec![field(name, dtype)]);
        assert_eq!(lines(&bench.rows(node).unwrap()), lines(&rows.select([name]).unwrap()));
    }
}
