//! Options of algorithms that do nothing beside the others, or for this task.

use dbjob_plan::{Candidate, Space, Span, Task, Value};

use crate::catalog::algorithm::{Algorithm, Only};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::Ident;

/// One message for each of the `written` options (its name, the whole of it) that has no effect. `output` is where the
/// output is named.
pub(super) fn options(
    entry: &Algorithm,
    candidate: &Candidate,
    written: &[(Ident, Span)],
    task: Task,
    output: Span,
) -> Vec<Diagnostic> {
    let told = |(name, whole): &(Ident, Span)| {
        let option = name.name.as_str();
        let found = entry.only.iter().find_map(|only| idle(only, option, candidate, task));
        let Idle { why, help, of_task } = found.or_else(|| small_node(option, candidate))?;
        let message = format!("`{option}` has no effect {why}");
        let diagnostic = Diagnostic::error(Code::E0109, name.span, message).label("no effect").help(help);
        let learned = if task == Task::Regression { "an output of numbers" } else { "an output of classes" };
        let diagnostic = if of_task { diagnostic.related(output, learned) } else { diagnostic };
        Some(diagnostic.needless(*whole))
    };
    written.iter().filter_map(told).collect()
}

/// Why an option has no effect.
struct Idle {
    why: String,
    help: String,
    /// Because of what is learned.
    of_task: bool,
}

fn idle(only: &Only, option: &str, candidate: &Candidate, task: Task) -> Option<Idle> {
    let of_task = |why: &str, help: &str| Some(Idle { why: why.to_owned(), help: help.to_owned(), of_task: true });
    match only {
        Only::Classes { options, help } if options.contains(&option) && task == Task::Regression => {
            of_task("where numbers are learned", help)
        }
        Only::Numbers { options, help } if options.contains(&option) && task == Task::Classification => {
            of_task("where classes are learned", help)
        }
        Only::ClassWords { option: of, words, help } if *of == option && task == Task::Regression => {
            let word = word_of(candidate, option, words)?;
            of_task(&format!("as `{word}` where numbers are learned"), help)
        }
        Only::NumberWords { option: of, words, help } if *of == option && task == Task::Classification => {
            let word = word_of(candidate, option, words)?;
            of_task(&format!("as `{word}` where classes are learned"), help)
        }
        Only::With { options, of, is, help } if options.contains(&option) => {
            let words: Vec<String> = values(candidate, of)
                .into_iter()
                .map(|value| if let Value::Word(word) = value { word } else { value.to_string() })
                .collect();
            let read = words.iter().any(|word| is.contains(&word.as_str()));
            let why = format!("with the {of} {}", words.join(" or "));
            (!read).then(|| Idle { why, help: (*help).to_owned(), of_task: false })
        }
        _ => None,
    }
}

/// The first of these words that the option may be.
fn word_of(candidate: &Candidate, option: &str, words: &[&'static str]) -> Option<&'static str> {
    let values = values(candidate, option);
    words.iter().copied().find(|word| values.iter().any(|value| matches!(value, Value::Word(w) if w == word)))
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

/// A least size of nodes that the least size of leaves implies: both halves of a split are leaves.
fn small_node(option: &str, candidate: &Candidate) -> Option<Idle> {
    if option != "min_samples_split" {
        return None;
    }
    let int = |value: &Value| if let Value::Int(i) = value { Some(*i) } else { None };
    let most = values(candidate, option).iter().filter_map(int).max()?;
    let leaf = values(candidate, "min_samples_leaf").iter().filter_map(int).min()?;
    (leaf > 1 && most > 2 && most <= leaf.saturating_mul(2)).then(|| Idle {
        why: format!("beside leaves of at least {leaf} rows: no node of fewer than {} is split", leaf * 2),
        help: "drop it, or write a larger one".to_owned(),
        of_task: false,
    })
}
