//! What a column's values depend on besides the columns that they are made of: how exact they are, whether they look at
//! one row or several, whether they were learned.

use std::collections::HashMap;

use dbjob_plan::{BinaryOp, ColumnRef, Derivation, Expr, ExprKind, MapLink, NamedExpr, Node, NodeId, Op, Plan, Via};
use serde::Serialize;

use crate::catalog::{Exactness, function, map};

/// The weakest of all that went into a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nature {
    pub exactness: Exactness,
    pub scope: Scope,
    /// Nobody promises what it is: taken as a file has it, or made by a process.
    pub unchecked: bool,
}

/// Which rows the value of a row depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Its own.
    Row,
    /// Several: a group, a window.
    Rows,
    /// The train part of a split: a fitted map, a model.
    Fitted,
}

impl Nature {
    const PLAIN: Nature = Nature { exactness: Exactness::Exact, scope: Scope::Row, unchecked: false };

    fn or(self, other: Nature) -> Nature {
        Nature {
            exactness: self.exactness.max(other.exactness),
            scope: self.scope.max(other.scope),
            unchecked: self.unchecked || other.unchecked,
        }
    }
}

/// The natures of every column of a plan.
#[derive(Debug, Default)]
pub struct Natures(HashMap<ColumnRef, Nature>);

impl Natures {
    /// `taken` says of a dataset's column whether it is taken as the file has it: the plan does not know.
    pub fn of(plan: &Plan, taken: &dyn Fn(&str, &str) -> bool) -> Self {
        let mut natures = Self::default();
        for id in plan.topological() {
            let mut waiting: Vec<_> = Derivation::of(plan, id).columns;
            // A column that is made of another of the same step comes behind it.
            while !waiting.is_empty() {
                let before = waiting.len();
                waiting.retain(|(name, made_of)| {
                    let ready = made_of.iter().all(|e| e.column.node != id || natures.0.contains_key(&e.column));
                    if ready {
                        let nature = natures.made(plan, id, name, made_of);
                        let read = matches!(plan.node(id).op, Op::Read(_));
                        let unchecked = nature.unchecked || read && taken(&plan.node(id).item, name);
                        let nature = Nature { unchecked, ..nature };
                        natures.0.insert(ColumnRef { node: id, column: name.clone() }, nature);
                    }
                    !ready
                });
                debug_assert!(waiting.len() < before, "a column is made of earlier ones only");
            }
        }
        natures
    }

    pub fn get(&self, node: NodeId, column: &str) -> Nature {
        let at = ColumnRef { node, column: column.to_owned() };
        self.0.get(&at).copied().unwrap_or(Nature::PLAIN)
    }

    fn made(&self, plan: &Plan, id: NodeId, name: &str, made_of: &[dbjob_plan::Edge]) -> Nature {
        let of_inputs = made_of.iter().map(|e| {
            let nature = self.get(e.column.node, &e.column.column);
            // What only finds or groups rows makes no value.
            match e.via {
                Via::Key | Via::Choice => Nature { exactness: nature.exactness, ..Nature::PLAIN },
                _ => nature,
            }
        });
        of_inputs.fold(of_step(plan, id, name), Nature::or)
    }
}

