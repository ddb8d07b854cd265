//! Windows against what their definitions say, row by row and without cleverness.

use dbjob_plan::{Frame, NamedExpr, Op, Reach, SortKey, Value, Window};
use polars::prelude::{DataFrame, DataType as P, TimeUnit, df};
use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400_000_000;

#[derive(Debug, Clone)]
struct Row {
    group: Option<i64>,
    time: Option<i64>,
    tie: i64,
    x: Option<f64>,
    i: Option<i64>,
    b: Option<bool>,
    s: Option<&'static str>,
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let x = prop_oneof![
        8 => (-6_i32..6).prop_map(|q| f64::from(q) / 4.0),
        1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => Just(-0.0),
    ];
    let row = (
        prop::option::weighted(0.8, 0_i64..2),
        prop::option::weighted(0.9, (0_i64..12).prop_map(|half| half * DAY / 2)),
        0_i64..3,
        prop::option::weighted(0.8, x),
        prop::option::weighted(0.8, -3_i64..4),
        prop::option::weighted(0.7, any::<bool>()),
        prop::option::weighted(0.8, prop::sample::select(vec!["a", "b", "ä", ""])),
    );
    let row = row.prop_map(|(group, time, tie, x, i, b, s)| Row { group, time, tie, x, i, b, s });
    prop::collection::vec(row, 0..40)
}

fn table(rows: &[Row]) -> DataFrame {
    let all = |f: &dyn Fn(&Row) -> Option<i64>| rows.iter().map(f).collect::<Vec<_>>();
    let mut table = df![
        "g" => all(&|r| r.group), "t" => all(&|r| r.time), "k" => all(&|r| Some(r.tie)), "i" => all(&|r| r.i),
        "x" => rows.iter().map(|r| r.x).collect::<Vec<_>>(),
        "b" => rows.iter().map(|r| r.b).collect::<Vec<_>>(),
        "s" => rows.iter().map(|r| r.s).collect::<Vec<_>>(),
    ]
    .unwrap();
    let time = table.column("t").unwrap().cast(&P::Datetime(TimeUnit::Microseconds, None)).unwrap();
    table.with_column(time).unwrap();
    table
}

fn fields() -> Vec<Field> {
    vec![
        field("g", Int),
        field("t", Datetime),
        required("k", Int),
        field("i", Int),
        field("x", Float),
        field("b", Bool),
        field("s", Text),
    ]
}

/// Name, argument, constant, type of the result.
const AGGREGATES: &[(&str, &str, f64, DataType)] = &[
    ("count", "", 0.0, Int),
    ("count", "x", 0.0, Int),
    ("count_distinct", "x", 0.0, Int),
    ("count_distinct", "s", 0.0, Int),
    ("sum", "i", 0.0, Int),
    ("sum", "x", 0.0, Float),
    ("sum", "b", 0.0, Int),
    ("mean", "x", 0.0, Float),
    ("min", "x", 0.0, Float),
    ("max", "x", 0.0, Float),
    ("min", "s", 0.0, Text),
    ("max", "b", 0.0, Bool),
    ("min", "t", 0.0, Datetime),
    ("median", "x", 0.0, Float),
    ("quantile", "x", 0.3, Float),
    ("std", "x", 0.0, Float),
    ("var", "x", 0.0, Float),
    ("any", "b", 0.0, Bool),
    ("all", "b", 0.0, Bool),
    ("first", "s", 0.0, Text),
    ("last", "x", 0.0, Float),
    ("mode", "s", 0.0, Text),
    ("mode", "i", 0.0, Int),
    ("mean", "b", 0.0, Float),
    ("cov", "x i", 0.0, Float),
    ("corr", "x i", 0.0, Float),
    ("min_by", "s x", 0.0, Text),
    ("max_by", "s i", 0.0, Text),
];

