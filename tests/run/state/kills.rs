//! Runs that are killed at any moment: the next one ends as if nothing had happened, and does nothing twice.
//!
//! `DBJOB_KILLS=200 cargo test --release --workspace --test main -- kills` is the long form.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

use serde_json::Value as Json;

use super::{Place, done, orders, ran};
use crate::cli::program;

/// Fits with folds, a search and checkpoints, tables that are kept, a partitioned folder, a database, two registries.
const JOB: &str = r#"
job returns {
  seed = 3
}

dataset orders from csv("orders.csv") {
  order_id: int key
  items:    int in 1..=500
  amount:   float
  country:  category("DE", "FR", "US")
  returned: bool label
}

transform rows from orders {
  derive each = amount / items ?? 0.0
  split test 25%, folds 3
  map amount, each with standardize
  map country with one_hot
}

model by_forest from rows {
  input amount, each, items, country
  output returned: bool
  fit random_forest { trees = 40 }
  evaluate accuracy
}

model by_line from rows {
  input amount, each, country
  output returned: bool
  fit logistic_regression { optimizer = adam, epochs = 60, learning_rate in [0.01, 0.1] }
  tune grid by log_loss
  evaluate accuracy
}

module lines { runs = by_line, interval = 10ms }

deploy forest from by_forest {
  to registry("models")
}

deploy line from by_line {
  to registry("models")
}

transform judged from orders {
  predict by_forest as guess
  select order_id, country, amount, guess, guess_probability
}

deploy judged {
  to parquet("out/judged.parquet")
  to csv("out/parts", partition = country)
  to sqlite("out/judged.db", table = "judged", mode = replace)
}
"#;

/// What a run leaves that says something, as hashes: the bytes of its outputs and of its models.
fn results(folder: &Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for name in super::super::files_below(folder) {
        let tells = name.starts_with("out/") && !name.contains(".db") || name.ends_with("weights.safetensors");
        if tells {
            let mut hash = DefaultHasher::new();
            fs::read(folder.join(&name)).unwrap().hash(&mut hash);
            found.insert(name.clone(), hash.finish());
        }
    }
    found
}

fn spawn(place: &Place) -> std::process::Child {
    let mut command: Command = program(place.folder(), &["run", "job.dbjob", "--json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_run_that_was_killed_is_taken_up_where_it_was() {
    let kills: u32 = std::env::var("DBJOB_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(8);
    let undisturbed = Place::new(JOB);
    fs::write(undisturbed.path("orders.csv"), orders(3000)).unwrap();
    let start = Instant::now();
    let all = ran(&undisturbed.run());
    let whole = start.elapsed();
    let expected = results(undisturbed.folder());
    assert!(expected.len() > 5, "{:?}", expected.keys());
    let mut seed = 2026_u64;
    let (mut after_all, mut again_in_all) = (0, 0);
    for kill in 0..kills {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = Place::new(JOB);
        fs::write(place.path("orders.csv"), orders(3000)).unwrap();
        let mut child = spawn(&place);
        sleep(whole.mul_f64(1.1 * (seed >> 40) as f64 / f64::from(1 << 24)));
        child.kill().unwrap();
        let told = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        // The last line may be cut.
        let whole_lines: String = told.split_inclusive('\n').filter(|l| l.ends_with('\n')).collect();
        let before = ran(&done(&whole_lines));
        // What is to be seen is whole.
        for (name, hash) in results(place.folder()) {
            if let Some(right) = expected.get(&name) {
                assert!(*right == hash, "kill {kill}: {name} is to be seen half done");
            } else {
                let hidden = name.split('/').any(|part| part.starts_with(".dbjob-"));
                assert!(hidden, "kill {kill}: {name} should not be there");
            }
        }
        for model in ["by_forest", "by_line"] {
            let current = place.path(&format!("models/{model}/current"));
            if current.exists() {
                let manifest = place.path(&format!("models/{model}/versions/1/manifest.json"));
                let manifest: Json = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
                assert_eq!(manifest["model"], model);
            }
        }
        let again = ran(&place.run());
        let kept = |item: &&String| item.starts_with("model ") || item.starts_with("deploy ");
        for item in before.iter().filter(kept) {
            assert!(!again.contains(item), "kill {kill}: {item} was finished and ran again");
        }
        assert_eq!(results(place.folder()), expected, "kill {kill}");
        for model in ["by_forest", "by_line"] {
            let versions = fs::read_dir(place.path(&format!("models/{model}/versions"))).unwrap();
            let versions: Vec<_> = versions.flatten().map(|e| e.file_name()).collect();
            assert_eq!(versions, ["1"], "kill {kill}: {model}");
        }
        assert_eq!(ran(&place.run()), Vec::<String>::new(), "kill {kill}: nothing is left to do");
        after_all += before.len();
        again_in_all += again.len();
    }
    eprintln!(
        "{kills} kills within {whole:.1?}: {after_all} items were finished before, {again_in_all} ran afterwards, of {} each",
        all.len()
    );
}
