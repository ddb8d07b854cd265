//! The functions of expressions, one file a family.

mod aggregate;
mod cast;
mod conditional;
mod date;
mod math;
mod string;
mod window;

use dbjob_plan::DataType;

use super::Exactness;

/// A function: its parameters, its result and its docs.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    pub name: &'static str,
    pub params: &'static [Param],
    pub result: ResultType,
    pub nulls: Nulls,
    /// Makes one value of many rows.
    pub aggregate: bool,
    /// Sees where the row stands in an ordered window; only there.
    pub of_order: bool,
    pub exactness: Exactness,
    pub doc: &'static str,
    pub example: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub struct Param {
    pub name: &'static str,
    pub accepts: Accepts,
    pub arity: Arity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    One,
    Optional,
    /// One or more, last only; all of one type.
    Many,
}

/// What a parameter takes. An int is converted where a float is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    Any,
    /// Int or float, kept as it is.
    Number,
    Float,
    Int,
    Bool,
    Text,
    Date,
    /// Date or datetime.
    Temporal,
    /// Datetime, or a date as its midnight.
    Datetime,
    Duration,
    /// Whatever `<` takes.
    Ordered,
    /// Bool or number.
    Summable,
    /// A literal text; of these, if any are named.
    LiteralText(&'static [&'static str]),
    LiteralInt,
    /// A literal whole number from 1.
    LiteralCount,
    /// A literal number from 0 to 1.
    LiteralShare,
    /// What a cast to this type takes.
    CastFrom(&'static [Kind]),
}

/// Types without their arguments, for tables of casts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Float,
    Bool,
    Text,
    Date,
    Datetime,
}

impl Kind {
    pub fn of(dtype: &DataType) -> Option<Kind> {
        Some(match dtype {
            DataType::Int => Self::Int,
            DataType::Float => Self::Float,
            DataType::Bool => Self::Bool,
            DataType::String | DataType::Category { .. } => Self::Text,
            DataType::Date => Self::Date,
            DataType::Datetime => Self::Datetime,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultType {
    Int,
    Float,
    Bool,
    String,
    Date,
    Datetime,
    /// The type of the first argument (of all of a `Many`, made common).
    Same,
    /// Int stays int, bool counts as int.
    Sum,
}

/// When the result may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// Where an argument may be.
    FromAny,
    /// Only where every argument may be.
    FromAll,
    Never,
    Always,
    /// As `FromAny` with a default as the last argument; without one always, for there may be no such row.
    Elsewhere,
    /// Where an argument may be, or may be outside the function's domain.
    Domain(Domain),
}

/// Where a function of a number is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    Positive,
    NonNegative,
    AboveMinusOne,
}

impl Accepts {
    pub fn words(self) -> String {
        match self {
            Self::Any => "any value".into(),
            Self::Number | Self::Float => "a number".into(),
            Self::Int => "an int".into(),
            Self::Bool => "a bool".into(),
            Self::Text => "a string".into(),
            Self::Date => "a date".into(),
            Self::Temporal | Self::Datetime => "a date or datetime".into(),
            Self::Duration => "a duration".into(),
            Self::Ordered => "a value that can be ordered".into(),
            Self::Summable => "a number or bool".into(),
            Self::LiteralText([]) => "a text in quotes".into(),
            Self::LiteralText(words) => {
                format!("one of {}", words.iter().map(|w| format!("{w:?}")).collect::<Vec<_>>().join(", "))
            }
            Self::LiteralInt => "a whole number as written".into(),
            Self::LiteralCount => "a whole number from 1 as written".into(),
            Self::LiteralShare => "a number from 0 to 1 as written".into(),
            Self::CastFrom(kinds) => {
                let names: Vec<_> =
                    kinds.iter().map(|k| format!("{k:?}").to_lowercase().replace("text", "string")).collect();
                format!("one of {}", names.join(", "))
            }
        }
    }
}

impl Function {
    /// `round(x, digits?)`
    pub fn signature(&self) -> String {
        let params: Vec<_> = self
            .params
            .iter()
            .map(|p| match p.arity {
                Arity::One => p.name.to_owned(),
                Arity::Optional => format!("{}?", p.name),
                Arity::Many => format!("{}, …", p.name),
            })
            .collect();
        format!("{}({})", self.name, params.join(", "))
    }

    /// Its exactness where the result is of this type: what rounds floats adds ints exactly.
    pub fn exactness_of(&self, result: &DataType) -> Exactness {
        match self.exactness {
            Exactness::Approximate if *result != DataType::Float => Exactness::Exact,
            marked => marked,
        }
    }

    /// Marks one whose result depends on the order of the rows.
    const fn ordered(self) -> Self {
        Self { exactness: Exactness::Ordered, ..self }
    }

    /// Marks one that adds floats, or whose last digits depend on the library that computes it.
    const fn approximate(self) -> Self {
        Self { exactness: Exactness::Approximate, ..self }
    }
}

const fn one(name: &'static str, accepts: Accepts) -> Param {
    Param { name, accepts, arity: Arity::One }
}

const fn optional(name: &'static str, accepts: Accepts) -> Param {
    Param { name, accepts, arity: Arity::Optional }
}

const fn many(name: &'static str, accepts: Accepts) -> Param {
    Param { name, accepts, arity: Arity::Many }
}

const fn row(
    name: &'static str,
    params: &'static [Param],
    result: ResultType,
    nulls: Nulls,
    doc: &'static str,
    example: &'static str,
) -> Function {
    Function {
        name,
        params,
        result,
        nulls,
        aggregate: false,
        of_order: false,
        exactness: Exactness::Exact,
        doc,
        example,
    }
}

/// All families.
pub const FUNCTIONS: &[&[Function]] = &[
    math::MATH,
    string::STRING,
    date::DATE,
    cast::CAST,
    conditional::CONDITIONAL,
    aggregate::AGGREGATE,
    window::WINDOW,
];

pub fn all() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().copied().flatten()
}

pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|f| f.name == name)
}

/// Whether the language has a function of that name, built or not.
pub fn is_word(name: &str) -> bool {
    find(name).is_some() || LATER.contains(&name)
}

/// Functions of the language that no engine has yet.
pub const LATER: &[&str] = &["local", "split"];

#[cfg(test)]
mod tests {
    use super::*;

    /// A new aggregate of floats is either marked or, because it only picks among values, named here.
    #[test]
    fn what_adds_floats_is_marked() {
        for function in all().filter(|f| f.aggregate && f.result == ResultType::Float) {
            let picks = ["median", "quantile"].contains(&function.name);
            assert_eq!(function.exactness == Exactness::Approximate, !picks, "{}", function.name);
        }
        let sum = find("sum").unwrap();
        assert_eq!(sum.exactness_of(&DataType::Int), Exactness::Exact);
        assert_eq!(sum.exactness_of(&DataType::Float), Exactness::Approximate);
    }
}
