//! Boosting and forests on what they take beside numbers, and what boosting promises.

use std::sync::{Arc, Mutex};

use dbjob_learn::{FitContext, Matrix, Model, OptionValue, Options, Pool, Scale, Target, Valid, learner, load, save};

use crate::support::*;

const TREES: [&str; 4] = ["decision_tree", "extra_trees", "gradient_boosting", "random_forest"];

fn one(values: Vec<f64>) -> Matrix {
    let rows = values.len();
    Matrix::new(vec!["x".to_owned()], vec![values], rows).unwrap()
}

/// A cheap scatter of 0..1.
fn scatter(i: usize) -> f64 {
    (i.wrapping_mul(2_654_435_761) % 1_000_003) as f64 / 1_000_003.0
}

fn rmse(model: &dyn Model, x: &Matrix, y: &[f64]) -> f64 {
    let said = predict(model, x);
    (said.columns[0].iter().zip(y).map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / y.len() as f64).sqrt()
}

/// Rows without a value say as much as those with one.
#[test]
fn missing_values_are_learned_from() {
    let values: Vec<f64> = (0..600).map(|i| if i % 3 == 0 { f64::NAN } else { (i % 2) as f64 }).collect();
    let y: Vec<f64> = values.iter().map(|v| if v.is_nan() { 7.0 } else { *v }).collect();
    let x = one(values);
    for name in TREES {
        let model = fit(name, &[], &x, &Target::Numbers(y.clone()));
        assert!(rmse(&*model, &x, &y) < 0.01, "{name}: {}", rmse(&*model, &x, &y));
        // All of them gone: there is nothing to divide by, and still an answer.
        let none = fit(name, &[], &one(vec![f64::NAN; 600]), &Target::Numbers(y.clone()));
        assert!(predict(&*none, &one(vec![1.0, f64::NAN])).columns[0].iter().all(|v| v.is_finite()), "{name}");
    }
}

/// Of 40 categories in no order every second one is high: one question where numbers need forty.
#[test]
fn categories_are_taken_as_sets_and_come_back_from_the_file() {
    let codes: Vec<f64> = (0..8000).map(|i| (i % 40) as f64).collect();
    let y: Vec<f64> = codes.iter().map(|c| f64::from(u8::from((*c as usize * 7) % 40 < 20))).collect();
    let levels: Arc<[String]> = (0..41).map(|i| format!("level {i}")).collect();
    let with = |codes: Vec<f64>| one(codes).with_levels(vec![Some(Arc::clone(&levels))]).unwrap();
    let x = with(codes);
    for name in TREES {
        let stump: &[(&str, OptionValue)] = match name {
            "gradient_boosting" => &[("max_leaves", OptionValue::Int(2))],
            _ => &[("max_depth", OptionValue::Int(1))],
        };
        let model = fit(name, stump, &x, &Target::Numbers(y.clone()));
        if name != "extra_trees" {
            assert!(rmse(&*model, &x, &y) < 0.01, "{name}: {}", rmse(&*model, &x, &y));
        }
        let back = load(&save(&*model)).unwrap();
        assert_eq!(back.levels(), x.all_levels());
        // The level 40 was never seen, nor was a missing one.
        let others = with(vec![40.0, f64::NAN, 3.0]);
        assert_eq!(predict(&*back, &others), predict(&*model, &others));
        let error = (&*back as &dyn Model).predict(&one(vec![1.0]), &Pool::single()).unwrap_err();
        assert!(error.message.contains("other levels"), "{}", error.message);
    }
    assert!(one(vec![41.0]).with_levels(vec![Some(levels)]).is_err());
}

/// More levels than there are bins: the rare ones are taken together.
#[test]
fn many_categories_are_no_trouble() {
    let codes: Vec<f64> = (0..9000).map(|i| if i % 3 == 0 { (i % 900) as f64 } else { (i % 7) as f64 }).collect();
    let y: Vec<f64> = codes.iter().map(|c| if *c < 7.0 { *c } else { 20.0 }).collect();
    let x = one(codes).with_levels(vec![Some((0..900).map(|i| i.to_string()).collect())]).unwrap();
    for name in TREES {
        let model = fit(name, &[], &x, &Target::Numbers(y.clone()));
        assert!(rmse(&*model, &x, &y) < 1.0, "{name}: {}", rmse(&*model, &x, &y));
    }
}

