//! What a stored model says of itself: against scikit-learn's numbers of the same model, and against its own predictions.

use serde_json::Value as Json;

use super::columns;
use crate::cli::{Ended, dbjob, folder};

const JOB: &str = r#"
dataset houses from csv("houses.csv") {
  id:    int key
  area:  float
  rooms: int in 1..
  town:  category("A", "B", "C")
  price: float label
  big:   bool label
}
transform rows from houses {
  derive per_room = area / (rooms + 1)
  split test 0%
  map town with one_hot
}
"#;

/// The rows of the reference: `price = 3 area + 10 rooms + 25 (town B) - 10 (town C) + noise`, `big = price > 250`.
fn houses() -> String {
    let mut csv = String::from("id,area,rooms,town,price,big\n");
    for i in 0..300_u32 {
        let (area, rooms, town) = (40 + i * 37 % 101, 1 + i * 7 % 5, (i * 11 % 3) as usize);
        let noise = f64::from((i * 7919) % 1000) / 1000.0 - 0.5;
        let price = f64::from(3 * area + 10 * rooms) + [0.0, 25.0, -10.0][town] + 20.0 * noise;
        csv.push_str(&format!("{i},{area},{rooms},{},{price:?},{}\n", ["A", "B", "C"][town], price > 250.0));
    }
    csv
}

fn job(inputs: &str, output: &str, fit: &str) -> String {
    let job = JOB.replace("  split test 0%\n", "  split train 100%\n");
    format!(
        "{job}model m from rows {{\n  input {inputs}\n  output {output}\n  fit {fit}\n}}\ndeploy m {{ to registry(\"models\") }}\n"
    )
}

fn fitted(inputs: &str, output: &str, fit: &str) -> tempfile::TempDir {
    let here = folder(&[("job.dbjob", &job(inputs, output, fit)), ("houses.csv", &houses())]);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{fit}: {ended:?}");
    here
}

fn json(ended: Ended) -> Json {
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.out).expect("a document")
}

fn asked(here: &tempfile::TempDir, command: &str, more: &[&str]) -> Json {
    let args = [&[command, "m", "--input", "houses.csv", "--format", "json"], more].concat();
    json(dbjob(here.path(), &args))
}

fn number(value: &Json) -> f64 {
    value.as_f64().expect("a number")
}

/// `permutation_importance` of scikit-learn 1.9, 2000 repeats, of the same pipelines: column, mean, standard deviation.
const R2: &[(&str, f64, f64)] =
    &[("area", 1.902_097, 0.110_208), ("town", 0.054_483, 0.003_347), ("rooms", 0.049_637, 0.003_115)];
const MAE: &[(&str, f64, f64)] =
    &[("area", 96.164_172, 3.705_349), ("town", 12.273_861, 0.676_707), ("rooms", 11.971_894, 0.607_947)];

#[test]
fn importance_is_that_of_scikit_learn() {
    let here = fitted("area, rooms, town", "price: float", "linear_regression");
    for (metric, value, expected) in [("r2", Some(0.995_819_724_713_696_3), R2), ("mae", None, MAE)] {
        let found = asked(&here, "importance", &["--metric", metric, "--repeats", "100"]);
        assert_eq!((found["metric"].as_str(), found["rows"].as_u64()), (Some(metric), Some(300)));
        if let Some(value) = value {
            assert!((number(&found["value"]) - value).abs() < 1e-9, "{}", found["value"]);
        }
        let columns = found["columns"].as_array().expect("a list");
        assert_eq!(columns.len(), 3);
        for (column, mean, std) in expected {
            let own = columns.iter().find(|c| c["column"] == *column).expect("every column");
            // Of the means of 100 and of 2000 draws.
            let off = (number(&own["mean"]) - mean).abs();
            assert!(off < 5.0 * std * (1.0_f64 / 100.0 + 1.0 / 2000.0).sqrt(), "{metric} of {column}: {own}");
            assert!((number(&own["std"]) / std - 1.0).abs() < 0.35, "{metric} of {column}: {own}");
            let repeats: Vec<f64> = own["repeats"].as_array().expect("a list").iter().map(number).collect();
            let mean = repeats.iter().sum::<f64>() / 100.0;
            assert!((mean - number(&own["mean"])).abs() < 1e-12);
        }
    }
    let again = asked(&here, "importance", &["--repeats", "2"]);
    assert_eq!(again, asked(&here, "importance", &["--repeats", "2"]), "the seed of the job decides");
    assert_ne!(again["columns"], asked(&here, "importance", &["--repeats", "2", "--seed", "8"])["columns"]);
    let text = dbjob(here.path(), &["importance", "m", "--input", "houses.csv", "--repeats", "3"]);
    assert!(
        text.out.starts_with("r2 of 300 rows is 0.9958; how much worse") && text.out.contains(" \u{b1} "),
        "{text:?}"
    );
}

