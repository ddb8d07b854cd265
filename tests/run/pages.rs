//! The pages of docs/errors as a user would try them: with the data they show, on the real engine.

use std::fs;
use std::path::Path;

use dbjob::diagnostic::{Code, Severity};

use super::files_below;
use crate::cli::{Ended, dbjob};
use crate::docs::pages::{Half, halves, is_of_a_run, shown};

fn folder(half: &Half) -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in &half.files {
        let path = here.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
    here
}

/// Runs the commands of a half until one fails; what the last one gave.
fn run(half: &Half, here: &Path) -> Ended {
    let mut last = None;
    for command in &half.commands {
        let mut words = command.split_whitespace();
        assert_eq!(words.next(), Some("dbjob"), "`{command}` is not a call of dbjob");
        let ended = dbjob(here, &words.collect::<Vec<_>>());
        let failed = ended.code != 0;
        last = Some(ended);
        if failed {
            break;
        }
    }
    last.expect("at least one command")
}

/// The codes of the problems that were printed.
fn codes(ended: &Ended) -> Vec<String> {
    let heads = ended.err.lines().filter_map(|line| line.split_once('[').filter(|(word, _)| *word == "error"));
    heads.filter_map(|(_, rest)| rest.split_once(']').map(|(code, _)| code.to_owned())).collect()
}

#[test]
fn pages_of_a_run_raise_their_code_and_their_corrections_run() {
    let mut wrong = String::new();
    // Limits are too short for many rows only, and these are no text for a page; for E0752 another run must go on, for E0750
    // and E0754 something must change meanwhile (in `state`, and in tests/faults).
    let others = [Code::E0750, Code::E0752, Code::E0754];
    let elsewhere: Vec<Code> = LIMITS.iter().map(|(code, _)| *code).chain(others).collect();
    for code in shown().filter(|code| is_of_a_run(*code) && !elsewhere.contains(code)) {
        let [example, corrected] = halves(code);
        let here = folder(&example);
        let before = files_below(here.path());
        let ended = run(&example, here.path());
        // What the engine refuses is refused before anything runs.
        let ends = if code == Code::E0901 { 2 } else { 1 };
        if ended.code != ends || codes(&ended) != [code.to_string()] {
            wrong.push_str(&format!("{code}: the example gives {ended:#?}\n"));
        }
        if example.commands.len() == 1 && files_below(here.path()) != before {
            wrong.push_str(&format!("{code}: the example leaves {:?}\n", files_below(here.path())));
        }
        let here = folder(&corrected);
        let ended = run(&corrected, here.path());
        if ended.code != 0 {
            wrong.push_str(&format!("{code}: the correction gives {ended:#?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

const LIMITS: &[(Code, &str)] =
    &[(Code::E0718, "run_time = 1ms"), (Code::E0745, "memory = 1 KiB"), (Code::E0746, "time = 1ms")];

#[test]
fn a_limit_that_is_too_short_stops_the_run() {
    let mut data = String::from("id,age\n");
    (0..2_000_000).for_each(|id| data.push_str(&format!("{id},41\n")));
    for (code, limit) in LIMITS {
        if *code == Code::E0745 && !cfg!(target_os = "linux") {
            continue;
        }
        let [mut example, mut corrected] = halves(*code);
        for half in [&mut example, &mut corrected] {
            half.files.insert("people.csv".into(), data.clone().into_bytes());
        }
        let here = folder(&example);
        let ended = run(&example, here.path());
        assert!(ended.code == 1 && codes(&ended) == [code.as_str()] && ended.err.contains(limit), "{ended:?}");
        assert_eq!(files_below(here.path()), ["job.dbjob", "people.csv"], "something half-written stayed");
        assert_eq!(run(&corrected, folder(&corrected).path()).code, 0);
    }
}

/// With an engine that looks into the files, too.
#[test]
fn pages_of_the_check_raise_their_code() {
    let mut wrong = String::new();
    for code in shown().filter(|code| !is_of_a_run(*code)) {
        let [example, corrected] = halves(code);
        for (half, clean) in [(&example, false), (&corrected, true)] {
            let here = folder(half);
            let ended = dbjob(here.path(), &["check", "--format", "json", "job.dbjob"]);
            let json: serde_json::Value = serde_json::from_str(&ended.out).expect("a document");
            let found = json["diagnostics"].as_array().expect("a list").iter();
            let mut found: Vec<&str> = found
                .filter(|d| d["severity"] != "note" || code.severity() == Severity::Note)
                .map(|d| d["code"].as_str().expect("a code"))
                .collect();
            found.dedup();
            if found != if clean { vec![] } else { vec![code.as_str()] } {
                wrong.push_str(&format!(
                    "{code}: {} raises {found:?}\n",
                    if clean { "the correction" } else { "the example" }
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
