//! Every map of the catalog on the local engine: what is mapped comes back, in a table, from a model and from a package.
//! The maps are those of the catalog, so that none is forgotten.

mod back;
mod chains;
mod kinds;
mod models;
mod serving;

use std::path::Path;

use dbjob::catalog::map::{Inverse, MAPS, Map};
use dbjob::catalog::options::Default;
use dbjob::diagnostic::{Code, Severity};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use self::kinds::Kind;
use crate::cli::dbjob;

/// How a map is written: as in its example if it needs options, else bare.
fn written(map: &Map) -> String {
    let needs = map.options.iter().any(|o| o.default == Default::Required);
    let example = map.example.split_once(" with ").expect("an example is a statement").1;
    if needs { example.split_once(" as ").map_or(example, |(op, _)| op).to_owned() } else { map.name.to_owned() }
}

fn invertible() -> impl Iterator<Item = &'static Map> {
    MAPS.iter().filter(|m| !matches!(m.inverse, Inverse::None(_)))
}

/// Whether a job has neither an error nor a map that may have no value. `log1p` is trusted with what nobody knows, and here
/// it takes what `sqrt` takes.
fn is_sound(job: &str) -> bool {
    [job.to_owned(), job.replace("log1p", "sqrt")].iter().all(|job| {
        let (problems, _) = crate::ui::problems(Path::new("maps/job.dbjob"), job);
        !problems.iter().any(|d| d.severity == Severity::Error || d.code == Code::W0501)
    })
}

/// Whether a map takes all values of a column: labels are given to what has one.
fn takes_all(kind: &Kind, op: &str) -> bool {
    match op {
        "labels(\"no\", \"yes\")" => matches!(kind.name, "answer" | "flag" | "place"),
        op if op.starts_with("labels") => matches!(kind.name, "size" | "place"),
        _ => true,
    }
}

/// The same cases in every run.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Runs `job.dbjob` of a folder.
fn run(folder: &Path) {
    let ended = dbjob(folder, &["run", "--quiet", "job.dbjob"]);
    let job = std::fs::read_to_string(folder.join("job.dbjob")).expect("a job");
    assert_eq!(ended.code, 0, "{job}\n{}{}", ended.out, ended.err);
}

/// The rows of an NDJSON file.
fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a readable file");
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

/// Floats to nine digits, everything else exactly.
fn same(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            let (a, b) = (a.as_f64().expect("a float"), b.as_f64().expect("a float"));
            (a - b).abs() <= 1e-9 * a.abs().max(1.0)
        }
        (a, b) => a == b,
    }
}
