//! `extern`: a process that reads a table as an Arrow IPC stream and writes further columns as another one.

use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dbjob_plan::{Cancel, Environment, EnvironmentValue, Extern, RunError, Schema};
use polars::prelude::{
    Column, CompatLevel, DataFrame, IntoLazy, IpcStreamReader, IpcStreamWriter, SerReader, SerWriter,
};

use crate::fault::{Faults, engine_error, guarded};
use crate::source::Wanted;
use crate::source::stored::{self, Columns, Origin};

/// What a process sees of the environment if the job says nothing: where programs and its user's files are, and how text is
/// read.
const ENVIRONMENT: &[&str] =
    &["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP", "USERPROFILE"];

/// So much of what a process writes to its standard error is kept, from the end.
const KEPT: usize = 8 << 10;

/// The rows with the columns that the process returned, which are of the types in `schema` and keep their promises.
///
/// Errors: E0721 when the process fails or does not write what it should; E0718 when the run is stopped.
pub(crate) fn run(
    process: &Extern,
    rows: &DataFrame,
    schema: &Schema,
    environment: Option<&Environment>,
    (base, cancel): (&Path, &Cancel),
) -> Result<DataFrame, RunError> {
    let mut sent = Vec::new();
    let names = rows.get_column_names().into_iter().map(|n| n.as_str());
    let visible: Vec<&str> = names.filter(|n| !is_hidden(schema, n)).collect();
    let mut table = rows.select(visible).map_err(engine_error)?;
    guarded(|| IpcStreamWriter::new(&mut sent).with_compat_level(CompatLevel::oldest()).finish(&mut table))
        .map_err(engine_error)?;
    let child = start(process, environment, base)?;
    let (status, written, told) = talk(child, sent, cancel)?;
    let failed = |what: String| {
        let error = RunError::new("E0721", format!("`{}` {what}", process.command));
        if told.is_empty() { error } else { error.help(format!("it wrote to its standard error:\n{told}")) }
    };
    if !status.success() {
        return Err(failed(match status.code() {
            Some(code) => format!("ended with exit code {code}"),
            None => format!("was ended: {status}"),
        }));
    }
    let returned = read(process, &written, schema).map_err(|error| match error {
        Wrong::Stream(why) => failed(format!("did not write an Arrow IPC stream: {why}")),
        Wrong::Columns(error) => RunError { code: "E0721".into(), ..error },
    })?;
    if returned.height() != rows.height() {
        return Err(failed(format!("returned {} rows for {}", returned.height(), rows.height())));
    }
    let columns: Vec<Column> = returned.columns().to_vec();
    rows.hstack(&columns).map_err(engine_error)
}

fn is_hidden(schema: &Schema, name: &str) -> bool {
    schema.get(name).is_some_and(|f| f.hidden)
}

