//! Options of algorithms that do nothing beside the others, or for this task.

use dbjob_plan::{Candidate, Space, Span, Task, Value};

use crate::catalog::algorithm::logistic_regression::{EPOCHS_ONLY, LBFGS_ONLY};
use crate::catalog::algorithm::random_forest;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::Ident;

/// One message for each of the `written` options (its name, the whole of it) that has no effect. `output` is where the
/// output is named.
pub(super) fn options(candidate: &Candidate, written: &[(Ident, Span)], task: Task, output: Span) -> Vec<Diagnostic> {
    let of_algorithm = match candidate.algorithm.name.as_str() {
        "logistic_regression" => optimizer,
        "random_forest" => forest,
        _ => return Vec::new(),
    };
    let told = |(name, whole): &(Ident, Span)| {
        let (why, help) = of_algorithm(&name.name, candidate, task)?;
        let message = format!("`{}` has no effect {why}", name.name);
        let diagnostic = Diagnostic::error(Code::E0109, name.span, message).label("no effect").help(help);
        let of_output = random_forest::CLASSES_ONLY.contains(&name.name.as_str());
        let diagnostic = if of_output { diagnostic.related(output, "an output of numbers") } else { diagnostic };
        Some(diagnostic.needless(*whole))
    };
    written.iter().filter_map(told).collect()
}

/// What an option may be, by what is written.
fn values(candidate: &Candidate, name: &str) -> Vec<Value> {
    match candidate.spaces.get(name) {
        Some(Space::OneOf(values)) => values.clone(),
        Some(Space::Ints { low, high }) => vec![Value::Int(*low), Value::Int(*high)],
        Some(Space::Floats { low, high, .. }) => vec![Value::Float(*low), Value::Float(*high)],
        None => candidate.algorithm.options.get(name).cloned().into_iter().collect(),
    }
}

/// An option that none of the optimizers reads.
fn optimizer(option: &str, candidate: &Candidate, _: Task) -> Option<(String, String)> {
    let optimizers = values(candidate, "optimizer");
    let lbfgs = |value: &Value| *value == Value::Word("lbfgs".into());
    let idle = |only: &[&str], read: bool| only.contains(&option) && !read;
    let help = if idle(EPOCHS_ONLY, optimizers.iter().any(|o| !lbfgs(o))) {
        "write `optimizer = adam`, or drop it"
    } else if idle(LBFGS_ONLY, optimizers.iter().any(lbfgs)) {
        "drop it, or write `optimizer = lbfgs`"
    } else {
        return None;
    };
    let words: Vec<String> =
        optimizers.iter().map(|o| if let Value::Word(word) = o { word.clone() } else { o.to_string() }).collect();
    Some((format!("with the optimizer {}", words.join(" or ")), help.to_owned()))
}

fn forest(option: &str, candidate: &Candidate, task: Task) -> Option<(String, String)> {
    if random_forest::CLASSES_ONLY.contains(&option) && task == Task::Regression {
        return Some(("where numbers are learned".into(), "drop it; `weight COLUMN` weighs rows".into()));
    }
    if option != "min_samples_split" {
        return None;
    }
    // Both halves of a split are leaves.
    let int = |value: &Value| if let Value::Int(i) = value { Some(*i) } else { None };
    let most = values(candidate, option).iter().filter_map(int).max()?;
    let leaf = values(candidate, "min_samples_leaf").iter().filter_map(int).min()?;
    (leaf > 1 && most > 2 && most <= leaf.saturating_mul(2)).then(|| {
        let why = format!("beside leaves of at least {leaf} rows: no node of fewer than {} is split", leaf * 2);
        (why, "drop it, or write a larger one".to_owned())
    })
}
