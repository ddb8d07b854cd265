//! Made-up rows of a dataset: they keep what it declares, types, ranges, levels, keys, and what its rules say of single
//! columns. Equal seeds give equal rows, and a column has the same values whatever other columns there are.

mod value;

use std::collections::BTreeSet;

use dbjob_plan::{Op, Source, Value};

use crate::hir::{Column, ItemBody, Job, Role, Table};
use value::{Column as Maker, Unique};

/// The rows of a source, as its file would have them.
#[derive(Debug)]
pub struct Synthetic {
    pub source: Source,
    pub schema: dbjob_plan::Schema,
    /// A value for each field of the schema.
    pub rows: Vec<Vec<Value>>,
}

/// How often a row is made again until its key is new.
const TRIES: usize = 1_000;

/// Made-up rows of the dataset of that name.
///
/// The error says what cannot be: no such dataset (`None`), or a key with too few values.
pub fn rows(job: &Job, dataset: &str, count: usize, seed: u64) -> Result<Synthetic, Option<String>> {
    let Some(ItemBody::Table { steps, table, .. }) = job.item(dataset).map(|item| &item.body) else { return Err(None) };
    let Some((Op::Read(source), read)) = steps.first().map(|step| (&step.op, step)) else { return Err(None) };
    let schema = read.shape.schema();
    // A key is one, of one column or several, and so is what the rules say is unique.
    let mut keys: Vec<BTreeSet<&str>> = table.keys.iter().map(|key| key.iter().map(String::as_str).collect()).collect();
    keys.sort_by_key(BTreeSet::len);
    let mut columns: Vec<Vec<Value>> = Vec::with_capacity(read.shape.columns.len());
    for column in &read.shape.columns {
        let alone = keys.iter().any(|key| key.len() == 1 && key.contains(column.name.as_str()));
        columns.push(values(column, table, alone, count, seed)?);
    }
    let names: Vec<&str> = read.shape.columns.iter().map(|c| c.name.as_str()).collect();
    for key in keys.iter().filter(|key| key.len() > 1) {
        let at: Vec<usize> = key.iter().filter_map(|name| names.iter().position(|n| n == name)).collect();
        let Some(last) = at.last().copied() else { continue };
        let declared = read.shape.columns.iter().nth(last).expect("it is one of the columns");
        distinct(&mut columns, &at, &mut Maker::new(declared, known(declared, table), count, seed ^ 1))
            .map_err(Some)?;
    }
    let rows = (0..count).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect();
    Ok(Synthetic { source: source.clone(), schema, rows })
}

/// What is known of a column behind the dataset's rules.
fn known<'a>(column: &'a Column, table: &'a Table) -> &'a Column {
    table.get(&column.name).unwrap_or(column)
}

fn values(column: &Column, table: &Table, unique: bool, count: usize, seed: u64) -> Result<Vec<Value>, Option<String>> {
    let known = known(column, table);
    let mut maker = Maker::new(column, known, count, seed);
    if !unique {
        return Ok((0..count).map(|_| maker.value()).collect());
    }
    let mut numbers = Unique::new(column, known);
    (0..count)
        .map(|_| {
            numbers
                .next()
                .ok_or_else(|| Some(format!("`{}` is a key, and has too few values for {count} rows", column.name)))
        })
        .collect()
}

/// Makes the columns `at` distinct together by other values of the last one.
fn distinct(columns: &mut [Vec<Value>], at: &[usize], maker: &mut Maker<'_>) -> Result<(), String> {
    let last = *at.last().expect("a key has a column");
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for row in 0..columns[last].len() {
        let mut tries = 0;
        while !seen.insert(at.iter().map(|c| columns[*c][row].to_string()).collect::<Vec<_>>().join("\u{1f}")) {
            tries += 1;
            if tries > TRIES {
                return Err(format!(
                    "the columns of a key have too few values together for {} rows",
                    columns[last].len()
                ));
            }
            columns[last][row] = maker.value();
        }
    }
    Ok(())
}

/// Whether its values name things that stand in many rows.
fn is_id(column: &Column) -> bool {
    column.role == Role::Id
}
