//! Maps and their inverses; one file a family. A map is a function of one column, given its [`MapLink`] and, if it is
//! fitted, the [`MapState`] that was learned from the train part.

mod encode;
mod impute;
mod scale;
mod stateless;

use std::collections::BTreeMap;

use dbjob_plan::{MapLink, RunError, Value};
use polars::prelude::{self as pl, Column, DataFrame, IntoLazy, PolarsResult};
use serde::{Deserialize, Serialize};

use crate::expr::Reporter;
use crate::fault::engine_error;
use crate::types::polars_type;
use crate::udf;

/// What a fitted map learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum MapState {
    /// y = (x - shift) / scale; `scale` is never 0. `standardize`: mean and population standard deviation (as
    /// scikit-learn's StandardScaler); `min_max`: minimum and range. Zero spread: scale 1.
    Affine {
        #[serde(with = "exact")]
        shift: f64,
        #[serde(with = "exact")]
        scale: f64,
    },
    /// What takes the place of null.
    Fill { value: Fill },
    /// The levels in the order of their positions.
    Levels { levels: Vec<String> },
}

/// A replacement for null, in the physical form of the mapped column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    Int(i64),
    #[serde(with = "exact")]
    Float(f64),
    Bool(bool),
    String(String),
    Date(i32),
    Datetime(i64),
    Duration(i64),
}

/// The states of all fitted links of a job or package, by [`MapLink::id`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MapStates(pub BTreeMap<u32, MapState>);

/// Floats as text: a JSON number may come back off by one unit in the last place, and predictions must not.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(x: &f64, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&format!("{x:?}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(|_| D::Error::custom(format!("{text:?} is no number")))
    }
}

/// What one map does; the answers of one family file.
trait Map: Send + Sync {
    /// Learns from the train rows of its column.
    fn fit(&self, _column: &Column, _link: &MapLink) -> Result<MapState, RunError> {
        Err(RunError::new("E0799", "this map has nothing to learn"))
    }

    /// The first value that the map is not made for, in words; an error E0707 of its row.
    fn refuses(&self, _column: &Column, _link: &MapLink) -> PolarsResult<Option<String>> {
        Ok(None)
    }

    fn apply(&self, column: &Column, link: &MapLink, state: Option<&MapState>) -> PolarsResult<Column>;

    /// `None`: there is no inverse, which `check` has refused.
    fn invert(&self, column: &Column, link: &MapLink, state: Option<&MapState>) -> Option<PolarsResult<Column>>;
}

fn map_of(name: &str) -> Option<&'static dyn Map> {
    Some(match name {
        "log1p" => &stateless::LOG1P,
        "expm1" => &stateless::EXPM1,
        "log" => &stateless::LOG,
        "exp" => &stateless::EXP,
        "sqrt" => &stateless::SQRT,
        "labels" => &encode::Labels,
        "index" => &encode::Index,
        "one_hot" => &encode::OneHot,
        "standardize" => &scale::Standardize,
        "min_max" => &scale::MinMax,
        "impute" => &impute::Impute,
        _ => return None,
    })
}

fn known(link: &MapLink) -> Result<&'static dyn Map, RunError> {
    map_of(&link.map).ok_or_else(|| RunError::new("E0799", format!("the local engine has no map `{}`", link.map)))
}

/// Whether a map of this type can be carried out: `one_hot` and `index` take text only.
pub(crate) fn supports(link: &MapLink) -> bool {
    map_of(&link.map).is_some()
}

/// Learns the states of all columns of one `map` statement. `train` holds the train rows of the mapped columns.
///
/// Errors: E0715 when a column gives nothing to learn from.
pub(crate) fn fit(columns: &[(&str, &MapLink)], train: &DataFrame) -> Result<Vec<(u32, MapState)>, RunError> {
    columns
        .iter()
        .map(|(name, link)| {
            let column = train.column(name).map_err(engine_error)?;
            if column.len() == column.null_count() {
                let what =
                    if column.is_empty() { "the train part has no rows" } else { "all of its train values are null" };
                return Err(RunError::new("E0715", format!("cannot fit `{}` on `{name}`: {what}", link.map))
                    .help("give the split a larger train part, or look at the filters and joins above it"));
            }
            let state = known(link)?.fit(column, link).map_err(|e| RunError {
                message: format!("cannot fit `{}` on `{name}`: {}", link.map, e.message),
                ..e
            })?;
            Ok((link.id, state))
        })
        .collect()
}

/// The mapped form of `input`, of the physical type of `link.to`.
pub(crate) fn apply(
    input: pl::Expr,
    link: &MapLink,
    states: &MapStates,
    reporter: Reporter,
) -> Result<pl::Expr, RunError> {
    let (map, state) = (known(link)?, state_of(link, states)?);
    let (link, out) = (link.clone(), polars_type(&link.to));
    let target = out.clone();
    Ok(udf::map1(input, out, move |c| {
        if let Some(value) = map.refuses(c, &link)? {
            let message = format!("{value} is none of the values that `{}` is made for", link.map);
            return Err(reporter.fail("E0707", message, Some(value)));
        }
        map.apply(c, &link, state.as_ref())?.cast(&target)
    }))
}

/// Undoes maps on a column: the links in the order of undoing, the last applied first. The result has the physical type
/// of the last link's `from`; a float that returns to an int column is rounded, half away from zero.
///
/// Errors: E0716 when the state of a fitted link is missing, E0799 when a link has no inverse.
pub fn unmap_column(column: &Column, links: &[MapLink], states: &MapStates) -> Result<Column, RunError> {
    let mut column = column.clone();
    for link in links {
        let state = state_of(link, states)?;
        column = invert(&column, link, state.as_ref())?;
    }
    Ok(column)
}

/// [`unmap_column`] inside a query.
pub(crate) fn unmap(input: pl::Expr, links: &[MapLink], states: &MapStates) -> Result<pl::Expr, RunError> {
    let mut expr = input;
    for link in links {
        let state = state_of(link, states)?;
        known(link)?;
        let link = link.clone();
        let out = polars_type(&link.from);
        expr = udf::map1(expr, out, move |c| {
            invert(c, &link, state.as_ref()).map_err(|e| pl::PolarsError::ComputeError(e.message.into()))
        });
    }
    Ok(expr)
}

fn invert(column: &Column, link: &MapLink, state: Option<&MapState>) -> Result<Column, RunError> {
    let undone = known(link)?
        .invert(column, link, state)
        .ok_or_else(|| RunError::new("E0799", format!("the map `{}` has no inverse", link.map)))?
        .map_err(engine_error)?;
    let target = polars_type(&link.from);
    let undone = match (undone.dtype(), &target) {
        (pl::DataType::Float64, pl::DataType::Int64) => {
            // A value that no int is near, such as NaN, has no counterpart.
            let ints: pl::Int64Chunked =
                undone.f64().map_err(engine_error)?.iter().map(|x| crate::function::math::int_of(x?.round())).collect();
            pl::IntoColumn::into_column(ints)
        }
        _ => undone.cast(&target).map_err(engine_error)?,
    };
    Ok(undone.with_name(column.name().clone()))
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

/// One row of aggregates over a column.
fn aggregates(column: &Column, exprs: Vec<pl::Expr>) -> Result<DataFrame, RunError> {
    let frame = DataFrame::new(column.len(), vec![column.clone().with_name("x".into())]).map_err(engine_error)?;
    frame.lazy().select(exprs).collect().map_err(engine_error)
}
