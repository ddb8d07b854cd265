//! Models without an output: the same numbers wherever they are asked for, and a judgement by the train rows.

use std::fs;
use std::path::Path;

use super::columns;
use crate::cli::{dbjob, folder};

const JOB: &str = r#"
dataset penguins from csv("penguins.csv", nulls = ["NA"]) {
  species: category("Adelie", "Chinstrap", "Gentoo") label
  bill_length_mm: float?
  bill_depth_mm:  float?
  flipper_length_mm: int?
  body_mass_g: int?
}
transform rows from penguins {
  SPLIT
  map bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g with impute(median), standardize
}
model groups from rows {
  input bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g
  fit ALGORITHM
  evaluate silhouette
  require silhouette > baseline and silhouette >= GATE
}
deploy groups { to registry("models") }
transform own from rows {
  predict groups as p
  select species, p
}
deploy own { to csv("own.csv") }
transform replayed from penguins {
  predict groups as p
}
deploy replayed { to csv("replayed.csv") }
"#;

fn job(split: &str, algorithm: &str, gate: &str) -> String {
    JOB.replace("SPLIT", split).replace("ALGORITHM", algorithm).replace("GATE", gate)
}

fn penguins() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/penguins.csv");
    fs::read_to_string(path).expect("penguins")
}

#[test]
fn clusters_are_numbered_alike_in_a_run_and_from_a_package() {
    for split in ["split train 100%", "split test 20%"] {
        for algorithm in ["kmeans { k = 3, n_init = 5 }", "dbscan { eps = 0.6 }"] {
            let here = folder(&[("job.dbjob", &job(split, algorithm, "0.2")), ("penguins.csv", &penguins())]);
            let ended = dbjob(here.path(), &["run", "job.dbjob"]);
            assert_eq!(ended.code, 0, "{algorithm}: {ended:?}");
            assert!(ended.out.contains("train  baseline"), "{}", ended.out);
            let own = columns(&here.path().join("own.csv"));
            let replayed = columns(&here.path().join("replayed.csv"));
            assert_eq!(own["p"], replayed["p"], "{algorithm}");
            let ended =
                dbjob(here.path(), &["predict", "models/groups", "--input", "penguins.csv", "--output", "out.csv"]);
            assert_eq!(ended.code, 0, "{ended:?}");
            assert_eq!(columns(&here.path().join("out.csv"))["prediction"], own["p"], "{algorithm}");
            // Gentoos are far from the others.
            let numbers = |gentoo: bool| -> Vec<&String> {
                let of = own["species"].iter().zip(&own["p"]).filter(|(s, p)| (*s == "Gentoo") == gentoo && *p != "-1");
                of.map(|(_, p)| p).collect()
            };
            let most = |of: &[&String]| -> String {
                let count = |n: &str| of.iter().filter(|p| p.as_str() == n).count();
                ["0", "1", "2"].into_iter().max_by_key(|n| count(n)).unwrap_or_default().to_owned()
            };
            let (gentoo, others) = (numbers(true), numbers(false));
            let at = most(&gentoo);
            assert!(
                gentoo.iter().filter(|p| p.as_str() == at).count() * 10 > gentoo.len() * 9,
                "{algorithm}: {gentoo:?}"
            );
            assert!(others.iter().filter(|p| p.as_str() == at).count() * 10 < others.len(), "{algorithm}: {others:?}");
            assert_eq!(own["p"].iter().any(|p| p == "-1"), algorithm.starts_with("dbscan"));
            // Nothing has changed.
            let again = dbjob(here.path(), &["plan", "job.dbjob"]);
            assert!(again.out.contains("nothing to do"), "{again:?}");
        }
    }
}

#[test]
fn a_gate_of_clusters_fails_and_a_wrong_fit_is_told() {
    let here = folder(&[
        ("job.dbjob", &job("split train 100%", "kmeans { k = 3 }", "0.9")),
        ("many.dbjob", &job("split train 100%", "kmeans { k = 900 }", "0.9")),
        ("penguins.csv", &penguins()),
    ]);
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("silhouette"), "{}", ended.err);
    assert!(!here.path().join("models/groups/current").exists());
    let ended = dbjob(here.path(), &["run", "many.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("900 clusters in 344 rows"), "{}", ended.err);
}
