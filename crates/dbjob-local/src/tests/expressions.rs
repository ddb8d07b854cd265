use dbjob_plan::{BinaryOp as B, Expr, ExprKind, NamedExpr, Op, Refinement, RunError, Value};
use polars::prelude::{DataFrame, NamedFrom, Series, df};

use super::*;

/// Rows that hold the awkward values of every type.
fn rows() -> (DataFrame, Vec<dbjob_plan::Field>) {
    let day = 86_400_000_000_i64;
    let mut rows = df![
        "i" => [Some(7_i64), Some(-7), Some(0), None],
        "j" => [Some(2_i64), Some(2), Some(0), Some(3)],
        "x" => [Some(2.5), Some(-2.5), Some(f64::NAN), None],
        "y" => [Some(0.5), Some(0.0), Some(1.0), Some(1.0)],
        "s" => [Some("straße"), Some(" 12 "), Some(""), None],
        "b" => [Some(true), Some(false), None, None],
        "d" => [Some(19_782_i32), Some(19_753), Some(0), None],
        "t" => [Some(19_782 * day + 34_200_000_000), Some(-1), Some(0), None],
    ]
    .unwrap();
    for (name, dtype) in [("d", Date), ("t", Datetime)] {
        let typed = rows.column(name).unwrap().cast(&crate::types::polars_type(&dtype)).unwrap();
        rows.with_column(typed).unwrap();
    }
    let fields =
        [("i", Int), ("j", Int), ("x", Float), ("y", Float), ("s", Text), ("b", Bool), ("d", Date), ("t", Datetime)];
    (rows, fields.into_iter().map(|(n, t)| field(n, t)).collect())
}

fn evaluate(expr: Expr) -> Result<String, RunError> {
    let mut bench = Bench::new();
    let (rows, fields) = rows();
    let input = bench.table("data", rows, fields);
    let out = vec![field("out", expr.dtype.clone())];
    let node = bench.step(Op::Derive { columns: vec![NamedExpr { name: "out".into(), expr }] }, out, &[input]);
    bench.rows(node).map(|table| values(&table, "out"))
}

#[track_caller]
fn is(expr: Expr, expected: &str) {
    match evaluate(expr.clone()) {
        Ok(found) => assert_eq!(found, expected, "{expr:?}"),
        Err(error) => panic!("{error}: {expr:?}"),
    }
}

#[track_caller]
fn fails(expr: Expr, code: &str, row: u64, value: &str) {
    let error = evaluate(expr).expect_err("it must fail");
    assert_eq!(error.code, code, "{error}");
    let data = error.data.expect("a place");
    assert_eq!((data.row, data.value.as_deref()), (Some(row), Some(value)), "{}", error.message);
}

fn i() -> Expr {
    col("i", Int)
}

fn j() -> Expr {
    col("j", Int)
}

fn x() -> Expr {
    col("x", Float)
}

fn y() -> Expr {
    col("y", Float)
}

fn s() -> Expr {
    col("s", Text)
}

fn b() -> Expr {
    col("b", Bool)
}

fn as_float(e: Expr) -> Expr {
    call("float", vec![e], Float)
}

#[test]
fn division() {
    is(op(B::Div, as_float(i()), as_float(j())), "3.5 -3.5 null null");
    is(op(B::Div, x(), y()), "5.0 null NaN null");
    is(op(B::FloorDiv, i(), j()), "3 -4 null null");
    is(op(B::FloorDiv, i(), int(2)), "3 -4 0 null");
    is(op(B::FloorDiv, i(), int(-2)), "-4 3 0 null");
    is(op(B::Mod, i(), j()), "1 1 null null");
    is(op(B::Mod, i(), int(3)), "1 2 0 null");
    is(op(B::Mod, i(), int(-3)), "-2 -1 0 null");
    is(op(B::FloorDiv, x(), y()), "5.0 null NaN null");
    is(op(B::Mod, x(), float(2.0)), "0.5 1.5 NaN null");
    is(op(B::Mod, x(), float(-2.0)), "-1.5 -0.5 NaN null");
    is(op(B::Pow, x(), float(2.0)), "6.25 6.25 NaN null");
}

