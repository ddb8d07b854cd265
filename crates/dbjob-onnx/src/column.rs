//! Columns in a graph: values, and which of them are null.

use std::collections::BTreeMap;

use dbjob_plan::DataType;

use crate::graph::{Element, Graph, Tensor};

#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub value: Tensor,
    pub form: Form,
    /// True where the value is null, and means nothing.
    pub null: Option<Tensor>,
}

/// What a column's values are in the graph. Dates are ints: days; moments and durations microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    One(Element),
    /// A row of floats.
    Many,
}

pub(crate) const INT: Form = Form::One(Element::Int);
pub(crate) const FLOAT: Form = Form::One(Element::Float);
pub(crate) const BOOL: Form = Form::One(Element::Bool);
pub(crate) const TEXT: Form = Form::One(Element::Text);

/// The columns of a table by name.
pub(crate) type Columns = BTreeMap<String, Column>;

/// `None`: the graph has no such values.
pub(crate) fn form_of(dtype: &DataType) -> Option<Form> {
    Some(match dtype {
        DataType::Int | DataType::Date | DataType::Datetime | DataType::Duration => INT,
        DataType::Float => FLOAT,
        DataType::Bool => BOOL,
        DataType::String | DataType::Category { .. } => TEXT,
        DataType::Vector { .. } => Form::Many,
        DataType::Decimal { .. } | DataType::List { .. } | DataType::Unknown => return None,
    })
}

impl Column {
    pub fn new(value: Tensor, form: Form) -> Self {
        Self { value, form, null: None }
    }

    pub fn with_null(self, null: Option<Tensor>) -> Self {
        Self { null, ..self }
    }

    /// As floats; bools are 0 and 1.
    pub fn float(&self, g: &mut Graph) -> Tensor {
        if self.form == FLOAT { self.value.clone() } else { g.cast(&self.value, Element::Float) }
    }

    /// Where it is true and not null.
    pub fn holds(&self, g: &mut Graph) -> Tensor {
        match &self.null {
            None => self.value.clone(),
            Some(null) => {
                let known = g.op("Not", &[null]);
                g.op("And", &[&self.value, &known])
            }
        }
    }

    /// Where it is false and not null.
    pub fn fails(&self, g: &mut Graph) -> Tensor {
        match &self.null {
            None => g.op("Not", &[&self.value]),
            Some(null) => {
                let either = g.op("Or", &[&self.value, null]);
                g.op("Not", &[&either])
            }
        }
    }

    /// A column of this type in the place of one that cannot be had, so that what comes behind it can still be looked at.
    pub fn in_place(g: &mut Graph, dtype: &DataType) -> Self {
        let form = form_of(dtype).unwrap_or(FLOAT);
        let value = match form {
            INT => g.int(0),
            BOOL => g.bool(false),
            TEXT => g.text(""),
            FLOAT => g.float(0.0),
            Form::Many => {
                let zero = g.float(0.0);
                g.as_column(&zero)
            }
        };
        Self::new(value, form)
    }
}

/// Where one of them is null.
pub(crate) fn any_null(g: &mut Graph, columns: &[&Column]) -> Option<Tensor> {
    columns.iter().filter_map(|c| c.null.clone()).reduce(|a, b| g.op("Or", &[&a, &b]))
}

/// Where one of two conditions holds.
pub(crate) fn either(g: &mut Graph, a: Option<Tensor>, b: Option<Tensor>) -> Option<Tensor> {
    match (a, b) {
        (Some(a), Some(b)) => Some(g.op("Or", &[&a, &b])),
        (one, other) => one.or(other),
    }
}
