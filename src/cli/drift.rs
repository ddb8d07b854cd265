//! `dbjob drift`: how far rows of today are from those that a model learned from.

use std::path::PathBuf;

use dbjob_drift::{ColumnDrift, Drift};
use dbjob_local::package::Drifted;
use dbjob_plan::{Predictor, RunError};
use serde::Serialize;

use super::package::PackageArgs;
use super::table::table;
use super::told::{Format, document, failed};
use super::units::{metric, thousands};
use super::{Outcome, Output};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    package: PackageArgs,
    /// The rows of today, as callers send them: .csv, .parquet or .ndjson
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Text to be read, or a JSON document
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
    /// Exit with 1 if the population stability index of a column or of the predictions is greater
    #[arg(long, value_name = "PSI", value_parser = index)]
    fail_over: Option<f64>,
}

fn index(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() && x >= 0.0 => Ok(x),
        _ => Err("write a number that is not negative, such as 0.2".into()),
    }
}

#[derive(Serialize)]
struct Report<'a> {
    model: &'a str,
    version: u64,
    /// Rows whose predictions are not compared because the model refuses them; null: too many to count.
    refused: Option<u64>,
    #[serde(flatten)]
    drift: &'a Drift,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    match compare(args) {
        Ok((text, drifted)) => {
            output.result(&text);
            match args.fail_over.filter(|limit| drifted.drift.worst().is_some_and(|worst| worst.psi > *limit)) {
                Some(limit) => {
                    output.error(&too_far(&drifted.drift, limit));
                    Outcome::Failed
                }
                None => Outcome::Fine,
            }
        }
        Err(error) => failed(error, output),
    }
}

fn compare(args: &Args) -> Result<(String, Drifted), RunError> {
    let package = args.package.open()?;
    let drifted = package.drift_file(&args.input)?;
    let manifest = package.manifest();
    let (model, version) = (manifest.model.as_str(), manifest.version);
    let report = Report { model, version, refused: drifted.refused, drift: &drifted.drift };
    let text = match args.format {
        Format::Json => document(&report),
        Format::Text => text(&report),
    };
    Ok((text, drifted))
}

fn text(report: &Report<'_>) -> String {
    let rows = &report.drift.rows;
    let (then, now) = (thousands(rows.training), thousands(rows.now));
    let mut out = format!("{} version {}: {now} rows, {then} were learned from\n\n", report.model, report.version);
    out.push_str(&columns("column", &report.drift.columns));
    match report.refused {
        Some(0) => {}
        Some(n) => {
            out.push_str(&format!("\nthe model refuses {} of the rows; they have no predictions\n", thousands(n)))
        }
        None => out.push_str("\nthe model refuses too many of the rows: no predictions are compared\n"),
    }
    if !report.drift.predictions.is_empty() {
        out.push('\n');
        out.push_str(&columns("prediction", &report.drift.predictions));
    }
    out
}

fn columns(what: &str, columns: &[ColumnDrift]) -> String {
    let mut rows = vec![[what, "PSI", "KS", "nulls then", "now", "mean then", "now", ""].map(String::from)];
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    for column in columns {
        let mean = |x: Option<f64>| x.map(metric).unwrap_or_default();
        let mut notes = Vec::new();
        if column.new_level_rows > 0 {
            let named: Vec<String> =
                column.new_levels.iter().take(5).map(|(level, n)| format!("{level:?} ({})", thousands(*n))).collect();
            let more = if column.new_levels.len() > 5 { ", …" } else { "" };
            notes.push(format!("{} rows of new levels: {}{more}", thousands(column.new_level_rows), named.join(", ")));
        }
        if let Some(outside) = column.outside.filter(|share| *share > 0.0) {
            notes.push(format!("{} outside of what was learned from", percent(outside)));
        }
        rows.push([
            column.column.clone(),
            format!("{:.4}", column.psi),
            column.ks.map(|ks| format!("{ks:.4}")).unwrap_or_default(),
            percent(column.null_rate.training),
            percent(column.null_rate.now),
            mean(column.mean.map(|m| m.training)),
            mean(column.mean.map(|m| m.now)),
            notes.join("; "),
        ]);
    }
    table(&rows, &[], "")
}

/// A line for each column that is too far away.
fn too_far(drift: &Drift, limit: f64) -> String {
    let all = drift.columns.iter().chain(&drift.predictions).filter(|c| c.psi > limit);
    all.map(|c| format!("error: `{}` has drifted: its index is {:.4}, more than {limit}\n", c.column, c.psi)).collect()
}
