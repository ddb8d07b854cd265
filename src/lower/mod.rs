//! The checked job as a plan. Cannot fail: everything that could be wrong was found by `hir::check`.

mod deploy;

use std::collections::{HashMap, HashSet};

use dbjob_plan::{Field, ItemKind, Node, NodeId, Op, Plan, PlanItem, PlanModule, Projection, Schema};

use crate::hir::{Item, ItemBody, Job, SoundJob};

/// Lowers a job. Node ids are in the order of running: inputs first, then by modules' `after`, then as in the file.
pub fn lower(job: &SoundJob) -> Plan {
    let mut plan = Plan {
        job: job.name.clone(),
        seed: job.seed,
        run_time: job.run_time,
        clusters: job.clusters.clone(),
        cluster: job.cluster.clone(),
        retries: job.retries,
        environment: job.environment.clone(),
        ..Plan::default()
    };
    plan.modules = job
        .modules
        .iter()
        .map(|m| PlanModule {
            name: m.name.clone(),
            role: m.role.clone(),
            runs: m.runs.clone(),
            after: m.after.clone(),
            limits: m.limits.clone(),
            doc: m.doc.clone(),
        })
        .collect();
    let mut outputs: HashMap<String, NodeId> = HashMap::new();
    let mut items: Vec<(usize, PlanItem)> = Vec::new();
    for item in running_order(job) {
        let (kind, output) = add(item, job, &mut plan, &outputs);
        let key = item.key();
        outputs.insert(key.clone(), output);
        let module = job.modules.iter().find(|m| m.runs.contains(&key)).map(|m| m.name.clone());
        items.push((item.position, PlanItem { name: key, kind, output, module, doc: item.doc.clone() }));
    }
    items.sort_by_key(|(position, _)| *position);
    plan.items = items.into_iter().map(|(_, item)| item).collect();
    plan
}

fn running_order(job: &Job) -> Vec<&Item> {
    let module_of = |key: &str| job.modules.iter().find(|m| m.runs.iter().any(|r| r == key));
    let mut waiting: Vec<&Item> = job.items.iter().map(|item| &**item).collect();
    waiting.sort_by_key(|i| i.position);
    let mut order: Vec<&Item> = Vec::new();
    let mut finished: HashSet<String> = HashSet::new();
    while !waiting.is_empty() {
        let done = |key: &str| finished.contains(key);
        let modules_done = |item: &Item| {
            module_of(&item.key()).is_none_or(|m| {
                m.after.iter().all(|before| {
                    job.modules
                        .iter()
                        .filter(|other| other.name == *before)
                        .flat_map(|other| &other.runs)
                        .all(|run| done(run))
                })
            })
        };
        let data_done = |item: &Item| item.input_names().into_iter().all(done);
        // `check` proved that neither data nor modules go in circles, nor one against the other; what its proof does
        // not see (a module's inputs that no module runs) falls back to the order of data.
        let next = waiting
            .iter()
            .position(|i| data_done(i) && modules_done(i))
            .or_else(|| waiting.iter().position(|i| data_done(i)))
            .expect("a checked job has no circles");
        let item = waiting.remove(next);
        finished.insert(item.key());
        order.push(item);
    }
    order
}

fn add(item: &Item, job: &Job, plan: &mut Plan, outputs: &HashMap<String, NodeId>) -> (ItemKind, NodeId) {
    let key = item.key();
    match &item.body {
        ItemBody::Table { kind, input, steps, .. } => {
            let mut last: Option<NodeId> = input.as_ref().map(|name| outputs[name]);
            for step in steps {
                let mut inputs: Vec<NodeId> = last.into_iter().collect();
                inputs.extend(step.others.iter().map(|name| outputs[name]));
                let node =
                    Node { item: key.clone(), op: step.op.clone(), schema: step.shape.schema(), span: step.span };
                last = Some(plan.add(node, &inputs));
            }
            // A transform without steps is its input under another name.
            (*kind, last.expect("a dataset has a `Read`, a transform an input"))
        }
        ItemBody::Model(model) => {
            let mut spec = model.spec.clone();
            for (snapshot, source) in &model.lookups {
                let wanted = spec
                    .serving
                    .plan
                    .graph
                    .node_weights()
                    .find(|n| matches!(&n.op, Op::Snapshot { name } if name == snapshot))
                    .map(|n| n.schema.fields.iter().map(|f| f.name.clone()).collect::<Vec<_>>())
                    .expect("each lookup has a snapshot");
                let input = outputs[source];
                let fields: Vec<Field> =
                    wanted.iter().filter_map(|n| plan.node(input).schema.get(n).cloned()).collect();
                let columns = wanted.into_iter().map(|n| Projection { from: n.clone(), to: n }).collect();
                let node = Node {
                    item: key.clone(),
                    op: Op::Project { columns },
                    schema: Schema::new(fields),
                    span: model.span,
                };
                let id = plan.add(node, &[input]);
                spec.serving.lookups.push((snapshot.clone(), id));
            }
            spec.serving.plan.job.clone_from(&plan.job);
            spec.serving.plan.seed = plan.seed;
            let node = Node { item: key, op: Op::Fit(Box::new(spec)), schema: model.schema.clone(), span: model.span };
            (ItemKind::Model, plan.add(node, &[outputs[&model.input]]))
        }
        ItemBody::Deploy(deploy) => {
            let from = outputs[&deploy.from];
            let mut last = from;
            for (target, span) in deploy::targets(deploy, item, job) {
                let node = Node { item: key.clone(), op: Op::Deploy(target), schema: deploy.schema.clone(), span };
                last = plan.add(node, &[from]);
            }
            (ItemKind::Deploy, last)
        }
    }
}
