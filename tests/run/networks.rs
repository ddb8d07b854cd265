//! A network and a generalised linear model from a job to predictions: options arrive, the gates hold, and a package
//! predicts what the run did.

use std::fs;
use std::path::Path;

use super::columns;
use crate::cli::{dbjob, folder};

const JOB: &str = r#"
job penguins { seed = 7 }
dataset penguins from csv("penguins.csv", nulls = ["NA"]) {
  species: category("Adelie", "Chinstrap", "Gentoo") label
  bill_length_mm: float?
  bill_depth_mm:  float?
  flipper_length_mm: int?
  body_mass_g: int? in 1..
}
transform rows from penguins {
  filter body_mass_g is not null
  split test 20%
  map bill_length_mm, bill_depth_mm, flipper_length_mm with impute(median), standardize
}
model species_of from rows {
  input bill_length_mm, bill_depth_mm, flipper_length_mm
  output species: category("Adelie", "Chinstrap", "Gentoo")
  fit mlp { layers = [16, 8], epochs = 200, learning_rate = 0.01, optimizer = adam }
  evaluate accuracy, log_loss
  require accuracy >= 0.9 and log_loss < baseline
}
model mass_of from rows {
  input bill_length_mm, bill_depth_mm, flipper_length_mm
  output body_mass_g: float
  fit gamma_regression { alpha = 0 }
  evaluate rmse
  require rmse < baseline
}
deploy species_of { to registry("models") }
deploy mass_of { to registry("models") }
transform scored from rows {
  predict species_of as s
  predict mass_of as m
  select s, s_probability_Gentoo, m
}
deploy scored { to csv("scored.csv") }
"#;

fn penguins() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/penguins.csv");
    fs::read_to_string(path).expect("penguins")
}

#[test]
fn adam_trains_a_network_and_a_package_predicts_as_the_run_did() {
    let rows = penguins();
    let kept: Vec<&str> = rows.lines().collect();
    let mass = kept[0].split(',').position(|name| name == "body_mass_g").expect("a column of masses");
    let kept: Vec<&str> = kept.into_iter().filter(|row| row.split(',').nth(mass) != Some("NA")).collect();
    let here = folder(&[("job.dbjob", JOB), ("penguins.csv", &kept.join("\n"))]);
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let scored = columns(&here.path().join("scored.csv"));
    for (model, column) in [("species_of", "s"), ("mass_of", "m")] {
        let package = format!("models/{model}");
        let ended = dbjob(here.path(), &["predict", &package, "--input", "penguins.csv", "--output", "out.csv"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let out = columns(&here.path().join("out.csv"));
        assert_eq!(out["prediction"], scored[column], "{model}");
    }
    assert!(scored["m"].iter().all(|m| m.parse::<f64>().expect("a number") > 2000.0), "{:?}", scored["m"]);
}
