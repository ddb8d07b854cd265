//! The same for random chains of up to five maps, functions of the job among them.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::Value;

use super::kinds::{Kind, LEVELS, NARROW, dataset, ndjson, table};
use super::{invertible, is_sound, rows, run, runner, same, takes_all, written};
use crate::cli::folder;

const FUNCTIONS: &str = "
fn doubled(x: float): float = 2 * x + 1
fn flipped(x: float): float = 10 - x
fn cubed(x: float): float = x ** 3
fn shared(x: float in 0.01..): float = 1 / x
fn stepped(x: int): int = 5 - 3 * x
fn logged(x: float in 0.01.., by: float): float = by * log(x, 2) - 1
fn ranked(x: category(\"s\", \"m\", \"l\")): int = match x { \"s\" => 1, \"m\" => 2, else => 3 }
fn opposite(x: bool): bool = not x
";

/// What makes numbers large: two of them in a chain leave floats.
const GROWING: &[&str] = &["exp", "expm1", "square", "cubed"];

fn pool() -> Vec<String> {
    let own = ["doubled", "flipped", "cubed", "shared", "stepped", "logged(0.5)", "ranked", "opposite"];
    let more = ["affine(3, -7)", "labels(\"l\", \"s\", \"m\")"];
    // An angle comes back modulo its period, which is no way back from there on.
    let maps = invertible().filter(|m| m.name != "cyclic").map(written);
    maps.chain(own.into_iter().chain(more).map(str::to_owned)).collect()
}

/// Chains as they grow, and whether they are sound.
#[derive(Default)]
struct Chains(HashMap<String, bool>);

impl Chains {
    /// The chain that a column and random choices make.
    fn of(&mut self, kind: &Kind, pool: &[String], choices: &[prop::sample::Index]) -> Vec<String> {
        let mut chain: Vec<String> = Vec::new();
        for choice in choices {
            let op = choice.get(pool);
            let grows = |op: &String| GROWING.contains(&op.as_str());
            if chain.len() == 5 || (grows(op) && chain.iter().any(grows)) {
                continue;
            }
            let labelled = chain.is_empty() && takes_all(kind, op) || !op.starts_with("labels");
            chain.push(op.clone());
            if !labelled || !self.fits(kind, &chain) {
                chain.pop();
            }
        }
        chain
    }

    fn fits(&mut self, kind: &Kind, chain: &[String]) -> bool {
        let (name, chain) = (kind.name, chain.join(", "));
        *self.0.entry(format!("{name} {chain}")).or_insert_with(|| {
            let steps = format!("split using part; map {name} with {chain} as m; unmap m");
            is_sound(&format!("{FUNCTIONS}{}transform t from d {{ {steps} }}\n", dataset(&[kind])))
        })
    }
}

#[test]
fn chains_come_back() {
    let kinds: Vec<&Kind> = NARROW.iter().chain(LEVELS).collect();
    let pool = pool();
    let chains = std::cell::RefCell::new(Chains::default());
    // Values that were compared, by the length of their chain.
    let compared = std::cell::RefCell::new([0_usize; 6]);
    let choices = prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 14), kinds.len());
    runner(40)
        .run(&(table(&kinds), choices), |(data, choices)| {
            let chosen: Vec<Vec<String>> = kinds
                .iter()
                .zip(&choices)
                .map(|(kind, choices)| chains.borrow_mut().of(kind, &pool, choices))
                .collect();
            let here = folder(&[("job.dbjob", &job(&kinds, &chosen)), ("d.ndjson", &ndjson(&kinds, &data))]);
            run(here.path());
            let (mapped, back) = (rows(&here.path().join("mapped.ndjson")), rows(&here.path().join("back.ndjson")));
            for (at, (kind, chain)) in kinds.iter().zip(&chosen).enumerate() {
                let steps =
                    |id: usize| (1..=chain.len()).map(move |i| format!("{}_{i}", kind.name)).map(move |n| (id, n));
                let number = |(id, name): (usize, String)| mapped[id][name].as_f64();
                let all = || (0..data.len()).flat_map(steps).filter_map(number);
                // Beside huge numbers a scale says nothing of the others.
                if all().any(|x| x.abs() > 1e4) {
                    continue;
                }
                for (id, row) in data.iter().enumerate() {
                    // Rounding near the flat point of a power is as large as its root, and so it is where `expm1` is -1.
                    let bends = chain.iter().any(|op| GROWING[2..].contains(&op.as_str()));
                    let near_zero = |x: f64| x.abs() < 1e-3 && (bends || x != 0.0);
                    let levels =
                        chain.iter().position(|op| op == "expm1").and_then(|i| steps(id).nth(i)).and_then(number);
                    let tiny = row[at + 1].as_f64().into_iter().chain(steps(id).filter_map(number)).any(near_zero)
                        || levels.is_some_and(|x| x < -0.999);
                    let (value, found) = (&row[at + 1], &back[id][kind.name]);
                    let unseen =
                        found.is_null() && is_open(kind) && data.iter().all(|r| r[0] != "train" || r[at + 1] != *value);
                    let chain = chain.join(", ");
                    assert!(
                        tiny || unseen || same(value, found),
                        "`map {} with {chain}`: {value} came back as {found}",
                        kind.name
                    );
                }
                compared.borrow_mut()[chain.len()] += data.len();
            }
            Ok(())
        })
        .unwrap();
    let compared = compared.into_inner();
    assert!(compared[3..].iter().all(|n| *n >= 400), "{compared:?} values were compared");
}

fn is_open(kind: &Kind) -> bool {
    matches!(kind.name, "plan" | "note")
}

/// Every chain twice: in place and undone, and link by link under names of their own.
fn job(kinds: &[&Kind], chains: &[Vec<String>]) -> String {
    let mut mapped = String::from("transform mapped from d {\n  split using part\n");
    let mut back = String::from("transform back from d {\n  split using part\n");
    for (kind, chain) in kinds.iter().zip(chains).filter(|(_, chain)| !chain.is_empty()) {
        let name = kind.name;
        let mut from = name.to_owned();
        for (i, op) in chain.iter().enumerate() {
            let to = format!("{name}_{}", i + 1);
            mapped += &format!("  map {from} with {op} as {to}\n");
            from = to;
        }
        back += &format!("  map {name} with {}\n  unmap {name}\n", chain.join(", "));
    }
    let deploys = "deploy mapped { to ndjson(\"mapped.ndjson\") }\ndeploy back { to ndjson(\"back.ndjson\") }\n";
    format!("{FUNCTIONS}{}{mapped}}}\n{back}}}\n{deploys}", dataset(kinds))
}

#[test]
fn a_value_that_never_was_comes_back_as_null() {
    let kinds: Vec<&Kind> = LEVELS.iter().collect();
    let job = dataset(&kinds)
        + "transform t from d {\n  split using part\n  map plan with index, affine(10, 1), standardize\n  unmap plan\n}\n\
           deploy t { to ndjson(\"t.ndjson\") }\n";
    let row = |part: &str, plan: &str| -> Vec<Value> {
        vec![part.into(), 1.into(), true.into(), "no".into(), "s".into(), plan.into(), "x".into()]
    };
    let data = [row("train", "a"), row("train", "b"), row("test", "c"), row("test", "b")];
    let here = folder(&[("job.dbjob", &job), ("d.ndjson", &ndjson(&kinds, &data))]);
    run(here.path());
    let plans: Vec<Value> = rows(&here.path().join("t.ndjson")).iter().map(|r| r["plan"].clone()).collect();
    assert_eq!(plans, [Value::from("a"), "b".into(), Value::Null, "b".into()]);
}
