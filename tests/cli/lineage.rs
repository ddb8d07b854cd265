use serde_json::Value;

use super::{SOUND, dbjob, folder};

/// A source, a lookup, a chain of steps, a model, its deployment and a table of predictions.
const JOB: &str = "\
dataset orders from csv(\"orders.csv\") {
  id:     int key
  user:   int
  `Sum €`: float named \"sum\"
  late:   bool label
}

dataset users from csv(\"users.csv\") {
  user: int key
  age:  int
}

transform rows from orders {
  filter `Sum €` > 0.0
  join users on user lookup
  derive {
    per_year = `Sum €` / age
    twice = per_year * 2.0
  }
  split test 20%
  map `Sum €` with log1p, standardize
}

model m from rows {
  input age, `Sum €` as \"sum\"
  output late: bool
  fit logistic_regression
}

deploy m {
  to registry(\"models\")
}

transform guessed from orders {
  predict m as p
}

deploy guessed {
  to csv(\"guessed.csv\")
}
";

#[test]
fn the_way_up_shows_each_step_with_its_line() {
    let here = folder(&[("a.dbjob", JOB)]);
    let ended = dbjob(here.path(), &["lineage", "a.dbjob", "rows.twice", "--up"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let expected = "\
comes from
  rows.twice: float?               a.dbjob:18  twice = per_year * 2.0
  └─ rows.per_year: float?         a.dbjob:17  per_year = `Sum €` / age
     ├─ orders.Sum €: float        a.dbjob:4   in \"orders.csv\" named \"sum\"
     └─ rows.age: int              a.dbjob:15  join users on user lookup
        ├─ orders.user: int (key)  a.dbjob:3   in \"orders.csv\"
        ├─ users.user: int (key)   a.dbjob:9   in \"users.csv\"
        └─ users.age: int          a.dbjob:10  in \"users.csv\"

with rows decided by
  rows  a.dbjob:14  filter `Sum €` > 0.0
  rows  a.dbjob:15  join users on user lookup
  rows  a.dbjob:20  split test 20%
";
    assert_eq!(ended.out, expected);
}

#[test]
fn the_way_down_ends_in_models_and_deployments() {
    let here = folder(&[("a.dbjob", JOB)]);
    let ended = dbjob(here.path(), &["lineage", "a.dbjob", "users.age", "--down"]);
    let expected = "\
reaches
  users.age: int                                        a.dbjob:10  in \"users.csv\"
  ├─ rows.age: int                                      a.dbjob:15  join users on user lookup
  │  ├─ rows.per_year: float?                           a.dbjob:17  per_year = `Sum €` / age
  │  │  └─ rows.twice: float?                           a.dbjob:18  twice = per_year * 2.0
  │  └─ model m                                         a.dbjob:24  logistic_regression of late
  │     ├─ deploy m                                     a.dbjob:31  to registry(\"models\")
  │     ├─ guessed.p: bool (learned from)               a.dbjob:35  predict m as p
  │     │  └─ deploy guessed                            a.dbjob:39  to csv(\"guessed.csv\")
  │     └─ guessed.p_probability: float (learned from)  a.dbjob:35  predict m as p
  │        └─ deploy guessed                            a.dbjob:39  to csv(\"guessed.csv\")
  ├─ guessed.p: bool …                                  a.dbjob:35  predict m as p
  └─ guessed.p_probability: float …                     a.dbjob:35  predict m as p
  models: m
  deployments: guessed, m
";
    assert_eq!(ended.out, expected);
}

#[test]
fn names_with_dots_quotes_and_the_names_of_callers_are_found() {
    let here = folder(&[("a.dbjob", JOB)]);
    for name in ["rows.Sum €", "rows.`Sum €`", "m.sum", "m.age", "m.late", "m", "rows", "deploy.m", "m.prediction"]
    {
        let ended = dbjob(here.path(), &["lineage", "a.dbjob", name]);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{name}");
        assert!(ended.out.starts_with("comes from\n") && ended.out.contains("\nreaches\n"), "{}", ended.out);
    }
}

#[test]
fn unknown_names_give_near_ones() {
    let here = folder(&[("a.dbjob", JOB)]);
    for (name, code, help) in [
        ("row.twice", "E0101", "did you mean `rows.twice`?"),
        ("rows.twize", "E0203", "did you mean `twice`?"),
        ("guesed", "E0101", "did you mean `guessed`?"),
        ("nothing", "E0101", "there are orders, users, rows, m, guessed"),
    ] {
        let ended = dbjob(here.path(), &["lineage", "a.dbjob", name]);
        assert!(ended.code == 2 && ended.out.is_empty(), "{ended:?}");
        assert!(ended.err.contains(code) && ended.err.contains(help), "{name}: {}", ended.err);
    }
}

#[test]
fn without_a_name_every_result_has_a_line() {
    let here = folder(&[("a.dbjob", JOB)]);
    let ended = dbjob(here.path(), &["lineage", "a.dbjob"]);
    assert!(ended.out.contains("m.age                  from users.age  by orders.user, users.user\n"), "{}", ended.out);
    assert!(ended.out.contains("m.Sum €                from orders.Sum €\n"), "{}", ended.out);
    assert!(ended.out.contains("guessed.p_probability  from orders.Sum €, orders.user, "), "{}", ended.out);
}

#[test]
fn json_has_both_ways_with_places() {
    let here = folder(&[("a.dbjob", JOB)]);
    let ended = dbjob(here.path(), &["lineage", "a.dbjob", "rows.per_year", "--format", "json"]);
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    let up = &json["up"];
    let first = &up["vertices"][up["roots"][0].as_u64().unwrap() as usize];
    assert_eq!(first["text"], "per_year = `Sum €` / age");
    assert_eq!(first["place"], serde_json::json!({ "file": "a.dbjob", "line": 17 }));
    let sources: Vec<&Value> =
        up["vertices"].as_array().unwrap().iter().filter(|v| v["kind"] == "source").map(|v| &v["column"]).collect();
    assert_eq!(sources, ["Sum €", "user", "user", "age"]);
    let ways: Vec<&str> = up["links"].as_array().unwrap().iter().map(|l| l["via"].as_str().unwrap()).collect();
    assert_eq!(ways.iter().filter(|w| **w == "key").count(), 2, "{ways:?}");
    assert_eq!(json["down"]["vertices"][1]["column"], "twice");
    assert_eq!(up["rows"][2]["text"], "split test 20%");
}

#[test]
fn graphs_flow_from_sources_to_results() {
    let here = folder(&[("a.dbjob", SOUND)]);
    let dot = dbjob(here.path(), &["lineage", "a.dbjob", "adults.decade", "--format", "dot"]).out;
    assert!(dot.contains("n0 [label = \"adults.decade: int\\ndecade = age // 10\""), "{dot}");
    assert!(
        dot.contains("n1 [label = \"people.age: int?\\nin \\\"people.csv\\\"\"") && dot.contains("n1 -> n0;"),
        "{dot}"
    );
    let mermaid = dbjob(here.path(), &["lineage", "a.dbjob", "people.age", "--format", "mermaid", "--down"]).out;
    assert!(mermaid.contains("choice of rows in adults") && mermaid.contains(" -.-> "), "{mermaid}");
}

#[test]
fn a_direction_needs_a_name_and_a_wrong_job_has_no_lineage() {
    let here = folder(&[("a.dbjob", &SOUND.replace("age //", "agee //"))]);
    assert_eq!(dbjob(here.path(), &["lineage", "a.dbjob", "--up"]).code, 2);
    let ended = dbjob(here.path(), &["lineage", "a.dbjob", "people.age"]);
    assert!(ended.code == 2 && ended.out.is_empty() && ended.err.contains("E0203"), "{ended:?}");
}
