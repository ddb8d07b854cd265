//! What modules bound: time, workers, memory, retries; and how soon a run ends that is stopped.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cli::{Ended, dbjob, folder};

/// The longest that a stopped run may take, and some for a machine that is busy with other tests.
const SLACK: Duration = Duration::from_millis(2500);

/// Rows that take a forest some time: `y` is told by `a * b` and a little noise.
fn data(rows: usize) -> String {
    let mut state = 7_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0
    };
    let mut text = String::from("id,a,b,c,d,y\n");
    for id in 0..rows {
        let (a, b, c, d, noise) = (next(), next(), next(), next(), next());
        let y = a * b + 0.2 * c + 0.3 * noise > 0.0;
        writeln!(text, "{id},{a},{b},{c},{d},{y}").unwrap();
    }
    text
}

const ROWS: &str = "\
dataset rows from csv(\"rows.csv\") {
  id: int key
  a:  float
  b:  float
  c:  float
  d:  float
  y:  bool label
}
";

/// A job with one model in a module.
fn job(split: &str, fit: &str, limits: &str) -> String {
    format!(
        "{ROWS}
transform parts from rows {{
  {split}
  map a, b, c, d with standardize
}}

model m from parts {{
  input a, b, c, d
  output y: bool
  {fit}
  evaluate auc
}}

deploy m {{
  to registry(\"models\")
}}

module training {{
  runs = [m, deploy.m]
  {limits}
}}
"
    )
}

fn shop(job: &str, rows: usize) -> tempfile::TempDir {
    folder(&[("job.dbjob", job), ("rows.csv", &data(rows))])
}

fn version(here: &Path, name: &str) -> PathBuf {
    here.join("models/m/versions/1").join(name)
}

fn manifest(here: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(version(here, "manifest.json")).expect("a manifest")).unwrap()
}

fn weights(here: &Path) -> Vec<u8> {
    fs::read(version(here, "weights.safetensors")).expect("weights")
}

#[test]
fn a_model_ends_with_its_time_as_the_best_so_far_and_says_so() {
    let folds = "split folds 4 by id";
    let valid = "split by id { train 70%, valid 10%, test 20% }";
    let forest = "fit random_forest { trees = 100_000 }";
    for (split, fit, what) in [
        ("split test 20%", forest, "trees"),
        ("split test 20%", "fit logistic_regression { optimizer = adam, epochs = 1_000_000 }", "epochs"),
        (valid, "fit random_forest { trees = 60, min_samples_leaf in 1..=90 }\n  tune random(60) by auc", "trials"),
        (valid, "fit random_forest { trees in [90_000, 100_000] }\n  tune grid by auc", "trials"),
        (
            "split test 20%",
            "fit best by auc { logistic_regression { optimizer = adam, epochs = 90_000 } random_forest { trees = 9_000 } }",
            "trials",
        ),
        (folds, forest, "folds"),
        (folds, "fit random_forest { trees = 20, min_samples_leaf in 1..=60 }\n  tune grid by auc", "folds"),
        ("split test 20%", "fit random_forest { trees = 90_000 }\n  refit on all", "trees"),
        ("split test 20%", "fit random_forest { trees = 90_000 }\n  threshold = best f1", "trees"),
    ] {
        let here = shop(&job(split, fit, "time = 2s"), 20_000);
        let begin = Instant::now();
        let ended = dbjob(here.path(), &["run", "job.dbjob"]);
        let took = begin.elapsed();
        assert_eq!(ended.code, 0, "{split} {fit}: {ended:?}");
        assert!(took < Duration::from_secs(2) + SLACK, "{split} {fit}: {took:?}");
        assert!(ended.err.contains("the time of its module was over"), "{split} {fit}: {ended:?}");
        assert!(ended.out.contains("ended by the time of its module: "), "{fit}: {ended:?}");
        let manifest = manifest(here.path());
        let parts = manifest["unfinished"].as_array().expect("what is unfinished");
        let part = parts.iter().find(|p| p["what"] == what).unwrap_or_else(|| panic!("{split} {fit}: {parts:?}"));
        assert!(part["done"].as_u64() < part["of"].as_u64(), "{part}");
        let auc = manifest["metrics"]["auc"]["value"].as_f64().unwrap();
        // Of a few trees in each fold, or of the first epoch, nothing much is asked.
        assert!(auc > 0.5 || fit.contains("logistic") || split == folds, "{fit}: {auc}");
    }
}

