//! Fits that are ended by the time, that are interrupted, and that go on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dbjob_learn::{Checkpoints, FitContext, FitErrorKind, Fitted, Matrix, OptionValue, Target, learner, load, save};

use crate::support::*;

type Changes = Vec<(&'static str, OptionValue)>;

/// Each iterative algorithm on enough rows for some work: (name, options, x, y).
fn iterative() -> Vec<(&'static str, Changes, Matrix, Target)> {
    let (wine, diabetes) = (fixture("wine"), fixture("diabetes"));
    let forest = || vec![("trees", OptionValue::Int(30))];
    let drawn = || [forest(), vec![("subsample", OptionValue::Float(0.6))]].concat();
    let early = || [forest(), vec![("stop_early", OptionValue::Int(40))]].concat();
    let minibatch = |optimizer: &str| -> Changes {
        let rate = if optimizer == "sgd" { 1e-7 } else { 1e-3 };
        vec![
            ("optimizer", word(optimizer)),
            ("epochs", OptionValue::Int(12)),
            ("learning_rate", OptionValue::Float(rate)),
            ("batch_size", OptionValue::Int(16)),
        ]
    };
    let network = || -> Changes {
        vec![
            ("dropout", OptionValue::Float(0.1)),
            ("epochs", OptionValue::Int(9)),
            ("batch_size", OptionValue::Int(16)),
        ]
    };
    // Many starts, so that there is something to interrupt.
    let clusters = vec![("k", OptionValue::Int(6)), ("n_init", OptionValue::Int(4)), ("tol", OptionValue::Float(0.0))];
    let solver = |optimizer: &str, penalty: &str| -> Changes {
        vec![("tol", OptionValue::Float(1e-10)), ("optimizer", word(optimizer)), ("penalty", word(penalty))]
    };
    vec![
        ("logistic_regression", solver("lbfgs", "l2"), wine.x.clone(), wine.classes()),
        ("logistic_regression", solver("lbfgs", "l1"), wine.x.clone(), wine.classes()),
        ("logistic_regression", solver("newton", "l2"), wine.x.clone(), wine.classes()),
        ("poisson_regression", vec![("max_iter", OptionValue::Int(200))], diabetes.x.clone(), diabetes.numbers()),
        ("lasso", vec![("tol", OptionValue::Float(1e-10))], diabetes.x.clone(), diabetes.numbers()),
        ("logistic_regression", minibatch("adam"), wine.x.clone(), wine.classes()),
        ("logistic_regression", minibatch("sgd"), wine.x.clone(), wine.classes()),
        ("gradient_boosting", forest(), wine.x.clone(), wine.classes()),
        ("gradient_boosting", early(), wine.x.clone(), wine.classes()),
        ("extra_trees", forest(), wine.x.clone(), wine.classes()),
        ("gradient_boosting", drawn(), diabetes.x.clone(), diabetes.numbers()),
        ("mlp", network(), wine.x.clone(), wine.classes()),
        (
            "mlp",
            [network(), vec![("stop_early", OptionValue::Int(3))]].concat(),
            diabetes.x.clone(),
            diabetes.numbers(),
        ),
        ("random_forest", forest(), wine.x.clone(), wine.classes()),
        ("random_forest", forest(), diabetes.x.clone(), diabetes.numbers()),
        ("svm", vec![], wine.x.clone(), wine.classes()),
        ("kmeans", clusters, diabetes.x.clone(), Target::Unlabelled(diabetes.x.rows())),
    ]
}

fn fit_in(
    (name, changes, x, y): &(&str, Changes, Matrix, Target),
    cx: &FitContext<'_>,
) -> Result<Fitted, dbjob_learn::FitError> {
    learner(name, task(y), &options(name, changes), 7).unwrap().fit(x, y, None, cx)
}

/// True from the `n`-th question on.
fn after(n: usize) -> impl Fn() -> bool + Sync {
    let asked = AtomicUsize::new(0);
    move || asked.fetch_add(1, Ordering::Relaxed) >= n
}

/// How often a whole fit asks whether to go on.
fn questions(case: &(&str, Changes, Matrix, Target)) -> usize {
    let asked = AtomicUsize::new(0);
    let count = || {
        asked.fetch_add(1, Ordering::Relaxed);
        false
    };
    fit_in(case, &FitContext { cancelled: &count, ..FitContext::quiet(1) }).unwrap();
    asked.into_inner()
}

#[test]
fn a_fit_that_is_interrupted_anywhere_goes_on_to_the_same_model() {
    for case in iterative() {
        let whole = save(&*fit_in(&case, &FitContext::quiet(2)).unwrap().model);
        let all = questions(&case);
        let mut rng = fastrand(all as u64);
        for (round, threads) in (0..6).zip([1, 2, 1, 3, 1, 2]) {
            // Interrupted again and again, each time a random way further.
            let mut kept: Option<Vec<u8>> = None;
            let mut resumed = 0;
            let model = loop {
                let saved = Mutex::new(None);
                let save_it = |bytes: &[u8]| *saved.lock().unwrap() = Some(bytes.to_vec());
                let first = AtomicU64::new(u64::MAX);
                let progress = |p: dbjob_learn::Progress| {
                    first.fetch_min(p.done, Ordering::Relaxed);
                };
                let stop = after(1 + rng() as usize % (all / 2));
                let interval = if round % 2 == 0 { Duration::ZERO } else { Duration::from_secs(3600) };
                let cx = FitContext {
                    cancelled: &stop,
                    progress: &progress,
                    checkpoints: Some(Checkpoints { interval, save: &save_it, resume: kept.as_deref() }),
                    ..FitContext::quiet(threads)
                };
                let result = fit_in(&case, &cx);
                if kept.is_some() && (2..u64::MAX).contains(&first.load(Ordering::Relaxed)) {
                    resumed += 1;
                }
                match result {
                    Ok(fitted) => break fitted,
                    Err(error) => assert_eq!(error.kind, FitErrorKind::Cancelled),
                }
                if let Some(bytes) = saved.into_inner().unwrap() {
                    kept = Some(bytes);
                }
            };
            assert!(model.ended_early.is_none());
            assert!(save(&*model.model) == whole, "{} in round {round}, resumed {resumed} times", case.0);
            assert!(round == 1 || resumed > 0 || all < 8, "{}: never resumed", case.0);
        }
    }
}

/// A xorshift: enough to vary where fits are interrupted.
fn fastrand(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 8
    }
}

