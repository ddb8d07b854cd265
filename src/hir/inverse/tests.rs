use dbjob_plan::{DataType, FileId, Value};

use super::*;
use crate::hir::expr::{Aggregates, Scope, check_expr};
use crate::hir::functions::Functions;
use crate::hir::table::{Column, Table};
use crate::syntax::ast;

/// `text` over a column `x`, typed.
fn typed(text: &str, dtype: &DataType, nullable: bool, range: Range) -> Expr {
    let job = format!("transform t from d {{\n  derive y = {text}\n}}\n");
    let parsed = crate::syntax::parse(FileId::default(), &job);
    assert!(parsed.errors.is_empty(), "{text}: {:?}", parsed.errors);
    let ast::ItemKind::Transform(transform) = &parsed.ast.items[0].kind else { panic!("a transform") };
    let ast::StepKind::Derive { columns, .. } = &transform.steps[0].kind else { panic!("a derive") };
    let mut table = Table::default();
    table.put(Column { range, ..Column::new("x", dtype.clone(), nullable, Span::default()) });
    let mut out = Vec::new();
    let scope = Scope { table: &table, functions: &Functions::default(), aggregates: Aggregates::Forbidden("a test") };
    let mut expr = check_expr(scope, &columns[0].value, &mut out).expr;
    assert!(out.is_empty(), "{text}: {out:?}");
    expr.rewrite(&mut |e| {
        if let ExprKind::Column(name) = &mut e.kind {
            *name = MAPPED.into();
        }
    });
    expr
}

fn levels_of(dtype: &DataType) -> Option<Vec<Value>> {
    match dtype {
        DataType::Bool => Some(vec![Value::Bool(false), Value::Bool(true)]),
        DataType::Category { levels: Some(levels) } => Some(levels.iter().cloned().map(Value::String).collect()),
        _ => None,
    }
}

fn undone(text: &str, dtype: DataType, range: Range) -> String {
    let forward = typed(text, &dtype, true, range);
    let known = Known { dtype: &dtype, nullable: true, range, levels: levels_of(&dtype) };
    match invert(&forward, &known) {
        Ok(back) => {
            assert!(
                back.dtype == dtype || (back.dtype.is_text() && dtype.is_text()),
                "{text}: {back} is {}",
                back.dtype
            );
            back.to_string()
        }
        Err(lost) => format!("never: {}", lost.why),
    }
}

fn abc() -> DataType {
    DataType::Category { levels: Some(["a", "b", "c"].map(String::from).to_vec()) }
}

#[test]
fn numbers() {
    use DataType::{Float, Int};
    for (text, dtype, range, back) in [
        ("2 * log(x) + 1", Float, Range::ALL, "exp((x - 1.0) / 2.0)"),
        ("-log(1.0 / x - 1.0)", Float, Range::ALL, "1.0 / (exp(-x) + 1.0)"),
        ("(x - 32) * 5 / 9", Float, Range::ALL, "x * 9.0 / 5.0 + 32.0"),
        ("10 - x", Int, Range::ALL, "10 - x"),
        ("3 * x + 1", Int, Range::ALL, "(x - 1) // 3"),
        ("x / 2", Int, Range::ALL, "try_int(round(x * 2.0))"),
        ("1 / x", Float, Range::ALL, "1.0 / x"),
        ("x ** 3", Float, Range::ALL, "sign(x) * abs(x) ** 0.3333333333333333"),
        ("x ** 2", Float, Range::NON_NEGATIVE, "sqrt(x)"),
        ("x * x", Int, Range::NON_NEGATIVE, "try_int(round(sqrt(x)))"),
        ("x ** 4", Float, Range::from(-5.0, 0.0), "-x ** 0.25"),
        (
            "x ** 2",
            Float,
            Range::ALL,
            "never: the sign is lost: declare the column `in 0..`, or narrow it to what is not negative",
        ),
        ("2 ** x", Float, Range::ALL, "log(x, 2.0)"),
        ("log(x, 10)", Float, Range::ALL, "10.0 ** x"),
        ("log10(x + 1)", Float, Range::ALL, "10.0 ** x - 1.0"),
        ("sqrt(expm1(x))", Float, Range::ALL, "log1p(x ** 2.0)"),
        ("abs(x)", Float, Range::from(1.0, 2.0), "x"),
        ("string(x)", Int, Range::ALL, "try_int(x)"),
        ("x * 0", Float, Range::ALL, "never: all values become one"),
        ("x + 2 * x", Float, Range::ALL, "never: the column stands in it more than once, and it is not solved for it"),
        ("round(x)", Float, Range::ALL, "never: the digits after the point are lost"),
        ("x // 10", Int, Range::ALL, "never: `//` loses the remainder"),
        (
            "if x > 0 then x else 0.0",
            Float,
            Range::ALL,
            "never: which way a value went is not known; only a choice between the levels of a closed category, the values of a list or a bool can be undone",
        ),
        (
            "x ?? 0",
            Int,
            Range::ALL,
            "never: a filled-in value looks like any other, so which rows were null is not known any more",
        ),
    ] {
        assert_eq!(undone(text, dtype, range), back, "{text}");
    }
}

