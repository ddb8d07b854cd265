//! Where columns come from and what they reach, for people: [`dbjob_plan::Lineage`] with each step as it is written and
//! the place where it stands. What only passes a column on is left out, so that every step shown makes something new.

mod down;
mod items;
mod nature;
mod one_line;
mod request;
mod step;
mod target;
mod trace;
mod up;

pub use items::ItemLink;
pub use nature::{Nature, Natures, Scope};
pub use one_line::one_line;
pub use request::Request;
pub use target::{Target, Unknown, find};
pub use trace::{Decision, Link, Place, Step, Trace, Vertex};

use dbjob_plan::{ItemKind, Lineage, Op, Plan, column_names};

use crate::source::SourceMap;

/// A plan with what is needed to tell of it.
pub struct Job<'a> {
    pub plan: &'a Plan,
    pub sources: &'a SourceMap,
    pub lineage: Lineage,
}

impl<'a> Job<'a> {
    pub fn new(plan: &'a Plan, sources: &'a SourceMap) -> Self {
        Self { plan, sources, lineage: Lineage::of(plan) }
    }

    /// Where a target comes from, step by step to the sources.
    pub fn up(&self, target: &Target) -> Trace {
        up::trace(self, target)
    }

    /// What a target reaches: columns, models, deployments.
    pub fn down(&self, target: &Target) -> Trace {
        down::trace(self, target)
    }

    /// The names of what the job is for: each input of a model, each column of a table that is deployed.
    pub fn results(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for item in &self.plan.items {
            match &self.plan.node(item.output).op {
                Op::Fit(spec) => names.extend(spec.inputs.iter().map(|i| format!("{}.{}", item.name, i.column))),
                Op::Deploy(_) => {
                    let from = self.plan.inputs(item.output)[0];
                    if let Some(table) = self.plan.items.iter().find(|i| i.output == from && i.kind != ItemKind::Model)
                    {
                        let columns = column_names(&self.plan.node(from).schema);
                        names.extend(columns.map(|c| format!("{}.{c}", table.name)));
                    }
                }
                _ => {}
            }
        }
        names
    }
}
