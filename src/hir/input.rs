//! The inputs of a model: none may know the label, each must be of a type that algorithms take.

use dbjob_plan::{DataType, Input, Output, Span};

use super::check::Context;
use super::model::Draft;
use super::statistic;
use super::table::Column;
use crate::diagnostic::{Code, Diagnostic};

impl Draft {
    pub(super) fn typed_inputs(&mut self, output: &Output, cx: &mut Context<'_>) -> Vec<Input> {
        let mut inputs = Vec::new();
        let mut problems = Vec::new();
        for (name, alias, span) in &self.inputs {
            let column = self.table.get(name).expect("selected from this table");
            if *name == output.column {
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
            if let Some(problem) = statistic::leak(column, &self.table, *span) {
                problems.push(problem);
                continue;
            }
            // A step that could not be read may have been there for it.
            let excused = self.table.excuses(name) || cx.is_torn();
            if let Some(problem) = unfit_input(column, *span).filter(|_| !excused) {
                problems.push(problem);
                continue;
            }
            let caller = alias.as_ref().map_or_else(|| name.clone(), |a| a.value.clone());
            if let Some(other) = inputs.iter().find(|i: &&Input| i.name == caller) {
                let at = alias.as_ref().map_or(*span, |a| a.span);
                problems.push(
                    Diagnostic::error(Code::E0204, at, format!("two inputs have the name `{caller}`"))
                        .label("again here")
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
            self.report(problem, cx);
        }
        inputs
    }
}

/// Why no algorithm of this version takes the column.
fn unfit_input(column: &Column, span: Span) -> Option<Diagnostic> {
    let name = &column.name;
    let error = |message: String, help: String| {
        Some(
            Diagnostic::error(Code::E0404, span, message)
                .label(format!("this is {}{}", column.dtype, if column.nullable { "?" } else { "" }))
                .related(column.span, "comes from here")
                .help(help),
        )
    };
    match &column.dtype {
        DataType::Category { .. } | DataType::String => error(
            format!("the input `{name}` is text, and the algorithm takes numbers"),
            format!("map it above: `map {name} with one_hot`"),
        ),
        DataType::Date | DataType::Datetime | DataType::Duration => error(
            format!("the input `{name}` is a {}, and the algorithm takes numbers", column.dtype),
            match column.dtype {
                DataType::Duration => format!("derive a number of it: `hours({name})`"),
                _ => format!("derive numbers of it: `month({name})`, `weekday({name})`"),
            },
        ),
        _ if column.nullable => error(
            format!("the input `{name}` may be null, and the algorithm takes no nulls"),
            if column.dtype.is_numeric() {
                format!("fill it above: `map {name} with impute(median)`, or `filter {name} is not null`")
            } else {
                format!("fill it above: `map {name} with impute(mode)`, or `filter {name} is not null`")
            },
        ),
        _ => None,
    }
}
