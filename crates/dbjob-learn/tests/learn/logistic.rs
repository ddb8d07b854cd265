use std::sync::Mutex;

use dbjob_learn::{FitContext, FitErrorKind, Matrix, OptionValue, Target, Task, learner};

use crate::support::*;

const EXACT: [(&str, OptionValue); 2] = [("tol", OptionValue::Float(1e-11)), ("max_iter", OptionValue::Int(10_000))];

fn with(more: &[(&'static str, OptionValue)]) -> Vec<(&'static str, OptionValue)> {
    EXACT.iter().chain(more).cloned().collect()
}

/// Versicolor against virginica.
fn two_species(f: &Fixture) -> (Matrix, Target) {
    let rows: Vec<usize> = (50..150).collect();
    let codes = rows.iter().map(|i| f.codes()[*i] - 1).collect();
    (f.x.take(&rows), Target::Classes { codes, count: 2 })
}

#[test]
fn two_classes_equal_scikit_learn() {
    let f = fixture("iris");
    let (x, y) = two_species(&f);
    let model = fit("logistic_regression", &EXACT, &x, &y);
    assert_close(&parameters(&*model), &f.parameters("two"), 1e-7);
    let scores = predict(&*model, &x);
    let first = [scores.columns[0][0], scores.columns[1][0]];
    assert_close(&first, &f.floats("two.first_probabilities"), 1e-8);
    let model = fit("logistic_regression", &with(&[("c", OptionValue::Float(0.01))]), &x, &y);
    assert_close(&parameters(&*model), &f.parameters("two_strong_penalty"), 1e-7);
}

#[test]
fn balanced_classes_equal_scikit_learn() {
    let f = fixture("iris");
    let rows: Vec<usize> = (40..120).collect();
    let codes = rows.iter().map(|i| u32::from(f.codes()[*i] > 0)).collect();
    let y = Target::Classes { codes, count: 2 };
    let model = fit("logistic_regression", &with(&[("class_weight", word("balanced"))]), &f.x.take(&rows), &y);
    assert_close(&parameters(&*model), &f.parameters("two_balanced"), 1e-7);
}

#[test]
fn three_classes_equal_scikit_learn() {
    let f = fixture("iris");
    let model = fit("logistic_regression", &EXACT, &f.x, &f.classes());
    assert_close(&parameters(&*model), &f.parameters("three"), 1e-6);
    let scores = predict(&*model, &f.x);
    let first: Vec<f64> = scores.columns.iter().map(|c| c[0]).collect();
    assert_close(&first, &f.floats("three.first_probabilities"), 1e-6);
    let weights = f.floats("weights");
    let model = try_fit("logistic_regression", &EXACT, &f.x, &f.classes(), Some(&weights), 2).unwrap();
    assert_close(&parameters(&*model), &f.parameters("three_weighted"), 1e-6);
}

/// The defaults stop earlier; the predictions hardly differ.
#[test]
fn the_default_tolerance_is_near() {
    let f = fixture("iris");
    let model = fit("logistic_regression", &[], &f.x, &f.classes());
    let scores = predict(&*model, &f.x);
    for (k, p) in f.floats("three.first_probabilities").iter().enumerate() {
        assert!((scores.columns[k][0] - p).abs() < 2e-3);
    }
}

#[test]
fn a_class_without_rows_has_probability_zero_and_changes_nothing() {
    let f = fixture("iris");
    let (x, y) = two_species(&f);
    let Target::Classes { codes, .. } = &y else { unreachable!() };
    let gap = Target::Classes { codes: codes.iter().map(|c| c * 3).collect(), count: 5 };
    let (plain, with_gap) = (fit("logistic_regression", &[], &x, &y), fit("logistic_regression", &[], &x, &gap));
    let (plain, with_gap) = (predict(&*plain, &x).columns, predict(&*with_gap, &x).columns);
    assert_eq!((&with_gap[0], &with_gap[3]), (&plain[0], &plain[1]));
    assert!([1, 2, 4].iter().all(|k| with_gap[*k].iter().all(|p| *p == 0.0)));
}

#[test]
fn separated_classes_have_finite_coefficients() {
    let x = Matrix::new(vec!["a".to_owned()], vec![vec![0.0, 1.0, 2.0, 10.0, 11.0]], 5).unwrap();
    let y = Target::Classes { codes: vec![0, 0, 0, 1, 1], count: 2 };
    let model = fit("logistic_regression", &[("c", OptionValue::Float(1e6))], &x, &y);
    assert!(parameters(&*model).iter().all(|v| v.is_finite()));
    assert_eq!(predict(&*model, &x).argmax(), [0, 0, 0, 1, 1]);
}

#[test]
fn too_few_iterations_are_told() {
    let f = fixture("wine");
    let warnings = Mutex::new(vec![]);
    let warn = |text: String| warnings.lock().unwrap().push(text);
    let cx = FitContext { warn: &warn, ..FitContext::quiet(1) };
    let few = options("logistic_regression", &[("max_iter", OptionValue::Int(3))]);
    learner("logistic_regression", Task::Classification, &few, 0).unwrap().fit(&f.x, &f.classes(), None, &cx).unwrap();
    let warnings = warnings.into_inner().unwrap();
    assert!(warnings.len() == 1 && warnings[0].contains("raise max_iter"), "{warnings:?}");
}

/// Adam and SGD come to the optimum that L-BFGS finds, on features of one scale.
#[test]
fn mini_batches_find_the_same_optimum() {
    let f = fixture("iris");
    let x = standardized(&f.x);
    let best = loss(&fit_parameters(&x, &f, &EXACT), &x, &f);
    for (optimizer, rate, worse) in [("adam", 0.01, 1e-3), ("sgd", 0.1, 1e-3)] {
        let options = [
            ("optimizer", word(optimizer)),
            ("epochs", OptionValue::Int(800)),
            ("learning_rate", OptionValue::Float(rate)),
            ("batch_size", OptionValue::Int(32)),
        ];
        let found = loss(&fit_parameters(&x, &f, &options), &x, &f);
        assert!(found >= best - 1e-12 && found < best + worse, "{optimizer}: {found} against {best}");
    }
}

fn fit_parameters(x: &Matrix, f: &Fixture, options: &[(&str, OptionValue)]) -> Vec<f64> {
    parameters(&*fit("logistic_regression", options, x, &f.classes()))
}

/// The objective with c = 1 written out, of 3 x 4 coefficients and 3 intercepts.
fn loss(v: &[f64], x: &Matrix, f: &Fixture) -> f64 {
    let n = x.rows();
    let mut total = v[..12].iter().map(|c| c * c).sum::<f64>() / 2.0;
    for i in 0..n {
        let z: Vec<f64> =
            (0..3).map(|k| v[12 + k] + (0..4).map(|j| v[4 * k + j] * x.column(j)[i]).sum::<f64>()).collect();
        total += z.iter().map(|z| z.exp()).sum::<f64>().ln() - z[f.codes()[i] as usize];
    }
    total / n as f64
}

#[test]
fn the_loss_of_adam_falls_and_the_epochs_are_those_asked_for() {
    let f = fixture("wine");
    let x = standardized(&f.x);
    let seen = Mutex::new(vec![]);
    let progress = |p: dbjob_learn::Progress| seen.lock().unwrap().push((p.done, p.total, p.loss.unwrap()));
    let cx = FitContext { progress: &progress, ..FitContext::quiet(1) };
    let options = options("logistic_regression", &[("optimizer", word("adam")), ("epochs", OptionValue::Int(40))]);
    learner("logistic_regression", Task::Classification, &options, 1)
        .unwrap()
        .fit(&x, &f.classes(), None, &cx)
        .unwrap();
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 40);
    assert!(seen.iter().enumerate().all(|(i, s)| (s.0, s.1) == (i as u64 + 1, 40)));
    assert!(seen.windows(10).all(|w| w[9].2 < w[0].2), "{seen:?}");
}

#[test]
fn a_learning_rate_that_diverges_is_an_error() {
    let x = Matrix::new(vec!["a".to_owned()], vec![(0..100).map(|i| 1e200 * f64::from(i)).collect()], 100).unwrap();
    let y = Target::Classes { codes: (0..100).map(|i| i % 2).collect(), count: 2 };
    let options = [("optimizer", word("sgd")), ("learning_rate", OptionValue::Float(1e200))];
    let error = try_fit("logistic_regression", &options, &x, &y, None, 1).unwrap_err();
    assert_eq!(error.kind, FitErrorKind::Diverged);
    assert!(error.help.unwrap().contains("learning_rate"));
}

fn coded(f: &Fixture, case: &str) -> Target {
    let codes: Vec<u32> = f.floats(case).iter().map(|y| *y as u32).collect();
    let count = *codes.iter().max().unwrap() as usize + 1;
    Target::Classes { codes, count }
}

#[test]
fn without_a_penalty_coefficients_equal_statsmodels() {
    let f = fixture("diabetes");
    let none = ("penalty", word("none"));
    let plain = ("fit_intercept", OptionValue::Bool(false));
    let fits = |case: &str, output: &str, changes: &[(&str, OptionValue)]| {
        let model = fit("logistic_regression", changes, &f.x, &coded(&f, output));
        let worst = worst(&parameters(&*model), &f.parameters(case));
        assert!(worst < 1e-10, "{case}: {worst:e}");
    };
    fits("logistic_none", "high", std::slice::from_ref(&none));
    fits("logistic_none_three", "third_of", std::slice::from_ref(&none));
    let model = fit("logistic_regression", &[none, plain], &f.x, &coded(&f, "high"));
    let expected = f.parameters("logistic_none_plain");
    assert!(worst(&parameters(&*model), &expected) < 1e-10);
}

/// Both ways to an L1 penalty: exact zeros where scikit-learn has them.
#[test]
fn l1_and_elastic_net_equal_scikit_learn() {
    let f = fixture("diabetes");
    let (x, weights) = (standardized(&f.x), f.floats("weights"));
    let c = |c| ("c", OptionValue::Float(c));
    let elastic = [("penalty", word("elastic_net")), c(0.1), ("l1_ratio", OptionValue::Float(0.4))];
    let cases = [
        ("logistic_l1", "high", vec![("penalty", word("l1")), c(0.05)], None),
        ("logistic_l1_three", "third_of", vec![("penalty", word("l1")), c(0.05)], None),
        ("logistic_elastic_net", "high", elastic.to_vec(), Some(&*weights)),
    ];
    for (case, output, changes, weights) in cases {
        for (optimizer, close) in [("newton", 1e-7), ("lbfgs", 1e-5)] {
            let changes = [with(&changes), vec![("optimizer", word(optimizer))]].concat();
            let model = try_fit("logistic_regression", &changes, &x, &coded(&f, output), weights, 2).unwrap();
            let (found, expected) = (parameters(&*model), f.parameters(case));
            assert_close(&found, &expected, close);
            let zeros = |v: &[f64]| v.iter().map(|c| *c == 0.0).collect::<Vec<_>>();
            assert_eq!(zeros(&found), zeros(&expected), "{case} {optimizer}");
        }
    }
}

/// Newton's method and L-BFGS come to one point.
#[test]
fn solvers_agree() {
    let f = fixture("wine");
    for penalty in ["l2", "l1"] {
        let by = |optimizer| {
            let changes = with(&[("penalty", word(penalty)), ("optimizer", word(optimizer))]);
            parameters(&*fit("logistic_regression", &changes, &standardized(&f.x), &f.classes()))
        };
        assert_close(&by("lbfgs"), &by("newton"), 1e-5);
    }
}
