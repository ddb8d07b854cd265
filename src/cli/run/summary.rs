use std::path::Path;

use dbjob_plan::{
    Conformal, Confusion, Event, ItemKind, MetricValue, ModelReport, RequirementResult, RunReport, SearchReport,
    SliceMetric, Task, Trial,
};

use super::super::files::shown;
use super::super::item_title;
use super::super::table::table;
use super::units::{metric, rows, seconds, thousands};
use crate::catalog;

/// What came of a run: the items with their rows, each model with its metrics and gates, and where everything is.
pub fn render(report: &RunReport, events: &[Event], colour: bool) -> String {
    let mut out = headline(report, events);
    out.push_str(&items(events));
    for (at, model) in report.models.iter().enumerate() {
        // Where it goes to several places it is told of once.
        if report.models[..at].iter().any(|other| other.model == model.model) {
            if let Some(package) = &model.package {
                out.push_str(&format!("  {}\n", destination(model, package)));
            }
            continue;
        }
        out.push('\n');
        out.push_str(&of_model(model, colour));
    }
    let tables: Vec<_> = report.tables.iter().filter_map(|t| Some((t, t.path.as_deref()?))).collect();
    if !tables.is_empty() {
        out.push('\n');
    }
    for (table, place) in tables {
        let name = table.item.strip_prefix("deploy.").unwrap_or(&table.item);
        out.push_str(&format!("table {name}  {}  {}\n", rows(table.rows), shown(place)));
    }
    out
}

fn headline(report: &RunReport, events: &[Event]) -> String {
    let job = events.iter().find_map(|e| if let Event::RunStarted { job, .. } = e { Some(job.as_str()) } else { None });
    format!("job {}  {}\n", job.unwrap_or_default(), seconds(report.seconds))
}

/// One line an item that ran, with what its expectations found.
fn items(events: &[Event]) -> String {
    let finished: Vec<(String, Option<u64>, String)> = events
        .iter()
        .filter_map(|e| match e {
            Event::ItemFinished { item, kind, rows, seconds: s } if *kind != ItemKind::Deploy => {
                Some((item_title(*kind, item), *rows, seconds(*s)))
            }
            Event::ItemReused { item, kind, rows, path } => {
                let what = if path.is_some() { "up to date" } else { "reused" };
                Some((item_title(*kind, item), *rows, what.to_owned()))
            }
            _ => None,
        })
        .collect();
    let names = widest(finished.iter().map(|(name, ..)| name.as_str()));
    let sizes = widest(finished.iter().map(|(_, n, _)| n.map(rows).unwrap_or_default()));
    let mut out = String::new();
    for (name, n, how) in &finished {
        out.push_str(&format!("  {name:names$}  {:>sizes$}  {how:>8}\n", n.map(rows).unwrap_or_default()));
    }
    for event in events {
        if let Event::Expected { item, rule, failed, action, path } = event
            && *failed > 0
        {
            let place = path.as_deref().map(|p| format!(", {}", shown(Path::new(p)))).unwrap_or_default();
            out.push_str(&format!("  {item}: {} against `expect {rule}` ({action}{place})\n", rows(*failed)));
        }
    }
    out
}

fn of_model(model: &ModelReport, colour: bool) -> String {
    let counts = &model.rows;
    let mut parts = vec![format!("{} train", thousands(counts.train))];
    if counts.valid > 0 {
        parts.push(format!("{} valid", thousands(counts.valid)));
    }
    if counts.out_of_fold > 0 {
        parts.push(format!("{} out of fold", thousands(counts.out_of_fold)));
    } else {
        parts.push(format!("{} test", thousands(counts.test)));
    }
    let mut out = format!("model {}  {}  {} rows", model.model, model.algorithm, parts.join(" / "));
    if counts.without_output > 0 {
        out.push_str(&format!(", {} without output", thousands(counts.without_output)));
    }
    out.push('\n');
    if let Some(search) = &model.search {
        out.push_str(&tried(search));
    }
    if !model.unfinished.is_empty() {
        let parts: Vec<String> = model.unfinished.iter().map(ToString::to_string).collect();
        out.push_str(&format!("  ended by the time of its module: {}\n", parts.join(", ")));
    }
    if let Some(threshold) = model.threshold {
        out.push_str(&format!("  true from a probability of {} on\n", metric(threshold)));
    }
    if let Some(method) = model.calibration {
        out.push_str(&format!("  probabilities calibrated by {}\n", method.word()));
    }
    if let Some(Conformal { coverage, radius: Some(radius) }) = model.conformal {
        let percent = (coverage * 1e4).round() / 100.0;
        out.push_str(&format!("  intervals of {percent} %: the prediction \u{b1} {}\n", metric(radius)));
    }
    let of_clusters =
        |(name, _): &(String, MetricValue)| catalog::metric::find(name).is_some_and(|m| m.task == Task::Clustering);
    let judged_by = match counts.out_of_fold {
        _ if model.metrics.iter().any(of_clusters) => "train",
        0 => "test",
        _ => "out of fold",
    };
    out.push_str(&metrics(&model.metrics, judged_by));
    out.push_str(&model.confusion.as_ref().map(confused).unwrap_or_default());
    out.push_str(&slices(&model.slices));
    for requirement in &model.requirements {
        out.push_str(&of_requirement(requirement, colour));
    }
    if let Some(package) = &model.package {
        out.push_str(&format!("  {}\n", destination(model, package)));
    }
    for change in &model.breaks {
        out.push_str(&format!("    breaks callers: {}\n", change.what));
    }
    out
}

