//! Learning from the train rows.

use dbjob_plan::{MapColumn, OutOfFold, PART, PART_TRAIN, RunError, Schema};
use polars::prelude::{self as pl, Column, DataFrame, IntoColumn, NamedFrom, PolarsResult, Series};

use super::{MapState, known};
use crate::fault::engine_error;
use crate::step::split::RowHash;

/// The train rows of what a map learns from.
pub(super) struct Train<'a> {
    /// The mapped column, and those that are mapped with it.
    pub columns: &'a [Column],
    pub target: Option<&'a Column>,
    pub folds: Option<Folds>,
}

/// The fold of each train row.
pub(super) struct Folds {
    pub of_row: Vec<usize>,
    pub count: usize,
}

impl Train<'_> {
    pub fn column(&self) -> &Column {
        &self.columns[0]
    }

    /// The values that are numbers, in the order of the rows; at least one. Errors: E0715.
    pub fn numbers(&self) -> Result<Vec<f64>, RunError> {
        let numbers = self.column().cast(&pl::DataType::Float64).map_err(engine_error)?;
        let numbers: Vec<f64> = numbers.f64().map_err(engine_error)?.iter().flatten().filter(|x| !x.is_nan()).collect();
        if numbers.is_empty() {
            return Err(RunError::new("E0715", "it has no train value that is a number"));
        }
        Ok(numbers)
    }
}

/// Learns the states of the fitted columns of one `map` statement from the train rows of `rows`.
///
/// Errors: E0715 when a column gives nothing to learn from.
pub(crate) fn fit(
    columns: &[&MapColumn],
    rows: &DataFrame,
    schema: &Schema,
    seed: i64,
) -> Result<Vec<(u32, MapState)>, RunError> {
    let train = match rows.column(PART) {
        Ok(part) => {
            let part = part.i64().map_err(engine_error)?;
            Some(part.iter().map(|p| p == Some(PART_TRAIN)).collect::<pl::BooleanChunked>())
        }
        Err(_) => None,
    };
    let of_train = |name: &str| {
        let column = rows.column(name).map_err(engine_error)?;
        train.as_ref().map_or(Ok(column.clone()), |train| column.filter(train)).map_err(engine_error)
    };
    let mut states = Vec::new();
    for MapColumn { column, more, link, out_of_fold, .. } in columns {
        let inputs = std::iter::once(column).chain(more).map(|n| of_train(n)).collect::<Result<Vec<_>, _>>()?;
        if inputs[0].len() == inputs[0].null_count() {
            let what =
                if inputs[0].is_empty() { "the train part has no rows" } else { "all of its train values are null" };
            return Err(RunError::new("E0715", format!("cannot fit `{}` on `{column}`: {what}", link.map))
                .help("give the split a larger train part, or look at the filters and joins above it"));
        }
        let target = out_of_fold.as_ref().map(|o| of_train(&o.target)).transpose()?;
        let folds = out_of_fold.as_ref().map(|o| folds_of(o, rows, schema, seed)).transpose()?;
        let folds = folds.zip(out_of_fold.as_ref()).map(|(folds, o)| Folds {
            of_row: match &train {
                Some(train) => {
                    folds.iter().zip(train.iter()).filter(|(_, t)| *t == Some(true)).map(|(f, _)| *f).collect()
                }
                None => folds,
            },
            count: o.folds as usize,
        });
        let learned = Train { columns: &inputs, target: target.as_ref(), folds };
        let state = known(link)?.fit(&learned, link).map_err(|e| RunError {
            message: format!("cannot fit `{}` on `{column}`: {}", link.map, e.message),
            ..e
        })?;
        states.push((link.id, state));
    }
    Ok(states)
}

/// The fold of every row of a table.
fn folds_of(how: &OutOfFold, rows: &DataFrame, schema: &Schema, seed: i64) -> Result<Vec<usize>, RunError> {
    let keys = match how.key.columns.as_slice() {
        [] => vec![Series::new("".into(), (0..rows.height() as i64).collect::<Vec<_>>()).into_column()],
        names => {
            let key = |n: &String| rows.column(n).cloned();
            names.iter().map(key).collect::<PolarsResult<Vec<_>>>().map_err(engine_error)?
        }
    };
    Cut::new(how, schema, seed).folds(&keys).map_err(engine_error)
}

/// How rows are cut into folds: as `split folds` does.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    hash: RowHash,
    count: u32,
}

impl Cut {
    pub fn new(how: &OutOfFold, schema: &Schema, seed: i64) -> Self {
        Self { hash: RowHash::new(seed, "folds", &how.key, schema), count: how.folds }
    }

    pub fn folds(&self, keys: &[Column]) -> PolarsResult<Vec<usize>> {
        Ok(self.hash.of(keys)?.into_iter().map(|u| (u * f64::from(self.count)) as usize).collect())
    }
}
