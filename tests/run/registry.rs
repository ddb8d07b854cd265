//! Versions of a model: which one a run makes live, what keeps it from that, and how far rows are from its training.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::cli::{Ended, dbjob, folder};

fn data() -> String {
    let mut text = String::from("id,age,plan,spent,stays\n");
    for i in 0..400 {
        let (age, plan) = (18 + i * 7 % 60, ["free", "pro", "team"][i % 3]);
        let spent = (i * 37 % 101) as f64 / 2.0;
        let gap = if i % 11 == 0 { String::new() } else { age.to_string() };
        text.push_str(&format!(
            "{id},{gap},{plan},{spent:?},{stays}\n",
            id = i + 1,
            stays = spent > 20.0 + (age % 10) as f64
        ));
    }
    text
}

fn job(columns: &str, inputs: &str, rest: &str) -> String {
    format!(
        "
dataset people from csv(\"people.csv\") {{
  id:    int key
  age:   int? in 0..=120
  {columns}
  spent: float
  stays: bool label
}}
transform rows from people {{
  filter spent >= 0.0
  split test 30%
  rename spent as paid
  map age with impute(median), standardize
  map paid with log1p, standardize
  map plan with one_hot
}}
model stays_on from rows {{
  input {inputs}
  output stays: bool
  {rest}
}}
deploy stays_on {{ to registry(\"models\") }}
"
    )
}

const PLAN: &str = "plan:  category(\"free\", \"pro\", \"team\")";
const FIT: &str = "fit logistic_regression\n  evaluate accuracy\n  require accuracy >= 0.7";

fn run(here: &Path, job: &str) -> Ended {
    fs::write(here.join("job.dbjob"), job).unwrap();
    dbjob(here, &["run", "job.dbjob"])
}

fn current(here: &Path) -> String {
    fs::read_to_string(here.join("models/stays_on/current")).unwrap().trim().to_owned()
}

fn json(here: &Path, args: &[&str]) -> Json {
    let ended = dbjob(here, args);
    serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{e}: {ended:?}"))
}

#[test]
fn what_breaks_callers_is_kept_and_not_live_until_somebody_says_so() {
    let place = folder(&[("people.csv", &data())]);
    let here = place.path();
    assert_eq!(run(here, &job(PLAN, "age, plan", "fit dummy")).code, 0);
    // Callers know nothing of a further input; the plan says so before, the run after.
    let wider = job(PLAN, "age, plan, paid", FIT);
    fs::write(here.join("job.dbjob"), &wider).unwrap();
    let plan = dbjob(here, &["plan", "job.dbjob"]);
    assert!(plan.out.contains("breaking: requests need the new field spent: float"), "{plan:?}");
    let ended = run(here, &wider);
    assert!(ended.code == 1 && ended.err.contains("E0771"), "{ended:?}");
    assert!(ended.out.contains("(version 2, not promoted)\n    breaks callers: requests need"), "{ended:?}");
    assert_eq!(current(here), "1");
    // The same run again finds the same, without another version.
    let again = run(here, &wider);
    assert!(again.code == 1 && again.err.contains("E0771"), "{again:?}");
    assert_eq!(json(here, &["models", "list", "--json"])[0]["versions"].as_array().unwrap().len(), 2);
    assert_eq!(dbjob(here, &["models", "promote", "stays_on", "--allow-breaking"]).code, 0);
    assert_eq!((current(here).as_str(), run(here, &wider).code), ("2", 0));
    assert_eq!(dbjob(here, &["models", "rollback", "stays_on"]).code, 0);
    assert_eq!(current(here), "1");
    // What was taken back does not come back by itself.
    assert_eq!((run(here, &wider).code, current(here).as_str()), (1, "1"));
    let fresh = dbjob(here, &["run", "job.dbjob", "--fresh"]);
    assert_eq!(current(here), "1", "{fresh:?}");
}

#[test]
fn a_level_and_a_range_that_are_gone_break_callers_and_new_ones_do_not() {
    let place = folder(&[("people.csv", &data())]);
    let here = place.path();
    assert_eq!(run(here, &job(PLAN, "age, plan, paid", FIT)).code, 0);
    let more = PLAN.replace("\"team\")", "\"team\", \"trial\")");
    let ended = run(here, &job(&more, "age, plan, paid", FIT).replace("in 0..=120", "in 0..=130"));
    assert_eq!((ended.code, current(here).as_str()), (0, "2"), "{ended:?}");
    let ended = run(here, &job(PLAN, "age, plan, paid", FIT));
    assert!(ended.code == 1 && ended.err.contains("`plan` may not be \"trial\" any more"), "{ended:?}");
    assert!(ended.err.contains("in 0..=120"), "{ended:?}");
    let found = json(here, &["models", "diff", "stays_on@1", "2", "--json"]);
    assert_eq!((&found["breaking"], found["contract"].as_array().unwrap().len()), (&Json::from(false), 2));
}

#[test]
fn a_challenger_must_beat_the_champion_that_is_live() {
    let place = folder(&[("people.csv", &data())]);
    let here = place.path();
    let gate = |fit: &str| {
        job(PLAN, "age, plan, paid", &format!("fit {fit}\n  evaluate accuracy\n  require accuracy > deployed"))
    };
    // Nothing is live yet.
    assert_eq!((run(here, &gate("dummy")).code, current(here).as_str()), (0, "1"));
    assert_eq!((run(here, &gate("random_forest { trees = 40 }")).code, current(here).as_str()), (0, "2"));
    let worse = run(here, &gate("decision_tree { max_depth = 1 }"));
    assert!(worse.code == 1 && worse.out.contains("failed  require accuracy > deployed"), "{worse:?}");
    assert_eq!(current(here), "2");
    let shown = dbjob(here, &["models", "show", "stays_on@3"]);
    assert!(shown.out.contains("rejected") && shown.out.contains("deployed.accuracy = "), "{shown:?}");
    // After a rollback the champion is another one.
    assert_eq!(dbjob(here, &["models", "rollback", "stays_on"]).code, 0);
    let better = run(here, &gate("decision_tree { max_depth = 1 }"));
    assert_eq!((better.code, current(here).as_str()), (0, "4"), "{better:?}");
}

#[test]
fn drift_is_told_of_what_callers_send_and_get() {
    let place = folder(&[("people.csv", &data())]);
    let here = place.path();
    assert_eq!(run(here, &job(PLAN, "age, plan, paid", FIT)).code, 0);
    let same = json(here, &["drift", "stays_on", "--input", "people.csv", "--format", "json"]);
    let columns = |found: &Json, of: &str| -> Vec<Json> { found[of].as_array().unwrap().clone() };
    assert_eq!(columns(&same, "columns").len(), 3);
    assert!(columns(&same, "columns").iter().all(|c| c["psi"].as_f64().unwrap() < 0.1), "{same}");
    assert_eq!((&same["refused"], &same["rows"]["now"]), (&Json::from(0), &Json::from(400)));

    let mut other = String::from("id,age,plan,spent\n");
    for i in 0..200 {
        let plan = if i % 4 == 0 { "gold" } else { "pro" };
        let age = if i % 2 == 0 { String::new() } else { (60 + i % 30).to_string() };
        other.push_str(&format!("{i},{age},{plan},{}.0\n", 40 + i % 30));
    }
    fs::write(here.join("today.csv"), &other).unwrap();
    let far = json(here, &["drift", "stays_on", "--input", "today.csv", "--format", "json"]);
    let of = |name: &str| columns(&far, "columns").into_iter().find(|c| c["column"] == name).unwrap();
    assert_eq!(of("plan")["new_levels"], serde_json::json!([["gold", 50]]));
    assert_eq!((&of("plan")["ks"], &of("plan")["new_level_rows"]), (&Json::Null, &Json::from(50)));
    assert_eq!(of("age")["null_rate"]["now"], 0.5);
    assert!((of("age")["null_rate"]["training"].as_f64().unwrap() - 1.0 / 11.0).abs() < 0.05, "{far}");
    assert!(of("spent")["ks"].as_f64().unwrap() > 0.7 && of("spent")["psi"].as_f64().unwrap() > 1.0, "{far}");
    let order: Vec<f64> = columns(&far, "columns").iter().map(|c| c["psi"].as_f64().unwrap()).collect();
    assert!(order.is_sorted_by(|a, b| a >= b), "{far}");
    assert_eq!(far["refused"], 50, "a level that is not declared is refused, and counted");
    assert!(columns(&far, "predictions").iter().any(|c| c["psi"].as_f64().unwrap() > 0.2), "{far}");

    let ended = dbjob(here, &["drift", "stays_on", "--input", "people.csv", "--fail-over", "0.2"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let ended = dbjob(here, &["drift", "stays_on", "--input", "today.csv", "--fail-over", "0.2"]);
    assert!(ended.code == 1 && ended.err.contains("`plan` has drifted"), "{ended:?}");
    assert!(ended.out.contains("50 rows of new levels: \"gold\" (50)"), "{ended:?}");
    let ended = dbjob(here, &["drift", "stays_on", "--input", "people.csv", "--fail-over", "much"]);
    assert_eq!(ended.code, 2);
}

#[test]
fn a_version_as_an_onnx_file_or_a_reason_why_not() {
    let place = folder(&[("people.csv", &data())]);
    let here = place.path();
    assert_eq!(run(here, &job(PLAN, "age, plan, paid", FIT)).code, 0);
    assert_eq!(dbjob(here, &["models", "export", "stays_on", "--onnx", "out/m.onnx"]).code, 0);
    assert!(fs::metadata(here.join("out/m.onnx")).unwrap().len() > 1000);
    assert_eq!(run(here, &job(PLAN, "age, plan, paid", "fit knn")).code, 0);
    let ended = dbjob(here, &["models", "export", "stays_on", "--onnx", "out/n.onnx"]);
    assert!(ended.code == 1 && ended.err.contains("E0603") && ended.err.contains("knn"), "{ended:?}");
    assert!(!here.join("out/n.onnx").exists());
}