/// The first of what a search tried, the best above.
fn tried(search: &SearchReport) -> String {
    const SHOWN: usize = 5;
    let mut out = format!("  the best of {} by {}\n", search.trials.len(), search.metric);
    let trials = &search.trials[..search.trials.len().min(SHOWN)];
    let value = |trial: &Trial| trial.value.map_or_else(|| "-".to_owned(), metric);
    let names = widest(trials.iter().map(|t| t.algorithm.as_str()));
    let values = widest(trials.iter().map(value));
    for trial in trials {
        let options: Vec<String> = trial.options.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let line = format!("    {:>values$}  {:names$}  {}", value(trial), trial.algorithm, options.join(", "));
        let few = trial.share.map(|share| format!("  (on {} % of the train rows)", metric(share * 100.0)));
        out.push_str(&format!("{}{}\n", line.trim_end(), few.unwrap_or_default()));
    }
    if search.trials.len() > SHOWN {
        out.push_str(&format!("    and {} more\n", search.trials.len() - SHOWN));
    }
    out
}

/// The true classes one below the other, the predicted ones side by side.
fn confused(confusion: &Confusion) -> String {
    const SHOWN: usize = 10;
    let Confusion { classes, rows } = confusion;
    if classes.len() > SHOWN {
        return String::new();
    }
    let names: Vec<String> = classes.iter().map(ToString::to_string).collect();
    let mut lines = vec![[vec!["true / predicted".to_owned()], names.clone()].concat()];
    for (name, row) in names.into_iter().zip(rows) {
        lines.push([vec![name], row.iter().map(|n| thousands(*n)).collect()].concat());
    }
    let right: Vec<bool> = (0..=classes.len()).map(|column| column > 0).collect();
    table(&lines, &right, "  ")
}

/// `auc by country`: a line for each value.
fn slices(slices: &[SliceMetric]) -> String {
    let mut out = String::new();
    let names = widest(slices.iter().map(|s| s.of.to_string()));
    let sizes = widest(slices.iter().map(|s| rows(s.rows)));
    for (at, slice) in slices.iter().enumerate() {
        let begins = at == 0 || (&slices[at - 1].metric, &slices[at - 1].column) != (&slice.metric, &slice.column);
        if begins {
            out.push_str(&format!("  {} by {}\n", slice.metric, slice.column));
        }
        let value = slice.value.map_or_else(|| "not defined".to_owned(), metric);
        out.push_str(&format!("    {:names$}  {:>sizes$}  {value}\n", slice.of.to_string(), rows(slice.rows)));
    }
    out
}

fn metrics(metrics: &[(String, MetricValue)], judged_by: &str) -> String {
    if metrics.is_empty() {
        return String::new();
    }
    let interval = |m: &MetricValue| m.interval.map(|(low, high)| format!("{} to {}", metric(low), metric(high)));
    let cells: Vec<[String; 4]> =
        std::iter::once(["metric".into(), judged_by.into(), "interval".into(), "baseline".into()])
            .chain(
                metrics.iter().map(|(name, m)| {
                    [name.clone(), metric(m.value), interval(m).unwrap_or_default(), metric(m.baseline)]
                }),
            )
            .collect();
    let shown = |column: &usize| *column != 2 || metrics.iter().any(|(_, m)| m.interval.is_some());
    let columns: Vec<(usize, usize)> =
        (0..4).filter(shown).map(|c| (c, widest(cells.iter().map(|row| row[c].as_str())))).collect();
    let line = |row: &[String; 4]| {
        let cells = columns.iter().map(|(c, width)| match c {
            0 => format!("  {:width$}", row[0]),
            c => format!("  {:>width$}", row[*c]),
        });
        cells.collect::<String>() + "\n"
    };
    cells.iter().map(line).collect()
}

fn of_requirement(requirement: &RequirementResult, colour: bool) -> String {
    let word = if requirement.held { "held  " } else { "failed" };
    let word = match (colour, requirement.held) {
        (false, _) => word.to_owned(),
        (true, true) => format!("\u{1b}[32m{word}\u{1b}[0m"),
        (true, false) => format!("\u{1b}[31m{word}\u{1b}[0m"),
    };
    format!("  {word}  {}\n", with_values(requirement))
}

