//! The inputs of a model: none may know the label, each must be of a type that algorithms take.

use dbjob_plan::{DataType, Input, Span};

use super::check::Context;
use super::model::Draft;
use super::statistic;
use super::table::{Column, Role, Table};
use super::taint::TaintKind;
use crate::catalog::algorithm::Algorithm;
use crate::diagnostic::{Code, Diagnostic, Severity};

impl Draft {
    /// `output`: its column, if there is one; `at` is where it is named.
    pub(super) fn typed_inputs(&mut self, output: Option<&str>, at: Span, cx: &mut Context<'_>) -> Vec<Input> {
        // No column has the empty name.
        let output = output.unwrap_or_default();
        let mut inputs = Vec::new();
        let mut problems = Vec::new();
        for (name, alias, span) in &self.inputs {
            let column = self.table.get(name).expect("selected from this table");
            if name == output {
                problems.push(
                    Diagnostic::error(Code::E0401, *span, format!("`{name}` is the output, and cannot be an input"))
                        .label("what is to be predicted")
                        .help(format!("leave it out: `input all except {name}`")),
                );
                continue;
            }
            if let Some((source, taint)) = column.taint.iter().next() {
                let diagnostic = Diagnostic::error(
                    Code::E0401,
                    *span,
                    format!("`{name}` knows `{source}`, which is {}", taint.kind.words()),
                )
                .label("not known when a prediction is asked for");
                problems.push(taint.tell(source, diagnostic).help("leave it out of the inputs"));
                continue;
            }
            if let Some(problem) = statistic::leak(column, &self.table, *span, cx) {
                problems.push(problem);
                continue;
            }
            if let Some(problem) = of_output(column, output, &self.table, *span, cx) {
                let is_error = problem.severity == Severity::Error;
                problems.push(problem);
                if is_error {
                    continue;
                }
            }
            // A step that could not be read may have been there for it.
            let excused = self.table.excuses(name) || cx.is_torn();
            if let Some(problem) = unfit_input(column, &self.learning.algorithms(), *span).filter(|_| !excused) {
                problems.push(problem);
                continue;
            }
            let caller = alias.as_ref().map_or_else(|| name.clone(), |a| a.value.clone());
            if let Some(other) = inputs.iter().find(|i: &&Input| i.name == caller) {
                let at = alias.as_ref().map_or(*span, |a| a.span);
                problems.push(
                    Diagnostic::error(Code::E0204, at, format!("two inputs have the name `{caller}`"))
                        .again()
                        .help(format!("`{}` has it too", other.column)),
                );
                continue;
            }
            inputs.push(Input {
                column: name.clone(),
                name: caller,
                dtype: column.dtype.clone(),
                nullable: column.nullable,
            });
        }
        for problem in problems {
            self.wrong |= problem.severity == Severity::Error;
            cx.out.push(problem);
        }
        if let Some(problem) = self.table.get(output).and_then(|o| fed_back(o, at)) {
            self.report(problem, cx);
        }
        if let Some(problem) = self.table.get(output).and_then(|o| one_label_apart(o, &self.table)) {
            cx.out.push(problem);
        }
        inputs
    }
}

/// An input that is made of the output, or of what a label is built of. Of labels and late columns that are declared,
/// taint tells.
fn of_output(column: &Column, output: &str, table: &Table, at: Span, cx: &Context<'_>) -> Option<Diagnostic> {
    let output = table.get(output)?;
    if output.taint.iter().any(|(_, source)| source.kind != TaintKind::Built) {
        return None;
    }
    let says_when_or_who = |(dataset, name): &&(String, String)| {
        let declared = cx.tables.get(dataset).and_then(|t| t.get(name));
        declared.is_some_and(|c| matches!(c.role, Role::Key | Role::Id | Role::Time))
    };
    let (dataset, source) =
        column.own().filter(|s| !says_when_or_who(s)).find(|source| output.own().any(|o| o == *source))?;
    let declared = cx.tables.get(dataset).and_then(|t| t.get(source)).map(|c| c.span);
    let (name, out) = (&column.name, &output.name);
    let itself = output.plain || !output.maps.is_empty() || !output.replaced.is_empty();
    let mut diagnostic = if itself && output.origin.len() == 1 {
        let message = format!("`{name}` is made of `{dataset}.{source}`, which is the output");
        Diagnostic::error(Code::E0401, at, message).label("not known when a prediction is asked for")
    } else {
        let message = format!("`{name}` is made of `{dataset}.{source}`, of which `{out}` is built");
        Diagnostic::warning(Code::W0403, at, message).label("may tell the label")
    };
    if let Some(span) = declared {
        diagnostic = diagnostic.related(span, format!("`{source}` comes from here"));
    }
    for (made, words) in [(output, "is what is predicted"), (column, "is made of it here")] {
        if Some(made.span) != declared {
            diagnostic = diagnostic.related(made.span, format!("`{}` {words}", made.name));
        }
    }
    Some(if diagnostic.severity == Severity::Error {
        diagnostic.help("leave it out of the inputs; of earlier rows a window may look at it: `lag(x)`")
    } else {
        diagnostic
            .help(format!("if `{source}` is known only later, say `late` where it is declared; else leave it out"))
    })
}

