//! What callers get: the columns that `dbjob predict` adds, under its names.

use dbjob_plan::{Calibration, Curve, DataType, FitSpec, Span, Task, Value, interval_columns, probability_column};

use crate::column::{Column, FLOAT, INT};
use crate::graph::{Attribute, Element, Graph, Tensor};
use crate::map::{self, States};
use crate::refused::Refused;
use crate::{Prefix, expr};

/// Turns what the learner says into outputs.
pub(crate) struct Answers<'a> {
    pub spec: &'a FitSpec,
    /// In the order of the scores, in the caller's units; empty for numbers.
    pub classes: &'a [Value],
    pub states: States<'a>,
    pub prefix: Prefix<'a>,
}

impl Answers<'_> {
    /// The names of the outputs, in order.
    pub fn names(&self) -> Vec<String> {
        let Prefix(prefix) = self.prefix;
        let mut names = vec![prefix.to_owned()];
        match self.spec.task {
            Task::Classification => names.extend(self.told().map(|(_, name)| name)),
            Task::Regression if self.spec.conformal.is_some() => names.extend(interval_columns(prefix)),
            Task::Regression | Task::Clustering => {}
        }
        names.push(refused_name(prefix));
        names
    }

    /// The classes whose probabilities are told, with the columns' names.
    fn told(&self) -> impl Iterator<Item = (usize, String)> {
        let dtype = &self.spec.output.dtype;
        let told = self.classes.iter().enumerate();
        told.filter(move |(_, class)| *dtype != DataType::Bool || **class == Value::Bool(true))
            .map(|(at, class)| (at, probability_column(self.prefix.0, dtype, class)))
    }

    /// `scores`: (rows, classes) probabilities.
    pub fn classes(&self, scores: Tensor, g: &mut Graph) {
        let scores = match &self.spec.calibration {
            Some(calibration) => calibrated(scores, self.classes, calibration, g),
            None => scores,
        };
        let code = match (self.spec.fixed_threshold(), self.classes) {
            (Some(threshold), [_, _]) => {
                let (of_true, threshold) = (g.column(&scores, 1), g.float(threshold));
                let reached = g.op("GreaterOrEqual", &[&of_true, &threshold]);
                g.cast(&reached, Element::Int)
            }
            _ => g.op_with("ArgMax", &[&scores], vec![("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(0))]),
        };
        let Prefix(prefix) = self.prefix;
        let doc = || "the most probable class".to_owned();
        match &self.spec.output.dtype {
            DataType::Bool => {
                let yes = self.classes.iter().position(|c| *c == Value::Bool(true)).unwrap_or(1);
                let yes = g.int(yes as i64);
                let label = g.op("Equal", &[&code, &yes]);
                g.output(prefix, &label, Element::Bool, doc());
            }
            DataType::Int => {
                let values: Vec<i64> = self.classes.iter().filter_map(Value::as_i64).collect();
                let table = g.ints(&values, &[values.len() as i64]);
                let label = g.pick(&table, &code);
                g.output(prefix, &label, Element::Int, doc());
            }
            _ => {
                let values: Vec<String> = self.classes.iter().filter_map(|c| c.as_str().map(str::to_owned)).collect();
                let table = g.texts(&values);
                let label = g.pick(&table, &code);
                g.output(prefix, &label, Element::Text, doc());
            }
        }
        for (at, name) in self.told() {
            let probability = g.column(&scores, at);
            g.output(&name, &probability, Element::Float, format!("the probability of {}", self.classes[at]));
        }
    }

    /// `scores`: one number a row.
    pub fn number(&self, scores: Tensor, g: &mut Graph) -> Result<(), Refused> {
        let output = &self.spec.output;
        let number = Column::new(scores, FLOAT);
        let mut number = map::undo(number, &output.unmap, self.states, Span::default(), g)?;
        if output.dtype == DataType::Int && number.form == FLOAT {
            number = map::nearest_int(number, g);
        }
        // A number has a NaN only where it may be lost on the way back.
        let lossy = output.may_be_lost();
        let Prefix(prefix) = self.prefix;
        let doc = |said: &str| if lossy { format!("{said}; NaN is null") } else { said.to_owned() };
        let value = number.float(g);
        let value = match &number.null {
            Some(null) if lossy => {
                let nan = g.float(f64::NAN);
                g.select(null, &nan, &value)
            }
            _ => value,
        };
        if number.form == INT && !lossy {
            g.output(prefix, &number.value, Element::Int, doc("the prediction"));
        } else {
            g.output(prefix, &value, Element::Float, doc("the prediction"));
        }
        if let Some(conformal) = self.spec.conformal {
            let radius = g.float(conformal.radius.unwrap_or(f64::NAN));
            for (name, op) in interval_columns(prefix).iter().zip(["Sub", "Add"]) {
                let end = g.op(op, &[&value, &radius]);
                g.output(name, &end, Element::Float, doc("an end of the interval of the prediction"));
            }
        }
        Ok(())
    }

    pub fn refused(&self, refused: Option<Tensor>, g: &mut Graph) {
        let refused = refused.unwrap_or_else(|| g.bool(false));
        let doc = "whether `dbjob predict` would refuse the row; the other outputs mean nothing then".to_owned();
        g.output(&refused_name(self.prefix.0), &refused, Element::Bool, doc);
    }
}

fn refused_name(prefix: &str) -> String {
    format!("{prefix}_refused")
}

/// The probabilities that callers get.
fn calibrated(scores: Tensor, classes: &[Value], calibration: &Calibration, g: &mut Graph) -> Tensor {
    let curve = |class: &Value| calibration.curves.iter().find(|c| c.class == *class).map(|c| &c.curve);
    if let [_, second] = classes {
        let Some(curve) = curve(second) else { return scores };
        let of_second = g.column(&scores, 1);
        let of_second = along(curve, &of_second, g);
        let one = g.float(1.0);
        let of_first = g.op("Sub", &[&one, &of_second]);
        let parts = [g.as_column(&of_first), g.as_column(&of_second)];
        return g.beside(&parts);
    }
    let mut parts = Vec::new();
    for (at, class) in classes.iter().enumerate() {
        let column = g.column(&scores, at);
        let column = match curve(class) {
            Some(curve) => along(curve, &column, g),
            None => column,
        };
        parts.push(g.as_column(&column));
    }
    let all = g.beside(&parts);
    let sum = g.sum(&all, 1);
    let sum = g.as_column(&sum);
    let shares = g.op("Div", &[&all, &sum]);
    // Where every class is ruled out none is likelier.
    let (zero, equal) = (g.float(0.0), g.float(1.0 / classes.len().max(1) as f64));
    let some = g.op("Greater", &[&sum, &zero]);
    g.select(&some, &shares, &equal)
}

/// Log-odds beyond these count as these.
const MOST_LOG_ODDS: f64 = 14.0;

fn along(curve: &Curve, probability: &Tensor, g: &mut Graph) -> Tensor {
    match curve {
        Curve::Sigmoid { of_log_odds, slope, intercept } => {
            let z = if *of_log_odds { log_odds(probability, g) } else { probability.clone() };
            let (slope, intercept) = (g.float(*slope), g.float(*intercept));
            let z = g.op("Mul", &[&z, &slope]);
            let z = g.op("Add", &[&z, &intercept]);
            g.op("Sigmoid", &[&z])
        }
        Curve::Points { from, to } => between(from, to, probability, g),
    }
}

fn log_odds(probability: &Tensor, g: &mut Graph) -> Tensor {
    let log = g.op("Log", &[probability]);
    let negative = g.op("Neg", &[probability]);
    let other = expr::log1p(&negative, g);
    let odds = g.op("Sub", &[&log, &other]);
    let (low, high) = (g.float(-MOST_LOG_ODDS), g.float(MOST_LOG_ODDS));
    let odds = g.op("Max", &[&odds, &low]);
    g.op("Min", &[&odds, &high])
}

/// Linear between the points, and as at the ends beyond them.
fn between(from: &[f64], to: &[f64], probability: &Tensor, g: &mut Graph) -> Tensor {
    let count = from.len() as i64;
    let x = g.as_column(probability);
    let points = g.floats(from, &[1, count]);
    let passed = g.op("Less", &[&points, &x]);
    let passed = g.cast(&passed, Element::Int);
    let above = g.sum(&passed, 1);
    let (zero, one, last) = (g.int(0), g.int(1), g.int(count - 1));
    let below = g.op("Sub", &[&above, &one]);
    let below = g.op("Max", &[&below, &zero]);
    let next = g.op("Min", &[&above, &last]);
    let (from, to) = (g.floats(from, &[count]), g.floats(to, &[count]));
    let [x0, x1] = [&below, &next].map(|at| g.pick(&from, at));
    let [y0, y1] = [&below, &next].map(|at| g.pick(&to, at));
    let (way, width) = (g.op("Sub", &[probability, &x0]), g.op("Sub", &[&x1, &x0]));
    let share = g.op("Div", &[&way, &width]);
    let rise = g.op("Sub", &[&y1, &y0]);
    let rise = g.op("Mul", &[&share, &rise]);
    let on_the_way = g.op("Add", &[&y0, &rise]);
    // At the ends both points are one.
    let same = g.op("Equal", &[&below, &next]);
    g.select(&same, &y0, &on_the_way)
}
