//! One file a map: what it takes, what it gives, whether it learns, and how it is undone.

mod affine;
mod bucket;
mod clip;
mod count_encode;
mod cyclic;
mod exp;
mod expm1;
mod hash_bucket;
mod impute;
mod index;
mod labels;
mod log;
mod log1p;
mod logit;
mod min_max;
mod one_hot;
mod page;
mod pca;
mod power;
mod reciprocal;
mod robust;
mod sqrt;
mod square;
mod standardize;
mod target_encode;
mod tf_idf;

use dbjob_plan::{DataType, Value};
pub use page::page;

use super::{Exactness, OptionSpec};
use crate::range::Range;

/// The options of a map by name; complete.
pub type Options<'a> = &'a dyn Fn(&str) -> Value;

/// A column as a map sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct MapInput {
    pub dtype: DataType,
    pub nullable: bool,
    pub range: Range,
    /// The column that an option of the type `Column` names.
    pub target: Option<Box<MapInput>>,
}

/// What a map gives for a column.
#[derive(Debug, Clone, PartialEq)]
pub struct MapOutput {
    pub dtype: DataType,
    pub nullable: bool,
    /// Whether it learns from the train part.
    pub fitted: bool,
    pub range: Range,
}

/// The mark that a map has with its options by name.
pub type Marking = fn(Options<'_>) -> Exactness;

/// A column-wise operation of `map … with`.
#[derive(Debug, Clone, Copy)]
pub struct Map {
    pub name: &'static str,
    /// The options in the order of positional arguments.
    pub options: &'static [OptionSpec],
    /// What is wrong with the options together, each being of its type.
    pub valid: fn(Options<'_>) -> Result<(), String>,
    pub body: Body,
    /// How it is undone, or why it cannot be.
    pub inverse: Inverse,
    /// By its options, which are complete.
    pub exactness: Marking,
    pub doc: &'static str,
    pub example: &'static str,
}

/// What a map does with a column.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    /// An expression of the language over the number `x` and the options, by their names. It is typed, inverted and run
    /// as such; a value outside of the domain stops the run with its row. Null stays null.
    Formula { text: &'static str, domain: Option<Domain> },
    /// What the engines have under the map's name: the type of the result, or why the column does not fit.
    Own(fn(&MapInput, Options<'_>) -> Result<MapOutput, String>),
    /// The same for a map of several columns to one.
    Several(fn(&[MapInput], Options<'_>) -> Result<MapOutput, String>),
}

/// Where a formula has a value, and what to write when a column may be elsewhere. `{}` is the column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Domain {
    pub within: Range,
    /// What lies outside, in words: "0 or less".
    pub outside: &'static str,
    /// The condition of a filter that keeps what is inside.
    pub filter: &'static str,
    /// What to declare.
    pub declare: &'static str,
    /// A map that takes what lies outside too.
    pub instead: Option<&'static str>,
    /// Columns of which nothing is known are taken to be inside: most are.
    pub trusting: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Inverse {
    /// The formula is solved for `x`, where that can be done.
    Derived,
    /// In words.
    Exists(&'static str),
    /// Why there is none.
    None(&'static str),
}

pub const MAPS: &[Map] = &[
    log::LOG,
    log1p::LOG1P,
    exp::EXP,
    expm1::EXPM1,
    sqrt::SQRT,
    square::SQUARE,
    reciprocal::RECIPROCAL,
    logit::LOGIT,
    affine::AFFINE,
    cyclic::CYCLIC,
    labels::LABELS,
    index::INDEX,
    one_hot::ONE_HOT,
    standardize::STANDARDIZE,
    min_max::MIN_MAX,
    robust::ROBUST,
    power::POWER,
    clip::CLIP,
    bucket::BUCKET,
    hash_bucket::HASH_BUCKET,
    impute::IMPUTE,
    count_encode::COUNT_ENCODE,
    target_encode::TARGET_ENCODE,
    tf_idf::TF_IDF,
    pca::PCA,
];

pub fn find(name: &str) -> Option<&'static Map> {
    MAPS.iter().find(|m| m.name == name)
}

const ANY: fn(Options<'_>) -> Result<(), String> = |_| Ok(());

/// A map that is an expression without options.
const fn formula(
    name: &'static str,
    text: &'static str,
    domain: Option<Domain>,
    doc: &'static str,
    example: &'static str,
) -> Map {
    Map {
        name,
        options: &[],
        valid: ANY,
        body: Body::Formula { text, domain },
        inverse: Inverse::Derived,
        exactness: |_| Exactness::Approximate,
        doc,
        example,
    }
}

/// The result of a map from numbers to floats that learns and keeps nulls.
fn fitted_float(input: &MapInput) -> Result<MapOutput, String> {
    if input.dtype.is_numeric() {
        Ok(MapOutput { dtype: DataType::Float, nullable: input.nullable, fitted: true, range: Range::ALL })
    } else {
        Err(not_a_number(&input.dtype))
    }
}

/// Why a map of numbers does not take a type.
pub fn not_a_number(dtype: &DataType) -> String {
    match dtype {
        DataType::String | DataType::Category { .. } => {
            format!("it takes numbers, not {dtype}; `index` and `one_hot` make numbers of it")
        }
        DataType::Date | DataType::Datetime => {
            format!("it takes numbers, not {dtype}; `derive` one, as `year(…)` or `days(… - @2024-01-01)`")
        }
        dtype => format!("it takes numbers, not {dtype}"),
    }
}

/// Whether the values of a type have one text each, by which they are told apart on every engine.
fn has_key_text(input: &MapInput) -> Result<(), String> {
    match &input.dtype {
        DataType::Int
        | DataType::Bool
        | DataType::String
        | DataType::Category { .. }
        | DataType::Date
        | DataType::Datetime => Ok(()),
        DataType::Float => Err("it takes values that repeat, and floats hardly do: `bucket` them first".into()),
        dtype => Err(format!("it takes values that repeat, such as categories, not {dtype}")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_one_map() {
        let names: BTreeSet<_> = MAPS.iter().map(|m| m.name).collect();
        assert_eq!(names.len(), MAPS.len());
        for map in MAPS {
            assert!(map.example.contains(map.name), "the example of {} shows it", map.name);
            assert!(map.doc.ends_with('.'), "{}", map.name);
        }
    }
}
