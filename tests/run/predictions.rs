//! A prediction is the same wherever it is made.

use std::fs;
use std::path::Path;

use super::columns;
use crate::cli::{dbjob, folder};

const JOB: &str = r#"
dataset penguins from csv("penguins.csv", nulls = ["NA"]) {
  species: category("Adelie", "Chinstrap", "Gentoo") label
  island:  category
  bill_length_mm: float?
  bill_depth_mm:  float?
  flipper_length_mm: int?
  body_mass_g: int?
  sex: category("female", "male")?
  year: int
}
transform numbered from penguins {
  derive size = bill_length_mm * bill_depth_mm
  split test 25%
}
"#;

fn job(model: &str) -> String {
    format!(
        "{JOB}
transform rows from numbered {{
  map bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g, size with impute(median), standardize
  map island, sex with one_hot
}}
model guess from rows {{
  input  island, sex, bill_length_mm, bill_depth_mm, flipper_length_mm as \"flipper\", body_mass_g, size
  output species
  fit {model}
  evaluate accuracy, log_loss
  require accuracy > baseline
}}
deploy guess {{ to registry(\"models\") }}
transform own from rows {{
  predict guess as p
  select p, p_probability_Adelie, p_probability_Chinstrap, p_probability_Gentoo
}}
deploy own {{ to csv(\"own.csv\") }}
transform replayed from penguins {{
  rename flipper_length_mm as flipper
  predict guess as p
}}
deploy replayed {{ to csv(\"replayed.csv\") }}
transform request from penguins {{
  rename flipper_length_mm as flipper
}}
deploy request {{ to csv(\"request.csv\"); to parquet(\"request.parquet\") }}
"
    )
}

#[test]
fn in_a_run_from_a_package_elsewhere_and_in_a_step() {
    let data =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/penguins.csv")).expect("penguins");
    for model in [
        "random_forest { trees = 30 }",
        "logistic_regression",
        "logistic_regression { epochs = 20 }",
        "knn { weights = distance }",
        "naive_bayes",
        "svm",
    ] {
        let job = job(model);
        let here = folder(&[("job.dbjob", &job), ("penguins.csv", &data)]);
        let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
        assert_eq!(ended.code, 0, "{model}: {ended:?}");

        // The package in another folder, far from the registry.
        let elsewhere = folder(&[]);
        let package = elsewhere.path().join("package");
        fs::create_dir(&package).expect("a folder");
        for name in super::files_below(&here.path().join("models/guess/versions/1")) {
            let to = package.join(&name);
            fs::create_dir_all(to.parent().expect("below the package")).expect("a folder");
            fs::copy(here.path().join("models/guess/versions/1").join(&name), to).expect("a copy");
        }
        let names = ["p", "p_probability_Adelie", "p_probability_Chinstrap", "p_probability_Gentoo"];
        let own = columns(&here.path().join("own.csv"));
        let replayed = columns(&here.path().join("replayed.csv"));
        for input in ["request.csv", "request.parquet"] {
            fs::copy(here.path().join(input), elsewhere.path().join(input)).expect("a copy");
            let args = ["predict", "package", "--input", input, "--output", "answers.csv", "--as", "p"];
            let ended = dbjob(elsewhere.path(), &args);
            assert_eq!(ended.code, 0, "{model}, {input}: {ended:?}");
            let answers = columns(&elsewhere.path().join("answers.csv"));
            for name in names {
                assert_eq!(answers[name].len(), 344, "{name}");
                assert_eq!(answers[name], own[name], "{model}: {name} of `dbjob predict` on {input}");
                assert_eq!(replayed[name], own[name], "{model}: {name} of a `predict` step on other rows");
            }
        }

        // One row alone is answered as it is among the others.
        let request = fs::read_to_string(here.path().join("request.csv")).expect("the request");
        let lines: Vec<&str> = request.lines().collect();
        for row in [1, 4, 200, 344] {
            fs::write(elsewhere.path().join("one.csv"), format!("{}\n{}\n", lines[0], lines[row])).expect("one row");
            let ended = dbjob(
                elsewhere.path(),
                &["predict", "package", "--input", "one.csv", "--output", "one_answer.csv", "--as", "p"],
            );
            assert_eq!(ended.code, 0, "{model}, row {row}: {ended:?}");
            let answer = columns(&elsewhere.path().join("one_answer.csv"));
            for name in names {
                assert_eq!(answer[name][0], own[name][row - 1], "{model}: {name} of row {row} alone");
            }
        }
    }
}

#[test]
fn a_regression_on_a_mapped_output_answers_in_its_own_units() {
    let mut data = String::from("id,x,y\n");
    for i in 0..400 {
        let x = f64::from(i) / 40.0;
        data.push_str(&format!("{i},{x},{}\n", (0.3 * x).exp()));
    }
    let job = r#"
dataset points from csv("points.csv") { id: int key; x: float; y: float in 0.0.. }
transform rows from points { split test 25%; map y with log1p, standardize }
model curve from rows {
  input x
  output y: float
  fit linear_regression
  evaluate rmse, r2
  require r2 > 0.9
}
deploy curve { to registry("models") }
transform answered from rows { predict curve as guess; unmap y }
deploy answered { to csv("answered.csv") }
"#;
    let here = folder(&[("job.dbjob", job), ("points.csv", &data)]);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let answered = columns(&here.path().join("answered.csv"));
    let number = |cell: &String| cell.parse::<f64>().expect("a number");
    let worst =
        answered["y"].iter().zip(&answered["guess"]).map(|(y, guess)| (number(y) - number(guess)).abs() / number(y));
    assert!(worst.fold(0.0, f64::max) < 0.5, "predictions are in the units of y");
    for (index, y) in answered["y"].iter().enumerate() {
        let x = index as f64 / 40.0;
        assert!((number(y) - (0.3 * x).exp()).abs() <= 1e-9 * number(y), "row {index}: {y} is not what was mapped");
    }
}

#[test]
fn what_means_null_to_the_dataset_means_null_in_a_callers_file() {
    let here = super::copy_of_examples();
    let ended = dbjob(here.path(), &["run", "--quiet", "penguins.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    // The very file that the model learned from has `NA` where nothing was measured.
    let args = ["predict", "species_of", "--input", "data/penguins.csv", "--output", "answers.csv", "--as", "guess"];
    let ended = dbjob(here.path(), &args);
    assert_eq!(ended.code, 0, "{ended:?}");
    let (answers, judged) = (columns(&here.path().join("answers.csv")), columns(&here.path().join("out/penguins.csv")));
    for name in ["guess", "guess_probability_Adelie", "guess_probability_Chinstrap", "guess_probability_Gentoo"] {
        assert_eq!(answers[name], judged[name], "{name}");
    }
    assert_eq!(answers["sex"][3], "NA", "the caller's columns come back as they were");
}

#[test]
fn a_run_tells_its_begin_and_its_end_once() {
    let here = super::copy_of_examples();
    let ended = dbjob(here.path(), &["run", "--json", "penguins.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let events: Vec<serde_json::Value> =
        ended.out.lines().map(|l| serde_json::from_str(l).expect("a JSON object a line")).collect();
    let count = |name: &str| events.iter().filter(|e| e["event"] == name).count();
    assert_eq!((count("run_started"), count("run_finished")), (1, 1), "{}", ended.out);
    assert_eq!(events[0]["event"], "run_started");
    assert_eq!(events.last().expect("events")["event"], "run_finished");
}

/// Which classes are taken for which, by all test rows.
#[test]
fn the_confusion_of_classes_is_told_and_kept() {
    let here = super::copy_of_examples();
    let ended = dbjob(here.path(), &["run", "--json", "penguins.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let evaluated = ended
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an event"))
        .find(|event| event["event"] == "evaluated")
        .expect("it was evaluated");
    let manifest = fs::read_to_string(here.path().join("models/species_of/versions/1/manifest.json")).expect("one");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("a manifest");
    let confusion = &manifest["confusion"];
    assert_eq!(*confusion, evaluated["confusion"]);
    let rows: Vec<Vec<u64>> = serde_json::from_value(confusion["rows"].clone()).expect("numbers");
    let right: u64 = (0..3).map(|c| rows[c][c]).sum();
    let all: u64 = rows.iter().flatten().sum();
    assert_eq!(evaluated["rows"]["test"].as_u64(), Some(all));
    let accuracy =
        evaluated["metrics"].as_array().expect("pairs").iter().find(|m| m[0] == "accuracy").expect("asked for");
    assert!((right as f64 / all as f64 - accuracy[1]["value"].as_f64().expect("a number")).abs() < 1e-12);
}
