use dbjob_plan::{
    Backend, BinaryOp as B, Cancel, Event, ExpectAction, Expectation, ItemKind, NamedExpr, Op, PlanItem, RunContext,
    Target,
};
use polars::prelude::df;

use super::*;

fn rule(predicate: Expr, action: ExpectAction) -> Op {
    Op::Expect(Expectation { predicate, unique: vec![], action, quarantine: None, text: "x > 1".into() })
}

fn unique(columns: &[&str], action: ExpectAction) -> Op {
    let unique = columns.iter().map(|c| (*c).to_string()).collect();
    Op::Expect(Expectation {
        predicate: lit(Value::Bool(true)),
        unique,
        action,
        quarantine: None,
        text: "unique(k)".into(),
    })
}

fn data() -> (Bench, NodeId, Vec<Field>) {
    let mut bench = Bench::new();
    let fields = vec![field("k", Int), field("x", Float)];
    let rows = df!["k" => [1_i64, 2, 2, 4], "x" => [Some(5.0), Some(0.5), None, Some(2.0)]].unwrap();
    let input = bench.table("data", rows, fields.clone());
    (bench, input, fields)
}

fn found(bench: &Bench) -> Vec<(u64, String)> {
    let events = bench.events.lock().unwrap();
    events
        .iter()
        .filter_map(|e| match e {
            Event::Expected { failed, action, .. } => Some((*failed, action.clone())),
            _ => None,
        })
        .collect()
}

#[test]
fn rules_over_rows() {
    let above = || op(B::Gt, col("x", Float), float(1.0));
    for (action, word, rows) in [(ExpectAction::Drop, "drop", 2), (ExpectAction::Warn, "warn", 4)] {
        let (mut bench, input, fields) = data();
        let checked = bench.step(rule(above(), action), fields.clone(), &[input]);
        // A filter below that removes failing rows does not hide them from the count.
        let filter = Op::Filter { predicate: op(B::Ge, col("k", Int), int(0)) };
        let node = bench.step(filter, fields, &[checked]);
        assert_eq!(bench.rows(node).unwrap().height(), rows);
        assert_eq!(found(&bench), [(2, word.to_string())]);
    }
    let (mut bench, input, fields) = data();
    let checked = bench.step(rule(above(), ExpectAction::Warn), fields.clone(), &[input]);
    let filter = Op::Filter { predicate: op(B::Gt, col("x", Float), float(3.0)) };
    let node = bench.step(filter, fields.clone(), &[checked]);
    assert_eq!(bench.rows(node).unwrap().height(), 1);
    assert_eq!(found(&bench), [(2, "warn".to_string())]);

    let (mut bench, input, fields) = data();
    let node = bench.step(rule(above(), ExpectAction::Fail), fields, &[input]);
    let error = bench.rows(node).unwrap_err();
    assert_eq!(error.code, "E0711");
    assert!(error.message.contains("2 rows"), "{}", error.message);
    let data = error.data.unwrap();
    assert_eq!((data.row, data.value.as_deref()), (Some(2), Some("x = 0.5")));
    assert_eq!(bench.names(), ["data.parquet"]);
}

#[test]
fn rules_over_the_table() {
    let enough = |n| op(B::Ge, aggregate("count", vec![], Int), int(n));
    let (mut bench, input, fields) = data();
    let node = bench.step(rule(enough(4), ExpectAction::Fail), fields.clone(), &[input]);
    assert_eq!(bench.rows(node).unwrap().height(), 4);
    assert_eq!(found(&bench), [(0, "fail".to_string())]);
    let node = bench.step(rule(enough(5), ExpectAction::Fail), fields.clone(), &[input]);
    assert_eq!(bench.rows(node).unwrap_err().code, "E0711");
    let node = bench.step(rule(enough(5), ExpectAction::Warn), fields.clone(), &[input]);
    assert_eq!(bench.rows(node).unwrap().height(), 4);
    let node = bench.step(unique(&["k"], ExpectAction::Fail), fields.clone(), &[input]);
    let error = bench.rows(node).unwrap_err();
    assert!(error.code == "E0711" && error.message.contains("2 rows with k = 2"), "{error}");
    let node = bench.step(unique(&["k", "x"], ExpectAction::Fail), fields, &[input]);
    assert_eq!(bench.rows(node).unwrap().height(), 4);
}

