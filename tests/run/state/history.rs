//! The history of runs.

use super::{JOB, Place, ran};

#[test]
fn runs_are_listed_shown_and_compared() {
    let place = Place::new(JOB);
    let none = place.call(&["runs", "job.dbjob"]);
    assert!(none.code == 1 && none.err.contains("E0753"), "{none:?}");
    place.run();
    place.edit("learning_rate = 0.05", "learning_rate = 0.1");
    place.run();
    let list = place.call(&["runs", "job.dbjob"]).out;
    assert!(list.lines().count() == 3 && list.lines().nth(1).unwrap().starts_with('2'), "{list}");
    let shown = place.call(&["runs", "show", "2", "job.dbjob"]).out;
    assert!(shown.contains("comes_back: accuracy = ") && shown.contains("reused"), "{shown}");
    let compared = place.call(&["runs", "compare", "1", "2", "job.dbjob"]).out;
    assert!(compared.contains("learning_rate: 0.05 -> 0.1"), "{compared}");
    assert!(compared.contains("other results: deploy live, model comes_back\n"), "{compared}");
    let json = place.call(&["runs", "compare", "1", "2", "job.dbjob", "--json"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["causes"].as_array().unwrap().len(), 1);
    let missing = place.call(&["runs", "show", "9", "job.dbjob"]);
    assert!(missing.err.contains("the latest is run 2"), "{missing:?}");
}

#[test]
fn a_failed_run_is_in_the_history_and_what_it_finished_is_not_lost() {
    let judged = "\ntransform judged from orders {\n  predict comes_back as guess\n  expect count() > 5000 else fail\n}\n\n\
                  deploy judged {\n  to csv(\"out/judged.csv\")\n}\n";
    let place = Place::new(&format!("{JOB}{judged}"));
    let ended = place.call(&["run", "job.dbjob"]);
    assert!(ended.code == 1 && ended.err.contains("E0711"), "{ended:?}");
    let list = place.call(&["runs", "job.dbjob"]).out;
    assert!(list.contains("failed: E0711"), "{list}");
    place.edit("count() > 5000", "count() > 200");
    let again = ran(&place.run());
    assert!(!again.contains(&"model comes_back".to_owned()), "{again:?}");
}

#[test]
fn expectations_are_in_the_record() {
    let place =
        Place::new(&JOB.replace("filter amount >= least", "expect amount >= 50.0 else drop\n  filter amount >= least"));
    place.run();
    let shown = place.call(&["runs", "show", "1", "job.dbjob", "--json"]).out;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let rule = shown["rules"].as_array().unwrap().iter().find(|r| r["rule"] == "amount >= 50.0").unwrap().clone();
    assert!(rule["failed"].as_u64().unwrap() > 10 && rule["action"] == "drop", "{rule}");
}

#[test]
fn a_run_is_verified_by_doing_it_again() {
    let place = Place::new(JOB);
    place.run();
    let before = super::super::files_below(place.folder());
    let ended = place.call(&["verify", "1", "job.dbjob"]);
    assert!(ended.code == 0 && ended.out.starts_with("run 1 again: every result is the same"), "{ended:?}");
    for item in ["model comes_back", "deploy totals", "transform rows"] {
        assert!(ended.out.lines().any(|l| l.contains(item) && l.ends_with("same")), "{item}: {}", ended.out);
    }
    assert_eq!(super::super::files_below(place.folder()), before, "verify leaves nothing behind");
    place.edit("learning_rate = 0.05", "learning_rate = 0.1");
    let changed = place.call(&["verify", "1", "job.dbjob"]);
    assert!(changed.code == 1 && changed.err.contains("E0754") && changed.err.contains("learning_rate"), "{changed:?}");
}

#[test]
fn clean_removes_what_is_kept_and_everything_is_computed_again() {
    let place = Place::new(JOB);
    place.run();
    let dry = place.call(&["clean", "job.dbjob", "--all", "--dry-run"]);
    assert!(dry.out.starts_with("would remove 4 results"), "{dry:?}");
    assert_eq!(place.planned(&[]), Vec::<String>::new());
    let cleaned = place.call(&["clean", "job.dbjob", "--all"]);
    assert!(cleaned.out.starts_with("removed 4 results"), "{cleaned:?}");
    // What was written is still right.
    assert_eq!(place.planned(&[]), Vec::<String>::new());
    place.edit("learning_rate = 0.05", "learning_rate = 0.1");
    assert_eq!(ran(&place.run()), ["dataset orders", "deploy live", "model comes_back", "transform rows"]);
    assert_eq!(place.call(&["clean", "job.dbjob", "--cap", "1kB"]).code, 0);
    place.edit("learning_rate = 0.1", "learning_rate = 0.2");
    place.run();
    place.edit("learning_rate = 0.2", "learning_rate = 0.3");
    place.run();
    let left = place.call(&["clean", "job.dbjob", "--dry-run"]).out;
    // Those of the last run: two of the model, and the table that it was fitted on.
    assert!(left.contains("3 results of") && left.contains("left"), "{left}");
}

/// What a collector of traces is sent, as it arrives.
#[test]
fn a_run_is_told_as_a_trace() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let collector = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut got, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let n = stream.read(&mut buffer).unwrap();
            got.extend_from_slice(&buffer[..n]);
            let text = String::from_utf8_lossy(&got).into_owned();
            let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
            let length =
                head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            let body = got.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
            if got.len() - body >= length.unwrap().trim().parse().unwrap() {
                break;
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&got).into_owned()
    });
    let place = Place::new(JOB);
    let ended = place.call(&["run", "job.dbjob", "--otlp", &address]);
    assert!(ended.code == 0 && !ended.err.contains("the trace was not sent"), "{ended:?}");
    let got = collector.join().unwrap();
    assert!(got.starts_with("POST /v1/traces HTTP/1.1"), "{got}");
    for part in
        ["run returns", "model comes_back", "transform rows", "deploy live", "dbjob.rows", "dbjob.metric.accuracy"]
    {
        assert!(got.contains(part), "{part}: {got}");
    }
    // Nobody listens: the run is none the worse.
    let alone = place.call(&["run", "job.dbjob", "--otlp", "http://127.0.0.1:9"]);
    assert!(alone.code == 0 && alone.err.contains("the trace was not sent"), "{alone:?}");
}
