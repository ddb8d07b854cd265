use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::{create_file, shown};
use super::{Outcome, Output};
use crate::diagnostic::{Code, Problem};

const JOB: &str = include_str!("job.dbjob");
/// palmerpenguins, CC0: Horst, Hill & Gorman (2020), doi:10.5281/zenodo.3960218.
const DATA: &str = include_str!("penguins.csv");
const IGNORED: &str = "# What runs write\nmodels/\n";

#[derive(clap::Args)]
pub struct Args {
    /// The folder to write to; it is created if needed
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    match write(&args.folder) {
        Ok(kept_ignore_file) => {
            let job = shown(&args.folder.join("job.dbjob"));
            let mut text = format!("wrote {job} and its data\n");
            if kept_ignore_file {
                text.push_str("the .gitignore that is there stays as it is; `models/` may belong into it\n");
            }
            text.push_str(&format!("next: dbjob run {job}\n"));
            output.note(&text);
            Outcome::Fine
        }
        Err(problem) => {
            output.problem(problem);
            Outcome::Wrong
        }
    }
}

/// Writes the starter; true if a `.gitignore` was there. Nothing is written when one of the other files is there.
fn write(folder: &Path) -> Result<bool, Problem> {
    let (job, data, ignore) = (folder.join("job.dbjob"), folder.join("data/penguins.csv"), folder.join(".gitignore"));
    for path in [&job, &data] {
        if path.symlink_metadata().is_ok() {
            return Err(Problem::error(
                Code::E0713,
                format!("`{}` is there already; nothing was written", shown(path)),
            )
            .help("name another folder: `dbjob init DIR`"));
        }
    }
    let create = |path: &Path, text: &str| create_file(path, text).map_err(|e| cannot_write(path, &e));
    fs::create_dir_all(folder.join("data")).map_err(|e| cannot_write(&folder.join("data"), &e))?;
    create(&data, DATA)?;
    create(&job, JOB)?;
    match create_file(&ignore, IGNORED) {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(true),
        Err(error) => Err(cannot_write(&ignore, &error)),
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Problem {
    Problem::error(Code::E0713, format!("cannot write `{}`: {error}", path.display()))
}