#[test]
fn int_overflow_is_an_error() {
    is(op(B::Add, i(), j()), "9 -5 0 null");
    is(op(B::Sub, i(), j()), "5 -9 0 null");
    is(op(B::Mul, i(), j()), "14 -14 0 null");
    is(kind(ExprKind::Negate(i().into()), Int), "-7 7 0 null");
    fails(op(B::Add, i(), int(i64::MAX)), "E0709", 1, "7 + 9223372036854775807");
    fails(op(B::Sub, i(), int(i64::MAX)), "E0709", 2, "-7 - 9223372036854775807");
    fails(op(B::Mul, i(), int(i64::MAX)), "E0709", 1, "7 * 9223372036854775807");
    let min = op(B::Sub, op(B::Sub, i(), int(i64::MAX - 8)), int(3));
    fails(min, "E0709", 2, "-9223372036854775806 - 3");
    fails(
        op(B::FloorDiv, op(B::Add, op(B::Mul, j(), int(0)), int(i64::MIN)), int(-1)),
        "E0709",
        1,
        "-9223372036854775808 // -1",
    );
    fails(call("floor", vec![op(B::Mul, y(), float(1e300))], Int), "E0709", 1, "floor(5e299)");
}

#[test]
fn a_range_makes_the_check_needless() {
    let schema = dbjob_plan::Schema::new(vec![dbjob_plan::Field {
        refinement: Some(Refinement::Range { low: Some(Value::Int(1)), high: Some(Value::Int(500)), inclusive: true }),
        ..field("n", Int)
    }]);
    let n = || col("n", Int);
    assert_eq!(crate::bounds::bounds(&op(B::Mul, n(), n()), &schema), Some((1, 250_000)));
    assert_eq!(crate::bounds::bounds(&op(B::Sub, n(), int(1000)), &schema), Some((-999, -500)));
    assert_eq!(crate::bounds::bounds(&op(B::Add, n(), int(i64::MAX)), &schema), None);
    assert_eq!(crate::bounds::bounds(&op(B::Add, col("m", Int), int(1)), &schema), None);
}

#[test]
fn null_is_a_third_truth_value() {
    let truth = |v: &str| match v {
        "t" => lit(Value::Bool(true)),
        "f" => lit(Value::Bool(false)),
        _ => null(Bool),
    };
    for (l, r, and, or) in [
        ("t", "n", "null", "true"),
        ("f", "n", "false", "null"),
        ("n", "t", "null", "true"),
        ("n", "f", "false", "null"),
        ("n", "n", "null", "null"),
    ] {
        let four = |v: &str| [v; 4].join(" ");
        is(op(B::And, truth(l), truth(r)), &four(and));
        is(op(B::Or, truth(l), truth(r)), &four(or));
    }
    is(kind(ExprKind::Not(b().into()), Bool), "false true null null");
    is(op(B::Eq, i(), int(7)), "true false false null");
    is(op(B::Coalesce, i(), j()), "7 -7 0 3");
    is(kind(ExprKind::IsNull(i().into()), Bool), "false false false true");
}

#[test]
fn nan_equals_itself_and_is_above_all() {
    is(op(B::Eq, x(), x()), "true true true null");
    is(op(B::Gt, x(), float(f64::INFINITY)), "false false true null");
    is(op(B::Le, x(), float(f64::NAN)), "true true true null");
    is(call("greatest", vec![x(), y()], Float), "2.5 0.0 NaN 1.0");
    is(call("least", vec![x(), y()], Float), "0.5 -2.5 1.0 1.0");
    is(call("clip", vec![x(), float(-1.0), float(1.0)], Float), "1.0 -1.0 1.0 null");
    is(call("is_nan", vec![x()], Bool), "false false true null");
}

