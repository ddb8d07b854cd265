//! Kept results that are damaged, state directories that cannot be used, runs that meet, data that change meanwhile.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use super::{JOB, Place, ran};
use crate::cli::program;

/// The files of all kept results.
fn kept(place: &Place) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![place.path(".dbjob/results")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn a_damaged_or_truncated_result_is_computed_again() {
    for damage in ["flip", "truncate", "remove", "entry", "empty"] {
        let place = Place::new(JOB);
        place.run();
        let weights = kept(&place).into_iter().find(|p| p.ends_with("weights.safetensors")).unwrap();
        let tables = kept(&place).into_iter().filter(|p| p.ends_with("rows.parquet"));
        for file in &[vec![weights], tables.collect()].concat() {
            let bytes = fs::read(file).unwrap();
            match damage {
                "flip" => {
                    let mut other = bytes.clone();
                    let middle = other.len() / 2;
                    other[middle] ^= 1;
                    fs::write(file, other).unwrap();
                }
                "truncate" => fs::write(file, &bytes[..bytes.len() / 2]).unwrap(),
                "remove" => fs::remove_file(file).unwrap(),
                "entry" => fs::write(file.parent().unwrap().join("entry.json"), "{").unwrap(),
                _ => fs::write(file, "").unwrap(),
            }
        }
        // The model is wanted again, for a new deployment.
        place.edit("registry(\"models\")", "registry(\"others\")");
        let wanted = ["dataset orders", "deploy live", "model comes_back", "transform rows"];
        assert_eq!(place.planned(&[]), wanted, "{damage}");
        let ended = place.call(&["run", "job.dbjob", "--json"]);
        assert_eq!(ended.code, 0, "{damage}: {ended:?}");
        assert_eq!(ran(&super::done(&ended.out)), wanted, "{damage}");
        assert!(ended.out.contains("damaged"), "{damage}: {}", ended.out);
        assert_eq!(place.planned(&[]), Vec::<String>::new(), "{damage}");
        let weights_of = |registry: &str| {
            fs::read(place.path(&format!("{registry}/comes_back/versions/1/weights.safetensors"))).unwrap()
        };
        assert!(weights_of("models") == weights_of("others"), "{damage}");
    }
}

#[test]
fn a_damaged_history_is_set_aside() {
    let place = Place::new(JOB);
    place.run();
    for suffix in ["", "-wal", "-shm"] {
        let file = place.path(&format!(".dbjob/history.sqlite{suffix}"));
        if suffix.is_empty() {
            fs::write(&file, vec![7_u8; 20_000]).unwrap();
        } else {
            let _ = fs::remove_file(&file);
        }
    }
    let ended = place.call(&["run", "job.dbjob"]);
    assert!(ended.code == 0 && ended.err.contains("the history of runs was damaged"), "{ended:?}");
    assert!(place.path(".dbjob/history.damaged").exists());
    assert_eq!(place.call(&["runs", "job.dbjob"]).out.lines().count(), 2);
}

#[test]
fn a_state_directory_that_cannot_be_used_is_told() {
    let place = Place::new(JOB);
    let ended = place.call(&["run", "job.dbjob", "--state", "orders.csv"]);
    assert!(ended.code == 1 && ended.err.contains("E0751") && ended.err.contains("--no-state"), "{ended:?}");
    assert!(!place.path("out").exists());
    let without = place.call(&["run", "job.dbjob", "--no-state"]);
    assert!(without.code == 0 && !place.path(".dbjob").exists(), "{without:?}");
}

#[test]
fn two_runs_wait_for_each_other_or_fail_clearly() {
    let place = Place::new(JOB);
    fs::create_dir(place.path(".dbjob")).unwrap();
    let lock = OpenOptions::new().create(true).truncate(true).write(true).open(place.path(".dbjob/lock")).unwrap();
    lock.lock().unwrap();
    let ended = place.call(&["run", "job.dbjob", "--no-wait"]);
    assert!(ended.code == 1 && ended.err.contains("E0752"), "{ended:?}");
    let mut command = program(place.folder(), &["run", "job.dbjob"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    sleep(Duration::from_millis(300));
    assert!(!place.path("out/totals.csv").exists(), "it waits");
    drop(lock);
    let ended = child.wait_with_output().unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success() && err.contains("waiting for another run"), "{err}");
    assert!(place.path("out/totals.csv").exists());
}

#[test]
fn many_runs_at_once_leave_what_one_leaves() {
    let place = Place::new(JOB);
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = program(place.folder(), &["run", "job.dbjob"]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    assert_eq!(fs::read_dir(place.path("models/comes_back/versions")).unwrap().count(), 1);
    assert_eq!(place.planned(&[]), Vec::<String>::new());
}

#[test]
#[cfg(unix)]
fn data_that_change_during_the_run_stop_it_and_nothing_is_written() {
    let job = JOB.replace("  split test 25%", "  extern \"sh late.sh\" { returns { n: int? } }\n  split test 25%");
    let place = Place::new(&job);
    fs::write(place.path("late.sh"), "cat > /dev/null\necho 999999,1,10.0,DE,true >> orders.csv\nexit 1\n").unwrap();
    // The process fails after it has changed the file: its own failure comes first.
    let ended = place.call(&["run", "job.dbjob"]);
    assert!(ended.code == 1 && ended.err.contains("E0721"), "{ended:?}");
    fs::write(place.path("orders.csv"), super::orders(400)).unwrap();
    let job = format!(
        "{JOB}\ntransform slow from totals {{\n  extern \"sh late.sh\" {{ returns {{ n: int? }} }}\n}}\n\ndeploy slow {{\n  to csv(\"out/slow.csv\")\n}}\n"
    );
    fs::write(place.path("job.dbjob"), job).unwrap();
    let ended = place.call(&["run", "job.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(!place.path("out/slow.csv").exists());
}
