use dbjob_plan::{
    BinaryOp as B, DataType, Expr, Field, Join, JoinKind, Keep, NamedExpr, Op, Projection, RunError, SortKey,
};
use polars::prelude::{DataFrame, df};

use super::*;

fn named(name: &str, expr: Expr) -> NamedExpr {
    NamedExpr { name: name.into(), expr }
}

fn project(pairs: &[(&str, &str)]) -> Vec<Projection> {
    pairs.iter().map(|(from, to)| Projection { from: (*from).into(), to: (*to).into() }).collect()
}

fn key(name: &str, dtype: DataType, descending: bool) -> SortKey {
    SortKey { expr: col(name, dtype), descending }
}

/// Users and what they bought; a null key on both sides, one buyer without a user.
fn shop() -> (Bench, NodeId, NodeId) {
    let mut bench = Bench::new();
    let orders =
        df!["user" => [Some(2_i64), Some(1), None, Some(9), Some(2)], "amount" => [10.0, 20.0, 30.0, 40.0, 50.0]];
    let orders = bench.table("orders", orders.unwrap(), vec![field("user", Int), field("amount", Float)]);
    let users = df!["id" => [Some(1_i64), Some(2), Some(3), None], "name" => ["ann", "bob", "cy", "nobody"]];
    let users = bench.table("users", users.unwrap(), vec![field("id", Int), field("name", Text)]);
    (bench, orders, users)
}

fn joined(kind: JoinKind) -> Vec<String> {
    let (mut bench, orders, users) = shop();
    let semi = matches!(kind, JoinKind::Semi | JoinKind::Anti);
    let join = Join {
        kind,
        on: if kind == JoinKind::Cross { vec![] } else { vec![("user".into(), "id".into())] },
        right_columns: if semi { vec![] } else { project(&[("name", "who")]) },
        verify_unique_right: false,
        verify_unique_left: false,
        lookup: false,
        asof: None,
    };
    let mut fields = vec![field("user", Int), field("amount", Float)];
    if !semi {
        fields.push(field("who", Text));
    }
    let node = bench.step(Op::Join(join), fields, &[orders, users]);
    lines(&bench.rows(node).unwrap())
}

#[test]
fn joins_keep_left_order_and_never_match_null() {
    assert_eq!(joined(JoinKind::Inner), ["2 10.0 \"bob\"", "1 20.0 \"ann\"", "2 50.0 \"bob\""]);
    assert_eq!(
        joined(JoinKind::Left),
        ["2 10.0 \"bob\"", "1 20.0 \"ann\"", "null 30.0 null", "9 40.0 null", "2 50.0 \"bob\""]
    );
    assert_eq!(joined(JoinKind::Semi), ["2 10.0", "1 20.0", "2 50.0"]);
    assert_eq!(joined(JoinKind::Anti), ["null 30.0", "9 40.0"]);
    let mut full = joined(JoinKind::Full);
    full.sort();
    assert_eq!(
        full,
        [
            "1 20.0 \"ann\"",
            "2 10.0 \"bob\"",
            "2 50.0 \"bob\"",
            "3 null \"cy\"",
            "9 40.0 null",
            "null 30.0 null",
            "null null \"nobody\"",
        ]
    );
    let cross = joined(JoinKind::Cross);
    assert_eq!(cross.len(), 20);
    assert_eq!(cross[..2], ["2 10.0 \"ann\"", "2 10.0 \"bob\""]);
}

