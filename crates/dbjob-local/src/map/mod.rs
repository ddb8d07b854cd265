//! Maps and their inverses; one file a family. A map is an expression that its [`MapLink`] holds, or a function of columns,
//! given the link and, if it is fitted, the [`MapState`] that was learned from the train part.

mod bucket;
mod count;
mod cyclic;
mod encode;
mod fit;
mod formula;
mod impute;
mod key;
mod pca;
mod power;
mod scale;
mod tf_idf;

use dbjob_plan::{MAPPED, MapColumn, MapLink, NodeId, PART, PART_TRAIN, RunError, Schema, Value};
use polars::prelude::{self as pl, Column, DataFrame, IntoColumn, IntoLazy, PolarsResult};

pub use dbjob_plan::{Affine, Fill, MapState, MapStates, Means};
pub(crate) use fit::fit;

use crate::expr::{Reporter, Scope};
use crate::fault::{Faults, engine_error, guarded};
use crate::types::polars_type;
use crate::udf::{self, col};
use fit::{Cut, Train};

/// What one map does that is no expression.
trait Map: Send + Sync {
    /// Learns from the train rows of its columns.
    fn fit(&self, _train: &Train<'_>, _link: &MapLink) -> Result<MapState, RunError> {
        Err(RunError::new("E0799", "this map has nothing to learn"))
    }

    /// The first value that the map is not made for, in words; an error E0707 of its row.
    fn refuses(&self, _column: &Column, _link: &MapLink) -> PolarsResult<Option<String>> {
        Ok(None)
    }

    /// The mapped column first, then those that are mapped with it.
    fn apply(&self, columns: &[Column], link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column>;

    /// `None`: there is no inverse, which `check` has refused.
    fn invert(&self, _column: &Column, _link: &MapLink, _state: Option<&MapState>) -> Option<PolarsResult<Column>> {
        None
    }
}

fn map_of(name: &str) -> Option<&'static dyn Map> {
    Some(match name {
        "cyclic" => &cyclic::Cyclic,
        "labels" => &encode::Labels,
        "index" => &encode::Index,
        "one_hot" => &encode::OneHot,
        "standardize" => &scale::Standardize,
        "min_max" => &scale::MinMax,
        "robust" => &scale::Robust,
        "power" => &power::Power,
        "clip" => &bucket::Clip,
        "bucket" => &bucket::Bucket,
        "hash_bucket" => &bucket::HashBucket,
        "impute" => &impute::Impute,
        "count_encode" => &count::CountEncode,
        "target_encode" => &count::TargetEncode,
        "tf_idf" => &tf_idf::TfIdf,
        "pca" => &pca::Pca,
        _ => return None,
    })
}

fn known(link: &MapLink) -> Result<&'static dyn Map, RunError> {
    map_of(&link.map).ok_or_else(|| RunError::new("E0799", format!("the local engine has no map `{}`", link.map)))
}

fn other_state() -> pl::PolarsError {
    pl::PolarsError::ComputeError("the map's stored state is of another kind".into())
}

/// Whether a map can be carried out.
pub(crate) fn supports(link: &MapLink) -> bool {
    link.formula.is_some() || map_of(&link.map).is_some()
}

/// Where maps are applied.
pub(crate) struct Applying<'a> {
    pub scope: Scope<'a>,
    pub states: &'a MapStates,
    /// The table that is mapped.
    pub schema: &'a Schema,
    pub seed: i64,
    /// The number of each row, where a target encoder wants it.
    pub row: &'a str,
}

/// The mapped form of a column, of the physical type of `link.to`.
pub(crate) fn apply(column: &MapColumn, cx: &Applying<'_>) -> Result<pl::Expr, RunError> {
    let link = &column.link;
    if let Some(formula) = &link.formula {
        return formula::apply(col(column.column.as_str()), link, formula, &cx.scope);
    }
    let ready = Ready::new(link, cx.states, cx.scope.reporter())?;
    let mut inputs: Vec<pl::Expr> =
        std::iter::once(&column.column).chain(&column.more).map(|name| col(name.as_str())).collect();
    // Train rows are told from others by their part; without one, as in a request, there are none.
    if let Some(how) = column.out_of_fold.as_ref().filter(|_| cx.schema.get(PART).is_some()) {
        let by = &how.key.columns;
        let keys = if by.is_empty() { vec![cx.row] } else { by.iter().map(String::as_str).collect() };
        let number = |name: &str| if name == cx.row { col(name).cast(pl::DataType::Int64) } else { col(name) };
        let keys = std::iter::once(col(PART)).chain(keys.into_iter().map(number)).collect();
        let cut = Cut::new(how, cx.schema, cx.seed);
        inputs.push(udf::map_n(keys, pl::DataType::Int64, move |c| folds(&cut, c)));
    }
    Ok(udf::fallible(inputs, ready.to.clone(), move |columns| ready.run(columns)))
}

