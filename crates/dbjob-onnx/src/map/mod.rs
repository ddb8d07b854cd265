//! Maps and their inverses as operators, by what was learned.

mod back;
mod levels;
mod number;
mod state;

use std::collections::BTreeMap;

use dbjob_plan::{Formula, MAPPED, MapLink, MapState, Span, Value};

pub(crate) use back::{nearest_int, undo};
pub(crate) use state::States;

use crate::column::{Column, FLOAT, Form, INT, TEXT, form_of};
use crate::expr;
use crate::graph::{Element, Graph, Tensor};
use crate::refused::Refused;

/// What a map makes of its columns, and where `dbjob predict` would refuse the row.
pub(crate) struct Mapped {
    pub column: Column,
    pub refused: Option<Tensor>,
}

impl From<Column> for Mapped {
    fn from(column: Column) -> Self {
        Self { column, refused: None }
    }
}

/// The mapped form of the first column (of all, for a map of several).
pub(crate) fn apply(
    link: &MapLink,
    columns: &[Column],
    states: States<'_>,
    span: Span,
    g: &mut Graph,
) -> Result<Mapped, Refused> {
    let x = &columns[0];
    if let Some(formula) = &link.formula {
        return by_formula(link, formula, x, span, g);
    }
    let state = states.of(link);
    let refuse = || Refused::new(span, format!("the map `{}` of a {}", link.map, link.from), expr::BEFORE);
    let mapped = match (link.map.as_str(), state.as_deref()) {
        ("standardize" | "min_max" | "robust", Some(MapState::Affine(scale))) => number::scaled(x, *scale, g),
        ("power", Some(MapState::Power { lambda, scale })) => number::power(x, *lambda, *scale, g),
        ("clip", None) => number::clip(x, link, g).ok_or_else(refuse)?,
        ("bucket", state) => number::bucket(x, link, state, g).ok_or_else(refuse)?,
        ("cyclic", None) => number::cyclic(x, link, g),
        ("pca", Some(MapState::Axes { center, axes })) => number::pca(columns, center, axes, g),
        ("impute", state) => impute(x, link, state, g).ok_or_else(refuse)?,
        ("labels", None) => return levels::labels(x, link, g).ok_or_else(refuse),
        ("index", state) => levels::index(x, link, state, g).ok_or_else(refuse)?,
        ("one_hot", state) => levels::one_hot(x, link, state, g).ok_or_else(refuse)?,
        ("count_encode", Some(MapState::Counts { counts })) => {
            let numbers = counts.iter().map(|(level, n)| (level.as_str(), *n as f64));
            let column = levels::encoded(x, link, numbers, 0.0, g).ok_or_else(refuse)?;
            Column { value: g.cast(&column.value, Element::Int), form: INT, ..column }
        }
        ("target_encode", Some(MapState::Means(means))) => {
            let numbers = means.levels.iter().map(|(level, mean)| (level.as_str(), *mean));
            levels::encoded(x, link, numbers, means.all, g).ok_or_else(refuse)?
        }
        _ => return Err(refuse()),
    };
    Ok(mapped.into())
}

fn by_formula(link: &MapLink, formula: &Formula, x: &Column, span: Span, g: &mut Graph) -> Result<Mapped, Refused> {
    let columns = BTreeMap::from([(MAPPED.to_owned(), x.clone())]);
    let mapped = expr::lower(&formula.forward, &columns, g).map_err(|e| located(e, span))?;
    let mapped = in_form(mapped, form_of(&link.to), g);
    if !formula.strict {
        return Ok(mapped.into());
    }
    // A value for which there is no finite result.
    let mut refused = mapped.null.clone();
    if mapped.form == FLOAT {
        let unfit = not_finite(&mapped.value, g);
        let unfit = match x.form {
            FLOAT => {
                let was = not_finite(&x.value, g);
                let was = g.op("Not", &[&was]);
                g.op("And", &[&unfit, &was])
            }
            _ => unfit,
        };
        refused = crate::column::either(g, refused, Some(unfit));
    }
    if let (Some(found), Some(null)) = (&refused, &x.null) {
        let there = g.op("Not", &[null]);
        refused = Some(g.op("And", &[found, &there]));
    }
    Ok(Mapped { column: mapped.with_null(x.null.clone()), refused })
}

/// The formulas of the catalog are written nowhere in the job.
pub(super) fn located(refused: Refused, span: Span) -> Refused {
    if refused.span == Span::default() { Refused { span, ..refused } } else { refused }
}

/// An int as the float that it is to be.
pub(super) fn in_form(column: Column, form: Option<Form>, g: &mut Graph) -> Column {
    match (column.form, form) {
        (INT, Some(FLOAT)) => Column { value: g.cast(&column.value, Element::Float), form: FLOAT, ..column },
        (FLOAT, Some(INT)) => Column { value: g.cast(&column.value, Element::Int), form: INT, ..column },
        _ => column,
    }
}

pub(crate) fn not_finite(x: &Tensor, g: &mut Graph) -> Tensor {
    let (nan, infinite) = (g.op("IsNaN", &[x]), g.op("IsInf", &[x]));
    g.op("Or", &[&nan, &infinite])
}

fn impute(x: &Column, link: &MapLink, state: Option<&MapState>, g: &mut Graph) -> Option<Column> {
    let value = match (state, link.options.get("value")) {
        (Some(MapState::Fill { value }), _) => value.value(),
        (None, Some(value)) => value.clone(),
        _ => return None,
    };
    let form = form_of(&link.to)?;
    let x = in_form(x.clone(), Some(form), g);
    let Some(null) = x.null.clone() else { return Some(x) };
    let filler = match (form, &value) {
        (INT, Value::Int(i) | Value::Datetime(i) | Value::Duration(i)) => g.int(*i),
        (INT, Value::Date(days)) => g.int(i64::from(*days)),
        (FLOAT, value) => g.float(value.as_f64()?),
        (TEXT, value) => g.text(value.as_str()?),
        (_, Value::Bool(b)) => g.bool(*b),
        _ => return None,
    };
    let plain = |value: Tensor| Column::new(value, form);
    Some(expr::choose(g, &null, &plain(filler), &plain(x.value)))
}
