//! `predict MODEL as p`.

use dbjob_plan::{
    DataType, Expr, NamedExpr, Op, Projection, Span, SplitFolds, Task, Value, interval_columns, probability_column,
};

use super::columns::{exists, part_of};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::check::ModelFact;
use crate::hir::items::unknown_item;
use crate::hir::table::Column;
use crate::hir::taint::{TaintKind, TaintSource};
use crate::hir::transform::Builder;
use crate::hir::types;
use crate::hir::{ItemBody, Served};
use crate::syntax::ast::Ident;

pub(in crate::hir) fn check(
    model: &Ident,
    out_of_fold: Option<Span>,
    prefix: Option<&Ident>,
    span: Span,
    b: &mut Builder<'_, '_>,
) {
    let fact = match b.cx.models.get(&model.name) {
        Some(Some(fact)) => fact.clone(),
        Some(None) => {
            b.table.broken = true;
            return;
        }
        None => {
            if b.cx.excuses(&model.name) {
                b.table.broken = true;
                return;
            }
            let diagnostic = match b.cx.names.get(&model.name) {
                Some(declared) => Diagnostic::error(
                    Code::E0107,
                    model.span,
                    format!("`{}` is a {}, and a model is wanted here", model.name, declared.kind),
                )
                .label("no model")
                .related(declared.span, "declared here")
                .help("write the name of a model; the rows of a table come by `join` or `union`"),
                None => {
                    let known = b.cx.names.iter().filter(|(_, d)| d.kind == "model").map(|(n, _)| n.as_str());
                    unknown_item(model, "model", known)
                }
            };
            b.report(diagnostic);
            b.table.broken = true;
            return;
        }
    };
    if b.table.broken {
        return;
    }
    let own = own_table(&fact, b);
    if let Some(at) = out_of_fold
        && !knows_folds(&fact, model, at, own, b)
    {
        b.table.broken = true;
        return;
    }
    let aliases = if own { Vec::new() } else { caller_names(&fact, span, b) };
    if !own && !can_replay(&fact, model, b) {
        b.table.broken = true;
        return;
    }
    let (name, name_span) =
        prefix.map_or_else(|| (format!("{}_prediction", model.name), model.span), |p| (p.name.clone(), p.span));
    let added = Added {
        in_sample: out_of_fold.is_none() && (own || meets_its_rows(&fact, b)),
        // The first block in time is held out by no fold.
        nullable: out_of_fold.is_some() && matches!(fact.folds, Some(SplitFolds::Rolling { .. })),
    };
    add(&fact, &model.name, &name, name_span, added, b);
    let op = Op::Predict { prefix: name, replay: !own, out_of_fold: out_of_fold.is_some() };
    b.push_with(op, vec![model.name.clone()], span, Served::Not("it is a prediction of another model"));
    if !aliases.is_empty() {
        let kept: Vec<String> =
            b.table.names().filter(|n| !aliases.iter().any(|a| a == n)).map(str::to_owned).collect();
        b.table.columns.keep(kept.iter().map(String::as_str));
        let mut columns: Vec<Projection> =
            b.table.names().map(|n| Projection { from: n.into(), to: n.into() }).collect();
        columns.extend(part_of(&b.table));
        b.push(Op::Project { columns }, span, Served::Computed);
    }
}

/// Whether each row here is known to be held out by some fold of the model; reports why not.
fn knows_folds(fact: &ModelFact, model: &Ident, at: Span, own: bool, b: &mut Builder<'_, '_>) -> bool {
    let diagnostic = if fact.task == Task::Clustering {
        Diagnostic::error(
            Code::E0407,
            at,
            format!("`{}` finds clusters, and those of one fold are not those of another", model.name),
        )
        .label("clusters of which fold?")
        .related(fact.span, "the model")
        .help("drop `out_of_fold`")
    } else if fact.folds.is_none() {
        Diagnostic::error(Code::E0108, at, format!("the split that `{}` learns from has no folds", model.name))
            .label("out of which folds?")
            .related(fact.span, "the model")
            .help("write `split folds 5`, or `split test 20%, folds 5`")
    } else if !own || b.table.split.is_none() {
        Diagnostic::error(
            Code::E0407,
            at,
            format!("`out_of_fold` is for the rows that `{}` learned from, and these are others", model.name),
        )
        .label("other rows")
        .related(fact.span, "the model")
        .help(format!("predict in a transform from `{}`, or drop `out_of_fold`", fact.input))
    } else if !fact.rows_known || !b.table.split.as_ref().is_some_and(|split| split.rows) {
        Diagnostic::error(Code::E0407, at, "the rows are not those of the split any more, so their folds are not known")
            .label("of which rows?")
            .help("a group, a union or a join that multiplies rows stands between: put it above the split")
    } else {
        return true;
    };
    b.report(diagnostic);
    false
}

/// Rows of the job's own tables have a column under its own name: it is there for the prediction under the name that
/// callers see, too. Gives the names to take away again.
fn caller_names(fact: &ModelFact, span: Span, b: &mut Builder<'_, '_>) -> Vec<String> {
    let mut columns: Vec<NamedExpr> = Vec::new();
    for (caller, name) in &fact.renames {
        if b.table.get(caller).is_some() {
            continue;
        }
        let Some(column) = b.table.get(name).cloned() else { continue };
        let expr = Expr::column(name.clone(), column.dtype.clone(), column.nullable, span);
        columns.push(NamedExpr { name: caller.clone(), expr });
        b.table.put(Column { name: caller.clone(), refinement: None, ..column });
    }
    let names = columns.iter().map(|c| c.name.clone()).collect();
    if !columns.is_empty() {
        b.push(Op::Derive { columns }, span, Served::Computed);
    }
    names
}

