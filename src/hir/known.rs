//! `label known at COLUMN`, `late after 30d`: from when on a value is known that a prediction must not use.

use dbjob_plan::{DataType, Value};

use super::check::Context;
use super::clock::Clock;
use super::expr::unknown_column;
use super::options;
use super::table::{Role, Table};
use super::taint::{TaintKind, TaintSource};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Attribute, Dataset, Ident};

/// Gives every date and datetime of a dataset its clock, and every label and late column the clock that it waits for.
pub(super) fn check(dataset: &Dataset, table: &mut Table, cx: &mut Context<'_>) {
    let name = &dataset.name.name;
    let times: Vec<String> = table.columns.iter().filter(|c| c.dtype.is_temporal()).map(|c| c.name.clone()).collect();
    for time in &times {
        if let Some(column) = table.get_mut(time) {
            column.clock = Some(Clock::new(name, time));
        }
    }
    for column in &dataset.columns {
        let mut said: Option<&Attribute> = None;
        for attribute in column.attributes.iter().filter(|a| a.known_at.is_some() || a.after.is_some()) {
            let word = attribute.name.name.as_str();
            if !matches!(word, "label" | "late") {
                let diagnostic =
                    Diagnostic::error(Code::E0109, attribute.span, format!("a `{word}` is known from the start"))
                        .label("no effect")
                        .help("`known at` and `after` stand behind `label` and `late`");
                cx.out.push(diagnostic);
                continue;
            }
            if let Some(first) = said {
                let message = format!("when `{}` is known is said twice", column.name.name);
                let diagnostic =
                    Diagnostic::error(Code::E0102, attribute.span, message).again().related(first.span, "first here");
                cx.out.push(diagnostic);
                continue;
            }
            said = Some(attribute);
            let clock = match (&attribute.known_at, &attribute.after) {
                (Some(at), _) => known_at(dataset, at, table, cx),
                (None, _) => known_after(dataset, attribute, table, cx),
            };
            if let (Some(clock), Some(column)) = (clock, table.get_mut(&column.name.name)) {
                column.taint.know(&format!("{name}.{}", column.name), clock);
            }
        }
    }
}

fn known_at(dataset: &Dataset, at: &Ident, table: &mut Table, cx: &mut Context<'_>) -> Option<Clock> {
    let Some(column) = table.get(&at.name) else {
        if !table.excuses(&at.name) {
            cx.out.push(unknown_column(table, &at.name, at.span));
        }
        return None;
    };
    if !column.dtype.is_temporal() {
        if column.dtype != DataType::Unknown {
            let diagnostic = Diagnostic::error(
                Code::E0110,
                at.span,
                format!("`known at` wants a date or datetime, not {}", column.dtype),
            )
            .label("not a time")
            .related(column.span, format!("this is {}", column.dtype))
            .help("name a column of dates or datetimes, or write `after 30d`");
            cx.out.push(diagnostic);
        }
        return None;
    }
    let clock = column.clock.clone()?;
    // The moment itself is not known earlier than what it brings, unless it is the row's own time.
    if column.role != Role::Time {
        let origin = format!("{}.{}", dataset.name.name, at.name);
        let column = table.get_mut(&at.name)?;
        column.taint.add(origin.clone(), TaintSource::new(TaintKind::Late, at.span));
        column.taint.know(&origin, clock.clone());
    }
    Some(clock)
}

fn known_after(dataset: &Dataset, attribute: &Attribute, table: &Table, cx: &mut Context<'_>) -> Option<Clock> {
    let after = attribute.after.as_ref()?;
    let Some(Value::Duration(us)) = options::constant(after).filter(|v| matches!(v, Value::Duration(us) if *us >= 0))
    else {
        let what = options::describe(after);
        let diagnostic = Diagnostic::error(Code::E0105, after.span, format!("`after` wants a duration, not {what}"))
            .label("not a duration")
            .help("write `late after 30d`");
        cx.out.push(diagnostic);
        return None;
    };
    let Some(time) = table.time() else {
        if !table.broken {
            let message = format!("`{}` has no `time` column that `after` could count from", dataset.name.name);
            let diagnostic = Diagnostic::error(Code::E0108, attribute.span, message)
                .label("after what?")
                .help("mark the column that says when a row came to be: `at: datetime time`");
            cx.out.push(diagnostic);
        }
        return None;
    };
    time.clock.as_ref()?.shifted(us)
}
