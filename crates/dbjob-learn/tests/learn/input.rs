//! Input that nothing can be learned from: an error that names the place.

use dbjob_learn::{ALGORITHMS, Baseline, FitErrorKind, Matrix, Target};

use crate::support::*;

fn target(algorithm: &str, rows: u32) -> Target {
    match algorithm {
        "logistic_regression" | "random_forest" | "naive_bayes" | "knn" => {
            Target::Classes { codes: (0..rows).map(|i| i % 2).collect(), count: 2 }
        }
        "kmeans" | "dbscan" => Target::Unlabelled(rows as usize),
        _ => Target::Numbers((0..rows).map(|i| f64::from(i + 1)).collect()),
    }
}

fn matrix(rows: u32) -> Matrix {
    let columns = vec![(0..rows).map(f64::from).collect(), (0..rows).map(|i| f64::from(i % 3)).collect()];
    Matrix::new(vec!["age".to_owned(), "price".to_owned()], columns, rows as usize).unwrap()
}

#[test]
fn numbers_that_are_not_finite_are_named() {
    for algorithm in ALGORITHMS {
        // Of trees that grow around gaps, NaN is one.
        let gaps = ["decision_tree", "extra_trees", "gradient_boosting", "random_forest"].contains(algorithm);
        for bad in [f64::NAN, f64::INFINITY].into_iter().filter(|bad| !gaps || bad.is_infinite()) {
            let mut columns = vec![vec![1.0, 2.0, 3.0, 4.0], vec![0.0; 4]];
            columns[1][2] = bad;
            let x = Matrix::new(vec!["age".to_owned(), "price".to_owned()], columns, 4).unwrap();
            let error = try_fit(algorithm, &[], &x, &target(algorithm, 4), None, 1).unwrap_err();
            assert_eq!((error.feature.as_deref(), error.row), (Some("price"), Some(2)));
            assert!(error.message.contains("row 3") && error.help.unwrap().contains("impute"));
        }
    }
}

#[test]
fn no_rows_no_features_and_lengths_that_differ() {
    for algorithm in ALGORITHMS {
        let fails = |x: &Matrix, y: &Target, w: Option<&[f64]>| {
            let error = try_fit(algorithm, &[], x, y, w, 1).unwrap_err();
            assert_eq!(error.kind, FitErrorKind::Data);
            error.message
        };
        assert!(fails(&matrix(0), &target(algorithm, 0), None).contains("no rows"));
        let bare = Matrix::new(vec![], vec![], 4).unwrap();
        assert!(fails(&bare, &target(algorithm, 4), None).contains("no features"));
        fails(&matrix(4), &target(algorithm, 3), None);
        fails(&matrix(4), &target(algorithm, 4), Some(&[1.0; 3]));
        assert!(fails(&matrix(4), &target(algorithm, 4), Some(&[1.0, -1.0, 1.0, 1.0])).contains("row 2"));
        assert!(fails(&matrix(4), &target(algorithm, 4), Some(&[0.0; 4])).contains("every weight is 0"));
    }
    assert!(Matrix::new(vec!["a".to_owned()], vec![vec![1.0]], 2).is_err());
}

#[test]
fn one_class_is_refused() {
    for algorithm in ["logistic_regression", "random_forest", "naive_bayes", "knn"] {
        for (codes, weights) in [(vec![1; 4], [1.0; 4]), (vec![1, 1, 1, 0], [1.0, 1.0, 1.0, 0.0])] {
            let y = Target::Classes { codes, count: 2 };
            let error = try_fit(algorithm, &[], &matrix(4), &y, Some(&weights), 1).unwrap_err();
            assert!(error.message.contains("one class only"), "{error}");
        }
        let one_row = Target::Classes { codes: vec![0], count: 2 };
        assert!(try_fit(algorithm, &[], &matrix(1), &one_row, None, 1).unwrap_err().message.contains("one class only"));
    }
}

#[test]
fn the_wrong_kind_of_target_is_refused() {
    let f = fixture("iris");
    let numbers = dbjob_learn::learner("ridge", dbjob_learn::Task::Regression, &options("ridge", &[]), 0).unwrap();
    assert!(numbers.fit(&f.x, &f.classes(), None, &dbjob_learn::FitContext::quiet(1)).is_err());
}

#[test]
fn baselines_are_the_largest_class_and_the_mean() {
    let train = Target::Classes { codes: vec![0, 1, 1, 2], count: 3 };
    let shares = Baseline::fit(&train, None).unwrap();
    assert_eq!(shares, Baseline::Shares(vec![0.25, 0.5, 0.25]));
    let test = Target::Classes { codes: vec![1, 0, 1, 1], count: 3 };
    let of = |name| shares.evaluate(dbjob_learn::metric::metric(name).unwrap(), &test, None).ok();
    assert_eq!(of("accuracy"), Some(0.75));
    assert_eq!(of("auc"), None);
    assert!((of("log_loss").unwrap() - (3.0 * 2.0_f64.ln() + 4.0_f64.ln()) / 4.0).abs() < 1e-15);
    assert_eq!(of("rmse"), None);
    let mean = Baseline::fit(&Target::Numbers(vec![1.0, 2.0, 6.0]), Some(&[1.0, 1.0, 2.0])).unwrap();
    assert_eq!(mean, Baseline::Mean(3.75));
    let rmse = mean.evaluate(dbjob_learn::metric::metric("rmse").unwrap(), &Target::Numbers(vec![3.75, 5.75]), None);
    assert_eq!(rmse, Ok(2.0_f64.sqrt()));
    assert_eq!(Baseline::fit(&Target::Numbers(vec![]), None), None);
}
