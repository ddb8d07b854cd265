use std::collections::BTreeMap;

use dbjob_plan::{
    DataType, Formula, MAPPED, MapColumn, MapLink, NamedExpr, Op, OutOfFold, PART, RunError, Schema, SplitKey, Undo,
    UnmapColumn, Value,
};
use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, Series};
use proptest::prelude::*;

use super::*;
use crate::map::{self, Affine, Applying, MapState, MapStates, unmap_column};

fn link(name: &str, from: DataType, to: DataType, options: &[(&str, Value)]) -> MapLink {
    let fitted = match name {
        "standardize" | "min_max" => true,
        "impute" => matches!(options, [(_, Value::Word(_))]),
        "one_hot" | "index" => from == (DataType::Category { levels: None }) || from == Text,
        _ => false,
    };
    MapLink {
        id: 1,
        map: name.into(),
        options: options.iter().map(|(k, v)| ((*k).to_string(), v.clone())).collect::<BTreeMap<_, _>>(),
        from,
        from_nullable: true,
        to,
        to_nullable: true,
        fitted,
        formula: formula(name),
    }
}

/// The functions of one number and their inverses, as the compiler gives them.
pub(crate) fn formula(name: &str) -> Option<Box<Formula>> {
    let x = || col(MAPPED, Float);
    let back = match name {
        "log1p" => call("expm1", vec![x()], Float),
        "log" => call("exp", vec![x()], Float),
        "sqrt" => op(BinaryOp::Pow, x(), float(2.0)),
        "exp" => call("log", vec![x()], Float),
        "expm1" => call("log1p", vec![x()], Float),
        _ => return None,
    };
    Some(Box::new(Formula { forward: call(name, vec![x()], Float), undo: Undo::By(back), strict: true }))
}

fn vector() -> DataType {
    DataType::Vector { width: None }
}

fn open() -> DataType {
    DataType::Category { levels: None }
}

fn closed() -> DataType {
    DataType::Category { levels: Some(vec!["z".into(), "a".into()]) }
}

/// Runs a plan with the map: rows 0 to 3 are train, the rest test.
fn mapped(rows: Series, link: &MapLink, undo: bool) -> Result<DataFrame, RunError> {
    let mut bench = Bench::new();
    let parts: Vec<i64> = (0..rows.len()).map(|i| if i < 4 { 0 } else { 2 }).collect();
    let table = DataFrame::new(rows.len(), vec![rows.into_column(), Column::new("p".into(), parts)]).unwrap();
    let mut fields = vec![field("x", link.from.clone()), field("p", Int)];
    let input = bench.table("data", table, fields.clone());
    fields.push(required(PART, Int));
    let columns = vec![NamedExpr { name: PART.into(), expr: col("p", Int) }];
    let split = bench.step(Op::Derive { columns }, fields.clone(), &[input]);
    let columns = vec![MapColumn::new("x", "x", link.clone())];
    fields[0].dtype = link.to.clone();
    let mut node = bench.step(Op::Map { columns }, fields.clone(), &[split]);
    if undo {
        fields[0].dtype = link.from.clone();
        let columns = vec![UnmapColumn { column: "x".into(), links: vec![link.clone()] }];
        node = bench.step(Op::Unmap { columns }, fields, &[node]);
    }
    bench.rows(node)
}

fn floats(values: &[Option<f64>]) -> Series {
    Series::new("x".into(), values)
}

