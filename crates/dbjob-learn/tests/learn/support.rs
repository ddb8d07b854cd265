use std::collections::BTreeMap;

use dbjob_learn::{
    FitContext, FitError, Matrix, Model, OptionValue, Options, Pool, Scores, Target, Task, learner, save,
};
use serde_json::Value;

pub struct Fixture {
    json: Value,
    pub x: Matrix,
    pub y: Vec<f64>,
}

/// A file of tests/fixtures.
pub fn fixture(name: &str) -> Fixture {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let data = &json["data"];
    let names: Vec<String> = serde_json::from_value(data["features"].clone()).unwrap();
    let columns: Vec<Vec<f64>> = serde_json::from_value(data["columns"].clone()).unwrap();
    let y = floats(&data["y"]);
    Fixture { x: Matrix::new(names, columns, y.len()).unwrap(), y, json }
}

/// A set of tests/fixtures/nist.json: features, output, certified parameters from the intercept on.
pub fn reference(name: &str) -> (Vec<Vec<f64>>, Vec<f64>, Vec<f64>) {
    let path = format!("{}/tests/fixtures/nist.json", env!("CARGO_MANIFEST_DIR"));
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let set = &json[name];
    (serde_json::from_value(set["x"].clone()).unwrap(), floats(&set["y"]), floats(&set["certified"]))
}

impl Fixture {
    pub fn floats(&self, path: &str) -> Vec<f64> {
        floats(self.at(path))
    }

    pub fn float(&self, path: &str) -> f64 {
        self.at(path).as_f64().unwrap()
    }

    fn at(&self, path: &str) -> &Value {
        path.split('.').fold(&self.json, |v, key| &v[key])
    }

    /// Coefficients and intercepts of a case.
    pub fn parameters(&self, case: &str) -> Vec<f64> {
        [self.floats(&format!("{case}.coefficients")), self.floats(&format!("{case}.intercepts"))].concat()
    }

    pub fn codes(&self) -> Vec<u32> {
        self.y.iter().map(|y| *y as u32).collect()
    }

    pub fn classes(&self) -> Target {
        let codes = self.codes();
        let count = codes.iter().max().unwrap() + 1;
        Target::Classes { codes, count: count as usize }
    }

    pub fn numbers(&self) -> Target {
        Target::Numbers(self.y.clone())
    }
}

/// What scikit-learn answers to every fifth row of a data set after it has learned the others: a file of make_models.py.
pub struct Expected(Value);

impl Expected {
    pub fn read(name: &str) -> Self {
        let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
        Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    /// Column by column.
    pub fn answers(&self, path: &str) -> Vec<Vec<f64>> {
        let found = path.split('.').fold(&self.0, |v, key| &v[key]);
        serde_json::from_value(found.clone()).unwrap()
    }
}

/// The rows that are asked (every fifth), and those that are learned.
pub fn asked_and_learned(rows: usize) -> (Vec<usize>, Vec<usize>) {
    (0..rows).partition(|i| i % 5 == 0)
}

pub fn take(y: &Target, rows: &[usize]) -> Target {
    match y {
        Target::Classes { codes, count } => {
            Target::Classes { codes: rows.iter().map(|i| codes[*i]).collect(), count: *count }
        }
        Target::Numbers(numbers) => Target::Numbers(rows.iter().map(|i| numbers[*i]).collect()),
        Target::Unlabelled(_) => Target::Unlabelled(rows.len()),
    }
}

/// The answers to every fifth row of a model of the others; weights 0.5, 1, 1.5, 2, 0.5, … if they are wanted.
pub fn answers(
    algorithm: &str,
    changes: &[(&str, OptionValue)],
    x: &Matrix,
    y: &Target,
    weighted: bool,
) -> Vec<Vec<f64>> {
    let (asked, learned) = asked_and_learned(x.rows());
    let weights: Vec<f64> = learned.iter().map(|i| 0.5 + (i % 4) as f64 / 2.0).collect();
    let weights = weighted.then_some(weights.as_slice());
    let model = try_fit(algorithm, changes, &x.take(&learned), &take(y, &learned), weights, 2).unwrap();
    predict(&*model, &x.take(&asked)).columns
}

fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

pub fn word(w: &str) -> OptionValue {
    OptionValue::Word(w.to_owned())
}

/// The defaults of the language, some of them replaced.
pub fn options(algorithm: &str, changes: &[(&str, OptionValue)]) -> Options {
    use OptionValue::{Bool, Float, Int, Null};
    let defaults: Vec<(&str, OptionValue)> = match algorithm {
        "logistic_regression" => vec![
            ("penalty", word("l2")),
            ("c", Float(1.0)),
            ("l1_ratio", Float(0.5)),
            ("fit_intercept", Bool(true)),
            ("max_iter", Int(100)),
            ("tol", Float(1e-4)),
            ("optimizer", word("auto")),
            ("epochs", Int(100)),
            ("learning_rate", Float(0.01)),
            ("batch_size", Int(256)),
            ("class_weight", word("none")),
        ],
        "knn" => vec![("k", Int(5)), ("weights", word("uniform")), ("metric", word("euclidean"))],
        "naive_bayes" => {
            vec![("type", word("gaussian")), ("var_smoothing", Float(1e-9)), ("alpha", Float(1.0))]
        }
        "svm" => vec![
            ("kernel", word("rbf")),
            ("c", Float(1.0)),
            ("gamma", word("scale")),
            ("degree", Int(3)),
            ("coef0", Float(0.0)),
            ("tol", Float(1e-3)),
            ("epsilon", Float(0.1)),
            ("class_weight", word("none")),
        ],
        "dummy" => vec![("strategy", Null)],
        "kmeans" => vec![("k", Int(8)), ("n_init", Int(1)), ("max_iter", Int(300)), ("tol", Float(1e-4))],
        "dbscan" => vec![("eps", Float(0.5)), ("min_samples", Int(5)), ("metric", word("euclidean"))],
        "linear_regression" => vec![("fit_intercept", Bool(true))],
        "ridge" => vec![("alpha", Float(1.0)), ("fit_intercept", Bool(true))],
        "mlp" => vec![
            ("layers", OptionValue::Ints(vec![16])),
            ("activation", word("relu")),
            ("dropout", Float(0.0)),
            ("epochs", Int(200)),
            ("learning_rate", Float(1e-3)),
            ("schedule", word("constant")),
            ("decay", Null),
            ("decay_every", Int(30)),
            ("optimizer", word("adam")),
            ("momentum", Float(0.9)),
            ("beta1", Float(0.9)),
            ("beta2", Float(0.999)),
            ("epsilon", Float(1e-8)),
            ("weight_decay", Null),
            ("batch_size", Int(256)),
            ("stop_early", Null),
            ("class_weight", word("none")),
        ],
        "lasso" => {
            vec![("alpha", Float(1.0)), ("fit_intercept", Bool(true)), ("max_iter", Int(10_000)), ("tol", Float(1e-6))]
        }
        "elastic_net" => vec![
            ("alpha", Float(1.0)),
            ("l1_ratio", Float(0.5)),
            ("fit_intercept", Bool(true)),
            ("max_iter", Int(10_000)),
            ("tol", Float(1e-6)),
        ],
        "poisson_regression" | "gamma_regression" => vec![
            ("alpha", Float(1.0)),
            ("fit_intercept", Bool(true)),
            ("optimizer", word("auto")),
            ("max_iter", Int(100)),
            ("tol", Float(1e-4)),
        ],
        "gradient_boosting" => vec![
            ("trees", Int(100)),
            ("learning_rate", Float(0.1)),
            ("max_leaves", Int(31)),
            ("depth", Null),
            ("min_samples_leaf", Int(20)),
            ("lambda", Float(0.0)),
            ("min_gain", Float(0.0)),
            ("subsample", Float(1.0)),
            ("colsample", Float(1.0)),
            ("max_bins", Int(255)),
            ("loss", word("squared")),
            ("class_weight", word("none")),
            ("stop_early", Null),
            ("increasing", OptionValue::Names(vec![])),
            ("decreasing", OptionValue::Names(vec![])),
        ],
        "decision_tree" => vec![
            ("max_depth", Null),
            ("min_samples_leaf", Int(1)),
            ("min_samples_split", Int(2)),
            ("max_bins", Int(255)),
            ("criterion", word("gini")),
            ("class_weight", word("none")),
        ],
        "random_forest" | "extra_trees" => vec![
            ("trees", Int(100)),
            ("max_depth", Null),
            ("max_features", Null),
            ("min_samples_leaf", Int(1)),
            ("min_samples_split", Int(2)),
            ("bootstrap", Bool(algorithm == "random_forest")),
            ("max_bins", Int(255)),
            ("criterion", word("gini")),
            ("class_weight", word("none")),
        ],
        _ => vec![],
    };
    let mut all: BTreeMap<String, OptionValue> = defaults.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    all.extend(changes.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));
    all
}

