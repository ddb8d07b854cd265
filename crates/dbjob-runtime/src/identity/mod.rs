//! What each result of a plan is made of, by value numbering: a table is its rows (a key that filters, joins and sorts
//! change) and for each column a key (that derivations and maps change). Names, formatting, comments and the order of items
//! are in none of them; the content of sources, all options, types, the seed and the version of the engine are.

mod digest;
mod model;
mod table;

use std::collections::{BTreeMap, HashMap};

use dbjob_plan::{Identity, Key, NodeId, Op, Plan, TableIdentity};

pub(crate) use digest::Digest;

/// The content of each source, and of the files that processes are made of: `None` where nobody knows before it is read.
pub type Contents = HashMap<NodeId, Option<Key>>;

/// The identities of a plan's nodes. A node whose source is not known has none.
#[derive(Debug, Default, Clone)]
pub struct Identities {
    pub nodes: HashMap<NodeId, Identity>,
    pub maps: BTreeMap<u32, Key>,
    pub contents: Contents,
}

impl Identities {
    /// `engine`: name and version of what computes; `base`: the folder of the job as text.
    pub fn of(plan: &Plan, contents: &Contents, engine: &str) -> Self {
        let mut all = Self { contents: contents.clone(), ..Self::default() };
        for id in plan.topological() {
            if let Some(identity) = all.node(plan, id, contents, engine) {
                all.nodes.insert(id, identity);
            }
        }
        all
    }

    pub fn table(&self, id: NodeId) -> Option<&TableIdentity> {
        match self.nodes.get(&id)? {
            Identity::Table(table) => Some(table),
            _ => None,
        }
    }

    pub fn model(&self, id: NodeId) -> Option<Key> {
        match self.nodes.get(&id)? {
            Identity::Model { key, .. } => Some(*key),
            _ => None,
        }
    }

    fn node(&mut self, plan: &Plan, id: NodeId, contents: &Contents, engine: &str) -> Option<Identity> {
        let node = plan.node(id);
        let inputs = plan.inputs(id);
        Some(match &node.op {
            Op::Read(source) => {
                let content = (*contents.get(&id)?)?;
                Identity::Table(table::read(source, &node.schema, content, engine))
            }
            Op::Fit(spec) => {
                let model::Keys { fitted, whole, tried } = model::keys(spec, self.table(inputs[0])?, &self.maps);
                Identity::Model { key: model::within(whole, plan, &node.item), whole, fitted, tried }
            }
            Op::Deploy(target) => Identity::Output(match self.nodes.get(&inputs[0])? {
                Identity::Table(table) => table::output(target, table, &plan.node(inputs[0]).schema),
                Identity::Model { key, .. } => match &plan.node(inputs[0]).op {
                    Op::Fit(spec) => model::output(target, *key, spec, plan),
                    _ => return None,
                },
                Identity::Output(_) => return None,
            }),
            Op::Predict { prefix, replay, out_of_fold } => {
                let (input, model) = (self.table(inputs[0])?, self.model(inputs[1])?);
                let Op::Fit(spec) = &plan.node(inputs[1]).op else { return None };
                let schema = &plan.node(inputs[0]).schema;
                let how = model::Asked { prefix, replay: *replay, out_of_fold: *out_of_fold };
                Identity::Table(model::predicted(input, schema, &node.schema, (model, spec), &how))
            }
            _ => {
                let tables: Vec<TableIdentity> =
                    inputs.iter().map(|i| self.table(*i).cloned()).collect::<Option<_>>()?;
                let schema = inputs.first().map(|i| &plan.node(*i).schema);
                let content = contents.get(&id).copied().flatten();
                Identity::Table(table::step(plan, node, (schema, content), tables, &mut self.maps)?)
            }
        })
    }
}