/// `require accuracy >= 0.9  (accuracy = 0.985)`
fn with_values(requirement: &RequirementResult) -> String {
    let values: Vec<String> = requirement.values.iter().map(|(name, x)| format!("{name} = {}", metric(*x))).collect();
    let values = if values.is_empty() { String::new() } else { format!("  ({})", values.join(", ")) };
    format!("require {}{values}", requirement.text)
}

fn destination(model: &ModelReport, package: &Path) -> String {
    // A file is there if the gates held.
    let Some(version) = model.version else { return shown(package).to_string() };
    let state = if model.promoted { "promoted" } else { "not promoted" };
    format!("{} (version {version}, {state})", shown(package))
}

/// One line on stderr for each requirement that failed.
pub fn failed_gates(report: &RunReport) -> String {
    let mut out = String::new();
    for (at, model) in report.models.iter().enumerate() {
        if report.models[..at].iter().any(|other| other.model == model.model) {
            continue;
        }
        for requirement in model.requirements.iter().filter(|r| !r.held) {
            out.push_str(&format!("error: model `{}` failed: {}\n", model.model, with_values(requirement)));
        }
    }
    out
}

/// In characters.
fn widest<S: AsRef<str>>(texts: impl Iterator<Item = S>) -> usize {
    texts.map(|t| t.as_ref().chars().count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dbjob_plan::{RowCounts, TableReport, Unfinished, Value};

    use super::*;

    fn report(held: bool) -> (RunReport, Vec<Event>) {
        let requirement = RequirementResult {
            text: "accuracy >= 0.9".into(),
            held,
            values: BTreeMap::from([("accuracy".into(), 0.985)]),
        };
        let model = ModelReport {
            model: "species_of".into(),
            algorithm: "logistic_regression".into(),
            rows: RowCounts { train: 1240, test: 104, without_output: 3, ..RowCounts::default() },
            metrics: vec![
                ("accuracy".into(), MetricValue { interval: Some((0.971, 0.996)), ..MetricValue::new(0.985, 0.44) }),
                ("log_loss".into(), MetricValue::new(0.05, 1.05)),
            ],
            requirements: vec![requirement],
            confusion: Some(Confusion {
                classes: ["Adelie", "Gentoo"].map(|c| Value::String(c.into())).to_vec(),
                rows: vec![vec![1000, 2], vec![0, 38]],
            }),
            slices: Vec::new(),
            search: None,
            threshold: None,
            calibration: None,
            conformal: None,
            unfinished: vec![Unfinished { done: 137, of: 500, what: "trees".into() }],
            package: Some("models/species_of/3".into()),
            version: Some(3),
            promoted: held,
            breaks: Vec::new(),
        };
        let table =
            |item: &str, path: Option<&str>| TableReport { item: item.into(), rows: 344, path: path.map(Into::into) };
        let report = RunReport {
            models: vec![model],
            tables: vec![table("judged", Some("out/p.csv")), table("rows", None)],
            seconds: 1.25,
        };
        let finished = |item: &str, kind, rows| Event::ItemFinished { item: item.into(), kind, rows, seconds: 0.2 };
        let events = vec![
            Event::RunStarted { job: "penguins".into(), items: 3, threads: 2 },
            Event::Expected {
                item: "penguins".into(),
                rule: "mass > 0".into(),
                failed: 2,
                action: "drop".into(),
                path: None,
            },
            finished("penguins", ItemKind::Dataset, Some(1344)),
            finished("species_of", ItemKind::Model, None),
            finished("species", ItemKind::Deploy, None),
        ];
        (report, events)
    }

    #[test]
    fn the_summary_says_what_ran_how_good_it_is_and_where_it_went() {
        let (report, events) = report(true);
        assert_eq!(
            render(&report, &events, false),
            "\
job penguins  1.2 s
  dataset penguins  1,344 rows    200 ms
  model species_of                200 ms
  penguins: 2 rows against `expect mass > 0` (drop)

model species_of  logistic_regression  1,240 train / 104 test rows, 3 without output
  ended by the time of its module: 137 of 500 trees
  metric      test          interval  baseline
  accuracy  0.9850  0.9710 to 0.9960    0.4400
  log_loss  0.0500                      1.0500
  true / predicted  \"Adelie\"  \"Gentoo\"
  \"Adelie\"             1,000         2
  \"Gentoo\"                 0        38
  held    require accuracy >= 0.9  (accuracy = 0.9850)
  models/species_of/3 (version 3, promoted)

table judged  344 rows  out/p.csv
"
        );
    }

    #[test]
    fn a_failed_gate_is_named_with_its_values() {
        let (report, events) = report(false);
        let text = render(&report, &events, false);
        assert!(text.contains("  failed  require accuracy >= 0.9  (accuracy = 0.9850)"), "{text}");
        assert!(text.contains("(version 3, not promoted)"), "{text}");
        assert_eq!(
            failed_gates(&report),
            "error: model `species_of` failed: require accuracy >= 0.9  (accuracy = 0.9850)\n"
        );
    }
}
