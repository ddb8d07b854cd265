//! Items of other files, params and the environment: what comes from outside of the file that runs.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cli::{Ended, dbjob, folder, with_environment};

const TABLES: &str = "\
param minimum: int = 18

dataset people from csv(\"people.csv\") {
  id:   int key
  age:  int in 0..
  town: string
}

fn decade(age: int in 0..): int = age // 10 * 10

transform adults from people {
  filter age >= minimum
  derive decade = decade(age)
}

deploy copy from people {
  to csv(\"copy.csv\")
}
";

const JOB: &str = "\
use { adults } from \"shared/tables.dbjob\"

param rows: int = 10
param out: string = env(\"DBJOB_OUT\")

# Not the one of the other file.
dataset people from csv(\"other.csv\") {
  name: string key
}

transform first from adults {
  sort id
  take rows
}

deploy first {
  to csv(out)
}
deploy people {
  to csv(\"people_out.csv\")
}
";

fn shop() -> tempfile::TempDir {
    folder(&[
        ("jobs/a.dbjob", JOB),
        ("jobs/other.csv", "name\nx\n"),
        ("jobs/shared/tables.dbjob", TABLES),
        ("jobs/shared/people.csv", "id,age,town\n3,31,a\n1,17,b\n2,45,c\n"),
    ])
}

fn run(folder: &Path, args: &[&str]) -> Ended {
    with_environment(folder, &[&["run", "jobs/a.dbjob"], args].concat(), &[("DBJOB_OUT", "first.csv")])
}

#[test]
fn used_items_read_the_files_beside_their_own() {
    let here = shop();
    let ended = run(here.path(), &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let read = |path: &str| fs::read_to_string(here.path().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert_eq!(read("jobs/first.csv"), "id,age,town,decade\n2,45,c,40\n3,31,a,30\n");
    assert_eq!(read("jobs/people_out.csv"), "name\nx\n");
    // The deployment of the used file was not asked for.
    assert!(!here.path().join("jobs/shared/copy.csv").exists());
    // Alone, that file is a job of its own.
    let ended = dbjob(here.path(), &["run", "jobs/shared/tables.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(read("jobs/shared/copy.csv"), "id,age,town\n3,31,a\n1,17,b\n2,45,c\n");
}

#[test]
fn values_from_outside_change_what_comes_out() {
    let here = shop();
    let ended = run(here.path(), &["--set", "rows=1", "--set", "minimum=0", "--set", "out=../set.csv"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let out = fs::read_to_string(here.path().join("set.csv")).unwrap();
    assert_eq!(out, "id,age,town,decade\n1,17,b,10\n");
    assert!(!here.path().join("jobs/first.csv").exists());
}

#[test]
fn a_variable_that_is_missing_is_told_before_anything_runs() {
    let here = shop();
    assert_eq!(dbjob(here.path(), &["check", "jobs/a.dbjob"]).code, 0);
    let ended = dbjob(here.path(), &["run", "jobs/a.dbjob"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    for part in ["error[E0108]", "the environment variable `DBJOB_OUT` is not set", "[jobs/a.dbjob:4:"] {
        assert!(ended.err.contains(part), "{part}: {}", ended.err);
    }
    assert!(!here.path().join("jobs/people_out.csv").exists());
}

#[test]
fn the_cluster_of_a_job_says_how_many_cores_it_uses() {
    let job = format!(
        "job a {{ cluster = here }}\nparam cores: int = 3\ncluster here {{ engine = local, threads = cores }}\n{}",
        TABLES.replace("deploy copy", "deploy c")
    );
    let here = folder(&[("a.dbjob", &job), ("people.csv", "id,age,town\n3,31,a\n")]);
    for (args, threads) in [(&[][..], 3), (&["--set", "cores=1"], 1), (&["--threads", "2"], 2)] {
        let ended = dbjob(here.path(), &[&["run", "--json", "a.dbjob"], args].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        let first: Value = serde_json::from_str(ended.out.lines().next().unwrap()).unwrap();
        assert_eq!(first["threads"], threads, "{args:?}");
    }
}

#[test]
fn what_this_engine_does_not_carry_out_is_refused_where_it_is_asked_for() {
    let table = "dataset p from csv(\"p.csv\") {\n  id: int key\n}\ntransform t from p {\n  sort id\n}\n";
    let with = |more: &str| folder(&[("a.dbjob", &format!("{table}{more}\n"))]);
    for (job, what) in [
        ("job a { cluster = c }\ncluster c { engine = spark }", "the engine spark of the cluster `c`"),
        ("module m { runs = t, cluster = c }\ncluster c { engine = databricks }", "the engine databricks"),
        ("deploy t { to parquet(\"s3://b/t\", mode = append) }", "`mode` and `partition` in an object store"),
        ("deploy t { to csv(\"s3://b/t\", partition = id) }", "`mode` and `partition` in an object store"),
        ("deploy t { to csv(\"gs://b/t.csv\") }", "a path that begins with `gs://`"),
        (
            "dataset q from csv(\"https://x/q.csv\") { id: int key }\ndeploy q { to csv(\"q.csv\") }",
            "a path that begins with",
        ),
        (
            "dataset q from csv(\"q.csv\") { x: int; y: bool label }\ntransform r from q { split test 20% }\n\
             model m from r { input x; output y: bool; fit logistic_regression }\n\
             deploy m { to registry(\"s3://b/models\") }",
            "a registry in an object store",
        ),
    ] {
        let here = with(job);
        let ended = dbjob(here.path(), &["check", "a.dbjob"]);
        assert_eq!(ended.code, 2, "{job}");
        let wanted = format!("not supported yet: {what}");
        assert!(ended.err.contains("error[E0901]") && ended.err.contains(&wanted), "{job}: {}", ended.err);
        assert!(ended.err.contains("1 error;"), "{job}: {}", ended.err);
    }
    for job in [
        "cluster c { engine = spark }",
        "dataset q from csv(\"s3://b/q.csv.gz\") { id: int key }\ndeploy q { to csv(\"s3://b/p.csv.zst\") }",
        "job a { environment { HOME = unset } }",
        "job a { cluster = c, retries = 0 }\ncluster c { engine = local }",
        "module m { runs = t, replicas = 1, retries = 0, element_spec { input_config = \"ml.t2.off\" } }",
        "job a { cluster = c }\nmodule m { runs = t, cluster = c }\ncluster c { engine = local, threads = 2 }",
        "job a { retries = 2 }\nmodule m { runs = t, cluster = c }\ncluster c { engine = local, threads = 2 }",
        "module m { runs = t, replicas = 2, resources = 2, interval = 10s, retries = 1 }",
        "module m { runs = t, time = 20min, element_spec { input_config = \"ml.t2.medium\" } }",
    ] {
        let here = with(job);
        let ended = dbjob(here.path(), &["check", "a.dbjob"]);
        assert_eq!(ended.code, 0, "{job}: {}", ended.err);
    }
}
