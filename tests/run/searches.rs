//! What is chosen before a model is fitted, and by which rows: searches, thresholds, slices, the live version.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::columns;
use crate::cli::{Ended, dbjob, folder};

/// 1,200 rows; `y` hangs on both numbers together, which a line does not see; few are true.
pub(super) fn rows(flip_test: bool) -> String {
    let mut text = String::from("id,part,x,z,who,y\n");
    let mut state = 12_345_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as f64 / f64::from(1u32 << 31)) * 2.0 - 1.0
    };
    for id in 0..1_200 {
        let (x, z, noise) = (next(), next(), next());
        let part = ["train", "train", "train", "valid", "test"][id % 5];
        let y = (x * z + 0.3 * noise > 0.35) != (flip_test && part == "test");
        writeln!(text, "{id},{part},{x:.4},{z:.4},{},{y}", ["a", "b", "c"][id % 3]).expect("a text grows");
    }
    text
}

const DATA: &str = r#"
job searched { seed = 3 }
dataset rows from csv("rows.csv") {
  id: int key
  part: category("train", "valid", "test")
  x: float
  z: float
  who: category("a", "b", "c")
  y: bool label
}
"#;

const SEARCH: &str = r"
model m from t {
  input x, z
  output y: bool
  fit best by auc {
    logistic_regression { c in log(0.01..=10.0) }
    random_forest { trees = 20, max_depth in [2, 6] }
  }
  tune random(2)
  threshold = best f1
  evaluate auc, f1
  evaluate auc by who
  require auc >= 0.7 for each who
}
";

pub(super) fn job(split: &str, model: &str) -> String {
    format!("{DATA}transform t from rows {{\n  {split}\n  map x, z with standardize\n}}\n{model}")
}

pub(super) fn shop(text: &str, rows: &str) -> tempfile::TempDir {
    folder(&[("job.dbjob", text), ("rows.csv", rows)])
}

/// What the run tells of the only model.
fn report(here: &Path) -> (Ended, Value) {
    let ended = dbjob(here, &["run", "--json", "job.dbjob"]);
    let last = ended.out.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
    let found = last.filter(|e| e["event"] == "evaluated").last().unwrap_or_default();
    (ended, found)
}

