use dbjob_learn::{Matrix, OptionValue, Target};

use crate::support::*;

fn matrix(columns: Vec<Vec<f64>>) -> Matrix {
    let names = (0..columns.len()).map(|i| format!("x{i}")).collect();
    let rows = columns[0].len();
    Matrix::new(names, columns, rows).unwrap()
}

fn expected(f: &crate::support::Fixture, case: &str) -> Vec<f64> {
    [f.floats(&format!("{case}.coefficients")), f.floats(&format!("{case}.intercepts"))].concat()
}

#[test]
fn least_squares_equals_scikit_learn() {
    let f = fixture("diabetes");
    let model = fit("linear_regression", &[], &f.x, &f.numbers());
    assert_close(&parameters(&*model), &expected(&f, "least_squares"), 1e-8);
    let weights = f.floats("weights");
    let model = try_fit("linear_regression", &[], &f.x, &f.numbers(), Some(&weights), 1).unwrap();
    assert_close(&parameters(&*model), &expected(&f, "least_squares_weighted"), 1e-8);
}

#[test]
fn ridge_equals_scikit_learn() {
    let f = fixture("diabetes");
    let model = fit("ridge", &[], &f.x, &f.numbers());
    assert_close(&parameters(&*model), &expected(&f, "ridge"), 1e-8);
    let weights = f.floats("weights");
    let alpha = [("alpha", OptionValue::Float(500.0))];
    let model = try_fit("ridge", &alpha, &f.x, &f.numbers(), Some(&weights), 1).unwrap();
    assert_close(&parameters(&*model), &expected(&f, "ridge_strong_weighted"), 1e-8);
}

/// NIST's Longley data (StRD), ill-conditioned; the certified values of the coefficients and the intercept.
/// <https://www.itl.nist.gov/div898/strd/lls/data/Longley.shtml>
#[test]
fn longley_gives_the_certified_digits() {
    let x = matrix(vec![
        vec![83.0, 88.5, 88.2, 89.5, 96.2, 98.1, 99.0, 100.0, 101.2, 104.6, 108.4, 110.8, 112.6, 114.2, 115.7, 116.9],
        vec![
            234289.0, 259426.0, 258054.0, 284599.0, 328975.0, 346999.0, 365385.0, 363112.0, 397469.0, 419180.0,
            442769.0, 444546.0, 482704.0, 502601.0, 518173.0, 554894.0,
        ],
        vec![
            2356.0, 2325.0, 3682.0, 3351.0, 2099.0, 1932.0, 1870.0, 3578.0, 2904.0, 2822.0, 2936.0, 4681.0, 3813.0,
            3931.0, 4806.0, 4007.0,
        ],
        vec![
            1590.0, 1456.0, 1616.0, 1650.0, 3099.0, 3594.0, 3547.0, 3350.0, 3048.0, 2857.0, 2798.0, 2637.0, 2552.0,
            2514.0, 2572.0, 2827.0,
        ],
        vec![
            107608.0, 108632.0, 109773.0, 110929.0, 112075.0, 113270.0, 115094.0, 116219.0, 117388.0, 118734.0,
            120445.0, 121950.0, 123366.0, 125368.0, 127852.0, 130081.0,
        ],
        (1947..1963).map(f64::from).collect(),
    ]);
    let y = Target::Numbers(vec![
        60323.0, 61122.0, 60171.0, 61187.0, 63221.0, 63639.0, 64989.0, 63761.0, 66019.0, 67857.0, 68169.0, 66513.0,
        68655.0, 69564.0, 69331.0, 70551.0,
    ]);
    let model = fit("linear_regression", &[], &x, &y);
    let certified = [
        15.0618722713733,
        -0.358191792925910e-01,
        -2.02022980381683,
        -1.03322686717359,
        -0.511041056535807e-01,
        1829.15146461355,
        -3482258.63459582,
    ];
    for (found, certified) in parameters(&*model).iter().zip(certified) {
        assert!(((found - certified) / certified).abs() < 1e-9, "{found} {certified}");
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
