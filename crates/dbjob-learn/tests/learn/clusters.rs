//! Clusters against scikit-learn.

use std::sync::Mutex;

use dbjob_learn::{FitContext, FitErrorKind, Matrix, OptionValue, Target, Task, learner};

use crate::support::*;

fn standardized(x: &Matrix) -> Matrix {
    let n = x.rows() as f64;
    let column = |j: usize| -> Vec<f64> {
        let mean = x.column(j).iter().sum::<f64>() / n;
        let spread = (x.column(j).iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt();
        x.column(j).iter().map(|v| (v - mean) / spread).collect()
    };
    Matrix::new(x.names().to_vec(), (0..x.width()).map(column).collect(), x.rows()).unwrap()
}

fn numbers(model: &dyn dbjob_learn::Model, x: &Matrix) -> Vec<i64> {
    predict(model, x).columns[0].iter().map(|v| *v as i64).collect()
}

/// Σ weight · squared distance to the mean of the own cluster.
fn inertia(x: &Matrix, labels: &[i64], weights: &dyn Fn(usize) -> f64) -> f64 {
    let k = labels.iter().max().unwrap() + 1;
    let mut total = 0.0;
    for c in 0..k {
        let rows: Vec<usize> = (0..labels.len()).filter(|i| labels[*i] == c).collect();
        let weight: f64 = rows.iter().map(|i| weights(*i)).sum();
        for j in 0..x.width() {
            let mean = rows.iter().map(|i| weights(*i) * x.column(j)[*i]).sum::<f64>() / weight;
            total += rows.iter().map(|i| weights(*i) * (x.column(j)[*i] - mean).powi(2)).sum::<f64>();
        }
    }
    total
}

/// Whether two numberings are of the same groups.
fn same_groups(a: &[i64], b: &[i64]) -> bool {
    let mut pairs: Vec<(i64, i64)> = a.iter().copied().zip(b.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let distinct = |of: fn(&(i64, i64)) -> i64| {
        let mut all: Vec<i64> = pairs.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    pairs.len() == distinct(|p| p.0) && pairs.len() == distinct(|p| p.1)
}

#[test]
fn kmeans_finds_what_scikit_learn_finds() {
    let expected = Expected::read("clusters");
    for name in ["iris", "wine"] {
        let x = standardized(&fixture(name).x);
        let best = expected.answers(&format!("{name}.inertia")).remove(0);
        let fits = |k: i64, weights: Option<&[f64]>| {
            let changes =
                [("k", OptionValue::Int(k)), ("n_init", OptionValue::Int(50)), ("tol", OptionValue::Float(0.0))];
            try_fit("kmeans", &changes, &x, &Target::Unlabelled(x.rows()), weights, 2).unwrap()
        };
        for (k, best) in [2, 3, 5].into_iter().zip(&best) {
            let labels = numbers(&*fits(k, None), &x);
            let found = inertia(&x, &labels, &|_| 1.0);
            assert!((found / best - 1.0).abs() < 1e-9 || found < *best, "{name}, {k}: {found} {best}");
            if k == 3 {
                let theirs: Vec<i64> =
                    expected.answers(&format!("{name}.three"))[0].iter().map(|v| *v as i64).collect();
                assert!(same_groups(&labels, &theirs), "{name}");
            }
        }
        let weights: Vec<f64> = (0..x.rows()).map(|i| 0.5 + (i % 4) as f64 / 2.0).collect();
        let labels = numbers(&*fits(3, Some(&weights)), &x);
        let found = inertia(&x, &labels, &|i| weights[i]);
        assert!((found / best[3] - 1.0).abs() < 1e-9 || found < best[3], "{name}: {found} {}", best[3]);
    }
}

/// The bounds only save work: every row is at its nearest centre, and the centres are the means of their rows.
#[test]
fn a_fit_to_the_end_stands_still() {
    let x = fixture("diabetes").x;
    let changes = [("k", OptionValue::Int(11)), ("tol", OptionValue::Float(0.0))];
    let model = fit("kmeans", &changes, &x, &Target::Unlabelled(x.rows()));
    let bytes = model.tensors().remove(0).1.bytes;
    let centers: Vec<f64> = bytes.chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    let labels = numbers(&*model, &x);
    for (i, label) in labels.iter().enumerate() {
        let d = |c: usize| (0..10).map(|j| (x.column(j)[i] - centers[c * 10 + j]).powi(2)).sum::<f64>();
        assert!((0..11).all(|c| d(*label as usize) <= d(c)), "row {i}");
    }
    for c in 0..11 {
        let rows: Vec<usize> = (0..labels.len()).filter(|i| labels[*i] == c as i64).collect();
        for j in 0..10 {
            let mean = rows.iter().map(|i| x.column(j)[*i]).sum::<f64>() / rows.len() as f64;
            assert!((mean - centers[c * 10 + j]).abs() < 1e-9 * mean.abs().max(1.0));
        }
    }
}

#[test]
fn the_inertia_falls_and_few_distinct_rows_are_few_clusters() {
    let x = fixture("wine").x;
    let told = Mutex::new(vec![]);
    let progress = |p: dbjob_learn::Progress| told.lock().unwrap().push(p.loss.unwrap());
    let cx = FitContext { progress: &progress, ..FitContext::quiet(2) };
    let y = Target::Unlabelled(x.rows());
    let of =
        |changes: &[(&str, OptionValue)]| learner("kmeans", Task::Clustering, &options("kmeans", changes), 5).unwrap();
    of(&[]).fit(&x, &y, None, &cx).unwrap();
    let told = told.into_inner().unwrap();
    assert!(told.len() > 2 && told.windows(2).all(|w| w[1] <= w[0] * (1.0 + 1e-12)), "{told:?}");

    let line = |values: Vec<f64>| Matrix::new(vec!["a".into()], vec![values.clone()], values.len()).unwrap();
    let warned = Mutex::new(vec![]);
    let warn = |message: String| warned.lock().unwrap().push(message);
    let cx = FitContext { warn: &warn, ..FitContext::quiet(1) };
    let x = line(vec![1.0, 1.0, 5.0, 5.0, 5.0]);
    let three = [("k", OptionValue::Int(3))];
    let model = of(&three).fit(&x, &Target::Unlabelled(5), None, &cx).unwrap().model;
    assert!(same_groups(&numbers(&*model, &x), &[0, 0, 1, 1, 1]));
    assert!(warned.lock().unwrap()[0].contains("found 2 clusters, not 3"));
    let error = of(&three).fit(&line(vec![1.0, 2.0]), &Target::Unlabelled(2), None, &cx).unwrap_err();
    assert!(error.kind == FitErrorKind::Data && error.help.unwrap().contains("at most 2"));
    // A start that leaves a centre without rows: all weight is at one end.
    let x = line((0..50).map(|i| f64::from(i / 10)).collect());
    let five = [("k", OptionValue::Int(5)), ("n_init", OptionValue::Int(5))];
    let model = of(&five).fit(&x, &Target::Unlabelled(50), None, &cx).unwrap().model;
    let groups: Vec<i64> = (0..50).map(|i| i / 10).collect();
    assert!(same_groups(&numbers(&*model, &x), &groups));
}

#[test]
fn dbscan_finds_what_scikit_learn_finds() {
    let expected = Expected::read("clusters");
    for (name, eps) in [("iris", 0.6), ("wine", 2.2)] {
        let x = standardized(&fixture(name).x);
        let theirs = expected.answers(&format!("{name}.dbscan"));
        let changes = [("eps", OptionValue::Float(eps))];
        let model = fit("dbscan", &changes, &x, &Target::Unlabelled(x.rows()));
        let ours = numbers(&*model, &x);
        for i in 0..x.rows() {
            let (label, core) = (theirs[0][i] as i64, theirs[1][i] == 1.0);
            // A row at the border of two clusters may be of either.
            if core || label == -1 {
                assert_eq!(ours[i], label, "{name}, row {i}");
            }
            assert_eq!(ours[i] == -1, label == -1, "{name}, row {i}");
        }
    }
}

#[test]
fn dbscan_heeds_weights_and_knows_noise() {
    let line = |values: &[f64]| Matrix::new(vec!["a".into()], vec![values.to_vec()], values.len()).unwrap();
    let x = line(&[0.0, 0.5, 1.0, 10.0, 10.5, 11.0, 50.0]);
    let y = Target::Unlabelled(7);
    let of = |n: i64| [("eps", OptionValue::Float(0.6)), ("min_samples", OptionValue::Int(n))];
    assert_eq!(numbers(&*fit("dbscan", &of(3), &x, &y), &x), [0, 0, 0, 1, 1, 1, -1]);
    let asked = line(&[1.05, 1.2, 9.9, 50.0]);
    assert_eq!(numbers(&*fit("dbscan", &of(2), &x, &y), &asked), [0, 0, 1, -1]);
    let weights = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 9.0];
    let model = try_fit("dbscan", &of(9), &x, &y, Some(&weights), 1).unwrap();
    assert_eq!(numbers(&*model, &x), [-1, -1, -1, -1, -1, -1, 0]);
    let none = fit("dbscan", &of(9), &x, &y);
    assert!(numbers(&*none, &x).iter().all(|v| *v == -1));
}
