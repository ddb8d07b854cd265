//! Models as operators; one file a kind.

mod centers;
mod dummy;
mod linear;
mod mlp;
mod naive_bayes;
mod trees;

use std::any::Any;

use dbjob_learn::Model;
use dbjob_learn::cluster::Centers;
use dbjob_learn::dummy::Dummy;
use dbjob_learn::linear::LinearModel;
use dbjob_learn::mlp::MlpModel;
use dbjob_learn::naive_bayes::NaiveBayes;
use dbjob_learn::tree::Ensemble;
use dbjob_plan::{FitSpec, MapStates, Span, Task, Value};

use crate::answer::Answers;
use crate::column::either;
use crate::features::features;
use crate::graph::{About, Attribute, Graph, Tensor};
use crate::map::States;
use crate::steps::Steps;
use crate::{PREFIX, Refused, taken};

/// The file of a fitted model. `classes`: in the order of its probabilities, in the caller's units; empty for numbers.
/// The same model gives the same bytes.
///
/// Errors: what [`crate::check`] tells before, and a model of a kind that cannot be written.
pub fn write(
    spec: &FitSpec,
    model: &dyn Model,
    classes: &[Value],
    maps: &MapStates,
    job: &str,
) -> Result<Vec<u8>, Refused> {
    let mut g = Graph::default();
    let states = States::Learned(maps);
    let answers = Answers { spec, classes, states, prefix: PREFIX };
    let names = answers.names();
    if let Some(error) = taken(spec, &names) {
        return Err(error);
    }
    names.iter().for_each(|name| g.reserve(name));
    spec.serving.request.fields.iter().for_each(|field| g.reserve(&field.name));
    let mut steps = Steps { g: &mut g, states, refused: None, errors: Vec::new() };
    let table = steps.run(&spec.serving);
    if let Some(error) = steps.errors.into_iter().next() {
        return Err(error);
    }
    let refused = steps.refused;
    let levels = |input: &str| {
        let feature = model.features().iter().position(|name| name == input)?;
        model.levels().get(feature)?.as_ref().map(|levels| levels.to_vec())
    };
    let x = features(spec, &table, &levels, &mut g)?;
    let scores = scores(model, &x.matrix, &mut g).ok_or_else(|| {
        let what = format!("a model of the algorithm `{}`", spec.algorithm.name);
        Refused::new(Span::default(), what, "deploy it `to registry(…)`")
    })?;
    match spec.task {
        Task::Classification => answers.classes(scores, &mut g),
        Task::Regression | Task::Clustering => {
            let number = g.column(&scores, 0);
            answers.number(number, &mut g)?;
        }
    }
    let refused = either(&mut g, refused, x.refused);
    answers.refused(refused, &mut g);
    let metadata = vec![
        ("dbjob.job", job.to_owned()),
        ("dbjob.model", spec.model.clone()),
        ("dbjob.algorithm", spec.algorithm.name.clone()),
    ];
    Ok(g.finish(About { name: &spec.model, doc: "A fitted plan of dbjob: maps and model", metadata }))
}

/// (rows, classes) probabilities, or (rows, 1) numbers. `None`: there is no such model here.
fn scores(model: &dyn Model, x: &Tensor, g: &mut Graph) -> Option<Tensor> {
    let any: &dyn Any = model;
    Some(if let Some(model) = any.downcast_ref::<LinearModel>() {
        linear::scores(model, model.features().len(), model.classes(), x, g)
    } else if let Some(model) = any.downcast_ref::<Ensemble>() {
        trees::scores(model, x, g)
    } else if let Some(model) = any.downcast_ref::<MlpModel>() {
        mlp::scores(model, x, g)
    } else if let Some(model) = any.downcast_ref::<NaiveBayes>() {
        naive_bayes::scores(model, x, g)
    } else if let Some(model) = any.downcast_ref::<Dummy>() {
        dummy::scores(model, x, g)
    } else if let Some(model) = any.downcast_ref::<Centers>() {
        centers::scores(model, x, g)
    } else {
        return None;
    })
}

/// The probabilities of all classes from those of the learned ones; others have 0.
fn spread(probabilities: Tensor, learned: &[u32], classes: usize, g: &mut Graph) -> Tensor {
    if learned.len() == classes {
        return probabilities;
    }
    let first = g.column(&probabilities, 0);
    let zero = g.float(0.0);
    let none = g.op("Mul", &[&first, &zero]);
    let none = g.as_column(&none);
    let all = g.beside(&[probabilities, none]);
    let place = |class: usize| learned.iter().position(|l| *l as usize == class).unwrap_or(learned.len()) as i64;
    let places: Vec<i64> = (0..classes).map(place).collect();
    let places = g.ints(&places, &[classes as i64]);
    g.op_with("Gather", &[&all, &places], vec![("axis", Attribute::Int(1))])
}

/// The probabilities of two classes from that of the second.
fn of_two(second: &Tensor, g: &mut Graph) -> Tensor {
    let one = g.float(1.0);
    let first = g.op("Sub", &[&one, second]);
    g.beside(&[first, second.clone()])
}

fn softmax(scores: &Tensor, g: &mut Graph) -> Tensor {
    g.op_with("Softmax", &[scores], vec![("axis", Attribute::Int(1))])
}

/// Rows of `width` values, turned: row-major by the value's place.
fn turned(rows: &[f64], width: usize) -> Vec<f64> {
    (0..width).flat_map(|j| rows.iter().skip(j).step_by(width).copied()).collect()
}
