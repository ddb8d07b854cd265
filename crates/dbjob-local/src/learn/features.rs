use std::collections::{BTreeSet, HashMap};

use dbjob_learn::{Levels, Matrix};
use dbjob_plan::{DataLocation, DataType, FitSpec, Input, MapLink, NodeId, Op, RunError, Serving};
use polars::prelude::{self as pl, Column, DataFrame, StaticArray};

use crate::fault::engine_error;
use crate::map::{MapState, MapStates};

/// Why rows are turned into features: it decides the code and the advice of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Fit,
    Predict,
}

/// The features of all rows of `table`: one a number, bool or category, one a place of a vector. A null is a missing value
/// where the input may have them, and a category its code. `known`: the levels that the model has learned, by feature;
/// without them those are learned that the type names, or that occur. `row(i)` is the row number (1-based) to name for row
/// `i` in messages.
///
/// Errors: E0715 (to predict: E0719) for a null where none may be, a number that is not finite, vectors of different
/// lengths; E0705 for a missing column; E0799 for a type that no learner takes.
pub(super) fn matrix(
    table: &DataFrame,
    spec: &FitSpec,
    maps: &MapStates,
    (purpose, known): (Purpose, Option<&[Levels]>),
    row: &dyn Fn(usize) -> u64,
) -> Result<Matrix, RunError> {
    let (mut names, mut columns): (Vec<String>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    let mut all_levels: Vec<Levels> = Vec::new();
    for input in &spec.inputs {
        let column = table.column(&input.column).map_err(|_| missing(input, spec))?;
        let reader = Reader { input, spec, purpose, row };
        match &input.dtype {
            DataType::Vector { .. } => {
                let places = reader.vector(column)?;
                names.extend(place_names(&input.column, places.len(), &spec.serving, maps));
                columns.extend(places);
            }
            DataType::Int | DataType::Float | DataType::Decimal { .. } | DataType::Bool => {
                names.push(input.column.clone());
                columns.push(reader.scalar(column)?);
            }
            DataType::Category { levels } => {
                let known = known.and_then(|all| all.get(names.len()).cloned().flatten());
                let levels = match (known, levels) {
                    (Some(known), _) => known,
                    (None, Some(levels)) => levels.as_slice().into(),
                    (None, None) => occurring(column)?,
                };
                names.push(input.column.clone());
                columns.push(reader.codes(column, &levels)?);
                all_levels.resize(names.len() - 1, None);
                all_levels.push(Some(levels));
            }
            other => {
                let message = format!(
                    "the input `{}` is a {other}; learners take numbers, bools, categories and vectors",
                    input.column
                );
                return Err(RunError::new("E0799", message).help("map it, for example `with one_hot`"));
            }
        }
    }
    all_levels.resize(names.len(), None);
    Matrix::new(names, columns, table.height())
        .and_then(|x| x.with_levels(all_levels))
        .map_err(|e| RunError::new("E0799", e.message))
}

/// The levels of an open category, by code point.
fn occurring(column: &Column) -> Result<std::sync::Arc<[String]>, RunError> {
    let texts = column.str().map_err(engine_error)?;
    let distinct: BTreeSet<&str> = texts.iter().flatten().collect();
    Ok(distinct.into_iter().map(str::to_owned).collect())
}

fn missing(input: &Input, spec: &FitSpec) -> RunError {
    RunError::new("E0705", format!("the table has no column `{}`, an input of `{}`", input.column, spec.model))
}

struct Reader<'a> {
    input: &'a Input,
    spec: &'a FitSpec,
    purpose: Purpose,
    row: &'a dyn Fn(usize) -> u64,
}

