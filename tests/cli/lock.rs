//! `dbjob lock`: data as they were, a check without them, a run that meets others.

use std::fs;
use std::path::Path;

use super::{dbjob, folder};

const JOB: &str = r#"
dataset people from csv("data/people.csv")
dataset plans from csv("data/plans.csv", nulls = ["NA"]) {
  plan:  category
  price: float?
  ..
}
dataset visits from ndjson("data/visits.ndjson") {
  visit: int key
  user:  int named "user id"
  site:  category
}
transform rows from visits {
  join people on user == people.id many_to_many
  left join plans on plan many_to_many
  derive old = age > 40
}
deploy rows { to csv("out/rows.csv") }
"#;

const PEOPLE: &str = "id,age,plan\n1,41,free\n2,27,paid\n3,35,free\n";
const PLANS: &str = "plan,price,since\nfree,NA,2024-01-31\npaid,9.5,2024-02-29\n";
const VISITS: &str =
    "{\"visit\": 1, \"user id\": 1, \"site\": \"a\"}\n{\"visit\": 2, \"user id\": 2, \"site\": \"b\"}\n";

fn shop() -> tempfile::TempDir {
    folder(&[
        ("job.dbjob", JOB),
        ("data/people.csv", PEOPLE),
        ("data/plans.csv", PLANS),
        ("data/visits.ndjson", VISITS),
    ])
}

fn locked() -> tempfile::TempDir {
    let here = shop();
    let ended = dbjob(here.path(), &["lock", "job.dbjob"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, "locked 3 datasets in dbjob.lock\n"), "{ended:?}");
    here
}

fn lock_of(here: &Path) -> String {
    fs::read_to_string(here.join("dbjob.lock")).expect("a lock")
}

#[test]
fn a_lock_says_what_the_data_are_like() {
    let here = locked();
    let lock = lock_of(here.path());
    for line in [
        r#"{ "name": "age", "type": "int", "taken": true },"#,
        r#"{ "name": "plan", "type": "string", "levels": ["free", "paid"] },"#,
        r#"{ "name": "price", "type": "float?" },"#,
        r#"{ "name": "since", "type": "date", "taken": true }"#,
        r#"{ "name": "site", "type": "string", "levels": ["a", "b"] }"#,
        r#""key": { "columns": ["visit"], "unique": true },"#,
        r#""rows": "1 to 9","#,
    ] {
        assert!(lock.lines().any(|l| l.trim() == line), "{line}:\n{lock}");
    }
    // Nothing of the values but levels, and the same text again.
    assert!(!lock.contains("9.5") && !lock.contains("41"), "{lock}");
    let again = dbjob(here.path(), &["lock", "job.dbjob"]);
    assert_eq!((again.code, lock_of(here.path())), (0, lock));
    let check = dbjob(here.path(), &["lock", "--check", "job.dbjob"]);
    assert_eq!((check.code, check.out.as_str()), (0, ""), "{check:?}");
}

/// Done when 7 of the language: a check without data gives the same answers.
#[test]
fn a_check_needs_no_data() {
    let here = locked();
    let faulty = JOB.replace("age > 40", "agee > 40").replace("price: float?", "prize: float?");
    fs::write(here.path().join("faulty.dbjob"), &faulty).expect("a job");
    // The faulty job has no lock yet: its data are looked at.
    let lock = lock_of(here.path());
    fs::write(here.path().join("dbjob.lock"), lock.replace("\"job.dbjob\"", "\"faulty.dbjob\"")).expect("a lock");
    let faulty_with = dbjob(here.path(), &["check", "--format", "json", "faulty.dbjob"]);
    fs::write(here.path().join("dbjob.lock"), &lock).expect("a lock");
    let answers = |here: &Path| {
        let check = dbjob(here, &["check", "--format", "json", "job.dbjob"]);
        let describe = dbjob(here, &["describe", "--columns", "job.dbjob"]);
        assert_eq!((check.code, describe.code), (0, 0), "{check:?}, {describe:?}");
        (check.out, describe.out)
    };
    let with = answers(here.path());
    fs::remove_dir_all(here.path().join("data")).expect("the data");
    assert_eq!(answers(here.path()), with);
    fs::write(here.path().join("dbjob.lock"), lock.replace("\"job.dbjob\"", "\"faulty.dbjob\"")).expect("a lock");
    let faulty_without = dbjob(here.path(), &["check", "--format", "json", "faulty.dbjob"]);
    assert_eq!((faulty_without.code, &faulty_without.out), (2, &faulty_with.out));
    for part in ["E0203", "agee", "E0304", "prize"] {
        assert!(faulty_without.out.contains(part), "{part}: {faulty_without:?}");
    }
}