/// What a step adds to the nature of a column of its result.
fn of_step(plan: &Plan, id: NodeId, column: &str) -> Nature {
    let node = plan.node(id);
    let exactness = |exactness| Nature { exactness, ..Nature::PLAIN };
    let named = |columns: &[NamedExpr]| columns.iter().rev().find(|c| c.name == column).map(|c| of_expr(&c.expr));
    match &node.op {
        Op::Derive { columns } => named(columns).map_or(Nature::PLAIN, exactness),
        Op::Group { keys, aggregates } => match named(aggregates) {
            Some(found) => Nature { exactness: found, scope: Scope::Rows, ..Nature::PLAIN },
            None => named(keys).map_or(Nature::PLAIN, exactness),
        },
        Op::Window(window) => match window.columns.iter().find(|c| c.name == column) {
            Some(found) => Nature { exactness: of_expr(&found.expr), scope: Scope::Rows, ..Nature::PLAIN },
            None => Nature::PLAIN,
        },
        Op::Pivot(pivot) => {
            let is = |a: &NamedExpr| pivot.values.iter().any(|v| format!("{}_{}", a.name, v.name) == column);
            match pivot.aggregates.iter().find(|a| is(a)) {
                Some(found) => Nature { exactness: of_expr(&found.expr), scope: Scope::Rows, ..Nature::PLAIN },
                None => Nature::PLAIN,
            }
        }
        // Nobody knows what the process does.
        Op::Extern(process) if process.returns.iter().any(|r| r == column) => {
            Nature { exactness: Exactness::Approximate, unchecked: true, ..Nature::PLAIN }
        }
        // Which rows are left depends on their order.
        Op::Take { .. } if !is_sorted(plan, id) => exactness(Exactness::Ordered),
        Op::Distinct { by, order, .. } if order.is_empty() && !by.is_empty() && !by.iter().any(|b| b == column) => {
            exactness(Exactness::Ordered)
        }
        Op::Sample(sample) if sample.key.columns.is_empty() => exactness(Exactness::Ordered),
        Op::Map { columns } => match columns.iter().find(|c| c.out == column) {
            Some(found) => of_link(&found.link),
            None => Nature::PLAIN,
        },
        Op::Unmap { columns } => {
            let links = columns.iter().filter(|c| c.column == column).flat_map(|c| &c.links);
            links.map(of_link).fold(Nature::PLAIN, Nature::or)
        }
        Op::Predict { .. } if is_new(plan, id, column) => LEARNED,
        Op::Fit(_) => LEARNED,
        Op::Read(_)
        | Op::Request
        | Op::Snapshot { .. }
        | Op::Filter { .. }
        | Op::Project { .. }
        | Op::Unpivot(_)
        | Op::Explode { .. }
        | Op::Extern(_)
        | Op::Join(_)
        | Op::Sort { .. }
        | Op::Distinct { .. }
        | Op::Take { .. }
        | Op::Union
        | Op::Split(_)
        | Op::Sample(_)
        | Op::Predict { .. }
        | Op::Expect(_)
        | Op::Deploy(_) => Nature::PLAIN,
    }
}

const LEARNED: Nature = Nature { exactness: Exactness::Approximate, scope: Scope::Fitted, unchecked: false };

fn is_sorted(plan: &Plan, id: NodeId) -> bool {
    let input: &Node = plan.node(plan.inputs(id)[0]);
    matches!(input.op, Op::Sort { .. })
}

fn is_new(plan: &Plan, id: NodeId, column: &str) -> bool {
    let before = &plan.node(plan.inputs(id)[0]).schema;
    !dbjob_plan::column_names(before).any(|name| name == column)
}

fn of_link(link: &MapLink) -> Nature {
    let option = |name: &str| link.options.get(name).cloned().unwrap_or(dbjob_plan::Value::Null);
    let exactness = match (map::find(&link.map), &link.formula) {
        (Some(map), _) => (map.exactness)(&option),
        (None, Some(formula)) => of_expr(&formula.forward),
        (None, None) => Exactness::Approximate,
    };
    Nature { exactness, scope: if link.fitted { Scope::Fitted } else { Scope::Row }, ..Nature::PLAIN }
}

/// The weakest of the functions and operators of an expression.
pub fn of_expr(expr: &Expr) -> Exactness {
    let mut weakest = Exactness::Exact;
    expr.walk(&mut |e| {
        let here = match &e.kind {
            ExprKind::Call { function, .. } | ExprKind::Aggregate { function, .. } => {
                function::find(function).map_or(Exactness::Exact, |f| f.exactness_of(&e.dtype))
            }
            ExprKind::Binary { op: BinaryOp::Pow, .. } => Exactness::Approximate,
            _ => Exactness::Exact,
        };
        weakest = weakest.max(here);
    });
    weakest
}
