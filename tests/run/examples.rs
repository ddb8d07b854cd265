use std::fs;

use serde_json::Value;

use super::copy_of_examples;
use crate::cli::dbjob;

/// The metrics of each model that a run evaluated: (model, metric, value, baseline).
fn metrics(events: &str) -> Vec<(String, String, f64, f64)> {
    let mut found = Vec::new();
    for line in events.lines() {
        let event: Value = serde_json::from_str(line).expect("JSON lines");
        if event["event"] == "evaluated" {
            for metric in event["metrics"].as_array().expect("a list of metrics") {
                let number = |key: &str| metric[1][key].as_f64().expect("a number");
                let text = |v: &Value| v.as_str().expect("a text").to_owned();
                found.push((text(&event["item"]), text(&metric[0]), number("value"), number("baseline")));
            }
        }
    }
    found
}

#[test]
fn every_example_runs_and_holds_its_gates() {
    let here = copy_of_examples();
    let mut jobs = 0;
    for entry in fs::read_dir(here.path()).expect("the copy") {
        let path = entry.expect("a readable entry").path();
        if path.extension().is_none_or(|e| e != "dbjob") {
            continue;
        }
        jobs += 1;
        let name = path.file_name().and_then(|n| n.to_str()).expect("a UTF-8 name");
        let ended = dbjob(here.path(), &["run", "--json", name]);
        assert_eq!(ended.code, 0, "{name}: {ended:?}");
        let metrics = metrics(&ended.out);
        assert!(!metrics.is_empty(), "{name} evaluates nothing");
        for (model, metric, value, baseline) in &metrics {
            let higher = dbjob::catalog::metric::find(metric).expect("a metric of the catalog").higher_is_better;
            // Where one class is rare, the share of right answers may be the majority's.
            let good = if higher { value >= baseline } else { value <= baseline };
            assert!(good, "{name}: {model}: {metric} is {value}, the baseline's {baseline}");
        }
        if name == "penguins.dbjob" {
            let (_, _, accuracy, _) = metrics.iter().find(|m| m.1 == "accuracy").expect("accuracy");
            assert!(*accuracy >= 0.95, "accuracy {accuracy}");
        }
    }
    assert!(jobs >= 4, "only {jobs} examples");
}

#[test]
fn a_second_run_from_nothing_makes_a_second_version_of_the_same_model() {
    let here = copy_of_examples();
    for version in 1..=2 {
        let ended = dbjob(here.path(), &["run", "--quiet", "--no-state", "penguins.dbjob"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let model = fs::read_dir(here.path().join("models"))
            .expect("a registry")
            .next()
            .expect("a model")
            .expect("readable")
            .path();
        let current = fs::read_to_string(model.join("current")).expect("a current version");
        assert_eq!(current.trim(), version.to_string());
        let weights = |v: u32| fs::read(model.join(format!("versions/{v}/weights.safetensors"))).expect("weights");
        assert_eq!(weights(1), weights(version), "the same job on the same data learns the same model");
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let here = copy_of_examples();
    let mut tables = Vec::new();
    for threads in ["1", "2"] {
        let ended = dbjob(here.path(), &["run", "--quiet", "--no-state", "--threads", threads, "flights.dbjob"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        tables.push(fs::read_to_string(here.path().join("out/flights.csv")).expect("the scored table"));
    }
    assert!(tables[0] == tables[1], "predictions differ between 1 and 2 threads");
}
