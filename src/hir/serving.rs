//! What a caller of a model sends, and the steps that turn it into the model's inputs: computed backwards from the
//! inputs over the steps of training.

use std::collections::{BTreeMap, BTreeSet};

use dbjob_plan::{
    ExpectAction, ExprKind, Field, Format, JoinKind, MapColumn, NamedExpr, Node, NodeId, Op, Plan, Projection, Schema,
    Serving, Source, Span, UnmapColumn,
};

use super::check::Context;
use super::{Column, ItemBody, Served, Shape, Step, relied};
use crate::diagnostic::{Code, Diagnostic};

/// An input of a model, with the name that callers see.
pub(super) struct Wanted {
    pub column: String,
    pub name: Option<(String, Span)>,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accept {
    /// Rows of the root dataset.
    Dataset,
    /// The model's inputs before their maps.
    Inputs,
}

pub(super) struct Planned {
    pub serving: Serving,
    /// Snapshot name -> item; columns in the snapshot's schema.
    pub lookups: Vec<(String, String)>,
    /// The step that stands between the dataset and the request, and why.
    pub boundary: Option<(Span, String)>,
    /// (the name that callers see, the column) of each request column that has two names.
    pub renames: Vec<(String, String)>,
}

/// A serving plan of nothing.
pub(super) fn nothing() -> Serving {
    Serving {
        plan: Plan::default(),
        request: Schema::default(),
        output: NodeId::new(0),
        lookups: Vec::new(),
        dataset: None,
        behind: 0,
        nulls: Vec::new(),
        docs: BTreeMap::new(),
    }
}

/// One kept step, pruned to what is needed, and for a join the item of the other table.
struct Kept {
    /// The item that the step belongs to.
    item: String,
    op: Op,
    other: Option<String>,
    shape: Shape,
    span: Span,
}

/// A column that is needed at a place: whether something later relies on it not being null.
type Needed = BTreeMap<String, bool>;

pub(super) fn plan(input: &str, wanted: &[Wanted], accept: Accept, cx: &mut Context<'_>) -> Planned {
    let (dataset, steps, owners) = chain(input, cx);
    let mut needed: Needed = wanted.iter().map(|w| (w.column.clone(), false)).collect();
    let mut traced: Vec<Option<String>> = wanted.iter().map(|w| Some(w.column.clone())).collect();
    let mut kept: Vec<Kept> = Vec::new();
    let mut boundary = None;
    let mut last: Option<&Shape> = None;
    let mut reached_root = false;
    let mut behind = 0;
    let narrowed = relied::narrowed(&steps);
    for (index, step) in steps.iter().enumerate().rev() {
        for (name, relied) in &mut needed {
            *relied |= step.shape.columns.get(name).is_some_and(|c| !c.nullable);
        }
        last = Some(&step.shape);
        behind = steps.len() - 1 - index;
        if let Op::Read(_) = step.op {
            reached_root = true;
            break;
        }
        let before = if index > 0 { &steps[index - 1].shape } else { &step.shape };
        if accept == Accept::Inputs && creates(&step.op, &needed) {
            break;
        }
        match backwards(step, before, &narrowed[index], &mut needed, &mut traced) {
            Ok(steps) => {
                kept.extend(steps.into_iter().rev().map(|k| Kept { item: owners[index].clone(), ..k }));
            }
            Err(why) => {
                boundary = Some((step.span, why));
                break;
            }
        }
    }
    kept.reverse();
    let fields = last.into_iter().flat_map(|s| s.columns.iter()).filter(|c| needed.contains_key(&c.name));
    let mut request = Schema::new(fields.map(Column::field).collect());
    for field in &mut request.fields {
        field.nullable &= !needed[&field.name];
    }
    let docs = last.into_iter().flat_map(|s| s.columns.iter()).filter(|c| needed.contains_key(&c.name));
    let mut docs: BTreeMap<String, String> =
        docs.filter_map(|c| c.doc.as_ref().map(|doc| (c.name.clone(), doc.to_string()))).collect();
    let renames = caller_names(wanted, &traced, &mut request, cx);
    for (caller, column) in &renames {
        if let Some(doc) = docs.remove(column) {
            docs.insert(caller.clone(), doc);
        }
    }
    let mut planned = forward(kept, request, renames, reached_root.then_some(dataset).flatten(), boundary);
    planned.serving.docs = docs;
    planned.serving.behind = behind;
    if reached_root && let Some(Op::Read(source)) = steps.first().map(|s| &s.op) {
        planned.serving.nulls = nulls_of(source);
    }
    planned
}

/// What means null in the dataset's file means null in a caller's too: a model that learned from `NA` as a gap must not
/// meet it as a level.
fn nulls_of(source: &Source) -> Vec<String> {
    match &source.format {
        Format::Csv(options) => options.nulls.clone(),
        _ => Vec::new(),
    }
}

/// The dataset at the root of an item's first inputs, all steps from there, in order, and the item of each.
fn chain(input: &str, cx: &Context<'_>) -> (Option<String>, Vec<Step>, Vec<String>) {
    let mut steps: Vec<Step> = Vec::new();
    let mut owners: Vec<String> = Vec::new();
    let mut name = Some(input.to_owned());
    let mut root = None;
    while let Some(item) = name.and_then(|n| cx.items.named(&n)) {
        let ItemBody::Table { input, steps: own, .. } = &item.body else { break };
        steps.splice(0..0, own.iter().cloned());
        owners.splice(0..0, own.iter().map(|_| item.name.clone()));
        root = Some(item.name.clone());
        name = input.clone();
    }
    (root, steps, owners)
}

/// Whether the step makes a needed column other than by a map.
fn creates(op: &Op, needed: &Needed) -> bool {
    match op {
        Op::Derive { columns } => columns.iter().any(|c| needed.contains_key(&c.name)),
        Op::Project { columns } => columns.iter().any(|c| c.from != c.to && needed.contains_key(&c.to)),
        Op::Join(join) => join.right_columns.iter().any(|c| needed.contains_key(&c.to)),
        Op::Window(window) => window.columns.iter().any(|c| needed.contains_key(&c.name)),
        Op::Group { .. } | Op::Pivot(_) | Op::Unpivot(_) | Op::Explode { .. } | Op::Union | Op::Predict { .. } => true,
        Op::Extern(process) => process.returns.iter().any(|c| needed.contains_key(c)),
        _ => false,
    }
}

/// Turns what is needed behind a step into what is needed before it, and gives the step as a request needs it, with rules
/// for what the steps behind rely on. `narrowed` are the columns before it of which a filter said more than a request does.
/// `Err`: it needs more than the row.
fn backwards(
    step: &Step,
    before: &Shape,
    narrowed: &BTreeSet<String>,
    needed: &mut Needed,
    traced: &mut [Option<String>],
) -> Result<Vec<Kept>, String> {
    let mut lost = |name: &str| traced.iter_mut().filter(|t| t.as_deref() == Some(name)).for_each(|t| *t = None);
    let keep = |op: Op, other: Option<String>| Kept {
        item: String::new(),
        op,
        other,
        shape: step.shape.clone(),
        span: step.span,
    };
    let kept = |op: Op| Ok(vec![keep(op, None)]);
    match &step.op {
        Op::Derive { columns } => {
            // (column, whether something behind relies on it not being null although it may be)
            let mut used: Vec<(&NamedExpr, bool)> = Vec::new();
            for column in columns.iter().rev() {
                let Some(relied) = needed.remove(&column.name) else { continue };
                lost(&column.name);
                let copy = matches!(column.expr.kind, ExprKind::Column(_));
                for name in column.expr.columns() {
                    *needed.entry(name.to_owned()).or_insert(false) |= relied && copy;
                }
                used.push((column, relied && column.expr.nullable && !copy));
            }
            used.reverse();
            Ok(derived(&used, narrowed.clone(), &keep))
        }
        Op::Project { columns } => {
            let used: Vec<Projection> = columns.iter().filter(|c| needed.contains_key(&c.to)).cloned().collect();
            let facts: Needed = used.iter().map(|c| (c.from.clone(), needed[&c.to])).collect();
            for t in traced.iter_mut() {
                *t = t.as_ref().and_then(|t| used.iter().find(|c| c.to == *t)).map(|c| c.from.clone());
            }
            *needed = facts;
            if used.iter().all(|c| c.from == c.to) { Ok(Vec::new()) } else { kept(Op::Project { columns: used }) }
        }
        Op::Join(join) => {
            let right_columns: Vec<Projection> =
                join.right_columns.iter().filter(|c| needed.contains_key(&c.to)).cloned().collect();
            if right_columns.is_empty() {
                // It chooses training rows, and adds nothing that is needed.
                return Ok(Vec::new());
            }
            if let Served::Not(why) = step.served {
                let columns: Vec<_> = right_columns.iter().map(|c| c.to.as_str()).collect();
                return Err(format!("{} come from here: {why}", columns.join(", ")));
            }
            if !matches!(join.kind, JoinKind::Inner | JoinKind::Left | JoinKind::Asof) {
                return Err("only an inner, left or asof `lookup` join can be done for one row".into());
            }
            let mut rules = Vec::new();
            for column in &right_columns {
                lost(&column.to);
                let arrives = step.shape.columns.get(&column.to).filter(|c| c.nullable);
                if let (Some(true), Some(arrives)) = (needed.remove(&column.to), arrives) {
                    rules.push(keep(relied::rule(relied::not_null(&column.to, &arrives.dtype, step.span)), None));
                }
            }
            for left in join.on.iter().map(|(left, _)| left).chain(join.asof.iter().map(|a| &a.left)) {
                needed.entry(left.clone()).or_insert(false);
            }
            let op = Op::Join(dbjob_plan::Join { right_columns, ..join.clone() });
            Ok(std::iter::once(keep(op, step.others.first().cloned())).chain(rules).collect())
        }
        Op::Map { columns } => {
            let used: Vec<MapColumn> = columns
                .iter()
                .filter(|c| needed.contains_key(&c.out))
                .map(|c| MapColumn { out_of_fold: None, ..c.clone() })
                .collect();
            for column in &used {
                needed.remove(&column.out);
                // Of several columns that became one, none is what a caller knows by its name.
                let source = Some(&column.column).filter(|_| column.more.is_empty());
                traced.iter_mut().filter(|t| t.as_deref() == Some(&column.out)).for_each(|t| *t = source.cloned());
            }
            for name in used.iter().flat_map(|c| std::iter::once(&c.column).chain(&c.more)) {
                needed.entry(name.clone()).or_insert(false);
            }
            if used.is_empty() { Ok(Vec::new()) } else { kept(Op::Map { columns: used }) }
        }
        Op::Unmap { columns } => {
            let used: Vec<UnmapColumn> = columns.iter().filter(|c| needed.contains_key(&c.column)).cloned().collect();
            for column in &used {
                needed.insert(column.column.clone(), false);
            }
            if used.is_empty() { Ok(Vec::new()) } else { kept(Op::Unmap { columns: used }) }
        }
        Op::Expect(rule) => {
            let refuses = step.served == Served::Computed && rule.action != ExpectAction::Warn;
            let here = refuses.then(|| relied::part_of(rule, |c| needed.contains_key(c))).flatten();
            here.map_or(Ok(Vec::new()), |rule| kept(Op::Expect(rule)))
        }
        Op::Filter { .. } | Op::Sort { .. } | Op::Distinct { .. } | Op::Take { .. } | Op::Split(_) | Op::Sample(_) => {
            Ok(Vec::new())
        }
        Op::Predict { .. } | Op::Window(_) | Op::Extern(_)
            if needed.keys().all(|n| before.columns.get(n).is_some()) =>
        {
            Ok(Vec::new())
        }
        _ => match step.served {
            Served::Not(why) => Err(why.to_owned()),
            _ => Err("it cannot be done for one row".into()),
        },
    }
}

/// The needed columns of a `derive`, each behind the rules that it relies on: a rule sees the columns before it.
fn derived(
    columns: &[(&NamedExpr, bool)],
    mut narrowed: BTreeSet<String>,
    keep: &dyn Fn(Op, Option<String>) -> Kept,
) -> Vec<Kept> {
    let mut out = Vec::new();
    let mut open: Vec<NamedExpr> = Vec::new();
    for (column, not_null) in columns {
        let rules = relied::conditions(&column.expr, &narrowed);
        if !rules.is_empty() && !open.is_empty() {
            out.push(keep(Op::Derive { columns: std::mem::take(&mut open) }, None));
        }
        for rule in rules {
            let span = rule.span;
            out.push(Kept { span, ..keep(relied::rule(rule), None) });
        }
        relied::derived(&mut narrowed, &column.name, &column.expr);
        open.push((*column).clone());
        if *not_null {
            out.push(keep(Op::Derive { columns: std::mem::take(&mut open) }, None));
            let rule = relied::not_null(&column.name, &column.expr.dtype, column.expr.span);
            out.push(Kept { span: column.expr.span, ..keep(relied::rule(rule), None) });
        }
    }
    if !open.is_empty() {
        out.push(keep(Op::Derive { columns: open }, None));
    }
    out
}

/// Gives request columns the names that callers see; returns (caller's name, column).
fn caller_names(
    wanted: &[Wanted],
    traced: &[Option<String>],
    request: &mut Schema,
    cx: &mut Context<'_>,
) -> Vec<(String, String)> {
    let mut renames = Vec::new();
    for (input, column) in wanted.iter().zip(traced) {
        let Some((name, span)) = &input.name else { continue };
        let Some(column) = column else {
            let diagnostic = Diagnostic::error(
                Code::E0601,
                *span,
                format!("`{}` is computed, so a caller does not send it under a name", input.column),
            )
            .label("a name for callers")
            .related(input.span, "a derived column")
            .help("drop the `as`, or let the deployment `accept inputs`");
            cx.out.push(diagnostic);
            continue;
        };
        if *name == *column {
            continue;
        }
        if let Some(other) = request.get(name).map(|f| f.name.clone()) {
            let diagnostic = Diagnostic::error(Code::E0204, *span, format!("callers send `{other}` already"))
                .label("a name twice")
                .help("take another name");
            cx.out.push(diagnostic);
            continue;
        }
        if let Some(field) = request.fields.iter_mut().find(|f| f.name == *column) {
            field.name.clone_from(name);
            renames.push((name.clone(), column.clone()));
        }
    }
    renames
}

/// The kept steps as a plan from the request on.
fn forward(
    kept: Vec<Kept>,
    request: Schema,
    renames: Vec<(String, String)>,
    dataset: Option<String>,
    boundary: Option<(Span, String)>,
) -> Planned {
    let mut plan = Plan::default();
    let mut lookups: Vec<(String, String)> = Vec::new();
    let item = || "request".to_owned();
    let mut schema = request.clone();
    let mut last =
        plan.add(Node { item: item(), op: Op::Request, schema: request.clone(), span: Span::default() }, &[]);
    if !renames.is_empty() {
        let columns: Vec<Projection> = request
            .fields
            .iter()
            .map(|f| {
                let to = renames.iter().find(|(name, _)| *name == f.name).map_or(&f.name, |(_, column)| column);
                Projection { from: f.name.clone(), to: to.clone() }
            })
            .collect();
        schema = project(&schema, &columns);
        last = plan.add(
            Node { item: item(), op: Op::Project { columns }, schema: schema.clone(), span: Span::default() },
            &[last],
        );
    }
    for step in kept {
        let mut inputs = vec![last];
        match &step.op {
            Op::Project { columns } => schema = project(&schema, columns),
            Op::Derive { columns } => columns
                .iter()
                .for_each(|c| put(&mut schema, Field::new(c.name.clone(), c.expr.dtype.clone(), c.expr.nullable))),
            Op::Map { columns } => columns
                .iter()
                .for_each(|c| put(&mut schema, Field::new(c.out.clone(), c.link.to.clone(), c.link.to_nullable))),
            Op::Unmap { columns } => {
                for column in columns {
                    if let Some(field) = step.shape.field(&column.column) {
                        put(&mut schema, field);
                    }
                }
            }
            Op::Join(join) => {
                let item_name = step.other.clone().expect("a join has another table");
                let mut fields: Vec<Field> = Vec::new();
                let times = join.asof.iter().map(|asof| (&asof.left, &asof.right));
                for (left, right) in join.on.iter().map(|(left, right)| (left, right)).chain(times) {
                    if let Some(field) = schema.get(left) {
                        put_field(&mut fields, Field { name: right.clone(), refinement: None, ..field.clone() });
                    }
                }
                for column in &join.right_columns {
                    if let Some(field) = step.shape.field(&column.to) {
                        put_field(&mut fields, Field { name: column.from.clone(), refinement: None, ..field.clone() });
                        put(&mut schema, field);
                    }
                }
                let mut name = item_name.clone();
                while lookups.iter().any(|(n, _)| *n == name) {
                    name.push('_');
                }
                let snapshot = Node {
                    item: step.item.clone(),
                    op: Op::Snapshot { name: name.clone() },
                    schema: Schema::new(fields),
                    span: step.span,
                };
                inputs.push(plan.add(snapshot, &[]));
                lookups.push((name, item_name));
            }
            _ => {}
        }
        last = plan.add(Node { item: step.item, op: step.op, schema: schema.clone(), span: step.span }, &inputs);
    }
    Planned {
        serving: Serving { plan, request, output: last, lookups: Vec::new(), dataset, ..nothing() },
        lookups,
        boundary,
        renames,
    }
}

fn project(schema: &Schema, columns: &[Projection]) -> Schema {
    Schema::new(
        columns.iter().filter_map(|c| schema.get(&c.from).map(|f| Field { name: c.to.clone(), ..f.clone() })).collect(),
    )
}

fn put(schema: &mut Schema, field: Field) {
    put_field(&mut schema.fields, field);
}

fn put_field(fields: &mut Vec<Field>, field: Field) {
    match fields.iter_mut().find(|f| f.name == field.name) {
        Some(old) => *old = field,
        None => fields.push(field),
    }
}
