use std::collections::BTreeSet;
use std::path::PathBuf;

use dbjob_plan::contract::rules;
use dbjob_plan::{Field, Manifest, MapLink, MetricValue, Op, RunError};
use dbjob_registry::{How, ModelFolder, Promotion, locate, read_manifest, verify};
use serde::Serialize;

use super::Place;
use crate::cli::locate::package;
use crate::cli::table::table;
use crate::cli::units::{metric, thousands};

#[derive(Serialize)]
struct Shown {
    live: bool,
    folder: PathBuf,
    /// When the version was made live, and how.
    promotions: Vec<Promotion>,
    manifest: Manifest,
}

pub fn tell(model: &str, place: &Place) -> Result<String, RunError> {
    let folder = locate(&package(model, &place.registry, None)?)?;
    let manifest = read_manifest(&folder)?;
    verify(&folder, &manifest)?;
    // A version that was exported is in no registry.
    let registry = folder.parent().filter(|p| p.ends_with("versions")).and_then(|p| p.parent());
    let (live, promotions) = match registry.map(ModelFolder::at) {
        Some(model) => (model.current()? == Some(manifest.version), model.promotions()?),
        None => (false, Vec::new()),
    };
    let promotions = promotions.into_iter().filter(|p| p.version == manifest.version).collect();
    Ok(place.told(&Shown { live, folder, promotions, manifest }, text))
}

fn text(shown: &Shown) -> String {
    let m = &shown.manifest;
    let live = if shown.live { ", live" } else { "" };
    let mut out = format!("{} version {}: {}{live}\n", m.model, m.version, m.status.word());
    out.push_str(&format!("  {}\n", shown.folder.display()));
    out.push_str(&format!("  created {} by dbjob {} from the job {}, seed {}\n", m.created, m.dbjob, m.job, m.seed));
    for promotion in &shown.promotions {
        let how = match promotion.how {
            How::Run => "by its run",
            How::Promote => "by `models promote`",
            How::Rollback => "by `models rollback`",
            How::Hand => "by hand",
        };
        out.push_str(&format!("  live {how} {}\n", promotion.at).replace("  live by hand \n", "  live by hand\n"));
    }
    out.push_str(&format!("\nalgorithm {}\n", m.algorithm.name));
    let options: Vec<[String; 2]> =
        m.algorithm.options.iter().map(|(name, value)| [name.clone(), value.to_string()]).collect();
    out.push_str(&table(&options, &[], "  "));
    out.push_str(&taken(m));
    out.push_str(&given(m));
    out.push_str(&way(m));
    out.push_str(&judged(m));
    out.push_str("\ndata\n");
    for source in &m.lineage {
        let size = thousands(source.bytes);
        out.push_str(&format!("  {}: {}, {size} bytes, SHA-256 {}\n", source.dataset, source.path, source.sha256));
    }
    out.push_str(&format!(
        "\nfiles, as they were stored\n  {}\n",
        m.files.keys().cloned().collect::<Vec<_>>().join(", ")
    ));
    out
}

/// What callers send.
fn taken(m: &Manifest) -> String {
    let of = m.serving.dataset.as_ref().map(|d| format!(", a row of {d}")).unwrap_or_default();
    let mut out = format!("\nrequest{of}\n");
    let row = |f: &Field| {
        let mut kind = format!("{}{}", f.dtype, if f.nullable { "?" } else { "" });
        if let Some(refinement) = &f.refinement {
            kind.push_str(&format!(" in {refinement}"));
        }
        let doc = m.serving.docs.get(&f.name).map(|doc| format!("## {doc}")).unwrap_or_default();
        [f.name.clone(), kind, doc]
    };
    out.push_str(&table(&m.request.iter().filter(|f| !f.hidden).map(row).collect::<Vec<_>>(), &[], "  "));
    for rule in rules(&m.serving) {
        out.push_str(&format!("  refused unless {}\n", rule.text));
    }
    for (name, _) in &m.serving.lookups {
        out.push_str(&format!("  looked up in {name}\n"));
    }
    out
}

/// What they get.
fn given(m: &Manifest) -> String {
    let mut out = format!("\noutput {}: {}\n", m.output.column, m.output.dtype);
    if !m.classes.is_empty() {
        let classes: Vec<String> = m.classes.iter().map(ToString::to_string).collect();
        out.push_str(&format!("  classes {}\n", classes.join(", ")));
    }
    if let Some(threshold) = m.threshold {
        out.push_str(&format!("  true from a probability of {} on\n", metric(threshold)));
    }
    if let Some(calibration) = &m.calibration {
        out.push_str(&format!("  probabilities calibrated by {}\n", calibration.method.word()));
    }
    if let Some(radius) = m.conformal.and_then(|c| c.radius) {
        out.push_str(&format!("  interval \u{b1} {}\n", metric(radius)));
    }
    out
}

/// What lies between.
fn way(m: &Manifest) -> String {
    let inputs: Vec<&str> = m.inputs.iter().map(|i| i.name.as_str()).collect();
    let mut out = format!("\ninputs {}; {} features\n", inputs.join(", "), m.features.len());
    let mut told = BTreeSet::new();
    let mut map = |columns: &str, link: &MapLink| {
        let options: Vec<String> = link.options.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let options = if options.is_empty() { String::new() } else { format!("({})", options.join(", ")) };
        let line = format!("  map {columns} with {}{options}\n", link.map);
        if told.insert((columns.to_owned(), link.id)) {
            out.push_str(&line);
        }
    };
    for id in m.serving.plan.topological() {
        if let Op::Map { columns } = &m.serving.plan.node(id).op {
            for column in columns {
                let names: Vec<&str> =
                    std::iter::once(&column.column).chain(&column.more).map(String::as_str).collect();
                map(&names.join(", "), &column.link);
            }
        }
    }
    m.output.unmap.iter().rev().for_each(|link| map(&m.output.column, link));
    out
}

fn judged(m: &Manifest) -> String {
    let rows = &m.rows;
    let parts = [
        ("train", rows.train),
        ("valid", rows.valid),
        ("test", rows.test),
        ("out of fold", rows.out_of_fold),
        ("without output", rows.without_output),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(_, n)| *n > 0).map(|(part, n)| format!("{} {part}", thousands(n))).collect();
    let mut out = format!("\nrows {}\n", parts.join(", "));
    if !m.metrics.is_empty() {
        out.push_str("\nmetrics\n");
        let interval = |v: &MetricValue| v.interval.map(|(low, high)| format!("{} to {}", metric(low), metric(high)));
        let row = |(name, v): (&String, &MetricValue)| {
            let baseline = format!("baseline {}", metric(v.baseline));
            [name.clone(), metric(v.value), interval(v).unwrap_or_default(), baseline]
        };
        out.push_str(&table(&m.metrics.iter().map(row).collect::<Vec<_>>(), &[], "  "));
    }
    for requirement in &m.requirements {
        let word = if requirement.held { "held  " } else { "failed" };
        let values: Vec<String> =
            requirement.values.iter().map(|(name, x)| format!("{name} = {}", metric(*x))).collect();
        let values = if values.is_empty() { String::new() } else { format!("  ({})", values.join(", ")) };
        out.push_str(&format!("  {word}  require {}{values}\n", requirement.text));
    }
    for part in &m.unfinished {
        out.push_str(&format!("  ended by the time of its module: {part}\n"));
    }
    out
}
