//! A model whose output is mapped predicts in the original units, and is judged in them: for every map that has an inverse.

use serde_json::Value;

use super::{invertible, is_sound, rows, run, written};
use crate::cli::folder;

/// Chains besides the single maps.
const MORE: &[&str] = &["log1p, standardize", "affine(2, 1), log, min_max", "sqrt, power", "doubled, robust"];

const FUNCTIONS: &str = "fn doubled(x: float): float = 2 * x + 1\n";

fn manifest(folder: &std::path::Path, model: &str) -> Value {
    let path = folder.join("models").join(model).join("versions/1/manifest.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("a manifest")).expect("JSON")
}

fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap_or_else(|| panic!("{name} of {row} is no number"))
}

#[test]
fn numbers() {
    for dtype in ["float in 0.1..=0.95", "int in 1..=40"] {
        let whole = dtype.starts_with("int");
        let ops: Vec<String> = invertible().map(written).chain(MORE.iter().map(|op| (*op).to_owned())).collect();
        let dataset =
            format!("{FUNCTIONS}dataset d from csv(\"d.csv\") {{ id: int key; x: float; y: {dtype} label }}\n");
        let job = |i: usize, op: &str| {
            format!(
                "transform t{i} from d {{ split test 30%; map y with {op} }}\n\
                 model m{i} from t{i} {{ input x; output y; fit random_forest {{ trees = 20 }}; evaluate rmse, mae }}\n\
                 deploy m{i} {{ to registry(\"models\") }}\n"
            )
        };
        let fitting: Vec<String> = ops.into_iter().filter(|op| is_sound(&format!("{dataset}{}", job(0, op)))).collect();
        assert!(fitting.len() >= if whole { 12 } else { 14 }, "only {fitting:?} fit {dtype}");
        let jobs: String = fitting.iter().enumerate().map(|(i, op)| job(i, op)).collect();
        let own: String = (0..fitting.len())
            .map(|i| {
                format!("transform p{i} from d {{ predict m{i} as p }}\ndeploy p{i} {{ to ndjson(\"p{i}.ndjson\") }}\n")
            })
            .collect();
        let mut data = String::from("id,x,y\n");
        for i in 0..300 {
            let x = f64::from(i % 100) / 100.0;
            let y = if whole {
                (1.0 + 36.0 * x + f64::from(i % 3)).round()
            } else {
                0.1 + 0.8 * x + 0.01 * f64::from(i % 5)
            };
            data += &format!("{i},{x},{y}\n");
        }
        let here = folder(&[("job.dbjob", &format!("{dataset}{jobs}{own}")), ("d.csv", &data)]);
        run(here.path());
        for (i, op) in fitting.iter().enumerate() {
            let predicted = rows(&here.path().join(format!("p{i}.ndjson")));
            let manifest = manifest(here.path(), &format!("m{i}"));
            let test = here.path().join(format!("models/m{i}/versions/1/test_predictions.parquet"));
            assert!(test.is_file(), "{op}");
            let errors: Vec<f64> = predicted.iter().map(|r| number(r, "p") - number(r, "y")).collect();
            let rmse = (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt();
            let (spread, told) = if whole { (39.0, 4.0) } else { (0.85, 0.1) };
            assert!(rmse < 0.1 * spread, "`map y with {op}`: the predictions are {rmse} off, of {spread}");
            let stored = manifest["metrics"]["rmse"]["value"].as_f64().expect("a metric");
            assert!(stored < told, "`map y with {op}`: judged as {stored} off");
            assert!(
                !whole || predicted.iter().all(|r| r["p"].is_i64()),
                "`map y with {op}`: an int is predicted as one"
            );
        }
    }
}

#[test]
fn classes() {
    let dataset = "fn ranked(x: category(\"s\", \"m\", \"l\")): int = match x { \"s\" => 1, \"m\" => 2, else => 3 }\n\
                   dataset d from csv(\"d.csv\") { id: int key; x: float; y: category(\"s\", \"m\", \"l\") label; z: string; b: bool }\n";
    let cases = [
        ("y", "index"),
        ("y", "labels(\"l\", \"m\", \"s\")"),
        ("y", "labels(\"l\", \"m\", \"s\"), affine(10, 3)"),
        ("y", "ranked"),
        ("z", "index"),
        ("z", "labels(\"s\", \"m\", \"l\")"),
        ("b", "labels(\"no\", \"yes\")"),
    ];
    let mut job = dataset.to_owned();
    for (i, (y, op)) in cases.iter().enumerate() {
        job += &format!(
            "transform t{i} from d {{ split test 30%; map {y} with {op} }}\n\
             model m{i} from t{i} {{ input x; output {y}; fit random_forest {{ trees = 20 }}; evaluate accuracy }}\n\
             deploy m{i} {{ to registry(\"models\") }}\n\
             transform p{i} from d {{ predict m{i} as p }}\ndeploy p{i} {{ to ndjson(\"p{i}.ndjson\") }}\n"
        );
    }
    let mut data = String::from("id,x,y,z,b\n");
    for i in 0..300 {
        let y = ["s", "m", "l"][i % 3];
        data += &format!("{i},{},{y},{y},{}\n", (i % 3) as f64 + (i % 10) as f64 / 100.0, i % 3 == 0);
    }
    let here = folder(&[("job.dbjob", &job), ("d.csv", &data)]);
    run(here.path());
    for (i, (y, op)) in cases.iter().enumerate() {
        for row in rows(&here.path().join(format!("p{i}.ndjson"))) {
            assert_eq!(row["p"], row[y], "`map {y} with {op}`: {row}");
        }
        let manifest = manifest(here.path(), &format!("m{i}"));
        assert_eq!(manifest["metrics"]["accuracy"]["value"], 1.0, "`map {y} with {op}`");
    }
}
