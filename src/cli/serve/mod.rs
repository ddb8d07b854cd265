//! `dbjob serve`: answers requests over HTTP with stored models.

mod place;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dbjob_local::serve::{Place, Registry};
use dbjob_plan::{Cancel, RunError};
use dbjob_runtime::cancel_on_interrupt;
use dbjob_serve::{Limits, Options, Tls};

use super::front::ParamArgs;
use super::{Outcome, Output};
use crate::diagnostic::{Code, Problem};
use place::Found;

#[derive(clap::Args)]
pub struct Args {
    /// A job, whose deployed models are served; or a registry, a model in it, or the folder of one version
    #[arg(value_name = "FILE_OR_DIR", default_value = "models")]
    what: PathBuf,
    /// The address; if not given, that of the job's `to http(...)`, else 127.0.0.1:8080
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<SocketAddr>,
    /// Callers must show the token that this environment variable holds
    #[arg(long, value_name = "NAME", conflicts_with = "token_file")]
    token_env: Option<String>,
    /// Callers must show the token that this file holds
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Speak TLS with this certificate (PEM, with its chain)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Threads that score side by side, for each model
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    replicas: u16,
    /// The most that a request's body may have, unpacked too, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    max_body: u32,
    /// The most rows that a request may have
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_rows: u32,
    /// How long a request may take, in seconds; if not given, the `timeout` of the job's `to http(...)`, else 30
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    timeout: Option<u32>,
    /// How long the head of a request may take to come, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    head_timeout: u32,
    /// The most connections at the same time
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_connections: u32,
    /// Write no line for each request
    #[arg(long)]
    no_log: bool,
    #[command(flatten)]
    params: ParamArgs,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let found = match place::find(&args.what, &args.params, output) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    match serve(args, found, output) {
        Ok(()) => Outcome::Fine,
        Err(problem) => {
            output.problem(problem);
            Outcome::Failed
        }
    }
}

fn serve(args: &Args, found: Found, output: &Output) -> Result<(), Problem> {
    let options = options(args, &found, output)?;
    let stop = Cancel::default();
    cancel_on_interrupt(stop.clone(), || {}).map_err(Problem::from)?;
    let tls = options.tls.is_some();
    let server = dbjob_serve::start(Arc::new(Registry(found.places)), options)
        .map_err(|why| Problem::error(Code::E0760, why))?;
    let models = server.models();
    if models.is_empty() {
        let error = RunError::new("E0716", "no version is live: none has held all of its requirements");
        return Err(nothing(error.help("run the job again, or give the folder of a version to serve it all the same")));
    }
    let names: Vec<String> = models.iter().map(|(name, version)| format!("{name} version {version}")).collect();
    output.note(&format!(
        "serving {} on http{}://{}/docs\n",
        names.join(", "),
        if tls { "s" } else { "" },
        server.address()
    ));
    while !stop.is_cancelled() {
        std::thread::sleep(Duration::from_millis(50));
    }
    server.stop();
    Ok(())
}

fn options(args: &Args, found: &Found, output: &Output) -> Result<Options, Problem> {
    let seconds = |n: u32| Duration::from_secs(n.into());
    let time = args.timeout.map(seconds).or(found.timeout);
    let defaults = Limits::default();
    let limits = Limits {
        body: args.max_body as usize * (1 << 20),
        rows: args.max_rows as usize,
        time: time.unwrap_or(defaults.time),
        head: seconds(args.head_timeout),
        connections: args.max_connections as usize,
    };
    let bind = args.bind.or(found.bind).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
    Ok(Options {
        bind,
        token: token(args)?.or_else(|| found.token.clone()),
        tls: args.tls_cert.clone().zip(args.tls_key.clone()).map(|(cert, key)| Tls { cert, key }),
        replicas: args.replicas.into(),
        limits,
        log: !args.no_log && !output.quiet(),
        title: found.title.clone(),
        ..Options::loopback()
    })
}

fn token(args: &Args) -> Result<Option<String>, Problem> {
    let wrong = |message: String| Problem::error(Code::E0737, message);
    let (token, from) = match (&args.token_env, &args.token_file) {
        (Some(name), _) => {
            let token =
                std::env::var(name).map_err(|_| wrong(format!("the environment variable `{name}` is not set")))?;
            (token, format!("`{name}`"))
        }
        (None, Some(file)) => {
            let token =
                std::fs::read_to_string(file).map_err(|e| wrong(format!("cannot read {}: {e}", file.display())))?;
            (token, file.display().to_string())
        }
        (None, None) => return Ok(None),
    };
    let token = token.trim().to_owned();
    if token.is_empty() {
        return Err(wrong(format!("the token in {from} is empty")));
    }
    Ok(Some(token))
}

/// Why there is nothing to serve.
fn nothing(error: RunError) -> Problem {
    Problem::from(RunError { span: None, ..error })
}

/// What a folder is that may hold models.
fn folder(path: &std::path::Path) -> Result<Place, Problem> {
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    Place::of(&absolute).ok_or_else(|| {
        let message = format!("there are no models at {}", path.display());
        nothing(
            RunError::new("E0716", message)
                .help("give a job, a registry (`to registry(\"models\")` writes into it), a model in it, or a version"),
        )
    })
}
