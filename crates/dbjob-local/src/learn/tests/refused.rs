use std::path::Path;

use dbjob_plan::{DataType, PART, RunError, Task};
use polars::prelude::DataFrame;

use super::support::*;
use crate::map::MapStates;

fn of(change: impl FnOnce(&mut DataFrame)) -> DataFrame {
    let mut columns = base();
    columns.push(series("y", score(&columns)));
    let mut table = table(columns);
    change(&mut table);
    table
}

fn refused(table: &DataFrame, metrics: &[&str]) -> RunError {
    let spec = spec("linear_regression", Task::Regression, "y", DataType::Float, metrics);
    fit(&spec, table, &MapStates::default()).unwrap_err()
}

fn put(table: &mut DataFrame, column: polars::prelude::Column) {
    table.with_column(column).unwrap();
}

#[test]
fn a_null_or_nan_input_is_named() {
    for (bad, shown) in [(None, "null"), (Some(f64::NAN), "NaN"), (Some(f64::NEG_INFINITY), "-inf")] {
        let table = of(|t| {
            let a: Vec<Option<f64>> = (0..200).map(|i| if i == 41 { bad } else { Some(f64::from(i)) }).collect();
            put(t, series("a", a));
        });
        let error = refused(&table, &[]);
        assert_eq!(error.code, "E0715");
        assert!(error.message.contains(&format!("`a` is {shown} in row 42")), "{}", error.message);
        assert!(error.help.unwrap().contains("impute"));
        let place = error.data.unwrap();
        assert_eq!((place.row, place.column.as_deref()), (Some(42), Some("a")));
    }
}

/// To predict, the same null is a fault of the row.
#[test]
fn a_row_that_cannot_be_predicted_is_named() {
    let good = of(|_| {});
    let spec = spec("linear_regression", Task::Regression, "y", DataType::Float, &[]);
    let learned = fit(&spec, &good, &MapStates::default()).unwrap();
    let bad = of(|t| {
        let b: Vec<Option<i64>> = (0..200).map(|i| (i != 3).then_some(i)).collect();
        put(t, series("b", b));
    });
    let error = learned.predict(&bad, "p", &MapStates::default()).unwrap_err();
    assert_eq!((error.code.as_str(), error.data.unwrap().row), ("E0719", Some(4)));
    let error = learned.predict(&good.drop("c").unwrap(), "p", &MapStates::default()).unwrap_err();
    assert_eq!(error.code, "E0705");
}

#[test]
fn parts_that_lack_rows() {
    let test_only = of(|t| put(t, series(PART, vec![2_i64; 200])));
    let error = refused(&test_only, &[]);
    assert!(error.code == "E0715" && error.message.contains("no train rows"), "{error}");
    let train_only = of(|t| put(t, series(PART, vec![0_i64; 200])));
    let error = refused(&train_only, &["rmse"]);
    assert!(error.code == "E0715" && error.message.contains("no test rows"), "{error}");
    let no_output = of(|t| put(t, series("y", vec![None::<f64>; 200])));
    let error = refused(&no_output, &[]);
    assert!(error.help.unwrap().contains("null in all 200 rows"));
}

#[test]
fn one_class_and_weights_below_zero() {
    let mut table = of(|t| put(t, series("late", vec![true; 200])));
    let classifier = spec("logistic_regression", Task::Classification, "late", DataType::Bool, &[]);
    let error = fit(&classifier, &table, &MapStates::default()).unwrap_err();
    assert!(error.code == "E0715" && error.message.contains("one class only"), "{error}");
    put(&mut table, series("w", (0..200).map(|i| 10.0 - f64::from(i)).collect::<Vec<_>>()));
    let mut weighted = spec("linear_regression", Task::Regression, "y", DataType::Float, &[]);
    weighted.weight = Some("w".into());
    let error = fit(&weighted, &table, &MapStates::default()).unwrap_err();
    assert!(error.message.contains("`w` is -1 in row 12"), "{error}");
}

/// Its row in the table, not among those that are learned from.
#[test]
fn an_output_that_no_such_model_has_is_named_by_its_row() {
    let table = of(|t| {
        put(t, series(PART, (0..200).map(|i| if i < 50 { 2_i64 } else { 0 }).collect::<Vec<_>>()));
        put(t, series("y", (0..200).map(|i| if i == 100 { -1.0 } else { 3.0 }).collect::<Vec<_>>()));
    });
    let spec = spec("poisson_regression", Task::Regression, "y", DataType::Float, &[]);
    let error = fit(&spec, &table, &MapStates::default()).unwrap_err();
    assert!(error.message.contains("the output is -1 in row 101; poisson_regression takes"), "{}", error.message);
    assert_eq!(error.data.unwrap().row, Some(101));
}

#[test]
fn a_cancelled_run_stops() {
    let table = of(|_| {});
    for algorithm in ["linear_regression", "random_forest"] {
        let spec = spec(algorithm, Task::Regression, "y", DataType::Float, &["rmse"]);
        let run = Run::new();
        run.cancel.cancel();
        let error = run.with(Path::new("."), 2, |cx| fit_with(&spec, &table, &MapStates::default(), cx)).unwrap_err();
        assert_eq!(error.code, "E0718");
    }
}
