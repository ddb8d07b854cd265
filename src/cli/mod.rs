//! The command line: one file a subcommand. Results go to stdout, everything else to stderr.

mod check;
#[cfg(feature = "local")]
mod clean;
mod completions;
#[cfg(feature = "local")]
mod dependence;
mod describe;
#[cfg(feature = "local")]
mod digits;
#[cfg(feature = "local")]
mod drift;
#[cfg(feature = "local")]
mod engine;
mod explain;
#[cfg(feature = "local")]
mod explain_prediction;
mod files;
mod fmt;
mod front;
mod graph;
#[cfg(feature = "local")]
mod importance;
mod init;
mod lineage;
mod locate;
#[cfg(feature = "local")]
mod lock;
mod models;
mod output;
#[cfg(feature = "local")]
mod package;
#[cfg(feature = "local")]
mod plan;
#[cfg(feature = "local")]
mod predict;
#[cfg(feature = "local")]
mod run;
#[cfg(feature = "local")]
mod runs;
#[cfg(feature = "local")]
mod serve;
#[cfg(feature = "local")]
mod state;
mod synth;
mod table;
#[cfg(feature = "local")]
mod test;
mod told;
mod units;
#[cfg(feature = "local")]
mod verify;
#[cfg(feature = "local")]
mod why;
mod world;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dbjob_plan::ItemKind;

use output::{Colour, Output};

/// The command line of `dbjob`.
#[derive(Parser)]
#[command(name = "dbjob", version, about, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 all is well, 1 the job or its gates failed, 2 the file or the command line is \
                        wrong, 130 stopped by Ctrl-C.")]
pub struct Cli {
    /// When to colour what is printed; `auto`: on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t = Colour::Auto, global = true, value_name = "WHEN")]
    color: Colour,
    /// Print results and errors only: no progress, no warnings of a run, no closing words
    #[arg(short, long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a small job with real data to start from
    Init(init::Args),
    /// Find what is wrong in jobs, without running them
    Check(check::Args),
    /// Run a job
    #[cfg(feature = "local")]
    Run(run::Args),
    /// Show what a run would do, and why, without running
    #[cfg(feature = "local")]
    Plan(plan::Args),
    /// Say why an item is computed again, or why it is not
    #[cfg(feature = "local")]
    Why(why::Args),
    /// List the runs of a job, show one, or compare two
    #[cfg(feature = "local")]
    Runs(runs::Args),
    /// Run a job again as an earlier run did, and compare every result with that one's
    #[cfg(feature = "local")]
    Verify(verify::Args),
    /// Remove results that are kept for later runs
    #[cfg(feature = "local")]
    Clean(clean::Args),
    /// Run the tests of jobs: rows in, rows out
    #[cfg(feature = "local")]
    Test(test::Args),
    /// Make up rows of a dataset, in the format of its files
    Synth(synth::Args),
    /// Show what a job is made of: tables and their columns, steps, models, deployments
    Describe(describe::Args),
    /// Show where a column comes from, step by step, and what it reaches
    Lineage(lineage::Args),
    /// Write down what the data of jobs are like, for checks without data and runs on the same ones
    #[cfg(feature = "local")]
    Lock(lock::Args),
    /// Format files in place
    Fmt(fmt::Args),
    /// Add a stored model's predictions to a file of rows
    #[cfg(feature = "local")]
    Predict(predict::Args),
    /// Say how far rows of today are from those that a stored model learned from
    #[cfg(feature = "local")]
    Drift(drift::Args),
    /// List stored models, show, compare or export their versions, say which one is live
    Models(models::Args),
    /// Answer requests over HTTP with stored models
    #[cfg(feature = "local")]
    Serve(serve::Args),
    /// Show what each column adds to a stored model's predictions
    #[cfg(feature = "local")]
    ExplainPrediction(explain_prediction::Args),
    /// Show which columns matter to a stored model
    #[cfg(feature = "local")]
    Importance(importance::Args),
    /// Show how a stored model's predictions depend on one column
    #[cfg(feature = "local")]
    Dependence(dependence::Args),
    /// Explain a code such as E0203; without one, list them all
    Explain(explain::Args),
    /// Print a shell's completion script
    Completions(completions::Args),
}

/// An item as it is shown: `deploy prod`, although the plan calls it `deploy.prod`.
fn item_title(kind: ItemKind, name: &str) -> String {
    format!("{} {}", kind.word(), item_name(kind, name))
}

/// Its own name: `prod`.
fn item_name(kind: ItemKind, name: &str) -> &str {
    if kind == ItemKind::Deploy { name.strip_prefix("deploy.").unwrap_or(name) } else { name }
}

/// How a command ended; its number is the exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Fine = 0,
    /// The job or its gates failed.
    Failed = 1,
    /// The file or the command line is wrong.
    Wrong = 2,
    /// Ctrl-C.
    #[cfg(feature = "local")]
    Interrupted = 130,
}

/// Runs the command line of this process; exit codes are in docs/cli.md.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.color, cli.quiet);
    let outcome = match cli.command {
        Command::Init(args) => init::run(&args, &output),
        Command::Check(args) => check::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Run(args) => run::run(args, &output),
        #[cfg(feature = "local")]
        Command::Plan(args) => plan::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Why(args) => why::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Runs(args) => runs::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Verify(args) => verify::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Clean(args) => clean::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Test(args) => test::run(&args, &output),
        Command::Synth(args) => synth::run(&args, &output),
        Command::Describe(args) => describe::run(&args, &output),
        Command::Lineage(args) => lineage::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Lock(args) => lock::run(&args, &output),
        Command::Fmt(args) => fmt::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Predict(args) => predict::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Drift(args) => drift::run(&args, &output),
        Command::Models(args) => models::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Serve(args) => serve::run(&args, &output),
        #[cfg(feature = "local")]
        Command::ExplainPrediction(args) => explain_prediction::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Importance(args) => importance::run(&args, &output),
        #[cfg(feature = "local")]
        Command::Dependence(args) => dependence::run(&args, &output),
        Command::Explain(args) => explain::run(&args, &output),
        Command::Completions(args) => completions::run(&args, &output),
    };
    // A full disk behind `>` must not look like success.
    let outcome = if outcome == Outcome::Fine && output.broken() { Outcome::Failed } else { outcome };
    ExitCode::from(outcome as u8)
}