#[test]
fn a_full_join_fills_the_left_key_only_for_a_right_key_that_does_not_come_over() {
    let (mut bench, orders, users) = shop();
    let join = Join {
        kind: JoinKind::Full,
        on: vec![("user".into(), "id".into())],
        right_columns: project(&[("id", "id"), ("name", "who")]),
        verify_unique_right: false,
        verify_unique_left: false,
        lookup: false,
        asof: None,
    };
    let fields = vec![field("user", Int), field("amount", Float), field("id", Int), field("who", Text)];
    let node = bench.step(Op::Join(join), fields, &[orders, users]);
    let mut full = lines(&bench.rows(node).unwrap());
    full.sort();
    assert_eq!(
        full,
        [
            "1 20.0 1 \"ann\"",
            "2 10.0 2 \"bob\"",
            "2 50.0 2 \"bob\"",
            "9 40.0 null null",
            "null 30.0 null null",
            "null null 3 \"cy\"",
            "null null null \"nobody\"",
        ]
    );
}

#[test]
fn a_repeated_key_of_the_right_side_is_named() {
    let mut bench = Bench::new();
    let left = bench.table("l", df!["k" => [1_i64], "m" => ["a"]].unwrap(), vec![field("k", Int), field("m", Text)]);
    let right = df!["k" => [Some(1_i64), Some(4), Some(4), Some(4), None, None], "m" => ["a"; 6], "v" => [1_i64; 6]];
    let right = bench.table("r", right.unwrap(), vec![field("k", Int), field("m", Text), field("v", Int)]);
    let join = Join {
        kind: JoinKind::Inner,
        on: vec![("k".into(), "k".into()), ("m".into(), "m".into())],
        right_columns: project(&[("v", "v")]),
        verify_unique_right: true,
        verify_unique_left: false,
        lookup: false,
        asof: None,
    };
    let fields = vec![field("k", Int), field("m", Text), field("v", Int)];
    let node = bench.step(Op::Join(join.clone()), fields.clone(), &[left, right]);
    let error = bench.rows(node).unwrap_err();
    assert_eq!(error.code, "E0708");
    assert!(error.message.contains("`r` has 3 rows with k = 4, m = \"a\""), "{}", error.message);
    // Keys with a null may repeat.
    let only = bench.step(
        Op::Filter { predicate: op(B::Ne, call("coalesce", vec![col("k", Int), int(0)], Int), int(4)) },
        vec![field("k", Int), field("m", Text), field("v", Int)],
        &[right],
    );
    let node = bench.step(Op::Join(join), fields, &[left, only]);
    assert_eq!(lines(&bench.rows(node).unwrap()), ["1 \"a\" 1"]);
}

fn numbers() -> (DataFrame, Vec<Field>) {
    let rows = df![
        "g" => [Some("b"), None, Some("a"), Some("b"), None, Some("c")],
        "i" => [Some(1_i64), Some(2), Some(3), Some(4), Some(2), None],
        "x" => [Some(1.5), Some(f64::NAN), None, Some(2.5), Some(-1.0), None],
        "b" => [Some(true), Some(false), None, Some(true), Some(true), None],
    ];
    (rows.unwrap(), vec![field("g", Text), field("i", Int), field("x", Float), field("b", Bool)])
}

fn grouped(expr: Expr) -> Result<Vec<String>, RunError> {
    let mut bench = Bench::new();
    let (rows, fields) = numbers();
    let input = bench.table("data", rows, fields);
    let out = vec![field("g", Text), field("v", expr.dtype.clone())];
    let keys = vec![named("g", col("g", Text))];
    let node = bench.step(Op::Group { keys, aggregates: vec![named("v", expr)] }, out, &[input]);
    bench.rows(node).map(|t| sorted(&t))
}

fn of_all(expr: Expr) -> Result<String, RunError> {
    let mut bench = Bench::new();
    let (rows, fields) = numbers();
    let input = bench.table("data", rows, fields);
    let out = vec![field("v", expr.dtype.clone())];
    let node = bench.step(Op::Group { keys: vec![], aggregates: vec![named("v", expr)] }, out, &[input]);
    bench.rows(node).map(|t| values(&t, "v"))
}

