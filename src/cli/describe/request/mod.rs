//! `dbjob describe --request`: what callers of a model send and why, before anything is trained.

mod text;

use dbjob_plan::contract::{Contract, json_schema, notes, openapi};
use dbjob_plan::{FitSpec, ItemKind, NodeId, Op};

use super::Format;
use crate::diagnostic::{Code, Diagnostic, Problem, near_name};
use crate::hir::{self, ItemBody};
use crate::lineage::{Job, Request};

/// A model of the job.
struct Asked<'a> {
    fit: NodeId,
    spec: &'a FitSpec,
    doc: Option<&'a str>,
    checked: &'a hir::Model,
}

/// The result in the format that was asked for; of all models without a name.
pub fn describe(name: Option<&str>, format: Format, job: &hir::Job, lineage: &Job<'_>) -> Result<String, Problem> {
    let models = models(job, lineage);
    let asked: Vec<Asked<'_>> = match name {
        None => models,
        Some(name) => {
            let known: Vec<String> = models.iter().map(|m| m.spec.model.clone()).collect();
            let found: Vec<Asked<'_>> = models.into_iter().filter(|m| m.spec.model == name).collect();
            if found.is_empty() {
                return Err(unknown(name, &known));
            }
            found
        }
    };
    if asked.is_empty() {
        return Err(Problem::error(Code::E0101, "this job has no model"));
    }
    let requests: Vec<Request> = asked.iter().map(|a| Request::of(lineage, a.fit, a.spec)).collect();
    match format {
        Format::Text => {
            Ok(asked.iter().zip(&requests).map(|(a, r)| text::render(r, &boundary_lines(a, lineage))).collect())
        }
        Format::Json => Ok(pretty(&requests[0])),
        Format::JsonSchema | Format::Openapi => {
            if let Some(problem) = asked.iter().find_map(not_for_one_row) {
                return Err(problem);
            }
            let notes: Vec<_> = asked.iter().map(|a| notes(&a.spec.serving, &a.spec.inputs)).collect();
            let contracts: Vec<Contract<'_>> = asked
                .iter()
                .zip(&notes)
                .map(|(asked, notes)| Contract {
                    model: &asked.spec.model,
                    doc: asked.doc,
                    serving: &asked.spec.serving,
                    response: &lineage.plan.node(asked.fit).schema,
                    notes,
                })
                .collect();
            Ok(pretty(&match format {
                Format::JsonSchema => json_schema(&contracts[0]),
                _ => openapi(&lineage.plan.job, "untrained", &contracts),
            }))
        }
        Format::Dot | Format::Mermaid | Format::Svg => {
            let problem = Problem::error(Code::E0105, "a request is no graph");
            Err(problem.help("write `--format text`, `json`, `json-schema` or `openapi`"))
        }
    }
}

fn models<'a>(job: &'a hir::Job, lineage: &Job<'a>) -> Vec<Asked<'a>> {
    let items = lineage.plan.items.iter().filter(|i| i.kind == ItemKind::Model);
    items
        .filter_map(|item| match (&lineage.plan.node(item.output).op, job.item(&item.name).map(|i| &i.body)) {
            (Op::Fit(spec), Some(ItemBody::Model(checked))) => {
                Some(Asked { fit: item.output, spec, doc: item.doc.as_deref(), checked })
            }
            _ => None,
        })
        .collect()
}

fn unknown(name: &str, known: &[String]) -> Problem {
    let problem = Problem::error(Code::E0101, format!("there is no model `{name}`"));
    match near_name(name, known.iter().map(String::as_str)) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => problem.help("this job has no model"),
        None => problem.help(format!("the models are {}", known.join(", "))),
    }
}

/// Why callers cannot send a row of the dataset, and where that is so.
fn boundary_lines(asked: &Asked<'_>, lineage: &Job<'_>) -> Vec<String> {
    let Some((span, why)) = &asked.checked.boundary else { return Vec::new() };
    let file = lineage.sources.get(span.file);
    let place = format!("{}:{}", file.path.display(), file.position(span.start).0);
    vec![
        format!("it cannot be computed from one row of the dataset: {why} ({place})"),
        "a deployment has to say `accept inputs`, or the step becomes a `lookup` join".into(),
        "behind that step, a row would have".into(),
    ]
}

fn not_for_one_row(asked: &Asked<'_>) -> Option<Problem> {
    let (span, why) = asked.checked.boundary.clone()?;
    let message = format!("`{}` cannot be asked with one row of its dataset", asked.spec.model);
    let diagnostic = Diagnostic::error(Code::E0601, asked.checked.span, message)
        .label("has no request of one row")
        .related(span, why)
        .help("let its deployment `accept inputs`, or make the step a `lookup` join");
    Some(diagnostic.into())
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("only string keys") + "\n"
}
