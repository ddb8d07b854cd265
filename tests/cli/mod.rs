//! The built program as a user meets it: arguments in; exit code, stdout and stderr out.

mod basics;
mod check;
mod describe;
mod fix;
mod fmt;
mod lineage;
#[cfg(feature = "local")]
mod lock;
mod models;
mod params;
mod request;
#[cfg(feature = "local")]
mod run;
mod synth;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// How a call of the program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbjob"));
    command.current_dir(folder).args(args).env_remove("NO_COLOR");
    command
}

pub fn dbjob(folder: &Path, args: &[&str]) -> Ended {
    with_stdin(folder, args, b"")
}

/// With these environment variables besides those of the test.
#[cfg(feature = "local")]
pub fn with_environment(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Ended {
    ended(program(folder, args).envs(variables.iter().copied()), b"")
}

fn with_stdin(folder: &Path, args: &[&str], input: &[u8]) -> Ended {
    ended(&mut program(folder, args), input)
}

fn ended(command: &mut Command, input: &[u8]) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that does not read its input may end before all of it is written.
    let _ = child.stdin.take().expect("it is piped").write_all(input);
    let output = child.wait_with_output().expect("the program ends");
    Ended {
        code: output.status.code().expect("no signal ends it"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with these files.
pub fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// A sound job that reads no file when it is checked.
const SOUND: &str = "\
## Grown-ups.
dataset people from csv(\"people.csv\") {
  id:  int key
  age: int? in 0..=120
}

transform adults from people {
  filter age >= 18  # of age
  derive decade = age // 10
}

module night {
  runs = adults
}
";
