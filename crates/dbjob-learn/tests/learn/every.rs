//! What holds for every algorithm.

use std::sync::atomic::{AtomicUsize, Ordering};

use dbjob_learn::{
    ALGORITHMS, EXPLAINED, FitContext, FitErrorKind, Matrix, Model, OptionValue, Options, Pool, Target, Task, learner,
    load, save,
};

use crate::support::*;

type Changes = Vec<(&'static str, OptionValue)>;

/// Each algorithm on a table of its task: (name, options, x, y).
fn cases() -> Vec<(&'static str, Changes, Matrix, Target)> {
    let (wine, diabetes) = (fixture("wine"), fixture("diabetes"));
    let small = vec![("trees", OptionValue::Int(20))];
    let adam =
        vec![("optimizer", word("adam")), ("epochs", OptionValue::Int(5)), ("learning_rate", OptionValue::Float(1e-4))];
    let mut cases = vec![];
    for name in ALGORITHMS {
        match *name {
            "logistic_regression" => {
                cases.push((*name, vec![], wine.x.clone(), wine.classes()));
                cases.push((*name, adam.clone(), wine.x.clone(), wine.classes()));
                cases.push((*name, vec![("optimizer", word("newton"))], wine.x.clone(), wine.classes()));
                cases.push((*name, vec![("penalty", word("l1"))], wine.x.clone(), wine.classes()));
                cases.push((*name, lbfgs_l1(), wine.x.clone(), wine.classes()));
            }
            "mlp" => {
                let few = |more: &[(&'static str, OptionValue)]| -> Changes {
                    [&[("epochs", OptionValue::Int(4)), ("learning_rate", OptionValue::Float(1e-4))], more].concat()
                };
                let dropout = ("dropout", OptionValue::Float(0.2));
                let deep = ("layers", OptionValue::Ints(vec![20, 10]));
                let patient = ("stop_early", OptionValue::Int(2));
                cases.push((*name, few(&[]), wine.x.clone(), wine.classes()));
                cases.push((*name, few(&[dropout, deep, patient]), diabetes.x.clone(), diabetes.numbers()));
            }
            "knn" | "dummy" | "svm" => {
                cases.push((*name, vec![], wine.x.clone(), wine.classes()));
                cases.push((*name, vec![], diabetes.x.clone(), diabetes.numbers()));
            }
            "kmeans" => {
                let changes = vec![("k", OptionValue::Int(3)), ("n_init", OptionValue::Int(3))];
                cases.push((*name, changes, wine.x.clone(), Target::Unlabelled(wine.x.rows())));
            }
            "dbscan" => {
                let changes = vec![("eps", OptionValue::Float(40.0))];
                cases.push((*name, changes, wine.x.clone(), Target::Unlabelled(wine.x.rows())));
            }
            "naive_bayes" => {
                for kind in ["gaussian", "multinomial", "bernoulli"] {
                    cases.push((*name, vec![("type", word(kind))], wine.x.clone(), wine.classes()));
                }
            }
            "gradient_boosting" => {
                let drawn = [
                    small.clone(),
                    vec![("subsample", OptionValue::Float(0.7)), ("colsample", OptionValue::Float(0.5))],
                ];
                cases.push((*name, small.clone(), wine.x.clone(), wine.classes()));
                let early = vec![("stop_early", OptionValue::Int(2)), ("learning_rate", OptionValue::Float(0.5))];
                cases.push((*name, drawn.concat(), wine.x.clone(), two_classes(&wine)));
                cases.push((*name, early, wine.x.clone(), wine.classes()));
                cases.push((*name, small.clone(), diabetes.x.clone(), diabetes.numbers()));
            }
            "decision_tree" => {
                cases.push((*name, vec![("criterion", word("entropy"))], wine.x.clone(), wine.classes()));
                cases.push((*name, vec![("max_depth", OptionValue::Int(4))], diabetes.x.clone(), diabetes.numbers()));
            }
            "random_forest" | "extra_trees" => {
                cases.push((*name, small.clone(), wine.x.clone(), wine.classes()));
                cases.push((*name, small.clone(), diabetes.x.clone(), diabetes.numbers()));
            }
            _ => cases.push((*name, vec![], diabetes.x.clone(), diabetes.numbers())),
        }
    }
    cases
}

fn lbfgs_l1() -> Changes {
    vec![("penalty", word("l1")), ("optimizer", word("lbfgs"))]
}

/// The first class against the others.
fn two_classes(f: &Fixture) -> Target {
    Target::Classes { codes: f.codes().iter().map(|c| u32::from(*c == 0)).collect(), count: 2 }
}

/// More rows than one block of work, so that threads have something to share.
fn large(x: &Matrix, y: &Target) -> (Matrix, Target) {
    let rows: Vec<usize> = (0..6000).map(|i| i % x.rows()).collect();
    let mut columns: Vec<Vec<f64>> = (0..x.width()).map(|j| x.take(&rows).column(j).to_vec()).collect();
    for (j, column) in columns.iter_mut().enumerate() {
        for (i, v) in column.iter_mut().enumerate() {
            *v += ((i * (j + 7)) % 101) as f64 * 1e-3;
        }
    }
    let y = take(y, &rows);
    (Matrix::new(x.names().to_vec(), columns, 6000).unwrap(), y)
}

#[test]
fn every_algorithm_has_a_case() {
    assert!(ALGORITHMS.iter().all(|a| cases().iter().any(|c| c.0 == *a)));
    assert!(ALGORITHMS.is_sorted());
}

#[test]
fn those_that_explain_themselves_are_listed() {
    for (name, changes, x, y) in cases() {
        let model = try_fit(name, &changes, &x, &y, None, 1).unwrap();
        assert_eq!(model.contributions(&x, &Pool::single()).is_some(), EXPLAINED.contains(&name), "{name}");
    }
}

#[test]
fn the_model_does_not_depend_on_threads() {
    for (name, changes, x, y) in cases() {
        let (x, y) = large(&x, &y);
        let one = try_fit(name, &changes, &x, &y, None, 1).unwrap();
        for threads in [2, 3] {
            let more = try_fit(name, &changes, &x, &y, None, threads).unwrap();
            assert_same_bytes(&*one, &*more);
            let pool = Pool::new(threads).unwrap();
            assert_eq!(predict(&*one, &x), more.predict(&x, &pool).unwrap(), "{name}");
        }
    }
}

#[test]
fn a_stored_model_comes_back_bit_for_bit() {
    for (name, changes, x, y) in cases() {
        let model = fit(name, &changes, &x, &y);
        let bytes = save(&*model);
        let back = load(&bytes).unwrap();
        assert_eq!(save(&*back), bytes, "{name}");
        assert_eq!(predict(&*back, &x), predict(&*model, &x), "{name}");
        assert_eq!((back.features(), back.classes()), (model.features(), model.classes()));
    }
}

#[test]
fn a_row_is_predicted_alike_wherever_it_stands() {
    for (name, changes, x, y) in cases() {
        let (x, y) = large(&x, &y);
        let model = fit(name, &changes, &x, &y);
        let all = predict(&*model, &x);
        for i in [0, 1, 255, 256, 4095, 4097, 5999] {
            let alone = predict(&*model, &x.take(&[i]));
            for (a, b) in all.columns.iter().zip(&alone.columns) {
                assert_eq!(a[i].to_bits(), b[0].to_bits(), "{name}, row {i}");
            }
        }
    }
}

#[test]
fn probabilities_are_probabilities() {
    for (name, changes, x, y) in cases().into_iter().filter(|c| task(&c.3) == Task::Classification) {
        let scores = predict(&*fit(name, &changes, &x, &y), &x);
        for i in 0..x.rows() {
            let row: Vec<f64> = scores.columns.iter().map(|c| c[i]).collect();
            assert!(row.iter().all(|p| (0.0..=1.0).contains(p)) && (row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}

#[test]
fn a_damaged_file_is_an_error_and_never_a_panic() {
    for (name, changes, x, y) in cases() {
        let bytes = save(&*fit(name, &changes, &x, &y));
        for length in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
            assert!(load(&bytes[..length]).is_err(), "{name} cut to {length}");
        }
        // Any single byte changed: an error, or a model that answers.
        let step = (bytes.len() / 400).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x55;
            if let Ok(model) = load(&changed)
                && model.features() == x.names()
            {
                predict(&*model, &x.take(&[0, 1, 2]));
            }
        }
    }
}

#[test]
fn a_fit_can_be_stopped() {
    for (name, changes, x, y) in cases() {
        let asked = AtomicUsize::new(0);
        let cancelled = || asked.fetch_add(1, Ordering::Relaxed) >= 2;
        let at_once = FitContext { cancelled: &|| true, ..FitContext::quiet(2) };
        let soon = FitContext { cancelled: &cancelled, ..FitContext::quiet(2) };
        let learner = learner(name, task(&y), &options(name, &changes), 0).unwrap();
        assert_eq!(learner.fit(&x, &y, None, &at_once).unwrap_err().kind, FitErrorKind::Cancelled, "{name}");
        if !matches!(name, "linear_regression" | "ridge" | "knn" | "dummy" | "dbscan" | "svm" | "decision_tree") {
            assert_eq!(learner.fit(&x, &y, None, &soon).unwrap_err().kind, FitErrorKind::Cancelled, "{name}");
        }
    }
}

#[test]
fn a_constant_feature_is_harmless() {
    for (name, changes, x, y) in cases() {
        let mut columns: Vec<Vec<f64>> = (0..x.width()).map(|j| x.column(j).to_vec()).collect();
        columns.push(vec![1e6; x.rows()]);
        let names = [x.names(), &["constant".to_owned()]].concat();
        let with = Matrix::new(names, columns, x.rows()).unwrap();
        let scores = predict(&*fit(name, &changes, &with, &y), &with);
        assert!(scores.columns.iter().flatten().all(|v| v.is_finite()), "{name}");
    }
}

#[test]
fn other_features_than_learned_are_an_error() {
    for (name, changes, x, y) in cases() {
        let model = fit(name, &changes, &x, &y);
        let mut names = x.names().to_vec();
        names.swap(0, 1);
        let columns = (0..x.width()).map(|j| x.column(j).to_vec()).collect();
        let swapped = Matrix::new(names, columns, x.rows()).unwrap();
        let model: &dyn Model = &*model;
        assert!(model.predict(&swapped, &Pool::single()).is_err(), "{name}");
    }
}

#[test]
fn options_are_all_read_and_all_checked() {
    for (name, _, _, y) in cases() {
        let complete = options(name, &[]);
        let message = |options: &Options| learner(name, task(&y), options, 0).err().unwrap().message;
        for option in complete.keys() {
            let mut missing = complete.clone();
            missing.remove(option);
            assert!(message(&missing).contains(&format!("`{option}` of {name} is missing")));
            let mut wrong = complete.clone();
            if option == "coef0" {
                continue;
            }
            wrong.insert(option.clone(), OptionValue::Float(-1.5));
            assert!(message(&wrong).contains(&format!("`{option}` of {name} is -1.5")), "{}", message(&wrong));
        }
        let mut more = complete.clone();
        more.insert("beat1".to_owned(), OptionValue::Float(0.9));
        assert!(message(&more).contains("no option `beat1`"));
    }
    assert!(learner("forest", Task::Regression, &Options::new(), 0).is_err());
    assert!(learner("ridge", Task::Classification, &options("ridge", &[]), 0).is_err());
    assert!(learner("logistic_regression", Task::Regression, &options("logistic_regression", &[]), 0).is_err());
}
