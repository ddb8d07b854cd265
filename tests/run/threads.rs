//! One job with every kind of step, on one core and on several: the same tables and models.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::columns;
use crate::cli::{dbjob, folder};

const JOB: &str = include_str!("everything.dbjob");

/// What approximate columns may differ by, relative to their size, and at least to 1. docs/semantics.md says so.
const TOLERANCE: f64 = 1e-9;

fn events(rows: usize) -> String {
    let mut random = fastrand::Rng::with_seed(3);
    let words = ["red", "green", "blue", "small", "large", "new", "old"];
    let mut text = String::from("id,who,at,shop,city,items,price,x,z,share,words,back\n");
    for id in 0..rows {
        let normal = |random: &mut fastrand::Rng| (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        let (x, share) = (normal(&mut random), random.f64());
        let z = if random.f64() < 0.1 { String::new() } else { (5.0 + 2.0 * normal(&mut random)).to_string() };
        let city = if random.f64() < 0.05 { String::new() } else { format!("town{}", random.u32(0..12).pow(2)) };
        let said: Vec<&str> = (0..random.usize(1..4)).map(|_| words[random.usize(0..words.len())]).collect();
        let back = x * share + 0.5 * normal(&mut random) > 0.0;
        let (month, day, hour, minute) = (random.u32(1..3), random.u32(1..29), random.u32(0..24), random.u32(0..60));
        let at = format!("2024-{month:02}-{day:02}T{hour:02}:{minute:02}:00");
        let (who, shop, items) = (random.u32(0..800), random.char('a'..='d'), random.u32(1..10));
        let price = f64::from(random.u32(1..99_999)) / 100.0;
        writeln!(text, "{id},{who},{at},{shop},{city},{items},{price:.2},{x},{z},{share},{},{back}", said.join(" "))
            .unwrap();
    }
    text
}

fn people() -> String {
    let mut text = String::from("who,plan,born\n");
    for who in 0..700 {
        writeln!(text, "{who},{},{}-0{}-11", ["free", "paid", "gold"][who % 3], 1950 + who % 50, 1 + who % 9).unwrap();
    }
    text
}

/// The exactness of each column of each item.
fn exactness(here: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let ended = dbjob(here, &["describe", "--format", "json", "job.dbjob"]);
    let described: Value = serde_json::from_str(&ended.out).expect("a document");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let of = |item: &Value| {
        let columns = item["columns"].as_array().expect("columns").iter();
        columns.map(|c| (text(&c["name"]), text(&c["exactness"]))).collect()
    };
    described["items"].as_array().expect("items").iter().map(|item| (text(&item["name"]), of(item))).collect()
}

#[test]
fn tables_and_models_are_the_same_on_any_number_of_cores() {
    let (events, people) = (events(20_000), people());
    let ran = [1, 2, 8].map(|threads| {
        let here = folder(&[("job.dbjob", JOB), ("events.csv", &events), ("people.csv", &people)]);
        let ended = dbjob(here.path(), &["run", "--quiet", "--threads", &threads.to_string(), "job.dbjob"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        here
    });
    let [one, more @ ..] = &ran;
    let exactness = exactness(one.path());
    let mut approximate = 0;
    for (item, columns_of) in exactness.iter().filter(|(item, _)| one.path().join(format!("{item}.csv")).exists()) {
        if ["events", "people"].contains(&item.as_str()) {
            continue;
        }
        let wanted = columns(&one.path().join(format!("{item}.csv")));
        for other in more {
            let found = columns(&other.path().join(format!("{item}.csv")));
            for (name, wanted) in &wanted {
                let found = &found[name];
                assert_eq!(found.len(), wanted.len(), "{item}.{name}");
                // The columns of a prediction are named after it.
                if columns_of.get(name).is_some_and(|mark| mark != "approximate") {
                    assert!(found == wanted, "{item}.{name} differs");
                    continue;
                }
                approximate += 1;
                for (row, (a, b)) in wanted.iter().zip(found).enumerate() {
                    let near = match (a.parse::<f64>(), b.parse::<f64>()) {
                        (Ok(a), Ok(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()).max(1.0),
                        _ => a == b,
                    };
                    assert!(near, "{item}.{name}, row {}: {a} and {b}", row + 1);
                }
            }
        }
    }
    assert!(approximate > 20, "{approximate}");
    for path in
        ["rejected.csv", "models/forest/versions/1/weights.safetensors", "models/line/versions/1/weights.safetensors"]
    {
        let read =
            |here: &tempfile::TempDir| fs::read(here.path().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert!(more.iter().all(|here| read(here) == read(one)), "{path}");
    }
}

/// The job above leaves out no step of the language but processes, and no map.
#[test]
fn the_job_has_every_step_and_map() {
    let has = |word: &str| {
        let begins = |c: char| !c.is_alphanumeric() && c != '_';
        JOB.match_indices(word).any(|(at, _)| {
            JOB[..at].chars().next_back().is_none_or(begins) && JOB[at + word.len()..].chars().next().is_none_or(begins)
        })
    };
    for step in dbjob::catalog::words::STEPS.iter().filter(|s| s.built && s.name != "extern") {
        assert!(has(step.name), "the step {}", step.name);
    }
    for map in dbjob::catalog::MAPS {
        assert!(has(map.name), "the map {}", map.name);
    }
}
