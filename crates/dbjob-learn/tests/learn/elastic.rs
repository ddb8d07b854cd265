use std::sync::Mutex;

use dbjob_learn::{FitContext, Matrix, OptionValue, Target, Task, learner};

use crate::support::*;

const fn float(name: &'static str, value: f64) -> (&'static str, OptionValue) {
    (name, OptionValue::Float(value))
}

#[test]
fn lasso_and_elastic_net_equal_scikit_learn() {
    let f = fixture("diabetes");
    let weights = f.floats("weights");
    let plain = ("fit_intercept", OptionValue::Bool(false));
    let cases = [
        ("lasso", "lasso", vec![], None),
        ("lasso", "lasso_weighted", vec![float("alpha", 0.3)], Some(&*weights)),
        ("elastic_net", "elastic_net", vec![float("alpha", 0.5), float("l1_ratio", 0.7)], None),
        ("elastic_net", "elastic_net_plain", vec![float("alpha", 0.5), float("l1_ratio", 0.3), plain], Some(&*weights)),
    ];
    for (name, case, changes, weights) in cases {
        let model = try_fit(name, &changes, &f.x, &f.numbers(), weights, 2).unwrap();
        let (found, expected) = (parameters(&*model), f.parameters(case));
        assert_close(&found, &expected, 1e-8);
        let zeros = |v: &[f64]| v.iter().map(|c| *c == 0.0).collect::<Vec<_>>();
        assert_eq!(zeros(&found), zeros(&expected), "{case}");
    }
}

/// More features than are held in pairs: the descent over residuals comes to the same point.
#[test]
fn wide_tables_have_the_same_answer() {
    let f = fixture("diabetes");
    let narrow = parameters(&*fit("lasso", &[float("tol", 1e-10)], &f.x, &f.numbers()));
    let mut columns: Vec<Vec<f64>> = (0..f.x.width()).map(|j| f.x.column(j).to_vec()).collect();
    columns.resize(2100, vec![1.0; f.x.rows()]);
    let names = (0..2100).map(|j| format!("x{j}")).collect();
    let x = Matrix::new(names, columns, f.x.rows()).unwrap();
    let wide = parameters(&*fit("lasso", &[float("tol", 1e-10)], &x, &f.numbers()));
    assert_close(&wide[..10], &narrow[..10], 1e-6);
    assert!(wide[10..2100].iter().all(|c| *c == 0.0));
}

#[test]
fn the_loss_falls_from_sweep_to_sweep_to_that_of_the_model() {
    let f = fixture("diabetes");
    let seen = Mutex::new(vec![]);
    let progress = |p: dbjob_learn::Progress| seen.lock().unwrap().push(p.loss.unwrap());
    let cx = FitContext { progress: &progress, ..FitContext::quiet(1) };
    let all = options("lasso", &[]);
    let fitted = learner("lasso", Task::Regression, &all, 0).unwrap().fit(&f.x, &f.numbers(), None, &cx).unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(seen.len() > 3 && seen.is_sorted_by(|a, b| a >= b), "{seen:?}");
    let predicted = &predict(&*fitted.model, &f.x).columns[0];
    let squares: f64 = predicted.iter().zip(&f.y).map(|(p, y)| (p - y) * (p - y)).sum();
    let sizes: f64 = parameters(&*fitted.model)[..10].iter().map(|c| c.abs()).sum();
    let loss = squares / (2.0 * f.y.len() as f64) + sizes;
    assert!((seen.last().unwrap() / loss - 1.0).abs() < 1e-6, "{seen:?} {loss}");
}

#[test]
fn a_strong_penalty_leaves_the_mean() {
    let f = fixture("diabetes");
    let found = parameters(&*fit("lasso", &[float("alpha", 1e6)], &f.x, &f.numbers()));
    assert!(found[..10].iter().all(|c| *c == 0.0));
    assert!((found[10] - f.y.iter().sum::<f64>() / f.y.len() as f64).abs() < 1e-9);
    let none = parameters(&*fit("lasso", &[float("alpha", 0.0)], &f.x, &f.numbers()));
    assert_close(&none, &f.parameters("least_squares"), 1e-7);
    let constant = Target::Numbers(vec![3.0; f.y.len()]);
    assert_eq!(parameters(&*fit("lasso", &[], &f.x, &constant))[10], 3.0);
}
