//! Which names an item reads, and as what.

use dbjob_plan::Span;

use super::Space;
use crate::syntax::ast::{
    DeployStatement, ExprKind, Ident, Item, ItemKind, ModelStatementKind, Setting, SettingValue, SourceExpr, StepKind,
};

/// A name that stands where an item of a kind is meant. Of `Space::Param` it may be a column as well.
pub(super) struct Reference<'a> {
    pub space: Space,
    pub name: &'a mut String,
    pub span: Span,
}

type Visit<'v> = &'v mut dyn FnMut(Reference<'_>);

/// Calls `visit` for every name in the item that may mean another one.
pub(super) fn references(item: &mut Item, visit: Visit<'_>) {
    match &mut item.kind {
        ItemKind::Transform(transform) => {
            ident(Space::Node, &mut transform.input, visit);
            for step in &mut transform.steps {
                of_step(&mut step.kind, visit);
            }
        }
        ItemKind::Model(model) => {
            if let SourceExpr::Name(name) = &mut model.from {
                ident(Space::Node, name, visit);
            }
            for statement in &mut model.statements {
                if let ModelStatementKind::Setting(setting) = &mut statement.kind {
                    of_value(setting, Space::Param, visit);
                }
            }
        }
        ItemKind::Deploy(deploy) => {
            let written = deploy.from.clone();
            ident(Space::Node, &mut deploy.from, visit);
            // The deployment keeps its name when the node gets another one.
            if deploy.from != written {
                deploy.name.get_or_insert(written);
            }
            for statement in &mut deploy.statements {
                if let DeployStatement::Accept(what) = statement
                    && what.name != "inputs"
                {
                    ident(Space::Node, what, visit);
                }
            }
        }
        ItemKind::Module { settings, .. } => {
            for setting in settings {
                match setting.name.name.as_str() {
                    "runs" => of_value(setting, Space::Node, visit),
                    "after" => of_value(setting, Space::Module, visit),
                    "cluster" => of_value(setting, Space::Cluster, visit),
                    _ => {}
                }
            }
        }
        ItemKind::Job { settings, .. } => {
            for setting in settings.iter_mut().filter(|s| s.name.name == "cluster") {
                of_value(setting, Space::Cluster, visit);
            }
        }
        ItemKind::Profile { settings, .. } => {
            settings.iter_mut().for_each(|setting| ident(Space::Param, &mut setting.name, visit));
        }
        ItemKind::Test { given, expect, .. } => {
            given.iter_mut().chain(expect).for_each(|table| ident(Space::Node, &mut table.node, visit));
        }
        ItemKind::Use { .. }
        | ItemKind::Param { .. }
        | ItemKind::Cluster { .. }
        | ItemKind::Dataset(_)
        | ItemKind::Fn { .. }
        | ItemKind::Unknown { .. } => {}
    }
    for expr in item.parts().all() {
        expr.walk_mut(&mut |expr| match &mut expr.kind {
            ExprKind::Call(call) => {
                visit(Reference { space: Space::Fn, name: &mut call.name.name, span: call.name.span });
            }
            ExprKind::Name(name) => visit(Reference { space: Space::Param, name, span: expr.span }),
            _ => {}
        });
    }
}

fn ident(space: Space, ident: &mut Ident, visit: Visit<'_>) {
    visit(Reference { space, name: &mut ident.name, span: ident.span });
}

fn of_step(step: &mut StepKind, visit: Visit<'_>) {
    match step {
        StepKind::Join(join) => {
            let written = join.right.name.clone();
            ident(Space::Node, &mut join.right, visit);
            // `users.user_id` speaks of the right table by its name.
            if join.alias.is_none() && join.right.name != written {
                for on in &mut join.on {
                    on.walk_mut(&mut |expr| match &mut expr.kind {
                        ExprKind::Field { base, .. } if base.name == written => base.name.clone_from(&join.right.name),
                        _ => {}
                    });
                }
            }
        }
        StepKind::Union(others) => others.iter_mut().for_each(|other| ident(Space::Node, other, visit)),
        StepKind::Predict { model, prefix, .. } => {
            let written = model.clone();
            ident(Space::Node, model, visit);
            // Its columns keep their names when the model gets another one.
            if *model != written {
                prefix.get_or_insert(written);
            }
        }
        StepKind::Map(map) => map.ops.iter_mut().for_each(|op| ident(Space::Fn, &mut op.name, visit)),
        _ => {}
    }
}

/// The words of a setting's value: `a`, `[a, b]`; `deploy.a` is a deployment.
fn of_value(setting: &mut Setting, space: Space, visit: Visit<'_>) {
    let SettingValue::Expr(value) = &mut setting.value else { return };
    value.walk_mut(&mut |expr| match &mut expr.kind {
        ExprKind::Name(name) => visit(Reference { space, name, span: expr.span }),
        ExprKind::Field { base, name } if space == Space::Node && base.name == "deploy" => {
            visit(Reference { space: Space::Deploy, name: &mut name.name, span: name.span });
        }
        _ => {}
    });
}
