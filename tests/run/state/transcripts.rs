//! After each kind of change: what `plan` says, what `run` does, and that both are the same.

use std::fs;
use std::time::Duration;

use super::{JOB, Place, ran};

const ALL: &[&str] =
    &["dataset orders", "deploy live", "deploy totals", "model comes_back", "transform rows", "transform totals"];

/// A place in which the job has run.
fn after_a_run() -> Place {
    let place = Place::new(JOB);
    assert_eq!(place.planned(&[]), ALL);
    assert_eq!(ran(&place.run()), ALL);
    place
}

/// What is planned runs, and then nothing is left to do.
fn runs_as_planned(place: &Place, planned: &[&str], more: &[&str]) {
    assert_eq!(place.planned(more), planned);
    assert_eq!(ran(&place.run_with(more)), planned);
    assert_eq!(place.planned(more), Vec::<String>::new());
    assert_eq!(ran(&place.run_with(more)), Vec::<String>::new());
}

#[test]
fn a_second_run_does_nothing() {
    let place = after_a_run();
    let before = fs::metadata(place.path("out/totals.csv")).unwrap().modified().unwrap();
    runs_as_planned(&place, &[], &[]);
    assert_eq!(fs::metadata(place.path("out/totals.csv")).unwrap().modified().unwrap(), before);
    let text = place.call(&["plan", "job.dbjob"]).out;
    assert!(text.starts_with("job returns: nothing to do, everything is up to date\n"), "{text}");
    // Versions are not made twice.
    assert_eq!(fs::read_dir(place.path("models/comes_back/versions")).unwrap().count(), 1);
    let summary = place.call(&["run", "job.dbjob"]).out;
    assert!(summary.contains("up to date") && summary.contains("accuracy"), "{summary}");
}

#[test]
fn a_comment_layout_and_the_order_of_items_cost_nothing() {
    let place = after_a_run();
    place.edit("  filter amount >= least\n", "  # Small orders say little.\n  filter amount>=least   # here\n\n");
    runs_as_planned(&place, &[], &[]);
    place.edit("## Who comes back?", "## Who comes back, and who does not?");
    let text = fs::read_to_string(place.path("job.dbjob")).unwrap();
    let (before, after) = text.split_at(text.find("transform totals").unwrap());
    let (head, middle) = before.split_at(before.find("dataset orders").unwrap());
    fs::write(place.path("job.dbjob"), format!("{head}{after}\n{middle}")).unwrap();
    runs_as_planned(&place, &[], &[]);
}

#[test]
fn names_of_steps_on_the_way_cost_nothing() {
    let place = after_a_run();
    let text = fs::read_to_string(place.path("job.dbjob")).unwrap();
    let text = text.replace(" each", " apiece");
    fs::write(place.path("job.dbjob"), text).unwrap();
    runs_as_planned(&place, &[], &[]);
    // A table that is written shows its names.
    place.edit("orders = count()", "n = count()");
    runs_as_planned(&place, &["dataset orders", "deploy totals", "transform totals"], &[]);
}

#[test]
fn a_learning_rate_retrains_one_model_from_its_kept_table() {
    let place = after_a_run();
    place.edit("learning_rate = 0.05", "learning_rate = 0.1");
    let causes = place.causes("model comes_back", &[]);
    assert_eq!(causes.len(), 1, "{causes:?}");
    let cause = &causes[0];
    assert_eq!((cause["cause"].as_str(), cause["name"].as_str()), (Some("option"), Some("learning_rate")));
    assert_eq!((cause["was"].as_str(), cause["now"].as_str()), (Some("0.05"), Some("0.1")));
    let why = place.call(&["why", "job.dbjob", "comes_back"]);
    assert!(why.out.contains("learning_rate: 0.05 -> 0.1"), "{why:?}");
    let text = place.call(&["plan", "job.dbjob"]).out;
    let says = |words: [&str; 3]| text.lines().any(|l| l.split_whitespace().take(3).eq(words));
    assert!(says(["transform", "rows", "reuse"]) && says(["model", "comes_back", "retrain"]), "{text}");
    runs_as_planned(&place, &["deploy live", "model comes_back"], &[]);
    // Back again: both versions are known, and what is deployed is the older one as a new version.
    place.edit("learning_rate = 0.1", "learning_rate = 0.05");
    runs_as_planned(&place, &["deploy live"], &[]);
}

#[test]
fn another_metric_or_gate_judges_the_model_and_does_not_learn_it_again() {
    let place = after_a_run();
    place.edit("evaluate accuracy", "evaluate accuracy, auc\n  require auc > 0.5");
    let plan = place.plan(&[]);
    let model = plan["items"].as_array().unwrap().iter().find(|i| i["item"] == "comes_back").unwrap().clone();
    assert_eq!(model["fate"], "judged", "{model:#}");
    let events = place.call(&["run", "job.dbjob", "--json"]).out;
    assert!(!events.contains("\"progress\""), "nothing is fitted: {events}");
    let text = place.call(&["run", "job.dbjob"]).out;
    assert!(text.contains("auc") && text.contains("held    require auc > 0.5"), "{text}");
    let weights =
        |n: u32| fs::read(place.path(&format!("models/comes_back/versions/{n}/weights.safetensors"))).unwrap();
    assert!(weights(1) == weights(2));
    runs_as_planned(&place, &[], &[]);
}

