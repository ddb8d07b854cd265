use dbjob_learn::FitContext;
use dbjob_learn::metric::{Classes, Judged, Numbers, metric};
use dbjob_learn::{Matrix, Model, OptionValue, Options, Target, learner};

use crate::support::*;

/// The mean over `seeds` of a metric over five folds (row number modulo 5): what tests/fixtures/make.py does.
fn folds(f: &Fixture, y: &Target, options: &Options, metric_name: &str) -> f64 {
    let n = f.x.rows();
    let seeds = 10;
    let mut total = 0.0;
    for seed in 0..seeds {
        for fold in 0..5 {
            let (test, train): (Vec<usize>, Vec<usize>) = (0..n).partition(|i| i % 5 == fold);
            let learner = learner("random_forest", task(y), options, seed).unwrap();
            let model = learner.fit(&f.x.take(&train), &take(y, &train), None, &FitContext::quiet(2)).unwrap().model;
            let scores = predict(&*model, &f.x.take(&test));
            let (predicted, columns) = (&scores.argmax()[..], &scores.columns[..]);
            let judged = match &take(y, &test) {
                Target::Classes { codes: truth, .. } => metric(metric_name)
                    .unwrap()
                    .compute(&Judged::Classes(Classes { truth, predicted, probabilities: columns, weights: None })),
                Target::Numbers(truth) => metric(metric_name).unwrap().compute(&Judged::Numbers(Numbers {
                    truth,
                    predicted: &columns[0],
                    weights: None,
                })),
                Target::Unlabelled(_) => unreachable!("forests learn classes or numbers"),
            };
            total += judged.unwrap();
        }
    }
    total / (seeds * 5) as f64
}

/// Both means are over ten seeds: their difference has a standard deviation of about std · sqrt(2 / 10).
#[track_caller]
fn assert_within_noise(found: f64, f: &Fixture, case: &str) {
    let (mean, std) = (f.float(&format!("{case}.mean")), f.float(&format!("{case}.std")));
    assert!((found - mean).abs() < 4.0 * std * 0.2_f64.sqrt(), "{case}: {found}, scikit-learn {mean} ± {std}");
}

#[test]
fn classes_are_told_apart_as_well_as_scikit_learn_does() {
    let all = options("random_forest", &[]);
    let iris = fixture("iris");
    assert_within_noise(folds(&iris, &iris.classes(), &all, "accuracy"), &iris, "forest_accuracy");
    let wine = fixture("wine");
    assert_within_noise(folds(&wine, &wine.classes(), &all, "accuracy"), &wine, "forest_accuracy");
    assert_within_noise(folds(&wine, &wine.classes(), &all, "log_loss"), &wine, "forest_log_loss");
    let flat =
        options("random_forest", &[("max_depth", OptionValue::Int(2)), ("min_samples_leaf", OptionValue::Int(5))]);
    assert_within_noise(folds(&wine, &wine.classes(), &flat, "log_loss"), &wine, "shallow_forest_log_loss");
}

#[test]
fn numbers_are_predicted_as_well_as_scikit_learn_does() {
    let f = fixture("diabetes");
    let third = options("random_forest", &[]);
    assert_within_noise(folds(&f, &f.numbers(), &third, "rmse"), &f, "forest_rmse");
    let flat = options(
        "random_forest",
        &[("max_depth", OptionValue::Int(4)), ("min_samples_leaf", OptionValue::Int(5)), ("max_features", word("all"))],
    );
    assert_within_noise(folds(&f, &f.numbers(), &flat, "rmse"), &f, "shallow_forest_rmse");
}

fn one_tree(x: &Matrix, y: &Target, more: &[(&str, OptionValue)]) -> Box<dyn Model> {
    let mut changes =
        vec![("trees", OptionValue::Int(1)), ("bootstrap", OptionValue::Bool(false)), ("max_features", word("all"))];
    changes.extend(more.iter().cloned());
    fit("random_forest", &changes, x, y)
}

/// An exclusive or has no first split that gains anything; a tree must take one all the same.
#[test]
fn an_exclusive_or_is_learned() {
    let columns = vec![vec![0.0, 0.0, 1.0, 1.0], vec![0.0, 1.0, 0.0, 1.0]];
    let x = Matrix::new(vec!["a".to_owned(), "b".to_owned()], columns, 4).unwrap();
    let y = Target::Classes { codes: vec![0, 1, 1, 0], count: 2 };
    assert_eq!(predict(&*one_tree(&x, &y, &[]), &x).columns[1], [0.0, 1.0, 1.0, 0.0]);
}

