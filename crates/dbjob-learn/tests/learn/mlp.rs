use std::sync::Mutex;

use dbjob_learn::{FitContext, FitErrorKind, Matrix, OptionValue, Pool, Progress, Target, Valid, learner};

use crate::support::*;

type Changes = Vec<(&'static str, OptionValue)>;

const fn int(name: &'static str, value: i64) -> (&'static str, OptionValue) {
    (name, OptionValue::Int(value))
}

const fn float(name: &'static str, value: f64) -> (&'static str, OptionValue) {
    (name, OptionValue::Float(value))
}

/// Two arms of a spiral: no line tells them apart.
fn spiral() -> (Matrix, Target) {
    let (mut x, mut y, mut codes) = (vec![], vec![], vec![]);
    for i in 0..400_u32 {
        let (arm, t) = (i % 2, f64::from(i) / 400.0);
        let angle = 6.0 * t + std::f64::consts::PI * f64::from(arm);
        x.push((0.2 + t) * angle.cos() * 2.0);
        y.push((0.2 + t) * angle.sin() * 2.0);
        codes.push(arm);
    }
    let x = Matrix::new(vec!["x".to_owned(), "y".to_owned()], vec![x, y], 400).unwrap();
    (x, Target::Classes { codes, count: 2 })
}

/// The losses of all epochs, and the share of rows that the model tells right.
fn fit_with(changes: &Changes, x: &Matrix, y: &Target) -> (Vec<f64>, f64) {
    let seen = Mutex::new(vec![]);
    let progress = |p: Progress| seen.lock().unwrap().push(p.valid.or(p.loss).unwrap());
    let cx = FitContext { progress: &progress, ..FitContext::quiet(2) };
    let model = learner("mlp", task(y), &options("mlp", changes), 7).unwrap().fit(x, y, None, &cx).unwrap().model;
    let Target::Classes { codes, .. } = y else { panic!("classes only") };
    let right = predict(&*model, x).argmax().iter().zip(codes).filter(|(a, b)| a == b).count();
    (seen.into_inner().unwrap(), right as f64 / codes.len() as f64)
}

/// As many people write it: 200 epochs, a learning rate of 0.01, adam.
#[test]
fn adam_with_a_rate_of_one_in_a_hundred_learns_a_spiral_in_200_epochs() {
    let (x, y) = spiral();
    let article = vec![int("epochs", 200), float("learning_rate", 0.01), ("optimizer", word("adam"))];
    let (losses, right) = fit_with(&article, &x, &y);
    assert_eq!(losses.len(), 200);
    assert!(right > 0.98, "{right}");
    // Monotone on average: each tenth of the way is better than the one before it.
    let tenths: Vec<f64> = losses.chunks(20).map(|c| c.iter().sum::<f64>()).collect();
    assert!(tenths.is_sorted_by(|a, b| a > b), "{tenths:?}");
    let (again, _) = fit_with(&article, &x, &y);
    assert!(losses.iter().zip(&again).all(|(a, b)| a.to_bits() == b.to_bits()));
}

#[test]
fn every_optimizer_activation_and_schedule_learns() {
    let (x, y) = spiral();
    let base = vec![int("epochs", 300), float("learning_rate", 0.01), int("batch_size", 32)];
    for change in [
        vec![("optimizer", word("adamw"))],
        vec![("optimizer", word("sgd")), float("learning_rate", 0.1)],
        vec![("optimizer", word("sgd")), float("learning_rate", 0.5), float("momentum", 0.0)],
        vec![("activation", word("tanh"))],
        vec![("activation", word("sigmoid"))],
        vec![("schedule", word("cosine"))],
        vec![("schedule", word("exponential")), float("decay", 0.99)],
        vec![("schedule", word("step")), float("decay", 0.5), int("decay_every", 100)],
        vec![("layers", OptionValue::Ints(vec![16, 8])), float("dropout", 0.05)],
        vec![float("weight_decay", 1e-4)],
    ] {
        let (losses, right) = fit_with(&[base.clone(), change.clone()].concat(), &x, &y);
        assert!(right > 0.95 && losses[299] < 0.5 * losses[0], "{change:?}: {right} {}", losses[299]);
    }
}

#[test]
fn each_option_has_an_effect() {
    let (x, y) = spiral();
    let few = vec![int("epochs", 40)];
    let plain = save_of(&few, &x, &y);
    let sgd = || ("optimizer", word("sgd"));
    for change in [
        vec![float("beta1", 0.5)],
        vec![float("beta2", 0.9)],
        vec![float("epsilon", 0.1)],
        vec![float("weight_decay", 0.1)],
        vec![float("dropout", 0.5)],
        vec![("schedule", word("cosine"))],
        vec![("schedule", word("exponential"))],
        vec![("schedule", word("step"))],
        vec![("activation", word("tanh"))],
        vec![int("stop_early", 1)],
        vec![sgd()],
        vec![("layers", OptionValue::Ints(vec![]))],
    ] {
        assert!(save_of(&[few.clone(), change.clone()].concat(), &x, &y) != plain, "{change:?}");
    }
    assert!(save_of(&[sgd()].to_vec(), &x, &y) != save_of(&[sgd(), float("momentum", 0.5)].to_vec(), &x, &y));
}

fn save_of(changes: &Changes, x: &Matrix, y: &Target) -> Vec<u8> {
    dbjob_learn::save(&*fit("mlp", changes, x, y))
}

#[test]
fn numbers_are_learned_in_their_own_units() {
    let f = fixture("diabetes");
    let x = standardized(&f.x);
    let changes = vec![int("epochs", 100), float("learning_rate", 0.01)];
    for factor in [1.0, 1e6, 1e-6] {
        let y: Vec<f64> = f.y.iter().map(|y| y * factor + 1e3 * factor).collect();
        let predicted = predict(&*fit("mlp", &changes, &x, &Target::Numbers(y.clone())), &x).columns.remove(0);
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        let error: f64 = predicted.iter().zip(&y).map(|(p, y)| (p - y).powi(2)).sum();
        let all: f64 = y.iter().map(|y| (y - mean).powi(2)).sum();
        assert!(1.0 - error / all > 0.5, "{factor}: {}", 1.0 - error / all);
    }
    let constant = fit("mlp", &changes, &x, &Target::Numbers(vec![5.0; f.y.len()]));
    assert!(predict(&*constant, &x).columns[0].iter().all(|p| (p - 5.0).abs() < 0.3));
}

/// It ends when the rows that judge have not been told better for so long, with the parameters of the best epoch.
#[test]
fn stopping_early_keeps_the_best() {
    let f = fixture("wine");
    let changes = vec![int("epochs", 2000), float("learning_rate", 0.02), int("stop_early", 5)];
    let (losses, right) = fit_with(&changes, &standardized(&f.x), &f.classes());
    let best = losses.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
    assert!(losses.len() == best + 6 && losses.len() < 2000, "{} {best}", losses.len());
    assert!(right > 0.9, "{right}");
}

/// The valid part judges, and none of its rows is learned from; how many epochs were best is told, and so many give the same
/// network without a judge.
#[test]
fn it_stops_by_the_valid_rows() {
    let f = fixture("wine");
    let x = standardized(&f.x);
    let (train, judge): (Vec<usize>, Vec<usize>) = (0..x.rows()).partition(|i| i % 3 > 0);
    let codes = |rows: &[usize]| rows.iter().map(|i| f.codes()[*i]).collect::<Vec<u32>>();
    for numbers in [false, true] {
        let target = |rows: &[usize]| match numbers {
            false => Target::Classes { codes: codes(rows), count: 3 },
            true => Target::Numbers(codes(rows).iter().map(|c| f64::from(*c) * 100.0).collect()),
        };
        let ((x, y), (vx, vy)) = ((x.take(&train), target(&train)), (x.take(&judge), target(&judge)));
        let all = options("mlp", &[int("epochs", 2000), float("learning_rate", 0.02), int("stop_early", 5)]);
        let learner = learner("mlp", task(&y), &all, 7).unwrap();
        let told = Mutex::new(Vec::new());
        let progress = |p: dbjob_learn::Progress| told.lock().unwrap().push(p.valid.unwrap());
        let valid = Some(Valid { x: &vx, y: &vy, weights: None });
        let cx = FitContext { valid, progress: &progress, ..FitContext::quiet(2) };
        let early = learner.fit(&x, &y, None, &cx).unwrap();
        let losses = told.into_inner().unwrap();
        let best = (0..losses.len()).reduce(|a, b| if losses[b] < losses[a] { b } else { a }).unwrap();
        assert_eq!((early.best_round, losses.len()), (Some(best as u64 + 1), best + 6));
        if !numbers {
            // The loss that is told is the log loss of the best model on the valid rows.
            let scores = early.model.predict(&vx, &Pool::single()).unwrap().columns;
            let loss = |(row, c): (usize, &u32)| -scores[*c as usize][row].ln();
            let mean = codes(&judge).iter().enumerate().map(loss).sum::<f64>() / judge.len() as f64;
            assert!((mean - losses[best]).abs() < 1e-5, "{mean} {}", losses[best]);
        }
        let cx = FitContext { rounds: early.best_round, ..FitContext::quiet(1) };
        let short = learner.fit(&x, &y, None, &cx).unwrap();
        assert_same_bytes(&*short.model, &*early.model);
        assert_eq!(short.best_round, None);
    }
}

#[test]
fn weights_count_as_often_as_rows() {
    let f = fixture("wine");
    let x = standardized(&f.x);
    // With a class weighted a hundredfold, rows in doubt go to it.
    let weights: Vec<f64> = f.codes().iter().map(|c| if *c == 1 { 100.0 } else { 1.0 }).collect();
    let few = [int("epochs", 3), float("learning_rate", 0.01)];
    let to_it = |weights: Option<&[f64]>| {
        let model = try_fit("mlp", &few, &x, &f.classes(), weights, 1).unwrap();
        predict(&*model, &x).columns[1].iter().sum::<f64>()
    };
    assert!(to_it(Some(&weights)) > to_it(None) + 10.0);
    let ones = vec![3.0; f.y.len()];
    assert_eq!(to_it(Some(&ones)), to_it(None));
}

#[test]
fn what_diverges_and_what_does_not_fit_in_32_bits_is_told() {
    let (x, y) = spiral();
    let wild = [("optimizer", word("sgd")), float("learning_rate", 1e30), ("layers", OptionValue::Ints(vec![8, 8]))];
    let error = try_fit("mlp", &wild, &x, &y, None, 1).unwrap_err();
    assert_eq!(error.kind, FitErrorKind::Diverged);
    assert!(error.help.unwrap().contains("learning_rate"));
    let huge = Matrix::new(vec!["a".to_owned()], vec![vec![1e39, 1.0]], 2).unwrap();
    let two = Target::Classes { codes: vec![0, 1], count: 2 };
    let error = try_fit("mlp", &[], &huge, &two, None, 1).unwrap_err();
    assert!(error.message.contains("`a`") && error.message.contains("32 bits"), "{error}");
}
