use std::collections::BTreeMap;

use crate::profile::{Column, Shape};

/// So many levels that the training had not are told by name.
const NEW: usize = 1000;

/// A value as it is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    Null,
    Number(f64),
    Level(&'a str),
    /// Of a list: there.
    There,
}

/// Rows of a column counted by the buckets and levels of its profile.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    pub rows: u64,
    pub nulls: u64,
    /// By bucket of the profile.
    pub(crate) buckets: Vec<u64>,
    /// Numbers less or greater than any of the training.
    pub(crate) outside: u64,
    sum: f64,
    finite: u64,
    /// Those of the profile, and others.
    pub(crate) levels: BTreeMap<String, u64>,
    /// Levels for which there is no room.
    pub(crate) rest: u64,
    new: usize,
}

impl Tally {
    /// Of rows that are there already.
    pub fn of<'a>(column: &Column, cells: impl Iterator<Item = Cell<'a>>) -> Self {
        let mut tally = Self::default();
        cells.for_each(|cell| tally.add(column, cell));
        tally
    }

    pub fn add(&mut self, column: &Column, cell: Cell<'_>) {
        self.rows += 1;
        match (cell, &column.shape) {
            (Cell::Null, _) => self.nulls += 1,
            (Cell::Number(x), _) if x.is_nan() => self.nulls += 1,
            (Cell::Number(x), Shape::Numbers { edges, .. }) => {
                if self.buckets.is_empty() {
                    self.buckets = vec![0; edges.len() + 1];
                }
                self.buckets[edges.partition_point(|edge| *edge < x)] += 1;
                let inside =
                    edges.first().is_some_and(|least| *least <= x) && edges.last().is_some_and(|most| x <= *most);
                self.outside += u64::from(!inside);
                if x.is_finite() {
                    self.sum += x;
                    self.finite += 1;
                }
            }
            (Cell::Level(level), Shape::Levels { counts }) => match self.levels.get_mut(level) {
                Some(n) => *n += 1,
                None if counts.contains_key(level) => drop(self.levels.insert(level.to_owned(), 1)),
                None if self.new < NEW => {
                    self.new += 1;
                    self.levels.insert(level.to_owned(), 1);
                }
                None => self.rest += 1,
            },
            _ => {}
        }
    }

    /// Adds the rows of another tally by the same profile.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.nulls += other.nulls;
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(own, more)| *own += more);
        self.outside += other.outside;
        self.sum += other.sum;
        self.finite += other.finite;
        for (level, n) in &other.levels {
            *self.levels.entry(level.clone()).or_default() += n;
        }
        self.rest += other.rest;
        self.new += other.new;
    }

    /// Of the finite numbers.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.finite > 0).then(|| self.sum / self.finite as f64)
    }
}
