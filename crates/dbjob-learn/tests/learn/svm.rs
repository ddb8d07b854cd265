//! Support vector machines against libsvm, by scikit-learn.

use dbjob_learn::{FitContext, FitErrorKind, Matrix, OptionValue, Target, Task, learner};

use crate::support::*;

fn float(name: &'static str, x: f64) -> (&'static str, OptionValue) {
    (name, OptionValue::Float(x))
}

fn standardized(x: &Matrix) -> Matrix {
    let n = x.rows() as f64;
    let column = |j: usize| -> Vec<f64> {
        let mean = x.column(j).iter().sum::<f64>() / n;
        let spread = (x.column(j).iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt();
        x.column(j).iter().map(|v| (v - mean) / spread).collect()
    };
    Matrix::new(x.names().to_vec(), (0..x.width()).map(column).collect(), x.rows()).unwrap()
}

/// Each kernel with its case in svm.json.
fn kernels() -> Vec<(&'static str, Vec<(&'static str, OptionValue)>)> {
    vec![
        ("rbf", vec![]),
        ("linear", vec![("kernel", word("linear")), float("c", 0.3)]),
        (
            "poly",
            vec![
                ("kernel", word("poly")),
                ("degree", OptionValue::Int(2)),
                float("coef0", 1.0),
                ("gamma", word("auto")),
            ],
        ),
        ("sigmoid", vec![("kernel", word("sigmoid")), float("gamma", 0.05), float("coef0", -0.5)]),
        ("weighted", vec![float("c", 2.0), float("gamma", 0.1)]),
    ]
}

/// Of two classes probabilities show the decision through the model's own sigmoid.
fn decisions(model: &dyn dbjob_learn::Model, x: &Matrix) -> Vec<f64> {
    let tensors = model.tensors();
    let value = |name: &str| {
        let tensor = &tensors.iter().find(|(n, _)| *n == name).unwrap().1;
        f64::from_le_bytes(tensor.bytes[..8].try_into().unwrap())
    };
    let scores = predict(model, x);
    let decided = |p: &f64| (value("intercepts") - (p / (1.0 - p)).ln()) / value("slopes");
    scores.columns[0].iter().map(decided).collect()
}

#[test]
fn decisions_are_those_of_libsvm() {
    let expected = Expected::read("svm");
    for (name, rows) in [("iris", 50..150), ("wine", 0..130), ("diabetes", 0..442)] {
        let f = fixture(name);
        let rows: Vec<usize> = rows.collect();
        let x = standardized(&f.x).take(&rows);
        let (asked, learned) = asked_and_learned(x.rows());
        let y = match name {
            "diabetes" => f.numbers(),
            _ => {
                let least = rows.iter().map(|i| f.codes()[*i]).min().unwrap();
                Target::Classes { codes: rows.iter().map(|i| f.codes()[*i] - least).collect(), count: 2 }
            }
        };
        for (case, mut changes) in kernels() {
            changes.push(float("tol", 1e-8));
            let weights: Vec<f64> = learned.iter().map(|i| 0.5 + (i % 4) as f64 / 2.0).collect();
            let weights = (case == "weighted").then_some(weights.as_slice());
            let model = try_fit("svm", &changes, &x.take(&learned), &take(&y, &learned), weights, 2).unwrap();
            let asked = x.take(&asked);
            let found = if name == "diabetes" {
                predict(&*model, &asked).columns.remove(0)
            } else {
                decisions(&*model, &asked)
            };
            let theirs = expected.answers(&format!("{name}.{case}")).remove(0);
            let scale = theirs.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            for (f, t) in found.iter().zip(&theirs) {
                // Ours is of the first class, and both keep kernels in single precision.
                assert!((f - t).abs() < 1e-4 * scale, "{name}, {case}: {f} {t}");
            }
        }
    }
}

#[test]
fn many_classes_are_told_apart_as_well() {
    let f = fixture("wine");
    let x = standardized(&f.x);
    let (asked, _) = asked_and_learned(x.rows());
    let found = answers("svm", &[], &x, &f.classes(), false);
    let labels = dbjob_learn::Scores { columns: found.clone() }.argmax();
    let theirs = Expected::read("svm").answers("labels").remove(0);
    let differ = labels.iter().zip(&theirs).filter(|(a, b)| f64::from(**a) != **b).count();
    assert!(differ <= 1, "{labels:?} {theirs:?}");
    // Sure of what it knows: the log loss of libsvm's probabilities is 0.09 here.
    let loss: f64 = asked.iter().enumerate().map(|(at, i)| -found[f.codes()[*i] as usize][at].ln()).sum();
    assert!(loss / (asked.len() as f64) < 0.15, "{loss}");
}

#[test]
fn probabilities_come_from_rows_that_were_held_out() {
    // Two classes that overlap so much that hardly anything can be learned: no probability is far from a half.
    let rows = 200;
    let noise = |i: usize, k: usize| ((i as f64 * 12.9898 + k as f64 * 78.233).sin() * 43_758.545_3).rem_euclid(1.0);
    let columns = (0..2).map(|k| (0..rows).map(|i| noise(i, k)).collect()).collect();
    let x = Matrix::new(vec!["a".into(), "b".into()], columns, rows).unwrap();
    let codes = (0..rows).map(|i| u32::from(noise(i, 5) > 0.5)).collect();
    let changes = [float("c", 1000.0), float("gamma", 100.0)];
    let scores = predict(&*fit("svm", &changes, &x, &Target::Classes { codes, count: 2 }), &x);
    assert!(scores.columns[0].iter().all(|p| (0.2..0.8).contains(p)), "{:?}", scores.columns[0]);
}

#[test]
fn classes_of_few_rows_and_constant_numbers_are_learned() {
    let x = Matrix::new(vec!["a".into()], vec![vec![0.0, 1.0, 5.0]], 3).unwrap();
    let y = Target::Classes { codes: vec![0, 0, 1], count: 2 };
    let scores = predict(&*fit("svm", &[], &x, &y), &x);
    assert!(scores.columns.iter().flatten().all(|p| (0.0..=1.0).contains(p)));
    let flat = Target::Numbers(vec![4.0; 3]);
    assert_eq!(predict(&*fit("svm", &[], &x, &flat), &x).columns[0], [4.0; 3]);
}

#[test]
fn more_rows_than_hours_is_an_error() {
    let rows = 100_001;
    let x = Matrix::new(vec!["a".into()], vec![(0..rows).map(|i| i as f64).collect()], rows).unwrap();
    let y = Target::Numbers(vec![0.0; rows]);
    let svm = learner("svm", Task::Regression, &options("svm", &[]), 0).unwrap();
    let error = svm.fit(&x, &y, None, &FitContext::quiet(1)).unwrap_err();
    assert_eq!(error.kind, FitErrorKind::Data);
    assert!(error.message.contains("100001 rows") && error.help.unwrap().contains("sample"));
}
