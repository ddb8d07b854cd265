//! Walks over the expressions of a tree.

use dbjob_plan::Value;

use super::ast::*;

impl Expr {
    /// Calls `visit` for this expression and all below it, outside in.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        match &self.kind {
            ExprKind::Name(_) | ExprKind::Field { .. } | ExprKind::Literal(_) => {}
            ExprKind::List(items) => items.iter().for_each(|x| x.walk(visit)),
            ExprKind::Range { low, high, .. } => low.iter().chain(high).for_each(|x| x.walk(visit)),
            ExprKind::Call(call) => call.operands().for_each(|x| x.walk(visit)),
            ExprKind::Not(x) | ExprKind::Negate(x) | ExprKind::IsNull { value: x, .. } => x.walk(visit),
            ExprKind::Binary { left, right, .. } => [left, right].into_iter().for_each(|x| x.walk(visit)),
            ExprKind::In { value, set, .. } => [value, set].into_iter().for_each(|x| x.walk(visit)),
            ExprKind::If { condition, then, otherwise } => {
                [condition, then, otherwise].into_iter().for_each(|x| x.walk(visit));
            }
            ExprKind::Match { value, arms, otherwise } => {
                value.walk(visit);
                arms.iter().flat_map(|(pattern, outcome)| [pattern, outcome]).for_each(|x| x.walk(visit));
                otherwise.iter().for_each(|x| x.walk(visit));
            }
        }
    }

    /// As [`Expr::walk`], for changing it; below what `visit` puts in its place the walk goes on.
    pub fn walk_mut(&mut self, visit: &mut dyn FnMut(&mut Expr)) {
        visit(self);
        match &mut self.kind {
            ExprKind::Name(_) | ExprKind::Field { .. } | ExprKind::Literal(_) => {}
            ExprKind::List(items) => items.iter_mut().for_each(|x| x.walk_mut(visit)),
            ExprKind::Range { low, high, .. } => low.iter_mut().chain(high).for_each(|x| x.walk_mut(visit)),
            ExprKind::Call(call) => call.operands_mut().for_each(|x| x.walk_mut(visit)),
            ExprKind::Not(x) | ExprKind::Negate(x) | ExprKind::IsNull { value: x, .. } => x.walk_mut(visit),
            ExprKind::Binary { left, right, .. } => [left, right].into_iter().for_each(|x| x.walk_mut(visit)),
            ExprKind::In { value, set, .. } => [value, set].into_iter().for_each(|x| x.walk_mut(visit)),
            ExprKind::If { condition, then, otherwise } => {
                [condition, then, otherwise].into_iter().for_each(|x| x.walk_mut(visit));
            }
            ExprKind::Match { value, arms, otherwise } => {
                value.walk_mut(visit);
                arms.iter_mut().flat_map(|(pattern, outcome)| [pattern, outcome]).for_each(|x| x.walk_mut(visit));
                otherwise.iter_mut().for_each(|x| x.walk_mut(visit));
            }
        }
    }
}

impl Expr {
    /// The value of a literal, a negated number or a list of literals.
    pub fn constant(&self) -> Option<Value> {
        match &self.kind {
            ExprKind::Literal(value) => Some(value.clone()),
            ExprKind::Negate(x) => match x.constant()? {
                Value::Int(i) => Some(Value::Int(-i)),
                Value::Float(f) => Some(Value::Float(-f)),
                Value::Duration(us) => Some(Value::Duration(-us)),
                _ => None,
            },
            ExprKind::List(items) => items.iter().map(Expr::constant).collect::<Option<Vec<_>>>().map(Value::List),
            _ => None,
        }
    }
}

impl Call {
    fn operands(&self) -> impl Iterator<Item = &Expr> {
        let size = self.over.iter().flat_map(|over| &over.size);
        self.args.iter().map(|arg| &arg.value).chain(size)
    }

    fn operands_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let size = self.over.iter_mut().flat_map(|over| &mut over.size);
        self.args.iter_mut().map(|arg| &mut arg.value).chain(size)
    }
}

