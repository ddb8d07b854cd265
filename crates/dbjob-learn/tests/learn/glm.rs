use dbjob_learn::{OptionValue, Target};

use crate::support::*;

const PLAIN: (&str, OptionValue) = ("alpha", OptionValue::Float(0.0));

#[test]
fn without_a_penalty_coefficients_equal_statsmodels() {
    let f = fixture("diabetes");
    let weights = f.floats("weights");
    for name in ["poisson", "gamma"] {
        let algorithm = format!("{name}_regression");
        for (case, weights) in [(name.to_owned(), None), (format!("{name}_weighted"), Some(&*weights))] {
            let model = try_fit(&algorithm, &[PLAIN], &f.x, &f.numbers(), weights, 2).unwrap();
            let worst = worst(&parameters(&*model), &f.parameters(&case));
            assert!(worst < 1e-10, "{case}: {worst:e}");
        }
    }
    let without = [PLAIN, ("fit_intercept", OptionValue::Bool(false))];
    let found = parameters(&*fit("poisson_regression", &without, &f.x, &f.numbers()));
    assert!(worst(&found, &f.parameters("poisson_plain")) < 1e-10);
}

#[test]
fn with_a_penalty_they_equal_scikit_learn() {
    let f = fixture("diabetes");
    let (x, weights) = (standardized(&f.x), f.floats("weights"));
    for (name, case) in [("poisson_regression", "poisson_alpha"), ("gamma_regression", "gamma_alpha")] {
        let alpha = ("alpha", OptionValue::Float(0.5));
        let model = try_fit(name, std::slice::from_ref(&alpha), &x, &f.numbers(), Some(&weights), 2).unwrap();
        assert_close(&parameters(&*model), &f.parameters(case), 1e-8);
        let lbfgs = [alpha, ("optimizer", word("lbfgs")), ("tol", OptionValue::Float(1e-10))];
        let model = try_fit(name, &lbfgs, &x, &f.numbers(), Some(&weights), 2).unwrap();
        assert_close(&parameters(&*model), &f.parameters(case), 1e-5);
    }
}

/// With an intercept, predictions have the mean of the output.
#[test]
fn predictions_are_means() {
    let f = fixture("diabetes");
    let model = fit("poisson_regression", &[PLAIN], &f.x, &f.numbers());
    let predicted = &predict(&*model, &f.x).columns[0];
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    assert!((mean(predicted) / mean(&f.y) - 1.0).abs() < 1e-12);
    assert!(predicted.iter().all(|p| *p > 0.0));
}

#[test]
fn outputs_out_of_range_are_named() {
    let f = fixture("diabetes");
    let mut y = f.y.clone();
    y[4] = -1.0;
    let error = try_fit("poisson_regression", &[], &f.x, &Target::Numbers(y.clone()), None, 1).unwrap_err();
    assert!(error.message.contains("-1 in row 5") && error.message.contains("at least 0"), "{error}");
    y[4] = 0.0;
    assert!(try_fit("poisson_regression", &[], &f.x, &Target::Numbers(y.clone()), None, 1).is_ok());
    let error = try_fit("gamma_regression", &[], &f.x, &Target::Numbers(y), None, 1).unwrap_err();
    assert!(error.message.contains("0 in row 5") && error.message.contains("above 0"), "{error}");
    let zeros = Target::Numbers(vec![0.0; f.y.len()]);
    assert!(try_fit("poisson_regression", &[], &f.x, &zeros, None, 1).unwrap_err().message.contains("every row"));
}
