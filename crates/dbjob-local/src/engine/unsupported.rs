//! What this engine cannot do, asked before anything runs.

use dbjob_plan::{Expr, ExprKind, Folder, Format, MapLink, NodeId, Op, Plan, Target, Unsupported, in_object_store};

use super::placement;
use crate::step::window;
use crate::{aggregate, function, map, sink};

pub(super) fn unsupported(plan: &Plan) -> Vec<Unsupported> {
    let mut found = Vec::new();
    for id in plan.topological() {
        let node = plan.node(id);
        let mut say = |what: String| {
            if !found.iter().any(|(other, u): &(NodeId, Unsupported)| *other == id && u.what == what) {
                found.push((id, Unsupported { span: node.span, what }));
            }
        };
        visit(plan, id, &mut say);
    }
    placement::unsupported(plan).into_iter().chain(found.into_iter().map(|(_, unsupported)| unsupported)).collect()
}

fn visit(plan: &Plan, id: NodeId, say: &mut dyn FnMut(String)) {
    let node = plan.node(id);
    let mut expr = |e: &Expr| {
        e.walk(&mut |e| match &e.kind {
            ExprKind::Call { function, .. } if !function::is_known(function) => {
                say(format!("the function `{function}`"))
            }
            ExprKind::Aggregate { function, .. }
                if !aggregate::NAMES.contains(&function.as_str()) && !window::OF_ORDER.contains(&function.as_str()) =>
            {
                say(format!("the aggregate `{function}`"));
            }
            _ => {}
        });
    };
    match &node.op {
        Op::Filter { predicate } => expr(predicate),
        Op::Derive { columns } => columns.iter().for_each(|c| expr(&c.expr)),
        Op::Group { keys, aggregates } => keys.iter().chain(aggregates).for_each(|c| expr(&c.expr)),
        Op::Pivot(pivot) => pivot.aggregates.iter().for_each(|c| expr(&c.expr)),
        Op::Window(window) => {
            window.by.iter().for_each(&mut expr);
            window.order.iter().for_each(|k| expr(&k.expr));
            window.columns.iter().for_each(|c| expr(&c.expr));
        }
        Op::Sort { keys } | Op::Distinct { order: keys, .. } => keys.iter().for_each(|k| expr(&k.expr)),
        Op::Expect(rule) if rule.unique.is_empty() => expr(&rule.predicate),
        Op::Map { columns } => columns.iter().for_each(|c| link(&c.link, say)),
        Op::Unmap { columns } => columns.iter().flat_map(|c| &c.links).for_each(|l| link(l, say)),
        Op::Read(source) => {
            if let Some(outside) = &source.outside
                && source.format.is_file()
            {
                say(format!("`{outside}` in a source of files"));
            }
            if source.format.is_file() {
                elsewhere(&source.path, say);
            }
            if let Format::Csv(_) = source.format {
                for field in &node.schema.fields {
                    use dbjob_plan::DataType as T;
                    if matches!(field.dtype, T::List { .. } | T::Vector { .. } | T::Duration) {
                        say(format!("{} columns in CSV files", field.dtype));
                    }
                }
            } else if node.schema.fields.iter().any(|f| f.dtype == dbjob_plan::DataType::Duration)
                && source.format == Format::Ndjson
            {
                say("duration columns in NDJSON files".into());
            }
        }
        Op::Deploy(target) => {
            let model = plan.inputs(id).first().is_some_and(|i| matches!(plan.node(*i).op, Op::Fit(_)));
            if let Target::Folder(Folder { path, .. }) = target
                && in_object_store(path)
            {
                say("`mode` and `partition` in an object store".into());
            } else if matches!(target, Target::Registry { .. }) && in_object_store(&target.place()) {
                say("a registry in an object store".into());
            } else if matches!(target, Target::Onnx { .. }) && in_object_store(&target.place()) {
                say("an ONNX file in an object store".into());
            } else if !matches!(target, Target::Service(_)) {
                elsewhere(&target.place(), say);
            }
            match target {
                Target::Onnx { .. } if !model => say("a table in an ONNX file".into()),
                Target::Registry { .. } if !model => say("a table in a model registry".into()),
                Target::Service(service) if sink::database::system(&service.kind).is_some() && !model => {}
                Target::Service(service) if service.kind == "mlflow" && model => {}
                Target::Service(service) => say(format!("the target `{}`", service.kind)),
                target if model && target.table_path().is_some() => say("a model in a table file".into()),
                _ => {}
            }
        }
        _ => {}
    }
}

/// A path that is a URL of another kind than an object's.
fn elsewhere(path: &str, say: &mut dyn FnMut(String)) {
    if let Some((scheme, _)) = path.split_once("://").filter(|_| !in_object_store(path))
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    {
        say(format!("a path that begins with `{scheme}://`"));
    }
}

fn link(link: &MapLink, say: &mut dyn FnMut(String)) {
    if !map::supports(link) {
        say(format!("the map `{}`", link.map));
    }
}
