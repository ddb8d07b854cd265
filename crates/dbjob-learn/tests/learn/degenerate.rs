//! Tables that have no best coefficients, or many: a clear error or the documented answer, never a number that is not finite.

use dbjob_learn::{Matrix, OptionValue, Target};

use crate::support::*;

const NUMBERS: [&str; 6] =
    ["linear_regression", "ridge", "lasso", "elastic_net", "poisson_regression", "gamma_regression"];

fn matrix(columns: Vec<Vec<f64>>) -> Matrix {
    let names = (0..columns.len()).map(|i| format!("x{i}")).collect();
    let rows = columns[0].len();
    Matrix::new(names, columns, rows).unwrap()
}

fn classes(codes: Vec<u32>) -> Target {
    let count = *codes.iter().max().unwrap() as usize + 1;
    Target::Classes { codes, count }
}

fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

const NONE: (&str, &str) = ("penalty", "none");

fn none() -> Vec<(&'static str, OptionValue)> {
    vec![(NONE.0, word(NONE.1))]
}

#[test]
fn perfect_separation_without_a_penalty_is_an_error_that_names_the_input() {
    let mut random = noise(1);
    let (a, b): (Vec<f64>, Vec<f64>) = (0..200).map(|_| (random(), random())).unzip();
    let whole = classes(b.iter().map(|v| u32::from(*v > 0.5)).collect());
    let three = classes(b.iter().map(|v| (v * 3.0) as u32).collect());
    // One level of a category is of one class only; the rest overlaps.
    let level: Vec<f64> = (0..200).map(|i| f64::from(u8::from(i % 7 == 0))).collect();
    let partly = classes((0..200).map(|i| u32::from(i % 7 == 0 || random() > 0.5)).collect());
    for optimizer in ["newton", "lbfgs"] {
        let changes = [none(), vec![("optimizer", word(optimizer))]].concat();
        for y in [&whole, &three] {
            let error = try_fit("logistic_regression", &changes, &matrix(vec![a.clone(), b.clone()]), y, None, 2);
            let error = error.unwrap_err();
            assert!(error.message.contains("no finite coefficients") && error.message.contains("`x1`"), "{error}");
            assert!(error.help.unwrap().contains("penalty = l2"));
        }
    }
    let x = matrix(vec![a.clone(), level]);
    let error = try_fit("logistic_regression", &none(), &x, &partly, None, 2).unwrap_err();
    assert!(error.message.contains("no finite coefficients") && error.message.contains("`x1`"), "{error}");
    // With a penalty, and with epochs, there is an answer.
    for changes in [vec![], vec![("optimizer", word("adam")), ("penalty", word("none"))]] {
        let model = fit("logistic_regression", &changes, &matrix(vec![a.clone(), b.clone()]), &whole);
        assert!(parameters(&*model).iter().all(|v| v.is_finite()));
    }
}

/// Few rows, rare levels, near-separation: whatever comes of it is finite, and no error is told where there is an optimum.
#[test]
fn small_random_tables_converge_or_are_told_to_separate() {
    let mut separated = 0;
    for seed in 0..300 {
        let mut random = noise(seed);
        let (rows, width) = (8 + seed as usize % 30, 1 + seed as usize % 4);
        let columns = (0..width).map(|_| (0..rows).map(|_| (random() * 4.0).floor()).collect()).collect();
        let x = matrix(columns);
        let codes: Vec<u32> = (0..rows).map(|i| u32::from(i < 2 && i == 0 || random() > 0.5)).collect();
        if codes.iter().all(|c| *c == codes[0]) {
            continue;
        }
        match try_fit("logistic_regression", &none(), &x, &classes(codes.clone()), None, 1) {
            Ok(model) => {
                // At the optimum the residuals are orthogonal to every feature.
                let p = &predict(&*model, &x).columns[1];
                for j in 0..width {
                    let along: f64 = (0..rows).map(|i| (p[i] - f64::from(codes[i])) * (1.0 + x.column(j)[i])).sum();
                    assert!(along.abs() < 1e-8, "{seed}: {along}");
                }
            }
            Err(error) => {
                assert!(error.message.contains("no finite coefficients"), "{seed}: {error}");
                separated += 1;
            }
        }
    }
    assert!((10..200).contains(&separated), "{separated}");
}

#[test]
fn counts_that_are_zero_for_a_level_have_no_finite_coefficient() {
    let mut random = noise(3);
    let level: Vec<f64> = (0..100).map(|i| f64::from(u8::from(i % 5 == 0))).collect();
    let y = Target::Numbers((0..100).map(|i| if i % 5 == 0 { 0.0 } else { (random() * 5.0).floor() }).collect());
    let x = matrix(vec![(0..100).map(|_| random()).collect(), level]);
    let alpha = |a| [("alpha", OptionValue::Float(a))];
    let error = try_fit("poisson_regression", &alpha(0.0), &x, &y, None, 1).unwrap_err();
    assert!(error.message.contains("no finite coefficients") && error.message.contains("`x1`"), "{error}");
    assert!(error.help.unwrap().contains("alpha"));
    assert!(parameters(&*fit("poisson_regression", &alpha(0.01), &x, &y)).iter().all(|v| v.is_finite()));
}

