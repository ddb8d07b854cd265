use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dbjob_serve::{Live, start};
use serde_json::json;

use crate::support::{Fake, get, options, post, row, shelf};

#[test]
fn another_version_takes_over_and_no_request_fails() {
    let shelf = shelf(1);
    let server = start(shelf.clone(), options()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (server, done) = (&server, &done);
            scope.spawn(move || {
                let mut last = 1;
                while !done.load(Ordering::Relaxed) {
                    let reply = post(server, "/predict", row(100).to_string());
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    let version = reply.json()["prediction_probability"].as_f64().unwrap() as u64;
                    assert!(version >= last, "{version} after {last}");
                    assert!(reply.head.contains(&format!("x-model-version: {version}")), "{}", reply.head);
                    last = version;
                }
            });
        }
        for version in 2..8 {
            *shelf.0.lock().unwrap() = vec![(Live { model: "wants".into(), version }, Some(Fake::version(version)))];
            std::thread::sleep(Duration::from_millis(50));
            assert_eq!(server.models(), [("wants".to_owned(), version)]);
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_broken_version_does_not_replace_one_that_works() {
    let shelf = shelf(1);
    let server = start(shelf.clone(), options()).unwrap();
    *shelf.0.lock().unwrap() = vec![(Live { model: "wants".into(), version: 2 }, None)];
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(post(&server, "/predict", row(100).to_string()).json()["prediction_probability"], json!(1.1));
    assert!(get(&server, "/metrics").text().contains("dbjob_failed_swaps_total 1\n"));
    *shelf.0.lock().unwrap() = vec![(Live { model: "wants".into(), version: 3 }, Some(Fake::version(3)))];
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(post(&server, "/predict", row(100).to_string()).json()["prediction_probability"], json!(3.1));
}

#[test]
fn nothing_live_is_not_ready_and_all_broken_does_not_start() {
    let shelf = shelf(1);
    shelf.0.lock().unwrap().clear();
    let server = start(shelf.clone(), options()).unwrap();
    assert_eq!(get(&server, "/ready").status, 503);
    assert_eq!(get(&server, "/health").status, 200);
    assert_eq!(post(&server, "/predict", row(1).to_string()).status, 404);
    *shelf.0.lock().unwrap() = vec![(Live { model: "wants".into(), version: 1 }, None)];
    assert_eq!(start(shelf, options()).err().as_deref(), Some("the model package is damaged"));
}

#[test]
fn stopping_answers_what_was_asked() {
    let server = start(shelf(1), options()).unwrap();
    let address = server.address();
    assert_eq!(post(&server, "/predict", row(1).to_string()).status, 200);
    server.stop();
    assert!(std::net::TcpStream::connect(address).is_err());
}
