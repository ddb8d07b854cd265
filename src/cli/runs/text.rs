use std::collections::BTreeSet;

use dbjob_runtime::state::{ItemRecord, RunRecord};

use super::super::plan::lines;
use super::super::run::units::{metric, rows, seconds};
use super::super::table::table;
use super::Whole;
use super::compare::Comparison;

pub fn list(runs: &[RunRecord]) -> String {
    if runs.is_empty() {
        return "no runs yet\n".into();
    }
    let cells: Vec<[String; 5]> = runs.iter().map(line).collect();
    table(&[vec![["run", "started", "took", "job", "how"].map(String::from)], cells].concat(), &[], "")
}

fn line(run: &RunRecord) -> [String; 5] {
    let mut how = run.status.word().to_owned();
    if let Some(error) = &run.error {
        how = format!("{how}: {error}");
    }
    if !run.params.is_empty() {
        how = format!("{how}  ({})", run.params.join(", "));
    }
    [run.id.to_string(), run.started.clone(), run.seconds.map(seconds).unwrap_or_default(), run.job.clone(), how]
}

pub fn show(whole: &Whole) -> String {
    let run = &whole.run;
    let took = run.seconds.map(|s| format!(", {}", seconds(s))).unwrap_or_default();
    let mut out = format!("run {} of {} ({}): {}{took}\n", run.id, run.job, run.file, run.status.word());
    out.push_str(&format!("  started {}, dbjob {}, {} threads\n", run.started, run.version, run.threads));
    if !run.params.is_empty() {
        out.push_str(&format!("  with {}\n", run.params.join(", ")));
    }
    if let Some(error) = &run.error {
        out.push_str(&format!("  {error}\n"));
    }
    if !whole.items.is_empty() {
        let cells: Vec<[String; 5]> = whole.items.iter().map(item).collect();
        out.push('\n');
        out.push_str(&table(&cells, &[], ""));
    }
    for rule in &whole.rules {
        let place = rule.path.as_ref().map(|p| format!(", {p}")).unwrap_or_default();
        out.push_str(&format!(
            "{}: {} against `expect {}` ({}{place})\n",
            rule.item,
            rows(rule.failed),
            rule.rule,
            rule.action
        ));
    }
    for (model, name, value) in &whole.metrics {
        out.push_str(&format!("{model}: {name} = {}\n", value.map_or("not defined".into(), metric)));
    }
    out
}

fn item(item: &ItemRecord) -> [String; 5] {
    let how = if item.reused { "reused".to_owned() } else { item.seconds.map(seconds).unwrap_or_default() };
    let hash = item.hash.as_deref().map(|h| h.chars().take(12).collect()).unwrap_or_default();
    let name = item.item.strip_prefix("deploy.").unwrap_or(&item.item).to_owned();
    [item.kind.clone(), name, item.rows.map(rows).unwrap_or_default(), how, hash]
}

pub fn compare(found: &Comparison) -> String {
    let (a, b) = (&found.a, &found.b);
    let mut out = format!("run {} and run {} of {}\n", a.run.id, b.run.id, b.run.job);
    if found.causes.is_empty() && found.changed.is_empty() {
        out.push_str("  the same job over the same data\n");
    }
    for cause in &found.causes {
        for line in lines(cause) {
            out.push_str(&format!("  {line}\n"));
        }
    }
    if !found.changed.is_empty() {
        out.push_str(&format!("  other results: {}\n", found.changed.join(", ")));
    }
    let names: BTreeSet<(&String, &String)> =
        a.metrics.iter().chain(&b.metrics).map(|(model, metric, _)| (model, metric)).collect();
    if !names.is_empty() {
        out.push('\n');
        let value = |whole: &Whole, model: &String, name: &String| {
            let found = whole.metrics.iter().find(|(m, n, _)| m == model && n == name).and_then(|(.., v)| *v);
            found.map_or("-".to_owned(), metric)
        };
        let head =
            ["model".into(), "metric".into(), format!("run {}", a.run.id), format!("run {}", b.run.id), String::new()];
        let cells =
            names.into_iter().map(|(m, n)| [m.clone(), n.clone(), value(a, m, n), value(b, m, n), String::new()]);
        out.push_str(&table(&[vec![head], cells.collect()].concat(), &[], ""));
    }
    let items: BTreeSet<(&String, &String)> = a.items.iter().chain(&b.items).map(|i| (&i.kind, &i.item)).collect();
    let of = |whole: &Whole, item: &String| whole.items.iter().find(|i| i.item == *item).and_then(|i| i.rows);
    let different: Vec<_> =
        items.into_iter().filter(|(_, i)| matches!((of(a, i), of(b, i)), (Some(a), Some(b)) if a != b)).collect();
    if !different.is_empty() {
        out.push('\n');
    }
    for (kind, name) in different {
        let shown = |n: Option<u64>| n.map_or("-".to_owned(), rows);
        out.push_str(&format!("{kind} {name}: {} -> {}\n", shown(of(a, name)), shown(of(b, name))));
    }
    out
}
