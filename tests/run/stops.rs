//! When a fit ends that stops early: by the valid part, or after as many rounds as the folds of train found best.

use serde_json::Value;

use super::columns;
use super::searches::{job, rows};
use crate::cli::{dbjob, folder};

fn model(fit: &str, more: &str) -> String {
    format!(
        "model m from t {{\n  input x, z\n  output y: bool\n  fit {fit}\n  {more}\n}}\n\
         deploy m {{ to registry(\"models\") }}\n\
         transform told from t {{ predict m as p; select id, p_probability }}\n\
         deploy told {{ to csv(\"told.csv\") }}\n"
    )
}

/// The probabilities of all rows, and the rounds of the last fit that was told of.
fn fitted(split: &str, fit: &str, more: &str) -> (Vec<String>, u64) {
    let here = folder(&[("job.dbjob", &job(split, &model(fit, more))), ("rows.csv", &rows(false))]);
    let ended = dbjob(here.path(), &["run", "--json", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{fit}: {ended:?}");
    let events = ended.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event"));
    let last = events.filter(|e| e["event"] == "progress" && e["item"] == "m").last();
    let total = last.and_then(|e| e["total"].as_u64()).expect("rounds are told");
    (columns(&here.path().join("told.csv"))["p_probability"].clone(), total)
}

#[test]
fn folds_say_after_how_many_rounds_and_then_all_train_rows_are_learned() {
    let split = "split by id { train 80%, test 20% }";
    for (fit, rounds) in [
        ("gradient_boosting { trees = 300, learning_rate = 0.3, stop_early = 5 }", "trees = 300"),
        (
            "mlp { epochs = 300, learning_rate = 0.02, stop_early = 5, schedule = exponential, decay = 0.99 }",
            "epochs = 300",
        ),
    ] {
        let (stopped, total) = fitted(split, fit, "");
        assert!((2..300).contains(&total), "{fit}: {total}");
        let (unit, _) = rounds.split_once(' ').expect("a name and a number");
        let known = fit.replace(rounds, &format!("{unit} = {total}")).replace(", stop_early = 5", "");
        assert_eq!(stopped, fitted(split, &known, "").0, "{fit}: {total} rounds of all train rows");
        // Once judged, all rows are learned from for as many rounds.
        let again = fitted(split, &known, "refit on all").0;
        assert_ne!(again, stopped);
        assert_eq!(fitted(split, fit, "refit on all").0, again, "{fit}");
    }
}

#[test]
fn the_valid_part_says_it_where_there_is_one() {
    let fit = "gradient_boosting { trees = 300, learning_rate = 0.3, stop_early = 5 }";
    let split = "split using part";
    let (stopped, _) = fitted(split, fit, "");
    // It is the model of so many trees; another part of the same size would have said otherwise.
    let of = |trees: u64| fitted(split, &format!("gradient_boosting {{ trees = {trees}, learning_rate = 0.3 }}"), "").0;
    assert!((2..60).any(|trees| of(trees) == stopped));
    assert_ne!(fitted("split by id { train 60%, valid 20%, test 20% }", fit, "").0, stopped);
}

#[test]
fn trials_stop_by_the_rows_that_compare_them() {
    let searched = "gradient_boosting { trees = 200, stop_early = 5, learning_rate in [0.05, 0.3] }";
    for split in ["split using part", "split by id { train 80%, test 20% }"] {
        let (tuned, _) = fitted(split, searched, "tune grid by log_loss");
        let each =
            ["0.05", "0.3"].map(|rate| fitted(split, &searched.replace("in [0.05, 0.3]", &format!("= {rate}")), "").0);
        assert!(each.contains(&tuned), "{split}: the better one is fitted as it would be alone");
    }
}
