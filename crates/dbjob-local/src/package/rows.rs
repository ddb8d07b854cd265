//! The rows that a caller asks a stored model about: all of a file, some of them, or those with a truth.

use std::collections::HashSet;
use std::path::Path;

use dbjob_plan::{DataType, Field, RunError, Schema, Task, Value};
use polars::prelude::{self as pl, AnyValue, Column, DataFrame, IntoLazy};

use super::open::Package;
use crate::fault::engine_error;
use crate::learn::Learned;
use crate::replay::replay_some;
use crate::types::value_of;
use dbjob_registry::TEST_PREDICTIONS;

/// Which rows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    All,
    /// By their numbers, from 1.
    Numbers(Vec<u64>),
    /// Those with these texts in these columns.
    Key(Vec<(String, String)>),
}

/// Rows of a request with their numbers in the file, from 1.
pub(super) struct Sent {
    pub table: DataFrame,
    pub numbers: Vec<u64>,
}

impl Sent {
    pub fn number(&self, i: usize) -> u64 {
        self.numbers[i]
    }

    pub fn take(&self, rows: &[usize]) -> Result<Self, RunError> {
        let at = pl::IdxCa::from_vec("".into(), rows.iter().map(|i| *i as pl::IdxSize).collect());
        let table = self.table.take(&at).map_err(engine_error)?;
        Ok(Self { table, numbers: rows.iter().map(|i| self.numbers[*i]).collect() })
    }
}

impl Package {
    /// The columns of the request, and `more`, from a file.
    ///
    /// Errors: those of reading.
    pub(super) fn sent(&self, input: &Path, more: Vec<Field>) -> Result<Sent, RunError> {
        let mut fields = self.manifest.request.clone();
        fields.extend(more);
        let frame = crate::read_request(input, &Schema::new(fields), &self.manifest.serving.nulls)?;
        let table = frame.collect().map_err(engine_error)?;
        let numbers = (1..=table.height() as u64).collect();
        Ok(Sent { table, numbers })
    }

    /// What the learner takes of rows that were sent.
    pub(super) fn inputs(&self, sent: &Sent, rules: bool) -> Result<DataFrame, RunError> {
        let frame = sent.table.clone().lazy();
        replay_some(&self.manifest.serving, frame, (&self.lookups, &self.maps), &|i| sent.number(i), rules)
    }

    /// The rows of a file that are asked for.
    ///
    /// Errors: E0719 for a row that is not there, E0705 for a column that is not.
    pub(super) fn some(&self, input: &Path, which: &Which) -> Result<Sent, RunError> {
        let all = self.sent(input, Vec::new())?;
        let rows = match which {
            Which::All => return Ok(all),
            Which::Numbers(numbers) => {
                let have = all.table.height() as u64;
                if let Some(n) = numbers.iter().find(|n| !(1..=have).contains(*n)) {
                    let rows = if have == 1 { "row".to_owned() } else { format!("rows, from 1 to {have}") };
                    let message = format!("{} has no row {n}: it has {have} {rows}", input.display());
                    return Err(RunError::new("E0719", message));
                }
                numbers.iter().map(|n| *n as usize - 1).collect()
            }
            Which::Key(key) => keyed(input, key)?,
        };
        all.take(&rows)
    }

    /// Rows with a truth, and the truth in the caller's units.
    ///
    /// Errors: E0725 for a model without an output, or without such rows; E0705 when the output is not in the file.
    pub(super) fn known(&self, input: &Path, test_part: bool) -> Result<(Sent, Column), RunError> {
        let manifest = &self.manifest;
        let (model, output) = (&manifest.model, &manifest.output);
        if manifest.task == Task::Clustering {
            let message = format!("`{model}` has no output that its answers could be compared with");
            return Err(RunError::new("E0725", message));
        }
        let (truth, mut rest) = {
            let field = Field::new(&output.column, output.dtype.clone(), true);
            let sent = self.sent(input, vec![field]).map_err(|e| match e.code == "E0705" {
                true => e.help(format!("the output of `{model}` is `{}`: give rows with it", output.column)),
                false => e,
            })?;
            let truth = sent.table.column(&output.column).map_err(engine_error)?.clone();
            (truth, sent)
        };
        rest.table = rest.table.drop(&output.column).map_err(engine_error)?;
        let mut rows = Vec::new();
        for i in 0..truth.len() {
            if !Learned::is_unknown(&value_of(&truth.get(i).map_err(engine_error)?)) {
                rows.push(i);
            }
        }
        if test_part {
            self.keep_test_part(input, &mut rows)?;
        }
        if rows.is_empty() {
            let message = format!("{} has no rows with `{}`", input.display(), output.column);
            return Err(RunError::new("E0725", message));
        }
        let at = pl::IdxCa::from_vec("".into(), rows.iter().map(|i| *i as pl::IdxSize).collect());
        Ok((rest.take(&rows)?, truth.take(&at).map_err(engine_error)?))
    }

