use std::collections::{BTreeSet, HashMap};
use std::fmt;

use dbjob_plan::{DataType, FitSpec, Output, RunError, Value};
use polars::prelude::{
    self as pl, Column, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, NamedFrom, Series,
};

use crate::fault::engine_error;
use crate::map::{MapStates, unmap_column};
use crate::types::value_of;

/// A value of a class column as the learner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    Bool(bool),
    Int(i64),
    Text(String),
    /// The place of the largest value of a one-hot vector.
    Place(usize),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Place(place) => write!(f, "at place {place}"),
        }
    }
}

/// The classes of a fit.
#[derive(Debug)]
pub(super) struct Classes {
    /// In the order of the probabilities, in the caller's units.
    pub values: Vec<Value>,
    codes: HashMap<Key, u32>,
}

impl Classes {
    /// From the values that occur in the train rows.
    ///
    /// Declared levels (bool, a closed category) are all classes, in their order, seen or not; else the classes are the
    /// values seen in train, ascending. A value that the maps cannot undo (an unseen level's -1) is no class.
    pub fn learn(train: BTreeSet<Key>, spec: &FitSpec, maps: &MapStates) -> Result<Self, RunError> {
        let output = &spec.output;
        let mut candidates = train;
        let declared = declared(&output.dtype);
        if let Some(levels) = &declared {
            candidates.extend(forms(&output.learned, levels));
        }
        let candidates: Vec<Key> = candidates.into_iter().collect();
        let undone = undo(&candidates, output, maps)?;
        let mut values = declared.unwrap_or_default();
        let open = values.is_empty();
        let mut codes = HashMap::new();
        for (key, value) in candidates.into_iter().zip(undone) {
            let known = values.iter().position(|v| *v == value);
            let code = match known {
                Some(code) => code,
                None if open && value != Value::Null => {
                    values.push(value);
                    values.len() - 1
                }
                None => continue,
            };
            codes.insert(key, code as u32);
        }
        Ok(Self { values, codes })
    }

    /// The code of each value; of one that train does not know: the number of classes.
    pub fn codes(&self, keys: &[Key]) -> Vec<u32> {
        let unknown = self.values.len() as u32;
        keys.iter().map(|key| self.codes.get(key).copied().unwrap_or(unknown)).collect()
    }
}

/// The classes that a type names.
fn declared(dtype: &DataType) -> Option<Vec<Value>> {
    match dtype {
        DataType::Bool => Some(vec![Value::Bool(false), Value::Bool(true)]),
        DataType::Category { levels: Some(levels) } => Some(levels.iter().cloned().map(Value::String).collect()),
        _ => None,
    }
}

/// What declared levels may look like to the learner: themselves, or their positions.
fn forms(learned: &DataType, levels: &[Value]) -> Vec<Key> {
    match learned {
        DataType::Bool => vec![Key::Bool(false), Key::Bool(true)],
        DataType::Int => (0..levels.len() as i64).map(Key::Int).collect(),
        _ => levels.iter().filter_map(|l| l.as_str().map(|s| Key::Text(s.to_owned()))).collect(),
    }
}

/// The classes in the caller's units.
fn undo(keys: &[Key], output: &Output, maps: &MapStates) -> Result<Vec<Value>, RunError> {
    let column = column_of(keys, output)?;
    let column = unmap_column(&column, &output.unmap, maps)?;
    (0..keys.len()).map(|i| column.get(i).map(|v| value_of(&v)).map_err(engine_error)).collect()
}

fn column_of(keys: &[Key], output: &Output) -> Result<Column, RunError> {
    let name = output.column.as_str().into();
    let mixed = || RunError::new("E0799", format!("the output `{}` has values of several types", output.column));
    match &output.learned {
        DataType::Bool => {
            let values: Option<Vec<bool>> =
                keys.iter().map(|k| if let Key::Bool(b) = k { Some(*b) } else { None }).collect();
            Ok(Series::new(name, values.ok_or_else(mixed)?).into_column())
        }
        DataType::Int => {
            let values: Option<Vec<i64>> =
                keys.iter().map(|k| if let Key::Int(i) = k { Some(*i) } else { None }).collect();
            Ok(Series::new(name, values.ok_or_else(mixed)?).into_column())
        }
        DataType::Vector { .. } => {
            let width = keys.iter().map(|k| if let Key::Place(p) = k { p + 1 } else { 0 }).max().unwrap_or(0);
            let mut lists = ListPrimitiveChunkedBuilder::<pl::Float64Type>::new(
                name,
                keys.len(),
                keys.len() * width,
                pl::DataType::Float64,
            );
            for key in keys {
                let Key::Place(place) = key else { return Err(mixed()) };
                let hot: Vec<f64> = (0..width).map(|i| f64::from(u8::from(i == *place))).collect();
                lists.append_slice(&hot);
            }
            Ok(lists.finish().into_column())
        }
        _ => {
            let values: Option<Vec<&str>> =
                keys.iter().map(|k| if let Key::Text(t) = k { Some(t.as_str()) } else { None }).collect();
            Ok(Series::new(name, values.ok_or_else(mixed)?).into_column())
        }
    }
}
