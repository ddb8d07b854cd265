//! `run` and `predict` on real data.

use std::fs;

use serde_json::Value;

use super::{dbjob, folder};

#[test]
fn the_starter_runs_and_its_model_predicts() {
    let here = folder(&[]);
    assert_eq!(dbjob(here.path(), &["init"]).code, 0);
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    for part in
        ["job penguins", "model species_of  logistic_regression", "accuracy", "  held    require accuracy", "promoted)"]
    {
        assert!(ended.out.contains(part), "{part}: {ended:?}");
    }
    assert!(ended.err.contains("transform measured: "), "{ended:?}");

    let args = ["predict", "species_of", "--input", "data/penguins.csv", "--output", "guesses.csv", "--as", "guess"];
    let ended = dbjob(here.path(), &args);
    assert_eq!(ended.code, 0, "{ended:?}");
    let guesses = fs::read_to_string(here.path().join("guesses.csv")).unwrap();
    assert_eq!(guesses.lines().count(), 345);
    assert!(guesses.lines().next().unwrap().contains(",guess,guess_probability_Adelie"), "{guesses}");
    let ended = dbjob(here.path(), &["predict", "species", "--input", "data/penguins.csv", "--output", "x.csv"]);
    assert!(ended.code == 1 && ended.err.contains("E0716"), "{ended:?}");
}

#[test]
fn json_events_are_lines_on_stdout_and_nothing_else_is() {
    let here = folder(&[]);
    dbjob(here.path(), &["init"]);
    let ended = dbjob(here.path(), &["run", "--json", "--threads", "1", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let events: Vec<Value> = ended.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(events.first().unwrap()["event"], "run_started");
    assert_eq!(
        (&events.last().unwrap()["event"], &events.last().unwrap()["ok"]),
        (&"run_finished".into(), &true.into())
    );
    assert!(events.iter().any(|e| e["event"] == "evaluated"), "{events:?}");
}

#[test]
fn a_gate_that_fails_is_1_and_promotes_nothing() {
    let here = folder(&[]);
    dbjob(here.path(), &["init"]);
    let job = fs::read_to_string(here.path().join("job.dbjob")).unwrap();
    fs::write(here.path().join("job.dbjob"), job.replace("accuracy >= 0.9", "accuracy > 1.0")).unwrap();
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.out.contains("  failed  require accuracy > 1.0") && ended.out.contains("not promoted"), "{ended:?}");
    assert!(ended.err.starts_with("error: model `species_of` failed: require accuracy > 1.0"), "{ended:?}");
    let ended = dbjob(here.path(), &["predict", "species_of", "--input", "data/penguins.csv", "--output", "x.csv"]);
    assert!(ended.code == 1 && ended.err.contains("E0716"), "{ended:?}");
    assert!(!here.path().join("x.csv").exists());
}

#[test]
fn goals_that_do_not_exist_are_2() {
    let here = folder(&[]);
    dbjob(here.path(), &["init"]);
    let ended = dbjob(here.path(), &["run", "job.dbjob", "--only", "mesured"]);
    assert!(ended.code == 2 && ended.err.contains("did you mean `measured`?"), "{ended:?}");
    let ended = dbjob(here.path(), &["run", "job.dbjob", "--module", "night"]);
    assert!(ended.code == 2 && ended.err.contains("no module `night`"), "{ended:?}");
    assert!(!here.path().join("models").exists());
}

#[test]
fn only_runs_what_is_named_and_what_it_needs() {
    let here = folder(&[]);
    dbjob(here.path(), &["init"]);
    let ended = dbjob(here.path(), &["run", "job.dbjob", "--only", "measured"]);
    assert!(ended.code == 0 && ended.out.contains("transform measured") && !ended.out.contains("model "), "{ended:?}");
    assert!(!here.path().join("models").exists());
}