#[test]
fn maps_learn_from_train_rows_only() {
    let numbers = || floats(&[Some(1.0), Some(3.0), None, Some(5.0), Some(100.0), None]);
    let constant = || floats(&[Some(2.0), Some(2.0), None, Some(2.0), Some(5.0), None]);
    let texts = || Series::new("x".into(), [Some("b"), Some("a"), None, Some("b"), Some("c"), None]);
    let levels = || Series::new("x".into(), [Some("a"), Some("z"), None]);
    let ints = || Series::new("x".into(), [Some(1_i64), Some(2), None, Some(4), Some(9), None]);
    let count = |n: i64| [("min_count", Value::Int(n))];
    let by = |word: &str| [("value", Value::Word(word.into()))];
    for (rows, link, expected) in [
        (
            numbers(),
            link("standardize", Float, Float, &[]),
            "-1.224744871391589 0.0 null 1.224744871391589 59.400126262492066 null",
        ),
        (constant(), link("standardize", Float, Float, &[]), "0.0 0.0 null 0.0 3.0 null"),
        (numbers(), link("min_max", Float, Float, &[]), "0.0 0.5 null 1.0 24.75 null"),
        (constant(), link("min_max", Float, Float, &[]), "0.0 0.0 null 0.0 3.0 null"),
        (ints(), link("min_max", Int, Float, &[]), "0.0 0.3333333333333333 null 1.0 2.6666666666666665 null"),
        (numbers(), link("impute", Float, Float, &by("mean")), "1.0 3.0 3.0 5.0 100.0 3.0"),
        (ints(), link("impute", Int, Int, &by("mean")), "1 2 2 4 9 2"),
        (ints(), link("impute", Int, Float, &by("mean")), "1.0 2.0 2.3333333333333335 4.0 9.0 2.3333333333333335"),
        (numbers(), link("impute", Float, Float, &by("median")), "1.0 3.0 3.0 5.0 100.0 3.0"),
        (texts(), link("impute", Text, Text, &by("mode")), "\"b\" \"a\" \"b\" \"b\" \"c\" \"b\""),
        (ints(), link("impute", Int, Int, &by("mode")), "1 2 1 4 9 1"),
        (ints(), link("impute", Int, Int, &[("value", Value::Int(-1))]), "1 2 -1 4 9 -1"),
        (numbers(), link("impute", Float, Float, &[("value", Value::Int(7))]), "1.0 3.0 7.0 5.0 100.0 7.0"),
        (texts(), link("index", open(), Int, &[]), "1 0 null 1 -1 null"),
        (texts(), link("index", open(), Int, &count(2)), "0 -1 null 0 -1 null"),
        (
            texts(),
            link("one_hot", open(), vector(), &count(1)),
            "[0.0, 1.0] [1.0, 0.0] [0.0, 0.0] [0.0, 1.0] [0.0, 0.0] [0.0, 0.0]",
        ),
        (levels(), link("one_hot", closed(), vector(), &count(1)), "[0.0, 1.0] [1.0, 0.0] [0.0, 0.0]"),
        (levels(), link("index", closed(), Int, &[]), "1 0 null"),
        (
            texts(),
            link(
                "labels",
                Text,
                Int,
                &[("levels", Value::List(["b", "a", "c"].map(|l| Value::String(l.into())).to_vec()))],
            ),
            "0 1 null 0 2 null",
        ),
        (numbers(), link("sqrt", Float, Float, &[]), "1.0 1.7320508075688772 null 2.23606797749979 10.0 null"),
        (floats(&[Some(0.0), Some(f64::NAN), None]), link("log1p", Float, Float, &[]), "0.0 NaN null"),
    ] {
        let table = mapped(rows, &link, false).unwrap_or_else(|e| panic!("{link:?}: {e}"));
        assert_eq!(values(&table, "x"), expected, "{link:?}");
    }
}

#[test]
fn a_map_that_cannot_be_fitted_says_why() {
    let none = floats(&[None, None, None, None, Some(1.0)]);
    for (rows, link, what) in [
        (none, link("standardize", Float, Float, &[]), "all of its train values are null"),
        (floats(&[]), link("min_max", Float, Float, &[]), "the train part has no rows"),
        (floats(&[Some(f64::INFINITY), Some(1.0)]), link("standardize", Float, Float, &[]), "not all finite"),
        (
            Series::new("x".into(), ["a", "b"]),
            link("index", open(), Int, &[("min_count", Value::Int(2))]),
            "no level has at least 2 train rows",
        ),
    ] {
        let error = mapped(rows, &link, false).unwrap_err();
        assert_eq!(error.code, "E0715", "{error}");
        assert!(error.message.contains(what) && error.message.contains("`x`"), "{}", error.message);
    }
}

