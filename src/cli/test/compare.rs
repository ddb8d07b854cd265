//! Expected rows against those that came.

use dbjob_plan::{Rows, Value};

use crate::hir::ExpectedRows;

/// How far floats may be from each other, relative to the larger one.
const TOLERANCE: f64 = 1e-9;

/// What differs in one table.
#[derive(Debug)]
pub struct TableDiff {
    pub node: String,
    pub columns: Vec<String>,
    /// Rows that came as they are expected.
    pub same: usize,
    pub ordered: bool,
    pub rows: Vec<RowDiff>,
}

/// Cells in the order of the columns.
#[derive(Debug, PartialEq)]
pub enum RowDiff {
    /// `columns` are the positions of the cells that differ.
    Differs {
        expected: Vec<Value>,
        got: Vec<Value>,
        columns: Vec<usize>,
    },
    Missing(Vec<Value>),
    Unexpected(Vec<Value>),
}

/// `None`: all is as expected.
pub fn compare(expected: &ExpectedRows, got: &Rows) -> Option<TableDiff> {
    // When no row is expected, nothing says which columns count.
    let columns = if expected.rows.is_empty() { got.columns.clone() } else { expected.columns.clone() };
    let positions: Vec<Option<usize>> = columns.iter().map(|name| got.columns.iter().position(|c| c == name)).collect();
    let cell = |row: &[Value], at: &Option<usize>| at.map_or(Value::Null, |at| row[at].clone());
    let came: Vec<Vec<Value>> = got.rows.iter().map(|row| positions.iter().map(|at| cell(row, at)).collect()).collect();
    let pairs = if expected.ordered { in_order(&expected.rows, &came) } else { in_any_order(&expected.rows, &came) };
    let mut diff =
        TableDiff { node: expected.node.clone(), columns, same: 0, ordered: expected.ordered, rows: Vec::new() };
    for pair in pairs {
        match pair {
            (Some(e), Some(g)) => {
                let (expected, got) = (expected.rows[e].clone(), came[g].clone());
                let columns = unequal(&expected, &got);
                if columns.is_empty() {
                    diff.same += 1;
                } else {
                    diff.rows.push(RowDiff::Differs { expected, got, columns });
                }
            }
            (Some(e), None) => diff.rows.push(RowDiff::Missing(expected.rows[e].clone())),
            (None, Some(g)) => diff.rows.push(RowDiff::Unexpected(came[g].clone())),
            (None, None) => {}
        }
    }
    (!diff.rows.is_empty()).then_some(diff)
}

type Pair = (Option<usize>, Option<usize>);

/// The longest run of rows that are in both stays; what is between is paired from the top.
fn in_order(expected: &[Vec<Value>], got: &[Vec<Value>]) -> Vec<Pair> {
    let (rows, columns) = (expected.len(), got.len());
    let mut longest = vec![vec![0_u32; columns + 1]; rows + 1];
    for e in (0..rows).rev() {
        for g in (0..columns).rev() {
            longest[e][g] = if equal_rows(&expected[e], &got[g]) {
                longest[e + 1][g + 1] + 1
            } else {
                longest[e + 1][g].max(longest[e][g + 1])
            };
        }
    }
    let mut pairs = Vec::new();
    let (mut e, mut g) = (0, 0);
    let (mut lost, mut new) = (Vec::new(), Vec::new());
    while e < rows || g < columns {
        if e < rows && g < columns && equal_rows(&expected[e], &got[g]) {
            pairs.append(&mut side_by_side(&mut lost, &mut new));
            pairs.push((Some(e), Some(g)));
            (e, g) = (e + 1, g + 1);
        } else if e < rows && (g == columns || longest[e + 1][g] >= longest[e][g + 1]) {
            lost.push(e);
            e += 1;
        } else {
            new.push(g);
            g += 1;
        }
    }
    pairs.append(&mut side_by_side(&mut lost, &mut new));
    pairs
}

fn side_by_side(lost: &mut Vec<usize>, new: &mut Vec<usize>) -> Vec<Pair> {
    let (lost, new) = (std::mem::take(lost), std::mem::take(new));
    (0..lost.len().max(new.len())).map(|i| (lost.get(i).copied(), new.get(i).copied())).collect()
}

