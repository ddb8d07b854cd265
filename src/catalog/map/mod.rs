//! One file a map: what it takes, what it gives, whether it learns, and how it is undone.

mod impute;
mod index;
mod log1p;
mod min_max;
mod one_hot;
mod simple;
mod standardize;

use dbjob_plan::{DataType, Value};

use super::{Exactness, OptionSpec};

/// A column as a map sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct MapInput {
    pub dtype: DataType,
    pub nullable: bool,
}

/// What a map gives for a column.
#[derive(Debug, Clone, PartialEq)]
pub struct MapOutput {
    pub dtype: DataType,
    pub nullable: bool,
    /// Whether it learns from the train part.
    pub fitted: bool,
}

/// The type that a map gives for a column and its options by name, or why the column does not fit.
pub type Typing = fn(&MapInput, &dyn Fn(&str) -> Value) -> Result<MapOutput, String>;

/// The mark that a map has with its options by name.
pub type Marking = fn(&dyn Fn(&str) -> Value) -> Exactness;

/// A column-wise operation of `map … with`.
#[derive(Debug, Clone, Copy)]
pub struct Map {
    pub name: &'static str,
    /// The options in the order of positional arguments.
    pub options: &'static [OptionSpec],
    /// The type of the result, or why the column does not fit. Options are complete.
    pub output: Typing,
    /// How it is undone, or why it cannot be.
    pub inverse: Inverse,
    /// By its options, which are complete.
    pub exactness: Marking,
    pub doc: &'static str,
    pub example: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Inverse {
    /// In words.
    Exists(&'static str),
    None(&'static str),
}

pub const MAPS: &[Map] = &[
    log1p::LOG1P,
    simple::LOG,
    simple::EXP,
    simple::EXPM1,
    simple::SQRT,
    standardize::STANDARDIZE,
    min_max::MIN_MAX,
    impute::IMPUTE,
    one_hot::ONE_HOT,
    index::INDEX,
];

pub fn find(name: &str) -> Option<&'static Map> {
    MAPS.iter().find(|m| m.name == name)
}

/// Maps of the language that no engine has yet.
pub const LATER: &[&str] = &[
    "reciprocal",
    "logit",
    "affine",
    "cyclic",
    "square",
    "labels",
    "robust",
    "power",
    "clip",
    "hash_bucket",
    "bucket",
    "count_encode",
    "target_encode",
    "tf_idf",
    "pca",
];

/// The result of a map from numbers to floats that keeps nulls.
fn float_of_number(input: &MapInput, fitted: bool) -> Result<MapOutput, String> {
    if input.dtype.is_numeric() {
        Ok(MapOutput { dtype: DataType::Float, nullable: input.nullable, fitted })
    } else {
        Err(format!("it takes numbers, not {}", input.dtype))
    }
}