const FRAMES: &[Frame] = &[
    Frame::All,
    Frame::Time { reach: Reach::Last, size: 2 * DAY },
    Frame::Time { reach: Reach::Previous, size: 2 * DAY },
    Frame::Time { reach: Reach::Next, size: 3 * DAY / 2 },
    Frame::Rows { reach: Reach::Last, count: Some(3) },
    Frame::Rows { reach: Reach::Last, count: None },
    Frame::Rows { reach: Reach::Previous, count: Some(2) },
    Frame::Rows { reach: Reach::Previous, count: None },
    Frame::Rows { reach: Reach::Next, count: Some(2) },
    Frame::Rows { reach: Reach::Next, count: None },
];

fn type_of(column: &str) -> DataType {
    fields().into_iter().find(|f| f.name == column).unwrap().dtype
}

fn over(function: &str, args: Vec<Expr>, dtype: DataType, frame: Frame) -> Expr {
    kind(ExprKind::Aggregate { function: function.into(), args, frame: Some(frame) }, dtype)
}

fn named(name: impl Into<String>, expr: Expr) -> NamedExpr {
    NamedExpr { name: name.into(), expr }
}

/// The value of a cell of the naive table.
fn cell(row: &Row, column: &str) -> Value {
    let of = |v: Option<Value>| v.unwrap_or(Value::Null);
    match column {
        "x" => of(row.x.map(Value::Float)),
        "i" => of(row.i.map(Value::Int)),
        "b" => of(row.b.map(Value::Bool)),
        "t" => of(row.time.map(Value::Datetime)),
        "s" => of(row.s.map(|s| Value::String(s.into()))),
        other => panic!("{other}"),
    }
}

/// The order of the language: NaN is equal to itself and above every number.
fn compare(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan())),
        (Value::Int(a), Value::Int(b)) | (Value::Datetime(a), Value::Datetime(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        other => panic!("{other:?}"),
    }
}

fn naive(function: &str, share: f64, values: Vec<Value>) -> Value {
    let known: Vec<Value> = values.iter().filter(|v| **v != Value::Null).cloned().collect();
    let numbers: Vec<f64> = known.iter().filter_map(Value::as_f64).collect();
    let n = known.len() as f64;
    let mut sorted = known.clone();
    sorted.sort_by(compare);
    match function {
        "count" => return Value::Int(known.len() as i64),
        "count_distinct" => {
            sorted.dedup_by(|a, b| compare(a, b).is_eq());
            return Value::Int(sorted.len() as i64);
        }
        "first" => return values.first().cloned().unwrap_or(Value::Null),
        "last" => return values.last().cloned().unwrap_or(Value::Null),
        _ if known.is_empty() => return Value::Null,
        _ => {}
    }
    let variance = || {
        let mean = numbers.iter().sum::<f64>() / n;
        (n > 1.0).then(|| numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0))
    };
    let quantile = |q: f64| {
        let place = (n - 1.0) * q;
        let at = |i: f64| sorted[i as usize].as_f64().unwrap();
        let (a, b) = (at(place.floor()), at(place.ceil()));
        if a == b { a } else { a + (b - a) * (place - place.floor()) }
    };
    match (function, &known[0]) {
        ("sum", Value::Float(_)) => Value::Float(numbers.iter().sum()),
        ("sum", Value::Int(_)) => Value::Int(known.iter().filter_map(Value::as_i64).sum()),
        ("sum", _) => Value::Int(known.iter().filter(|v| **v == Value::Bool(true)).count() as i64),
        ("mean", Value::Bool(_)) => Value::Float(known.iter().filter(|v| **v == Value::Bool(true)).count() as f64 / n),
        ("mean", _) => Value::Float(numbers.iter().sum::<f64>() / n),
        ("min", _) => sorted[0].clone(),
        ("max", _) => sorted[sorted.len() - 1].clone(),
        ("median", _) => Value::Float(quantile(0.5)),
        ("quantile", _) => Value::Float(quantile(share)),
        ("var", _) => variance().map_or(Value::Null, Value::Float),
        ("std", _) => variance().map_or(Value::Null, |v| Value::Float(v.sqrt())),
        ("any", _) => Value::Bool(known.contains(&Value::Bool(true))),
        ("all", _) => Value::Bool(!known.contains(&Value::Bool(false))),
        ("mode", _) => {
            let times = |v: &Value| known.iter().filter(|w| compare(v, w).is_eq()).count();
            let most = sorted.iter().map(times).max().unwrap();
            sorted.iter().find(|v| times(v) == most).unwrap().clone()
        }
        other => panic!("{other:?}"),
    }
}