#[test]
fn it_stops_by_the_valid_rows_and_keeps_the_best_rounds() {
    let noisy = |from: usize, rows: usize| {
        let x: Vec<f64> = (from..from + rows).map(|i| scatter(i) * 10.0).collect();
        let y = x.iter().enumerate().map(|(i, x)| x.sin() + 2.0 * scatter(from + 7919 * i) - 1.0).collect();
        (one(x), Target::Numbers(y))
    };
    let ((x, y), (vx, vy)) = (noisy(1, 1500), noisy(500_000, 1500));
    let told = Mutex::new(Vec::new());
    let progress = |p: dbjob_learn::Progress| told.lock().unwrap().push(p);
    let all = options("gradient_boosting", &[("trees", OptionValue::Int(400)), ("stop_early", OptionValue::Int(15))]);
    let boost = |all: &Options| learner("gradient_boosting", task(&y), all, 7).unwrap();
    let valid = Valid { x: &vx, y: &vy, weights: None };
    let cx = FitContext { valid: Some(valid), progress: &progress, ..FitContext::quiet(2) };
    let early = boost(&all).fit(&x, &y, None, &cx).unwrap();
    let told = told.into_inner().unwrap();
    assert!(early.ended_early.is_none() && told.len() < 400, "{}", told.len());
    let losses: Vec<f64> = told.iter().map(|p| p.valid.unwrap()).collect();
    let best = (0..losses.len()).reduce(|a, b| if losses[b] < losses[a] { b } else { a }).unwrap();
    assert_eq!(told.len(), best + 1 + 15);
    assert!(told.windows(2).all(|w| w[1].loss <= w[0].loss), "the loss of the train rows only falls");
    // The trees are those of a fit of so many rounds.
    let short = options("gradient_boosting", &[("trees", OptionValue::Int(best as i64 + 1))]);
    assert_same_bytes(&*early.model, &*boost(&short).fit(&x, &y, None, &FitContext::quiet(1)).unwrap().model);
    assert_eq!(early.best_round, Some(best as u64 + 1));
    let known = FitContext { rounds: early.best_round, ..FitContext::quiet(1) };
    assert_same_bytes(&*early.model, &*boost(&all).fit(&x, &y, None, &known).unwrap().model);
    // Without valid rows it holds some out.
    let alone = boost(&all).fit(&x, &y, None, &FitContext::quiet(2)).unwrap();
    let rounds = |model: &dyn Model| model.tensors().iter().find(|t| t.0 == "tree_nodes").unwrap().1.shape[0];
    assert!(rounds(&*alone.model) < 100, "{}", rounds(&*alone.model));
}

