//! The output of a model: what is learned, what callers see, and so which task it is.

use dbjob_plan::{DataType, Output, Span, Task};

use super::check::Context;
use super::model::Draft;
use super::selection::known;
use super::step::unmap::{of_predictions, undo};
use super::table::Column;
use super::{declared, types};
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::syntax::ast;

impl Draft {
    pub(super) fn output(
        &mut self,
        column: &ast::Ident,
        ty: Option<&ast::Type>,
        classes: Option<Span>,
        raw: Option<Span>,
        cx: &mut Context<'_>,
    ) {
        if !known(column, &self.table, &mut cx.out) {
            self.wrong = true;
            return;
        }
        let found: Column = self.table.get(&column.name).expect("known above").clone();
        let mapped = found.maps.first().map(|(link, _)| link.clone()).filter(|_| raw.is_none());
        let mut unmap = match (&mapped, raw) {
            (Some(_), None) => match undo(&found, column.span, &mut cx.out) {
                Some(links) => links,
                None => {
                    self.wrong = true;
                    if let Some(last) = cx.out.last_mut() {
                        last.help = Some(format!("write `output {} raw` to predict the mapped values", column.name));
                    }
                    return;
                }
            },
            _ => Vec::new(),
        };
        if let (Some(span), true) = (raw, found.maps.is_empty()) {
            self.report(
                Diagnostic::error(
                    Code::E0109,
                    span,
                    format!("`{}` carries no map, so `raw` has no effect", column.name),
                )
                .label("no effect")
                .help("leave `raw` out")
                .needless(span),
                cx,
            );
        }
        let natural = match mapped.as_ref().map_or_else(|| found.dtype.clone(), |link| link.from.clone()) {
            // A prediction is no exact number.
            DataType::Decimal { .. } => {
                if let Some(first) = unmap.last_mut() {
                    first.from = DataType::Float;
                }
                DataType::Float
            }
            natural => natural,
        };
        if natural == DataType::Unknown {
            self.wrong = true;
            return;
        }
        let dtype = match ty {
            None => natural.clone(),
            Some(ty) => {
                let (stated, nullable) = declared::resolve(ty, &mut cx.out);
                if stated == DataType::Unknown {
                    self.wrong = true;
                    return;
                }
                if nullable {
                    self.report(
                        Diagnostic::error(Code::E0105, ty.span, "a prediction is never null")
                            .label("drop the `?`")
                            .fix(declared::not_null(ty)),
                        cx,
                    );
                }
                match stated_output(&stated, &natural) {
                    Some(dtype) => dtype,
                    None if matches!(stated, DataType::Decimal { .. }) && natural == DataType::Float => {
                        let message = format!("predictions of `{}` are floats, not {stated}", column.name);
                        let diagnostic = Diagnostic::error(Code::E0201, ty.span, message)
                            .label(format!("said to be {stated}"))
                            .help("a prediction is no exact number: state `float`, and round it where it is used")
                            .fix(Fix::write(ty.span, "float"));
                        return self.report(diagnostic, cx);
                    }
                    None => {
                        let diagnostic = Diagnostic::error(
                            Code::E0201,
                            ty.span,
                            format!("`{}` is {natural}, not {stated}", column.name),
                        )
                        .label(format!("said to be {stated}"))
                        .related(found.span, format!("{natural} here"))
                        .help("state the type that callers get, or leave it out");
                        return self.report(diagnostic, cx);
                    }
                }
            }
        };
        let task = match (&dtype, classes) {
            (DataType::Bool | DataType::Category { .. } | DataType::String, None) => Task::Classification,
            (DataType::Bool | DataType::Category { .. } | DataType::String | DataType::Int, Some(_)) => {
                Task::Classification
            }
            (DataType::Int | DataType::Float, None) => Task::Regression,
            (_, Some(span)) => {
                return self.report(
                    Diagnostic::error(Code::E0405, span, format!("{dtype} has no classes"))
                        .label("not countable")
                        .help("`classes` speaks of an int")
                        .needless(span),
                    cx,
                );
            }
            (_, None) => {
                let diagnostic = Diagnostic::error(Code::E0405, column.span, format!("a model cannot learn {dtype}"))
                    .label(format!("this is {dtype}"))
                    .help("an output is a bool, category, int or float; `derive` one");
                return self.report(diagnostic, cx);
            }
        };
        if task == Task::Classification && matches!(found.dtype, DataType::Float | DataType::Vector { .. }) {
            let diagnostic = Diagnostic::error(
                Code::E0405,
                column.span,
                format!("the classes of `{}` are mapped to {}", column.name, found.dtype),
            )
            .label("not one class a row any more")
            .help("map an output of classes with `index`, or not at all");
            return self.report(diagnostic, cx);
        }
        if task == Task::Regression && !found.dtype.is_numeric() {
            let diagnostic = Diagnostic::error(
                Code::E0405,
                column.span,
                format!("`{}` is mapped to {}, which is no number", column.name, found.dtype),
            )
            .label("not a number");
            return self.report(diagnostic, cx);
        }
        let unmap = if task == Task::Regression { of_predictions(unmap) } else { unmap };
        let output = Output { column: column.name.clone(), learned: found.dtype, dtype, unmap };
        self.output = Some((output, task, column.span));
    }
}

/// The stated type where it agrees with the column's: int and float are one to a caller, as are texts and categories.
fn stated_output(stated: &DataType, natural: &DataType) -> Option<DataType> {
    match (stated, natural) {
        (a, b) if a == b => Some(a.clone()),
        (DataType::Category { levels: None }, DataType::Category { .. }) => Some(natural.clone()),
        (DataType::Float, DataType::Int) | (DataType::Int, DataType::Float) => Some(stated.clone()),
        (a, b) if a.is_text() && b.is_text() => Some(stated.clone()),
        _ => types::converts(natural, stated).then(|| stated.clone()),
    }
}
