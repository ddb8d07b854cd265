//! Items beside datasets, transforms, models and deployments.

use dbjob::hir::{Column, Table};
use dbjob_plan::{DataType, FileId, Span};
use fastrand::Rng;

use super::expr::{Kind, Names, OwnFn, Scope, expr, literal};
use super::{chance, pick};

/// Types that may be written in a declaration, and what they are.
const TYPES: [(Kind, &str, DataType); 6] = [
    (Kind::Int, "int", DataType::Int),
    (Kind::Float, "float", DataType::Float),
    (Kind::Bool, "bool", DataType::Bool),
    (Kind::Text, "string", DataType::String),
    (Kind::Date, "date", DataType::Date),
    (Kind::Datetime, "datetime", DataType::Datetime),
];

/// A module that groups these items.
pub fn module(runs: &[String]) -> String {
    format!("module group {{\n  runs = [{}]\n}}\n", runs.join(", "))
}

/// `param limit: int = 3`
pub fn param(name: &str, rng: &mut Rng) -> (Kind, String) {
    let (kind, word, _) = pick(rng, &TYPES);
    (*kind, format!("param {name}: {word} = {}\n", literal(rng, *kind)))
}

/// `fn twice(a: int): int = a * 2`
pub fn function(name: &str, names: &Names, rng: &mut Rng) -> (OwnFn, String) {
    let mut table = Table::default();
    let (mut params, mut kinds) = (Vec::new(), Vec::new());
    for n in 0..rng.usize(1..=3) {
        let (kind, word, dtype) = pick(rng, &TYPES);
        let nullable = rng.bool();
        table.put(Column::new(format!("a{n}"), dtype.clone(), nullable, Span::new(FileId(0), 0, 0)));
        params.push(format!("a{n}: {word}{}", if nullable { "?" } else { "" }));
        kinds.push(*kind);
    }
    let (gives, word, _) = pick(rng, &TYPES);
    let body = expr(rng, &Scope { table: &table, names, aggregates: false }, *gives, 2);
    let null = if chance(rng, 70) { "?" } else { "" };
    let own = OwnFn { name: name.to_owned(), params: kinds, gives: *gives };
    (own, format!("fn {name}({}): {word}{null} = {body}\n", params.join(", ")))
}
