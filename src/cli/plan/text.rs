use std::path::Path;

use dbjob_plan::{Fate, ItemKind};
use dbjob_runtime::{Ahead, AheadItem, Cause, Lost, StepText};

use super::super::files::shown;
use super::super::item_title;
use super::super::run::units::{rows, seconds};

/// A line an item, then why what is computed is computed.
pub fn render(ahead: &Ahead) -> String {
    let mut out = headline(ahead);
    let names: Vec<String> = ahead.items.iter().map(|i| item_title(i.kind, &i.item)).collect();
    let width = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
    for (item, name) in ahead.items.iter().zip(&names) {
        let line = format!("  {name:width$}  {:<10}  {}", verb(item), estimate(item));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out.push_str(&why(&ahead.items));
    out.push_str(&contracts(&ahead.items));
    out.push_str(&holds(&ahead.items));
    out
}

fn headline(ahead: &Ahead) -> String {
    let computed: Vec<&AheadItem> = ahead.items.iter().filter(|i| i.fate.runs()).collect();
    if computed.is_empty() {
        return format!("job {}: nothing to do, everything is up to date\n", ahead.job);
    }
    let known: Option<f64> = computed.iter().map(|i| i.seconds).sum();
    let time = known.map(|s| format!(", about {}", seconds(s))).unwrap_or_default();
    format!("job {}: {} of {} items to run{time}\n", ahead.job, computed.len(), ahead.items.len())
}

/// What happens with an item, in a word.
fn verb(item: &AheadItem) -> &'static str {
    let first = matches!(item.why.as_slice(), [Cause::New { .. }]) || item.lost == Some(Lost::NeverFinished);
    match (item.fate, item.kind) {
        (Fate::Computed, ItemKind::Dataset) => "read",
        (Fate::Computed, ItemKind::Transform) => "compute",
        (Fate::Computed, ItemKind::Model) if first => "train",
        (Fate::Computed, ItemKind::Model) => "retrain",
        (Fate::Computed, ItemKind::Deploy) => "write",
        (Fate::Judged, _) => "judge",
        (Fate::ReadBack, _) => "reuse",
        (Fate::UpToDate, _) => "up to date",
        (Fate::NotNeeded, _) => "unchanged",
    }
}

/// How large it was and how long it took.
fn estimate(item: &AheadItem) -> String {
    let mut parts = Vec::new();
    parts.extend(item.rows.map(rows));
    if item.fate.runs() {
        parts.extend(item.seconds.map(|s| format!("about {}", seconds(s))));
    }
    parts.join(", ")
}

/// Each cause once, with the items that it makes run.
fn why(items: &[AheadItem]) -> String {
    let mut causes: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    let mut add = |cause: Vec<String>, item: String| match causes.iter_mut().find(|(known, _)| *known == cause) {
        Some((_, items)) => items.push(item),
        None => causes.push((cause, vec![item])),
    };
    let mut first = Vec::new();
    for item in items.iter().filter(|i| i.fate.runs()) {
        let name = item_title(item.kind, &item.item);
        for cause in &item.why {
            match cause {
                Cause::New { item } if *item == name => first.push(name.clone()),
                Cause::New { .. } => {}
                cause => add(lines(cause), name.clone()),
            }
        }
        if let Some(lost) = item.lost.filter(|lost| *lost != Lost::Needed) {
            add(vec![lost_because(lost, item.kind).to_owned()], name);
        }
    }
    if !first.is_empty() {
        causes.push((vec!["never run before".into()], first));
    }
    if causes.is_empty() {
        return String::new();
    }
    let mut out = String::from("\nwhy\n");
    for (cause, items) in causes {
        for line in cause {
            out.push_str(&format!("  {line}\n"));
        }
        out.push_str(&format!("    -> {}\n", items.join(", ")));
    }
    let models = items.iter().filter(|i| i.fate.runs() && !i.changed_columns.is_empty());
    for model in models {
        let inputs = model.changed_columns.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ");
        out.push_str(&format!("  changed inputs of {}: {inputs}\n", item_title(model.kind, &model.item)));
    }
    out
}

