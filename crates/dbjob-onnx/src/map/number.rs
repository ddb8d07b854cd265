//! Maps of numbers.

use std::f64::consts::TAU;

use dbjob_plan::{Affine, MapLink, MapState, Value};

use crate::column::{Column, FLOAT, Form, INT, any_null};
use crate::expr::{expm1, float_mod, log1p, rest};
use crate::graph::{Element, Graph, Tensor};

/// (x - shift) / scale.
pub(super) fn scaled(x: &Column, scale: Affine, g: &mut Graph) -> Column {
    let value = x.float(g);
    Column::new(forward(&value, scale, g), FLOAT).with_null(x.null.clone())
}

fn forward(x: &Tensor, scale: Affine, g: &mut Graph) -> Tensor {
    let (shift, scale) = (g.float(scale.shift), g.float(scale.scale));
    let moved = g.op("Sub", &[x, &shift]);
    g.op("Div", &[&moved, &scale])
}

/// y · scale + shift.
pub(super) fn back(y: &Tensor, scale: Affine, g: &mut Graph) -> Tensor {
    let (shift, scale) = (g.float(scale.shift), g.float(scale.scale));
    let wide = g.op("Mul", &[y, &scale]);
    g.op("Add", &[&wide, &shift])
}

/// The power of Yeo and Johnson, then the scale.
pub(super) fn power(x: &Column, lambda: f64, scale: Affine, g: &mut Graph) -> Column {
    let value = x.float(g);
    let bent = mirrored(&value, g, |size, below, g| raise(size, if below { 2.0 - lambda } else { lambda }, g));
    Column::new(forward(&bent, scale, g), FLOAT).with_null(x.null.clone())
}

pub(super) fn unbend(y: &Tensor, lambda: f64, g: &mut Graph) -> Tensor {
    mirrored(y, g, |size, below, g| lower(size, if below { 2.0 - lambda } else { lambda }, g))
}

/// What `half` makes of the size of x, of the sign of x. Below 0 it makes something else.
fn mirrored(x: &Tensor, g: &mut Graph, half: impl Fn(&Tensor, bool, &mut Graph) -> Tensor) -> Tensor {
    let (size, zero) = (g.op("Abs", &[x]), g.float(0.0));
    let negative = g.op("Less", &[x, &zero]);
    let (above, below) = (half(&size, false, g), half(&size, true, g));
    let below = g.op("Neg", &[&below]);
    g.select(&negative, &below, &above)
}

/// ((1 + x) ** power - 1) / power of x >= 0.
fn raise(x: &Tensor, power: f64, g: &mut Graph) -> Tensor {
    let log = log1p(x, g);
    if power == 0.0 {
        return log;
    }
    let power = g.float(power);
    let product = g.op("Mul", &[&log, &power]);
    let product = expm1(&product, g);
    g.op("Div", &[&product, &power])
}

/// The inverse; beyond the end there is nothing.
fn lower(y: &Tensor, power: f64, g: &mut Graph) -> Tensor {
    if power == 0.0 {
        return expm1(y, g);
    }
    let (power, end) = (g.float(power), g.float(-1.0));
    let inner = g.op("Mul", &[y, &power]);
    let beyond = g.op("Less", &[&inner, &end]);
    let inner = g.select(&beyond, &end, &inner);
    let log = log1p(&inner, g);
    let log = g.op("Div", &[&log, &power]);
    expm1(&log, g)
}

/// NaN stays NaN.
pub(super) fn clip(x: &Column, link: &MapLink, g: &mut Graph) -> Option<Column> {
    let end = |name: &str| link.options.get(name).unwrap_or(&Value::Null);
    let (value, low, high, form) = match (end("low").as_i64(), end("high").as_i64()) {
        (Some(low), Some(high)) if link.to == dbjob_plan::DataType::Int => {
            (x.value.clone(), g.int(low), g.int(high), INT)
        }
        _ => (x.float(g), g.float(end("low").as_f64()?), g.float(end("high").as_f64()?), FLOAT),
    };
    let (under, over) = (g.op("Less", &[&value, &low]), g.op("Greater", &[&value, &high]));
    let inside = g.select(&over, &high, &value);
    Some(Column::new(g.select(&under, &low, &inside), form).with_null(x.null.clone()))
}

