use dbjob_learn::{FitError, FitErrorKind, OptionValue, Options};
use dbjob_plan::{Algorithm, DataLocation, FitSpec, RunError, Task, Value};

/// The options of a fit in the learners' form.
pub(super) fn options(algorithm: &Algorithm) -> Result<Options, RunError> {
    let convert = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Null => OptionValue::Null,
            Value::Int(i) => OptionValue::Int(*i),
            Value::Float(x) => OptionValue::Float(*x),
            Value::Bool(b) => OptionValue::Bool(*b),
            Value::Word(w) | Value::String(w) => OptionValue::Word(w.clone()),
            Value::List(items) if !items.is_empty() && items.iter().all(|i| matches!(i, Value::Word(_))) => {
                OptionValue::Names(
                    items.iter().filter_map(|i| if let Value::Word(w) = i { Some(w.clone()) } else { None }).collect(),
                )
            }
            Value::List(items) if items.iter().all(|i| matches!(i, Value::Int(_))) => OptionValue::Ints(
                items.iter().filter_map(|i| if let Value::Int(i) = i { Some(*i) } else { None }).collect(),
            ),
            other => {
                let message = format!("{} takes no value such as {other} for `{name}`", algorithm.name);
                return Err(RunError::new("E0799", message).or_span(algorithm.span));
            }
        };
        Ok((name.clone(), value))
    };
    algorithm.options.iter().map(convert).collect()
}

pub(super) fn task(task: Task) -> dbjob_learn::Task {
    match task {
        Task::Classification => dbjob_learn::Task::Classification,
        Task::Regression => dbjob_learn::Task::Regression,
        Task::Clustering => dbjob_learn::Task::Clustering,
    }
}

/// `row`: the table's row (1-based) of a row of the matrix.
pub(super) fn fit_error(error: FitError, spec: &FitSpec, row: impl Fn(usize) -> u64) -> RunError {
    let (name, algorithm) = (&spec.model, &spec.algorithm.name);
    let mut run = match error.kind {
        FitErrorKind::Cancelled => RunError::new("E0718", format!("stopped while `{name}` was fitted")),
        FitErrorKind::Data | FitErrorKind::Diverged => {
            let told = RunError::new("E0715", format!("cannot fit `{name}`: {}", error.told(&row)));
            match error.row {
                Some(i) => told.data(DataLocation {
                    row: Some(row(i)),
                    column: error.feature.clone(),
                    ..DataLocation::default()
                }),
                None => told,
            }
        }
        FitErrorKind::Option => {
            RunError::new("E0715", format!("cannot fit `{name}` with {algorithm}: {}", error.message))
        }
    };
    run.help = error.help;
    run.or_span(spec.algorithm.span)
}