#[test]
fn a_touched_file_costs_nothing_and_a_changed_row_costs_what_it_reaches() {
    let place = after_a_run();
    std::thread::sleep(Duration::from_millis(20));
    let data = fs::read(place.path("orders.csv")).unwrap();
    fs::write(place.path("orders.csv"), &data).unwrap();
    runs_as_planned(&place, &[], &[]);
    let text = String::from_utf8(data).unwrap();
    let (line, changed) = (text.lines().nth(7).unwrap(), text.lines().nth(7).unwrap().replacen("true", "false", 1));
    let changed = if changed == line { line.replacen("false", "true", 1) } else { changed };
    place.edit_file("orders.csv", line, &changed);
    let causes = place.causes("model comes_back", &[]);
    assert_eq!(causes[0]["cause"], "data");
    assert!(causes[0]["changed"][0].as_str().unwrap().ends_with("orders.csv"), "{causes:?}");
    runs_as_planned(&place, ALL, &[]);
}

#[test]
fn a_param_costs_what_names_it() {
    let place = after_a_run();
    let more = ["--set", "least=6.0"];
    let causes = place.causes("model comes_back", &more);
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert_eq!((causes[0]["cause"].as_str(), causes[0]["name"].as_str()), (Some("param"), Some("least")));
    let computed = ["dataset orders", "deploy live", "model comes_back", "transform rows"];
    runs_as_planned(&place, &computed, &more);
    // The first value is known, too.
    assert_eq!(place.planned(&[]), ["deploy live"]);
}

#[test]
fn a_function_costs_what_calls_it() {
    let place = after_a_run();
    place.edit("= amount / items", "= amount / items + 1.0");
    let causes = place.causes("model comes_back", &[]);
    assert_eq!(causes[0]["cause"], "meaning", "{causes:?}");
    runs_as_planned(&place, &["dataset orders", "deploy live", "model comes_back", "transform rows"], &[]);
}

#[test]
fn a_step_is_shown_with_what_it_was() {
    let place = after_a_run();
    place.edit("filter amount >= least", "filter amount > least");
    let why = place.call(&["why", "job.dbjob", "comes_back"]).out;
    assert!(why.contains("filter amount > least") && why.contains("was: filter amount >= least"), "{why}");
    assert!(why.contains("job.dbjob:"), "{why}");
}

#[test]
fn a_column_that_a_model_does_not_read_does_not_retrain_it() {
    let place = after_a_run();
    place.edit("  split test 25%", "  derive big = amount > 50.0\n  split test 25%");
    runs_as_planned(&place, &[], &[]);
}

#[test]
fn an_output_that_was_taken_away_or_changed_is_written_again() {
    let place = after_a_run();
    let before = fs::read(place.path("out/totals.csv")).unwrap();
    fs::remove_file(place.path("out/totals.csv")).unwrap();
    runs_as_planned(&place, &["dataset orders", "deploy totals", "transform totals"], &[]);
    assert_eq!(fs::read(place.path("out/totals.csv")).unwrap(), before);
    fs::write(place.path("out/totals.csv"), "mine now").unwrap();
    assert_eq!(
        place.plan(&[])["items"].as_array().unwrap().iter().filter(|i| i["lost"] == "output_changed").count(),
        1
    );
    runs_as_planned(&place, &["dataset orders", "deploy totals", "transform totals"], &[]);
    assert_eq!(fs::read(place.path("out/totals.csv")).unwrap(), before);
}

#[test]
fn fresh_computes_everything_and_finds_the_same() {
    let place = after_a_run();
    let before = fs::read(place.path("out/totals.csv")).unwrap();
    assert_eq!(place.planned(&["--fresh"]), ALL);
    assert_eq!(ran(&place.run_with(&["--fresh"])), ALL);
    assert_eq!(fs::read(place.path("out/totals.csv")).unwrap(), before);
    assert_eq!(fs::read_dir(place.path("models/comes_back/versions")).unwrap().count(), 1);
}

#[test]
fn a_contract_that_breaks_callers_is_told() {
    let place = after_a_run();
    place.edit("  items:    int in 1..=500", "  items:    int in 1..=50");
    let plan = place.plan(&[]);
    let live = plan["items"].as_array().unwrap().iter().find(|i| i["item"] == "deploy.live").unwrap().clone();
    assert_eq!(live["contract"][0]["breaking"], true, "{live:#}");
    assert!(place.call(&["plan", "job.dbjob"]).out.contains("breaking: `items` takes in 1..=50 instead of in 1..=500"));
    place.edit("int in 1..=50", "int in 1..=5000");
    let plan = place.plan(&[]);
    let live = plan["items"].as_array().unwrap().iter().find(|i| i["item"] == "deploy.live").unwrap().clone();
    assert_eq!(live["contract"][0]["breaking"], false, "{live:#}");
}

#[test]
fn a_table_that_was_taken_out_of_its_database_is_written_again() {
    let place = Place::new(&JOB.replace("to csv(\"out/totals.csv\")", "to sqlite(\"shop.db\", table = \"totals\")"));
    assert_eq!(ran(&place.run()), ALL);
    runs_as_planned(&place, &[], &[]);
    fs::remove_file(place.path("shop.db")).unwrap();
    runs_as_planned(&place, &["dataset orders", "deploy totals", "transform totals"], &[]);
}

#[test]
fn columns_that_are_inferred_are_known_again_and_seen_anew() {
    let job = "dataset orders from csv(\"orders.csv\")\n\ndeploy orders {\n  to parquet(\"out/orders.parquet\")\n}\n";
    let place = Place::new(job);
    std::thread::sleep(Duration::from_millis(2100));
    let both = ["dataset orders", "deploy orders"];
    assert_eq!(ran(&place.run()), both);
    runs_as_planned(&place, &[], &[]);
    place.edit_file("orders.csv", "order_id,items", "order_id,pieces");
    runs_as_planned(&place, &both, &[]);
    let columns = place.call(&["describe", "job.dbjob", "--columns"]).out;
    assert!(columns.contains("pieces") && !columns.contains("items"), "{columns}");
}
