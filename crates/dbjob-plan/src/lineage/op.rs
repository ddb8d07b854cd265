use std::collections::{BTreeMap, BTreeSet};

use super::{ColumnRef, Derivation, Edge, Via, column_names};
use crate::{
    ExpectAction, Expr, ExprKind, FitSpec, Join, JoinKind, MapColumn, NamedExpr, Node, NodeId, Op, PART, Pivot, Plan,
    Projection, Schema, Window,
};

/// What the result of a node is made of. Every operation is here, so that a new one does not compile until it is told.
pub(super) fn derivation(plan: &Plan, id: NodeId) -> Derivation {
    let node = plan.node(id);
    let inputs = plan.inputs(id);
    let at = Place { plan, id, node, inputs: &inputs };
    match &node.op {
        Op::Read(_) | Op::Request | Op::Snapshot { .. } => at.columns(|_| Vec::new()),
        Op::Filter { predicate } => {
            // `on train` reads the hidden part.
            let seen = predicate.columns().into_iter().filter(|name| *name != PART);
            at.kept().rows(at.all(seen, Via::Choice))
        }
        Op::Derive { columns } => at.derive(columns),
        Op::Project { columns } => at.project(columns),
        Op::Join(join) => at.join(join),
        Op::Group { keys, aggregates } => at.group(keys, aggregates),
        Op::Window(window) => at.window(window),
        Op::Sort { keys } => at.kept().rows(at.exprs(keys.iter().map(|k| &k.expr), Via::Choice)),
        Op::Distinct { by, order, .. } => {
            let all: Vec<String> = column_names(&at.input().schema).collect();
            let by = if by.is_empty() { &all } else { by };
            let mut rows = at.all(by.iter().map(String::as_str), Via::Choice);
            rows.extend(at.exprs(order.iter().map(|k| &k.expr), Via::Choice));
            at.kept().rows(rows)
        }
        Op::Pivot(pivot) => at.pivot(pivot),
        Op::Unpivot(unpivot) => {
            let values = || at.all(unpivot.columns.iter().map(String::as_str), Via::Value);
            let made_of = |name: &str| match name {
                name if name == unpivot.name => Vec::new(),
                name if name == unpivot.value => values(),
                name => vec![at.from(name, Via::Copy)],
            };
            at.columns(made_of).rows(Vec::new())
        }
        Op::Explode { columns } => {
            let items = |name: &str| columns.iter().any(|c| c == name);
            let derivation = at.columns(|name| vec![at.from(name, if items(name) { Via::Value } else { Via::Copy })]);
            derivation.rows(at.all(columns.iter().map(String::as_str), Via::Choice))
        }
        Op::Extern(process) => at.columns(|name| match process.returns.iter().any(|r| r == name) {
            true => at.all(at.input().schema.visible().map(|f| f.name.as_str()), Via::Value),
            false => vec![at.from(name, Via::Copy)],
        }),
        Op::Take { .. } => at.kept().rows(Vec::new()),
        Op::Union => at.columns(|name| inputs.iter().map(|i| from(*i, name, Via::Copy)).collect()).rows(Vec::new()),
        Op::Split(split) => at.kept().rows(at.all(split.columns(), Via::Choice)),
        Op::Sample(sample) => at.kept().rows(at.all(sample.key.columns.iter().map(String::as_str), Via::Choice)),
        Op::Map { columns } => at.map(columns),
        Op::Unmap { columns } => at.columns(|name| match columns.iter().any(|c| c.column == name) {
            true => vec![at.from(name, Via::Unmap)],
            false => vec![at.from(name, Via::Copy)],
        }),
        Op::Predict { prefix, replay, .. } => at.predict(prefix, *replay),
        Op::Expect(rule) => match rule.action {
            ExpectAction::Drop | ExpectAction::Quarantine => {
                at.kept().rows(at.all(rule.predicate.columns(), Via::Choice))
            }
            ExpectAction::Fail | ExpectAction::Warn => at.kept(),
        },
        Op::Fit(spec) => at.fit(spec),
        Op::Deploy(_) => at.kept(),
    }
}

fn from(node: NodeId, column: &str, via: Via) -> Edge {
    Edge { column: ColumnRef { node, column: column.to_owned() }, via }
}