/// Whether every input of the model stands here as the model learned it: same place of origin, same maps.
fn own_table(fact: &ModelFact, b: &Builder<'_, '_>) -> bool {
    let mut item = Some(b.input.clone());
    let mut descends = false;
    while let Some(name) = item {
        if name == fact.input {
            descends = true;
            break;
        }
        item = b.cx.items.named(&name).and_then(|i| match &i.body {
            ItemBody::Table { input, .. } => input.clone(),
            _ => None,
        });
    }
    let learned = b.cx.tables.get(&fact.input);
    descends
        && fact.inputs.iter().all(|input| {
            let theirs = learned.and_then(|t| t.get(&input.column));
            match (theirs, b.table.get(&input.column)) {
                (Some(theirs), Some(ours)) => {
                    theirs.span == ours.span
                        && theirs.maps == ours.maps
                        && theirs.dtype == ours.dtype
                        && (!ours.nullable || input.nullable)
                }
                _ => false,
            }
        })
}

/// Whether rows that the model learned from may stand here.
fn meets_its_rows(fact: &ModelFact, b: &Builder<'_, '_>) -> bool {
    b.cx.tables.get(&fact.input).is_none_or(|learned| {
        !learned.rows.is_disjoint(&b.table.rows) && !learned.conditions.exclude(&b.table.conditions)
    })
}

/// Whether the table has the model's request columns, unmapped and of the right types; reports what is missing.
fn can_replay(fact: &ModelFact, model: &Ident, b: &mut Builder<'_, '_>) -> bool {
    let mut good = true;
    for field in &fact.request.fields {
        let problem = match b.table.get(&field.name) {
            None if b.table.excuses(&field.name) => {
                good = false;
                None
            }
            None => {
                let diagnostic = Diagnostic::error(
                    Code::E0407,
                    model.span,
                    format!("`{}` needs the column `{}`, which is not here", model.name, field.name),
                )
                .label("an input is missing")
                .related(fact.span, "the model")
                .help(format!("make it above: `derive {} = …`, or join it", crate::name::written(&field.name)));
                Some(diagnostic.near_elsewhere(&field.name, b.table.names()))
            }
            Some(column) if !column.maps.is_empty() => Some(
                Diagnostic::error(
                    Code::E0407,
                    model.span,
                    format!("`{}` applies its own maps, but `{}` is mapped already", model.name, field.name),
                )
                .label("takes unmapped columns")
                .related(column.maps[0].1, "mapped here")
                .help("predict above the map, or map into another column: `map … as …`"),
            ),
            Some(column) if !types::converts(&column.dtype, &field.dtype) => Some(
                Diagnostic::error(
                    Code::E0407,
                    model.span,
                    format!(
                        "`{}` takes `{}` as {}, and here it is {}",
                        model.name, field.name, field.dtype, column.dtype
                    ),
                )
                .label("another type")
                .related(column.span, format!("{} here", column.dtype))
                .help(format!("make a column `{}` of that type above", field.name)),
            ),
            Some(column) if column.nullable && !field.nullable => Some(
                Diagnostic::error(
                    Code::E0407,
                    model.span,
                    format!("`{}` takes no null in `{}`, and here it may be null", model.name, field.name),
                )
                .label("may be null")
                .related(column.span, "nullable here")
                .help(format!("write `filter {} is not null` above", field.name)),
            ),
            Some(_) => None,
        };
        if let Some(diagnostic) = problem {
            good = false;
            b.report(diagnostic);
        }
    }
    good
}

/// What is known of the predictions.
struct Added {
    in_sample: bool,
    nullable: bool,
}

/// What the columns know that the model looks at here.
fn seen(fact: &ModelFact, b: &Builder<'_, '_>) -> Column {
    let mut all = Column::new("", DataType::Unknown, false, fact.span);
    let request = fact.request.fields.iter().map(|f| &f.name);
    for column in fact.inputs.iter().map(|i| &i.column).chain(request).filter_map(|name| b.table.get(name)) {
        all.taint.absorb(&column.taint);
        all.statistics.absorb(&column.statistics);
    }
    all
}

fn add(fact: &ModelFact, model: &str, prefix: &str, span: Span, added: Added, b: &mut Builder<'_, '_>) {
    let output = &fact.output.dtype;
    let mut names: Vec<(String, DataType)> = vec![(prefix.to_owned(), output.clone())];
    if fact.task == Task::Classification {
        match output {
            DataType::Bool => names.push((probability_column(prefix, output, &Value::Bool(true)), DataType::Float)),
            DataType::Category { levels: Some(levels) } => names.extend(
                levels.iter().map(|l| (probability_column(prefix, output, &Value::String(l.clone())), DataType::Float)),
            ),
            // Which classes there are only the data tell.
            _ => b.table.open.push(format!("{prefix}_probability_")),
        }
    }
    if fact.intervals {
        names.extend(interval_columns(prefix).map(|name| (name, DataType::Float)));
    }
    let seen = seen(fact, b);
    for (name, dtype) in names {
        if let Some(old) = b.table.get(&name) {
            let diagnostic = exists(&name, span, old.span).help("take another name: `predict … as p`");
            b.report(diagnostic);
            continue;
        }
        let lost = fact.task == Task::Regression && fact.output.may_be_lost();
        let words = format!("`{name}` is predicted from it");
        let mut column = Column::new(name, dtype, added.nullable || lost, span);
        column.taint = seen.taint.through(span, &words);
        column.statistics = seen.statistics.through(span, &words);
        if added.in_sample {
            column.taint.add(format!("predictions of {model}"), TaintSource::new(TaintKind::InSample, span));
        }
        b.table.put(column);
    }
}