/// What a model predicts is a float near a result: it is not rounded on the way.
#[test]
fn predictions() {
    for (text, back) in [("3 * x + 1", "(x - 1.0) / 3.0"), ("log1p(x)", "expm1(x)"), ("10 - x", "10.0 - x")] {
        let forward = typed(text, &DataType::Int, false, Range::ALL);
        let known = Known { dtype: &DataType::Int, nullable: false, range: Range::ALL, levels: None };
        let back_again = of_predictions(&invert(&forward, &known).unwrap());
        assert_eq!((back_again.to_string().as_str(), &back_again.dtype), (back, &DataType::Float));
        assert!(!back_again.nullable, "{text}");
    }
    let forward = typed("exp(x)", &DataType::Float, false, Range::ALL);
    let known = Known { dtype: &DataType::Float, nullable: false, range: Range::ALL, levels: None };
    assert!(of_predictions(&invert(&forward, &known).unwrap()).nullable, "0 is predicted, and log(0) is null");
}

#[test]
fn moments() {
    use DataType::{Date, Datetime};
    for (text, dtype, back) in [
        ("x + 7d", Date, "x - 7d"),
        ("x - 90min", Datetime, "x + 90min"),
        ("x + 5h", Date, "date(x - 5h)"),
        ("x - @2020-01-01", Datetime, "@2020-01-01T00:00:00 + x"),
        ("@2020-01-01T00:00:00 - x", Datetime, "@2020-01-01T00:00:00 - x"),
        ("string(x)", Date, "try_date(x)"),
        ("date(x)", Datetime, "never: the rest of the moment is lost"),
        ("add_months(x, 1)", Date, "never: several days become the last of a month"),
    ] {
        assert_eq!(undone(text, dtype, Range::ALL), back, "{text}");
    }
}

#[test]
fn levels() {
    for (text, dtype, back) in [
        ("match x { \"a\" => 10, \"b\" => 20, else => 30 }", abc(), "never: \"c\" and null both become 30"),
        (
            "match x { \"a\" => 10, \"b\" => 20, \"c\" => 30 }",
            abc(),
            "if x in [10] then \"a\" else if x in [20] then \"b\" else if x in [30] then \"c\" else null",
        ),
        ("if x == \"a\" then 1 else 0", abc(), "never: \"b\" and \"c\" both become 0"),
        ("not x", DataType::Bool, "not x"),
        (
            "if x then \"yes\" else if not x then \"no\" else null",
            DataType::Bool,
            "if x in [\"no\"] then false else if x in [\"yes\"] then true else null",
        ),
        ("int(x) + 1", DataType::Bool, "if x in [1] then false else if x in [2] then true else null"),
        ("upper(x)", abc(), "never: several texts have the same result"),
    ] {
        assert_eq!(undone(text, dtype, Range::ALL), back, "{text}");
    }
}
