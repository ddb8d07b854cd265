//! The functions of expressions, one file a family.

mod accepts;
mod aggregate;
mod alias;
mod cast;
mod conditional;
mod date;
mod list;
mod math;
mod page;
mod string;
mod window;

use dbjob_plan::DataType;

use super::Exactness;
pub use accepts::{Accepts, Kind};
pub use aggregate::ROWS;
pub use alias::instead;
pub use page::page;

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
    /// Int stays int, bool counts as int, a decimal gets all digits that there are.
    Sum,
    /// Of a decimal a decimal with so many digits after the point, of an int an int, else a float.
    Rounded,
    /// An int, but of a float a float.
    Sign,
    /// `decimal(x, p, s)`
    Decimal,
    /// `vector(xs, n)`
    Vector,
    /// A list of strings.
    Texts,
    /// A list of the first argument.
    List,
    /// A list of items of the first argument: of a vector a list of floats, for its width is another.
    Items,
    /// An item of the first argument.
    Item,
    /// The sum of the items of the first argument.
    ItemSum,
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
    /// From -1 to 1.
    Unit,
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
    list::LIST,
    aggregate::AGGREGATE,
    window::WINDOW,
];

pub fn all() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().copied().flatten()
}

pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|f| f.name == name)
}

/// Whether the language has a function of that name.
pub fn is_word(name: &str) -> bool {
    find(name).is_some()
}

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
