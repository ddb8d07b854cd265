//! Results as text or JSON, and how a command about stored models ends.

use dbjob_plan::RunError;
use serde::Serialize;

use super::{Outcome, Output};
use crate::diagnostic::Problem;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// A result as a JSON document with a line end.
pub fn document(result: &impl Serialize) -> String {
    serde_json::to_string_pretty(result).expect("results have only string keys") + "\n"
}

/// Prints a result, or tells what went wrong.
pub fn ended(result: Result<String, RunError>, output: &Output) -> Outcome {
    match result {
        Ok(text) => {
            output.result(&text);
            Outcome::Fine
        }
        Err(error) => failed(error, output),
    }
}

/// Tells what went wrong with a stored model. The steps of a package know where they stood in the job's file, which is not
/// at hand here.
pub fn failed(error: RunError, output: &Output) -> Outcome {
    output.problem(Problem::from(RunError { span: None, ..error }));
    Outcome::Failed
}