fn start(process: &Extern, environment: Option<&Environment>, base: &Path) -> Result<Child, RunError> {
    let failed = |why: String| RunError::new("E0721", format!("`{}` cannot be started: {why}", process.command));
    let words = shlex::split(&process.command).ok_or_else(|| failed("a quote is not closed".into()))?;
    let (program, args) = words.split_first().ok_or_else(|| failed("it is empty".into()))?;
    let mut command = Command::new(program);
    command.args(args).current_dir(base).env_clear();
    let passed = |name: &str| std::env::var_os(name);
    match environment {
        None => drop(command.envs(ENVIRONMENT.iter().filter_map(|name| passed(name).map(|value| (name, value))))),
        Some(said) => {
            let value = |name: &str, value: &EnvironmentValue| match value {
                EnvironmentValue::Set(text) => Some(text.into()),
                EnvironmentValue::Unset => None,
                EnvironmentValue::Pass => passed(name),
            };
            command.envs(said.iter().filter_map(|(name, v)| value(name, v).map(|value| (name, value))));
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // A group of its own, so that what it starts itself can be stopped with it.
        command.process_group(0);
    }
    command.spawn().map_err(|e| failed(e.to_string()))
}

/// Feeds the process and takes what it writes; all three streams at once, so that none fills up and stops it.
fn talk(mut child: Child, sent: Vec<u8>, cancel: &Cancel) -> Result<(ExitStatus, Vec<u8>, String), RunError> {
    let mut stdin = child.stdin.take().expect("piped above");
    // A process that does not read its input to the end is no error.
    std::thread::spawn(move || stdin.write_all(&sent).ok());
    let out = drain(child.stdout.take().expect("piped above"), usize::MAX);
    let err = drain(child.stderr.take().expect("piped above"), KEPT);
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|e| RunError::new("E0721", e.to_string()))? {
            break status;
        }
        if cancel.is_cancelled() {
            stop(&mut child);
            return Err(RunError::new("E0718", "the run was stopped"));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    };
    // A grandchild may hold the streams open after its parent's end.
    let rest = |bytes: Receiver<Vec<u8>>| -> Result<Vec<u8>, RunError> {
        loop {
            match bytes.recv_timeout(Duration::from_millis(50)) {
                Ok(bytes) => return Ok(bytes),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
                Err(_) if cancel.is_cancelled() => return Err(RunError::new("E0718", "the run was stopped")),
                Err(_) => {}
            }
        }
    };
    let (written, told) = match rest(out).and_then(|out| rest(err).map(|err| (out, err))) {
        Ok(both) => both,
        Err(stopped) => {
            stop(&mut child);
            return Err(stopped);
        }
    };
    Ok((status, written, String::from_utf8_lossy(&told).trim().to_owned()))
}

/// Reads a stream to its end in a thread; only the last `keep` bytes are given.
fn drain(mut stream: impl Read + Send + 'static, keep: usize) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let (mut all, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        while let Ok(n) = stream.read(&mut buffer) {
            if n == 0 {
                break;
            }
            all.extend_from_slice(&buffer[..n]);
            if all.len() > keep.saturating_mul(2) {
                all.drain(..all.len() - keep);
            }
        }
        let start = all.len().saturating_sub(keep);
        sender.send(all.split_off(start)).ok();
    });
    receiver
}

/// Ends the process and all that it started.
fn stop(child: &mut Child) {
    #[cfg(unix)]
    if let Ok(id) = i32::try_from(child.id()) {
        nix::sys::signal::killpg(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGKILL).ok();
    }
    child.kill().ok();
    child.wait().ok();
}

enum Wrong {
    Stream(String),
    Columns(RunError),
}

/// The declared columns of what was written, checked value by value.
fn read(process: &Extern, written: &[u8], schema: &Schema) -> Result<DataFrame, Wrong> {
    if written.is_empty() {
        return Err(Wrong::Stream("it wrote nothing".into()));
    }
    let arrow = guarded(|| IpcStreamReader::new(Cursor::new(written)).arrow_schema())
        .map_err(|e| Wrong::Stream(e.to_string()))?;
    let columns: Columns = arrow.iter_values().map(|f| (f.name.to_string(), stored::of_arrow(f))).collect();
    let wanted: Vec<Wanted> = process
        .returns
        .iter()
        .filter_map(|name| schema.get(name))
        .enumerate()
        .map(|(position, field)| Wanted { field: field.clone(), header: field.name.clone(), position })
        .collect();
    let words = format!("the output of `{}`", process.command);
    let origin = Origin::Process(&words);
    let faults = Faults::default();
    let exprs = wanted
        .iter()
        .map(|w| stored::typed(&columns, w, &origin, false, (&faults, Default::default())))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Wrong::Columns)?;
    let names = process.returns.clone();
    let table = guarded(|| IpcStreamReader::new(Cursor::new(written)).with_columns(Some(names)).finish())
        .map_err(|e| Wrong::Stream(e.to_string()))?;
    let frame = table.lazy();
    guarded(|| frame.clone().select(exprs).collect()).map_err(|e| {
        let told = wanted.iter().find_map(|w| stored::explain(frame.clone(), &columns, w, &origin).err());
        Wrong::Columns(told.unwrap_or_else(|| engine_error(e)))
    })
}