#[test]
fn aggregates_by_group_and_over_all() {
    let (i, x, b) = (|| col("i", Int), || col("x", Float), || col("b", Bool));
    for (function, args, dtype, by_group, over_all) in [
        ("count", vec![], Int, "1 2 1 2", "6"),
        ("count", vec![i()], Int, "1 2 0 2", "5"),
        ("count_distinct", vec![i()], Int, "1 2 0 1", "4"),
        ("sum", vec![i()], Int, "3 5 null 4", "12"),
        ("sum", vec![x()], Float, "null 4.0 null NaN", "NaN"),
        ("sum", vec![b()], Int, "null 2 null 1", "3"),
        ("mean", vec![i()], Float, "3.0 2.5 null 2.0", "2.4"),
        ("min", vec![x()], Float, "null 1.5 null -1.0", "-1.0"),
        ("max", vec![x()], Float, "null 2.5 null NaN", "NaN"),
        ("max", vec![col("g", Text)], Text, "\"a\" \"b\" \"c\" null", "\"c\""),
        ("median", vec![i()], Float, "3.0 2.5 null 2.0", "2.0"),
        ("quantile", vec![i(), float(0.25)], Float, "3.0 1.75 null 2.0", "2.0"),
        ("std", vec![i()], Float, "null 2.1213203435596424 null 0.0", "1.1401754250991"),
        ("var", vec![i()], Float, "null 4.5 null 0.0", "1.29999999999999"),
        ("any", vec![b()], Bool, "null true null true", "true"),
        ("all", vec![b()], Bool, "null true null false", "false"),
        ("first", vec![i()], Int, "3 1 null 2", "1"),
        ("last", vec![i()], Int, "3 4 null 2", "null"),
        ("mode", vec![i()], Int, "3 1 null 2", "2"),
    ] {
        let expr = || aggregate(function, args.clone(), dtype.clone());
        // Groups sorted: "a", "b", "c", null.
        let found = grouped(expr()).unwrap_or_else(|e| panic!("{function}: {e}"));
        let found: Vec<&str> = found.iter().map(|l| l.split_once(' ').unwrap().1).collect();
        assert_eq!(found.join(" "), by_group, "{function} by group");
        let found = of_all(expr()).unwrap();
        // Sums of floats depend on the order of addition in the last digits.
        let near = |a: &str, b: &str| a == b || (b.len() > 8 && a.starts_with(b));
        assert!(near(&found, over_all), "{function} over all: {found} {over_all}");
    }
    let both = op(B::Sub, aggregate("max", vec![i()], Int), aggregate("min", vec![i()], Int));
    assert_eq!(grouped(both.clone()).unwrap(), ["\"a\" 0", "\"b\" 3", "\"c\" null", "null 0"]);
    assert_eq!(of_all(both).unwrap(), "3");
}

#[test]
fn a_sum_that_overflows_is_an_error() {
    for (rows, fits) in [
        (vec![i64::MAX, 1, -1], true),
        (vec![i64::MIN, -1, 1], true),
        (vec![i64::MAX, 1], false),
        (vec![i64::MIN, -1], false),
        (vec![i64::MAX; 8], false),
        (vec![i64::MAX / 4; 4], true),
    ] {
        for keyed in [false, true] {
            let mut bench = Bench::new();
            let table = df!["k" => vec![1_i64; rows.len()], "i" => rows.clone()].unwrap();
            let input = bench.table("data", table, vec![field("k", Int), field("i", Int)]);
            let keys = if keyed { vec![named("k", col("k", Int))] } else { vec![] };
            let aggregates = vec![named("s", aggregate("sum", vec![col("i", Int)], Int))];
            let fields = if keyed { vec![field("k", Int), field("s", Int)] } else { vec![field("s", Int)] };
            let node = bench.step(Op::Group { keys, aggregates }, fields, &[input]);
            match bench.rows(node) {
                Ok(table) if fits => {
                    let sum: i128 = rows.iter().map(|i| i128::from(*i)).sum();
                    assert_eq!(values(&table, "s"), sum.to_string());
                }
                Err(error) if !fits => assert_eq!(error.code, "E0709", "{error}"),
                other => panic!("{rows:?} {keyed}: {:?}", other.map(|t| lines(&t))),
            }
        }
    }
}