#[test]
fn one_full_tree_knows_its_rows_by_heart_and_limits_are_kept() {
    let f = fixture("diabetes");
    let y = f.numbers();
    assert_close(&predict(&*one_tree(&f.x, &y, &[]), &f.x).columns[0], &f.y, 1e-12);
    let distinct = |model: &dyn Model| {
        let mut values: Vec<u64> = predict(model, &f.x).columns[0].iter().map(|v| v.to_bits()).collect();
        values.sort_unstable();
        let counts: Vec<usize> = values.chunk_by(|a, b| a == b).map(<[u64]>::len).collect();
        (counts.len(), *counts.iter().min().unwrap())
    };
    assert_eq!(distinct(&*one_tree(&f.x, &y, &[("max_depth", OptionValue::Int(3))])).0, 8);
    assert!(distinct(&*one_tree(&f.x, &y, &[("min_samples_leaf", OptionValue::Int(20))])).1 >= 20);
    let (leaves, _) = distinct(&*one_tree(&f.x, &y, &[("min_samples_split", OptionValue::Int(400))]));
    assert!((2..6).contains(&leaves), "{leaves}");
}

/// By hand: the squared error about the mean is 15.1875 before the split and 1.125 after it.
#[test]
fn splits_carry_threshold_gain_and_cover() {
    let x = Matrix::new(vec!["a".to_owned()], vec![vec![1.0, 3.0, 10.0, 12.0]], 4).unwrap();
    let y = Target::Numbers(vec![1.0, 1.0, 4.0, 5.5]);
    let learner = learner(
        "random_forest",
        task(&y),
        &options(
            "random_forest",
            &[
                ("trees", OptionValue::Int(1)),
                ("bootstrap", OptionValue::Bool(false)),
                ("max_depth", OptionValue::Int(1)),
            ],
        ),
        0,
    )
    .unwrap();
    let stored = |weights: Option<&[f64]>| {
        let model = learner.fit(&x, &y, weights, &FitContext::quiet(1)).unwrap().model;
        let tensors = model.tensors();
        let read = |name: &str| -> Vec<f64> {
            let bytes = &tensors.iter().find(|(n, _)| *n == name).unwrap().1.bytes;
            bytes.chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
        };
        (read("threshold")[0], read("gain"), read("cover"), read("values"))
    };
    let (threshold, gain, cover, values) = stored(None);
    assert_eq!((threshold, cover), (6.5, vec![4.0, 2.0, 2.0]));
    assert_close(&gain, &[14.0625, 0.0, 0.0], 1e-12);
    assert_close(&values, &[1.0, 4.75], 1e-12);
    let (_, _, cover, values) = stored(Some(&[1.0, 1.0, 3.0, 1.0]));
    assert_eq!(cover, [6.0, 2.0, 4.0]);
    assert_close(&values, &[1.0, 4.375], 1e-12);
}

#[test]
fn weight_zero_is_no_row_and_balance_moves_shares() {
    let f = fixture("wine");
    let (y, codes) = (f.classes(), f.codes());
    let half: Vec<usize> = (0..f.x.rows()).filter(|i| i % 2 == 0).collect();
    let weights: Vec<f64> = (0..f.x.rows()).map(|i| f64::from(u8::from(i % 2 == 0))).collect();
    let options =
        [("bootstrap", OptionValue::Bool(false)), ("max_features", word("all")), ("trees", OptionValue::Int(1))];
    let by_weight = try_fit("random_forest", &options, &f.x, &y, Some(&weights), 1).unwrap();
    let by_rows = fit("random_forest", &options, &f.x.take(&half), &take(&y, &half));
    let agree = predict(&*by_weight, &f.x)
        .argmax()
        .iter()
        .zip(predict(&*by_rows, &f.x).argmax())
        .filter(|(a, b)| **a == *b)
        .count();
    assert!(agree as f64 > 0.9 * codes.len() as f64, "{agree}");

    let x = Matrix::new(vec!["a".to_owned()], vec![vec![0.0; 10]], 10).unwrap();
    let y = Target::Classes { codes: vec![0, 0, 0, 0, 0, 0, 0, 0, 1, 1], count: 2 };
    let share = |weight: &str| predict(&*one_tree(&x, &y, &[("class_weight", word(weight))]), &x).columns[1][0];
    assert_eq!((share("none"), share("balanced")), (0.2, 0.5));
}

/// The seed decides; trees differ from each other.
#[test]
fn seeds_differ_and_trees_differ() {
    let f = fixture("iris");
    let of = |seed| {
        learner("random_forest", task(&f.classes()), &options("random_forest", &[]), seed)
            .unwrap()
            .fit(&f.x, &f.classes(), None, &FitContext::quiet(1))
            .unwrap()
            .model
    };
    assert_same_bytes(&*of(1), &*of(1));
    assert_ne!(predict(&*of(1), &f.x), predict(&*of(2), &f.x));
    let bytes = of(1).tensors().into_iter().find(|(n, _)| *n == "tree_nodes").unwrap().1.bytes;
    assert!(bytes.chunks(4).any(|b| b != &bytes[..4]), "all trees have {:?} nodes", &bytes[..4]);
}