pub(super) fn summary(here: &Path, args: &[&str]) -> String {
    let ended = dbjob(here, &[&["run", "--quiet", "job.dbjob"], args].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
    // Times differ.
    ended.out.split_once("\nmodel m").map(|(_, model)| model.to_owned()).expect("a model was fitted")
}

#[test]
fn the_best_of_several_is_fitted_whatever_chooses() {
    for split in [
        "split using part",
        "split by id { train 80%, test 20% }",
        "split stratify y test 20% by id",
        "split test 20% by id, folds 4",
        "split folds 4 by id",
    ] {
        let here = shop(&job(split, SEARCH), &rows(false));
        let told = summary(here.path(), &[]);
        assert!(told.contains("random_forest  ") && told.contains("the best of 4 by auc"), "{split}: {told}");
        let first = told.lines().nth(2).expect("a trial");
        assert!(first.contains("random_forest") && first.contains("max_depth = 6"), "{split}: {told}");
        assert!(
            told.contains("auc by who\n    \"a\"  ") && told.contains("held    require auc >= 0.7 for each who"),
            "{told}"
        );
        assert_eq!(told, summary(here.path(), &["--threads", "1"]), "{split}: threads change nothing");
    }
}

/// Test rows with all labels turned round choose the same, and are judged badly.
#[test]
fn test_rows_choose_nothing() {
    let chosen = |flip: bool| {
        let model = SEARCH.replace("  require auc >= 0.7 for each who\n", "");
        let here = shop(&job("split using part", &model), &rows(flip));
        let told = summary(here.path(), &[]);
        let (choice, judged) = told.split_once("  metric").expect("metrics");
        (choice.to_owned(), judged.to_owned())
    };
    let ((choice, judged), (same, worse)) = (chosen(false), chosen(true));
    assert_eq!(choice, same);
    assert_ne!(judged, worse);
}

/// F1 of the predictions of the valid rows.
fn f1_of_valid(here: &Path) -> f64 {
    let found = columns(&here.join("p.csv"));
    let of = |predicted: &str, truth: &str| {
        let rows = found["p"].iter().zip(&found["y"]).zip(&found["part"]);
        rows.filter(|((p, y), part)| *part == "valid" && *p == predicted && *y == truth).count() as f64
    };
    2.0 * of("true", "true") / (2.0 * of("true", "true") + of("true", "false") + of("false", "true"))
}

#[test]
fn a_threshold_decides_in_metrics_predictions_and_packages() {
    let model = |threshold: &str| {
        format!(
            "model m from t {{\n  input x, z\n  output y: bool\n  fit random_forest {{ trees = 20, max_depth = 6 }}\n  {threshold}\n  \
             evaluate f1, auc\n}}\ntransform p from rows {{ predict m as p }}\ndeploy p {{ to csv(\"p.csv\") }}\n\
             deploy m {{ to registry(\"models\") }}\n"
        )
    };
    let run = |threshold: &str| {
        let here = shop(&job("split using part", &model(threshold)), &rows(false));
        let (ended, evaluated) = report(here.path());
        assert_eq!(ended.code, 0, "{ended:?}");
        let metric = |at: usize| evaluated["metrics"][at][1]["value"].as_f64().expect("a number");
        (metric(0), metric(1), here)
    };
    let (plain, auc, at_half) = run("");
    let (low, same_auc, here) = run("threshold = 0.2");
    assert!(low != plain && auc == same_auc, "{plain} {low}: the threshold changes classes, not probabilities");
    let found = columns(&here.path().join("p.csv"));
    for (p, share) in found["p"].iter().zip(&found["p_probability"]) {
        assert_eq!(p == "true", share.parse::<f64>().expect("a share") >= 0.2);
    }
    // The package knows it.
    let asked = dbjob(here.path(), &["predict", "models/m", "--input", "rows.csv", "--output", "again.csv"]);
    assert_eq!(asked.code, 0, "{asked:?}");
    assert_eq!(columns(&here.path().join("again.csv"))["prediction"], found["p"]);
    // The best on the rows that choose, here those of the valid part.
    let (.., best) = run("threshold = best f1");
    let (best, at_half, low) = (f1_of_valid(best.path()), f1_of_valid(at_half.path()), f1_of_valid(here.path()));
    assert!(best >= at_half && best > low, "{best} {at_half} {low}");
}

#[test]
fn refit_learns_from_all_rows_and_keeps_the_judgement() {
    let model = |refit: &str| {
        format!(
            "model m from t {{\n  input x, z\n  output y: bool\n  fit logistic_regression\n  {refit}\n  evaluate auc\n}}\n\
             transform p from rows {{ predict m as p }}\ndeploy p {{ to csv(\"p.csv\") }}\n"
        )
    };
    let run = |refit: &str| {
        let here = shop(&job("split using part", &model(refit)), &rows(false));
        let (ended, evaluated) = report(here.path());
        assert_eq!(ended.code, 0, "{ended:?}");
        (evaluated["metrics"].clone(), columns(&here.path().join("p.csv"))["p_probability"].clone())
    };
    let ((judged, of_train), (same, of_all)) = (run(""), run("refit on all"));
    assert_eq!(judged, same);
    assert_ne!(of_train, of_all);
}

#[test]
fn a_gate_for_each_value_fails_where_one_fails() {
    let model = SEARCH.replace("auc >= 0.7 for each who", "auc >= 0.99 for each who");
    let here = shop(&job("split using part", &model), &rows(false));
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.err.contains("model `m` failed: require auc >= 0.99 for each who  (auc where who = \"a\" = 0."),
        "{ended:?}"
    );
}