#[test]
fn a_value_without_a_label_is_an_error() {
    let only = [("levels", Value::List(vec![Value::String("yes".into())]))];
    let rows = Series::new("x".into(), [Some("yes"), None, Some("no")]);
    let error = mapped(rows, &link("labels", Text, Int, &only), false).unwrap_err();
    let data = error.data.unwrap();
    assert_eq!((error.code.as_str(), data.row, data.value.as_deref()), ("E0707", Some(3), Some("\"no\"")));
}

#[test]
fn unmap_gives_back_what_was_seen() {
    let texts = Series::new("x".into(), [Some("b"), Some("a"), None, Some("b"), Some("c"), None]);
    for (to, name) in [(Int, "index"), (vector(), "one_hot")] {
        let back = mapped(texts.clone(), &link(name, open(), to, &[]), true).unwrap();
        assert_eq!(values(&back, "x"), "\"b\" \"a\" null \"b\" null null", "{name}");
    }
    let ints = Series::new("x".into(), [Some(1_i64), Some(-2), None, Some(4_000_000_000), Some(9)]);
    let back = mapped(ints, &link("standardize", Int, Float, &[]), true).unwrap();
    assert_eq!(values(&back, "x"), "1 -2 null 4000000000 9");
}

#[test]
fn states_survive_json_to_the_bit() {
    let state = MapState::Affine(Affine { shift: 0.1 + 0.2, scale: f64::from_bits(0x3fd5_5555_5555_5557) });
    let states = MapStates([(3, state), (4, MapState::Levels { levels: vec!["ä\"".into()] })].into());
    let text = serde_json::to_string(&states).unwrap();
    assert_eq!(serde_json::from_str::<MapStates>(&text).unwrap(), states, "{text}");
}

/// Each row by hand: the mean of the other folds, drawn to the mean of all.
#[test]
fn a_train_row_is_encoded_from_other_folds() {
    for key in [vec!["id".to_owned()], vec![]] {
        let rows = 60_i64;
        let plan = |i: i64| [Some("a"), Some("b"), None][(i % 7 % 3) as usize];
        let plans: Vec<Option<&str>> = (0..rows).map(plan).chain([Some("new")]).collect();
        let ys: Vec<f64> = (0..=rows).map(|i| (i % 11) as f64).collect();
        let parts: Vec<i64> = (0..=rows).map(|i| if i % 4 == 0 { 2 } else { 0 }).collect();
        let ids: Vec<i64> = (0..=rows).map(|i| if key.is_empty() { i } else { i / 2 }).collect();
        let table = DataFrame::new(
            plans.len(),
            vec![
                Column::new("x".into(), &plans),
                Column::new("y".into(), &ys),
                Column::new("p".into(), &parts),
                Column::new("id".into(), &ids),
            ],
        );
        let mut bench = Bench::new();
        let mut fields = vec![field("x", open()), field("y", Float), field("p", Int), field("id", Int)];
        let input = bench.table("data", table.unwrap(), fields.clone());
        fields.push(required(PART, Int));
        let columns = vec![NamedExpr { name: PART.into(), expr: col("p", Int) }];
        let split = bench.step(Op::Derive { columns }, fields.clone(), &[input]);
        let mut link = link("target_encode", open(), Float, &[("smoothing", Value::Float(2.0))]);
        link.fitted = true;
        let out_of_fold = OutOfFold { target: "y".into(), key: SplitKey::by(key.clone()), folds: 4 };
        let column = MapColumn { out_of_fold: Some(out_of_fold), ..MapColumn::new("x", "e", link) };
        fields.push(field("e", Float));
        let node = bench.step(Op::Map { columns: vec![column] }, fields, &[split]);
        let found = bench.rows(node).unwrap();
        let found: Vec<Option<f64>> = found.column("e").unwrap().f64().unwrap().iter().collect();

        // The bench's seed is 7.
        let fold = |row: usize| (crate::step::split::share(&format!("7|folds|{}", ids[row])) * 4.0) as u64;
        for row in 0..plans.len() {
            let sees = |other: &usize| parts[*other] == 0 && (parts[row] != 0 || fold(*other) != fold(row));
            let others: Vec<usize> = (0..plans.len()).filter(sees).collect();
            let all = others.iter().map(|i| ys[*i]).sum::<f64>() / others.len() as f64;
            let level: Vec<f64> = others.iter().filter(|i| plans[**i] == plans[row]).map(|i| ys[*i]).collect();
            let expected = match level.len() {
                _ if plans[row].is_none() => None,
                0 => Some(all),
                n => Some((level.iter().sum::<f64>() + 2.0 * all) / (n as f64 + 2.0)),
            };
            match (expected, found[row]) {
                (Some(a), Some(b)) => assert!((a - b).abs() < 1e-12, "row {row}: {a} {b}"),
                other => assert_eq!(other, (None, None), "row {row}"),
            }
        }
    }
}

