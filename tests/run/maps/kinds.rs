//! Columns of every type that a map takes.

use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use serde_json::{Value, json};

/// A column of the test's dataset.
pub struct Kind {
    pub name: &'static str,
    pub dtype: &'static str,
    /// Values of train rows, from which a map learns; never null.
    pub seen: fn() -> BoxedStrategy<Value>,
    /// Values of any row.
    pub any: fn() -> BoxedStrategy<Value>,
}

fn floats(range: std::ops::RangeInclusive<f64>) -> BoxedStrategy<Value> {
    range.prop_map(|x| json!(x)).boxed()
}

/// Of both signs and zero, none of them tiny beside the others.
fn around(most: f64) -> BoxedStrategy<Value> {
    let size = 0.1..=most;
    prop_oneof![8 => size.clone().prop_map(|x| json!(x)), 8 => size.prop_map(|x| json!(-x)), 1 => Just(json!(0.0))]
        .boxed()
}

fn ints(range: std::ops::RangeInclusive<i64>) -> BoxedStrategy<Value> {
    range.prop_map(|i| json!(i)).boxed()
}

/// Exact numbers with two digits after the point.
fn cents(range: std::ops::RangeInclusive<i64>) -> BoxedStrategy<Value> {
    range.prop_map(|i| json!(format!("{}.{:02}", i / 100, i % 100))).boxed()
}

fn texts(levels: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop::sample::select(levels).prop_map(|l| json!(l)).boxed()
}

/// Numbers as wide as they come in tables.
pub const WIDE: &[Kind] = &[
    kind("positive", "float? in 0.1..=1000.0", || floats(0.1..=1000.0)),
    kind("share", "float? in 0.001..=0.999", || floats(0.001..=0.999)),
    kind("real", "float?", || around(10_000.0)),
    kind("small", "float? in -10.0..=10.0", || around(10.0)),
    kind("count", "int? in 1..=1_000_000", || ints(1..=1_000_000)),
    kind("whole", "int?", || ints(-1_000_000_000_000..=1_000_000_000_000)),
    kind("small_int", "int? in -20..=20", || ints(-20..=20)),
    kind("money", "decimal(12, 2)? in 1..=1_000_000", || cents(100..=100_000_000)),
];

/// Numbers that a chain of maps leaves neither huge nor tiny.
pub const NARROW: &[Kind] = &[
    kind("positive", "float? in 0.5..=3.0", || floats(0.5..=3.0)),
    kind("share", "float? in 0.1..=0.9", || floats(0.1..=0.9)),
    kind("real", "float?", || around(3.0)),
    kind("count", "int? in 1..=9", || ints(1..=9)),
    kind("whole", "int?", || ints(-9..=9)),
    kind("money", "decimal(12, 2)? in 1..=9", || cents(100..=900)),
];

pub const LEVELS: &[Kind] = &[
    kind("place", "int? in 0..=1", || ints(0..=1)),
    kind("flag", "bool?", || any::<bool>().prop_map(|b| json!(b)).boxed()),
    kind("answer", "category(\"no\", \"yes\")?", || texts(&["no", "yes"])),
    kind("size", "category(\"s\", \"m\", \"l\")?", || texts(&["s", "m", "l"])),
    Kind {
        name: "plan",
        dtype: "category?",
        seen: || texts(&["a", "ä", "b\"c"]),
        any: || texts(&["a", "ä", "b\"c", "new", " a"]),
    },
    Kind { name: "note", dtype: "string?", seen: || texts(&["x", "x y"]), any: || texts(&["x", "x y", "z", "X"]) },
];

const fn kind(name: &'static str, dtype: &'static str, values: fn() -> BoxedStrategy<Value>) -> Kind {
    Kind { name, dtype, seen: values, any: values }
}

/// Declares a dataset of the columns, whose rows say themselves whether they are train rows.
pub fn dataset(kinds: &[&Kind]) -> String {
    let columns: String = kinds.iter().map(|k| format!("  {}: {}\n", k.name, k.dtype)).collect();
    format!(
        "dataset d from ndjson(\"d.ndjson\") {{\n  id: int key\n  part: string in [\"train\", \"test\"]\n{columns}}}\n"
    )
}

/// Rows of the dataset: ten train rows without nulls, then rows of both parts with nulls and levels that are new.
pub fn table(kinds: &[&Kind]) -> BoxedStrategy<Vec<Vec<Value>>> {
    let seen: Vec<_> = kinds.iter().map(|k| (k.seen)()).collect();
    let test: Vec<_> = kinds.iter().map(|k| prop_oneof![1 => Just(Value::Null), 4 => (k.any)()].boxed()).collect();
    let train: Vec<_> = kinds.iter().map(|k| prop_oneof![1 => Just(Value::Null), 4 => (k.seen)()].boxed()).collect();
    let part = |name: &'static str, row: Vec<BoxedStrategy<Value>>, n: usize| {
        prop::collection::vec(row, n)
            .prop_map(move |rows| rows.into_iter().map(|row| [vec![json!(name)], row].concat()).collect::<Vec<_>>())
    };
    (part("train", seen, 10), part("train", train, 10), part("test", test, 20))
        .prop_map(|(a, b, c)| [a, b, c].concat())
        .boxed()
}

/// The rows as the dataset's file.
pub fn ndjson(kinds: &[&Kind], rows: &[Vec<Value>]) -> String {
    let names = || std::iter::once("part").chain(kinds.iter().map(|k| k.name));
    let line = |(id, row): (usize, &Vec<Value>)| {
        let mut object: serde_json::Map<String, Value> =
            names().zip(row).map(|(name, value)| (name.to_owned(), value.clone())).collect();
        object.insert("id".into(), json!(id));
        format!("{}\n", Value::Object(object))
    };
    rows.iter().enumerate().map(line).collect()
}
