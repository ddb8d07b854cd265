//! A few rows of each source that reach a node: they are found from the data, joins followed by their keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dbjob_plan::{
    DataType, Derivation, Expr, ExprKind, ItemKind, Node, NodeId, Op, Plan, PlanItem, RunError, Span, Value, Via,
};

use super::super::super::engine::engine;

/// A row by column.
pub type Row = BTreeMap<String, Value>;

/// Rows of datasets by name, in the order in which the node reads them; the first leads.
#[derive(Debug, Clone)]
pub struct Sample(pub Vec<(String, Vec<Row>)>);

/// Keys of one dataset that are looked up at once.
const MOST_KEYS: usize = 1_000;

/// Rows of a dataset that is found by no key.
const MOST_LOOSE: u64 = 1_000;

/// A column of a dataset.
pub type Place = (String, String);

/// The datasets that a node's rows come from, the leading one first. The error is a model on the way.
pub fn sources(plan: &Plan, node: NodeId) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    let mut seen: BTreeSet<NodeId> = BTreeSet::new();
    let mut open = vec![node];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = plan.node(id);
        match &node.op {
            Op::Fit(spec) => return Err(spec.model.clone()),
            Op::Read(_) if !names.contains(&node.item) => names.push(node.item.clone()),
            _ => {}
        }
        // The first input leads, so it is visited next.
        open.extend(plan.inputs(id).into_iter().rev());
    }
    Ok(names)
}

/// The first `leading` rows of the leading dataset, and of the others the rows that these find by the keys of joins.
pub fn sample(plan: &Plan, base: &Path, node: NodeId, sources: &[String], leading: u64) -> Result<Sample, RunError> {
    let links = links(plan, node);
    let mut sample = Sample(Vec::new());
    let mut waiting: Vec<&String> = sources.iter().collect();
    while !waiting.is_empty() {
        let known = |dataset: &str| sample.0.iter().any(|(name, _)| name == dataset);
        let linked = waiting.iter().position(|name| links.iter().any(|(a, b)| a.0 == **name && known(&b.0)));
        let name = waiting.remove(linked.unwrap_or(0));
        let mut conditions: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
        for (here, there) in links.iter().filter(|(here, there)| here.0 == *name && known(&there.0)) {
            let rows = sample.0.iter().find(|(name, _)| *name == there.0).map_or(&[][..], |(_, rows)| rows);
            let found = conditions.entry(&here.1).or_default();
            for value in rows.iter().filter_map(|row| row.get(&there.1)).filter(|v| **v != Value::Null) {
                if found.len() < MOST_KEYS {
                    found.insert(value.to_string(), value.clone());
                }
            }
        }
        let count = match sample.0.is_empty() {
            true => leading,
            false if conditions.is_empty() => MOST_LOOSE,
            false => u64::MAX,
        };
        let conditions: Vec<(&str, Vec<Value>)> =
            conditions.into_iter().map(|(column, values)| (column, values.into_values().collect())).collect();
        let rows = rows(plan, base, name, &conditions, count)?;
        sample.0.push((name.clone(), rows));
    }
    let place = |name: &String| sources.iter().position(|s| s == name);
    sample.0.sort_by_key(|(name, _)| place(name));
    Ok(sample)
}

impl Sample {
    /// The columns by which rows of one dataset find those of another: without them a reader does not see why.
    pub fn keys(&self, plan: &Plan, node: NodeId) -> BTreeSet<Place> {
        let has_rows = |dataset: &str| self.0.iter().any(|(name, rows)| name == dataset && !rows.is_empty());
        let shown = links(plan, node).into_iter().filter(|(here, there)| has_rows(&here.0) && has_rows(&there.0));
        shown.map(|(here, _)| here).collect()
    }
}

/// Columns of datasets that joins compare, both ways.
fn links(plan: &Plan, node: NodeId) -> Vec<(Place, Place)> {
    let mut links = Vec::new();
    let mut seen: BTreeSet<NodeId> = BTreeSet::new();
    let mut open = vec![node];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let inputs = plan.inputs(id);
        if let Op::Join(join) = &plan.node(id).op {
            for (left, right) in &join.on {
                if let (Some(left), Some(right)) = (origin(plan, inputs[0], left), origin(plan, inputs[1], right)) {
                    links.push((left.clone(), right.clone()));
                    links.push((right, left));
                }
            }
        }
        open.extend(inputs);
    }
    links
}

/// The source column that a column is, as it is.
fn origin(plan: &Plan, mut node: NodeId, column: &str) -> Option<Place> {
    let mut column = column.to_owned();
    loop {
        if let Op::Read(_) = plan.node(node).op {
            return Some((plan.node(node).item.clone(), column));
        }
        let made_of = Derivation::of(plan, node);
        let [edge] = made_of.column(&column) else { return None };
        if edge.via != Via::Copy {
            return None;
        }
        (node, column) = (edge.column.node, edge.column.column.clone());
    }
}

/// Rows of a dataset behind its rules, without those that a job could not write.
fn rows(
    plan: &Plan,
    base: &Path,
    dataset: &str,
    conditions: &[(&str, Vec<Value>)],
    count: u64,
) -> Result<Vec<Row>, RunError> {
    const ITEM: &str = "sample";
    let mut plan = plan.clone();
    let Some(mut last) = plan.item(dataset).map(|item| item.output) else { return Ok(Vec::new()) };
    let schema = plan.node(last).schema.clone();
    let mut add = |op: Op, input: NodeId| {
        let node = Node { item: ITEM.into(), op, schema: schema.clone(), span: plan.node(input).span };
        plan.add(node, &[input])
    };
    for (column, values) in conditions {
        let Some(field) = schema.get(column) else { continue };
        let literal = |value: &Value| Expr::literal(value.clone(), field.dtype.clone(), Span::default());
        let kind = ExprKind::InList {
            value: Box::new(Expr::column(*column, field.dtype.clone(), field.nullable, Span::default())),
            items: values.iter().map(literal).collect(),
        };
        let predicate = Expr { kind, dtype: DataType::Bool, nullable: field.nullable, span: Span::default() };
        last = add(Op::Filter { predicate }, last);
    }
    last = add(Op::Take { count }, last);
    plan.items.retain(|item| item.name != ITEM);
    plan.items.push(PlanItem { name: ITEM.into(), kind: ItemKind::Transform, output: last, module: None, doc: None });
    let found = dbjob_runtime::rows(&engine(), &plan, base, ITEM)?;
    let whole = |row: Vec<Value>| found.columns.iter().cloned().zip(row).collect::<Row>();
    Ok(found.rows.into_iter().filter(|row| row.iter().all(writable)).map(whole).collect())
}

/// Whether a job can say the value: there is no word for infinity.
pub fn writable(value: &Value) -> bool {
    match value {
        Value::Float(x) => x.is_finite(),
        Value::List(items) => items.iter().all(writable),
        _ => true,
    }
}
