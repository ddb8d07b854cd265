//! Settings of where work runs and what bounds it, as far as this engine does not carry them out.

use dbjob_plan::{ClusterEngine, ElementSpec, Plan, Said, Span, Unsupported};

pub(super) fn unsupported(plan: &Plan) -> Vec<Unsupported> {
    let mut found: Vec<Unsupported> = Vec::new();
    let mut say = |span: Span, what: String| found.push(Unsupported { span, what });
    if let Some(name) = &plan.cluster {
        on_cluster(plan, name, &mut say);
    }
    if let Some(retries) = plan.retries.filter(|r| r.value > 0) {
        say(retries.span, "`retries` of a job".into());
    }
    let threads = |name: &Said<String>| match plan.cluster(name).map(|c| &c.engine) {
        Some(ClusterEngine::Local { threads, .. }) => *threads,
        _ => None,
    };
    for module in &plan.modules {
        let limits = &module.limits;
        let mut limit = |name: &str, span: Option<Span>| {
            if let Some(span) = span {
                say(span, format!("`{name}` of a module"));
            }
        };
        limit("replicas", limits.replicas.filter(|r| r.value > 1).map(|r| r.span));
        limit("resources", limits.resources.map(|r| r.span));
        limit("memory", limits.memory.map(|m| m.span));
        limit("time", limits.time.map(|t| t.span));
        limit("interval", limits.interval.map(|i| i.span));
        limit("retries", limits.retries.filter(|r| r.value > 0).map(|r| r.span));
        // No accelerator is used, so `off` and `auto` hold.
        let sized = |spec: &&Said<ElementSpec>| spec.value.instance.is_some();
        limit("element_spec", limits.element_spec.as_ref().filter(sized).map(|s| s.span));
        if let Some(name) = &limits.cluster {
            on_cluster(plan, name, &mut say);
            // One process runs all modules with one number of threads.
            if threads(name).is_some() && threads(name) != plan.cluster.as_ref().and_then(threads) {
                say(name.span, "threads of a module of its own; the job's cluster has those of all modules".into());
            }
        }
    }
    found
}

fn on_cluster(plan: &Plan, name: &Said<String>, say: &mut dyn FnMut(Span, String)) {
    match plan.cluster(name).map(|c| &c.engine) {
        Some(ClusterEngine::Local { memory: Some(_), .. }) => {
            say(name.span, format!("`memory` of the cluster `{}`", name.value));
        }
        Some(ClusterEngine::Local { .. }) | None => {}
        Some(other) => say(name.span, format!("the engine {} of the cluster `{}`", other.word(), name.value)),
    }
}