    /// Of rows of a file with an output, those that the model was judged by: they have the same values in the columns that
    /// identify rows.
    ///
    /// Errors: E0725 when these columns do not tell.
    fn keep_test_part(&self, input: &Path, rows: &mut Vec<usize>) -> Result<(), RunError> {
        let stored = crate::read_as_is(&self.folder.join(TEST_PREDICTIONS))?;
        let names = stored.get_column_names().into_iter().map(ToString::to_string);
        let names: Vec<String> = names.take_while(|name| *name != self.manifest.output.column).collect();
        let model = &self.manifest.model;
        let refused = |why: String| {
            RunError::new(
                "E0725",
                format!("the test part of `{model}` is not known again in {}: {why}", input.display()),
            )
            .help("declare a `key` in the dataset, or give a file of test rows alone, without `--test-part`")
        };
        let field = |name: &String| {
            let dtype = declared(stored.column(name).map_err(engine_error)?.dtype());
            Ok(Field::new(name, dtype.ok_or_else(|| refused(format!("`{name}` is no key")))?, true))
        };
        let fields = names.iter().map(field).collect::<Result<Vec<_>, RunError>>()?;
        if stored.height() == 0 || fields.is_empty() {
            let why = if fields.is_empty() { "no column identifies its rows" } else { "it was judged by no rows" };
            return Err(refused(why.to_owned()));
        }
        let all = crate::read_request(input, &Schema::new(fields), &self.manifest.serving.nulls)?;
        let (all, test) = (keys(&all.collect().map_err(engine_error)?, &names)?, keys(&stored, &names)?);
        let test: HashSet<&String> = test.iter().collect();
        rows.retain(|row| test.contains(&all[*row]));
        match (rows.len(), stored.height()) {
            (found, expected) if found == expected => Ok(()),
            (found, expected) => Err(refused(format!("by {} it has {found} of {expected} rows", names.join(", ")))),
        }
    }
}

/// What identifies each row, as text.
fn keys(table: &DataFrame, names: &[String]) -> Result<Vec<String>, RunError> {
    let key = |row: usize| {
        let cells = names.iter().map(|name| cell(table, name, row).map(|value| value.to_string()));
        Ok(cells.collect::<Result<Vec<_>, RunError>>()?.join(", "))
    };
    (0..table.height()).map(key).collect()
}

/// The type of the language of a column that may identify rows.
fn declared(dtype: &pl::DataType) -> Option<DataType> {
    Some(match dtype {
        pl::DataType::Int64 => DataType::Int,
        pl::DataType::String => DataType::String,
        pl::DataType::Boolean => DataType::Bool,
        pl::DataType::Date => DataType::Date,
        pl::DataType::Datetime(..) => DataType::Datetime,
        pl::DataType::Float64 => DataType::Float,
        _ => return None,
    })
}

/// The rows with these texts in these columns of the file, whatever the request has of them.
fn keyed(input: &Path, key: &[(String, String)]) -> Result<Vec<usize>, RunError> {
    let table = crate::read_as_is(input)?;
    let mut rows: Vec<usize> = (0..table.height()).collect();
    for (name, text) in key {
        let column = table.column(name).map_err(|_| {
            let error = RunError::new("E0705", format!("{} has no column `{name}`", input.display()));
            let names: Vec<String> = table.get_column_names().iter().map(ToString::to_string).collect();
            match dbjob_plan::near(name, names.iter().map(String::as_str)).first() {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("it has {}", names.join(", "))),
            }
        })?;
        let wanted = Column::new("".into(), [text.as_str()]);
        let wanted = wanted.cast(column.dtype()).ok().and_then(|c| c.get(0).ok().map(AnyValue::into_static));
        rows.retain(|i| match (&wanted, column.get(*i)) {
            (Some(wanted), Ok(value)) => !matches!(value, AnyValue::Null) && value == *wanted,
            _ => false,
        });
    }
    if rows.is_empty() {
        let key: Vec<String> = key.iter().map(|(name, text)| format!("{name} = {text}")).collect();
        let message = format!("{} has no row with {}", input.display(), key.join(", "));
        return Err(RunError::new("E0719", message));
    }
    Ok(rows)
}

impl Package {
    /// What callers send, as far as it is told apart: the columns of the request that some inputs are made of, and these
    /// inputs by their places.
    pub(super) fn groups(&self) -> Vec<(Vec<String>, Vec<usize>)> {
        let inputs = &self.manifest.inputs;
        let sent = self.manifest.serving.sent_for(inputs.iter().map(|i| i.column.as_str()));
        let mut all: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
        for (at, columns) in sent.into_iter().enumerate() {
            match all.iter_mut().find(|(other, _)| *other == columns) {
                Some((_, inputs)) => inputs.push(at),
                None => all.push((columns, vec![at])),
            }
        }
        all
    }

    /// The names that callers see of some inputs.
    pub(super) fn input_names(&self, inputs: &[usize]) -> Vec<String> {
        inputs.iter().map(|i| self.manifest.inputs[*i].name.clone()).collect()
    }
}

pub(super) fn cell(table: &DataFrame, column: &str, row: usize) -> Result<Value, RunError> {
    let column = table.column(column).map_err(engine_error)?;
    column.get(row).map(|v| value_of(&v)).map_err(engine_error)
}