#[test]
fn membership() {
    let list = |value: Expr, items: Vec<Expr>| kind(ExprKind::InList { value: value.into(), items }, Bool);
    is(list(i(), vec![int(7), int(1)]), "true false false null");
    is(list(i(), vec![int(7), null(Int)]), "true null null null");
    is(list(i(), vec![int(1), int(2), int(3), int(4), int(7), int(0)]), "true false true null");
    is(list(i(), vec![int(1), int(2), int(3), int(4), int(7), null(Int)]), "true null null null");
    is(list(i(), vec![j(), int(0)]), "false false true null");
    is(list(i(), vec![]), "false false false null");
    is(list(s(), vec![text(""), text("b"), text("c"), text("d")]), "false false true null");
    let range = |low: Option<Expr>, high: Option<Expr>, inclusive| {
        let (low, high) = (low.map(Box::new), high.map(Box::new));
        kind(ExprKind::InRange { value: i().into(), low, high, inclusive }, Bool)
    };
    is(range(Some(int(-7)), Some(int(7)), false), "false true true null");
    is(range(Some(int(-7)), Some(int(7)), true), "true true true null");
    is(range(None, Some(int(0)), false), "false true false null");
    is(range(Some(int(0)), None, false), "true false true null");
}

#[test]
fn conditions() {
    let choose = |condition: Expr, a: Expr, b: Expr| {
        let dtype = a.dtype.clone();
        kind(ExprKind::If { condition: condition.into(), then: a.into(), otherwise: b.into() }, dtype)
    };
    is(choose(b(), int(1), int(2)), "1 2 2 2");
    // A branch that is not taken does not fail.
    let number = call("int", vec![s()], Int);
    is(choose(op(B::Eq, s(), text(" 12 ")), number.clone(), int(0)), "0 12 0 0");
    is(choose(op(B::Ne, s(), text(" 12 ")), int(0), number.clone()), "0 12 0 null");
    is(op(B::And, op(B::Eq, s(), text(" 12 ")), op(B::Gt, number.clone(), int(3))), "false true false null");
    is(call("coalesce", vec![i(), j()], Int), "7 -7 0 3");
    fails(number, "E0710", 1, "\"straße\"");
}

#[test]
fn math() {
    is(call("round", vec![x()], Float), "3.0 -3.0 NaN null");
    is(call("round", vec![float(2.345), int(1)], Float), "2.3 2.3 2.3 2.3");
    is(call("round", vec![float(-0.25), int(1)], Float), "-0.3 -0.3 -0.3 -0.3");
    is(call("round", vec![int(-1250), int(-2)], Int), "-1300 -1300 -1300 -1300");
    is(call("round", vec![float(1e300), int(2)], Float), "1e300 1e300 1e300 1e300");
    is(call("floor", vec![call("clip", vec![y(), float(0.0), float(9.0)], Float)], Int), "0 0 1 1");
    is(call("ceil", vec![y()], Int), "1 0 1 1");
    is(call("abs", vec![i()], Int), "7 7 0 null");
    is(call("sign", vec![i()], Int), "1 -1 0 null");
    is(call("sign", vec![x()], Float), "1.0 -1.0 NaN null");
    is(call("sqrt", vec![op(B::Sub, y(), float(0.25))], Float), "0.5 null 0.8660254037844386 0.8660254037844386");
    is(call("log", vec![y()], Float), "-0.6931471805599453 null 0.0 0.0");
    is(call("log", vec![float(8.0), float(2.0)], Float), "3.0 3.0 3.0 3.0");
    is(call("log1p", vec![x()], Float), "1.252762968495368 null NaN null");
    is(call("log10", vec![as_float(i())], Float), "0.8450980400142568 null null null");
    is(call("log2", vec![as_float(j())], Float), "1.0 1.0 null 1.584962500721156");
    is(call("exp", vec![float(0.0)], Float), "1.0 1.0 1.0 1.0");
    is(call("expm1", vec![float(0.0)], Float), "0.0 0.0 0.0 0.0");
}

