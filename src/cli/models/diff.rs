use std::path::PathBuf;

use dbjob_plan::RunError;
use dbjob_plan::contract::ContractChange;
use dbjob_registry::{Difference, Named, difference, locate};

use super::Place;
use crate::cli::locate::{model, package};
use crate::cli::table::table;
use crate::cli::units::metric;

pub fn tell(a: &str, b: &str, place: &Place) -> Result<String, RunError> {
    let first = locate(&package(a, &place.registry, None)?)?;
    let second = locate(&other(a, b, place)?)?;
    let found = difference(&first, &second)?;
    Ok(place.told(&found, text))
}

/// `@4` or `4`: of the model that `a` is of.
fn other(a: &str, b: &str, place: &Place) -> Result<PathBuf, RunError> {
    match b.strip_prefix('@').unwrap_or(b).parse::<u64>() {
        Ok(version) => {
            let name = match a.rsplit_once('@') {
                Some((name, number)) if number.parse::<u64>().is_ok() => name,
                _ => a,
            };
            let (folder, _) = model(name, &place.registry)?;
            package(&folder.path.display().to_string(), &place.registry, Some(version))
        }
        Err(_) => package(b, &place.registry, None),
    }
}

/// A change of the contract on a line of its own.
pub fn change(change: &ContractChange) -> String {
    format!("  {}{}\n", if change.breaking { "breaking: " } else { "" }, change.what)
}

fn text(found: &Difference) -> String {
    let (a, b) = (&found.a, &found.b);
    let name = |v: &dbjob_registry::Version| format!("{}@{} ({}, {})", v.model, v.version, v.status.word(), v.created);
    let mut out = format!("{} -> {}\n", name(a), name(b));
    out.push_str(match (found.breaking, found.contract.is_empty()) {
        (true, _) => "\ncontract: callers of the first are broken by the second\n",
        (false, true) => "\ncontract: the same for callers\n",
        (false, false) => "\ncontract: callers of the first can go on\n",
    });
    found.contract.iter().for_each(|c| out.push_str(&change(c)));
    if !found.metrics.is_empty() {
        out.push_str("\nmetrics\n");
        let shown = |x: Option<f64>| x.map_or_else(|| "-".to_owned(), metric);
        let rows: Vec<[String; 4]> = found
            .metrics
            .iter()
            .map(|m| {
                let by = m.a.zip(m.b).map(|(a, b)| if b >= a { format!("+{}", metric(b - a)) } else { metric(b - a) });
                [m.name.clone(), shown(m.a), shown(m.b), by.unwrap_or_default()]
            })
            .collect();
        out.push_str(&table(&rows, &[], "  "));
    }
    if let Some(changed) = &found.algorithm {
        out.push_str(&format!("\nalgorithm: {} -> {}\n", changed.a, changed.b));
    }
    out.push_str(&section("options", &found.options));
    if !(found.features.gone.is_empty() && found.features.new.is_empty()) {
        out.push_str("\nfeatures\n");
        let lines = found.features.gone.iter().map(|f| format!("  gone: {f}\n"));
        out.extend(lines.chain(found.features.new.iter().map(|f| format!("  new: {f}\n"))));
    }
    out.push_str(&section("maps", &found.maps));
    out.push_str(&section("rows", &found.rows));
    out.push_str(&section("data", &found.lineage));
    out
}

fn section(title: &str, changes: &[Named]) -> String {
    if changes.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{title}\n");
    for change in changes {
        out.push_str(&match (&change.a, &change.b) {
            (Some(a), Some(b)) => format!("  {}: {a} -> {b}\n", change.name),
            (Some(a), None) => format!("  {}: {a} -> gone\n", change.name),
            (None, b) => format!("  {}: new: {}\n", change.name, b.as_deref().unwrap_or_default()),
        });
    }
    out
}