#[test]
fn sorting_puts_null_last_both_ways_and_is_stable() {
    let (rows, fields) = numbers();
    for (name, dtype, descending, expected) in [
        ("x", Float, false, "-1.0 1.5 2.5 NaN null null"),
        ("x", Float, true, "NaN 2.5 1.5 -1.0 null null"),
        ("i", Int, true, "4 3 2 2 1 null"),
    ] {
        let mut bench = Bench::new();
        let input = bench.table("data", rows.clone(), fields.clone());
        let node = bench.step(Op::Sort { keys: vec![key(name, dtype, descending)] }, fields.clone(), &[input]);
        let table = bench.rows(node).unwrap();
        assert_eq!(values(&table, name), expected);
        if name == "i" {
            assert_eq!(values(&table, "x"), "2.5 null NaN -1.0 1.5 null");
        }
    }
}

#[test]
fn distinct_take_and_union() {
    let (rows, fields) = numbers();
    let mut bench = Bench::new();
    let input = bench.table("data", rows, fields.clone());
    let by = |keep, order| Op::Distinct { by: vec!["g".into()], keep, order };
    let first = bench.step(by(Keep::First, vec![]), fields.clone(), &[input]);
    assert_eq!(values(&bench.rows(first).unwrap(), "i"), "1 2 3 null");
    let last = bench.step(by(Keep::Last, vec![]), fields.clone(), &[input]);
    let mut found: Vec<String> = values(&bench.rows(last).unwrap(), "i").split(' ').map(String::from).collect();
    found.sort();
    assert_eq!(found, ["2", "3", "4", "null"]);
    let top = bench.step(by(Keep::First, vec![key("x", Float, true)]), fields.clone(), &[input]);
    let mut found = sorted(&bench.rows(top).unwrap());
    found.retain(|l| l.starts_with("\"b\"") || l.starts_with("null"));
    assert_eq!(found, ["\"b\" 4 2.5 true", "null 2 NaN false"]);
    let two = bench.step(Op::Take { count: 2 }, fields.clone(), &[input]);
    assert_eq!(values(&bench.rows(two).unwrap(), "i"), "1 2");
    let mut turned = fields.clone();
    turned.reverse();
    let columns = project(&[("b", "b"), ("x", "x"), ("i", "i"), ("g", "g")]);
    let other = bench.step(Op::Project { columns }, turned, &[two]);
    let both = bench.step(Op::Union, fields, &[two, other]);
    assert_eq!(values(&bench.rows(both).unwrap(), "i"), "1 2 1 2");
}

#[test]
fn derive_sees_earlier_columns_and_project_renames() {
    let (rows, fields) = numbers();
    let mut bench = Bench::new();
    let input = bench.table("data", rows, fields.clone());
    let columns = vec![
        named("j", op(B::Add, col("i", Int), int(1))),
        named("k", op(B::Mul, col("j", Int), int(10))),
        named("j", op(B::Sub, col("j", Int), int(1))),
        named("unused", op(B::Mul, col("i", Int), int(i64::MAX))),
    ];
    let mut more = fields.clone();
    more.extend([field("j", Int), field("k", Int), field("unused", Int)]);
    let derived = bench.step(Op::Derive { columns }, more, &[input]);
    let columns = project(&[("k", "ten"), ("j", "i")]);
    let node = bench.step(Op::Project { columns }, vec![field("ten", Int), field("i", Int)], &[derived]);
    // `unused` would overflow, but nothing reads it.
    let table = bench.rows(node).unwrap();
    assert_eq!(lines(&table)[..2], ["20 1", "30 2"]);
    assert_eq!(names(&table), "ten i");
}