fn there_and_back(rows: Series, link: &MapLink) -> Column {
    let column = rows.into_column();
    let mut states = MapStates::default();
    if link.fitted {
        let train = DataFrame::new(column.len(), vec![column.clone()]).unwrap();
        let column = MapColumn::new("x", "x", link.clone());
        states.0.extend(map::fit(&[&column], &train, &Schema::default(), 7).unwrap());
    }
    let frame = DataFrame::new(column.len(), vec![column]).unwrap();
    let (faults, schema) = (crate::fault::Faults::default(), dbjob_plan::Schema::default());
    let scope = crate::expr::Scope::new(&faults, NodeId::new(0), &schema);
    let cx = Applying { scope, states: &states, schema: &schema, seed: 7, row: "" };
    let there = map::apply(&MapColumn::new("x", "x", link.clone()), &cx).unwrap();
    let there = polars::prelude::IntoLazy::lazy(frame).select([there]).collect().unwrap();
    unmap_column(&there.columns()[0], std::slice::from_ref(link), &states).unwrap()
}

proptest! {
    /// Scales and formulas give numbers back up to rounding, null as null.
    #[test]
    fn numbers_come_back(rows in prop::collection::vec(prop::option::weighted(0.9, 0.001_f64..1e3), 1..40)) {
        prop_assume!(rows.iter().any(Option::is_some));
        for name in ["standardize", "min_max", "log1p", "log", "sqrt"] {
            let back = there_and_back(floats(&rows), &link(name, Float, Float, &[]));
            for (x, y) in rows.iter().zip(back.f64().unwrap().iter()) {
                match (x, y) {
                    (Some(x), Some(y)) => prop_assert!((x - y).abs() <= 1e-9 * x.abs().max(1.0), "{name}: {x} {y}"),
                    other => prop_assert_eq!(other, (&None, None), "{}", name),
                }
            }
        }
        let small: Vec<Option<f64>> = rows.iter().map(|x| x.map(|x| x / 100.0)).collect();
        for name in ["exp", "expm1"] {
            let back = there_and_back(floats(&small), &link(name, Float, Float, &[]));
            for (x, y) in small.iter().zip(back.f64().unwrap().iter()) {
                prop_assert!(x.is_none() == y.is_none() && (x.unwrap_or(0.0) - y.unwrap_or(0.0)).abs() < 1e-9);
            }
        }
    }

    /// Levels come back exactly; those that were too rare are null.
    #[test]
    fn levels_come_back(rows in prop::collection::vec(prop::option::weighted(0.8, "[a-cä]{0,2}"), 1..60), at_least in 1_i64..3) {
        let count = |level: &str| rows.iter().flatten().filter(|l| *l == level).count() as i64;
        prop_assume!(rows.iter().flatten().any(|l| count(l) >= at_least));
        let expected: Vec<Option<&str>> =
            rows.iter().map(|l| l.as_deref().filter(|l| count(l) >= at_least)).collect();
        for (name, to) in [("index", Int), ("one_hot", vector())] {
            let link = link(name, open(), to, &[("min_count", Value::Int(at_least))]);
            let back = there_and_back(Series::new("x".into(), rows.clone()), &link);
            prop_assert_eq!(back.str().unwrap().iter().collect::<Vec<_>>(), expected.clone(), "{}", name);
        }
    }
}