#[test]
fn a_bound_feature_only_rises_or_falls() {
    let rows = 3000;
    let columns: Vec<Vec<f64>> = (0..3).map(|j| (0..rows).map(|i| scatter(i * 3 + j)).collect()).collect();
    let y: Vec<f64> = (0..rows)
        .map(|i| 2.0 * columns[0][i] - columns[1][i] + (9.0 * columns[0][i]).sin() + (7.0 * columns[2][i]).cos())
        .collect();
    let names: Vec<String> = ["up", "down", "free"].map(str::to_owned).into();
    let x = Matrix::new(names.clone(), columns, rows).unwrap();
    let classes = y.iter().map(|y| u32::from(*y > 0.7)).collect();
    let names_of = |n: &str| OptionValue::Names(vec![n.to_owned()]);
    let bound = [("increasing", names_of("up")), ("decreasing", names_of("down"))];
    for (y, column) in [(Target::Numbers(y.clone()), 0), (Target::Classes { codes: classes, count: 2 }, 1)] {
        let model = fit("gradient_boosting", &bound, &x, &y);
        let loose = fit("gradient_boosting", &[], &x, &y);
        let mut breaks = [0; 2];
        for row in 0..40 {
            for (j, sign) in [(0, 1.0), (1, -1.0)] {
                let mut columns: Vec<Vec<f64>> = (0..3).map(|j| vec![x.column(j)[row]; 200]).collect();
                columns[j] = (0..200).map(|i| f64::from(i) / 199.0).collect();
                let line = Matrix::new(names.clone(), columns, 200).unwrap();
                for (model, breaks) in [&model, &loose].into_iter().zip(&mut breaks) {
                    let said = &predict(&**model, &line).columns[column];
                    *breaks += said.windows(2).filter(|w| sign * (w[1] - w[0]) < -1e-12).count();
                }
            }
        }
        assert_eq!(breaks[0], 0);
        assert!(breaks[1] > 0, "without bounds it goes up and down");
    }
    let error = |changes: &[(&str, OptionValue)]| {
        try_fit("gradient_boosting", changes, &x, &Target::Numbers(y.clone()), None, 1).err().unwrap().message
    };
    assert!(error(&[("increasing", names_of("upp"))]).contains("`upp`"));
    assert!(error(&[("increasing", names_of("up")), ("decreasing", names_of("up"))]).contains("both"));
}