#[test]
fn a_table_that_two_steps_read_is_computed_once() {
    let (mut bench, input, fields) = data();
    let checked =
        bench.step(rule(op(B::Gt, col("x", Float), float(1.0)), ExpectAction::Drop), fields.clone(), &[input]);
    bench.deploy("a", Target::Csv { path: "a.csv".into() }, checked);
    bench.deploy("b", Target::Csv { path: "b.csv".into() }, checked);
    let report = bench.run().unwrap();
    assert_eq!(report.tables.iter().map(|t| t.rows).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(found(&bench).len(), 1, "the rule is told once");
}

#[test]
fn a_table_that_nothing_reads_is_computed_and_counted() {
    let (mut bench, input, fields) = data();
    let columns = vec![NamedExpr { name: "n".into(), expr: call("int", vec![col("x", Float)], Int) }];
    let mut more = fields;
    more.push(field("n", Int));
    let node = bench.step(Op::Derive { columns }, more, &[input]);
    let item = PlanItem { name: "rows".into(), kind: ItemKind::Transform, output: node, module: None, doc: None };
    bench.plan.items.push(item);
    let report = bench.run().unwrap();
    assert_eq!((report.tables[0].item.as_str(), report.tables[0].rows), ("rows", 4));
    let events: Vec<String> =
        bench.events.lock().unwrap().iter().map(|e| serde_json::to_value(e).unwrap()["event"].to_string()).collect();
    assert!(!events.iter().any(|e| e.starts_with("\"run_")), "begin and end are the runtime's to tell: {events:?}");
    assert!(events.contains(&"\"item_finished\"".to_string()));
}

#[test]
fn a_cancelled_run_stops() {
    let (mut bench, input, _) = data();
    bench.deploy("a", Target::Csv { path: "a.csv".into() }, input);
    let cancel = Cancel::default();
    cancel.cancel();
    let base = bench.folder.path().to_path_buf();
    let mut cx = RunContext { cancel, ..RunContext::new(base, &|_| ()) };
    assert_eq!(LocalEngine.run(&bench.plan, &mut cx).unwrap_err().code, "E0718");
    let mut goal = RunContext { goal: vec!["x".into()], ..RunContext::new(cx.base.clone(), &|_| ()) };
    assert_eq!(LocalEngine.run(&bench.plan, &mut goal).unwrap_err().code, "E0799");
    goal.goal = vec!["a".into()];
    assert_eq!(LocalEngine.run(&bench.plan, &mut goal).unwrap().tables.len(), 1);
}

#[test]
fn what_is_lacking_is_told_before_the_run() {
    let (mut bench, input, mut fields) = data();
    fields.push(field("n", Int));
    let columns = vec![
        NamedExpr { name: "n".into(), expr: call("frobnicate", vec![col("x", Float)], Int) },
        NamedExpr { name: "m".into(), expr: aggregate("skewness", vec![col("x", Float)], Float) },
    ];
    bench.step(Op::Derive { columns }, fields, &[input]);
    let lacking: Vec<String> = LocalEngine.unsupported(&bench.plan).into_iter().map(|u| u.what).collect();
    assert_eq!(lacking, ["the function `frobnicate`", "the aggregate `skewness`"]);
}

#[test]
fn padded_numbers_far_down_are_read_all_the_same() {
    let mut bench = Bench::new();
    let mut text = String::from("k,n\n");
    for i in 0..50_000 {
        text.push_str(&format!("{i},{}\n", if i == 40_000 { "7 ".into() } else { i.to_string() }));
    }
    let node = bench.csv("data", &text, vec![field("k", Int), field("n", Int)]);
    let table = bench.rows(node).unwrap();
    assert_eq!(table.height(), 50_000);
    assert_eq!(lines(&table)[40_000], "40000 7");
}
