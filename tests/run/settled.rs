//! Calibration, intervals of predictions and of metrics: learned by the right rows, the same in runs, tables and packages.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::columns;
use super::searches::{job, rows, shop, summary};
use crate::cli::dbjob;

/// Flat trees are less sure than they could be.
fn model(settings: &str) -> String {
    format!(
        "model m from t {{\n  input x, z\n  output y: bool\n  fit random_forest {{ trees = 20, max_depth = 3 }}\n  {settings}\n  evaluate log_loss, brier, f1\n}}\n\
         transform p from rows {{ predict m as p }}\ndeploy p {{ to csv(\"p.csv\") }}\ndeploy m {{ to registry(\"models\") }}\n"
    )
}

/// `x` is to be found again, in whole intervals.
fn numbers(settings: &str) -> String {
    format!(
        "model m from t {{\n  input z\n  output x: float\n  fit ridge\n  {settings}\n  evaluate mae\n}}\n\
         transform p from rows {{ predict m as p }}\ndeploy p {{ to csv(\"p.csv\") }}\ndeploy m {{ to registry(\"models\") }}\n"
    )
}

fn manifest(here: &Path) -> Value {
    let text = fs::read_to_string(here.join("models/m/versions/1/manifest.json")).expect("a package");
    serde_json::from_str(&text).expect("JSON")
}

/// The package says what the table says, to the last digit.
fn same_in_the_package(here: &Path, suffixes: &[&str]) {
    let asked = dbjob(here, &["predict", "models/m", "--input", "rows.csv", "--output", "again.csv"]);
    assert_eq!(asked.code, 0, "{asked:?}");
    let (again, table) = (columns(&here.join("again.csv")), columns(&here.join("p.csv")));
    for suffix in suffixes {
        assert_eq!(again[&format!("prediction{suffix}")], table[&format!("p{suffix}")], "{suffix}");
    }
}

#[test]
fn probabilities_are_put_right_by_rows_that_were_not_learned_from() {
    for split in ["split using part", "split test 20% by id", "split folds 4 by id"] {
        // Brier's score, not the logarithm: isotonic steps are sure of themselves, and one row then weighs more than all others.
        let brier = |settings: &str| {
            let here = shop(&job(split, &model(settings)), &rows(false));
            let told = summary(here.path(), &[]);
            assert_eq!(
                told,
                summary(here.path(), &["--threads", "1", "--no-state"])
                    .replace("versions/2 (version 2", "versions/1 (version 1"),
                "{split}"
            );
            same_in_the_package(here.path(), &["", "_probability"]);
            manifest(here.path())["metrics"]["brier"]["value"].as_f64().expect("a number")
        };
        let plain = brier("");
        for method in ["sigmoid", "isotonic"] {
            let right = brier(&format!("calibrate = {method}\n  threshold = best f1"));
            assert!(right < plain, "{split}: {method}: {right}, without {plain}");
        }
    }
}

#[test]
fn test_rows_settle_nothing() {
    let settled = |model: &str, field: &str, flip: bool| {
        let here = shop(&job("split using part", model), &rows(flip));
        assert_eq!(dbjob(here.path(), &["run", "job.dbjob"]).code, 0);
        let manifest = manifest(here.path());
        assert!(manifest[field].is_object(), "{manifest}");
        manifest[field].clone()
    };
    let of_classes = model("calibrate = isotonic");
    assert_eq!(settled(&of_classes, "calibration", false), settled(&of_classes, "calibration", true));
    let no_labels = numbers("conformal = 90%");
    assert_eq!(settled(&no_labels, "conformal", false), settled(&no_labels, "conformal", true));
}

#[test]
fn an_interval_holds_its_share_of_new_rows() {
    for split in ["split using part", "split test 20% by id", "split folds 4 by id"] {
        for share in [50, 90] {
            let text = numbers(&format!("conformal = {share}%"));
            let here = shop(&job(split, &text), &rows(false));
            let ended = dbjob(here.path(), &["run", "job.dbjob"]);
            assert_eq!(ended.code, 0, "{ended:?}");
            assert!(ended.out.contains(&format!("intervals of {share} %: the prediction \u{b1} ")), "{ended:?}");
            same_in_the_package(here.path(), &["", "_low", "_high"]);
            let table = columns(&here.path().join("p.csv"));
            let number = |column: &str, row: usize| table[column][row].parse::<f64>().expect("a number");
            let rows = table["x"].len();
            let held = (0..rows).filter(|r| (number("p_low", *r)..=number("p_high", *r)).contains(&number("x", *r)));
            let held = held.count() as f64 / rows as f64;
            // Four standard deviations of 240 rows that decide, and of 1,200 that are looked at.
            let wanted = f64::from(share) / 100.0;
            let spread = (wanted * (1.0 - wanted) * (1.0 / 240.0 + 1.0 / 1200.0)).sqrt();
            assert!((held - wanted).abs() < 4.0 * spread, "{split}: {held} of {share} %");
        }
    }
}

#[test]
fn too_few_rows_for_an_interval_are_told() {
    let few: String = rows(false).lines().take(21).map(|line| format!("{line}\n")).collect();
    let here = shop(&job("split using part", &numbers("conformal = 90%")), &few);
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_ne!(ended.code, 0, "{ended:?}");
    assert!(ended.err.contains("the 4 rows that choose give `m` no intervals of 90 %: they are too few"), "{ended:?}");
    assert!(ended.err.contains("it takes 9 of them"), "{ended:?}");
}

#[test]
fn metrics_have_intervals_and_weights() {
    let text =
        |settings: &str| job("split using part", &model(settings)).replace("  x: float\n", "  x: float in -9.0..\n");
    let here = shop(&text("intervals = 90%"), &rows(false));
    let told = summary(here.path(), &[]);
    assert!(told.contains("  interval  baseline"), "{told}");
    assert_eq!(
        told,
        summary(here.path(), &["--threads", "1", "--no-state"])
            .replace("versions/2 (version 2", "versions/1 (version 1")
    );
    let of = |here: &Path, metric: &str| {
        let found = manifest(here)["metrics"][metric].clone();
        let number = |value: &Value| value.as_f64().expect("a number");
        (number(&found["interval"][0]), number(&found["value"]), number(&found["interval"][1]))
    };
    let (low, value, high) = of(here.path(), "f1");
    assert!(low < value && value < high && high - low < 0.4, "{low} {value} {high}");
    let weighted =
        text("intervals = 90%\n  weight w").replace("  split using part", "  split using part\n  derive w = abs(z)");
    let other = shop(&weighted, &rows(false));
    assert_eq!(dbjob(other.path(), &["run", "job.dbjob"]).code, 0);
    assert_ne!(of(other.path(), "f1").1, value);
}
