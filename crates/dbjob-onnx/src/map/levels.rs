//! Maps of categories, by tables of their levels.

use dbjob_plan::{DataType, MapLink, MapState, Value};

use super::Mapped;
use crate::column::{BOOL, Column, FLOAT, Form, INT, TEXT};
use crate::graph::{Element, Graph, Tensor};

/// The levels that a link goes by: learned, given as an option, or declared.
pub(super) fn levels(link: &MapLink, state: Option<&MapState>) -> Option<Vec<String>> {
    if let Some(MapState::Levels { levels }) = state {
        return Some(levels.clone());
    }
    if let Some(Value::List(items)) = link.options.get("levels") {
        return Some(items.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_string)).collect());
    }
    match &link.from {
        DataType::Category { levels: Some(levels) } => Some(levels.clone()),
        DataType::Bool => Some(vec!["false".into(), "true".into()]),
        _ => None,
    }
}

/// The place of each value's text among the keys, -1 for others and for null. `None`: such values have no texts in a graph.
fn places(x: &Column, from: &DataType, keys: &[String], g: &mut Graph) -> Option<Tensor> {
    let place = match (x.form, from) {
        (TEXT, _) => g.code_of_text(&x.value, keys),
        (INT, DataType::Int) => {
            // What is no int is no level of one.
            let ints: Vec<(i64, i64)> =
                keys.iter().zip(0..).filter_map(|(key, at)| Some((key.parse().ok()?, at))).collect();
            let (keys, at): (Vec<i64>, Vec<i64>) = ints.into_iter().unzip();
            let code = g.code_of_int(&x.value, &keys);
            pick_int(&code, &at, -1, g)
        }
        (BOOL, _) => {
            let code = g.cast(&x.value, Element::Int);
            let at = |word: &str| keys.iter().position(|k| k == word).map_or(-1, |i| i as i64);
            pick_int(&code, &[at("false"), at("true")], -1, g)
        }
        _ => return None,
    };
    Some(match &x.null {
        Some(null) => {
            let none = g.int(-1);
            g.select(null, &none, &place)
        }
        None => place,
    })
}

/// The int of each place; of -1 the last.
fn pick_int(place: &Tensor, ints: &[i64], last: i64, g: &mut Graph) -> Tensor {
    let all: Vec<i64> = ints.iter().copied().chain([last]).collect();
    let (table, at) = (g.ints(&all, &[all.len() as i64]), behind(place, ints.len(), g));
    g.pick(&table, &at)
}

/// -1 as the place behind all others.
fn behind(place: &Tensor, count: usize, g: &mut Graph) -> Tensor {
    let (zero, last) = (g.int(0), g.int(count as i64));
    let none = g.op("Less", &[place, &zero]);
    g.select(&none, &last, place)
}

pub(super) fn index(x: &Column, link: &MapLink, state: Option<&MapState>, g: &mut Graph) -> Option<Column> {
    let place = places(x, &link.from, &levels(link, state)?, g)?;
    Some(Column::new(place, INT).with_null(x.null.clone()))
}

/// [`index`], or the text at a place; a value that has none is refused.
pub(super) fn labels(x: &Column, link: &MapLink, g: &mut Graph) -> Option<Mapped> {
    let levels = levels(link, None)?;
    let (place, text) = match x.form {
        TEXT => (g.code_of_text(&x.value, &levels), false),
        BOOL => (g.cast(&x.value, Element::Int), true),
        INT => {
            let all: Vec<i64> = (0..levels.len() as i64).collect();
            (g.code_of_int(&x.value, &all), true)
        }
        _ => return None,
    };
    let zero = g.int(0);
    let mut unknown = g.op("Less", &[&place, &zero]);
    if let Some(null) = &x.null {
        let there = g.op("Not", &[null]);
        unknown = g.op("And", &[&unknown, &there]);
    }
    let column = if text { text_at(&place, &levels, g) } else { Column::new(place, INT) };
    Some(Mapped { column: column.with_null(x.null.clone()), refused: Some(unknown) })
}

/// The text at each place; of a place that is not there: null.
pub(super) fn text_at(place: &Tensor, levels: &[String], g: &mut Graph) -> Column {
    let (zero, count) = (g.int(0), g.int(levels.len() as i64));
    let (below, above) = (g.op("Less", &[place, &zero]), g.op("GreaterOrEqual", &[place, &count]));
    let outside = g.op("Or", &[&below, &above]);
    let at = g.select(&outside, &zero, place);
    let table = g.texts(levels);
    Column::new(g.pick(&table, &at), TEXT).with_null(Some(outside))
}

/// Null and unseen levels are all zeros.
pub(super) fn one_hot(x: &Column, link: &MapLink, state: Option<&MapState>, g: &mut Graph) -> Option<Column> {
    let levels = levels(link, state)?;
    let place = places(x, &link.from, &levels, g)?;
    let all: Vec<i64> = (0..levels.len() as i64).collect();
    let (place, all) = (g.as_column(&place), g.ints(&all, &[1, levels.len() as i64]));
    let hot = g.op("Equal", &[&place, &all]);
    Some(Column::new(g.cast(&hot, Element::Float), Form::Many))
}

/// The number of each level; `other` of one that is not among them.
pub(super) fn encoded<'a>(
    x: &Column,
    link: &MapLink,
    numbers: impl Iterator<Item = (&'a str, f64)>,
    other: f64,
    g: &mut Graph,
) -> Option<Column> {
    let (keys, mut numbers): (Vec<String>, Vec<f64>) = numbers.map(|(key, n)| (key.to_owned(), n)).unzip();
    let place = places(x, &link.from, &keys, g)?;
    numbers.push(other);
    let (table, at) = (g.floats(&numbers, &[numbers.len() as i64]), behind(&place, keys.len(), g));
    Some(Column::new(g.pick(&table, &at), FLOAT).with_null(x.null.clone()))
}

/// The inverse of [`labels`] of a bool or int.
pub(super) fn place_of(x: &Column, levels: &[String], to: &DataType, g: &mut Graph) -> Column {
    let place = g.code_of_text(&x.value, levels);
    let zero = g.int(0);
    let unknown = g.op("Less", &[&place, &zero]);
    let null = crate::column::either(g, x.null.clone(), Some(unknown));
    match to {
        DataType::Bool => Column::new(g.op("Greater", &[&place, &zero]), BOOL).with_null(null),
        _ => Column::new(place, INT).with_null(null),
    }
}

/// The level of the largest value above 0; all zeros are null.
pub(super) fn hottest(x: &Column, levels: &[String], g: &mut Graph) -> Column {
    use crate::graph::Attribute::{Int, Ints};
    let place = g.op_with("ArgMax", &[&x.value], vec![("axis", Int(1)), ("keepdims", Int(0))]);
    let most = g.op_with("ReduceMax", &[&x.value], vec![("axes", Ints(vec![1])), ("keepdims", Int(0))]);
    let zero = g.float(0.0);
    let cold = g.op("LessOrEqual", &[&most, &zero]);
    let text = text_at(&place, levels, g);
    let null = crate::column::either(g, text.null.clone(), Some(cold));
    let null = crate::column::either(g, x.null.clone(), null);
    text.with_null(null)
}