/// A row of weight 2 is two rows; one of weight 0 is none.
#[test]
fn weights_are_counts_of_rows() {
    let f = fixture("diabetes");
    let twice: Vec<usize> = (0..f.x.rows()).filter(|i| i % 3 != 0).flat_map(|i| vec![i; 1 + i % 2]).collect();
    let weights: Vec<f64> = (0..f.x.rows()).map(|i| if i % 3 == 0 { 0.0 } else { (1 + i % 2) as f64 }).collect();
    let Target::Numbers(y) = f.numbers() else { unreachable!() };
    // Leaves are limited by rows, which are fewer here than there: a limit of one is the same for both.
    let changes =
        [("min_samples_leaf", OptionValue::Int(1)), ("depth", OptionValue::Int(3)), ("trees", OptionValue::Int(10))];
    let by_weight = try_fit("gradient_boosting", &changes, &f.x, &f.numbers(), Some(&weights), 2).unwrap();
    let y = Target::Numbers(twice.iter().map(|i| y[*i]).collect());
    let by_rows = fit("gradient_boosting", &changes, &f.x.take(&twice), &y);
    let (a, b) = (predict(&*by_weight, &f.x), predict(&*by_rows, &f.x));
    let far = a.columns[0].iter().zip(&b.columns[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    // Bins are made of all rows, those without weight too: thresholds may differ a little.
    assert!(far < 25.0, "{far}");
}

/// Counts and positive numbers: the mean of the predictions is about that of the truth, and none is below 0.
#[test]
fn losses_of_counts_and_positive_numbers_fit_means() {
    let x: Vec<f64> = (0..4000).map(|i| scatter(i) * 3.0).collect();
    let y: Vec<f64> = x.iter().enumerate().map(|(i, x)| (x.exp() * 2.0 * scatter(31 * i + 5)).floor() + 1.0).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let x = one(x);
    for loss in ["poisson", "gamma"] {
        let model = fit("gradient_boosting", &[("loss", word(loss))], &x, &Target::Numbers(y.clone()));
        let said = predict(&*model, &x).columns.remove(0);
        assert!(said.iter().all(|v| *v > 0.0));
        assert!((mean(&said) / mean(&y) - 1.0).abs() < 0.03, "{loss}: {} {}", mean(&said), mean(&y));
        let mut wrong = y.clone();
        wrong[17] = -1.0;
        let error = try_fit("gradient_boosting", &[("loss", word(loss))], &x, &Target::Numbers(wrong), None, 1);
        assert!(error.err().unwrap().message.contains("row 18"));
    }
}

/// What is said of no row and what features add make the score, for every kind of output.
#[test]
fn contributions_add_up_to_the_scores() {
    let (wine, diabetes) = (fixture("wine"), fixture("diabetes"));
    let two = Target::Classes { codes: wine.codes().iter().map(|c| u32::from(*c == 1)).collect(), count: 2 };
    let few = [("trees", OptionValue::Int(7))];
    let poisson = [("trees", OptionValue::Int(7)), ("loss", word("poisson"))];
    for (name, changes, x, y, scale) in [
        ("gradient_boosting", &few[..], &wine.x, wine.classes(), Scale::Softmax),
        ("gradient_boosting", &few, &wine.x, two, Scale::LogOdds),
        ("gradient_boosting", &few, &diabetes.x, diabetes.numbers(), Scale::Number),
        ("gradient_boosting", &poisson, &diabetes.x, diabetes.numbers(), Scale::Log),
        ("random_forest", &few, &wine.x, wine.classes(), Scale::Probability),
        ("random_forest", &few, &diabetes.x, diabetes.numbers(), Scale::Number),
    ] {
        let model = fit(name, changes, x, &y);
        let pool = Pool::new(2).unwrap();
        let found = model.contributions(x, &pool).unwrap();
        assert_eq!(found.scale, scale);
        assert_eq!(found, model.contributions(x, &Pool::single()).unwrap());
        let scores = predict(&*model, x);
        for i in 0..x.rows() {
            let sums: Vec<f64> =
                found.outputs.iter().map(|o| o.base + o.features.iter().map(|f| f[i]).sum::<f64>()).collect();
            let total: f64 = sums.iter().map(|s| s.exp()).sum();
            for (k, sum) in sums.iter().enumerate() {
                let (said, wanted) = match scale {
                    Scale::Number | Scale::Probability => (scores.columns[k][i], *sum),
                    Scale::Log => (scores.columns[0][i], sum.exp()),
                    Scale::LogOdds => (scores.columns[1][i], 1.0 / (1.0 + (-sum).exp())),
                    Scale::Softmax => (scores.columns[k][i], sum.exp() / total),
                };
                assert!((said - wanted).abs() <= 1e-9 * wanted.abs().max(1.0), "{name} {scale:?}: {said} {wanted}");
            }
        }
        let importance = model.importance().unwrap();
        assert!((importance.iter().sum::<f64>() - 1.0).abs() < 1e-12 && importance.iter().all(|v| *v >= 0.0));
    }
}

/// Against LightGBM 4.7 and scikit-learn's HistGradientBoosting 1.9 on the same folds; see tests/fixtures/make_trees.py.
#[test]
fn it_is_as_good_as_others_that_boost() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/trees.json");
    let theirs: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (name, measure) in [("diabetes", "boosting_rmse"), ("wine", "boosting_log_loss")] {
        let f = fixture(name);
        let y = if name == "wine" { f.classes() } else { f.numbers() };
        let mut total = 0.0;
        for fold in 0..5 {
            let (test, train): (Vec<usize>, Vec<usize>) = (0..f.x.rows()).partition(|i| i % 5 == fold);
            let model = fit("gradient_boosting", &[], &f.x.take(&train), &take(&y, &train));
            let scores = predict(&*model, &f.x.take(&test));
            total += match take(&y, &test) {
                Target::Numbers(truth) => {
                    let squares = scores.columns[0].iter().zip(&truth).map(|(a, b)| (a - b) * (a - b));
                    (squares.sum::<f64>() / truth.len() as f64).sqrt()
                }
                Target::Classes { codes, .. } => {
                    let logs = codes.iter().enumerate().map(|(i, c)| -scores.columns[*c as usize][i].ln());
                    logs.sum::<f64>() / codes.len() as f64
                }
                Target::Unlabelled(_) => unreachable!(),
            };
        }
        let of = |who: &str| theirs[measure][who].as_f64().unwrap();
        let (found, sklearn, lightgbm) = (total / 5.0, of("sklearn"), of("lightgbm"));
        let worst = sklearn.max(lightgbm);
        assert!(found < worst * 1.02, "{name}: {found}, scikit-learn {sklearn}, LightGBM {lightgbm}");
    }
}