/// The expressions that stand in something, split by what a bare word may mean in them.
#[derive(Default)]
pub struct Parts<'a> {
    /// Over columns, or constants: a word is a column or a param.
    pub exprs: Vec<&'a mut Expr>,
    /// Calls whose arguments are options of a source, map, target, metric or tuner: a word may be an option's own.
    pub calls: Vec<&'a mut Call>,
    /// Algorithms with their options.
    pub fits: Vec<&'a mut Fit>,
    /// Settings with one value.
    pub settings: Vec<&'a mut Setting>,
}

impl Type {
    fn add_to<'a>(&'a mut self, parts: &mut Parts<'a>) {
        parts.exprs.extend(self.args.iter_mut().chain(&mut self.refinement));
        if let Some(item) = &mut self.item {
            item.add_to(parts);
        }
    }
}

impl Column {
    fn add_to<'a>(&'a mut self, parts: &mut Parts<'a>) {
        self.ty.add_to(parts);
        parts.exprs.extend(&mut self.refinement);
        parts.exprs.extend(self.attributes.iter_mut().flat_map(|a| &mut a.after));
    }
}

impl Dataset {
    pub fn parts(&mut self) -> Parts<'_> {
        let mut parts = Parts::default();
        self.columns.iter_mut().for_each(|c| c.add_to(&mut parts));
        parts.exprs.extend(self.expects.iter_mut().map(|e| &mut e.predicate));
        self.source.add_to(&mut parts);
        parts
    }
}

impl SourceExpr {
    fn add_to<'a>(&'a mut self, parts: &mut Parts<'a>) {
        match self {
            Self::Name(_) => {}
            Self::Call(call) => parts.calls.push(call),
            Self::Inline { rows, .. } => rows.iter_mut().for_each(|row| row.add_to(parts)),
        }
    }
}

impl Row {
    fn add_to<'a>(&'a mut self, parts: &mut Parts<'a>) {
        parts.exprs.extend(self.cells.iter_mut().map(|(_, value)| value));
    }
}

impl Step {
    pub fn parts(&mut self) -> Parts<'_> {
        let mut parts = Parts::default();
        let exprs = &mut parts.exprs;
        match &mut self.kind {
            StepKind::Filter { predicate: x, .. } | StepKind::Take(x) | StepKind::Sample { share: x, .. } => {
                exprs.push(x);
            }
            StepKind::Derive { columns, .. } => exprs.extend(columns.iter_mut().map(|c| &mut c.value)),
            StepKind::Join(join) => exprs.extend(join.on.iter_mut().chain(&mut join.within)),
            StepKind::Group { keys, aggregates } => {
                exprs.extend(keys.iter_mut().chain(aggregates).map(|n| &mut n.value));
            }
            StepKind::Window { by, order, columns } => {
                exprs.extend(by);
                exprs.extend(order.iter_mut().map(|k| &mut k.expr));
                exprs.extend(columns.iter_mut().map(|n| &mut n.value));
            }
            StepKind::Sort(order) | StepKind::Distinct { order, .. } => {
                exprs.extend(order.iter_mut().map(|k| &mut k.expr));
            }
            StepKind::Pivot { values, aggregates, .. } => {
                exprs.extend(values);
                exprs.extend(aggregates.iter_mut().map(|n| &mut n.value));
            }
            StepKind::Split(split) => {
                exprs.extend(split.folds.iter_mut().chain(&mut split.gap));
                for part in &mut split.parts {
                    match &mut part.size {
                        SplitSize::Share(x) => exprs.push(x),
                        SplitSize::Time { from, before } => exprs.extend(from.iter_mut().chain(before)),
                    }
                }
            }
            StepKind::Map(map) => parts.calls.extend(&mut map.ops),
            StepKind::Expect(rule) => exprs.push(&mut rule.predicate),
            StepKind::Extern { returns, .. } => returns.iter_mut().for_each(|c| c.add_to(&mut parts)),
            StepKind::Select(_)
            | StepKind::Drop(_)
            | StepKind::Rename(_)
            | StepKind::Union(_)
            | StepKind::Unpivot { .. }
            | StepKind::Explode(_)
            | StepKind::Unmap(_)
            | StepKind::Predict { .. }
            | StepKind::Unknown { .. } => {}
        }
        parts
    }
}