#[test]
fn a_checkpoint_of_another_fit_or_a_damaged_one_is_not_used() {
    for case in iterative() {
        let saved = Mutex::new(Vec::new());
        let save_it = |bytes: &[u8]| *saved.lock().unwrap() = bytes.to_vec();
        let none = Checkpoints { interval: Duration::ZERO, save: &save_it, resume: None };
        fit_in(&case, &FitContext { checkpoints: Some(none), ..FitContext::quiet(1) }).unwrap();
        let bytes = saved.lock().unwrap().clone();
        assert!(!bytes.is_empty(), "{}", case.0);
        let from = |resume: &[u8], case: &(&str, Changes, Matrix, Target)| {
            let first = AtomicU64::new(u64::MAX);
            let progress = |p: dbjob_learn::Progress| {
                first.fetch_min(p.done, Ordering::Relaxed);
            };
            let checkpoints =
                Some(Checkpoints { interval: Duration::from_secs(9), save: &|_| {}, resume: Some(resume) });
            let cx = FitContext { checkpoints, progress: &progress, ..FitContext::quiet(1) };
            let model = fit_in(case, &cx).unwrap().model;
            (save(&*model), first.into_inner())
        };
        let whole = save(&*fit_in(&case, &FitContext::quiet(1)).unwrap().model);
        let (same, first) = from(&bytes, &case);
        assert!(same == whole && first > 1, "{}: began again", case.0);
        for length in [0, 9, bytes.len() / 2, bytes.len() - 1] {
            assert!(from(&bytes[..length], &case) == (whole.clone(), 1), "{} cut to {length}", case.0);
        }
        // The last row differs, or an option does.
        let mut columns: Vec<Vec<f64>> = (0..case.2.width()).map(|j| case.2.column(j).to_vec()).collect();
        *columns[0].last_mut().unwrap() += 1.0;
        let x = Matrix::new(case.2.names().to_vec(), columns, case.2.rows()).unwrap();
        let other = (case.0, case.1.clone(), x, case.3.clone());
        assert_eq!(from(&bytes, &other).1, 1, "{}", case.0);
        let mut other = (case.0, case.1.clone(), case.2.clone(), case.3.clone());
        let change = match case.0 {
            "random_forest" | "extra_trees" | "gradient_boosting" => "max_bins",
            "kmeans" => "max_iter",
            "logistic_regression" | "svm" => "c",
            "mlp" => "batch_size",
            _ => "alpha",
        };
        other.1.retain(|(name, _)| *name != change);
        other.1.push((change, OptionValue::Int(63)));
        assert_eq!(from(&bytes, &other).1, 1, "{}", case.0);
    }
}

#[test]
fn at_the_end_of_the_time_there_is_a_model_and_it_says_so() {
    for case in iterative() {
        let whole = fit_in(&case, &FitContext::quiet(2)).unwrap();
        assert!(whole.ended_early.is_none());
        let all = questions(&case);
        for threads in [1, 2] {
            for n in [0, 1, all / 3, all / 2] {
                let out_of_time = after(n);
                let cx = FitContext { out_of_time: &out_of_time, ..FitContext::quiet(threads) };
                let fitted = fit_in(&case, &cx).unwrap();
                let early = fitted.ended_early.unwrap_or_else(|| panic!("{} after {n} of {all}", case.0));
                assert!(early.done < early.total, "{early:?}");
                let scores = predict(&*load(&save(&*fitted.model)).unwrap(), &case.2);
                assert!(scores.columns.iter().flatten().all(|v| v.is_finite()));
            }
        }
    }
}

