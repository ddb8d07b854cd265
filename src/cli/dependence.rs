//! `dbjob dependence`: what a stored model answers on average when one column has one value in all rows.

use std::path::PathBuf;

use dbjob_local::package::{Dependence, Point};
use dbjob_plan::{DataType, Manifest, Predictor, RunError, Value};
use serde_json::json;

use super::digits::{brief, digits};
use super::package::PackageArgs;
use super::synth::value as plain;
use super::table::table;
use super::told::{self, Format, ended};
use super::units::rows;
use super::{Outcome, Output};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    package: PackageArgs,
    /// The rows: .csv, .parquet or .ndjson
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The column of the request
    #[arg(long, value_name = "COLUMN")]
    column: String,
    /// How many of its values are tried at most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=1000))]
    points: u32,
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    ended(dependence(args), output)
}

fn dependence(args: &Args) -> Result<String, RunError> {
    let package = args.package.open()?;
    let found = package.dependence(&args.input, &args.column, args.points as usize)?;
    Ok(match args.format {
        Format::Text => text(&found, package.manifest()),
        Format::Json => document(&found, package.manifest()),
    })
}

fn text(found: &Dependence, manifest: &Manifest) -> String {
    // Of a bool the probability of false says nothing more.
    let of_bool = manifest.output.dtype == DataType::Bool;
    let shown: Vec<usize> = match found.classes.len() {
        0 => vec![0],
        n => (0..n).filter(|c| !of_bool || found.classes[*c] == Value::Bool(true)).collect(),
    };
    let title = |c: &usize| match found.classes.get(*c) {
        Some(class) => format!("probability of {class}"),
        None => manifest.output.column.clone(),
    };
    let means: Vec<f64> = found.points.iter().flat_map(|p| shown.iter().map(|c| p.means[*c])).collect();
    let mut cells = digits(&means).into_iter();
    let mut lines = vec![[found.column.clone()].into_iter().chain(shown.iter().map(title)).collect::<Vec<_>>()];
    for point in &found.points {
        let value = [brief(&point.value)].into_iter();
        lines.push(value.chain(cells.by_ref().take(shown.len())).collect());
    }
    let number = |value: &Value| value.as_f64().is_some();
    let right: Vec<bool> = [found.points.iter().all(|p| number(&p.value))]
        .into_iter()
        .chain(std::iter::repeat_n(true, shown.len()))
        .collect();
    format!("mean of {} with one value of `{}`\n\n{}", rows(found.rows), found.column, table(&lines, &right, "  "))
}

fn document(found: &Dependence, manifest: &Manifest) -> String {
    let point = |point: &Point| json!({ "value": plain(&point.value), "means": point.means });
    told::document(&json!({
        "model": manifest.model,
        "version": manifest.version,
        "column": found.column,
        "rows": found.rows,
        "classes": found.classes.iter().map(plain).collect::<Vec<_>>(),
        "points": found.points.iter().map(point).collect::<Vec<_>>(),
    }))
}
