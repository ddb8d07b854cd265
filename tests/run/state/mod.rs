//! What is kept between runs: what runs again after a change, what `plan`, `why`, `runs` and `verify` say of it, and what
//! happens to results that are damaged, locked or stale.

mod faults;
mod history;
mod kills;
mod transcripts;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::cli::{Ended, dbjob};

/// A job with data of its own, and what is done to it.
pub struct Place(tempfile::TempDir);

/// A dataset, a table, a model and what goes out of both.
pub const JOB: &str = r#"
## Who comes back?
job returns {
  seed = 3
}

param least: float = 5.0

fn per_item(amount: float, items: int in 1..): float = amount / items

dataset orders from csv("orders.csv") {
  order_id: int key
  items:    int in 1..=500
  amount:   float
  country:  category("DE", "FR", "US")
  returned: bool label
}

transform rows from orders {
  filter amount >= least
  derive each = per_item(amount, items)
  split test 25%
  map amount, each with log1p, standardize
  map country with one_hot
}

model comes_back from rows {
  input amount, each, country
  output returned: bool
  fit logistic_regression { optimizer = adam, epochs = 5, learning_rate = 0.05 }
  evaluate accuracy
}

deploy live from comes_back {
  to registry("models")
}

transform totals from orders {
  group by country { orders = count(), items = sum(items) }
  sort country
}

deploy totals {
  to csv("out/totals.csv")
}
"#;

impl Place {
    pub fn new(job: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("job.dbjob"), job).unwrap();
        fs::write(place.path("orders.csv"), orders(400)).unwrap();
        place
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn call(&self, args: &[&str]) -> Ended {
        dbjob(self.folder(), args)
    }

    /// A run that must go well; what it did with each item: `model comes_back` -> `ran` or `reused`.
    pub fn run(&self) -> Vec<(String, &'static str)> {
        self.run_with(&[])
    }

    pub fn run_with(&self, more: &[&str]) -> Vec<(String, &'static str)> {
        let ended = self.call(&[&["run", "job.dbjob", "--json"], more].concat());
        assert_eq!(ended.code, 0, "{}\n{}", ended.out, ended.err);
        done(&ended.out)
    }

    pub fn plan(&self, more: &[&str]) -> Json {
        let ended = self.call(&[&["plan", "job.dbjob", "--json"], more].concat());
        assert_eq!(ended.code, 0, "{}\n{}", ended.out, ended.err);
        serde_json::from_str(&ended.out).unwrap()
    }

    /// The titles of the items that a run would compute.
    pub fn planned(&self, more: &[&str]) -> Vec<String> {
        let plan = self.plan(more);
        let items = plan["items"].as_array().unwrap().iter();
        let mut found: Vec<String> =
            items.filter(|i| i["fate"] == "computed" || i["fate"] == "judged").map(title).collect();
        found.sort();
        found
    }

    /// Why an item would be computed, as its `cause`s.
    pub fn causes(&self, item: &str, more: &[&str]) -> Vec<Json> {
        let plan = self.plan(more);
        let found = plan["items"].as_array().unwrap().iter().find(|i| title(i) == item).cloned();
        let found = found.unwrap_or_else(|| panic!("no {item} in {plan:#}"));
        found["why"].as_array().cloned().unwrap_or_default()
    }

    pub fn edit(&self, from: &str, to: &str) {
        self.edit_file("job.dbjob", from, to);
    }

    pub fn edit_file(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{from:?} is not in {name}");
        fs::write(self.path(name), text.replacen(from, to, 1)).unwrap();
    }
}

fn title(item: &Json) -> String {
    let (kind, name) = (item["kind"].as_str().unwrap(), item["item"].as_str().unwrap());
    format!("{kind} {}", name.strip_prefix("deploy.").unwrap_or(name))
}

/// What the events of a run say of each item, sorted.
pub fn done(events: &str) -> Vec<(String, &'static str)> {
    let mut found: Vec<(String, &'static str)> = Vec::new();
    for line in events.lines() {
        let event: Json = serde_json::from_str(line).unwrap();
        match event["event"].as_str().unwrap() {
            "item_finished" => found.push((title(&event), "ran")),
            "item_reused" => found.push((title(&event), "reused")),
            _ => {}
        }
    }
    found.sort();
    found
}

/// The items that ran.
pub fn ran(done: &[(String, &'static str)]) -> Vec<String> {
    done.iter().filter(|(_, how)| *how == "ran").map(|(item, _)| item.clone()).collect()
}

/// Rows of orders, the same from run to run.
pub fn orders(rows: u32) -> String {
    let mut text = String::from("order_id,items,amount,country,returned\n");
    let mut seed = 12_345_u32;
    for id in 0..rows {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (items, cents) = (1 + (seed >> 8) % 9, 300 + (seed >> 12) % 20_000);
        let country = ["DE", "FR", "US"][(seed >> 20) as usize % 3];
        let returned = cents > 9_000 && items < 6 || seed >> 28 == 3;
        text.push_str(&format!("{id},{items},{}.{:02},{country},{returned}\n", cents / 100, cents % 100));
    }
    text
}