/// `partial_dependence(kind="average", grid_resolution=6)` of scikit-learn 1.9 of the same pipelines.
#[test]
fn dependence_is_that_of_scikit_learn() {
    let here = fitted("area, rooms, town", "price: float", "linear_regression");
    let areas = [44.41, 62.646, 80.882, 99.118, 117.354, 135.59];
    let prices = [
        168.246_384_375_778_77,
        222.951_824_636_459_6,
        277.657_264_897_140_35,
        332.362_705_157_821_1,
        387.068_145_418_501_9,
        441.773_585_679_182_64,
    ];
    let rooms = [284.710_099_192_94, 294.700_049_596_47, 304.69, 314.679_950_403_53, 324.669_900_807_06];
    let towns = [299.509_957_421_898_43, 324.869_995_321_087_74, 289.690_047_257_013_8];
    for (column, values, means) in [
        ("area", Some(&areas[..]), &prices[..]),
        ("rooms", Some(&[1.0, 2.0, 3.0, 4.0, 5.0][..]), &rooms),
        ("town", None, &towns),
    ] {
        let found = asked(&here, "dependence", &["--column", column, "--points", "6"]);
        let points = found["points"].as_array().expect("a list");
        assert_eq!(points.len(), means.len());
        for (i, (point, mean)) in points.iter().zip(means).enumerate() {
            match values {
                Some(values) => assert!((number(&point["value"]) - values[i]).abs() < 1e-9, "{point}"),
                None => assert_eq!(point["value"], ["A", "B", "C"][i]),
            }
            assert!((number(&point["means"][0]) - mean).abs() < 1e-9 * mean, "{column}: {point} {mean}");
        }
    }
    // Of trees, too, and of probabilities: the mean of what `predict` says of the changed rows.
    let here = fitted("area, rooms, town, per_room", "big: bool", "random_forest { trees = 5 }");
    let found = asked(&here, "dependence", &["--column", "rooms", "--points", "5"]);
    assert_eq!(found["classes"], serde_json::json!([false, true]));
    let changed: String = houses()
        .lines()
        .enumerate()
        .map(|(at, line)| {
            let mut cells: Vec<&str> = line.split(',').collect();
            if at > 0 {
                cells[2] = "4";
            }
            cells.join(",") + "\n"
        })
        .collect();
    std::fs::write(here.path().join("four.csv"), changed).expect("a file");
    let ended = dbjob(here.path(), &["predict", "m", "--input", "four.csv", "--output", "four_answers.csv"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let answers = &columns(&here.path().join("four_answers.csv"))["prediction_probability"];
    let mean = answers.iter().map(|p| p.parse::<f64>().expect("a number")).sum::<f64>() / 300.0;
    assert_eq!(found["points"][3]["value"], 4);
    assert!((number(&found["points"][3]["means"][1]) - mean).abs() < 1e-12);
}

/// Base and columns make the score, and the score makes the prediction, for every kind of score.
#[test]
fn contributions_add_up_to_the_prediction() {
    let softmax = |scores: &[f64]| {
        let total: f64 = scores.iter().map(|s| s.exp()).sum();
        scores.iter().map(|s| s.exp() / total).collect::<Vec<f64>>()
    };
    for (output, fit, scale) in [
        ("price: float", "linear_regression", "number"),
        ("price: float", "poisson_regression { alpha = 0.1 }", "log"),
        ("price: float", "gradient_boosting { trees = 20 }", "number"),
        ("big: bool", "logistic_regression", "log_odds"),
        ("big: bool", "gradient_boosting { trees = 20 }", "log_odds"),
        ("big: bool", "random_forest { trees = 10 }", "probability"),
        ("rooms: int classes", "logistic_regression", "softmax"),
        ("rooms: int classes", "gradient_boosting { trees = 5 }", "softmax"),
    ] {
        let inputs = if output.starts_with("rooms") { "area, town, price" } else { "area, rooms, town, per_room" };
        let job = job(inputs, output, fit);
        let job = if output.starts_with("rooms") { job.replace("price: float label", "price: float") } else { job };
        let here = folder(&[("job.dbjob", &job), ("houses.csv", &houses())]);
        let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
        assert_eq!(ended.code, 0, "{fit}: {ended:?}");
        let found = asked(&here, "explain-prediction", &[]);
        assert_eq!((&found["scale"], found["rows"].as_array().map(Vec::len)), (&Json::from(scale), Some(300)), "{fit}");
        for row in found["rows"].as_array().expect("a list").iter().step_by(17) {
            let scores = row["scores"].as_array().expect("a list");
            let mut sums = Vec::new();
            for score in scores {
                let parts = score["parts"].as_array().expect("a list");
                let adds: Vec<f64> = parts.iter().map(|part| number(&part["adds"])).collect();
                assert!(adds.is_sorted_by(|a, b| a.abs() >= b.abs()), "the largest first: {parts:?}");
                let sum = number(&score["base"]) + adds.iter().sum::<f64>();
                assert!((sum - number(&score["score"])).abs() < 1e-9);
                sums.push(sum);
                // The one-hot vector of `town` is told as `town`; what two columns make stands for both.
                let names = |part: &Json| part["columns"].as_object().expect("an object").keys().cloned().collect();
                let told: Vec<Vec<String>> = parts.iter().map(names).collect();
                assert_eq!(told.iter().filter(|names| **names == ["town"]).count(), 1);
                assert_eq!(told.iter().any(|names| *names == ["area", "rooms"]), inputs.contains("per_room"));
            }
            let said = &row["prediction"];
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{fit}: {a} {b}");
            match scale {
                "number" => close(sums[0], number(&said["prediction"])),
                "log" => close(sums[0].exp(), number(&said["prediction"])),
                "log_odds" => close(1.0 / (1.0 + (-sums[0]).exp()), number(&said["prediction_probability"])),
                "probability" => close(sums[1], number(&said["prediction_probability"])),
                _ => {
                    for (class, p) in (1..=5).zip(softmax(&sums)) {
                        close(p, number(&said[format!("prediction_probability_{class}")]));
                    }
                }
            }
        }
    }
}

#[test]
fn rows_are_found_by_number_and_by_key() {
    let here = fitted("area, rooms, town, per_room", "big: bool", "logistic_regression");
    let by_number = asked(&here, "explain-prediction", &["--row", "18"]);
    assert_eq!(by_number["rows"].as_array().map(Vec::len), Some(1));
    assert_eq!(by_number["rows"][0]["row"], 18);
    assert_eq!(by_number, asked(&here, "explain-prediction", &["--key", "id=17"]));
    let many = asked(&here, "explain-prediction", &["--row", "18", "--row", "3"]);
    assert_eq!(many["rows"][0], by_number["rows"][0]);
    assert_eq!(many["rows"][1]["row"], 3);

    let text = dbjob(here.path(), &["explain-prediction", "m", "--input", "houses.csv", "--row", "18"]);
    assert_eq!(text.code, 0, "{text:?}");
    let lines: Vec<&str> = text.out.lines().collect();
    assert!(lines[0].starts_with("row 18: big = "), "{}", text.out);
    assert!(lines[1].starts_with("what each column adds to the log-odds of true"), "{}", text.out);
    assert!(lines[3].trim_start().starts_with("base") && lines.last().expect("lines").trim_start().starts_with("sum"));
    assert!(text.out.contains("  area, rooms  "), "{}", text.out);

    let failed = |more: &[&str], code: &str, what: &str| {
        let args = [&["explain-prediction", "m", "--input", "houses.csv"], more].concat();
        let ended = dbjob(here.path(), &args);
        assert!(ended.code == 1 && ended.err.contains(code) && ended.err.contains(what), "{more:?}: {ended:?}");
    };
    failed(&["--row", "301"], "E0719", "has no row 301: it has 300 rows");
    failed(&["--row", "0"], "E0719", "has no row 0");
    failed(&["--key", "id=999"], "E0719", "has no row with id = 999");
    failed(&["--key", "idd=9"], "E0705", "did you mean `id`?");
    failed(&["--row", "1", "--class", "tru"], "E0725", "did you mean `true`?");
    // A row that is refused is named as it stands in the file.
    let strange = houses().replacen("\n17,63,5,B,", "\n17,63,5,D,", 1);
    assert_ne!(strange, houses());
    std::fs::write(here.path().join("strange.csv"), strange).expect("a file");
    let ended = dbjob(here.path(), &["explain-prediction", "m", "--input", "strange.csv", "--row", "18"]);
    assert!(ended.code == 1 && ended.err.contains("row 18"), "{ended:?}");
}

#[test]
fn what_a_model_does_not_know_is_an_error_that_says_who_does() {
    let here = fitted("area, rooms", "big: bool", "knn");
    let failed = |args: &[&str], what: &str| {
        let ended = dbjob(here.path(), args);
        assert!(ended.code == 1 && ended.err.contains("E0725") && ended.err.contains(what), "{args:?}: {ended:?}");
    };
    let rows = ["--input", "houses.csv"];
    failed(&[&["explain-prediction", "m"][..], &rows].concat(), "decision_tree");
    failed(&["importance", "m"], "--input FILE");
    failed(&[&["importance", "m", "--metric", "rmse"][..], &rows].concat(), "there is no metric `rmse` of classes");
    failed(&[&["importance", "m", "--metric", "acuracy"][..], &rows].concat(), "did you mean `accuracy`?");
    failed(&[&["importance", "m", "--test-part"][..], &rows].concat(), "it was judged by no rows");
    failed(&[&["dependence", "m", "--column", "aria"][..], &rows].concat(), "did you mean `area`?");
    // Shuffling works for every model.
    let found = asked(&here, "importance", &["--metric", "auc"]);
    assert_eq!(found["columns"][0]["column"], "area");
}

#[test]
fn gains_are_of_the_columns_that_are_sent() {
    let here = fitted("area, rooms, town, per_room", "price: float", "gradient_boosting { trees = 20 }");
    let found = json(dbjob(here.path(), &["importance", "m", "--format", "json"]));
    let columns = found["columns"].as_array().expect("a list");
    let shares: Vec<f64> = columns.iter().map(|c| number(&c["share"])).collect();
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12 && shares.is_sorted_by(|a, b| a >= b), "{shares:?}");
    assert_eq!(columns[0]["columns"], serde_json::json!(["area"]));
    assert_eq!(columns.iter().filter(|c| c["columns"] == serde_json::json!(["town"])).count(), 1);
    let both = columns.iter().find(|c| c["columns"] == serde_json::json!(["area", "rooms"])).expect("told together");
    assert_eq!(both["inputs"], serde_json::json!(["per_room"]));
    let text = dbjob(here.path(), &["importance", "m"]);
    assert!(text.out.contains("area, rooms"), "{text:?}");
}

/// The test part is known again in the file of the job by its key.
#[test]
fn importance_of_the_test_part() {
    let job = job("area, rooms, town", "price: float", "linear_regression\n  evaluate r2")
        .replace("split train 100%", "split test 20%");
    let here = folder(&[("job.dbjob", &job), ("houses.csv", &houses())]);
    let ended = dbjob(here.path(), &["run", "--json", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let judged = ended
        .out
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).expect("an event"))
        .find(|event| event["event"] == "evaluated")
        .expect("it was evaluated");
    let found = asked(&here, "importance", &["--test-part"]);
    assert_eq!(found["rows"], judged["rows"]["test"]);
    assert!(found["rows"].as_u64().expect("a number") < 100);
    let metric = number(&judged["metrics"][0][1]["value"]);
    assert!((number(&found["value"]) - metric).abs() < 1e-12, "{} {metric}", found["value"]);
    // Without a row of it in the file it is not known.
    let half: Vec<String> = houses().lines().take(150).map(str::to_owned).collect();
    std::fs::write(here.path().join("half.csv"), half.join("\n") + "\n").expect("a file");
    let ended = dbjob(here.path(), &["importance", "m", "--input", "half.csv", "--test-part"]);
    assert!(ended.code == 1 && ended.err.contains("the test part of `m` is not known again"), "{ended:?}");
}
