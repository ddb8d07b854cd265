//! The identities of models and of what they say.

use std::collections::BTreeMap;

use dbjob_plan::{FOLD, FOLD_FROM, FitSpec, Key, PART, Plan, ROW, Schema, TableIdentity, Target};

use super::digest::Digest;
use super::table::{column, links};

/// The keys of a model.
pub(super) struct Keys {
    pub fitted: Key,
    pub whole: Key,
    pub tried: Key,
}

/// What trials are made of, what is learned, and what it is with its judgement. A model is what it is fitted from, with what, and how it is judged. The
/// names of its columns are in none of it.
pub(super) fn keys(spec: &FitSpec, table: &TableIdentity, maps: &BTreeMap<u32, Key>) -> Keys {
    let of = |name: &String| column(table, name);
    let mut digest = Digest::new("fit").key(&table.rows).json(&spec.serving.plan.seed);
    for input in &spec.inputs {
        digest = digest.key(&of(&input.column)).json(&(&input.dtype, input.nullable));
    }
    let output = &spec.output;
    digest = digest.text("output");
    if let Some(name) = spec.target() {
        digest = digest.key(&column(table, name));
    }
    digest = digest.json(&(&output.learned, &output.dtype));
    digest = digest.keys(&links(&output.unmap, maps)).json(&spec.task);
    digest = digest.text("weight").keys(spec.weight.iter().map(of).collect::<Vec<_>>().iter());
    digest = digest.json(&(spec.split, spec.folds));
    for hidden in [PART, FOLD, FOLD_FROM, ROW] {
        digest = digest.keys(table.columns.get(hidden));
    }
    let rows = digest.end();
    let mut digest = Digest::new("learned").key(&rows);
    digest = digest.json(&spec.algorithm).json(&spec.search).json(&spec.threshold);
    digest = digest.json(&(&spec.calibration, &spec.conformal));
    digest = digest.json(&(spec.refit, spec.judged_by_folds));
    let fitted = digest.end();
    let mut digest = Digest::new("model").key(&fitted).json(&(&spec.metrics, &spec.intervals));
    digest = digest.text("identify").keys(spec.identify.iter().map(of).collect::<Vec<_>>().iter());
    for slice in &spec.slices {
        digest = digest.text(&slice.metric).key(&of(&slice.column));
    }
    for gate in &spec.require {
        // Its columns are metrics, not columns of the table.
        digest = digest.json(&gate.expr).keys(gate.for_each.iter().map(of).collect::<Vec<_>>().iter());
    }
    let whole = digest.end();
    // What is learned again once it is judged, or judged by folds, is not the model that the judgement is about.
    let alone = !spec.refit && !spec.judged_by_folds;
    let fitted = if alone { fitted } else { Digest::new("fit").key(&whole).end() };
    Keys { fitted, whole, tried: Digest::new("tried").key(&rows).end() }
}

/// The model that a limit on the time of its module may have ended early.
pub(super) fn within(whole: Key, plan: &Plan, item: &str) -> Key {
    let module = plan.item(item).and_then(|item| item.module.as_deref());
    let limit = plan.modules.iter().find(|m| Some(m.name.as_str()) == module).and_then(|m| m.limits.time);
    limit.map_or(whole, |time| Digest::new("within").key(&whole).json(&time.value).end())
}

/// What a deployment writes of a model: here the names that callers see matter,
/// which are those of the request.
pub(super) fn output(target: &Target, model: Key, spec: &FitSpec, plan: &Plan) -> Key {
    Digest::new("output")
        .json(target)
        .key(&model)
        .json(&(&plan.job, &spec.model, &spec.output.column))
        .json(&(&spec.serving.request, &spec.serving.dataset, &spec.serving.nulls, &spec.serving.docs))
        .json(&spec.require.iter().map(|gate| &gate.text).collect::<Vec<_>>())
        .end()
}

pub(super) struct Asked<'a> {
    pub prefix: &'a str,
    pub replay: bool,
    pub out_of_fold: bool,
}

/// A table with what a model says of its rows.
pub(super) fn predicted(
    input: &TableIdentity,
    above: &Schema,
    schema: &Schema,
    (model, spec): (Key, &FitSpec),
    asked: &Asked<'_>,
) -> TableIdentity {
    let mut digest = Digest::new("predict").key(&model).json(&(asked.replay, asked.out_of_fold));
    if asked.replay {
        for field in &spec.serving.request.fields {
            digest = digest.text(&field.name).key(&column(input, &field.name));
        }
    } else {
        for given in &spec.inputs {
            digest = digest.key(&column(input, &given.column));
        }
    }
    if asked.out_of_fold {
        digest = digest.key(&column(input, PART)).key(&column(input, ROW));
    }
    let what = digest.end();
    let mut table = input.clone();
    let of = |suffix: &str| Digest::new("prediction").key(&what).text(suffix).end();
    for field in schema.fields.iter().filter(|f| above.get(&f.name).is_none()) {
        table.columns.insert(field.name.clone(), of(field.name.strip_prefix(asked.prefix).unwrap_or(&field.name)));
    }
    if !schema.open.is_empty() {
        let before = table.columns.get(TableIdentity::OPEN).copied();
        let key = Digest::new("open").keys(&before).key(&of("")).text(asked.prefix).end();
        table.columns.insert(TableIdentity::OPEN.into(), key);
    }
    table
}