/// A map that is no formula, with all that it needs.
pub(crate) struct Ready {
    map: &'static dyn Map,
    link: MapLink,
    state: Option<MapState>,
    reporter: Reporter,
    /// The physical type of the mapped column.
    pub to: pl::DataType,
}

impl Ready {
    /// Errors: E0716 when the state of a fitted link is missing, E0799 for a map that is not known here.
    pub fn new(link: &MapLink, states: &MapStates, reporter: Reporter) -> Result<Self, RunError> {
        let (map, state, to) = (known(link)?, state_of(link, states)?, polars_type(&link.to));
        Ok(Self { map, link: link.clone(), state, reporter, to })
    }

    /// The mapped column. `columns`: what it is made of, the column itself first, all equally long.
    ///
    /// Errors: E0707 for a value that the map is not made for.
    pub fn run(&self, columns: &[Column]) -> PolarsResult<Column> {
        if let Some(value) = self.map.refuses(&columns[0], &self.link)? {
            let message = format!("{value} is none of the values that `{}` is made for", self.link.map);
            return Err(self.reporter.fail("E0707", message, Some(value)));
        }
        let mapped = self.map.apply(columns, &self.link, self.state.as_ref())?;
        if *mapped.dtype() == self.to { Ok(mapped) } else { mapped.cast(&self.to) }
    }
}

/// The fold of each row by its keys, which follow the part; -1 for rows that are not train.
fn folds(cut: &Cut, columns: &[Column]) -> PolarsResult<Column> {
    let folds = cut.folds(&columns[1..])?;
    let fold = |(part, fold): (Option<i64>, usize)| Some(if part == Some(PART_TRAIN) { fold as i64 } else { -1 });
    Ok(columns[0].i64()?.iter().zip(folds).map(fold).collect::<pl::Int64Chunked>().into_column())
}

/// Undoes maps on a column: the links in the order of undoing, the last applied first. The result has the physical type
/// of the last link's `from`; a float that returns to an int column is rounded, half away from zero.
///
/// Errors: E0716 when the state of a fitted link is missing, E0799 when a link has no inverse.
pub fn unmap_column(column: &Column, links: &[MapLink], states: &MapStates) -> Result<Column, RunError> {
    if links.is_empty() {
        return Ok(column.clone());
    }
    let (faults, schema) = (Faults::default(), Schema::default());
    let undone = unmap(col(MAPPED), links, states, false, &Scope::new(&faults, NodeId::new(0), &schema))?;
    let mapped = column.clone().with_name(MAPPED.into());
    let frame = DataFrame::new(column.len(), vec![mapped]).map_err(engine_error)?;
    let table = guarded(|| frame.lazy().select([undone.alias(MAPPED)]).collect());
    let table = table.map_err(|e| faults.take().map_or_else(|| engine_error(e), |fault| fault.into_error(None)))?;
    Ok(table.columns()[0].clone().with_name(column.name().clone()))
}

/// [`unmap_column`] inside a query. `strict`: what was never mapped to is E0707, instead of null in a column without nulls.
pub(crate) fn unmap(
    input: pl::Expr,
    links: &[MapLink],
    states: &MapStates,
    strict: bool,
    scope: &Scope<'_>,
) -> Result<pl::Expr, RunError> {
    let mut expr = input;
    for link in links {
        if let Some(formula) = &link.formula {
            expr = formula::undo(expr, link, formula, strict, scope)?;
            continue;
        }
        let (map, state) = (known(link)?, state_of(link, states)?);
        let link = link.clone();
        let (from, to) = (polars_type(&link.from), polars_type(&link.to));
        expr = udf::map1(expr.cast(to), from.clone(), move |c| {
            let undone = map.invert(c, &link, state.as_ref()).unwrap_or_else(|| {
                Err(pl::PolarsError::ComputeError(format!("the map `{}` has no inverse", link.map).into()))
            })?;
            match (undone.dtype(), &from) {
                (pl::DataType::Float64, pl::DataType::Int64) => {
                    let ints: pl::Int64Chunked = undone.f64()?.iter().map(|x| nearest_int(x?)).collect();
                    Ok(ints.into_column())
                }
                _ => undone.cast(&from),
            }
        });
    }
    Ok(expr)
}

/// The int next to a number that stands for one; the ends where rounding left it beyond them. NaN has no counterpart.
pub(crate) fn nearest_int(x: f64) -> Option<i64> {
    // The cast stops at the ends.
    (!x.is_nan()).then(|| x.round() as i64)
}

fn state_of(link: &MapLink, states: &MapStates) -> Result<Option<MapState>, RunError> {
    match states.0.get(&link.id) {
        Some(state) => Ok(Some(state.clone())),
        None if !link.fitted => Ok(None),
        None => {
            Err(RunError::new("E0716", format!("the fitted state of map `{}` (link {}) is missing", link.map, link.id)))
        }
    }
}

/// Option `name` as a number.
fn int_option(link: &MapLink, name: &str, default: i64) -> i64 {
    link.options.get(name).and_then(Value::as_i64).unwrap_or(default)
}
