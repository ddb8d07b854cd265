use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Outcome, Output};

#[derive(clap::Args)]
pub struct Args {
    /// The shell that the script is for
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dbjob", &mut script);
    output.result(&String::from_utf8(script).expect("completion scripts are text"));
    Outcome::Fine
}
