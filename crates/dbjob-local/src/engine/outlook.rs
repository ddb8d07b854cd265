//! What a run would do, without doing it.

use dbjob_plan::contract::{ContractChange, Promise, changes};
use dbjob_plan::{Fate, Hold, ItemKind, ItemOutlook, Join, NodeId, Op, Plan, PlanItem, RunContext, RunError, Target};
use dbjob_registry::live;

use super::known::{Known, learned};
use super::need::Needs;
use crate::step::split;

/// Each item that the run is for or that it is made of, in the order of the plan.
pub(super) fn outlook(plan: &Plan, cx: &RunContext<'_>) -> Result<Vec<ItemOutlook>, RunError> {
    let needs = Needs::of(plan, &cx.goal)?;
    let known = Known::of(plan, &needs, cx);
    let mut found = Vec::new();
    for item in &plan.items {
        let is_deploy = item.kind == ItemKind::Deploy;
        let of_item = |id: &NodeId| {
            let node = plan.node(*id);
            node.item == item.name && is_deploy == matches!(node.op, Op::Deploy(_))
        };
        let nodes: Vec<NodeId> =
            plan.topological().into_iter().filter(of_item).filter(|id| needs.nodes.contains_key(id)).collect();
        if nodes.is_empty() {
            continue;
        }
        let holds = nodes.iter().filter(|id| known.computed.contains(id)).filter_map(|id| hold(plan, &needs, *id));
        found.push(ItemOutlook {
            item: item.name.clone(),
            kind: item.kind,
            fate: match fate(&known, item, &nodes) {
                Fate::Computed if cx.results.is_some_and(|r| learned(plan, &needs, item.output, r).is_some()) => {
                    Fate::Judged
                }
                fate => fate,
            },
            holds: holds.collect(),
            contract: nodes.iter().flat_map(|id| contract(plan, cx, *id)).collect(),
        });
    }
    Ok(found)
}

fn fate(known: &Known, item: &PlanItem, nodes: &[NodeId]) -> Fate {
    if nodes.iter().any(|id| known.computed.contains(id)) {
        Fate::Computed
    } else if nodes.iter().any(|id| known.up_to_date.contains_key(id)) {
        Fate::UpToDate
    } else if known.kept.contains_key(&item.output) || nodes.iter().any(|id| known.kept.contains_key(id)) {
        Fate::ReadBack
    } else {
        Fate::NotNeeded
    }
}

/// Why a node holds a whole table in memory, if it does.
fn hold(plan: &Plan, needs: &Needs, id: NodeId) -> Option<Hold> {
    let node = plan.node(id);
    let need = &needs.nodes[&id];
    let (step, why) = match &node.op {
        Op::Fit(_) => ("fit", "a fit looks at its rows again and again"),
        Op::Window(_) => ("window", "each row looks at others of its partition"),
        Op::Sort { .. } => ("sort", "the last row may come first"),
        Op::Distinct { .. } => ("distinct", "which row stays depends on those behind it"),
        Op::Pivot(_) => ("pivot", "all rows of a key make one"),
        Op::Extern(_) => ("extern", "the process gets the table whole"),
        Op::Split(split) if !split::is_lazy(split) => ("split", "the parts are shares of all rows"),
        Op::Expect(rule) if !rule.unique.is_empty() => ("expect", "the keys of all rows are looked at together"),
        Op::Join(Join { asof: Some(_), .. }) => ("asof join", "both sides are put in order of time"),
        Op::Join(join) if join.verify_unique_left => ("join", "keys that must not repeat are looked for on both sides"),
        Op::Join(_) => ("join", "its right side is looked up for every row"),
        Op::Map { columns } if columns.iter().any(|c| c.link.fitted && need.columns.contains(&c.out)) => {
            ("map", "it learns from all train rows")
        }
        Op::Deploy(Target::Folder(_)) => ("to", "rows are put into the files of their partitions"),
        _ => return None,
    };
    Some(Hold { span: node.span, step: step.into(), why: why.into() })
}

/// How a model's requests and answers differ from those of the version that is live where it goes to.
fn contract(plan: &Plan, cx: &RunContext<'_>, id: NodeId) -> Vec<ContractChange> {
    let Op::Deploy(Target::Registry { path, .. }) = &plan.node(id).op else { return Vec::new() };
    let fit = plan.inputs(id).into_iter().next().map(|input| &plan.node(input).op);
    let Some(Op::Fit(spec)) = fit else { return Vec::new() };
    // A registry that cannot be read is told when it is written to.
    let Ok(Some(live)) = live(&cx.resolve(path), &spec.model) else { return Vec::new() };
    changes(&Promise::from(&live), &Promise::from(&**spec))
}
