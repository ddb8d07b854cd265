//! `dbjob predict`: rows in, rows with a stored model's predictions out.

use std::path::PathBuf;

use dbjob_plan::{Predictor, RunError};

use super::package::PackageArgs;
use super::told::failed;
use super::{Outcome, Output};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    package: PackageArgs,
    /// The rows: .csv, .parquet or .ndjson
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Where they go with the predictions added; the ending says the format
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// How the names of the added columns begin
    #[arg(long = "as", value_name = "PREFIX", default_value = "prediction", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    prefix: String,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    match predict(args) {
        Ok(text) => {
            output.note(&text);
            Outcome::Fine
        }
        Err(error) => failed(error, output),
    }
}

fn predict(args: &Args) -> Result<String, RunError> {
    let package = args.package.open()?;
    let rows = package.predict_file(&args.input, &args.output, &args.prefix)?;
    let manifest = package.manifest();
    let unit = if rows == 1 { "row" } else { "rows" };
    Ok(format!("{rows} {unit} by {} version {}: {}\n", manifest.model, manifest.version, args.output.display()))
}
