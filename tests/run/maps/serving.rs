//! What fitted maps learned travels with a model: a package answers as the run did, for every map that learns.

use std::collections::BTreeSet;
use std::path::Path;

use dbjob::catalog::map::{Body, MAPS};

use super::{is_sound, rows, run, written};
use crate::cli::{dbjob, folder};

const DATASET: &str = "dataset d from csv(\"d.csv\") {
  id: int key
  x: float in 0.5..
  n: int in 1..=50
  level: category(\"s\", \"m\", \"l\")
  plan: category
  note: string
  ok: bool
  gap: float?
  share: float in 0.01..=0.99
  y: float label
}
";

const COLUMNS: &[&str] = &["x", "n", "level", "plan", "note", "ok", "gap", "share"];

/// Ways to write a map that the rule of the catalog's examples does not give.
fn ways(name: &str, op: String) -> Vec<String> {
    match name {
        "bucket" => vec!["bucket(quantiles = 4)".into(), "bucket([2.5, 10])".into()],
        "labels" => vec!["labels(\"s\", \"m\", \"l\")".into()],
        "impute" => ["mean", "median", "mode", "0.5"].map(|v| format!("impute({v})")).into(),
        "target_encode" => vec!["target_encode(y)".into(), "target_encode(ok, smoothing = 0, folds = 3)".into()],
        _ => vec![op],
    }
}

/// Statements that map a column to an input of a linear model, for every map and column that fit.
fn statements() -> Vec<(&'static str, String)> {
    let mut all: Vec<(&str, String)> = vec![("pca", "map [x, n] with pca(2) as NEW".into())];
    for map in MAPS.iter().filter(|m| !matches!(m.body, Body::Several(_))) {
        for op in ways(map.name, written(map)) {
            for column in COLUMNS {
                // A linear model takes no null: only where it is filled. Labels are for what has one, terms for words.
                let fits = match map.name {
                    "labels" => *column == "level",
                    "tf_idf" => *column == "note",
                    name => *column != "gap" || name == "impute",
                };
                if !fits {
                    continue;
                }
                all.push((map.name, format!("map {column} with {op} as NEW")));
            }
        }
    }
    all.retain(|(_, statement)| is_sound(&job(std::slice::from_ref(statement))));
    all
}

fn job(statements: &[String]) -> String {
    let maps: String =
        statements.iter().enumerate().map(|(i, s)| format!("  {}\n", s.replace("NEW", &format!("m{i}")))).collect();
    let inputs: Vec<String> = (0..statements.len()).map(|i| format!("m{i}")).collect();
    format!(
        "{DATASET}transform t from d {{\n  split test 30% by id\n{maps}}}\n\
         model guess from t {{ input {}; output y; fit ridge; evaluate rmse }}\n",
        inputs.join(", ")
    )
}

fn data() -> String {
    let mut text = String::from("id,x,n,level,plan,note,ok,gap,share,y\n");
    for i in 0..240_u32 {
        // A number that looks random and is not.
        let r = i.wrapping_mul(2_654_435_761) >> 8;
        let (x, n) = (0.5 + f64::from(r % 997) / 100.0, 1 + r % 50);
        let (level, plan) = (["s", "m", "l"][(r % 3) as usize], ["a", "b", "c", "d"][(r / 3 % 4) as usize]);
        let note = ["good thing", "bad thing", "so so la"][(r / 7 % 3) as usize];
        let gap = if r % 5 == 0 { String::new() } else { format!("{}", f64::from(r % 31) / 10.0) };
        text += &format!(
            "{i},{x},{n},{level},{plan},{note},{},{gap},{},{}\n",
            r % 2 == 0,
            0.01 + f64::from(r % 97) / 100.0,
            x * 2.0 + f64::from(r % 11)
        );
    }
    text
}

#[test]
fn a_package_answers_as_the_run_did() {
    let statements = statements();
    let covered: BTreeSet<&str> = statements.iter().map(|(name, _)| *name).collect();
    for map in MAPS {
        assert!(covered.contains(map.name), "`{}` is no input here", map.name);
    }
    // An exponential of these numbers is too large.
    let statements: Vec<String> =
        statements.into_iter().filter(|(n, _)| !n.starts_with("exp")).map(|(_, s)| s).collect();
    let job = job(&statements)
        + "deploy guess { to registry(\"models\") }\n\
           transform own from t { predict guess as p }\ndeploy own { to ndjson(\"own.ndjson\") }\n\
           transform replayed from d { predict guess as p }\ndeploy replayed { to ndjson(\"replayed.ndjson\") }\n";
    let here = folder(&[("job.dbjob", &job), ("d.csv", &data())]);
    run(here.path());

    let args = ["predict", "models/guess", "--input", "d.csv", "--output", "answers.ndjson", "--as", "p"];
    let ended = dbjob(here.path(), &args);
    assert_eq!(ended.code, 0, "{ended:?}");
    let read = |name: &str| rows(&here.path().join(name));
    let (own, replayed, answers) = (read("own.ndjson"), read("replayed.ndjson"), read("answers.ndjson"));
    assert_eq!((own.len(), replayed.len(), answers.len()), (240, 240, 240));
    let mut as_it_is = 0;
    for ((own, replayed), answer) in own.iter().zip(&replayed).zip(&answers) {
        assert_eq!(replayed["p"], answer["p"], "row {}", own["id"]);
        as_it_is += usize::from(own["p"] == answer["p"]);
    }
    // Train rows were encoded out of fold when they were learned from; the test rows are as any request.
    let test = test_ids(here.path());
    assert!(as_it_is >= test && test > 40, "{as_it_is} of {test} test rows are answered alike");
    assert!(as_it_is < 240, "train rows see the targets of other folds only");
}

/// How many rows the package says were tests.
fn test_ids(folder: &Path) -> usize {
    let text = std::fs::read_to_string(folder.join("models/guess/versions/1/manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    manifest["rows"]["test"].as_u64().expect("a count") as usize
}
