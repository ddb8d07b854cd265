//! `extern`: processes that do as they should, and such that do not. The helpers are those that every Unix has: `sed` gives
//! back the stream that it got under other names, `cat` one that `tee` kept of another run.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::cli::{Ended, dbjob, folder, with_environment};

const DATA: &str = r#"
dataset a from inline [
  { id: 3, city: "Riga", price: 1.50, day: @2024-01-31, tags: ["x", null], at: null },
  { id: 1, city: null, price: "12345678901234567.89", day: null, tags: [], at: @2024-01-31T10:00 },
  { id: 2, city: "Zoë", price: -0.01, day: @1969-12-31, tags: null, at: @1900-01-01 },
] { id: int key; city: string?; price: decimal(20, 2); day: date?; tags: list[string]?; at: datetime?; }
"#;

fn job(steps: &str) -> String {
    format!("{DATA}\ntransform t from a {{\n{steps}\n}}\ndeploy t {{ to ndjson(\"out.ndjson\") }}\n")
}

fn step(command: &str, returns: &str) -> String {
    format!("extern {command:?} {{ returns {{ {returns} }} }}")
}

fn run(here: &Path) -> Ended {
    dbjob(here, &["run", "--quiet", "job.dbjob"])
}

/// Runs a job with that step; `made.arrow` is there with three rows of many types.
#[track_caller]
fn fails(command: &str, returns: &str) -> String {
    let ended = run(made(&job(&step(command, returns))).path());
    assert!(ended.code == 1 && ended.err.contains("E0721"), "{command}, {returns}: {ended:?}");
    ended.err
}

fn made(job: &str) -> tempfile::TempDir {
    let make = "dataset a from inline [ { i: 1, s: \"a\", x: 1.5, l: [1] }, { i: 2, s: null, x: 200.0, l: [2, null] }, \
                { i: 3, s: \"c\", x: null, l: [] } ] { i: int; s: string?; x: float?; l: list[int]; }\n\
                transform t from a { extern \"tee made.arrow\" { returns { none: int } } }\n\
                deploy t { to csv(\"out.csv\") }\n";
    let here = folder(&[("make.dbjob", make), ("job.dbjob", job)]);
    let ended = dbjob(here.path(), &["run", "--quiet", "make.dbjob"]);
    // The stream is kept, and what comes back is not what the step wants.
    assert!(ended.code == 1 && ended.err.contains("E0721"), "{ended:?}");
    here
}

const MADE: &str = "cat made.arrow";

#[test]
fn what_comes_back_stands_beside_what_was_sent() {
    let steps = "split by id { train 60%, test 40% }\n\
                 extern \"env LC_ALL=C sed 's/city/CITY/g; s/price/PRICE/g; s/day/DAY/g; s/tags/TAGS/g; s/at/AT/g'\" {\n\
                 returns { TAGS: list[string]?, CITY: string?, PRICE: decimal(20, 2), DAY: date?, AT: datetime? }\n\
                 }\n\
                 derive same = (CITY ?? \"\") == (city ?? \"\") and PRICE == price and (DAY ?? @2000-01-01) == (day ?? @2000-01-01)\n\
                 select id, same, TAGS, AT, CITY, PRICE";
    let here = folder(&[("job.dbjob", &job(steps))]);
    let ended = run(here.path());
    assert_eq!(ended.code, 0, "{ended:?}");
    let text = fs::read_to_string(here.path().join("out.ndjson")).expect("the output");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"id":3,"same":true,"TAGS":["x",null],"AT":null,"CITY":"Riga","PRICE":"1.50"}"#,
            r#"{"id":1,"same":true,"TAGS":[],"AT":"2024-01-31T10:00:00","CITY":null,"PRICE":"12345678901234567.89"}"#,
            r#"{"id":2,"same":true,"TAGS":null,"AT":"1900-01-01T00:00:00","CITY":"Zoë","PRICE":"-0.01"}"#,
        ]
    );
}

