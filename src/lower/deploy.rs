use dbjob_plan::{Span, Target};

use crate::hir::{Deploy, Item, ItemBody, Job};

/// The registry of models that are deployed `to http` and to no registry.
const SERVED_FROM: &str = "models";

/// Where a run brings it. A model that is deployed `to http` is stored, once, for `dbjob serve` to answer from: in the
/// registry that the job names for it, or else in one of its own.
pub(super) fn targets(deploy: &Deploy, item: &Item, job: &Job) -> Vec<(Target, Span)> {
    let of_model = || {
        job.items.iter().filter_map(|other| match &other.body {
            ItemBody::Deploy(d) if d.from == deploy.from => Some((other, d)),
            _ => None,
        })
    };
    let is_http = |target: &Target| matches!(target, Target::Service(service) if service.kind == "http");
    let stored = of_model().any(|(_, d)| d.targets.iter().any(|(t, _)| matches!(t, Target::Registry { .. })));
    let first = of_model().filter(|(_, d)| d.targets.iter().any(|(t, _)| is_http(t))).min_by_key(|(i, _)| i.position);
    let mut stores = !stored && first.is_some_and(|(first, _)| first.name == item.name);
    let mut targets = Vec::new();
    for (target, span) in &deploy.targets {
        if !is_http(target) {
            targets.push((target.clone(), *span));
        } else if std::mem::take(&mut stores) {
            targets.push((Target::Registry { path: SERVED_FROM.to_owned(), deploy: item.name.clone() }, *span));
        }
    }
    targets
}
