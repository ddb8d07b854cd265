//! `dbjob explain-prediction`: what each column that a caller sends adds to the answer for a row.

use std::path::PathBuf;

use dbjob_local::package::{ExplainedRow, ExplainedScore, Explanation, Part, Scale, Which};
use dbjob_plan::{Manifest, Predictor, RunError, Value};
use serde_json::{Map, Value as Json, json};

use super::digits::{brief, digits, signed};
use super::package::PackageArgs;
use super::synth::value as plain;
use super::table::table;
use super::told::{self, Format, ended};
use super::{Outcome, Output};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    package: PackageArgs,
    /// The rows: .csv, .parquet or .ndjson
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The row of this number, from 1; may be repeated. Without it and without `--key` every row is explained
    #[arg(long, value_name = "N")]
    row: Vec<u64>,
    /// The rows with this value in this column; may be repeated for a key of several columns
    #[arg(long, value_name = "COLUMN=VALUE", conflicts_with = "row", value_parser = key)]
    key: Vec<(String, String)>,
    /// The class whose score is explained; the predicted one if not given
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,
}

fn key(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("write it as COLUMN=VALUE")?;
    Ok((column.to_owned(), value.to_owned()))
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    ended(explain(args), output)
}

fn explain(args: &Args) -> Result<String, RunError> {
    let package = args.package.open()?;
    let which = match (&args.row[..], &args.key[..]) {
        ([], []) => Which::All,
        ([], key) => Which::Key(key.to_vec()),
        (rows, _) => Which::Numbers(rows.to_vec()),
    };
    let manifest = package.manifest();
    let class = args.class.as_deref().map(|class| class_of(manifest, class)).transpose()?;
    let mut found = package.explain(&args.input, &which)?;
    let scores_one = found.rows.first().is_some_and(|row| row.scores.len() == 1);
    if let Some(class) = class.filter(|_| !scores_one) {
        found.rows.iter_mut().for_each(|row| row.scores.retain(|score| score.class.as_ref() == Some(&class)));
    }
    Ok(match args.format {
        Format::Json => document(&found, manifest),
        Format::Text => text(&found, manifest),
    })
}

/// Errors: E0725 for a class that the model does not know.
fn class_of(manifest: &Manifest, text: &str) -> Result<Value, RunError> {
    if let Some(class) = manifest.classes.iter().find(|class| shown(class) == text) {
        return Ok(class.clone());
    }
    let error = RunError::new("E0725", format!("`{}` does not know the class `{text}`", manifest.model));
    let classes: Vec<String> = manifest.classes.iter().map(shown).collect();
    Err(match (dbjob_plan::near(text, classes.iter().map(String::as_str)).first(), classes.is_empty()) {
        (_, true) => error.help("it answers numbers: leave out `--class`"),
        (Some(near), _) => error.help(format!("did you mean `{near}`?")),
        (None, _) => error.help(format!("there is {}", classes.join(", "))),
    })
}

/// A value without quotes.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a score is, in the words of JSON.
fn scale(scale: Scale) -> &'static str {
    match scale {
        Scale::Number => "number",
        Scale::Log => "log",
        Scale::LogOdds => "log_odds",
        Scale::Softmax => "softmax",
        Scale::Probability => "probability",
    }
}

fn document(found: &Explanation, manifest: &Manifest) -> String {
    let part = |part: &Part| {
        let columns: Map<String, Json> =
            part.columns.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        json!({ "columns": columns, "inputs": part.inputs, "adds": part.adds })
    };
    let score = |score: &ExplainedScore| {
        json!({
            "class": score.class.as_ref().map(plain),
            "base": score.base,
            "score": score.score,
            "parts": score.parts.iter().map(part).collect::<Vec<_>>(),
        })
    };
    let row = |row: &ExplainedRow| {
        let prediction: Map<String, Json> = row.prediction.iter().map(|(name, v)| (name.clone(), plain(v))).collect();
        let scores: Vec<Json> = row.scores.iter().map(score).collect();
        json!({ "row": row.row, "prediction": prediction, "scores": scores })
    };
    told::document(&json!({
        "model": manifest.model,
        "version": manifest.version,
        "algorithm": manifest.algorithm.name,
        "scale": scale(found.scale),
        "before_calibration": manifest.calibration.is_some(),
        "before_unmap": !manifest.output.unmap.is_empty() && manifest.classes.is_empty(),
        "rows": found.rows.iter().map(row).collect::<Vec<_>>(),
    }))
}

fn text(found: &Explanation, manifest: &Manifest) -> String {
    let mut out = String::new();
    for row in &found.rows {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&of_row(row, found.scale, manifest));
    }
    out
}

fn of_row(row: &ExplainedRow, scale: Scale, manifest: &Manifest) -> String {
    let predicted = &row.prediction[0].1;
    let probability = |class: &Value| {
        let name = dbjob_plan::probability_column(&row.prediction[0].0, &manifest.output.dtype, class);
        row.prediction.iter().find(|(column, _)| *column == name).and_then(|(_, value)| value.as_f64())
    };
    let Some(score) =
        row.scores.iter().find(|score| score.class.as_ref() == Some(predicted)).or_else(|| row.scores.first())
    else {
        return String::new();
    };
    let mut out = format!("row {}: {} = {}", row.row, manifest.output.column, predicted);
    let sure = score.class.as_ref().and_then(|class| Some((class, probability(class)?)));
    if let Some((class, p)) = sure {
        out.push_str(&format!(", probability of {class} {}", digits(&[p])[0]));
    }
    out.push('\n');
    out.push_str(&format!("what each column adds to {}\n\n", scored(score, scale, manifest)));
    let numbers: Vec<f64> =
        [score.base].into_iter().chain(score.parts.iter().map(|part| part.adds)).chain([score.score]).collect();
    let mut cells = signed(&numbers).into_iter();
    let mut next = || cells.next().expect("one a line");
    let mut lines = vec![vec!["base".to_owned(), String::new(), next()]];
    for part in &score.parts {
        let names: Vec<&str> = part.columns.iter().map(|(name, _)| name.as_str()).collect();
        let values: Vec<String> = part.columns.iter().map(|(_, value)| brief(value)).collect();
        let name = if names.is_empty() { part.inputs.join(", ") } else { names.join(", ") };
        lines.push(vec![name, values.join(", "), next()]);
    }
    lines.push(vec!["sum".to_owned(), String::new(), next()]);
    out.push_str(&table(&lines, &[false, false, true], "  "));
    out
}

/// `the log-odds of "DE"`
fn scored(score: &ExplainedScore, scale: Scale, manifest: &Manifest) -> String {
    let class = score.class.as_ref().map(Value::to_string).unwrap_or_default();
    let what = match scale {
        Scale::Number => "the prediction".to_owned(),
        Scale::Log => "the logarithm of the prediction".to_owned(),
        Scale::LogOdds => format!("the log-odds of {class}"),
        Scale::Softmax => format!("the score of {class}, before the softmax of all classes"),
        Scale::Probability => format!("the probability of {class}"),
    };
    if manifest.calibration.is_some() {
        format!("{what}, before it is calibrated")
    } else if !manifest.output.unmap.is_empty() && manifest.classes.is_empty() {
        let maps: Vec<&str> = manifest.output.unmap.iter().map(|link| link.map.as_str()).collect();
        format!("{what}, before {} is undone", maps.join(", "))
    } else {
        what
    }
}
