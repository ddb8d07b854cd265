//! `unmap(map(x)) == x` for every map that has an inverse and every type that it takes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::kinds::{Kind, LEVELS, WIDE, dataset, ndjson, table};
use super::{invertible, is_sound, rows, run, runner, same, takes_all, written};
use crate::cli::folder;

/// Besides what the catalog shows: ints that stay ints, other labels.
const MORE: &[&str] = &["affine(3, -7)", "affine(-0.25)", "labels(\"l\", \"s\", \"m\")", "cyclic(7)"];

/// Every invertible map on every column that it fits, as (column, map).
fn pairs() -> Vec<(&'static Kind, String)> {
    let ops: Vec<String> = invertible().map(written).chain(MORE.iter().map(|op| (*op).to_owned())).collect();
    let kinds = || WIDE.iter().chain(LEVELS);
    ops.into_iter().flat_map(|op| kinds().map(move |kind| (kind, op.clone()))).filter(|(k, op)| fits(k, op)).collect()
}

fn fits(kind: &Kind, op: &str) -> bool {
    let name = kind.name;
    // The exponential of what is wide is not a float any more.
    if op.starts_with("exp") && !matches!(name, "share" | "small" | "small_int") {
        return false;
    }
    takes_all(kind, op)
        && is_sound(&format!(
            "{}transform t from d {{ split using part; map {name} with {op} as m; unmap m }}\n",
            dataset(&[kind])
        ))
}

#[test]
fn what_is_mapped_comes_back() {
    let pairs = pairs();
    for map in invertible() {
        let fits = pairs.iter().any(|(_, op)| op.split('(').next() == Some(map.name));
        assert!(fits, "`{}` says that it has an inverse, and fits no column here", map.name);
    }
    assert!(pairs.len() >= 60, "only {} pairs", pairs.len());
    let kinds: Vec<&Kind> = WIDE.iter().chain(LEVELS).collect();
    let mut job = dataset(&kinds) + "transform mapped from d {\n  split using part\n";
    for (i, (kind, op)) in pairs.iter().enumerate() {
        job += &format!("  map {} with {op} as m{i}\n", kind.name);
    }
    job += "}\ntransform back from mapped {\n";
    job += &(0..pairs.len()).map(|i| format!("  unmap m{i}\n")).collect::<String>();
    job += "}\ndeploy back { to ndjson(\"back.ndjson\") }\n";
    assert!(is_sound(&job), "{:?}", crate::ui::problems(std::path::Path::new("maps/job.dbjob"), &job).0);

    runner(24)
        .run(&table(&kinds), |data| {
            let here = folder(&[("job.dbjob", &job), ("d.ndjson", &ndjson(&kinds, &data))]);
            run(here.path());
            let back = rows(&here.path().join("back.ndjson"));
            assert_eq!(back.len(), data.len());
            for (i, (kind, op)) in pairs.iter().enumerate() {
                let at = 1 + kinds.iter().position(|k| k.name == kind.name).expect("a column");
                let train = data.iter().filter(|row| row[0] == "train");
                let seen: BTreeSet<String> = train.map(|row| row[at].to_string()).collect();
                for (id, row) in data.iter().enumerate() {
                    let found = &back[id][format!("m{i}")];
                    let expected = expected(&row[at], kind, op, &seen);
                    assert!(same(&expected, found), "`map {} with {op}`: {} came back as {found}", kind.name, row[at]);
                }
            }
            Ok(())
        })
        .unwrap();
}

/// The value itself; of a level that no train row has: null; of an angle: modulo the period.
fn expected(value: &Value, kind: &Kind, op: &str, seen: &BTreeSet<String>) -> Value {
    if let Some(period) = op.strip_prefix("cyclic(").and_then(|rest| rest.trim_end_matches(')').parse::<f64>().ok()) {
        return match value {
            Value::Number(n) if n.is_i64() => json!(n.as_i64().expect("an int").rem_euclid(period as i64)),
            Value::Number(n) => json!(n.as_f64().expect("a float").rem_euclid(period)),
            Value::String(decimal) => {
                let cents: i64 = decimal.replace('.', "").parse().expect("two digits after the point");
                let cents = cents.rem_euclid(period as i64 * 100);
                json!(format!("{}.{:02}", cents / 100, cents % 100))
            }
            other => other.clone(),
        };
    }
    let learned = ["index", "one_hot"].contains(&op) && matches!(kind.name, "plan" | "note");
    if learned && !seen.contains(&value.to_string()) { Value::Null } else { value.clone() }
}
