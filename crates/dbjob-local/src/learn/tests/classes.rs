use std::path::Path;

use dbjob_plan::{BinaryOp, DataType, Event, MapColumn, Output, Task, Value};
use polars::prelude::{Column, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder};

use super::support::*;
use crate::map::{MapState, MapStates};

fn with(mut columns: Vec<Column>, more: Column) -> polars::prelude::DataFrame {
    columns.push(more);
    table(columns)
}

fn levels(columns: &[Column], names: [&'static str; 3]) -> Vec<&'static str> {
    score(columns)
        .iter()
        .map(|s| {
            if *s < 1.0 {
                names[0]
            } else if *s < 5.0 {
                names[1]
            } else {
                names[2]
            }
        })
        .collect()
}

fn closed(levels: &[&str]) -> DataType {
    DataType::Category { levels: Some(levels.iter().map(|l| (*l).to_owned()).collect()) }
}

const OPEN: DataType = DataType::Category { levels: None };

#[test]
fn a_bool_is_predicted_judged_and_told_of() {
    let columns = base();
    let truth: Vec<bool> = score(&columns).iter().map(|s| *s > 3.0).collect();
    let table = with(columns, series("late", truth.clone()));
    let mut spec = spec("logistic_regression", Task::Classification, "late", DataType::Bool, &["accuracy", "auc"]);
    spec.require =
        vec![requirement("accuracy", BinaryOp::Gt, "baseline.accuracy"), requirement("auc", BinaryOp::Gt, "1.5")];
    let (run, maps) = (Run::new(), MapStates::default());
    let learned = run.with(Path::new("."), 1, |cx| fit_with(&spec, &table, &maps, cx)).unwrap();

    let rows = learned.rows();
    assert_eq!((rows.train, rows.valid, rows.test, rows.without_output), (150, 10, 40, 0));
    assert_eq!(learned.classes(), [Value::Bool(false), Value::Bool(true)]);
    assert_eq!(learned.features(), ["a", "b", "c"]);

    let predicted = learned.predict(&table, "p", &maps).unwrap();
    assert_eq!(names(&predicted), ["p", "p_probability"]);
    let (value, probability) = (predicted[0].bool().unwrap(), predicted[1].f64().unwrap());
    assert!((0..200).all(|i| value.get(i) == Some(probability.get(i).unwrap() > 0.5)));
    let right = (160..200).filter(|i| value.get(*i) == Some(truth[*i])).count() as f64 / 40.0;
    let majority = (160..200).filter(|i| !truth[*i]).count() as f64 / 40.0;
    let (name, accuracy) = &learned.metrics()[0];
    assert_eq!((name.as_str(), accuracy.value, accuracy.baseline), ("accuracy", right, majority));
    assert!(right > 0.9 && learned.metrics()[1].1.value > 0.95);

    let held: Vec<bool> = learned.requirements().iter().map(|r| r.held).collect();
    assert_eq!(held, [true, false]);
    assert_eq!(learned.requirements()[0].values["baseline.accuracy"], majority);
    let events = run.events.lock().unwrap();
    assert!(events.iter().any(|e| matches!(e, Event::Progress { item, loss: Some(_), .. } if item == "m")));
    assert!(events.iter().any(|e| matches!(e, Event::Evaluated { metrics, .. } if metrics == learned.metrics())));

    let test = learned.test_predictions();
    assert_eq!(names(test.columns()), ["id", "late", "prediction", "prediction_probability"]);
    assert_eq!((test.height(), test.column("id").unwrap().i64().unwrap().get(0)), (40, Some(1160)));
    assert_bit_equal(
        &[test.column("prediction_probability").unwrap().clone()],
        &[predicted[1].slice(160, 40).with_name("prediction_probability".into())],
    );
}

#[test]
fn a_closed_category_keeps_its_order_and_its_unseen_levels() {
    let columns = base();
    let truth = levels(&columns, ["low", "mid", "high"]);
    let table = with(columns, series("level", truth));
    for algorithm in ["logistic_regression", "random_forest"] {
        let dtype = closed(&["never", "mid", "low", "high"]);
        let spec = spec(algorithm, Task::Classification, "level", dtype, &["accuracy", "f1", "log_loss"]);
        let learned = fit(&spec, &table, &MapStates::default()).unwrap();
        let predicted = learned.predict(&table, "p", &MapStates::default()).unwrap();
        let expected = ["p", "p_probability_never", "p_probability_mid", "p_probability_low", "p_probability_high"];
        assert_eq!(names(&predicted), expected);
        assert!(floats(&predicted[1]).iter().all(|p| *p == 0.0));
        for i in 0..200 {
            let total: f64 = predicted[1..].iter().map(|c| c.f64().unwrap().get(i).unwrap()).sum();
            assert!((total - 1.0).abs() < 1e-12);
        }
        assert!(learned.metrics()[0].1.value > 0.8, "{algorithm} {:?}", learned.metrics());
    }
}

#[test]
fn open_categories_and_ints_are_sorted() {
    let columns = base();
    let text = levels(&columns, ["m", "é", "Z"]);
    let ints: Vec<i64> = text
        .iter()
        .map(|l| match *l {
            "m" => 10,
            "é" => -2,
            _ => 9,
        })
        .collect();
    let mut columns = columns;
    columns.push(series("int", ints));
    let table = with(columns, series("level", text));
    let of = |output: &str, dtype: DataType| {
        let spec = spec("random_forest", Task::Classification, output, dtype, &[]);
        let learned = fit(&spec, &table, &MapStates::default()).unwrap();
        let predicted = learned.predict(&table, "p", &MapStates::default()).unwrap();
        (learned.classes().to_vec(), names(&predicted)[1..].join(" "), predicted[0].dtype().to_string())
    };
    let text = |l: &str| Value::String(l.to_owned());
    let expected = (vec![text("Z"), text("m"), text("é")], "p_probability_Z p_probability_m p_probability_é");
    for dtype in [OPEN, DataType::String] {
        let (classes, columns, dtype) = of("level", dtype);
        assert_eq!((classes, columns.as_str(), dtype.as_str()), (expected.0.clone(), expected.1, "str"));
    }
    let (classes, columns, dtype) = of("int", DataType::Int);
    assert_eq!(classes, [Value::Int(-2), Value::Int(9), Value::Int(10)]);
    assert_eq!((columns.as_str(), dtype.as_str()), ("p_probability_-2 p_probability_9 p_probability_10", "i64"));
}

/// `map level with index`, `output level: category`: learned as positions, told as levels.
#[test]
fn a_mapped_class_is_told_in_its_own_levels() {
    let columns = base();
    let text = levels(&columns, ["low", "mid", "high"]);
    let order = ["high", "low", "mid"];
    let position: Vec<i64> = text.iter().map(|l| order.iter().position(|o| o == l).unwrap() as i64).collect();
    let mut columns = columns;
    columns.push(series("text", text));
    let table = with(columns, series("level", position));
    let maps = MapStates([(4, MapState::Levels { levels: order.map(String::from).to_vec() })].into());
    let mut by_map = spec("random_forest", Task::Classification, "level", OPEN, &["accuracy", "auc"]);
    by_map.output = Output {
        column: "level".into(),
        learned: DataType::Int,
        dtype: OPEN,
        unmap: vec![link(4, "index", OPEN, DataType::Int, true)],
    };
    let plain = spec("random_forest", Task::Classification, "text", OPEN, &["accuracy", "auc"]);
    let (by_map, plain) = (fit(&by_map, &table, &maps).unwrap(), fit(&plain, &table, &maps).unwrap());
    assert_eq!(by_map.classes(), plain.classes());
    assert_eq!(by_map.metrics(), plain.metrics());
    assert_bit_equal(&by_map.predict(&table, "p", &maps).unwrap(), &plain.predict(&table, "p", &maps).unwrap());
    let truth = by_map.test_predictions().column("level").unwrap();
    assert!(truth.str().is_ok(), "the stored truth is in the caller's units: {truth:?}");
}

#[test]
fn rows_without_output_are_counted_and_new_test_levels_are_wrong() {
    let columns = base();
    let text = levels(&columns, ["low", "mid", "high"]);
    let truth: Vec<Option<&str>> = text
        .iter()
        .enumerate()
        .map(|(i, l)| match i {
            0..7 | 165 => None,
            199 => Some("surprise"),
            _ => Some(*l),
        })
        .collect();
    let table = with(columns, series("level", truth));
    let spec = spec("random_forest", Task::Classification, "level", OPEN, &["accuracy"]);
    let learned = fit(&spec, &table, &MapStates::default()).unwrap();
    let rows = learned.rows();
    assert_eq!((rows.train, rows.test, rows.without_output), (143, 39, 8));
    let predicted = learned.test_predictions().column("prediction").unwrap().str().unwrap().clone();
    let truth = learned.test_predictions().column("level").unwrap().str().unwrap().clone();
    let right = predicted.iter().zip(truth.iter()).filter(|(p, t)| p == t).count();
    assert_eq!(learned.metrics()[0].1.value, right as f64 / 39.0);
    assert_eq!(learned.classes().len(), 3);
}

#[test]
fn an_undefined_metric_is_a_warning_and_its_gate_does_not_hold() {
    let columns = base();
    let truth: Vec<bool> = score(&columns).iter().enumerate().map(|(i, s)| i >= 160 || *s > 3.0).collect();
    let table = with(columns, series("late", truth));
    let mut spec = spec("logistic_regression", Task::Classification, "late", DataType::Bool, &["auc", "accuracy"]);
    spec.require = vec![requirement("auc", BinaryOp::Ge, "0.0")];
    let run = Run::new();
    let learned = run.with(Path::new("."), 1, |cx| fit_with(&spec, &table, &MapStates::default(), cx)).unwrap();
    assert_eq!(learned.metrics().len(), 1);
    assert!(!learned.requirements()[0].held && learned.requirements()[0].values.is_empty());
    assert!(
        run.warnings().iter().any(|w| w.contains("auc is not defined") && w.contains("one class")),
        "{:?}",
        run.warnings()
    );
}

#[test]
fn vectors_are_named_by_their_levels_and_predict_alike_row_by_row() {
    let columns = base();
    let text = levels(&columns, ["low", "mid", "high"]);
    let mut lists = ListPrimitiveChunkedBuilder::<polars::prelude::Float64Type>::new(
        "kind".into(),
        200,
        600,
        polars::prelude::DataType::Float64,
    );
    for level in &text {
        lists.append_slice(&["high", "low", "mid"].map(|l| f64::from(u8::from(l == *level))));
    }
    let truth: Vec<bool> = text.iter().map(|l| *l != "low").collect();
    let mut columns = columns;
    columns.push(series("late", truth));
    let table = with(columns, lists.finish().into_column());
    let maps = MapStates([(9, MapState::Levels { levels: ["high", "low", "mid"].map(String::from).to_vec() })].into());
    let mut spec = spec("logistic_regression", Task::Classification, "late", DataType::Bool, &[]);
    let vector = DataType::Vector { width: None };
    spec.inputs[0].column = "kind".into();
    spec.inputs[0].dtype = vector.clone();
    spec.serving = serving(&spec.inputs, vec![MapColumn::new("kind", "kind", link(9, "one_hot", OPEN, vector, true))]);
    let learned = fit(&spec, &table, &maps).unwrap();
    assert_eq!(learned.features(), ["kind=high", "kind=low", "kind=mid", "b", "c"]);
    let all = learned.predict(&table, "p", &maps).unwrap();
    for at in [0, 7, 199] {
        let one: Vec<Column> = all.iter().map(|c| c.slice(at, 1)).collect();
        assert_bit_equal(&learned.predict(&table.slice(at, 1), "p", &maps).unwrap(), &one);
    }
    assert_eq!(learned.predict(&table.slice(0, 0), "p", &maps).unwrap()[1].len(), 0);
    spec.serving = serving(&spec.inputs, vec![]);
    assert_eq!(fit(&spec, &table, &maps).unwrap().features()[..3], ["kind[0]", "kind[1]", "kind[2]"]);
}