impl Model {
    pub fn parts(&mut self) -> Parts<'_> {
        let mut parts = Parts::default();
        self.from.add_to(&mut parts);
        for statement in &mut self.statements {
            match &mut statement.kind {
                ModelStatementKind::Fit(fit) => parts.fits.push(fit),
                ModelStatementKind::FitBest { metric, candidates } => {
                    parts.calls.push(metric);
                    parts.fits.extend(candidates);
                }
                ModelStatementKind::Tune { strategy, metric } => {
                    parts.calls.push(strategy);
                    parts.calls.extend(metric);
                }
                ModelStatementKind::Evaluate { metrics, .. } => parts.calls.extend(metrics),
                ModelStatementKind::Setting(setting) => parts.settings.push(setting),
                ModelStatementKind::Require { condition, .. } => parts.exprs.push(condition),
                ModelStatementKind::Output { ty: Some(ty), .. } => ty.add_to(&mut parts),
                ModelStatementKind::Input(_)
                | ModelStatementKind::Output { ty: None, .. }
                | ModelStatementKind::Weight(_)
                | ModelStatementKind::RefitOnAll
                | ModelStatementKind::Unknown { .. } => {}
            }
        }
        parts
    }
}

impl Deploy {
    pub fn parts(&mut self) -> Parts<'_> {
        let mut parts = Parts::default();
        for statement in &mut self.statements {
            match statement {
                DeployStatement::To(call) => parts.calls.push(call),
                DeployStatement::Setting(setting) => parts.settings.push(setting),
                DeployStatement::Accept(_) | DeployStatement::Unknown { .. } => {}
            }
        }
        parts
    }
}

impl Setting {
    fn add_to<'a>(&'a mut self, parts: &mut Parts<'a>) {
        match &self.value {
            SettingValue::Expr(_) => parts.settings.push(self),
            SettingValue::Block(_) => {
                let SettingValue::Block(inner) = &mut self.value else { return };
                inner.iter_mut().for_each(|setting| setting.add_to(parts));
            }
        }
    }
}

impl Item {
    pub fn parts(&mut self) -> Parts<'_> {
        let mut parts = Parts::default();
        match &mut self.kind {
            ItemKind::Job { settings, .. }
            | ItemKind::Profile { settings, .. }
            | ItemKind::Cluster { settings, .. }
            | ItemKind::Module { settings, .. } => settings.iter_mut().for_each(|s| s.add_to(&mut parts)),
            ItemKind::Param { ty, value, .. } => {
                ty.add_to(&mut parts);
                parts.exprs.extend(value);
            }
            ItemKind::Dataset(dataset) => return dataset.parts(),
            ItemKind::Transform(transform) => {
                transform.steps.iter_mut().for_each(|step| parts.extend(step.parts()));
            }
            ItemKind::Model(model) => return model.parts(),
            ItemKind::Deploy(deploy) => return deploy.parts(),
            ItemKind::Fn { params, returns, body, .. } => {
                params.iter_mut().for_each(|p| p.ty.add_to(&mut parts));
                returns.add_to(&mut parts);
                parts.exprs.push(body);
            }
            ItemKind::Test { given, expect, .. } => {
                given.iter_mut().chain(expect).flat_map(|t| &mut t.rows).for_each(|row| row.add_to(&mut parts));
            }
            ItemKind::Use { .. } | ItemKind::Unknown { .. } => {}
        }
        parts
    }
}

impl<'a> Parts<'a> {
    fn extend(&mut self, other: Parts<'a>) {
        self.exprs.extend(other.exprs);
        self.calls.extend(other.calls);
        self.fits.extend(other.fits);
        self.settings.extend(other.settings);
    }

    /// The expressions, wherever they stand.
    pub fn all(self) -> Vec<&'a mut Expr> {
        let mut all = self.exprs;
        all.extend(self.calls.into_iter().flat_map(Call::operands_mut));
        all.extend(self.fits.into_iter().flat_map(|fit| &mut fit.options).map(|option| &mut option.value));
        all.extend(self.settings.into_iter().filter_map(|setting| match &mut setting.value {
            SettingValue::Expr(value) => Some(value),
            SettingValue::Block(_) => None,
        }));
        all
    }
}