pub fn task(y: &Target) -> Task {
    match y {
        Target::Classes { .. } => Task::Classification,
        Target::Numbers(_) => Task::Regression,
        Target::Unlabelled(_) => Task::Clustering,
    }
}

pub fn try_fit(
    algorithm: &str,
    changes: &[(&str, OptionValue)],
    x: &Matrix,
    y: &Target,
    weights: Option<&[f64]>,
    threads: usize,
) -> Result<Box<dyn Model>, FitError> {
    learner(algorithm, task(y), &options(algorithm, changes), 7)?
        .fit(x, y, weights, &FitContext::quiet(threads))
        .map(|fitted| fitted.model)
}

pub fn fit(algorithm: &str, changes: &[(&str, OptionValue)], x: &Matrix, y: &Target) -> Box<dyn Model> {
    try_fit(algorithm, changes, x, y, None, 2).unwrap()
}

pub fn predict(model: &dyn Model, x: &Matrix) -> Scores {
    model.predict(x, &Pool::single()).unwrap()
}

/// Coefficients (row-major), then intercepts, as they are stored.
pub fn parameters(model: &dyn Model) -> Vec<f64> {
    let tensors = model.tensors();
    let values = |name: &str| -> Vec<f64> {
        let tensor = &tensors.iter().find(|(n, _)| *n == name).unwrap().1;
        tensor.bytes.chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
    };
    [values("coefficients"), values("intercepts")].concat()
}

#[track_caller]
pub fn assert_close(found: &[f64], expected: &[f64], relative: f64) {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= relative * e.abs().max(1e-3 * scale), "{found:?}\n{expected:?}");
    }
}

#[track_caller]
pub fn assert_same_bytes(a: &dyn Model, b: &dyn Model) {
    assert!(save(a) == save(b), "two models that should be one");
}

/// Every feature with mean 0 and spread 1.
pub fn standardized(x: &Matrix) -> Matrix {
    let columns = (0..x.width()).map(|j| {
        let c = x.column(j);
        let mean = c.iter().sum::<f64>() / c.len() as f64;
        let spread = (c.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / c.len() as f64).sqrt();
        c.iter().map(|v| (v - mean) / spread).collect()
    });
    Matrix::new(x.names().to_vec(), columns.collect(), x.rows()).unwrap()
}

/// The largest relative error.
pub fn worst(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let of = |(f, e): (&f64, &f64)| if f == e { 0.0 } else { ((f - e) / e).abs() };
    found.iter().zip(expected).map(of).fold(0.0, f64::max)
}
