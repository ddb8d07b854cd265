//! A plan in which rows stand for the results of nodes.

use dbjob_plan::{DataType, ExpectAction, Expr, Format, NodeId, Op, Plan, Source, SourceColumn, Span, Value};

use crate::hir::GivenRows;

/// The plan with these rows instead of what datasets read and transforms give. Rules over a whole table are not asked of
/// a few rows, and no rule writes what it has found.
pub fn with_given(plan: &Plan, given: &[GivenRows]) -> Plan {
    let mut plan = plan.clone();
    for given in given {
        let Some(item) = plan.item(&given.node) else { continue };
        let read = plan.topological().into_iter().find(|id| {
            let node = plan.node(*id);
            node.item == given.node && matches!(node.op, Op::Read(_))
        });
        let root = read.unwrap_or(item.output);
        plan.graph.retain_edges(|graph, edge| graph.edge_endpoints(edge).is_none_or(|(_, to)| to != root));
        let names: Vec<String> = plan.node(root).schema.fields.iter().map(|f| f.name.clone()).collect();
        let column = |name: &String| SourceColumn { name: name.clone(), header: name.clone(), span: Span::default() };
        let key = match &plan.node(root).op {
            Op::Read(source) => source.key.clone(),
            _ => Vec::new(),
        };
        plan.graph[root].op = Op::Read(Source {
            format: Format::Inline { rows: given.rows.clone() },
            path: String::new(),
            outside: None,
            columns: names.iter().map(column).collect(),
            key,
        });
    }
    let rules: Vec<NodeId> =
        plan.graph.node_indices().filter(|id| matches!(plan.node(*id).op, Op::Expect(_))).collect();
    for id in rules {
        let span = plan.node(id).span;
        let of_given = given.iter().any(|g| g.node == plan.node(id).item);
        let Op::Expect(rule) = &mut plan.graph[id].op else { continue };
        if rule.action == ExpectAction::Quarantine {
            rule.action = ExpectAction::Drop;
            rule.quarantine = None;
        }
        if of_given && (rule.predicate.has_aggregate() || !rule.unique.is_empty()) {
            let predicate = Expr::literal(Value::Bool(true), DataType::Bool, span);
            plan.graph[id].op = Op::Filter { predicate };
        }
    }
    plan
}