fn naive_of_two(function: &str, pairs: Vec<(Value, Value)>) -> Value {
    if matches!(function, "min_by" | "max_by") {
        let known: Vec<&(Value, Value)> = pairs.iter().filter(|(_, by)| *by != Value::Null).collect();
        let beats = |a: &Value, b: &Value| {
            let order = compare(a, b);
            if function == "min_by" { order.is_lt() } else { order.is_gt() }
        };
        let first = known.iter().find(|(_, by)| !known.iter().any(|(_, other)| beats(other, by)));
        return first.map_or(Value::Null, |(value, _)| value.clone());
    }
    let pairs: Vec<(f64, f64)> = pairs.iter().filter_map(|(x, y)| x.as_f64().zip(y.as_f64())).collect();
    let n = pairs.len() as f64;
    if n < 2.0 {
        return Value::Null;
    }
    let mean = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let sum = |f: fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| f(x - mean.0, y - mean.1)).sum::<f64>();
    let (xy, xx, yy) = (sum(|x, y| x * y), sum(|x, _| x * x), sum(|_, y| y * y));
    match function {
        "cov" => Value::Float(xy / (n - 1.0)),
        // What varies by less than its rounding does not vary.
        _ if xx.abs() < 1e-12 || yy.abs() < 1e-12 => Value::Null,
        _ => Value::Float(xy / (xx * yy).sqrt()),
    }
}

/// The partition of a row in the order of the window, as row numbers.
fn partition(rows: &[Row], of: usize, descending: bool, ties: bool) -> Vec<usize> {
    let mut all: Vec<usize> = (0..rows.len()).filter(|j| rows[*j].group == rows[of].group).collect();
    all.sort_by(|a, b| {
        let (a, b) = (&rows[*a], &rows[*b]);
        let time = match (a.time, b.time) {
            (Some(x), Some(y)) if descending => y.cmp(&x),
            (Some(x), Some(y)) => x.cmp(&y),
            (x, y) => x.is_none().cmp(&y.is_none()),
        };
        if ties { time.then(b.tie.cmp(&a.tie)) } else { time }
    });
    all
}

fn seen(rows: &[Row], partition: &[usize], at: usize, frame: Frame) -> Vec<usize> {
    let inside = |(place, j): (usize, &usize)| {
        let keep = match frame {
            Frame::All => true,
            Frame::Time { reach, size } => match (rows[*j].time, rows[partition[at]].time) {
                (Some(u), Some(t)) => match reach {
                    Reach::Last => u > t - size && u <= t,
                    Reach::Previous => u >= t - size && u < t,
                    Reach::Next => u > t && u <= t + size,
                },
                _ => false,
            },
            Frame::Rows { reach, count } => {
                let count = count.unwrap_or(1_000) as usize;
                match reach {
                    Reach::Last => place <= at && place + count > at,
                    Reach::Previous => place < at && place + count >= at,
                    Reach::Next => place > at && place <= at + count,
                }
            }
        };
        keep.then_some(*j)
    };
    partition.iter().enumerate().filter_map(inside).collect()
}

fn close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => {
            a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
        }
        _ => a == b,
    }
}