impl Reader<'_> {
    fn scalar(&self, column: &Column) -> Result<Vec<f64>, RunError> {
        let numbers = column.cast(&pl::DataType::Float64).map_err(engine_error)?;
        let numbers = numbers.f64().map_err(engine_error)?;
        let mut values = Vec::with_capacity(numbers.len());
        for (i, value) in numbers.iter().enumerate() {
            values.push(self.finite(value, i)?);
        }
        Ok(values)
    }

    /// The code of each text among the levels; one that is not among them is a missing value.
    fn codes(&self, column: &Column, levels: &[String]) -> Result<Vec<f64>, RunError> {
        let texts = column.str().map_err(engine_error)?;
        let codes: HashMap<&str, f64> = levels.iter().enumerate().map(|(code, l)| (l.as_str(), code as f64)).collect();
        let code = |(i, text): (usize, Option<&str>)| match text {
            Some(text) => Ok(codes.get(text).copied().unwrap_or(f64::NAN)),
            None => self.finite(None, i),
        };
        texts.iter().enumerate().map(code).collect()
    }

    /// One column a place of the vector; none for a table without rows.
    fn vector(&self, column: &Column) -> Result<Vec<Vec<f64>>, RunError> {
        let lists = column.list().map_err(engine_error)?.rechunk();
        let chunk = lists.downcast_as_array();
        let inner = lists.get_inner().cast(&pl::DataType::Float64).map_err(engine_error)?;
        let inner = inner.f64().map_err(engine_error)?;
        let offsets = chunk.offsets().as_slice();
        let width = offsets.windows(2).next().map_or(0, |w| (w[1] - w[0]) as usize);
        let mut places = vec![Vec::with_capacity(lists.len()); width];
        for (i, bounds) in offsets.windows(2).enumerate() {
            if chunk.get(i).is_none() {
                return Err(self.refused(i, "is null"));
            }
            let (start, end) = (bounds[0] as usize, bounds[1] as usize);
            if end - start != width {
                return Err(self.refused(i, &format!("has {} places where the first row has {width}", end - start)));
            }
            for (place, at) in places.iter_mut().zip(start..end) {
                place.push(self.finite(inner.get(at), i)?);
            }
        }
        Ok(places)
    }

    fn finite(&self, value: Option<f64>, i: usize) -> Result<f64, RunError> {
        match value {
            Some(x) if x.is_finite() => Ok(x),
            Some(x) => Err(self.refused(i, &format!("is {x}"))),
            // The compiler lets inputs be null where every algorithm takes that.
            None if self.input.nullable && !matches!(self.input.dtype, DataType::Vector { .. }) => Ok(f64::NAN),
            None => Err(self.refused(i, "is null")),
        }
    }

    fn refused(&self, i: usize, what: &str) -> RunError {
        let (column, row) = (&self.input.column, (self.row)(i));
        let algorithm = &self.spec.algorithm.name;
        let (code, message) = match self.purpose {
            Purpose::Fit => {
                ("E0715", format!("cannot fit `{}`: input `{column}` {what} in row {row}", self.spec.model))
            }
            Purpose::Predict => ("E0719", format!("row {row}: input `{column}` of `{}` {what}", self.spec.model)),
        };
        RunError::new(code, message)
            .help(format!("{algorithm} takes finite numbers only: fill the gaps before it (`map {column} with impute(median)`) or filter such rows"))
            .data(DataLocation { row: Some(row), column: Some(column.clone()), ..DataLocation::default() })
    }
}

/// `column=level` (or term) where a map made the vector whose places are known, else `column[i]`.
fn place_names(column: &str, width: usize, serving: &Serving, maps: &MapStates) -> Vec<String> {
    match origin(column, serving).and_then(|link| places(link, maps)).filter(|l| l.len() == width) {
        Some(places) => places.into_iter().map(|place| format!("{column}={place}")).collect(),
        None => (0..width).map(|i| format!("{column}[{i}]")).collect(),
    }
}

/// The map that made a vector of the serving plan's output.
fn origin<'a>(column: &str, serving: &'a Serving) -> Option<&'a MapLink> {
    let mut name = column.to_owned();
    let mut at: Option<NodeId> = Some(serving.output);
    while let Some(id) = at.filter(|id| serving.plan.graph.contains_node(*id)) {
        match &serving.plan.node(id).op {
            Op::Map { columns } => {
                if let Some(made) = columns.iter().find(|c| c.out == name) {
                    return Some(&made.link);
                }
            }
            Op::Project { columns } => name = columns.iter().find(|c| c.to == name)?.from.clone(),
            Op::Derive { columns } if columns.iter().any(|c| c.name == name) => return None,
            _ => {}
        }
        at = serving.plan.inputs(id).first().copied();
    }
    None
}

/// What the places of a map's vector stand for.
fn places(link: &MapLink, maps: &MapStates) -> Option<Vec<String>> {
    match (link.map.as_str(), maps.0.get(&link.id), &link.from) {
        ("one_hot", Some(MapState::Levels { levels }), _) => Some(levels.clone()),
        ("one_hot", None, DataType::Category { levels }) => levels.clone(),
        ("tf_idf", Some(MapState::Terms { terms, .. }), _) => Some(terms.clone()),
        ("cyclic", ..) => Some(vec!["sin".to_owned(), "cos".to_owned()]),
        _ => None,
    }
}