/// Equal rows first, then those with the most equal cells; rows without an equal cell are alone, unless there is one column.
fn in_any_order(expected: &[Vec<Value>], got: &[Vec<Value>]) -> Vec<Pair> {
    let mut taken = vec![false; got.len()];
    let mut partner: Vec<Option<usize>> = vec![None; expected.len()];
    for (e, row) in expected.iter().enumerate() {
        partner[e] = (0..got.len()).find(|g| !taken[*g] && equal_rows(row, &got[*g]));
        if let Some(g) = partner[e] {
            taken[g] = true;
        }
    }
    let mut near: Vec<(usize, usize, usize)> = Vec::new();
    for (e, row) in expected.iter().enumerate().filter(|(e, _)| partner[*e].is_none()) {
        for (g, other) in got.iter().enumerate().filter(|(g, _)| !taken[*g]) {
            let equal = row.len() - unequal(row, other).len();
            if equal > 0 || row.len() == 1 {
                near.push((equal, e, g));
            }
        }
    }
    near.sort_by_key(|(equal, e, g)| (std::cmp::Reverse(*equal), *e, *g));
    for (_, e, g) in near {
        if partner[e].is_none() && !taken[g] {
            partner[e] = Some(g);
            taken[g] = true;
        }
    }
    let mut pairs: Vec<Pair> = partner.into_iter().enumerate().map(|(e, g)| (Some(e), g)).collect();
    pairs.extend((0..got.len()).filter(|g| !taken[*g]).map(|g| (None, Some(g))));
    pairs
}

fn unequal(a: &[Value], b: &[Value]) -> Vec<usize> {
    (0..a.len()).filter(|i| !equal(&a[*i], &b[*i])).collect()
}

fn equal_rows(a: &[Value], b: &[Value]) -> bool {
    unequal(a, b).is_empty()
}

/// As the language compares, but null equals null and floats may be a little apart.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Float(a), Value::Float(b)) => {
            a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
        }
        (Value::Decimal(a), Value::Decimal(b)) => a == b || a.to_float() == b.to_float() && a.cmp(b).is_eq(),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[(i64, f64)]) -> Vec<Vec<Value>> {
        values.iter().map(|(i, x)| vec![Value::Int(*i), Value::Float(*x)]).collect()
    }

    fn diff(expected: &[(i64, f64)], got: &[(i64, f64)], ordered: bool) -> Vec<RowDiff> {
        let columns = vec!["i".to_owned(), "x".to_owned()];
        let got = Rows {
            columns: vec!["x".into(), "i".into()],
            rows: rows(got).into_iter().map(|r| vec![r[1].clone(), r[0].clone()]).collect(),
        };
        let span = dbjob_plan::Span::default();
        let expected = ExpectedRows { node: "n".into(), columns, rows: rows(expected), ordered, span };
        compare(&expected, &got).map_or_else(Vec::new, |d| d.rows)
    }

    #[test]
    fn order_counts_where_it_is_said() {
        assert_eq!(diff(&[(1, 1.0), (2, 2.0)], &[(2, 2.0), (1, 1.0)], false), []);
        assert_eq!(diff(&[(1, 1.0), (2, 2.0)], &[(2, 2.0), (1, 1.0)], true).len(), 2);
        let inserted = diff(&[(1, 1.0), (2, 2.0), (3, 3.0)], &[(1, 1.0), (9, 9.0), (2, 2.0), (3, 3.0)], true);
        assert_eq!(inserted, [RowDiff::Unexpected(rows(&[(9, 9.0)]).remove(0))]);
    }

    #[test]
    fn floats_may_be_a_little_apart_and_the_nearest_rows_are_shown_beside_each_other() {
        assert_eq!(diff(&[(1, 0.3)], &[(1, 0.1 + 0.2)], false), []);
        assert_eq!(diff(&[(1, f64::NAN)], &[(1, f64::NAN)], false), []);
        let found = diff(&[(1, 1.0), (2, 2.0)], &[(3, 7.0), (2, 2.5)], false);
        let [RowDiff::Missing(_), RowDiff::Differs { columns, .. }, RowDiff::Unexpected(_)] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(columns, &[1]);
    }
}