#[test]
fn strings() {
    is(call("length", vec![s()], Int), "6 4 0 null");
    is(call("upper", vec![s()], Text), "\"STRASSE\" \" 12 \" \"\" null");
    is(call("lower", vec![text("ÄB")], Text), "\"äb\" \"äb\" \"äb\" \"äb\"");
    is(call("trim", vec![s()], Text), "\"straße\" \"12\" \"\" null");
    is(call("contains", vec![s(), text("a")], Bool), "true false false null");
    is(call("starts_with", vec![s(), text("st")], Bool), "true false false null");
    is(call("ends_with", vec![s(), text("ße")], Bool), "true false false null");
    is(call("replace", vec![s(), text("ß"), text("ss")], Text), "\"strasse\" \" 12 \" \"\" null");
    is(call("substring", vec![s(), int(5), int(2)], Text), "\"ße\" \"\" \"\" null");
    is(call("substring", vec![s(), int(0), int(2)], Text), "\"s\" \" \" \"\" null");
    is(call("substring", vec![s(), int(1), int(-1)], Text), "\"\" \"\" \"\" null");
    is(call("concat", vec![s(), text("!")], Text), "\"straße!\" \" 12 !\" \"!\" null");
    is(op(B::Add, s(), text("?")), "\"straße?\" \" 12 ?\" \"?\" null");
    is(call("matches", vec![s(), text(r"\d+")], Bool), "false true false null");
    is(op(B::Lt, text("Z"), text("a")), "true true true true");
    assert_eq!(evaluate(call("matches", vec![s(), text("(")], Bool)).unwrap_err().code, "E0710");
}

#[test]
fn dates() {
    let d = || col("d", Date);
    let t = || col("t", Datetime);
    // 2024-02-29 is a Thursday, 2024-01-31 a Wednesday.
    is(d(), "@2024-02-29 @2024-01-31 @1970-01-01 null");
    is(call("weekday", vec![d()], Int), "4 3 4 null");
    is(call("week", vec![d()], Int), "9 5 1 null");
    is(call("quarter", vec![d()], Int), "1 1 1 null");
    is(call("day_of_year", vec![d()], Int), "60 31 1 null");
    is(call("year", vec![d()], Int), "2024 2024 1970 null");
    is(call("hour", vec![t()], Int), "9 23 0 null");
    is(call("minute", vec![t()], Int), "30 59 0 null");
    is(call("hour", vec![d()], Int), "0 0 0 null");
    is(call("truncate", vec![d(), text("month")], Date), "@2024-02-01 @2024-01-01 @1970-01-01 null");
    is(call("truncate", vec![d(), text("week")], Date), "@2024-02-26 @2024-01-29 @1969-12-29 null");
    is(call("truncate", vec![d(), text("quarter")], Date), "@2024-01-01 @2024-01-01 @1970-01-01 null");
    is(
        call("truncate", vec![t(), text("hour")], Datetime),
        "@2024-02-29T09:00:00 @1969-12-31T23:00:00 @1970-01-01T00:00:00 null",
    );
    is(call("add_months", vec![d(), int(1)], Date), "@2024-03-29 @2024-02-29 @1970-02-01 null");
    is(call("add_months", vec![d(), int(-12)], Date), "@2023-02-28 @2023-01-31 @1969-01-01 null");
    let half_past = "@2024-03-29T09:30:00 @1970-01-31T23:59:59.999999 @1970-02-01T00:00:00 null";
    is(call("add_months", vec![t(), int(1)], Datetime), half_past);
    is(call("make_date", vec![int(2023), int(2), int(29)], Date), "null null null null");
    is(call("make_date", vec![int(2024), int(2), int(29)], Date), "@2024-02-29 @2024-02-29 @2024-02-29 @2024-02-29");
    let day = lit(Value::Duration(86_400_000_000));
    is(op(B::Add, d(), day.clone()), "@2024-03-01 @2024-02-01 @1970-01-02 null");
    is(op(B::Sub, t(), day.clone()), "@2024-02-28T09:30:00 @1969-12-30T23:59:59.999999 @1969-12-31T00:00:00 null");
    let span = Expr { dtype: dbjob_plan::DataType::Duration, ..op(B::Sub, d(), lit(Value::Date(19_753))) };
    is(call("days", vec![span.clone()], Float), "29.0 0.0 -19753.0 null");
    is(call("hours", vec![span], Float), "696.0 0.0 -474072.0 null");
    fails(call("add_months", vec![d(), int(i64::MAX)], Date), "E0709", 1, "9223372036854775807");
}

