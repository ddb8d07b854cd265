use dbjob_plan::{BinaryOp, DataType, MapLink, Output, Task};

use super::support::*;
use crate::map::{Affine, MapState, MapStates};

/// log1p, then standardize, on a price; metrics and predictions are in the price's own units.
#[test]
fn a_mapped_number_is_judged_in_its_own_units() {
    let mut columns = base();
    let price: Vec<f64> = score(&columns).iter().map(|s| (0.3 * s).exp() * 10.0).collect();
    let logs: Vec<f64> = price.iter().map(|p| p.ln_1p()).collect();
    let (shift, scale) = (2.0, 0.5);
    columns.push(series("price", logs.iter().map(|l| (l - shift) / scale).collect::<Vec<_>>()));
    let table = table(columns);
    let maps = MapStates([(2, MapState::Affine(Affine { shift, scale }))].into());
    let mut spec = spec("linear_regression", Task::Regression, "price", DataType::Float, &["rmse", "mae", "r2"]);
    spec.require = vec![requirement("rmse", BinaryOp::Lt, "baseline.rmse")];
    spec.output.unmap = vec![
        link(2, "standardize", DataType::Float, DataType::Float, true),
        MapLink {
            formula: crate::tests::maps::formula("log1p"),
            ..link(1, "log1p", DataType::Float, DataType::Float, false)
        },
    ];
    let learned = fit(&spec, &table, &maps).unwrap();
    let predicted = learned.predict(&table, "p", &maps).unwrap();
    assert_eq!(names(&predicted), ["p"]);
    let predicted = floats(&predicted[0]);
    let test = 160..200;
    let errors: Vec<f64> = test.clone().map(|i| price[i] - predicted[i]).collect();
    let mae = errors.iter().map(|e| e.abs()).sum::<f64>() / 40.0;
    let mean = price[..150].iter().sum::<f64>() / 150.0;
    let baseline = test.clone().map(|i| (price[i] - mean).abs()).sum::<f64>() / 40.0;
    let found = learned.metrics()[1].1;
    assert!((found.value - mae).abs() < 1e-9 && (found.baseline - baseline).abs() < 1e-9, "{found:?} {mae} {baseline}");
    assert!(learned.requirements()[0].held && learned.metrics()[2].1.value > 0.9);
    let truth = floats(learned.test_predictions().column("price").unwrap());
    assert!(test.zip(truth).all(|(i, t)| (price[i] - t).abs() < 1e-9));
}

#[test]
fn an_int_is_predicted_as_an_int() {
    let mut columns = base();
    let whole: Vec<i64> = score(&columns).iter().map(|s| (s * 3.0).round() as i64).collect();
    columns.push(series("count", whole));
    let table = table(columns);
    let spec = spec("ridge", Task::Regression, "count", DataType::Int, &["mae"]);
    let learned = fit(&spec, &table, &MapStates::default()).unwrap();
    let predicted = learned.predict(&table, "p", &MapStates::default()).unwrap();
    let predicted = predicted[0].i64().unwrap();
    let truth = table.column("count").unwrap().i64().unwrap();
    let mae = (160..200).map(|i| predicted.get(i).unwrap().abs_diff(truth.get(i).unwrap()) as f64).sum::<f64>() / 40.0;
    assert!((learned.metrics()[0].1.value - mae).abs() < 1e-12 && mae < 1.0, "{mae}");
}

#[test]
fn weights_and_the_whole_table_without_a_split() {
    let mut columns = base();
    columns.push(series("y", score(&columns)));
    let weight: Vec<f64> = (0..200).map(|i| f64::from(u8::from(i % 2 == 0))).collect();
    columns.push(series("w", weight));
    let table = table(columns);
    let mut spec = spec("linear_regression", Task::Regression, "y", DataType::Float, &[]);
    spec.split = false;
    spec.weight = Some("w".into());
    spec.output = Output { column: "y".into(), learned: DataType::Float, dtype: DataType::Float, unmap: vec![] };
    let learned = fit(&spec, &table, &MapStates::default()).unwrap();
    assert_eq!((learned.rows().train, learned.rows().test), (200, 0));
    let predicted = floats(&learned.predict(&table, "p", &MapStates::default()).unwrap()[0]);
    let truth = floats(table.column("y").unwrap());
    assert!(predicted.iter().zip(truth).all(|(p, t)| (p - t).abs() < 1e-9));
    assert_eq!(learned.test_predictions().height(), 0);
    assert_eq!(names(learned.test_predictions().columns()), ["id", "w", "y", "prediction"]);
}
