//! `dbjob predict`: rows in, rows with a stored model's predictions out.

use std::path::PathBuf;

use dbjob_plan::{Predictor, RunError};

use super::{Outcome, Output, locate};
use crate::diagnostic::Problem;

#[derive(clap::Args)]
pub struct Args {
    /// A model's name in the registry (`NAME`, or `NAME@3` for a version), or its folder, or a package's folder
    #[arg(value_name = "MODEL_OR_DIR")]
    model: String,
    /// The rows: .csv, .parquet or .ndjson
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Where they go with the predictions added; the ending says the format
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// The folder that `to registry(...)` names
    #[arg(long, value_name = "DIR", default_value = "models")]
    registry: PathBuf,
    /// How the names of the added columns begin
    #[arg(long = "as", value_name = "PREFIX", default_value = "prediction", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    prefix: String,
    /// The version; the live one if not given
    #[arg(long, value_name = "N")]
    version: Option<u64>,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    match predict(args) {
        Ok(text) => {
            output.note(&text);
            Outcome::Fine
        }
        Err(error) => {
            // The steps of a package know where they stood in the job's file, which is not at hand here.
            output.problem(Problem::from(RunError { span: None, ..error }));
            Outcome::Failed
        }
    }
}

fn predict(args: &Args) -> Result<String, RunError> {
    let folder = locate::package(&args.model, &args.registry, args.version)?;
    let package = dbjob_local::package::open(&folder)?;
    let rows = package.predict_file(&args.input, &args.output, &args.prefix)?;
    let manifest = package.manifest();
    let unit = if rows == 1 { "row" } else { "rows" };
    Ok(format!("{rows} {unit} by {} version {}: {}\n", manifest.model, manifest.version, args.output.display()))
}
