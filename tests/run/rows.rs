//! Which rows go where: quarantine, keys that are relied upon, given parts, folds.

use std::fs;

use super::files_below;
use crate::cli::{Ended, dbjob, folder};

const PEOPLE: &str = "id,age,plan\n1,30,free\n2,-4,paid\n3,,free\n4,200,paid\n5,41,free\n";

/// Runs a job over people.csv in a folder of its own.
fn run(job: &str, people: &str) -> (tempfile::TempDir, Ended) {
    let dataset = "dataset people from csv(\"people.csv\") {\n  id: int key\n  age: int?\n  plan: string\n";
    let here = folder(&[("job.dbjob", &format!("{dataset}{job}")), ("people.csv", people)]);
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    (here, ended)
}

const RULES: &str = "
  expect age is not null else quarantine \"out/rejected.csv\"
  expect age >= 0 else quarantine \"out/rejected.csv\"
  expect age <= 150 else quarantine \"out/old.ndjson\"
}
transform grown from people { filter age >= 18 }
deploy grown { to csv(\"out/grown.csv\") }
";

#[test]
fn rejected_rows_are_kept_with_their_rule() {
    let (here, ended) = run(RULES, PEOPLE);
    assert_eq!(ended.code, 0, "{ended:?}");
    let read = |name: &str| fs::read_to_string(here.path().join(name)).expect(name);
    let rejected = "id,age,plan,rule\n3,,free,age is not null\n2,-4,paid,age >= 0\n";
    assert_eq!(read("out/rejected.csv"), rejected);
    assert_eq!(read("out/old.ndjson"), "{\"id\":4,\"age\":200,\"plan\":\"paid\",\"rule\":\"age <= 150\"}\n");
    assert_eq!(read("out/grown.csv"), "id,age,plan\n1,30,free\n5,41,free\n");
    let line = "people: 1 row against `expect age >= 0` (quarantine, out/rejected.csv)";
    assert!(ended.out.contains(line), "{}", ended.out);
    // What an earlier run rejected does not stay, and nothing half-written does.
    fs::write(here.path().join("people.csv"), "id,age,plan\n1,30,free\n").expect("data");
    assert_eq!(dbjob(here.path(), &["run", "job.dbjob"]).code, 0);
    assert_eq!(read("out/rejected.csv"), "id,age,plan,rule\n");
    let all = ["job.dbjob", "out/grown.csv", "out/old.ndjson", "out/rejected.csv", "people.csv"];
    assert_eq!(files_below(here.path()), all);
}

#[test]
fn the_columns_of_a_quarantine_are_all_there_though_nothing_else_reads_them() {
    let rules = RULES.replace("deploy grown {", "transform ids from grown { select id }\ndeploy ids {");
    let (here, ended) = run(&rules, PEOPLE);
    assert_eq!(ended.code, 0, "{ended:?}");
    let old = fs::read_to_string(here.path().join("out/old.ndjson")).expect("old");
    assert!(old.contains("\"plan\":\"paid\""), "{old}");
}

#[test]
fn a_quarantine_that_cannot_be_written_stops_the_run() {
    let (here, ended) = run(&RULES.replace("out/old.ndjson", "people.csv/old.ndjson"), PEOPLE);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("E0713"), "{ended:?}");
    assert!(!here.path().join("out/grown.csv").exists());
}

#[test]
fn a_key_that_is_relied_upon_is_counted() {
    let people = "id,age,plan\n1,30,free\n2,40,paid\n1,31,free\n3,50,paid\n2,40,paid\n1,30,free\n";
    let message = "3 rows with id = 1 (rows 1, 3, 6), but the key must be unique; 1 other key repeats too";
    for step in ["split test 20%", "sample 50%", "split stratify plan test 20%", "split folds 2"] {
        let job = format!("}}\ntransform t from people {{ {step} }}\ndeploy t {{ to csv(\"out.csv\") }}\n");
        let (here, ended) = run(&job, people);
        assert_eq!(ended.code, 1, "{step}: {ended:?}");
        let text = ended.err.replace('│', "").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("E0708") && text.contains(message), "{step}: {text}");
        assert!(!here.path().join("out.csv").exists());
    }
    // A key of one's own may repeat.
    let job = "}\ntransform t from people { split by id test 20% }\ndeploy t { to csv(\"out.csv\") }\n";
    assert_eq!(run(job, people).1.code, 0);
    let job = "}
dataset plans from csv(\"plans.csv\") { person: int; cost: int }
transform t from people { join plans on id == plans.person one_to_many }
deploy t { to csv(\"out.csv\") }
";
    let here = folder(&[
        ("job.dbjob", &format!("dataset people from csv(\"people.csv\") {{ id: int key; age: int?{job}")),
        ("people.csv", people),
        ("plans.csv", "person,cost\n1,2\n"),
    ]);
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert!(ended.code == 1 && ended.err.contains("`people` has 3 rows with id = 1"), "{ended:?}");
}

#[test]
fn a_given_part_that_is_none_is_named() {
    let job = "}\ntransform t from people { split using plan }\ndeploy t { to csv(\"out.csv\") }\n";
    let (_, ended) = run(job, "id,age,plan\n1,30,train\n2,40,Test\n");
    assert_eq!(ended.code, 1, "{ended:?}");
    for part in ["E0707", "\"Test\" in row 2", "split using plan"] {
        assert!(ended.err.contains(part), "{part}: {}", ended.err);
    }
}

/// Folds that learn a map, a model on another model's predictions out of fold, train rows that are chosen.
const FOLDED: &str = "
}
transform rows from people {
  filter age is not null
  derive old = age > 40
  split folds 3 by id
  filter age < 90 on train
  map age with standardize
}
model first from rows {
  input age
  output old: bool
  fit logistic_regression
  evaluate auc
}
transform stacked from rows { predict first out_of_fold as p }
model second from stacked {
  input p_probability, age
  output old: bool
  fit random_forest { trees = 5 }
}
deploy first { to registry(\"models\") }
";

#[test]
fn folds_judge_every_row_once() {
    let people: String = (0..120).map(|i| format!("{i},{},{}\n", (i * 37) % 100, ["a", "b"][i % 2])).collect();
    let (here, ended) = run(FOLDED, &format!("id,age,plan\n{people}"));
    assert_eq!(ended.code, 0, "{ended:?}");
    let words = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
    // Rows that are left out of the learning are judged all the same.
    assert!(words.contains("model first logistic_regression 108 train / 120 out of fold rows"), "{words}");
    let manifest = fs::read_to_string(here.path().join("models/first/versions/1/manifest.json")).expect("a package");
    assert!(manifest.contains("\"out_of_fold\": 120"), "{manifest}");
}

#[test]
fn a_failure_in_a_fold_is_named_with_its_fold() {
    // One row only has an age: the fold that holds it out has nothing to learn.
    let job = "
}
transform rows from people {
  split folds 3 by id
  map age with impute(median)
}
model first from rows {
  input age
  output plan: category
  fit logistic_regression
  evaluate accuracy, log_loss
}
";
    let people: String =
        (0..40).map(|i| format!("{i},{},{}\n", if i == 7 { "50" } else { "" }, ["a", "b"][i % 2])).collect();
    let (_, ended) = run(job, &format!("id,age,plan\n{people}"));
    assert_eq!(ended.code, 1, "{ended:?}");
    let text = ended.err.replace('│', "").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("E0715") && text.contains("of 3: "), "{text}");
}