#[test]
fn casts() {
    is(call("try_int", vec![s()], Int), "null 12 null null");
    is(call("try_float", vec![s()], Float), "null 12.0 null null");
    is(call("try_bool", vec![text("TRUE")], Bool), "true true true true");
    is(call("try_date", vec![s()], Date), "null null null null");
    is(call("int", vec![y()], Int), "0 0 1 1");
    is(call("int", vec![float(-2.9)], Int), "-2 -2 -2 -2");
    is(call("string", vec![x()], Text), "\"2.5\" \"-2.5\" \"NaN\" null");
    is(call("string", vec![col("d", Date)], Text), "\"2024-02-29\" \"2024-01-31\" \"1970-01-01\" null");
    is(call("bool", vec![j()], Bool), "true true false true");
    is(call("date", vec![col("t", Datetime)], Date), "@2024-02-29 @1969-12-31 @1970-01-01 null");
    is(
        call("date", vec![text("31.01.2024"), text("%d.%m.%Y")], Date),
        "@2024-01-31 @2024-01-31 @2024-01-31 @2024-01-31",
    );
    is(call("float", vec![text("1.5")], Float), "1.5 1.5 1.5 1.5");
    is(call("bool", vec![text("0")], Bool), "false false false false");
    fails(call("int", vec![x()], Int), "E0710", 3, "NaN");
    fails(call("float", vec![s()], Float), "E0710", 1, "\"straße\"");
    fails(call("bool", vec![s()], Bool), "E0710", 1, "\"straße\"");
    fails(call("date", vec![s()], Date), "E0710", 1, "\"straße\"");
    fails(call("datetime", vec![text("yesterday")], Datetime), "E0710", 1, "\"yesterday\"");
}

#[test]
fn a_filter_above_keeps_a_cast_from_failing() {
    let mut bench = Bench::new();
    let rows = df!["kind" => ["n", "t", "n"], "s" => ["1", "x", "3"]].unwrap();
    let fields = vec![field("kind", Text), field("s", Text)];
    let input = bench.table("data", rows, fields.clone());
    let filter = |predicate| Op::Filter { predicate };
    let only = bench.step(filter(op(B::Eq, col("kind", Text), text("n"))), fields.clone(), &[input]);
    let big = bench.step(filter(op(B::Gt, call("int", vec![col("s", Text)], Int), int(2))), fields, &[only]);
    assert_eq!(lines(&bench.rows(big).unwrap()), ["\"n\" \"3\""]);
}

#[test]
fn the_failing_row_is_found_far_down() {
    let mut bench = Bench::new();
    let mut texts: Vec<String> = (0..100_000).map(|i| i.to_string()).collect();
    texts[77_776] = "seven".into();
    let rows = DataFrame::new(texts.len(), vec![Series::new("s".into(), texts).into()]).unwrap();
    let input = bench.table("data", rows, vec![field("s", Text)]);
    let expr = call("int", vec![col("s", Text)], Int);
    let node = bench.step(
        Op::Derive { columns: vec![NamedExpr { name: "n".into(), expr }] },
        vec![field("s", Text), field("n", Int)],
        &[input],
    );
    let error = bench.rows(node).unwrap_err();
    assert_eq!((error.code.as_str(), error.data.unwrap().row), ("E0710", Some(77_777)), "{}", error.message);
}
