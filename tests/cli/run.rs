//! `run` and `predict` on real data, and the pages of codes that only data raise.

use std::fs;
use std::path::Path;

use dbjob::diagnostic::{Code, explain};
use serde_json::Value;

use super::pages::blocks;
use super::{Ended, dbjob, folder};

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

fn files_below(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(files_below(&path));
        } else {
            names.push(path.display().to_string());
        }
    }
    names
}

/// Runs the job of a page beside the file of the page.
fn run_page(job: &str, file: &str, data: &str, more: &[(&str, &str)]) -> (tempfile::TempDir, Ended) {
    let here = folder(more);
    fs::write(here.path().join("job.dbjob"), job).unwrap();
    fs::write(here.path().join(file), data).unwrap();
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    (here, ended)
}

/// The examples of the pages whose code comes from data: they raise it, leave no output, and are mended as the page says.
#[test]
fn pages_with_data_raise_their_code_when_they_run() {
    type Files = &'static [(&'static str, &'static str)];
    let pages: &[(Code, &str, Files)] = &[
        (Code::E0702, "people.csv", &[]),
        (Code::E0703, "people.csv", &[]),
        (Code::E0704, "people.csv", &[]),
        (Code::E0705, "people.csv", &[]),
        (Code::E0706, "people.csv", &[]),
        (Code::E0707, "people.csv", &[]),
        (Code::E0708, "users.csv", &[("orders.csv", "order_id,user_id\n1,1\n")]),
        (Code::E0709, "people.csv", &[]),
        (Code::E0710, "sizes.csv", &[]),
        (Code::E0711, "people.csv", &[]),
        (Code::E0712, "people.ndjson", &[]),
        (Code::E0715, "orders.csv", &[]),
    ];
    let mut wrong = String::new();
    for (code, file, more) in pages {
        let (jobs, data) = (blocks(explain(*code), "dbjob"), blocks(explain(*code), "text"));
        let (here, ended) = run_page(jobs[0], file, data[0], more);
        let written = files_below(here.path()).len() - 2 - more.len();
        if ended.code != 1 || !ended.err.contains(&format!("error[{code}]")) || written != 0 {
            wrong.push_str(&format!("{code}: the example gives {ended:#?}, {written} files written\n"));
        }
        let (_, ended) = run_page(jobs.last().unwrap(), file, data.last().unwrap(), more);
        if ended.code != 0 {
            wrong.push_str(&format!("{code}: the correction gives {ended:#?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let jobs = blocks(explain(Code::E0701), "dbjob");
    let (_here, ended) = run_page(jobs[0], "people.csv", "id,age\n1,41\n", &[]);
    assert!(
        ended.code == 1 && ended.err.contains("error[E0701]") && ended.err.contains("data/people.csv"),
        "{ended:?}"
    );
    assert_eq!(run_page(jobs[1], "people.csv", "id,age\n1,41\n", &[]).1.code, 0);
}

#[test]
fn a_limit_that_is_too_short_stops_the_run() {
    let jobs = blocks(explain(Code::E0718), "dbjob");
    let mut data = String::from("id,age\n");
    (0..2_000_000).for_each(|id| data.push_str(&format!("{id},41\n")));
    let (here, ended) = run_page(jobs[0], "people.csv", &data, &[]);
    assert!(ended.code == 1 && ended.err.contains("error[E0718]") && ended.err.contains("run_time = 1ms"), "{ended:?}");
    assert_eq!(files_below(here.path()).len(), 2, "something half-written stayed");
}
