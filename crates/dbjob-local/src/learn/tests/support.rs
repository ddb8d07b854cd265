//! Small fits for tests: a table, what to learn from it, a run that records its events.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use dbjob_plan::{
    Algorithm, BinaryOp, Cancel, DataType, Event, Expr, ExprKind, Field, FitSpec, Input, MapColumn, MapLink, Node, Op,
    Output, PART, Plan, Requirement, RunContext, RunError, Schema, Serving, Span, Task, Value,
};
use polars::prelude::{self as pl, Column, DataFrame, IntoColumn, NamedFrom, Series};

use crate::learn::{Fitting, Fresh, Judge, Learned};
use crate::map::MapStates;

/// A run whose events are kept.
pub struct Run {
    pub events: Mutex<Vec<Event>>,
    pub cancel: Cancel,
}

impl Run {
    pub fn new() -> Self {
        Self { events: Mutex::default(), cancel: Cancel::default() }
    }

    pub fn with<T>(&self, base: &Path, threads: usize, work: impl FnOnce(&RunContext<'_>) -> T) -> T {
        let observer = |event| self.events.lock().unwrap().push(event);
        work(&RunContext { cancel: self.cancel.clone(), threads, ..RunContext::new(base.to_owned(), &observer) })
    }

    pub fn warnings(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .filter_map(|e| if let Event::Warning { message, .. } = e { Some(message.clone()) } else { None })
            .collect()
    }
}

pub fn fit(spec: &FitSpec, table: &DataFrame, maps: &MapStates) -> Result<Learned, RunError> {
    Run::new().with(Path::new("."), 2, |cx| fit_with(spec, table, maps, cx))
}

pub fn fit_with(spec: &FitSpec, table: &DataFrame, maps: &MapStates, cx: &RunContext<'_>) -> Result<Learned, RunError> {
    let judge = Judge { held_out: Vec::new(), live: &None, maps, cx, item: "m" };
    let fitting = Fitting { cx, item: "m", threads: cx.threads, until: None, checkpoint: None, rounds: None };
    Fresh::fit(spec, table, maps, &fitting)?.judged(table, judge)
}

pub fn series<T, S: AsRef<[T]>>(name: &str, values: S) -> Column
where
    Series: NamedFrom<S, [T]>,
{
    Series::new(name.into(), values).into_column()
}

pub fn table(columns: Vec<Column>) -> DataFrame {
    DataFrame::new(columns[0].len(), columns).unwrap()
}

/// 200 rows: features `a` (float), `b` (int), `c` (bool) that say nearly everything about `score`; the last 40 are test.
pub fn base() -> Vec<Column> {
    let n = 200;
    let a: Vec<f64> = (0..n).map(|i| ((i * 37) % 101) as f64 / 10.0).collect();
    let b: Vec<i64> = (0..n).map(|i| (i * 13) % 29).collect();
    let c: Vec<bool> = (0..n).map(|i| i % 3 == 0).collect();
    let part: Vec<i64> = (0..n)
        .map(|i| {
            if i < 150 {
                0
            } else if i < 160 {
                1
            } else {
                2
            }
        })
        .collect();
    let id: Vec<i64> = (0..n).map(|i| 1000 + i).collect();
    vec![series("id", id), series("a", a), series("b", b), series("c", c), series(PART, part)]
}

/// A number that the features of [`base`] tell, of each row.
pub fn score(columns: &[Column]) -> Vec<f64> {
    let (a, b, c) = (columns[1].f64().unwrap(), columns[2].i64().unwrap(), columns[3].bool().unwrap());
    (0..a.len())
        .map(|i| a.get(i).unwrap() - 0.2 * b.get(i).unwrap() as f64 + if c.get(i).unwrap() { 1.5 } else { 0.0 })
        .collect()
}

pub fn algorithm(name: &str) -> Algorithm {
    let word = |w: &str| Value::Word(w.to_owned());
    let options: Vec<(&str, Value)> = match name {
        "logistic_regression" => vec![
            ("penalty", word("l2")),
            ("c", Value::Float(1.0)),
            ("l1_ratio", Value::Float(0.5)),
            ("fit_intercept", Value::Bool(true)),
            ("max_iter", Value::Int(100)),
            ("tol", Value::Float(1e-4)),
            ("optimizer", word("auto")),
            ("epochs", Value::Int(100)),
            ("learning_rate", Value::Float(0.01)),
            ("batch_size", Value::Int(256)),
            ("class_weight", word("none")),
        ],
        "ridge" => vec![("alpha", Value::Float(1.0)), ("fit_intercept", Value::Bool(true))],
        "poisson_regression" => vec![
            ("alpha", Value::Float(1.0)),
            ("fit_intercept", Value::Bool(true)),
            ("optimizer", word("auto")),
            ("max_iter", Value::Int(100)),
            ("tol", Value::Float(1e-4)),
        ],
        "linear_regression" => vec![("fit_intercept", Value::Bool(true))],
        "random_forest" => vec![
            ("trees", Value::Int(20)),
            ("max_depth", Value::Null),
            ("max_features", Value::Null),
            ("min_samples_leaf", Value::Int(1)),
            ("min_samples_split", Value::Int(2)),
            ("bootstrap", Value::Bool(true)),
            ("max_bins", Value::Int(255)),
            ("criterion", word("gini")),
            ("class_weight", word("none")),
        ],
        _ => vec![],
    };
    let options: BTreeMap<String, Value> = options.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    Algorithm { name: name.to_owned(), options, span: Span::default() }
}

/// A model of the columns of [`base`] whose serving plan is the request itself.
pub fn spec(algorithm_name: &str, task: Task, output: &str, dtype: DataType, metrics: &[&str]) -> FitSpec {
    let input = |name: &str, dtype: DataType| Input { column: name.into(), name: name.into(), dtype, nullable: false };
    let inputs = vec![input("a", DataType::Float), input("b", DataType::Int), input("c", DataType::Bool)];
    FitSpec {
        model: "m".into(),
        output: Output { column: output.into(), learned: dtype.clone(), dtype, unmap: vec![] },
        task,
        weight: None,
        algorithm: algorithm(algorithm_name),
        search: None,
        refit: false,
        threshold: None,
        calibration: None,
        conformal: None,
        slices: Vec::new(),
        split: true,
        folds: None,
        judged_by_folds: false,
        metrics: metrics.iter().map(|m| (*m).to_owned()).collect(),
        intervals: None,
        require: vec![],
        serving: serving(&inputs, vec![]),
        identify: vec!["id".into()],
        inputs,
    }
}

/// Request rows of the inputs, then each of the maps.
pub fn serving(inputs: &[Input], maps: Vec<MapColumn>) -> Serving {
    let fields = inputs.iter().map(|i| Field::new(&i.column, i.dtype.clone(), i.nullable)).collect();
    let request = Schema::new(fields);
    let mut plan = Plan { job: "job".into(), seed: 7, ..Plan::default() };
    let node = |op| Node { item: "m".into(), op, schema: request.clone(), span: Span::default() };
    let mut output = plan.add(node(Op::Request), &[]);
    for map in maps {
        output = plan.add(node(Op::Map { columns: vec![map] }), &[output]);
    }
    Serving {
        plan,
        request,
        output,
        lookups: vec![],
        dataset: None,
        behind: 0,
        nulls: vec![],
        docs: Default::default(),
    }
}

pub fn link(id: u32, map: &str, from: DataType, to: DataType, fitted: bool) -> MapLink {
    let (from_nullable, to_nullable) = (false, false);
    MapLink {
        id,
        map: map.into(),
        options: BTreeMap::new(),
        from,
        from_nullable,
        to,
        to_nullable,
        fitted,
        formula: None,
    }
}

/// `left OP right`, each a name or a number.
pub fn requirement(left: &str, op: BinaryOp, right: &str) -> Requirement {
    let side = |text: &str| {
        let kind = match text.parse() {
            Ok(x) => ExprKind::Literal(Value::Float(x)),
            Err(_) => ExprKind::Column(text.to_owned()),
        };
        Box::new(Expr { kind, dtype: DataType::Float, nullable: false, span: Span::default() })
    };
    let kind = ExprKind::Binary { op, left: side(left), right: side(right) };
    let expr = Expr { kind, dtype: DataType::Bool, nullable: false, span: Span::default() };
    Requirement { expr, for_each: None, text: format!("{left} {op:?} {right}"), span: Span::default() }
}

pub fn names(columns: &[Column]) -> Vec<&str> {
    columns.iter().map(|c| c.name().as_str()).collect()
}

pub fn floats(column: &Column) -> Vec<f64> {
    column.cast(&pl::DataType::Float64).unwrap().f64().unwrap().iter().map(Option::unwrap).collect()
}

#[track_caller]
pub fn assert_bit_equal(left: &[Column], right: &[Column]) {
    assert_eq!(names(left), names(right));
    for (l, r) in left.iter().zip(right) {
        if let (Ok(l), Ok(r)) = (l.f64(), r.f64()) {
            let bits = |c: &pl::Float64Chunked| c.iter().map(|x| x.map(f64::to_bits)).collect::<Vec<_>>();
            assert_eq!(bits(l), bits(r));
        } else {
            assert!(l.equals_missing(r), "{l:?} {r:?}");
        }
    }
}
