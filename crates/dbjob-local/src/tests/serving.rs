use std::collections::HashMap;

use dbjob_plan::{
    BinaryOp as B, DataType, ExpectAction, Expectation, Field, Join, JoinKind, MapColumn, MapLink, NamedExpr, Op, Plan,
    Projection, RunError, Schema, Serving,
};
use polars::prelude::{DataFrame, IntoLazy, df};

use super::*;
use crate::map::{Affine, MapState, MapStates};

/// Request -> derive -> lookup join -> rule -> map.
fn serving(kind: JoinKind, action: ExpectAction) -> Serving {
    let mut bench = Bench::new();
    let fields = |names: &[(&str, DataType)]| names.iter().map(|(n, t)| field(n, t.clone())).collect::<Vec<Field>>();
    let mut columns = vec![("user", Int), ("amount", Float)];
    let request = bench.step(Op::Request, fields(&columns), &[]);
    columns.push(("n", Int));
    let expr = call("int", vec![col("amount", Float)], Int);
    let derived =
        bench.step(Op::Derive { columns: vec![NamedExpr { name: "n".into(), expr }] }, fields(&columns), &[request]);
    let users = bench.node("users", Op::Snapshot { name: "users".into() }, fields(&[("id", Int), ("age", Float)]), &[]);
    columns.push(("age", Float));
    let join = Join {
        kind,
        on: vec![("user".into(), "id".into())],
        right_columns: vec![Projection { from: "age".into(), to: "age".into() }],
        verify_unique_right: true,
        verify_unique_left: false,
        lookup: true,
        asof: None,
    };
    let joined = bench.step(Op::Join(join), fields(&columns), &[derived, users]);
    let predicate = op(B::Gt, col("amount", Float), float(0.0));
    let rule = Expectation { predicate, unique: vec![], action, quarantine: None, text: "amount > 0".into() };
    let checked = bench.step(Op::Expect(rule), fields(&columns), &[joined]);
    let link = MapLink {
        id: 5,
        map: "standardize".into(),
        options: Default::default(),
        from: Float,
        from_nullable: true,
        to: Float,
        to_nullable: true,
        fitted: true,
        formula: None,
    };
    let map = MapColumn::new("age", "age", link);
    let output = bench.step(Op::Map { columns: vec![map] }, fields(&columns), &[checked]);
    let request = Schema::new(fields(&columns[..2]));
    Serving {
        plan: bench.plan,
        request,
        output,
        lookups: vec![],
        dataset: None,
        behind: 0,
        nulls: vec![],
        docs: Default::default(),
    }
}

fn states() -> MapStates {
    MapStates([(5, MapState::Affine(Affine { shift: 30.0, scale: 10.0 }))].into())
}

fn answer(serving: &Serving, request: DataFrame, states: &MapStates) -> Result<Vec<String>, RunError> {
    let users = df!["id" => [1_i64, 2], "age" => [40.0, 20.0]].unwrap();
    let lookups = HashMap::from([("users".to_string(), users)]);
    crate::replay(serving, request.lazy(), &lookups, states).map(|t| lines(&t))
}

#[test]
fn rows_come_out_in_order_one_for_one() {
    let request = df!["user" => [Some(2_i64), Some(1), Some(2)], "amount" => [1.5, 2.5, 3.5]].unwrap();
    let serving = serving(JoinKind::Inner, ExpectAction::Drop);
    assert_eq!(answer(&serving, request, &states()).unwrap(), ["2 1.5 1 -1.0", "1 2.5 2 1.0", "2 3.5 3 -1.0"]);
    let none = df!["user" => Vec::<i64>::new(), "amount" => Vec::<f64>::new()].unwrap();
    assert!(answer(&serving, none, &states()).unwrap().is_empty());
}

#[test]
fn a_row_that_is_not_valid_is_named() {
    for (users, amounts, row, what) in [
        ([Some(1_i64), Some(9)], [1.0, 1.0], 2, "user = 9"),
        ([Some(1), None], [1.0, 1.0], 2, "user = null"),
        ([Some(1), Some(2)], [-1.0, 1.0], 1, "amount > 0"),
        ([Some(1), Some(2)], [1.0, f64::NAN], 2, "int(NaN) failed"),
    ] {
        let request = df!["user" => users, "amount" => amounts].unwrap();
        let error = answer(&serving(JoinKind::Inner, ExpectAction::Fail), request, &states()).unwrap_err();
        assert_eq!(error.code, "E0719", "{error}");
        assert_eq!(error.data.as_ref().unwrap().row, Some(row), "{error}");
        assert!(error.message.contains(what), "{error}");
    }
}

#[test]
fn a_left_lookup_gives_nulls_and_a_warning_lets_pass() {
    let request = df!["user" => [9_i64, 1], "amount" => [-1.0, 1.0]].unwrap();
    let serving = serving(JoinKind::Left, ExpectAction::Warn);
    assert_eq!(answer(&serving, request, &states()).unwrap(), ["9 -1.0 -1 null", "1 1.0 1 1.0"]);
}

#[test]
fn a_damaged_package_is_said_to_be_one() {
    let request = || df!["user" => [1_i64], "amount" => [1.0]].unwrap();
    let plan = serving(JoinKind::Left, ExpectAction::Warn);
    assert_eq!(answer(&plan, request(), &MapStates::default()).unwrap_err().code, "E0716");
    let none = HashMap::new();
    assert_eq!(crate::replay(&plan, request().lazy(), &none, &states()).unwrap_err().code, "E0716");
    let empty = Serving { plan: Plan::default(), ..plan };
    assert_eq!(answer(&empty, request(), &states()).unwrap_err().code, "E0716");
}

#[test]
fn requests_are_read_by_their_ending() {
    let bench = Bench::new();
    bench.file("in.csv", "a,extra,b\n1,x,2024-01-01\n2,y,\n");
    let schema = Schema::new(vec![field("b", Date), required("a", Int)]);
    let read = |name: &str| crate::read_request(&bench.path(name), &schema, &[]).map(|f| lines(&f.collect().unwrap()));
    assert_eq!(read("in.csv").unwrap(), ["@2024-01-01 1", "null 2"]);
    bench.file("in.jsonl", "{\"a\":1,\"b\":\"2024-01-01\"}\n");
    assert_eq!(read("in.jsonl").unwrap(), ["@2024-01-01 1"]);
    bench.file("bad.csv", "a,b\n,2024-01-01\n");
    assert_eq!(read("bad.csv").unwrap_err().code, "E0706");
    bench.file("bad.txt", "a,b\n");
    assert_eq!(read("bad.txt").unwrap_err().code, "E0701");
    let as_is = crate::read_as_is(&bench.path("in.csv")).unwrap();
    assert_eq!(lines(&as_is), ["1 \"x\" @2024-01-01", "2 \"y\" null"]);
    for name in ["out.csv", "out.parquet", "out.ndjson"] {
        crate::write_table(&as_is, &bench.path(name)).unwrap();
        assert_eq!(lines(&crate::read_as_is(&bench.path(name)).unwrap()), lines(&as_is), "{name}");
    }
    assert_eq!(crate::write_table(&as_is, &bench.path("out.xyz")).unwrap_err().code, "E0713");
}
