//! What a user asks for: `dataset.column`, `transform.column`, `model.column`, or an item.

use dbjob_plan::{ColumnRef, ItemKind, NodeId, Op, Plan, PlanItem, column_names};

/// What lineage is asked of.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A column of a table, as its item gives it.
    Column(ColumnRef),
    /// A column that a model takes or learns.
    Input {
        fit: NodeId,
        column: String,
    },
    Model {
        fit: NodeId,
    },
    /// All places that a deployment goes to.
    Deploy {
        nodes: Vec<NodeId>,
    },
    /// All columns of a table.
    Table(Vec<Target>),
}

/// A name that means nothing in the job.
#[derive(Debug, Clone, PartialEq)]
pub enum Unknown {
    Item { name: String, known: Vec<String> },
    Column { item: String, column: String, known: Vec<String> },
}

/// Finds what a name means. Names with dots and dashes need no backticks here, but may have them.
pub fn find(plan: &Plan, name: &str) -> Result<Target, Unknown> {
    let plain = name.replace('`', "");
    if let Some(item) = item_named(plan, &plain) {
        return Ok(whole(plan, item));
    }
    let dots = plain.match_indices('.').map(|(at, _)| (&plain[..at], &plain[at + 1..]));
    let mut no_column = None;
    for (item, column) in dots {
        let Some(item) = item_named(plan, item).filter(|i| i.kind != ItemKind::Deploy) else { continue };
        let known = columns_of(plan, item);
        if known.iter().any(|k| k == column) {
            return Ok(column_of(plan, item, column));
        }
        no_column.get_or_insert(Unknown::Column { item: item.name.clone(), column: column.to_owned(), known });
    }
    Err(no_column.unwrap_or_else(|| {
        let items = plan.items.iter().map(|i| i.name.clone());
        let columns = plan
            .items
            .iter()
            .filter(|i| i.kind != ItemKind::Deploy)
            .flat_map(|i| columns_of(plan, i).into_iter().map(|c| format!("{}.{c}", i.name)).collect::<Vec<_>>());
        Unknown::Item { name: plain.clone(), known: items.chain(columns).collect() }
    }))
}

fn item_named<'p>(plan: &'p Plan, name: &str) -> Option<&'p PlanItem> {
    plan.items.iter().find(|i| i.name == name)
}

/// The columns by which one may ask for an item, each once.
fn columns_of(plan: &Plan, item: &PlanItem) -> Vec<String> {
    let mut names: Vec<String> = match &plan.node(item.output).op {
        Op::Fit(spec) => {
            let inputs = spec.inputs.iter().flat_map(|i| [i.column.clone(), i.name.clone()]);
            let learned = spec.target().map(str::to_owned).into_iter().chain(spec.weight.clone());
            inputs.chain(learned).chain(column_names(&plan.node(item.output).schema)).collect()
        }
        _ => column_names(&plan.node(item.output).schema).collect(),
    };
    let mut seen = std::collections::HashSet::new();
    names.retain(|n| seen.insert(n.clone()));
    names
}

fn column_of(plan: &Plan, item: &PlanItem, column: &str) -> Target {
    if let Op::Fit(spec) = &plan.node(item.output).op {
        let by_name = spec.inputs.iter().find(|i| i.column == column || i.name == column).map(|i| i.column.clone());
        let learned = spec.target() == Some(column) || spec.weight.as_deref() == Some(column);
        return match by_name.or_else(|| learned.then(|| column.to_owned())) {
            Some(column) => Target::Input { fit: item.output, column },
            None => Target::Model { fit: item.output },
        };
    }
    Target::Column(ColumnRef { node: item.output, column: column.to_owned() })
}

fn whole(plan: &Plan, item: &PlanItem) -> Target {
    match item.kind {
        ItemKind::Model => Target::Model { fit: item.output },
        ItemKind::Deploy => {
            let nodes = plan.graph.node_indices().filter(|id| {
                let node = plan.node(*id);
                node.item == item.name && matches!(node.op, Op::Deploy(_))
            });
            Target::Deploy { nodes: nodes.collect() }
        }
        ItemKind::Dataset | ItemKind::Transform => {
            Target::Table(columns_of(plan, item).iter().map(|c| column_of(plan, item, c)).collect())
        }
    }
}
