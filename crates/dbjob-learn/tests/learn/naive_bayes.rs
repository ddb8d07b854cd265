//! Naive Bayes against scikit-learn.

use dbjob_learn::{FitErrorKind, Matrix, OptionValue, Target};

use crate::support::*;

fn of(kind: &str, name: &str, value: f64) -> Vec<(&'static str, OptionValue)> {
    let name = if name == "alpha" { "alpha" } else { "var_smoothing" };
    vec![("type", word(kind)), (name, OptionValue::Float(value))]
}

fn less_median(x: &Matrix) -> Matrix {
    let centred = |column: &[f64]| -> Vec<f64> {
        let mut sorted = column.to_vec();
        sorted.sort_by(f64::total_cmp);
        let half = sorted.len() / 2;
        let median =
            if sorted.len().is_multiple_of(2) { (sorted[half - 1] + sorted[half]) / 2.0 } else { sorted[half] };
        column.iter().map(|v| v - median).collect()
    };
    Matrix::new(x.names().to_vec(), (0..x.width()).map(|j| centred(x.column(j))).collect(), x.rows()).unwrap()
}

#[test]
fn probabilities_are_those_of_scikit_learn() {
    let expected = Expected::read("naive_bayes");
    for name in ["iris", "wine"] {
        let f = fixture(name);
        let flags = less_median(&f.x);
        for (case, changes, x, weighted) in [
            ("gaussian", of("gaussian", "var_smoothing", 1e-9), &f.x, false),
            ("gaussian_weighted", of("gaussian", "var_smoothing", 1e-3), &f.x, true),
            ("multinomial", of("multinomial", "alpha", 1.0), &f.x, false),
            ("multinomial_weighted", of("multinomial", "alpha", 0.1), &f.x, true),
            ("bernoulli", of("bernoulli", "alpha", 0.5), &flags, false),
            ("bernoulli_weighted", of("bernoulli", "alpha", 1.0), &flags, true),
        ] {
            let found = answers("naive_bayes", &changes, x, &f.classes(), weighted);
            for (found, expected) in found.iter().zip(expected.answers(&format!("{name}.{case}"))) {
                for (f, e) in found.iter().zip(expected) {
                    assert!((f - e).abs() < 1e-9, "{name}, {case}: {f} {e}");
                }
            }
        }
    }
}

#[test]
fn columns_that_never_vary_and_rows_from_afar_get_probabilities() {
    let constant = Matrix::new(vec!["a".to_owned()], vec![vec![3.0; 4]], 4).unwrap();
    let y = Target::Classes { codes: vec![0, 1, 1, 1], count: 2 };
    let model = fit("naive_bayes", &[], &constant, &y);
    for value in [3.0, -2.0, 1e300] {
        let asked = Matrix::new(vec!["a".to_owned()], vec![vec![value]], 1).unwrap();
        let scores = predict(&*model, &asked);
        assert!((scores.columns[1][0] - 0.75).abs() < 1e-12, "{value}: {scores:?}");
    }
    // Constant within one class only.
    let x = Matrix::new(vec!["a".to_owned()], vec![vec![1.0, 1.0, 2.0, 5.0]], 4).unwrap();
    let y = Target::Classes { codes: vec![0, 0, 1, 1], count: 2 };
    let scores = predict(&*fit("naive_bayes", &[], &x, &y), &x);
    assert_eq!(scores.argmax(), [0, 0, 1, 1]);
}

#[test]
fn counts_are_not_negative() {
    let x = Matrix::new(vec!["n".to_owned(), "m".to_owned()], vec![vec![1.0, 2.0], vec![0.0, -3.0]], 2).unwrap();
    let y = Target::Classes { codes: vec![0, 1], count: 2 };
    let error = try_fit("naive_bayes", &[("type", word("multinomial"))], &x, &y, None, 1).unwrap_err();
    assert_eq!((error.kind, error.feature.as_deref(), error.row), (FitErrorKind::Data, Some("m"), Some(1)));
    assert!(error.help.unwrap().contains("gaussian"));
}

#[test]
fn a_spread_that_is_no_number_is_an_error() {
    let x = Matrix::new(vec!["n".to_owned()], vec![vec![1e300, -1e300]], 2).unwrap();
    let y = Target::Classes { codes: vec![0, 1], count: 2 };
    let error = try_fit("naive_bayes", &[], &x, &y, None, 1).unwrap_err();
    assert!(error.message.contains("`n`"), "{error}");
}

/// A class that only rows without weight have is none.
#[test]
fn rows_without_weight_are_as_if_they_were_not_there() {
    let f = fixture("wine");
    let weights: Vec<f64> = f.y.iter().map(|y| if *y == 1.0 { 0.0 } else { 1.0 }).collect();
    let kept: Vec<usize> = (0..f.y.len()).filter(|i| weights[*i] > 0.0).collect();
    for kind in ["gaussian", "multinomial", "bernoulli"] {
        let changes = [("type", word(kind))];
        let weighted = try_fit("naive_bayes", &changes, &f.x, &f.classes(), Some(&weights), 1).unwrap();
        let without = fit("naive_bayes", &changes, &f.x.take(&kept), &take(&f.classes(), &kept));
        assert_same_bytes(&*weighted, &*without);
        assert!(predict(&*weighted, &f.x).columns[1].iter().all(|p| *p == 0.0));
    }
}
