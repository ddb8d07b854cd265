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

/// Three clouds; every third row is of the valid part.
fn clouds() -> String {
    let mut text = String::from("id,part,x,y\n");
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31) - 0.5
    };
    for id in 0..240 {
        let (cx, cy) = [(0.0, 0.0), (3.0, 1.0), (-1.0, 4.0)][id % 3];
        let part = if id % 4 == 1 { "valid" } else { "train" };
        text.push_str(&format!("{id},{part},{:.4},{:.4}\n", cx + 2.0 * next(), cy + 2.0 * next()));
    }
    text
}

/// Of points with the numbers of their clusters.
fn silhouette(points: &[(f64, f64)], numbers: &[&str]) -> f64 {
    let mean = |i: usize, of: &str| {
        let others: Vec<f64> = (0..points.len())
            .filter(|j| *j != i && numbers[*j] == of)
            .map(|j| (points[i].0 - points[j].0).hypot(points[i].1 - points[j].1))
            .collect();
        (!others.is_empty()).then(|| others.iter().sum::<f64>() / others.len() as f64)
    };
    let of = |i: usize| {
        let Some(own) = mean(i, numbers[i]) else { return 0.0 };
        let next = ["0", "1", "2", "3", "4"].iter().filter(|n| **n != numbers[i]).filter_map(|n| mean(i, n));
        let next = next.fold(f64::INFINITY, f64::min);
        (next - own) / next.max(own)
    };
    (0..points.len()).map(of).sum::<f64>() / points.len() as f64
}

#[test]
fn a_search_chooses_by_the_silhouette_of_rows_that_were_not_learned_from() {
    let job = |split: &str, fit: &str| {
        format!(
            "dataset clouds from csv(\"clouds.csv\") {{ id: int key; part: category(\"train\", \"valid\"); x: float; y: float }}\n\
             transform rows from clouds {{ {split} }}\n\
             model groups from rows {{\n  input x, y\n  {fit}\n  evaluate silhouette\n}}\n\
             transform own from rows {{ predict groups as p }}\ndeploy own {{ to csv(\"own.csv\") }}\n"
        )
    };
    let run = |split: &str, fit: &str| {
        let here = folder(&[("job.dbjob", &job(split, fit)), ("clouds.csv", &clouds())]);
        let ended = dbjob(here.path(), &["run", "--json", "job.dbjob"]);
        assert_eq!(ended.code, 0, "{split} {fit}: {ended:?}");
        let events = ended.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an event"));
        let searched = events.filter(|e| e["event"] == "searched").last().expect("it searched")["search"].clone();
        (searched, columns(&here.path().join("own.csv")))
    };
    let tuned = "fit kmeans { k in [2, 3, 4, 5], n_init = 5 }\n  tune grid by silhouette";
    let (searched, own) = run("split using part", tuned);
    let trials = searched["trials"].as_array().expect("trials");
    assert_eq!((trials.len(), trials[0]["options"]["k"]["int"].as_u64()), (4, Some(3)), "{searched}");
    let values: Vec<f64> = trials.iter().map(|t| t["value"].as_f64().expect("defined")).collect();
    assert!(values.is_sorted_by(|a, b| a >= b), "the best first: {values:?}");
    // The best is the model that is kept: what it says of the valid rows gives its value again.
    let valid: Vec<usize> = (0..240).filter(|i| own["part"][*i] == "valid").collect();
    let cell = |name: &str, i: usize| own[name][i].parse::<f64>().expect("a number");
    let points: Vec<(f64, f64)> = valid.iter().map(|i| (cell("x", *i), cell("y", *i))).collect();
    let numbers: Vec<&str> = valid.iter().map(|i| own["p"][*i].as_str()).collect();
    let again = silhouette(&points, &numbers);
    assert!((again - values[0]).abs() < 1e-9, "{again} {values:?}");

    // Folds do it without a valid part, and algorithms compete.
    let best = "fit best by silhouette {\n    kmeans { k in [3, 5] }\n    dbscan { eps = 0.9 }\n  }\n  tune halving(5)";
    let (searched, _) = run("split train 100%", best);
    assert_eq!(searched["trials"].as_array().map(Vec::len), Some(3), "{searched}");
    assert!(searched["trials"][0]["value"].as_f64().expect("defined") > 0.5, "{searched}");
}
