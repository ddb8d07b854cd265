//! What is to be served: the models that a job deploys, or a folder of models.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use dbjob_local::serve::Place;
use dbjob_plan::{Op, Plan, RunError, Service, Target, Value};

use super::{folder, nothing};
use crate::cli::files::parent;
use crate::cli::front::{ParamArgs, Purpose, compile};
use crate::cli::{Outcome, Output};
use crate::diagnostic::{Code, Problem, Severity};
use crate::hir::{ItemBody, SoundJob};
use crate::source::SourceMap;

/// Models, and what the job says of their server.
pub struct Found {
    pub places: Vec<Place>,
    pub bind: Option<SocketAddr>,
    pub timeout: Option<Duration>,
    pub token: Option<String>,
    pub title: String,
}

pub fn find(what: &Path, params: &ParamArgs, output: &Output) -> Result<Found, Outcome> {
    let told = |problem: Problem| {
        output.problem(problem);
        Outcome::Failed
    };
    if what.is_dir() || what.extension().is_none_or(|e| e != "dbjob") {
        let place = folder(what).map_err(told)?;
        let title = what.file_name().map_or_else(|| "models".into(), |n| n.to_string_lossy().into_owned());
        return Ok(Found { places: vec![place], bind: None, timeout: None, token: None, title });
    }
    let mut sources = SourceMap::default();
    let front = compile(what, params, Purpose::Run, &mut sources);
    if front.problems.iter().any(|p| p.severity == Severity::Error) {
        output.problems(&front.problems, &sources);
    }
    let (Some(job), Some(plan)) = (&front.job, &front.plan) else { return Err(Outcome::Wrong) };
    of_job(job, plan, what).map_err(told)
}

fn of_job(job: &SoundJob, plan: &Plan, file: &Path) -> Result<Found, Problem> {
    let base = parent(file);
    let mut places: Vec<Place> = Vec::new();
    for id in plan.topological() {
        let Op::Deploy(Target::Registry { path, .. }) = &plan.node(id).op else { continue };
        let model = plan.inputs(id).first().map(|model| &plan.node(*model).op);
        if let Some(Op::Fit(spec)) = model {
            places.push(place(&base, path, &spec.model)?);
        }
    }
    if places.is_empty() {
        let error = RunError::new("E0716", format!("{} deploys no model", file.display()));
        return Err(nothing(error.help("write `deploy MODEL { to http(\"127.0.0.1:8080\") }` and run the job")));
    }
    let mut found = Found { places, bind: None, timeout: None, token: None, title: plan.job.clone() };
    let deploys = job.items.iter().filter_map(|item| match &item.body {
        ItemBody::Deploy(deploy) => Some(&deploy.targets),
        _ => None,
    });
    for (target, _) in deploys.flatten() {
        let Target::Service(service) = target else { continue };
        if service.kind != "http" {
            continue;
        }
        let address = address(service)?;
        if found.bind.is_some_and(|other| other != address) {
            let problem = Problem::error(Code::E0760, "the job names several addresses");
            return Err(problem.help("say with `--bind` which one this server is to have"));
        }
        found.bind = Some(address);
        if let Some(Value::Duration(us)) = service.options.get("timeout") {
            found.timeout = Some(Duration::from_micros(us.unsigned_abs()));
        }
        found.token = token_of(service)?.or(found.token);
    }
    Ok(found)
}

fn place(base: &Path, registry: &str, model: &str) -> Result<Place, Problem> {
    let place = Place::model(&base.join(registry), model);
    place.ok_or_else(|| {
        let error = RunError::new("E0716", format!("`{model}` is not in {} yet", base.join(registry).display()));
        nothing(error.help("run the job first: `dbjob run`"))
    })
}

fn address(service: &Service) -> Result<SocketAddr, Problem> {
    let text = service.options.get("address").and_then(Value::as_str).unwrap_or_default();
    let found = text.to_socket_addrs().ok().and_then(|mut all| all.next());
    found.ok_or_else(|| {
        let problem = Problem::error(Code::E0760, format!("`{text}` is no address to listen on"));
        problem.help("write `to http(\"127.0.0.1:8080\")`")
    })
}

/// What callers must show: a text of the job, or of the environment.
fn token_of(service: &Service) -> Result<Option<String>, Problem> {
    if let Some(outside) = service.outside.get("token") {
        let name = &outside.name;
        let unset = |_| Problem::error(Code::E0737, format!("the environment variable `{name}` is not set"));
        return std::env::var(name).map(Some).map_err(unset);
    }
    Ok(service.options.get("token").and_then(Value::as_str).map(str::to_owned))
}