/// Errors that the data have no part in keep nobody from locking them, and need no data either.
#[test]
fn the_data_of_a_job_with_errors_are_locked() {
    let here = shop();
    let faulty = JOB.replace("derive old = age > 40", "derive old = agee > 40");
    fs::write(here.path().join("job.dbjob"), faulty).expect("a job");
    let ended = dbjob(here.path(), &["lock", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.err.contains("1 error that its data have no part in"), "{ended:?}");
    let with = dbjob(here.path(), &["check", "job.dbjob"]);
    fs::remove_dir_all(here.path().join("data")).expect("the data");
    let without = dbjob(here.path(), &["check", "job.dbjob"]);
    assert_eq!((without.code, &without.err, &without.out), (2, &with.err, &with.out));
    assert!(without.err.contains("E0203") && without.err.contains("did you mean `age`?"), "{without:?}");
    // What is wrong with a dataset itself is told, and nothing is locked.
    let here = shop();
    fs::write(here.path().join("job.dbjob"), JOB.replace("price: float?", "prize: float?")).expect("a job");
    let ended = dbjob(here.path(), &["lock", "job.dbjob"]);
    assert!(ended.code == 2 && ended.err.contains("E0304"), "{ended:?}");
    assert!(!here.path().join("dbjob.lock").exists());
}

#[test]
fn unchecked_is_visible_until_it_is_locked() {
    let here = shop();
    let note = |here: &Path| dbjob(here, &["check", "job.dbjob"]);
    let before = note(here.path());
    assert!(
        before.code == 0 && before.out.contains("2 things are unchecked") && before.out.contains("N0001"),
        "{before:?}"
    );
    dbjob(here.path(), &["lock", "job.dbjob"]);
    let after = note(here.path());
    assert!(after.code == 0 && !after.out.contains("unchecked"), "{after:?}");
}

#[test]
fn a_run_on_the_data_that_were_locked_runs() {
    let here = locked();
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    // More rows, a new level of an open category and a column more are no other data.
    let more: String = (3..40).map(|i| format!("{{\"visit\": {i}, \"user id\": 1, \"site\": \"c{i}\"}}\n")).collect();
    fs::write(here.path().join("data/visits.ndjson"), VISITS.to_owned() + &more).expect("data");
    fs::write(here.path().join("data/people.csv"), PEOPLE.replace('\n', ",x\n").replacen(",x", ",new", 1))
        .expect("data");
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let check = dbjob(here.path(), &["lock", "--check", "job.dbjob"]);
    assert_eq!(check.code, 1, "{check:?}");
    for part in [
        "dataset visits",
        "rows: 1 to 9, now 10 to 99",
        "site has new levels: \"c10\"",
        "dataset people",
        "+ new: string",
    ] {
        assert!(check.out.contains(part), "{part}: {check:?}");
    }
    assert!(!check.out.contains("dataset plans"), "{check:?}");
}

#[test]
fn a_run_on_other_data_stops_and_shows_what_differs() {
    let visits_twice = format!("{VISITS}{}", VISITS.lines().next().expect("a line"));
    for (file, text, parts) in [
        ("people.csv", PEOPLE.replace("age", "years"), vec!["`people`", "- age: int", "+ years: int"]),
        ("people.csv", PEOPLE.replace("41", "old"), vec!["`people`", "age: int is now string"]),
        ("people.csv", PEOPLE.replace("41", ""), vec!["age: int is now int?"]),
        ("plans.csv", PLANS.replace("2024-02-29", "soon"), vec!["`plans`", "since: date is now string"]),
        ("visits.ndjson", visits_twice, vec!["`visits`", "the key: visit, unique; now visit, not unique"]),
    ] {
        let here = locked();
        fs::write(here.path().join("data").join(file), &text).expect("data");
        let ended = dbjob(here.path(), &["run", "job.dbjob"]);
        assert_eq!(ended.code, 1, "{ended:?}");
        for part in parts.iter().chain(&["E0722", "dbjob lock"]) {
            assert!(ended.err.contains(part), "{part}: {ended:?}");
        }
        assert!(!here.path().join("out").exists(), "{file}: something was written");
        // What was found is taken up when somebody says so.
        assert_eq!(dbjob(here.path(), &["lock", "job.dbjob"]).code, 0);
        assert_eq!(dbjob(here.path(), &["lock", "--check", "job.dbjob"]).code, 0);
    }
}

#[test]
fn jobs_of_one_folder_share_a_lock() {
    let here = locked();
    let other = "dataset people from csv(\"data/people.csv\")\ntransform t from people { filter age > 1 }\ndeploy t { to csv(\"out/t.csv\") }\n";
    fs::write(here.path().join("other.dbjob"), other).expect("a job");
    let first = lock_of(here.path());
    assert_eq!(dbjob(here.path(), &["lock", "other.dbjob"]).code, 0);
    let both = lock_of(here.path());
    assert!(both.contains("\"other.dbjob\"") && both.contains("\"job.dbjob\"") && both.len() > first.len(), "{both}");
    assert_eq!(dbjob(here.path(), &["lock", "--check", "other.dbjob", "job.dbjob"]).code, 0);
    // A dataset that is gone from its job goes from the lock.
    fs::write(here.path().join("other.dbjob"), "job empty { seed = 1 }\n").expect("a job");
    let check = dbjob(here.path(), &["lock", "--check", "other.dbjob"]);
    assert!(check.code == 1 && check.out.contains("not read any more"), "{check:?}");
    assert_eq!(dbjob(here.path(), &["lock", "other.dbjob"]).code, 0);
    assert_eq!(lock_of(here.path()), first);
}

#[test]
fn a_damaged_lock_is_told() {
    let here = locked();
    for text in ["", "{", "{ \"format\": 7, \"jobs\": {} }", "null"] {
        fs::write(here.path().join("dbjob.lock"), text).expect("a lock");
        for command in ["check", "run"] {
            let ended = dbjob(here.path(), &[command, "job.dbjob"]);
            assert!(ended.code == 2 && ended.err.contains("E0712") && ended.err.contains("dbjob.lock"), "{ended:?}");
        }
    }
}

#[test]
fn a_declared_column_that_the_file_lacks_is_told_by_check() {
    let job = JOB.replace("price: float?", "prize: float?");
    let here = shop();
    fs::write(here.path().join("job.dbjob"), job.replace("  ..\n", "")).expect("a job");
    let ended = dbjob(here.path(), &["check", "job.dbjob"]);
    assert!(ended.code == 2 && ended.err.contains("E0304") && ended.err.contains("price"), "{ended:?}");
    // Without the file nobody knows.
    fs::remove_dir_all(here.path().join("data")).expect("the data");
    fs::write(here.path().join("job.dbjob"), "dataset a from csv(\"data/a.csv\") { x: int }\n").expect("a job");
    assert_eq!(dbjob(here.path(), &["check", "job.dbjob"]).code, 0);
}