#[test]
fn the_live_version_is_a_gate() {
    let model = |gate: &str, depth: u8| {
        format!(
            "model m from t {{\n  input x, z\n  output y: bool\n  fit random_forest {{ trees = 20, max_depth = {depth} }}\n  \
             evaluate auc\n  require {gate}\n}}\ndeploy m {{ to registry(\"models\") }}\n"
        )
    };
    let here = shop(&job("split using part", &model("auc > deployed", 6)), &rows(false));
    let first = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(first.code, 0, "nothing is live yet: {first:?}");
    let again = dbjob(here.path(), &["run", "--no-state", "job.dbjob"]);
    assert_eq!(again.code, 1, "it is no better than itself: {again:?}");
    assert!(again.err.contains("deployed.auc = 0."), "{again:?}");
    fs::write(here.path().join("job.dbjob"), job("split using part", &model("auc >= deployed", 1))).expect("a job");
    let worse = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(worse.code, 1, "{worse:?}");
    assert_eq!(fs::read_to_string(here.path().join("models/m/current")).expect("a live version").trim(), "1");
}

/// Folds that judge choose for themselves: noise that a search could learn by heart stays noise.
#[test]
fn folds_that_judge_are_not_those_that_choose() {
    let mut noise = String::from("id,part,x,z,who,y\n");
    for id in 0..120_u64 {
        let hash = |n: u64| ((id * 2_654_435_761 + n * 40_503) >> 3) % 1_000;
        writeln!(noise, "{id},train,{},{},a,{}", hash(1), hash(7) % 97, hash(3) % 2 == 0).expect("a text grows");
    }
    let model = "model m from t {\n  input x, z\n  output y: bool\n  fit random_forest { trees in [1, 2, 3, 5, 8, 13], max_depth in 1..=6 }\n  \
                 tune grid by accuracy\n  evaluate accuracy, auc\n}\n";
    let here = shop(&job("split folds 5 by id", model), &noise);
    let told = summary(here.path(), &[]);
    let number = |line: &str, at: usize| line.split_whitespace().nth(at).and_then(|n| n.parse::<f64>().ok());
    let best = told.lines().nth(2).and_then(|line| number(line, 0)).expect("a trial");
    let judged =
        told.lines().find(|l| l.trim_start().starts_with("accuracy")).and_then(|l| number(l, 1)).expect("a metric");
    assert!(judged < best, "judged {judged}, chosen with {best}: {told}");
}

const HALVING: &str = r"
model m from t {
  input x, z
  output y: bool
  fit random_forest { trees in [5, 10, 20], max_depth in 1..=8, min_samples_leaf in [1, 3, 9] }
  tune halving(12) by auc
  evaluate auc
}
module searching { runs = m, replicas = 2 }
";

/// 6,000 rows, so that a third or a ninth of them is enough to compare by.
fn many() -> String {
    let one = rows(false);
    let mut text = String::new();
    for copy in 0..5 {
        for line in one.lines().skip(usize::from(copy > 0)) {
            match line.split_once(',').and_then(|(id, rest)| Some((id.parse::<u32>().ok()?, rest))) {
                Some((id, rest)) => writeln!(text, "{},{rest}", id + copy * 1_200).expect("a text grows"),
                None => writeln!(text, "{line}").expect("a text grows"),
            }
        }
    }
    text
}

#[test]
fn halving_tries_many_on_few_rows_and_the_best_on_all() {
    let here = shop(&job("split using part", HALVING), &many());
    let ended = dbjob(here.path(), &["run", "--json", "job.dbjob"]);
    let events = ended.out.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let [searched] = &events.filter(|e| e["event"] == "searched").collect::<Vec<_>>()[..] else { panic!("{ended:?}") };
    assert_eq!(searched["search"]["trials"].as_array().map(Vec::len), Some(12));
    for split in ["split using part", "split test 20% by id"] {
        let here = shop(&job(split, HALVING), &many());
        let told = summary(here.path(), &[]);
        assert!(told.contains("the best of 12 by auc"), "{split}: {told}");
        let tried: Vec<&str> = told.lines().skip(2).take(5).collect();
        assert!(tried[..2].iter().all(|line| !line.contains("% of the train rows")), "{split}: {told}");
        assert!(tried[4].contains("% of the train rows)"), "{split}: {told}");
        for more in [["--threads", "1"], ["--threads", "2"]] {
            assert_eq!(told, summary(here.path(), &[&more[..], &["--no-state"]].concat()), "{split}: {more:?}");
        }
    }
}

