use serde::Serialize;

use crate::profile::{Column, Profile, Shape};
use crate::tally::Tally;

/// So many bins the population stability index has, where it can: each with about as many rows of the training.
const BINS: u64 = 10;

/// A share is at least this in the population stability index, which has no value for 0.
const LEAST: f64 = 1e-4;

/// So many new levels are named.
const NAMED: usize = 20;

/// How far rows are from those of the training, column by column, the farthest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// Of the training, and now.
    pub rows: Then<u64>,
    pub columns: Vec<ColumnDrift>,
    pub predictions: Vec<ColumnDrift>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Then<T> {
    pub training: T,
    pub now: T,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDrift {
    pub column: String,
    /// The population stability index, over bins of about a tenth of the training each or over levels, with nulls as one
    /// more; of what is not looked at, over nulls alone.
    pub psi: f64,
    /// The distance of Kolmogorov and Smirnov: the greatest difference of the shares below a number.
    pub ks: Option<f64>,
    pub null_rate: Then<f64>,
    /// Of numbers.
    pub mean: Option<Then<f64>>,
    /// The share of numbers that are less or greater than any of the training.
    pub outside: Option<f64>,
    /// Levels that the training had not, with their rows, the most frequent first.
    pub new_levels: Vec<(String, u64)>,
    /// The rows of all of them.
    pub new_level_rows: u64,
}

impl Drift {
    /// The greatest index of all columns and predictions.
    pub fn worst(&self) -> Option<&ColumnDrift> {
        self.columns.iter().chain(&self.predictions).max_by(|a, b| a.psi.total_cmp(&b.psi))
    }
}

/// Compares tallies, one for each column of the profile, in order, with the profile.
pub fn drift(profile: &Profile, columns: &[Tally], predictions: &[Tally]) -> Drift {
    let all = |profiles: &[Column], tallies: &[Tally]| {
        let mut found: Vec<ColumnDrift> = profiles.iter().zip(tallies).map(|(then, now)| column(then, now)).collect();
        found.sort_by(|a, b| b.psi.total_cmp(&a.psi));
        found
    };
    let training = profile.columns.first().map_or(0, |c| c.rows);
    let now = columns.first().map_or(0, |t| t.rows);
    let (columns, predictions) = (all(&profile.columns, columns), all(&profile.predictions, predictions));
    Drift { rows: Then { training, now }, columns, predictions }
}

fn column(then: &Column, now: &Tally) -> ColumnDrift {
    let mut found = ColumnDrift {
        column: then.name.clone(),
        psi: 0.0,
        ks: None,
        null_rate: Then { training: share(then.nulls, then.rows), now: share(now.nulls, now.rows) },
        mean: None,
        outside: None,
        new_levels: Vec::new(),
        new_level_rows: 0,
    };
    // Of no rows nothing can be said.
    if now.rows == 0 || then.rows == 0 {
        return found;
    }
    let nulls = (then.nulls, now.nulls);
    match &then.shape {
        Shape::Numbers { counts, mean, .. } => {
            let zero = vec![0; counts.len()];
            let buckets = if now.buckets.is_empty() { &zero } else { &now.buckets };
            found.psi = psi(&bins(counts, buckets, nulls), then.rows, now.rows);
            let values = (then.rows - then.nulls, now.rows - now.nulls);
            found.ks = (values.0 > 0 && values.1 > 0).then(|| ks(counts, buckets));
            found.mean = mean.zip(now.mean()).map(|(training, now)| Then { training, now });
            found.outside = (values.1 > 0).then(|| share(now.outside, values.1));
        }
        Shape::Levels { counts } => {
            let known = |level: &String| now.levels.get(level).copied().unwrap_or(0);
            let mut bins: Vec<(u64, u64)> = counts.iter().map(|(level, n)| (*n, known(level))).collect();
            let mut new: Vec<(String, u64)> =
                now.levels.iter().filter(|(l, _)| !counts.contains_key(*l)).map(|(l, n)| (l.clone(), *n)).collect();
            found.new_level_rows = new.iter().map(|(_, n)| n).sum::<u64>() + now.rest;
            bins.extend([(0, found.new_level_rows), nulls]);
            found.psi = psi(&bins, then.rows, now.rows);
            new.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            new.truncate(NAMED);
            found.new_levels = new;
        }
        Shape::Unlooked => {
            found.psi = psi(&[nulls, (then.rows - then.nulls, now.rows - now.nulls)], then.rows, now.rows);
        }
    }
    found
}

fn share(n: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { n as f64 / of as f64 }
}

/// The sum of (share now - share then) ln (share now / share then).
fn psi(bins: &[(u64, u64)], then: u64, now: u64) -> f64 {
    let of = |(a, b): &(u64, u64)| {
        if *a == 0 && *b == 0 {
            return 0.0;
        }
        let (a, b) = (share(*a, then).max(LEAST), share(*b, now).max(LEAST));
        (b - a) * (b / a).ln()
    };
    bins.iter().map(of).sum()
}

/// Neighbouring buckets together, up to each tenth of the training; nulls stand alone.
fn bins(then: &[u64], now: &[u64], nulls: (u64, u64)) -> Vec<(u64, u64)> {
    let all = then.iter().sum::<u64>().max(1);
    let mut bins = Vec::new();
    let (mut open, mut seen, mut next) = ((0, 0), 0, 1);
    for (a, b) in then.iter().zip(now) {
        open = (open.0 + a, open.1 + b);
        seen += a;
        if seen * BINS >= next * all {
            bins.push(open);
            open = (0, 0);
            next = seen * BINS / all + 1;
        }
    }
    // Nothing of the training is behind its last bin.
    match bins.last_mut() {
        Some(last) => last.1 += open.1,
        None => bins.push(open),
    }
    bins.push(nulls);
    bins
}

fn ks(then: &[u64], now: &[u64]) -> f64 {
    let (all_then, all_now) = (then.iter().sum::<u64>(), now.iter().sum::<u64>());
    let (mut a, mut b, mut greatest) = (0, 0, 0.0_f64);
    for (x, y) in then.iter().zip(now) {
        (a, b) = (a + x, b + y);
        greatest = greatest.max((share(a, all_then) - share(b, all_now)).abs());
    }
    greatest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{levels, numbers, unlooked};
    use crate::tally::Cell;

    fn of_numbers(then: &[Option<f64>], now: &[Option<f64>]) -> ColumnDrift {
        let profile = numbers("x", then.iter().copied());
        let tally = Tally::of(&profile, now.iter().map(|x| x.map_or(Cell::Null, Cell::Number)));
        column(&profile, &tally)
    }

    fn of_levels(then: &[&str], now: &[&str]) -> ColumnDrift {
        let profile = levels("x", then.iter().map(|l| Some(*l)));
        column(&profile, &Tally::of(&profile, now.iter().map(|l| Cell::Level(l))))
    }

    fn line(from: i32, to: i32) -> Vec<Option<f64>> {
        (from..to).map(|i| Some(f64::from(i) / 100.0)).collect()
    }

    #[test]
    fn the_same_rows_have_not_drifted() {
        let same = of_numbers(&line(0, 10_000), &line(0, 10_000));
        assert_eq!((same.psi, same.ks, same.outside), (0.0, Some(0.0), Some(0.0)));
        assert_eq!(of_levels(&["a", "b", "b"], &["b", "a", "b"]).psi, 0.0);
        let none = of_numbers(&line(0, 100), &[]);
        assert_eq!((none.psi, none.ks), (0.0, None));
    }

    #[test]
    fn a_shift_is_as_large_as_it_is() {
        // A tenth of a uniform distribution moves from one end to the other.
        let moved = of_numbers(&line(0, 10_000), &line(1_000, 11_000));
        assert!((moved.ks.unwrap() - 0.1).abs() < 0.005, "{moved:?}");
        assert!((moved.outside.unwrap() - 0.1).abs() < 0.005, "{moved:?}");
        // One bin is empty, one has twice its share.
        let expected = (1e-4 - 0.1) * (1e-4_f64 / 0.1).ln() + 0.1 * 2.0_f64.ln();
        assert!((moved.psi - expected).abs() < 0.03, "{moved:?} {expected}");
        let mean = moved.mean.unwrap();
        assert!((mean.now - mean.training - 10.0).abs() < 1e-9, "{moved:?}");
    }

    #[test]
    fn nulls_count_by_themselves() {
        let then: Vec<Option<f64>> = line(0, 1000);
        let now: Vec<Option<f64>> = then.iter().enumerate().map(|(i, x)| x.filter(|_| i % 2 == 0)).collect();
        let found = of_numbers(&then, &now);
        assert_eq!((found.null_rate.training, found.null_rate.now), (0.0, 0.5));
        assert!(found.psi > 1.0 && found.ks.unwrap() < 0.01, "{found:?}");
        let profile = unlooked("x", 10, 0);
        let lists = column(&profile, &Tally::of(&profile, [Cell::Null, Cell::There].into_iter()));
        assert!(lists.psi > 1.0 && lists.ks.is_none());
    }

    #[test]
    fn new_levels_are_named_with_their_rows() {
        let found = of_levels(&["a", "a", "b"], &["a", "c", "c", "d"]);
        assert_eq!(found.new_levels, [("c".to_owned(), 2), ("d".to_owned(), 1)]);
        assert_eq!(found.new_level_rows, 3);
        let by_hand = (0.25 - 2.0 / 3.0) * (0.25_f64 / (2.0 / 3.0)).ln()
            + (1e-4 - 1.0 / 3.0) * (1e-4_f64 * 3.0).ln()
            + (0.75 - 1e-4) * (0.75_f64 / 1e-4).ln();
        assert!((found.psi - by_hand).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn the_farthest_comes_first() {
        let profile = Profile {
            columns: vec![numbers("a", line(0, 100).into_iter()), levels("b", [Some("x"), Some("y")].into_iter())],
            predictions: vec![],
        };
        let tallies = [
            Tally::of(&profile.columns[0], line(0, 100).into_iter().map(|x| Cell::Number(x.unwrap()))),
            Tally::of(&profile.columns[1], [Cell::Level("z")].into_iter()),
        ];
        let found = drift(&profile, &tallies, &[]);
        assert_eq!(found.columns.iter().map(|c| c.column.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(found.worst().unwrap().column, "b");
    }
}