/// The number of edges that are not above the value; NaN is above all.
pub(super) fn bucket(x: &Column, link: &MapLink, state: Option<&MapState>, g: &mut Graph) -> Option<Column> {
    let edges: Vec<f64> = match (state, link.options.get("edges")) {
        (Some(MapState::Edges { edges }), _) => edges.clone(),
        (None, Some(Value::List(edges))) => edges.iter().filter_map(Value::as_f64).collect(),
        _ => return None,
    };
    let value = x.float(g);
    let at = at_or_below(&value, &edges, g);
    let (all, nan) = (g.int(edges.len() as i64), g.op("IsNaN", &[&value]));
    Some(Column::new(g.select(&nan, &all, &at), INT).with_null(x.null.clone()))
}

/// How many of the edges are not above each value.
fn at_or_below(x: &Tensor, edges: &[f64], g: &mut Graph) -> Tensor {
    let (x, edges) = (g.as_column(x), g.floats(edges, &[1, edges.len() as i64]));
    let passed = g.op("GreaterOrEqual", &[&x, &edges]);
    let passed = g.cast(&passed, Element::Int);
    g.sum(&passed, 1)
}

/// The longest period of whole numbers that becomes a table.
const LONGEST: f64 = 10_000.0;

/// A point on the unit circle.
pub(super) fn cyclic(x: &Column, link: &MapLink, g: &mut Graph) -> Column {
    let period = link.options.get("period").and_then(Value::as_f64).unwrap_or(1.0);
    if x.form == INT && period.fract() == 0.0 && (1.0..=LONGEST).contains(&period) {
        // By a table: the last digit of a sine tells two hours apart, and is not the same everywhere.
        let point = |rest: i64| <[f64; 2]>::from((rest as f64 / period * TAU).sin_cos());
        let points: Vec<f64> = (0..period as i64).flat_map(point).collect();
        let (table, rest) = (g.floats(&points, &[period as i64, 2]), rest(&x.value, period as i64, g));
        return Column::new(g.pick(&table, &rest), Form::Many).with_null(x.null.clone());
    }
    let (value, period, tau) = (x.float(g), g.float(period), g.float(TAU));
    let rest = float_mod(&value, &period, g);
    let turns = g.op("Div", &[&rest, &period]);
    let angle = g.op("Mul", &[&turns, &tau]);
    let (sin, cos) = (g.op("Sin", &[&angle]), g.op("Cos", &[&angle]));
    let parts = [g.as_column(&sin), g.as_column(&cos)];
    Column::new(g.beside(&parts), Form::Many).with_null(x.null.clone())
}

/// Along the axes, from the centre.
pub(super) fn pca(columns: &[Column], center: &[f64], axes: &[Vec<f64>], g: &mut Graph) -> Column {
    let parts: Vec<Tensor> = columns
        .iter()
        .map(|c| match c.form {
            Form::Many => c.value.clone(),
            _ => {
                let value = c.float(g);
                g.as_column(&value)
            }
        })
        .collect();
    let (points, width) = (g.beside(&parts), center.len() as i64);
    let center = g.floats(center, &[1, width]);
    let off = g.op("Sub", &[&points, &center]);
    let by_place: Vec<f64> = (0..width as usize).flat_map(|i| axes.iter().map(move |axis| axis[i])).collect();
    let axes = g.floats(&by_place, &[width, axes.len() as i64]);
    let null = any_null(g, &columns.iter().collect::<Vec<_>>());
    Column::new(g.op("MatMul", &[&off, &axes]), Form::Many).with_null(null)
}
