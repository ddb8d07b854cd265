use dbjob_learn::{Matrix, OptionValue, Target};

use crate::support::*;

fn matrix(columns: Vec<Vec<f64>>) -> Matrix {
    let names = (0..columns.len()).map(|i| format!("x{i}")).collect();
    let rows = columns[0].len();
    Matrix::new(names, columns, rows).unwrap()
}

#[test]
fn least_squares_equals_scikit_learn() {
    let f = fixture("diabetes");
    let model = fit("linear_regression", &[], &f.x, &f.numbers());
    assert_close(&parameters(&*model), &f.parameters("least_squares"), 1e-8);
    let weights = f.floats("weights");
    let model = try_fit("linear_regression", &[], &f.x, &f.numbers(), Some(&weights), 1).unwrap();
    assert_close(&parameters(&*model), &f.parameters("least_squares_weighted"), 1e-8);
}

#[test]
fn ridge_equals_scikit_learn() {
    let f = fixture("diabetes");
    let model = fit("ridge", &[], &f.x, &f.numbers());
    assert_close(&parameters(&*model), &f.parameters("ridge"), 1e-8);
    let weights = f.floats("weights");
    let alpha = [("alpha", OptionValue::Float(500.0))];
    let model = try_fit("ridge", &alpha, &f.x, &f.numbers(), Some(&weights), 1).unwrap();
    assert_close(&parameters(&*model), &f.parameters("ridge_strong_weighted"), 1e-8);
}

/// Data and certified values of NIST's Statistical Reference Datasets: the worst relative error of all parameters.
#[test]
fn the_certified_digits_of_published_sets() {
    let digits = [
        ("norris", 1e-12),
        ("pontius", 1e-12),
        ("no_int1", 1e-14),
        ("no_int2", 1e-14),
        ("filip", 1e-7),
        ("longley", 1e-9),
        ("wampler1", 1e-9),
        ("wampler2", 1e-12),
        ("wampler3", 1e-9),
        ("wampler4", 1e-8),
        ("wampler5", 1e-7),
    ];
    for (name, most) in digits {
        let (columns, y, certified) = reference(name);
        let intercept = !name.starts_with("no_int");
        let changes = [("fit_intercept", OptionValue::Bool(intercept))];
        let mut found = parameters(&*fit("linear_regression", &changes, &matrix(columns), &Target::Numbers(y)));
        found.rotate_right(1);
        let errors = found.iter().zip(&certified).map(|(f, c)| if f == c { 0.0 } else { ((f - c) / c).abs() });
        let worst = errors.fold(0.0, f64::max);
        assert!(worst <= most, "{name}: {worst:e}: {found:?}");
        println!("{name}: {worst:.1e}");
    }
}

#[test]
fn collinear_features_share_and_constant_ones_get_nothing() {
    let a: Vec<f64> = (0..50).map(|i| f64::from(i * i % 17)).collect();
    let b: Vec<f64> = a.iter().map(|v| 10.0 * v + 3.0).collect();
    let y: Vec<f64> = a.iter().map(|v| 2.0 * v + 1.0).collect();
    let x = matrix(vec![a, b, vec![0.1; 50]]);
    let found = parameters(&*fit("linear_regression", &[], &x, &Target::Numbers(y.clone())));
    assert_close(&found, &[1.0, 0.1, 0.0, 0.7], 1e-10);
    assert_eq!(found[2], 0.0);
    let predicted = predict(&*fit("ridge", &[("alpha", OptionValue::Float(0.0))], &x, &Target::Numbers(y.clone())), &x);
    assert_close(&predicted.columns[0], &y, 1e-10);
}

#[test]
fn all_levels_of_a_one_hot_are_no_trouble() {
    let level = |k: i32| -> Vec<f64> { (0..300).map(|i| f64::from(u8::from(i % 3 == k))).collect() };
    let y: Vec<f64> = (0..300).map(|i| f64::from(i % 3) * 5.0 + f64::from(i % 2)).collect();
    let x = matrix(vec![level(0), level(1), level(2)]);
    let found = predict(&*fit("linear_regression", &[], &x, &Target::Numbers(y)), &x);
    assert_close(&found.columns[0][..3], &[0.5, 5.5, 10.5], 1e-10);
}

#[test]
fn one_row_and_more_features_than_rows_have_an_answer() {
    let x = matrix(vec![vec![3.0], vec![4.0]]);
    let model = fit("linear_regression", &[], &x, &Target::Numbers(vec![5.0]));
    assert_eq!(parameters(&*model), [0.0, 0.0, 5.0]);
    let x = matrix(vec![vec![1.0, 2.0], vec![5.0, 1.0], vec![0.0, 9.0]]);
    let y = Target::Numbers(vec![1.0, 2.0]);
    assert_close(&predict(&*fit("linear_regression", &[], &x, &y), &x).columns[0], &[1.0, 2.0], 1e-12);
    assert!(parameters(&*fit("ridge", &[], &x, &y)).iter().all(|v| v.is_finite()));
}

#[test]
fn numbers_too_large_to_square_are_an_error() {
    let x = matrix(vec![vec![1e300, -1e300, 3.0]]);
    let error = try_fit("linear_regression", &[], &x, &Target::Numbers(vec![1.0, 2.0, 3.0]), None, 1).unwrap_err();
    assert!(error.message.contains("too large"), "{error}");
}