/// The causes of one item, a line or two each.
pub fn causes(item: &AheadItem) -> Vec<String> {
    let mut all: Vec<String> = item.why.iter().flat_map(lines).collect();
    all.extend(item.lost.map(|lost| lost_because(lost, item.kind).to_owned()));
    all
}

/// A cause in a line or two.
pub fn lines(cause: &Cause) -> Vec<String> {
    let place = |at: &StepText| format!("{}:{}", at.file, at.line);
    match cause {
        Cause::New { item } => vec![format!("{item} is new")],
        Cause::Engine { was, now } => vec![format!("another version computes: {was} -> {now}")],
        Cause::Seed { was, now } => vec![format!("seed: {was} -> {now}")],
        Cause::Param { name, was, now } => {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not there".into());
            vec![format!("param {name}: {} -> {}", shown(was), shown(now))]
        }
        Cause::Data { dataset, added, removed, changed } => {
            let list = |word: &str, files: &[String]| match files {
                [] => None,
                [one] => Some(format!("{} {word}", shown(Path::new(one)))),
                [one, rest @ ..] => Some(format!("{} and {} more {word}", shown(Path::new(one)), rest.len())),
            };
            let parts = [list("is new", added), list("is gone", removed), list("changed", changed)];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            let what = if parts.is_empty() { "its content changed".to_owned() } else { parts.join(", ") };
            vec![format!("data of {dataset}: {what}")]
        }
        Cause::Unknown { dataset } => {
            vec![format!("data of {dataset}: only reading tells whether they changed")]
        }
        Cause::Step { item, was: Some(was), now: Some(now) } => {
            vec![format!("{item}, {}: {}", place(now), now.text), format!("  was: {}", was.text)]
        }
        Cause::Step { item, was: None, now: Some(now) } => {
            vec![format!("{item}, {}: new: {}", place(now), now.text)]
        }
        Cause::Step { item, was, .. } => {
            vec![format!("{item}: gone: {}", was.as_ref().map(|w| w.text.as_str()).unwrap_or_default())]
        }
        Cause::Option { item, name, was, now, at } => {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not said".into());
            let at = at.as_ref().map(|at| format!(", {}", place(at))).unwrap_or_default();
            vec![format!("{item}{at}: {name}: {} -> {}", shown(was), shown(now))]
        }
        Cause::Meaning { item, at } => {
            vec![format!("{item}, {}: a function that it calls changed: {}", place(at), at.text)]
        }
    }
}

fn lost_because(lost: Lost, kind: ItemKind) -> &'static str {
    match (lost, kind) {
        (Lost::NeverFinished, _) => "never finished before",
        (Lost::OutputChanged, _) => "what was written is not there any more as it was written",
        (Lost::NotKept, _) => "its result is not kept any more",
        (Lost::Needed, ItemKind::Dataset) => "something that reads it is computed",
        (Lost::Needed, _) => "something that reads it is computed, and it is not kept",
        (Lost::Fresh, _) => "everything is computed anew, as asked",
    }
}

fn contracts(items: &[AheadItem]) -> String {
    let mut out = String::new();
    for item in items.iter().filter(|i| !i.contract.is_empty()) {
        out.push_str(&format!(
            "\n{} changes what callers of the live version know\n",
            item_title(item.kind, &item.item)
        ));
        for change in &item.contract {
            out.push_str(&format!("  {}{}\n", if change.breaking { "breaking: " } else { "" }, change.what));
        }
    }
    out
}

/// The steps that hold whole tables; nothing is said where all stream.
fn holds(items: &[AheadItem]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        for hold in &item.holds {
            let line = format!("  {}: {}: {}\n", item_title(item.kind, &item.item), hold.step, hold.why);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("\nheld in memory as a whole; everything else streams\n{}", lines.concat())
}