fn check(rows: &[Row], descending: bool, ties: bool) {
    let mut bench = Bench::new();
    let source = bench.table("data", table(rows), fields());
    let mut columns: Vec<NamedExpr> = Vec::new();
    let mut new = fields();
    for (n, frame) in FRAMES.iter().enumerate() {
        for (function, column, share, dtype) in AGGREGATES {
            let mut args: Vec<Expr> = column.split_whitespace().map(|c| col(c, type_of(c))).collect();
            if matches!(*function, "cov" | "corr") {
                args[1] = call("float", vec![args[1].clone()], Float);
            }
            args.extend((*function == "quantile").then(|| float(*share)));
            let name = format!("{function}_{column}_{n}");
            new.push(field(&name, dtype.clone()));
            columns.push(named(name, over(function, args, dtype.clone(), *frame)));
        }
    }
    let of_order = [
        ("lag", vec![col("s", Text), int(1)], Text),
        ("lead", vec![col("x", Float), int(2), float(7.5)], Float),
        ("row_number", vec![], Int),
        ("rank", vec![], Int),
        ("dense_rank", vec![], Int),
    ];
    for (function, args, dtype) in of_order {
        new.push(field(function, dtype.clone()));
        columns.push(named(function, aggregate(function, args, dtype)));
    }
    let mut order = vec![SortKey { expr: col("t", Datetime), descending }];
    order.extend(ties.then(|| SortKey { expr: col("k", Int), descending: true }));
    let window = Window { by: vec![col("g", Int)], order, columns };
    let node = bench.step(Op::Window(window), new, &[source]);
    let result = bench.rows(node).unwrap();
    assert_eq!(result.height(), rows.len());
    let value = |name: &str, row: usize| crate::types::value_of(&result.column(name).unwrap().get(row).unwrap());
    for row in 0..rows.len() {
        assert!(close(&value("i", row), &cell(&rows[row], "i")), "rows keep their order");
        let all = partition(rows, row, descending, ties);
        let at = all.iter().position(|j| *j == row).unwrap();
        for (n, frame) in FRAMES.iter().enumerate() {
            let seen = seen(rows, &all, at, *frame);
            for (function, column, share, _) in AGGREGATES {
                let values = match *column {
                    "" => seen.iter().map(|_| Value::Bool(true)).collect(),
                    column => seen.iter().map(|j| cell(&rows[*j], column.split(' ').next().unwrap())).collect(),
                };
                let wanted = match column.split_once(' ') {
                    None => naive(function, *share, values),
                    Some((_, second)) => {
                        let others: Vec<Value> = seen.iter().map(|j| cell(&rows[*j], second)).collect();
                        naive_of_two(function, values.into_iter().zip(others).collect())
                    }
                };
                let found = value(&format!("{function}_{column}_{n}"), row);
                assert!(
                    close(&found, &wanted),
                    "{function}({column}) over {frame:?}, row {row}: {found}, not {wanted}"
                );
            }
        }
        let key = |j: usize| (rows[j].time, if ties { rows[j].tie } else { 0 });
        let before = all[..at].iter().filter(|j| key(**j) != key(row)).count();
        let mut keys: Vec<_> = all[..=at].iter().map(|j| key(*j)).collect();
        keys.dedup();
        assert_eq!(value("row_number", row), Value::Int(at as i64 + 1));
        assert_eq!(value("rank", row), Value::Int(before as i64 + 1));
        assert_eq!(value("dense_rank", row), Value::Int(keys.len() as i64));
        let lag = at.checked_sub(1).map_or(Value::Null, |j| cell(&rows[all[j]], "s"));
        assert_eq!(value("lag", row), lag);
        let lead = all.get(at + 2).map_or(Value::Float(7.5), |j| cell(&rows[*j], "x"));
        assert!(close(&value("lead", row), &lead), "lead");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_aggregate_over_every_frame_is_what_its_definition_says(
        rows in rows(), descending in any::<bool>(), ties in any::<bool>(),
    ) {
        check(&rows, descending, ties);
    }
}

fn four() -> (Bench, NodeId) {
    let mut bench = Bench::new();
    let rows = df!["g" => ["a", "b", "a", "b"], "n" => [1_i64, 2, 3, 4], "x" => [1.0, 2.0, 3.0, 6.0]].unwrap();
    let source = bench.table("data", rows, vec![required("g", Text), required("n", Int), required("x", Float)]);
    (bench, source)
}

#[test]
fn an_expression_mixes_the_row_with_the_rows_around_it() {
    let (mut bench, source) = four();
    let total = over("sum", vec![col("x", Float)], Float, Frame::All);
    let columns = vec![
        named("share", op(BinaryOp::Div, col("x", Float), total)),
        named("step", op(BinaryOp::Sub, col("n", Int), aggregate("lag", vec![col("n", Int), int(1), int(0)], Int))),
    ];
    let order = vec![SortKey { expr: col("n", Int), descending: false }];
    let window = Window { by: vec![col("g", Text)], order, columns };
    let fields = vec![field("g", Text), field("n", Int), field("x", Float), field("share", Float), field("step", Int)];
    let node = bench.step(Op::Window(window), fields, &[source]);
    assert_eq!(
        lines(&bench.rows(node).unwrap()),
        ["\"a\" 1 1.0 0.25 1", "\"b\" 2 2.0 0.25 2", "\"a\" 3 3.0 0.75 2", "\"b\" 4 6.0 0.75 2"]
    );
}

#[test]
fn without_order_and_partition_every_row_sees_all() {
    let (mut bench, source) = four();
    let columns = vec![
        named("n_rows", over("count", vec![], Int, Frame::All)),
        named("first", over("first", vec![col("n", Int)], Int, Frame::All)),
    ];
    let window = Window { by: vec![], order: vec![], columns };
    let node = bench.step(Op::Window(window), vec![field("n_rows", Int), field("first", Int)], &[source]);
    let rows = bench.rows(node).unwrap();
    assert_eq!((values(&rows, "n_rows"), values(&rows, "first")), ("4 4 4 4".into(), "1 1 1 1".into()));
}

#[test]
fn a_sum_that_does_not_fit_names_the_row() {
    let mut bench = Bench::new();
    let rows = df!["n" => [3_i64, i64::MAX, 1, 5]].unwrap();
    let source = bench.table("data", rows, vec![required("n", Int)]);
    let running = Frame::Rows { reach: Reach::Last, count: Some(2) };
    let columns = vec![named("s", over("sum", vec![col("n", Int)], Int, running))];
    let order = vec![SortKey { expr: col("n", Int), descending: false }];
    let node = bench.step(Op::Window(Window { by: vec![], order, columns }), vec![field("s", Int)], &[source]);
    let error = bench.rows(node).unwrap_err();
    assert_eq!(error.code, "E0709");
    assert!(error.message.contains("9223372036854775812 does not fit"), "{}", error.message);
    assert!(error.message.contains("row 2 of"), "{}", error.message);
}

#[test]
fn what_fails_in_an_argument_names_the_row() {
    let mut bench = Bench::new();
    let rows = df!["s" => ["1", "x", "3"]].unwrap();
    let source = bench.table("data", rows, vec![required("s", Text)]);
    let number = call("int", vec![col("s", Text)], Int);
    let columns = vec![named("n", over("sum", vec![number], Int, Frame::All))];
    let window = Window { by: vec![], order: vec![], columns };
    let node = bench.step(Op::Window(window), vec![field("n", Int)], &[source]);
    let error = bench.rows(node).unwrap_err();
    assert_eq!(error.code, "E0710");
    assert!(error.message.contains("row 2 of"), "{}", error.message);
}

#[test]
fn one_infinity_does_not_spoil_the_frames_behind_it() {
    let mut bench = Bench::new();
    let rows = df!["n" => [1_i64, 2, 3, 4], "x" => [f64::INFINITY, 1e300, 0.1, 0.2]].unwrap();
    let source = bench.table("data", rows, vec![required("n", Int), required("x", Float)]);
    let frame = Frame::Rows { reach: Reach::Last, count: Some(2) };
    let columns = vec![named("s", over("sum", vec![col("x", Float)], Float, frame))];
    let order = vec![SortKey { expr: col("n", Int), descending: false }];
    let node = bench.step(Op::Window(Window { by: vec![], order, columns }), vec![field("s", Float)], &[source]);
    let sums: Vec<f64> = bench.rows(node).unwrap().column("s").unwrap().f64().unwrap().iter().flatten().collect();
    assert_eq!(sums, [f64::INFINITY, f64::INFINITY, 1e300, 0.1 + 0.2]);
}

#[test]
fn an_empty_table_has_empty_windows() {
    check(&[], false, false);
}

#[test]
fn decimals_add_up_exactly_and_lists_hold_the_frame() {
    let mut bench = Bench::new();
    let money = DataType::Decimal { precision: 38, scale: 2 };
    let rows = df!["n" => [1_i64, 2, 3, 4], "s" => [Some("a"), None, Some("c"), Some("d")], "m" => [10_i64, 20, -5, 7]];
    let source = bench.table("data", rows.unwrap(), vec![required("n", Int), field("s", Text), required("m", Int)]);
    let m = call("decimal", vec![col("m", Int), int(38), int(2)], money.clone());
    let frame = Frame::Rows { reach: Reach::Last, count: Some(2) };
    let previous = Frame::Rows { reach: Reach::Previous, count: Some(2) };
    let columns = vec![
        named("sum", over("sum", vec![m.clone()], money.clone(), frame)),
        named("max", over("max", vec![m], money.clone(), previous)),
        named("list", over("list", vec![col("s", Text)], DataType::List { item: Box::new(Text) }, frame)),
    ];
    let order = vec![SortKey { expr: col("n", Int), descending: true }];
    let text = DataType::List { item: Box::new(Text) };
    let fields = vec![required("n", Int), field("sum", money.clone()), field("max", money), field("list", text)];
    let node = bench.step(Op::Window(Window { by: vec![], order, columns }), fields, &[source]);
    let rows = bench.rows(node).unwrap();
    assert_eq!(values(&rows, "sum"), "30.00 15.00 2.00 7.00");
    assert_eq!(values(&rows, "max"), "20.00 7.00 7.00 null");
    assert_eq!(values(&rows, "list"), "[\"a\"] [\"c\"] [\"d\", \"c\"] [\"d\"]");
}

#[test]
fn keys_that_no_number_holds_sort_the_other_way() {
    let ends = [Some(i64::MAX), None, Some(i64::MIN), Some(0), Some(i64::MAX), Some(i64::MIN), None];
    let others = [Some(i64::MIN), Some(i64::MAX), Some(i64::MAX), None, Some(i64::MIN), Some(i64::MIN), Some(i64::MAX)];
    let mut bench = Bench::new();
    let rows = df!["a" => ends, "b" => others].unwrap();
    let source = bench.table("data", rows, vec![field("a", Int), field("b", Int)]);
    let order =
        vec![SortKey { expr: col("a", Int), descending: true }, SortKey { expr: col("b", Int), descending: false }];
    let columns = ["row_number", "rank"].map(|name| named(name, aggregate(name, vec![], Int))).to_vec();
    let window = Window { by: vec![], order, columns };
    let node = bench.step(Op::Window(window), vec![field("row_number", Int), field("rank", Int)], &[source]);
    let rows = bench.rows(node).unwrap();
    assert_eq!(values(&rows, "row_number"), "1 6 5 3 2 4 7");
    assert_eq!(values(&rows, "rank"), "1 6 5 3 1 4 6");
}
