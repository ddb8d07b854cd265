//! `dbjob importance`: which columns matter to a stored model.

use std::path::PathBuf;

use dbjob_local::package::{Gain, Importance, Shuffling};
use dbjob_plan::{Manifest, Predictor, RunError};
use serde_json::{Value as Json, json};

use super::digits::{digits, signed};
use super::package::PackageArgs;
use super::table::table;
use super::told::{Format, document, ended};
use super::units::{metric, rows};
use super::{Outcome, Output};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    package: PackageArgs,
    /// Rows with the output: each column is shuffled among them. Without it, what trees have gained in training
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Of these rows only those of the test part, which are known again by their key
    #[arg(long, requires = "input")]
    test_part: bool,
    /// The metric that becomes worse; accuracy if not given, or r2 of numbers
    #[arg(long, value_name = "METRIC", requires = "input")]
    metric: Option<String>,
    /// How often each column is shuffled
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000), requires = "input")]
    repeats: u32,
    /// The seed of the shuffling; that of the job if not given
    #[arg(long, value_name = "SEED", requires = "input")]
    seed: Option<i64>,
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    ended(importance(args), output)
}

fn importance(args: &Args) -> Result<String, RunError> {
    let package = args.package.open()?;
    let manifest = package.manifest();
    let Some(input) = &args.input else {
        let gains = package.gain()?;
        return Ok(match args.format {
            Format::Text => gain_text(&gains),
            Format::Json => document(&gain_json(&gains, manifest)),
        });
    };
    let shuffling = Shuffling {
        metric: args.metric.clone(),
        repeats: args.repeats as usize,
        seed: args.seed,
        test_part: args.test_part,
    };
    let found = package.importance(input, &shuffling)?;
    Ok(match args.format {
        Format::Text => text(&found),
        Format::Json => document(&json(&found, manifest)),
    })
}

fn gain_text(gains: &[Gain]) -> String {
    let shares: Vec<f64> = gains.iter().map(|gain| gain.share).collect();
    let line = |(gain, share): (&Gain, String)| {
        let names = if gain.columns.is_empty() { &gain.inputs } else { &gain.columns };
        vec![names.join(", "), share]
    };
    let lines: Vec<Vec<String>> = gains.iter().zip(digits(&shares)).map(line).collect();
    format!("share of the loss on train rows that each column took away\n\n{}", table(&lines, &[false, true], "  "))
}

fn gain_json(gains: &[Gain], manifest: &Manifest) -> Json {
    let one = |gain: &Gain| json!({ "columns": gain.columns, "inputs": gain.inputs, "share": gain.share });
    json!({
        "model": manifest.model,
        "version": manifest.version,
        "kind": "gain",
        "columns": gains.iter().map(one).collect::<Vec<_>>(),
    })
}

fn text(found: &Importance) -> String {
    let means: Vec<f64> = found.columns.iter().map(|column| column.mean).collect();
    let spreads: Vec<f64> = found.columns.iter().map(|column| column.std).collect();
    let both = signed(&[means, spreads].concat());
    let (means, spreads) = both.split_at(found.columns.len());
    let line = |((column, mean), std): ((&dbjob_local::package::Shuffled, &String), &String)| {
        vec![column.column.clone(), mean.clone(), format!("\u{b1} {}", std.trim_start_matches('+'))]
    };
    let lines: Vec<Vec<String>> = found.columns.iter().zip(means).zip(spreads).map(line).collect();
    let repeats = found.columns.first().map_or(0, |column| column.repeats.len());
    let head = format!(
        "{} of {} is {}; how much worse it becomes when a column is shuffled, {repeats} times\n\n",
        found.metric,
        rows(found.rows),
        metric(found.value),
    );
    head + &table(&lines, &[false, true, true], "  ")
}

fn json(found: &Importance, manifest: &Manifest) -> Json {
    let one = |column: &dbjob_local::package::Shuffled| json!({ "column": column.column, "mean": column.mean, "std": column.std, "repeats": column.repeats });
    json!({
        "model": manifest.model,
        "version": manifest.version,
        "kind": "permutation",
        "metric": found.metric,
        "value": found.value,
        "rows": found.rows,
        "seed": found.seed,
        "columns": found.columns.iter().map(one).collect::<Vec<_>>(),
    })
}