/// What is kept at the end of the time is nothing that the whole fit would not have come by.
#[test]
fn with_more_time_a_fit_goes_on_to_the_same_model() {
    for case in iterative() {
        let whole = save(&*fit_in(&case, &FitContext::quiet(2)).unwrap().model);
        let all = questions(&case);
        for threads in [1, 2] {
            for n in [0, 1, 2, all / 3, all / 2] {
                let saved = Mutex::new(None);
                let save_it = |bytes: &[u8]| *saved.lock().unwrap() = Some(bytes.to_vec());
                let out_of_time = after(n);
                let checkpoints = Some(Checkpoints { interval: Duration::ZERO, save: &save_it, resume: None });
                let cx = FitContext { out_of_time: &out_of_time, checkpoints, ..FitContext::quiet(threads) };
                fit_in(&case, &cx).unwrap();
                let kept: Option<Vec<u8>> = saved.lock().unwrap().take();
                let checkpoints =
                    Some(Checkpoints { interval: Duration::ZERO, save: &save_it, resume: kept.as_deref() });
                let cx = FitContext { checkpoints, ..FitContext::quiet(threads) };
                assert!(save(&*fit_in(&case, &cx).unwrap().model) == whole, "{} after {n} of {all}", case.0);
            }
        }
    }
}

/// The trees of a forest that ended early are the first ones of the whole forest.
#[test]
fn a_forest_that_ended_early_is_a_prefix_of_the_whole() {
    let trees = |fitted: &Fitted| {
        let tensors = fitted.model.tensors();
        tensors.into_iter().find(|(name, _)| *name == "threshold").unwrap().1.bytes
    };
    for case in iterative().into_iter().filter(|case| case.0 == "random_forest") {
        let whole = trees(&fit_in(&case, &FitContext::quiet(2)).unwrap());
        for threads in [1, 2, 4] {
            let out_of_time = after(questions(&case) / 2);
            let cx = FitContext { out_of_time: &out_of_time, ..FitContext::quiet(threads) };
            let early = fit_in(&case, &cx).unwrap();
            let Some(ended) = early.ended_early else { panic!("not early") };
            assert_eq!(ended.unit, "trees");
            // On several threads the first tree may be the last that is ready: it is cut short and stands alone.
            assert!(ended.done > 1 || threads > 1, "{ended:?}");
            assert!(ended.done == 1 || whole.starts_with(&trees(&early)), "{ended:?} on {threads} threads");
        }
    }
}

/// More rows and rounds than there is time for: the clock is looked at inside of trees, epochs and evaluations.
#[test]
fn large_fits_end_in_time() {
    let rows = 120_000;
    let mut rng = fastrand(5);
    let mut column = || -> Vec<f64> { (0..rows).map(|_| (rng() % 100_000) as f64 / 5e4 - 1.0).collect() };
    let columns: Vec<Vec<f64>> = (0..10).map(|_| column()).collect();
    let noise = column();
    let codes: Vec<u32> = (0..rows).map(|i| u32::from(columns[0][i] * columns[1][i] + 0.3 * noise[i] > 0.0)).collect();
    let names = (0..10).map(|j| format!("f{j}")).collect();
    let x = Matrix::new(names, columns, rows).unwrap();
    let y = Target::Classes { codes, count: 2 };
    let many = |name: &'static str, n: i64| (name, OptionValue::Int(n));
    let slow = vec![("optimizer", word("adam")), many("epochs", 1_000_000), many("batch_size", 1_000_000)];
    let exact = vec![("tol", OptionValue::Float(1e-300)), many("max_iter", 1_000_000), ("c", OptionValue::Float(1e9))];
    for (name, changes) in [
        ("gradient_boosting", vec![many("trees", 100_000)]),
        ("random_forest", vec![many("trees", 100_000)]),
        ("logistic_regression", vec![("optimizer", word("adam")), many("epochs", 1_000_000)]),
        ("logistic_regression", slow),
        ("logistic_regression", exact),
        ("kmeans", vec![many("k", 300), many("n_init", 1000)]),
    ] {
        let start = Instant::now();
        let limit = Duration::from_millis(300);
        let out_of_time = move || start.elapsed() >= limit;
        let cx = FitContext { out_of_time: &out_of_time, ..FitContext::quiet(2) };
        let y = if name == "kmeans" { Target::Unlabelled(rows) } else { y.clone() };
        let case = (name, changes, x.clone(), y);
        let fitted = fit_in(&case, &cx).unwrap();
        let took = start.elapsed();
        // Without optimisation some steps that cannot be cut take long.
        assert!(took < limit + Duration::from_millis(1500), "{name} {:?}: {took:?}", case.1);
        assert!(fitted.ended_early.is_some() || case.1[0].0 == "tol", "{name}");
    }
}