#[test]
fn guided_trials_are_the_same_with_any_number_of_workers() {
    let guided = HALVING.replace("halving", "guided");
    for split in ["split using part", "split test 20% by id"] {
        let here = shop(&job(split, &guided), &rows(false));
        let told = summary(here.path(), &[]);
        assert!(told.contains("the best of 12 by auc"), "{split}: {told}");
        assert!(!told.contains("% of the train rows"), "{split}: {told}");
        for more in [["--threads", "1"], ["--threads", "2"]] {
            assert_eq!(told, summary(here.path(), &[&more[..], &["--no-state"]].concat()), "{split}: {more:?}");
        }
        let alone = guided.replace("module searching { runs = m, replicas = 2 }", "");
        let here = shop(&job(split, &alone), &rows(false));
        assert_eq!(told, summary(here.path(), &[]), "{split}");
        // More of them begin with these.
        let of = |trials: u8| job(split, &guided.replace("guided(12)", &format!("guided({trials})")));
        let here = shop(&of(7), &rows(false));
        summary(here.path(), &[]);
        let first = remembered(here.path()).1;
        fs::write(here.path().join("job.dbjob"), of(12)).expect("a writable job");
        assert_eq!(told, summary(here.path(), &[]), "{split}");
        let all = remembered(here.path()).1;
        assert_eq!(all.len() * 7, first.len() * 12, "{split}");
        assert!(first.iter().all(|(key, value)| all.get(key) == Some(value)), "{split}");
    }
}

/// What is remembered of the trials, by their keys.
fn remembered(here: &Path) -> (std::path::PathBuf, std::collections::BTreeMap<String, f64>) {
    let found = fs::read_dir(here.join(".dbjob/checkpoints")).expect("it was searched").next().expect("trials");
    let path = found.expect("a readable entry").path();
    let bytes = fs::read(&path).expect("a file");
    (path, serde_json::from_slice(&bytes[32..]).expect("JSON behind a hash"))
}

#[test]
fn trials_are_remembered_over_runs() {
    let text = |trials: u8| job("split using part", &HALVING.replace("halving(12)", &format!("random({trials})")));
    let here = shop(&text(4), &rows(false));
    let first = summary(here.path(), &[]);
    let (path, values) = remembered(here.path());
    assert_eq!(values.len(), 4);
    // Turned round, the worst is the best: what is remembered is not tried again.
    let turned: std::collections::BTreeMap<&String, f64> =
        values.iter().map(|(key, value)| (key, 1.0 - value)).collect();
    let bytes = serde_json::to_vec(&turned).expect("JSON");
    fs::write(path, [&blake3::hash(&bytes).as_bytes()[..], &bytes].concat()).expect("a writable file");
    fs::write(here.path().join("job.dbjob"), text(6)).expect("a writable job");
    let more = summary(here.path(), &[]);
    assert!(more.contains("the best of 6 by auc"), "{more}");
    assert_eq!(remembered(here.path()).1.len(), 6);
    let told =
        |text: &str, at: usize| text.lines().nth(at).and_then(|l| l.trim().split("  ").nth(2)).map(str::to_owned);
    let worst = told(&first, 5).expect("a trial");
    let line = more.lines().find(|l| l.contains(&worst)).expect("it is among them");
    let best_of_four =
        first.lines().nth(2).and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok()).expect("a value");
    let worst_of_four =
        first.lines().nth(5).and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok()).expect("a value");
    let now = line.split_whitespace().next().and_then(|v| v.parse::<f64>().ok()).expect("a value");
    assert!((now - (1.0 - worst_of_four)).abs() < 1e-3 && best_of_four > worst_of_four, "{first}\n{more}");
    // Without what is remembered all is as it was.
    let fresh = summary(here.path(), &["--fresh"]);
    let value =
        fresh.lines().find(|l| l.contains(&worst)).and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok());
    assert!(value.is_none_or(|v| (v - worst_of_four).abs() < 1e-3), "{fresh}");
}