#[test]
fn collinear_inputs_share_in_units_of_spread() {
    let mut random = noise(4);
    let a: Vec<f64> = (0..300).map(|_| random()).collect();
    let b: Vec<f64> = a.iter().map(|v| 10.0 * v - 2.0).collect();
    let mean: Vec<f64> = a.iter().map(|v| (1.0 + 2.0 * v).exp() * (0.5 + random())).collect();
    let codes = classes(a.iter().map(|v| u32::from(random() < *v)).collect());
    let (alone, both) = (matrix(vec![a.clone()]), matrix(vec![a, b, vec![7.0; 300]]));
    let plain = [("alpha", OptionValue::Float(0.0))];
    for (name, changes, y) in [
        ("logistic_regression", &*none(), &codes),
        ("linear_regression", &[], &Target::Numbers(mean.clone())),
        ("poisson_regression", &plain, &Target::Numbers(mean.clone())),
        ("gamma_regression", &plain, &Target::Numbers(mean.clone())),
    ] {
        let (one, found) = (parameters(&*fit(name, changes, &alone, y)), parameters(&*fit(name, changes, &both, y)));
        assert!((found[0] / (one[0] / 2.0) - 1.0).abs() < 1e-6, "{name}: {found:?} {one:?}");
        assert!((found[1] / (one[0] / 20.0) - 1.0).abs() < 1e-6, "{name}: {found:?} {one:?}");
        assert_eq!(found[2], 0.0, "{name}");
        let scores = |x: &Matrix, m: &dyn dbjob_learn::Model| predict(m, x).columns.pop().unwrap();
        let (p, q) = (scores(&alone, &*fit(name, changes, &alone, y)), scores(&both, &*fit(name, changes, &both, y)));
        assert!(p.iter().zip(&q).all(|(p, q)| (p / q - 1.0).abs() < 1e-8), "{name}");
    }
}

#[test]
fn more_inputs_than_rows_have_an_answer_or_an_error() {
    let mut random = noise(5);
    let columns: Vec<Vec<f64>> = (0..40).map(|_| (0..12).map(|_| random()).collect()).collect();
    let y: Vec<f64> = (0..12).map(|i| 1.0 + f64::from(i % 4)).collect();
    let x = matrix(columns);
    for name in NUMBERS {
        let model = fit(name, &[], &x, &Target::Numbers(y.clone()));
        assert!(parameters(&*model).iter().all(|v| v.is_finite()), "{name}");
    }
    // A line through all points.
    let found = predict(&*fit("linear_regression", &[], &x, &Target::Numbers(y.clone())), &x);
    assert!(found.columns[0].iter().zip(&y).all(|(f, y)| (f - y).abs() < 1e-10));
    for name in ["poisson_regression", "gamma_regression"] {
        let model = fit(name, &[("alpha", OptionValue::Float(0.0))], &x, &Target::Numbers(y.clone()));
        assert!(predict(&*model, &x).columns[0].iter().zip(&y).all(|(f, y)| (f - y).abs() < 1e-6), "{name}");
    }
    let codes = classes((0..12).map(|i| i % 2).collect());
    assert!(parameters(&*fit("logistic_regression", &[], &x, &codes)).iter().all(|v| v.is_finite()));
    let error = try_fit("logistic_regression", &none(), &x, &codes, None, 1).unwrap_err();
    assert!(error.message.contains("no finite coefficients"), "{error}");
}

#[test]
fn huge_and_tiny_scales_change_coefficients_only() {
    let f = fixture("diabetes");
    let factors = [1e12, 1e-12, 1e6, 1.0, 1e-6, 1e9, 1.0, 1e-9, 1e3, 1e-3];
    let columns = (0..10).map(|j| f.x.column(j).iter().map(|v| v * factors[j] + 1e3 * factors[j]).collect());
    let scaled = Matrix::new(f.x.names().to_vec(), columns.collect(), f.x.rows()).unwrap();
    let codes = classes(f.floats("high").iter().map(|y| *y as u32).collect());
    let plain = [("alpha", OptionValue::Float(0.0))];
    for (name, changes, y) in [
        ("logistic_regression", &*none(), &codes),
        ("linear_regression", &[], &f.numbers()),
        ("poisson_regression", &plain, &f.numbers()),
        ("gamma_regression", &plain, &f.numbers()),
    ] {
        let (small, large) = (fit(name, changes, &f.x, y), fit(name, changes, &scaled, y));
        let (p, q) = (predict(&*small, &f.x), predict(&*large, &scaled));
        let (p, q) = (p.columns.last().unwrap(), q.columns.last().unwrap());
        assert!(p.iter().zip(q).all(|(p, q)| (p / q - 1.0).abs() < 1e-7), "{name}");
    }
    for name in NUMBERS {
        let x = matrix(vec![vec![1e300, -1e300, 3.0, 2e299]]);
        let y = Target::Numbers(vec![1.0, 2.0, 3.0, 4.0]);
        match try_fit(name, &[], &x, &y, None, 1) {
            Ok(model) => assert!(parameters(&*model).iter().all(|v| v.is_finite()), "{name}"),
            Err(error) => assert!(error.message.contains("too large"), "{name}: {error}"),
        }
    }
}

#[test]
fn constant_outputs_and_single_rows_have_an_answer() {
    let x = matrix(vec![vec![1.0, 2.0, 4.0], vec![3.0, 1.0, 1.0]]);
    for name in NUMBERS {
        let model = fit(name, &[], &x, &Target::Numbers(vec![2.0; 3]));
        let scores = predict(&*model, &x);
        assert!(scores.columns[0].iter().all(|p| (p - 2.0).abs() < 1e-9), "{name}: {scores:?}");
        let model = fit(name, &[], &x.take(&[1]), &Target::Numbers(vec![2.0]));
        let scores = predict(&*model, &x);
        assert!(scores.columns[0].iter().all(|p| (p - 2.0).abs() < 1e-9), "{name}: {scores:?}");
    }
}
