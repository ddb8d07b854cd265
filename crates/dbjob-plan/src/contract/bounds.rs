//! What a field may be beyond its type: the refinement that it was declared with, and the rules of the serving plan that
//! speak of it alone.

use crate::{BinaryOp, ColumnRef, Edge, ExpectAction, Expectation, Expr, ExprKind, Lineage, NodeId, Op};
use crate::{Refinement, Serving, Value, Via};

/// The ends of a number, and whether they belong to it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bounds {
    pub low: Option<(f64, bool)>,
    pub high: Option<(f64, bool)>,
    /// A number between them that it is not: a divisor is not 0.
    pub not: Option<f64>,
}

impl Bounds {
    pub fn of_refinement(refinement: &Refinement) -> Self {
        match refinement {
            Refinement::Range { low, high, inclusive } => {
                let end = |v: &Option<Value>, belongs: bool| v.as_ref().and_then(Value::as_f64).map(|x| (x, belongs));
                Self { low: end(low, true), high: end(high, *inclusive), not: None }
            }
            Refinement::OneOf(_) => Self::default(),
        }
    }

    fn above(x: f64, belongs: bool) -> Self {
        Self { low: Some((x, belongs)), ..Self::default() }
    }

    fn below(x: f64, belongs: bool) -> Self {
        Self { high: Some((x, belongs)), ..Self::default() }
    }

    /// Whether a number lies between them.
    pub fn hold(self, x: f64) -> bool {
        self.low.is_none_or(|(low, belongs)| x > low || belongs && x == low)
            && self.high.is_none_or(|(high, belongs)| x < high || belongs && x == high)
            && self.not != Some(x)
    }

    pub fn and(self, other: Self) -> Self {
        // Of equal ends the one that does not belong is the narrower.
        let tighter = |a: Option<(f64, bool)>, b: Option<(f64, bool)>, sign: f64| match (a, b) {
            (Some(a), Some(b)) if a.0 == b.0 => Some((a.0, a.1 && b.1)),
            (Some(a), Some(b)) => Some(if a.0 * sign > b.0 * sign { a } else { b }),
            (a, b) => a.or(b),
        };
        Self {
            low: tighter(self.low, other.low, 1.0),
            high: tighter(self.high, other.high, -1.0),
            not: self.not.or(other.not),
        }
    }
}

/// A rule that refuses a row of a request.
#[derive(Debug, Clone)]
pub struct Rule<'a> {
    pub node: NodeId,
    pub expectation: &'a Expectation,
    /// The condition, under the names that callers see.
    pub text: String,
    /// Each condition on one field alone, with the field.
    pub bounds: Vec<(String, Bounds)>,
    /// Whether `bounds` and the fields' types say all of it.
    pub told: bool,
}

/// The rules of a serving plan, in order.
pub fn rules(serving: &Serving) -> Vec<Rule<'_>> {
    let lineage = Lineage::of(&serving.plan);
    let nodes = serving.plan.topological().into_iter();
    let rules = nodes.filter_map(|id| match &serving.plan.node(id).op {
        Op::Expect(rule) if refuses(rule) => Some((id, rule)),
        _ => None,
    });
    rules
        .map(|(node, expectation)| {
            let mut bounds = Vec::new();
            let told = conjuncts(&expectation.predicate).into_iter().fold(true, |told, condition| {
                match bound(condition).and_then(|(column, b)| Some((field(serving, &lineage, node, column)?, b))) {
                    Some((field, Some(b))) => {
                        // A schema has room for one number that it is not.
                        let clash = b.not.is_some_and(|x| {
                            bounds
                                .iter()
                                .any(|(f, other): &(String, Bounds)| *f == field && other.not.is_some_and(|y| y != x))
                        });
                        bounds.push((field, b));
                        told && !clash
                    }
                    // Never null: the type says it.
                    Some((field, None)) => told && serving.request.get(&field).is_some_and(|f| !f.nullable),
                    None => false,
                }
            });
            Rule { node, expectation, text: text(serving, &lineage, node, expectation), bounds, told }
        })
        .collect()
}

/// As written, unless a caller knows a column of it by another name.
fn text(serving: &Serving, lineage: &Lineage, node: NodeId, rule: &Expectation) -> String {
    let mut predicate = rule.predicate.clone();
    let mut renamed = false;
    predicate.rename(&mut |column| {
        let name = field(serving, lineage, node, column).filter(|name| name != column);
        renamed |= name.is_some();
        name
    });
    if renamed { predicate.to_string() } else { rule.text.clone() }
}

fn refuses(rule: &Expectation) -> bool {
    rule.unique.is_empty() && rule.action != ExpectAction::Warn && !rule.predicate.has_aggregate()
}

fn conjuncts(predicate: &Expr) -> Vec<&Expr> {
    match &predicate.kind {
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            conjuncts(left).into_iter().chain(conjuncts(right)).collect()
        }
        _ => vec![predicate],
    }
}

/// What a condition says of one column: bounds, or that it is not null.
fn bound(condition: &Expr) -> Option<(&str, Option<Bounds>)> {
    match &condition.kind {
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::IsNull(value) => Some((column(value)?, None)),
            _ => None,
        },
        ExprKind::Binary { op, left, right } => {
            let (name, op, x) = match (column(left), number(right), number(left), column(right)) {
                (Some(name), Some(x), _, _) => (name, *op, x),
                (_, _, Some(x), Some(name)) => (name, op.mirrored(), x),
                _ => return None,
            };
            let bounds = match op {
                BinaryOp::Gt => Bounds::above(x, false),
                BinaryOp::Ge => Bounds::above(x, true),
                BinaryOp::Lt => Bounds::below(x, false),
                BinaryOp::Le => Bounds::below(x, true),
                BinaryOp::Eq => Bounds::above(x, true).and(Bounds::below(x, true)),
                BinaryOp::Ne => Bounds { not: Some(x), ..Bounds::default() },
                _ => return None,
            };
            Some((name, Some(bounds)))
        }
        ExprKind::InRange { value, low, high, inclusive } => {
            let end = |e: &Option<Box<Expr>>| e.as_deref().map_or(Some(None), |e| number(e).map(Some));
            let low = end(low)?.map(|x| Bounds::above(x, true)).unwrap_or_default();
            let high = end(high)?.map(|x| Bounds::below(x, *inclusive)).unwrap_or_default();
            Some((column(value)?, Some(low.and(high))))
        }
        _ => None,
    }
}

fn column(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Column(name) => Some(name),
        ExprKind::Call { function, args } if function == "float" => column(&args[0]),
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Literal(value) => value.as_f64(),
        ExprKind::Negate(x) => number(x).map(|x| -x),
        ExprKind::Call { function, args } if function == "float" => number(&args[0]),
        _ => None,
    }
}

/// The request's field that a column of a node's result is, as it was sent.
fn field(serving: &Serving, lineage: &Lineage, node: NodeId, column: &str) -> Option<String> {
    let mut at = ColumnRef { node, column: column.to_owned() };
    while let [Edge { column: before, via: Via::Copy }] = lineage.made_of(&at) {
        at = before.clone();
    }
    matches!(serving.plan.node(at.node).op, Op::Request).then_some(at.column)
}