fn each_once(edges: Vec<Edge>) -> Vec<Edge> {
    let mut seen = BTreeSet::new();
    edges.into_iter().filter(|e| seen.insert(e.clone())).collect()
}

impl Derivation {
    fn rows(self, rows: Vec<Edge>) -> Self {
        Self { rows: Some(each_once(rows)), ..self }
    }
}

/// A node with its inputs.
struct Place<'p> {
    plan: &'p Plan,
    id: NodeId,
    node: &'p Node,
    inputs: &'p [NodeId],
}

impl Place<'_> {
    fn input(&self) -> &Node {
        self.plan.node(self.inputs[0])
    }

    fn from(&self, column: &str, via: Via) -> Edge {
        from(self.inputs[0], column, via)
    }

    fn all<'n>(&self, columns: impl IntoIterator<Item = &'n str>, via: Via) -> Vec<Edge> {
        columns.into_iter().map(|name| self.from(name, via)).collect()
    }

    fn exprs<'e>(&self, exprs: impl Iterator<Item = &'e Expr>, via: Via) -> Vec<Edge> {
        exprs.flat_map(|e| self.all(e.columns(), via)).collect()
    }

    /// Each column of the result with what `made_of` says.
    fn columns(&self, made_of: impl Fn(&str) -> Vec<Edge>) -> Derivation {
        let columns = column_names(&self.node.schema)
            .map(|name| {
                let made_of = each_once(made_of(&name));
                (name, made_of)
            })
            .collect();
        Derivation { columns, rows: None }
    }

    /// Every column is that of the (first) input.
    fn kept(&self) -> Derivation {
        self.columns(|name| vec![self.from(name, Via::Copy)])
    }

    fn derive(&self, columns: &[NamedExpr]) -> Derivation {
        let mut made: BTreeMap<&str, Vec<Edge>> = BTreeMap::new();
        for (at, column) in columns.iter().enumerate() {
            let sources = column.expr.columns().into_iter().flat_map(|name| match made.get(name) {
                None => vec![self.from(name, via_of(&column.expr, Via::Value))],
                // A column that this step makes twice has no place of its own to point at.
                Some(first) if columns[at..].iter().any(|later| later.name == name) => {
                    first.iter().map(|f| Edge { via: Via::Value, ..f.clone() }).collect()
                }
                Some(_) => vec![from(self.id, name, via_of(&column.expr, Via::Value))],
            });
            let sources = sources.collect();
            made.insert(&column.name, sources);
        }
        self.columns(|name| made.get(name).cloned().unwrap_or_else(|| vec![self.from(name, Via::Copy)]))
    }

    fn project(&self, columns: &[Projection]) -> Derivation {
        self.columns(|name| {
            let old = columns.iter().find(|c| c.to == name).map_or(name, |c| &c.from);
            vec![self.from(old, Via::Copy)]
        })
    }

    fn join(&self, join: &Join) -> Derivation {
        let (left, right) = (self.inputs[0], self.inputs[1]);
        let keys = || {
            let times = join.asof.iter().map(|asof| (&asof.left, &asof.right));
            let pairs = join.on.iter().map(|(l, r)| (l, r)).chain(times);
            pairs.flat_map(|(l, r)| [from(left, l, Via::Key), from(right, r, Via::Key)]).collect::<Vec<_>>()
        };
        let comes_over = |name: &str| join.right_columns.iter().find(|c| c.to == name);
        let open_right = |name: &str| {
            let has = |schema: &Schema| schema.open.iter().any(|prefix| name.strip_suffix('*') == Some(prefix));
            !has(&self.plan.node(left).schema) && has(&self.plan.node(right).schema)
        };
        let derivation = self.columns(|name| {
            let right_name = comes_over(name).map(|c| c.from.as_str()).or_else(|| open_right(name).then_some(name));
            if let Some(name) = right_name {
                return keys().into_iter().chain([from(right, name, Via::Copy)]).collect();
            }
            let mut made_of = vec![from(left, name, Via::Copy)];
            if join.kind == JoinKind::Full {
                let filled_by = join.on.iter().filter(|(l, r)| l == name && comes_over(r).is_none());
                made_of.extend(filled_by.map(|(_, r)| from(right, r, Via::Copy)));
            }
            made_of
        });
        let keeps_rows = join.kind == JoinKind::Asof || join.kind == JoinKind::Left && join.verify_unique_right;
        if keeps_rows { derivation } else { derivation.rows(keys()) }
    }

    fn group(&self, keys: &[NamedExpr], aggregates: &[NamedExpr]) -> Derivation {
        let groups = || self.exprs(keys.iter().map(|k| &k.expr), Via::Choice);
        let derivation = self.columns(|name| match aggregates.iter().find(|a| a.name == name) {
            Some(aggregate) => self.all(aggregate.expr.columns(), Via::Aggregate).into_iter().chain(groups()).collect(),
            None => keys
                .iter()
                .filter(|k| k.name == name)
                .flat_map(|k| self.all(k.expr.columns(), via_of(&k.expr, Via::Value)))
                .collect(),
        });
        derivation.rows(groups())
    }

    fn window(&self, window: &Window) -> Derivation {
        let order = window.order.iter().map(|k| &k.expr);
        let keys: Vec<Edge> = self.exprs(window.by.iter().chain(order), Via::Choice);
        self.columns(|name| match window.columns.iter().find(|c| c.name == name) {
            Some(column) => self.all(column.expr.columns(), Via::Aggregate).into_iter().chain(keys.clone()).collect(),
            None => vec![self.from(name, Via::Copy)],
        })
    }

    fn pivot(&self, pivot: &Pivot) -> Derivation {
        let keys = || pivot.keys.iter().map(String::as_str);
        let groups = || self.all(keys().chain([pivot.column.as_str()]), Via::Choice);
        let derivation = self.columns(|name| {
            if keys().any(|key| key == name) {
                return vec![self.from(name, Via::Copy)];
            }
            let of = |a: &&NamedExpr| pivot.values.iter().any(|v| format!("{}_{}", a.name, v.name) == name);
            let aggregates = pivot.aggregates.iter().filter(of);
            let values = aggregates.flat_map(|a| self.all(a.expr.columns(), Via::Aggregate));
            values.chain(groups()).collect()
        });
        derivation.rows(self.all(keys(), Via::Choice))
    }

    fn map(&self, columns: &[MapColumn]) -> Derivation {
        self.columns(|name| match columns.iter().find(|c| c.out == name) {
            Some(map) => {
                let target = map.out_of_fold.as_ref().map(|o| &o.target);
                let sources = std::iter::once(&map.column).chain(&map.more).chain(target);
                self.all(sources.map(String::as_str), Via::Map)
            }
            None => vec![self.from(name, Via::Copy)],
        })
    }

    /// A prediction is made of what the model reads here, and of the model.
    fn predict(&self, prefix: &str, replay: bool) -> Derivation {
        let table = &self.input().schema;
        let model = self.inputs[1];
        let Op::Fit(spec) = &self.plan.node(model).op else { return self.kept() };
        let read = || -> Vec<Edge> {
            if !replay {
                return self.all(spec.inputs.iter().map(|i| i.column.as_str()), Via::Model);
            }
            let request = self.all(spec.serving.request.visible().map(|f| f.name.as_str()), Via::Model);
            let lookups = spec.serving.lookups.iter().flat_map(|(_, id)| {
                column_names(&self.plan.node(*id).schema).map(|name| from(*id, &name, Via::Model)).collect::<Vec<_>>()
            });
            request.into_iter().chain(lookups).collect()
        };
        self.columns(|name| {
            let was_there =
                table.get(name).is_some() || table.open.iter().any(|p| name.strip_suffix('*') == Some(p.as_str()));
            match name.strip_prefix(prefix) {
                Some(rest) if !was_there => {
                    read().into_iter().chain([from(model, &format!("prediction{rest}"), Via::Learned)]).collect()
                }
                _ => vec![self.from(name, Via::Copy)],
            }
        })
    }

    fn fit(&self, spec: &FitSpec) -> Derivation {
        self.columns(|_| {
            let inputs = self.all(spec.inputs.iter().map(|i| i.column.as_str()), Via::Model);
            let learned = spec.target().into_iter().chain(spec.weight.as_deref());
            inputs.into_iter().chain(self.all(learned, Via::Learned)).collect()
        })
    }
}

/// A bare column is a copy.
fn via_of(expr: &Expr, otherwise: Via) -> Via {
    if matches!(expr.kind, ExprKind::Column(_)) { Via::Copy } else { otherwise }
}