#[test]
fn a_model_that_has_the_time_is_as_without_a_limit() {
    let valid = "split by id { train 70%, valid 10%, test 20% }";
    let fit = "fit random_forest { trees = 5, min_samples_leaf in [1, 5, 20] }\n  tune grid by auc";
    let of = |limits: &str| {
        let here = shop(&job(valid, fit, limits), 2_000);
        let ended = dbjob(here.path(), &["run", "job.dbjob"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(manifest(here.path()).get("unfinished").is_none());
        weights(here.path())
    };
    let free = of("replicas = 1");
    for limits in ["time = 10min", "replicas = 2\n  resources = 1", "replicas = 3\n  role = driver", "interval = 1ms"] {
        assert!(of(limits) == free, "{limits}");
    }
}

#[test]
fn workers_share_trials_and_folds_and_give_the_same() {
    for (split, fit) in [
        (
            "split by id { train 70%, valid 10%, test 20% }",
            "fit random_forest { trees = 10, max_depth in 2..=9 }\n  tune grid by auc",
        ),
        ("split test 20%", "fit random_forest { trees = 8, max_depth in 2..=9 }\n  tune random(4) by auc"),
        ("split folds 4 by id", "fit logistic_regression { optimizer = adam, epochs = 4 }\n  threshold = best f1"),
    ] {
        let of = |limits: &str| {
            let here = shop(&job(split, fit, limits), 3_000);
            let ended = dbjob(here.path(), &["run", "--json", "--threads", "4", "job.dbjob"]);
            assert_eq!(ended.code, 0, "{ended:?}");
            let predictions = fs::read(version(here.path(), "test_predictions.parquet")).expect("predictions");
            (weights(here.path()), predictions, manifest(here.path())["metrics"].clone())
        };
        let one = of("replicas = 1\n  resources = 1");
        assert!(of("replicas = 2\n  resources = 1") == one, "{fit}");
        assert!(of("replicas = 4\n  resources = 1") == one, "{fit}");
    }
}

#[test]
fn a_module_that_asks_for_more_cores_than_there_are_is_told() {
    let job = job("split test 20%", "fit random_forest { trees = 3 }", "replicas = 3\n  resources = 64");
    let here = shop(&job, 300);
    let ended = dbjob(here.path(), &["run", "--threads", "3", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.err.contains("asks for 192 cores and has 3: replicas = 3, resources = 1"), "{ended:?}");
}

/// A table of `rows` rows each beside each other.
fn large(rows: usize, settings: &str) -> tempfile::TempDir {
    let mut text = String::from("k\n");
    (0..rows).for_each(|k| writeln!(text, "{k}").unwrap());
    let job = format!(
        "{settings}
dataset left from csv(\"rows.csv\") {{
  k: int
}}
dataset right from csv(\"rows.csv\") {{
  k: int
}}
transform pairs from left {{
  cross join right as r prefix r_ many_to_many
  derive s = k * 1_000_000 + r_k
  sort s desc
}}
deploy pairs {{
  to parquet(\"pairs.parquet\")
}}
module making {{
  runs = [pairs, deploy.pairs]
  LIMITS
}}
"
    );
    folder(&[("job.dbjob", &job), ("rows.csv", &text)])
}

fn with_limits(here: &Path, limits: &str) -> Ended {
    let path = here.join("job.dbjob");
    let text = fs::read_to_string(&path).unwrap().replace("LIMITS", limits);
    fs::write(&path, text).unwrap();
    dbjob(here, &["run", "job.dbjob"])
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_that_takes_too_much_memory_stops_itself_with_a_message() {
    for (limits, settings, of) in [
        ("memory = 300MB", "", "the module `making`"),
        (
            "role = worker",
            "job j { cluster = here }\ncluster here { engine = local, memory = 300MB }",
            "the cluster `here`",
        ),
    ] {
        let here = large(9_000, settings);
        let ended = with_limits(here.path(), limits);
        assert_eq!(ended.code, 1, "{ended:?}");
        for part in ["E0745", of, "memory = 286.1 MiB", "help"] {
            assert!(ended.err.contains(part), "{part}: {ended:?}");
        }
        let mut names: Vec<String> =
            fs::read_dir(here.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names.retain(|name| name != ".dbjob");
        assert_eq!(names, ["job.dbjob", "rows.csv"], "something unfinished stayed");
    }
}

#[test]
fn a_table_that_takes_too_long_stops_the_run_and_names_the_module() {
    let here = large(9_000, "");
    let begin = Instant::now();
    let ended = with_limits(here.path(), "time = 300ms");
    assert_eq!(ended.code, 1, "{ended:?}");
    for part in ["E0746", "the module `making` reached its limit", "time = 300ms"] {
        assert!(ended.err.contains(part), "{part}: {ended:?}");
    }
    assert!(begin.elapsed() < Duration::from_millis(300) + SLACK, "{:?}", begin.elapsed());
}

#[cfg(unix)]
mod unix {
    use std::process::{Command, Stdio};

    use super::*;

    /// A program that works from its third call on.
    const THIRD: &str = "sh -c 'echo x >> calls; test $(grep -c x calls) -ge 3 || { echo not yet >&2; exit 4; }; cat > /dev/null; cat made.arrow'";

    fn external(command: &str, settings: &str) -> String {
        format!(
            "job j {{ run_time = 1h{settings} }}
dataset given from inline [{{ k: 1 }}, {{ k: 2 }}] {{
  k: int
}}
transform more from given {{
  extern \"{command}\" {{ returns {{ i: int }} }}
}}
deploy more {{
  to csv(\"more.csv\")
}}
module making {{
  runs = more
  LIMITS
}}
"
        )
    }

    /// Two rows of the column `i` as an Arrow stream.
    fn arrow(here: &Path) {
        let job = "dataset t from inline [{ i: 1 }, { i: 2 }] {\n  i: int\n}\ntransform u from t {\n  extern \"sh -c 'cat > made.arrow; exit 1'\" { returns { j: int } }\n}\ndeploy u {\n  to csv(\"u.csv\")\n}\n";
        fs::write(here.join("made.dbjob"), job).unwrap();
        assert_eq!(dbjob(here, &["run", "made.dbjob"]).code, 1);
        assert!(here.join("made.arrow").exists());
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
        for (limits, settings, calls) in
            [("retries = 2", "", 3), ("role = worker", ", retries = 4", 3), ("retries = 1", "", 2)]
        {
            let here = folder(&[("job.dbjob", &external(THIRD, settings))]);
            arrow(here.path());
            let ended = with_limits(here.path(), limits);
            assert_eq!(fs::read_to_string(here.path().join("calls")).unwrap().lines().count(), calls, "{ended:?}");
            if calls == 3 {
                assert_eq!(ended.code, 0, "{ended:?}");
                let of = if settings.is_empty() { 3 } else { 5 };
                assert!(ended.err.contains(&format!("attempt 3 of {of}")), "{ended:?}");
                let out = fs::read_to_string(here.path().join("more.csv")).unwrap();
                assert_eq!(out, "k,i\n1,1\n2,2\n");
            } else {
                assert!(ended.code == 1 && ended.err.contains("it was tried 2 times"), "{ended:?}");
            }
        }
        let job = job("split test 20%", "fit random_forest { trees = 2 }", "retries = 9").replace("[m,", "[rows, m,");
        let here = folder(&[("job.dbjob", &job), ("rows.csv", &data(300).replacen(",true\n", ",tru\n", 1))]);
        let begin = Instant::now();
        let ended = dbjob(here.path(), &["run", "job.dbjob"]);
        assert!(ended.code == 1 && begin.elapsed() < Duration::from_secs(5), "{ended:?}");
        assert!(ended.err.contains("E0704") && !ended.err.contains("attempt"), "{ended:?}");
    }

    /// Starts a run, waits until it is at work, asks it to stop, and gives how long that took.
    fn interrupted(here: &Path, at_work: &dyn Fn(&Path) -> bool) -> (Duration, i32) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dbjob"))
            .current_dir(here)
            .args(["run", "job.dbjob"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let begin = Instant::now();
        while !at_work(here) || begin.elapsed() < Duration::from_millis(900) {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was asked to");
            assert!(begin.elapsed() < Duration::from_secs(60), "it never began");
            std::thread::sleep(Duration::from_millis(20));
        }
        let asked = Instant::now();
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let status = child.wait().expect("it ends");
        (asked.elapsed(), status.code().expect("no signal ends it"))
    }

    #[test]
    fn a_run_that_is_interrupted_ends_within_two_seconds() {
        let fit = |split: &str, fit: &str, limits: &str| shop(&job(split, fit, limits), 60_000);
        let hangs = external("sh -c 'echo x > calls; sleep 1000'", "").replace("LIMITS", "role = worker");
        let waits = external("sh -c 'echo x >> calls; exit 1'", "").replace("LIMITS", "retries = 30");
        let always: &dyn Fn(&Path) -> bool = &|_| true;
        let called: &dyn Fn(&Path) -> bool = &|here| here.join("calls").exists();
        let query = large(9_000, "");
        let path = query.path().join("job.dbjob");
        fs::write(&path, fs::read_to_string(&path).unwrap().replace("LIMITS", "role = worker")).unwrap();
        let forest = "fit random_forest { trees = 100_000 }";
        for (what, here, at_work) in [
            ("a forest", fit("split test 20%", forest, "interval = 100ms"), always),
            (
                "a search",
                fit(
                    "split test 20%",
                    "fit random_forest { trees in [9_000, 9_001] }\n  tune grid by auc",
                    "replicas = 2",
                ),
                always,
            ),
            (
                "epochs",
                fit(
                    "split test 20%",
                    "fit logistic_regression { optimizer = adam, epochs = 900_000 }",
                    "interval = 1s",
                ),
                always,
            ),
            ("a process", folder(&[("job.dbjob", &hangs)]), called),
            ("a wait", folder(&[("job.dbjob", &waits)]), called),
            ("a query", query, always),
        ] {
            let (took, code) = interrupted(here.path(), at_work);
            assert_eq!(code, 130, "{what}");
            assert!(took < Duration::from_secs(2), "{what}: {took:?}");
            assert!(!here.path().join("models/m/current").exists() && !here.path().join("pairs.parquet").exists());
        }
    }
}

/// Models that know nothing of each other are learned at once, and are the same as one after the other.
#[test]
fn independent_models_are_learned_at_the_same_time_and_are_the_same() {
    let model = |name: &str, depth: u8| {
        format!(
            "model {name} from parts {{\n  input a, b, c\n  output y: bool\n  \
             fit random_forest {{ trees = 60, max_depth = {depth} }}\n  evaluate auc\n}}\n\
             deploy {name} {{\n  to registry(\"models\")\n}}\n"
        )
    };
    let job =
        format!("{ROWS}\ntransform parts from rows {{\n  split test 20%\n}}\n{}{}", model("one", 9), model("two", 4));
    let mut found = Vec::new();
    for threads in ["1", "2", "4"] {
        let here = shop(&job, 8_000);
        let ended = dbjob(here.path(), &["run", "--json", "--threads", threads, "job.dbjob"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let events = ended.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event"));
        let of_models =
            events.filter(|e| e["kind"] == "model" && e["event"] != "item_reused" && e["event"] != "written");
        let order: Vec<String> =
            of_models.map(|e| format!("{} {}", e["event"].as_str().unwrap(), e["item"].as_str().unwrap())).collect();
        let one_by_one = ["item_started one", "item_finished one", "item_started two", "item_finished two"];
        let together = ["item_started one", "item_started two", "item_finished one", "item_finished two"];
        assert_eq!(order, if threads == "1" { one_by_one } else { together });
        let weights = |m: &str| fs::read(here.path().join(format!("models/{m}/versions/1/weights.safetensors")));
        found.push((weights("one").expect("weights"), weights("two").expect("weights")));
    }
    assert!(found[0] == found[1] && found[1] == found[2]);
}
