//! The fitted plan of a model as an ONNX file: what a caller sends, the steps and maps behind it, the learner, and the way
//! back to the caller's units, as one graph of the operator sets ai.onnx 17 and ai.onnx.ml 3.
//!
//! Numbers are doubles, as in the engine, so that the answers are equal to the last digits. [`check`] writes the same graph
//! with something in the place of what is to be learned: what it finds is what [`write`] would meet.

// Without models nothing is written, and what only that needs rests.
#![cfg_attr(not(feature = "models"), allow(dead_code))]

mod answer;
mod column;
mod expr;
mod features;
mod graph;
mod map;
#[cfg(feature = "models")]
mod model;
mod proto;
mod refused;
mod steps;

use dbjob_plan::{DataType, FitSpec, Span, Task, Value};

pub use refused::Refused;

#[cfg(feature = "models")]
pub use model::write;

use answer::Answers;
use features::features;
use graph::Graph;
use map::States;
use steps::Steps;

/// How the names of the outputs begin.
#[derive(Debug, Clone, Copy)]
struct Prefix<'a>(&'a str);

/// What outputs are called, as `dbjob predict` has it.
const PREFIX: Prefix<'static> = Prefix("prediction");

/// What ONNX cannot express of a model, but for the algorithm; empty: all of it can be written. Nothing needs to have been
/// learned yet.
pub fn check(spec: &FitSpec) -> Vec<Refused> {
    // The number of rows is that of the request's columns.
    if spec.serving.request.fields.is_empty() {
        let help = "give it an input that the caller sends".to_owned();
        return vec![Refused::new(Span::default(), "a model that takes no column from its caller", help)];
    }
    let mut g = Graph::default();
    let states = States::StandIn;
    let classes = stand_in(spec);
    let answers = Answers { spec, classes: &classes, states, prefix: PREFIX };
    let names = answers.names();
    let mut steps = Steps { g: &mut g, states, refused: None, errors: Vec::new() };
    let table = steps.run(&spec.serving);
    let (mut errors, refused) = (steps.errors, steps.refused);
    errors.extend(taken(spec, &names));
    if !errors.is_empty() {
        return errors;
    }
    match features(spec, &table, &|_| Some(Vec::new()), &mut g) {
        Ok(features) => {
            let number = g.column(&features.matrix, 0);
            let answered = match spec.task {
                Task::Classification => Ok(()),
                Task::Regression | Task::Clustering => answers.number(number, &mut g),
            };
            errors.extend(answered.err());
            answers.refused(refused, &mut g);
        }
        Err(error) => errors.push(error),
    }
    errors
}

/// Classes of the output's type.
fn stand_in(spec: &FitSpec) -> Vec<Value> {
    match (&spec.task, &spec.output.dtype) {
        (Task::Regression | Task::Clustering, _) => Vec::new(),
        (_, DataType::Bool) => vec![Value::Bool(false), Value::Bool(true)],
        (_, DataType::Category { levels: Some(levels) }) => levels.iter().cloned().map(Value::String).collect(),
        _ => Vec::new(),
    }
}

/// A column of the request that is called like an output.
fn taken(spec: &FitSpec, names: &[String]) -> Option<Refused> {
    let both = spec.serving.request.fields.iter().find(|field| names.contains(&field.name))?;
    let what = format!("an input and an output of one name, `{}`", both.name);
    let input = spec.inputs.iter().find(|input| input.column == both.name || input.name == both.name);
    let name = input.map_or(&both.name, |input| &input.column);
    let help = format!("give it another name for callers: `input {name} as \"…\"`");
    Some(Refused::new(Span::default(), what, help))
}
