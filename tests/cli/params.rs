use serde_json::Value;

use super::{dbjob, folder};

const JOB: &str = "\
use { people } from \"tables/people.dbjob\"

param of_age: int in 0..=120
param day: date = @2024-01-31
param kind: category(\"a\", \"b\")? = null

profile dev { of_age = 16 }

transform adults from people {
  filter age >= of_age and since < day
}

transform some from adults {
  filter kind is null
}
";

const PEOPLE: &str = "\
param source: string = env(\"PEOPLE\")

dataset people from csv(source) {
  id:    int key
  age:   int?
  since: date
}

transform adults from people {
  filter age >= 18
}

job theirs { seed = 3 }
";

fn shop() -> tempfile::TempDir {
    folder(&[("a.dbjob", JOB), ("tables/people.dbjob", PEOPLE)])
}

/// The filter of `adults` as `describe` shows it.
fn described(args: &[&str]) -> Value {
    let here = shop();
    let ended = dbjob(here.path(), &[&["describe", "a.dbjob", "--format", "json"], args].concat());
    assert_eq!(ended.code, 0, "{}", ended.err);
    serde_json::from_str(&ended.out).unwrap()
}

#[test]
fn a_param_is_set_by_an_option_a_profile_or_its_default() {
    let here = shop();
    let check = |args: &[&str]| dbjob(here.path(), &[&["check", "a.dbjob"], args].concat());
    let missing = check(&[]);
    assert_eq!(missing.code, 2);
    for part in ["error[E0108]", "the param `of_age` has no value", "--set of_age=1"] {
        assert!(missing.err.contains(part), "{part}: {}", missing.err);
    }
    for args in [
        &["--set", "of_age=18"][..],
        &["--profile", "dev"],
        &["--profile", "dev", "--set", "of_age=18", "--set", "day=2023-01-31"],
        &["--profile", "dev", "--set", "day=@2023-01-31", "--set", "kind=b", "--set", "source=other.csv"],
        &["--profile", "dev", "--set", "kind=\"b\""],
        &["--profile", "dev", "--set", "kind=null"],
    ] {
        let ended = check(args);
        let only_null = ended.err.contains("always null") || ended.err.is_empty();
        assert!(ended.code == 0 && only_null, "{args:?}: {}", ended.err);
    }
}

#[test]
fn a_wrong_value_is_shown_where_it_was_typed() {
    let here = shop();
    for (args, parts) in [
        (&["--set", "of_age=121"][..], &["error[E0105]", "[--set:1:8]", "`of_age` takes int in 0..=120, not 121"][..]),
        (&["--set", "of_age=many"], &["`of_age` takes int in 0..=120, not \"many\"", "declared here"]),
        (&["--set", "of_age=1", "--set", "day=2024-02-30"], &["`day` takes date, not \"2024-02-30\""]),
        (&["--set", "of_age=1", "--set", "kind=c"], &["`kind` takes category(\"a\", \"b\")?, not \"c\""]),
        (&["--set", "of_agee=1", "--profile", "dev"], &["there is no param `of_agee`", "did you mean `of_age`?"]),
        (&["--set", "of_age=1", "--set", "of_age=2"], &["error[E0104]", "`of_age` is set twice"]),
        (&["--profile", "dve"], &["there is no profile `dve`", "did you mean `dev`?", "[--profile:1:1]"]),
        (&["--set", "of_age"], &["`--set of_age` gives no value", "write `--set of_age=VALUE`"]),
    ] {
        let ended = dbjob(here.path(), &[&["check", "a.dbjob"], args].concat());
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{args:?}: {}", ended.err);
        for part in parts {
            assert!(ended.err.contains(part), "{args:?} {part}: {}", ended.err);
        }
    }
}

#[test]
fn what_is_used_comes_along_and_no_more() {
    let job = described(&["--profile", "dev"]);
    let names: Vec<&str> = job["items"].as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["people", "adults", "some"]);
    assert_eq!((job["job"].as_str(), job["seed"].as_i64()), (Some("a"), Some(0)));
    // Only a run looks into the environment.
    assert_eq!(job["items"][0]["source"]["path"], "env(\"PEOPLE\")");
    let set = described(&["--profile", "dev", "--set", "source=../data/p.csv"]);
    assert_eq!(set["items"][0]["source"]["path"], "data/p.csv");
}

#[test]
fn a_problem_of_a_used_file_is_told_once_with_its_place() {
    let here = folder(&[
        ("a.dbjob", "use { people } from \"p.dbjob\"\n\ntransform t from people {\n  filter age > 1\n}\n"),
        ("b.dbjob", "use { people } from \"p.dbjob\"\n\ntransform u from people {\n  filter age > 1\n}\n"),
        ("p.dbjob", "dataset people from csv(\"p.csv\") {\n  age: imt\n}\n"),
    ]);
    let ended = dbjob(here.path(), &["check", "a.dbjob", "b.dbjob", "p.dbjob"]);
    assert_eq!(ended.err.matches("there is no type `imt`").count(), 1, "{}", ended.err);
    assert!(ended.err.contains("[p.dbjob:2:8]") && ended.err.contains("1 error;"), "{}", ended.err);
}