#[test]
fn every_promise_is_checked() {
    for (returns, text) in [
        ("i: string", "i"),
        ("s: string", "`s` is null, but it is declared as string without `?` in row 2"),
        ("x: float? in 0..=100", "row 2"),
        ("s: category(\"a\", \"b\")?", "row 3"),
        ("l: vector(1)", "row 2"),
        ("geo: string?", "no column \"geo\""),
        ("x: int?", "declared is int"),
    ] {
        let message = fails(MADE, returns);
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(message.contains(text), "{returns}: {message}");
    }
    let fine = step(MADE, "i: int, l: list[int], x: float? in 0..=200, s: category(\"a\", \"c\")?");
    let ended = run(made(&job(&fine)).path());
    assert_eq!(ended.code, 0, "{ended:?}");
    // The promises hold for what follows.
    let ended = run(made(&job(&format!("{fine}\nfilter i > 0\nselect i, s"))).path());
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn as_many_rows_come_back_as_were_sent() {
    let here = made(&job(&format!("filter id > 1\n{}", step(MADE, "i: int"))));
    let ended = run(here.path());
    assert!(ended.code == 1 && ended.err.contains("E0721") && ended.err.contains("returned 3 rows for 2"), "{ended:?}");
}

#[test]
fn a_process_that_does_not_read_is_not_waited_for() {
    let rows: String = (0..300_000).map(|i| format!("{i},a longer text than that\n")).collect();
    let text = format!(
        "dataset a from csv(\"a.csv\") {{ id: int key; s: string; }}\ntransform t from a {{ {} }}\n\
         deploy t {{ to ndjson(\"out.ndjson\") }}\n",
        step(MADE, "i: int")
    );
    let here = made(&text);
    fs::write(here.path().join("a.csv"), format!("id,s\n{rows}")).expect("a writable folder");
    let ended = run(here.path());
    assert!(ended.code == 1 && ended.err.contains("returned 3 rows for 300000"), "{ended:?}");
}

#[test]
fn failures_are_shown_as_the_process_tells_them() {
    for (command, texts) in [
        ("sh -c 'echo no luck >&2; exit 3'", &["ended with exit code 3", "no luck"][..]),
        ("sh -c 'echo first >&2; kill -9 $$'", &["was ended", "first"]),
        ("sh -c 'echo hello'", &["did not write an Arrow IPC stream"]),
        ("sh -c 'cat made.arrow | head -c 40'", &["did not write an Arrow IPC stream"]),
        ("true", &["it wrote nothing"]),
        ("no-such-program --at all", &["cannot be started"]),
    ] {
        let message = fails(command, "i: int");
        assert!(texts.iter().all(|text| message.contains(text)), "{command}: {message}");
    }
}

#[test]
fn little_of_the_environment_is_seen() {
    let command = "sh -c 'pwd > where.txt; env > env.txt; cat > /dev/null; cat made.arrow'";
    let names = |here: &Path| -> Vec<String> {
        let text = fs::read_to_string(here.join("env.txt")).expect("what the process saw");
        let shells = ["PWD", "OLDPWD", "SHLVL", "_"];
        let all = text.lines().filter_map(|l| l.split_once('=')).map(|(name, _)| name);
        all.filter(|name| !shells.contains(name)).map(str::to_owned).collect()
    };
    let here = made(&job(&step(command, "i: int")));
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let path = here.path().join("job.dbjob");
    let args = ["run", "--quiet", path.to_str().expect("Unicode")];
    let ended = with_environment(elsewhere.path(), &args, &[("DBJOB_SECRET", "x")]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let seen = names(here.path());
    assert!(seen.iter().any(|n| n == "PATH") && !seen.iter().any(|n| n == "DBJOB_SECRET"), "{seen:?}");
    let place = fs::read_to_string(here.path().join("where.txt")).expect("where it ran");
    assert_eq!(Path::new(place.trim()).file_name(), here.path().file_name());

    let said = "job j { environment { PATH = pass, HOME = unset, GREETING = \"hello\", DBJOB_SECRET = pass } }\n";
    fs::write(&path, format!("{said}{}", job(&step(command, "i: int")))).expect("a writable folder");
    let ended = with_environment(elsewhere.path(), &args, &[("DBJOB_SECRET", "x")]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let mut seen = names(here.path());
    seen.sort();
    assert_eq!(seen, ["DBJOB_SECRET", "GREETING", "PATH"]);
}

/// Neither the process nor what it started outlives the run.
#[test]
fn a_process_that_hangs_is_ended_with_the_run() {
    let command = "sh -c 'echo $$ > parent; sleep 1000 & echo $! > child; wait'";
    let text = format!("job j {{ run_time = 1s }}\n{}", job(&step(command, "i: int")));
    let here = folder(&[("job.dbjob", &text)]);
    let begin = Instant::now();
    let ended = run(here.path());
    assert!(ended.code == 1 && ended.err.contains("E0718"), "{ended:?}");
    assert!(begin.elapsed() < Duration::from_secs(60));
    for name in ["parent", "child"] {
        let id: i32 = fs::read_to_string(here.path().join(name)).expect("an id").trim().parse().expect("a number");
        let gone = || {
            let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", &id.to_string()]).output();
            // A zombie that nobody waited for yet has ended too.
            state.is_ok_and(|o| o.stdout.is_empty() || o.stdout.starts_with(b"Z"))
        };
        let until = Instant::now() + Duration::from_secs(10);
        while !gone() {
            assert!(Instant::now() < until, "{name} {id} still runs");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
