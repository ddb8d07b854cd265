//! The row-wise and set steps, one file an operation: a lazy table in, a lazy table out.

mod aggregated;
pub(crate) mod asof;
mod derive;
pub(crate) mod distinct;
pub(crate) mod expect;
mod explode;
mod group;
pub(crate) mod join;
mod lookup;
mod map;
mod packed;
mod pivot;
mod project;
pub(crate) mod repeated;
mod sort;
pub(crate) mod split;
mod tuples;
mod union;
mod unpivot;
pub(crate) mod window;

use std::collections::BTreeSet;

use dbjob_plan::{Node, NodeId, Op, Plan, RunError, Schema};
use polars::prelude::{Expr, LazyFrame};

use crate::expr::{Scope, lower};
use crate::fault::Faults;
use crate::map::MapStates;

/// What lowering a step needs to know besides its inputs.
pub(crate) struct Step<'a> {
    pub plan: &'a Plan,
    pub id: NodeId,
    pub node: &'a Node,
    pub faults: &'a Faults,
    pub maps: &'a MapStates,
    /// The columns of its result that something reads; `None`: all.
    pub live: Option<&'a BTreeSet<String>>,
}

impl<'a> Step<'a> {
    /// The scope of expressions over the table of input `i`.
    pub fn scope(&self, input: usize) -> Scope<'a> {
        Scope::new(self.faults, self.id, self.input_schema(input))
    }

    pub fn input_schema(&self, input: usize) -> &'a Schema {
        &self.plan.node(self.plan.inputs(self.id)[input]).schema
    }

    /// Whether something reads this column of the result.
    pub fn is_live(&self, name: &str) -> bool {
        self.live.is_none_or(|live| live.contains(name))
    }

    pub fn lower(&self, expr: &dbjob_plan::Expr) -> Result<Expr, RunError> {
        lower(expr, &self.scope(0)).map_err(|e| e.or_span(self.node.span))
    }
}

/// Lowers an operation that needs nothing but lazy tables. `None`: the engine carries this one out itself.
///
/// `ordered` says whether anything after this step depends on the order of its rows.
pub(crate) fn lower_step(
    step: &Step<'_>,
    mut inputs: Vec<LazyFrame>,
    ordered: bool,
) -> Result<Option<LazyFrame>, RunError> {
    let input = |inputs: &mut Vec<LazyFrame>| inputs.remove(0);
    Ok(Some(match &step.node.op {
        Op::Filter { predicate } => input(&mut inputs).filter(step.lower(predicate)?),
        Op::Derive { columns } => derive::lower(step, input(&mut inputs), columns)?,
        Op::Project { columns } => project::lower(step, input(&mut inputs), columns)?,
        Op::Join(join) => {
            let left = input(&mut inputs);
            join::lower(step, join, left, input(&mut inputs), ordered)?
        }
        Op::Group { keys, aggregates } => group::lower(step, input(&mut inputs), keys, aggregates, ordered)?,
        Op::Pivot(pivot) => pivot::lower(step, input(&mut inputs), pivot, ordered)?,
        Op::Unpivot(unpivot) => unpivot::lower(step, input(&mut inputs), unpivot)?,
        Op::Explode { columns } => explode::lower(step, input(&mut inputs), columns)?,
        Op::Sort { keys } => sort::lower(step, input(&mut inputs), keys)?,
        Op::Distinct { by, keep, order } => distinct::lower(step, input(&mut inputs), by, *keep, order, ordered)?,
        Op::Take { count } => input(&mut inputs).limit(u32::try_from(*count).unwrap_or(u32::MAX)),
        Op::Union => union::lower(step, inputs)?,
        Op::Split(split) => split::lower(step, input(&mut inputs), split)?,
        Op::Sample(sample) => split::lower_sample(step, input(&mut inputs), sample),
        Op::Map { columns } => map::lower(step, input(&mut inputs), columns)?,
        Op::Unmap { columns } => map::lower_unmap(step, input(&mut inputs), columns)?,
        _ => return Ok(None),
    }))
}
