//! Settings of where work runs and what bounds it, as far as this engine does not carry them out.

use dbjob_plan::{ClusterEngine, Plan, Said, Span, Unsupported};

/// Where the memory of a process can be looked at.
const SEES_MEMORY: bool = cfg!(target_os = "linux");

pub(super) fn unsupported(plan: &Plan) -> Vec<Unsupported> {
    let mut found: Vec<Unsupported> = Vec::new();
    let mut say = |span: Span, what: String| found.push(Unsupported { span, what });
    if let Some(name) = &plan.cluster {
        on_cluster(plan, name, &mut say);
    }
    for module in &plan.modules {
        if let Some(memory) = module.limits.memory.filter(|_| !SEES_MEMORY) {
            say(memory.span, "`memory` of a module on this system".into());
        }
        if let Some(name) = &module.limits.cluster {
            on_cluster(plan, name, &mut say);
        }
    }
    found
}

fn on_cluster(plan: &Plan, name: &Said<String>, say: &mut dyn FnMut(Span, String)) {
    match plan.cluster(name).map(|c| &c.engine) {
        Some(ClusterEngine::Local { memory: Some(_), .. }) if !SEES_MEMORY => {
            say(name.span, format!("`memory` of the cluster `{}` on this system", name.value));
        }
        Some(ClusterEngine::Local { .. }) | None => {}
        Some(other) => say(name.span, format!("the engine {} of the cluster `{}`", other.word(), name.value)),
    }
}