/// An output that is made of predictions on rows that were learned from: the model would learn what a model says.
fn fed_back(output: &Column, at: Span) -> Option<Diagnostic> {
    let (source, taint) = output.taint.iter().find(|(_, source)| source.kind == TaintKind::InSample)?;
    let message = format!("`{}` is made of `{source}`, and not of what came to be", output.name);
    let diagnostic = Diagnostic::error(Code::E0401, at, message).label("learned from a model");
    Some(taint.tell(source, diagnostic).help("learn from the label, or `predict … out_of_fold`"))
}

/// An output that a join gave to several rows, which the split may put on both sides.
fn one_label_apart(output: &Column, table: &Table) -> Option<Diagnostic> {
    let split = table.split.as_ref().filter(|split| split.separates() && !split.in_time())?;
    let key = split.key()?;
    let repeat = table.repeats.iter().find(|r| !output.origin.is_empty() && output.origin.is_subset(&r.brought))?;
    let on: Vec<&str> = repeat.on.iter().map(|c| c.name.as_str()).collect();
    // Rows that agree in the columns of the join are of one part.
    let together = |key: &&str| {
        table.follows(key, &on)
            || table
                .get(key)
                .is_some_and(|c| c.of_row() && c.own().all(|o| repeat.on.iter().any(|k| k.origin.contains(o))))
    };
    if key.iter().all(together) {
        return None;
    }
    let (name, on) = (&output.name, on.join(", "));
    let message = format!("rows of one {on} have one `{name}`, and may fall into train and test");
    let diagnostic = Diagnostic::warning(Code::W0411, split.span, message)
        .label("splits them apart")
        .related(repeat.span, format!("`{name}` comes along by {on}"));
    Some(diagnostic.help(format!("keep them together: `split by {on} {{ train 80%, test 20% }}`")))
}

/// Why one of the algorithms does not take the column. Without any it is not known what is taken.
fn unfit_input(column: &Column, algorithms: &[&Algorithm], span: Span) -> Option<Diagnostic> {
    let name = &column.name;
    let error = |message: String, help: String| {
        Some(
            Diagnostic::error(Code::E0404, span, message)
                .label(format!("this is {}{}", column.dtype, if column.nullable { "?" } else { "" }))
                .related(column.span, "comes from here")
                .help(help),
        )
    };
    let without = |takes: fn(&Algorithm) -> bool| algorithms.iter().find(|a| !takes(a)).map(|a| a.name);
    let category = matches!(column.dtype, DataType::Category { .. });
    match &column.dtype {
        DataType::Category { .. } => {
            if let Some(algorithm) = without(|a| a.categories) {
                return error(
                    format!("the input `{name}` is a category, and `{algorithm}` takes numbers"),
                    format!("map it above: `map {name} with one_hot`"),
                );
            }
        }
        DataType::String => {
            let taken = !algorithms.is_empty() && without(|a| a.categories).is_none();
            let help = if taken {
                format!("declare it as `{name}: category`, or map it above: `map {name} with tf_idf`")
            } else {
                format!("map it above: `map {name} with one_hot`")
            };
            return error(format!("the input `{name}` is text, and no algorithm takes text as it is"), help);
        }
        DataType::Date | DataType::Datetime | DataType::Duration => {
            return error(
                format!("the input `{name}` is a {}, and no algorithm takes one as it is", column.dtype),
                match column.dtype {
                    DataType::Duration => format!("derive a number of it: `hours({name})`"),
                    _ => format!("derive numbers of it: `month({name})`, `weekday({name})`"),
                },
            );
        }
        _ => {}
    }
    if !column.nullable {
        return None;
    }
    // A vector has all of its numbers or none.
    let vector = matches!(column.dtype, DataType::Vector { .. });
    let algorithm = if vector { algorithms.first().map(|a| a.name) } else { without(|a| a.nulls) }?;
    error(
        format!(
            "the input `{name}` may be null, and `{algorithm}` takes no nulls{}",
            if vector { " in vectors" } else { "" }
        ),
        match column.dtype {
            _ if category || column.dtype == DataType::Bool => {
                format!("fill it above: `map {name} with impute(mode)`, or `filter {name} is not null`")
            }
            _ if column.dtype.is_numeric() => {
                format!("fill it above: `map {name} with impute(median)`, or `filter {name} is not null`")
            }
            _ => format!("leave such rows out above: `filter {name} is not null`"),
        },
    )
}
