//! The values of one column.

use dbjob_plan::{DataType, Decimal, Refinement, Value};
use fastrand::Rng;

use super::is_id;
use crate::hir;
use crate::hir::range::Range;

const DAY: i64 = 86_400_000_000;
/// 2023-01-01, and the days of two years.
const FIRST_DAY: i64 = 19_358;
const DAYS: i64 = 731;

/// How many of ten rows are null where that is allowed.
const NULLS_OF_TEN: u32 = 1;

const WORDS: [&str; 12] =
    ["amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "iris", "juniper", "kelp", "lark"];

/// Makes the values of a column, one after the other.
pub struct Column<'a> {
    /// As the file has it.
    column: &'a hir::Column,
    /// What the dataset's rules say besides.
    known: &'a hir::Column,
    rows: usize,
    rng: Rng,
}

impl<'a> Column<'a> {
    pub fn new(column: &'a hir::Column, known: &'a hir::Column, rows: usize, seed: u64) -> Self {
        // FNV-1a: its own stream of numbers for each column.
        let name = column
            .name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self { column, known, rows, rng: Rng::with_seed(seed ^ name) }
    }

    pub fn value(&mut self) -> Value {
        // Drawn for every row, so that the values of others do not hang on it.
        let null = self.rng.u32(0..10) < NULLS_OF_TEN;
        let value = self.present();
        if null && self.column.nullable && self.known.nullable { Value::Null } else { value }
    }

    fn present(&mut self) -> Value {
        let refinement = self.known.refinement.clone().or_else(|| self.column.refinement.clone());
        if let Some(Refinement::OneOf(values)) = &refinement
            && !values.is_empty()
        {
            return values[self.rng.usize(0..values.len())].clone();
        }
        let bounds = match &refinement {
            Some(Refinement::Range { low, high, inclusive }) => (low.as_ref(), high.as_ref(), *inclusive),
            _ => (None, None, true),
        };
        self.of_type(&self.column.dtype.clone(), bounds)
    }

    fn of_type(&mut self, dtype: &DataType, (low, high, inclusive): (Option<&Value>, Option<&Value>, bool)) -> Value {
        let range = self.column.range.and(self.known.range);
        match dtype {
            DataType::Int if is_id(self.column) => {
                let things = i64::try_from(self.rows / 4).unwrap_or(i64::MAX).max(1);
                Value::Int(self.int(range, 1, things))
            }
            DataType::Int => Value::Int(self.int(range, 0, 1_000)),
            DataType::Float => Value::Float(self.float(range)),
            DataType::Decimal { precision, scale } => {
                let digits = u32::from(*precision).min(u32::from(*scale) + 4).min(18);
                let most = 10_i64.pow(digits) - 1;
                let size = 10_f64.powi(i32::from(*scale));
                let scaled = Range { low: range.low * size, high: range.high * size, ..range };
                let unscaled = self.int(scaled, 0, most).clamp(-most, most);
                Value::Decimal(Decimal { unscaled: i128::from(unscaled), scale: *scale })
            }
            DataType::Bool => Value::Bool(self.rng.bool()),
            DataType::Category { levels: Some(levels) } if !levels.is_empty() => {
                Value::String(levels[self.rng.usize(0..levels.len())].clone())
            }
            DataType::Category { .. } => Value::String(WORDS[self.rng.usize(0..5)].into()),
            DataType::String => match low {
                Some(low) => low.clone(),
                None => Value::String(WORDS[self.rng.usize(0..WORDS.len())].into()),
            },
            DataType::Date => {
                let day = |v: Option<&Value>| if let Some(Value::Date(d)) = v { Some(i64::from(*d)) } else { None };
                let days = self.between(day(low), day(high), inclusive, FIRST_DAY, DAYS);
                Value::Date(i32::try_from(days).unwrap_or(i32::MAX))
            }
            DataType::Datetime | DataType::Duration => {
                let micros = |v: Option<&Value>| match v {
                    Some(Value::Datetime(us) | Value::Duration(us)) => Some(*us),
                    _ => None,
                };
                let first = if *dtype == DataType::Datetime { FIRST_DAY * DAY } else { 0 };
                let us = self.between(micros(low), micros(high), inclusive, first, DAYS * DAY);
                // To the second, where the bounds leave that.
                let whole = us.div_euclid(1_000_000) * 1_000_000;
                let us = if micros(low).is_none_or(|low| whole >= low) { whole } else { us };
                if *dtype == DataType::Datetime { Value::Datetime(us) } else { Value::Duration(us) }
            }
            DataType::List { item } => {
                let length = self.rng.usize(0..4);
                Value::List((0..length).map(|_| self.of_type(item, (None, None, true))).collect())
            }
            DataType::Vector { width } => {
                let width = width.unwrap_or(3);
                Value::List((0..width).map(|_| Value::Float(self.float(Range::from(-1.0, 1.0)))).collect())
            }
            DataType::Unknown => Value::Null,
        }
    }

    /// In the range; where that is open, from `low` on or up to `high`.
    fn int(&mut self, range: Range, low: i64, high: i64) -> i64 {
        let range = range.of_ints();
        // Saturates at the ends of 64 bits.
        let (least, most) =
            (range.low.is_finite().then_some(range.low as i64), range.high.is_finite().then_some(range.high as i64));
        let (low, high) = match (least, most) {
            (Some(least), Some(most)) => (least, most),
            (Some(least), None) => (least, high.max(least.saturating_add(high - low))),
            (None, Some(most)) => (low.min(most.saturating_sub(high - low)), most),
            (None, None) => (low, high),
        };
        self.rng.i64(low..=high.max(low))
    }

    fn float(&mut self, range: Range) -> f64 {
        let (low, high) = match (range.low.is_finite(), range.high.is_finite()) {
            (true, true) => (range.low, range.high),
            (true, false) => (range.low, range.low + 100.0),
            (false, true) => (range.high - 100.0, range.high),
            (false, false) => (0.0, 100.0),
        };
        let x = low + (high - low) * self.rng.f64();
        let rounded = (x * 100.0).round() / 100.0;
        let fits = |x: f64| Range::exactly(x).is_within(range);
        [rounded, x].into_iter().find(|x| fits(*x)).unwrap_or(low + (high - low) / 2.0)
    }

    /// A number of days or microseconds.
    fn between(&mut self, low: Option<i64>, high: Option<i64>, inclusive: bool, first: i64, length: i64) -> i64 {
        let high = high.map(|high| if inclusive { high } else { high - 1 });
        let (low, high) = match (low, high) {
            (Some(low), Some(high)) => (low, high),
            (Some(low), None) => (low, low.saturating_add(length)),
            (None, Some(high)) => (high.saturating_sub(length), high),
            (None, None) => (first, first + length - 1),
        };
        self.rng.i64(low..=high.max(low))
    }
}

/// The values of a key: one after the other, none twice.
pub struct Unique<'a> {
    column: &'a hir::Column,
    range: Range,
    next: i64,
}

impl<'a> Unique<'a> {
    pub fn new(column: &'a hir::Column, known: &'a hir::Column) -> Self {
        let range = column.range.and(known.range);
        let low = range.of_ints().low;
        let next = if low.is_finite() && (low > 1.0 || range.high < 1.0) { low as i64 } else { 1 };
        Self { column, range, next }
    }

    /// `None`: there is no more.
    pub fn next(&mut self) -> Option<Value> {
        let n = self.next;
        self.next = n.checked_add(1)?;
        let at = usize::try_from(n - 1).ok();
        let nth = |values: &[Value]| at.and_then(|at| values.get(at).cloned());
        let value = match (&self.column.dtype, &self.column.refinement) {
            (_, Some(Refinement::OneOf(values))) => return nth(values),
            (DataType::Category { levels: Some(levels) }, _) => {
                return at.and_then(|at| levels.get(at)).map(|level| Value::String(level.clone()));
            }
            (DataType::Bool, _) => return nth(&[Value::Bool(false), Value::Bool(true)]),
            (DataType::String | DataType::Category { .. }, _) => Value::String(format!("k{n:05}")),
            (DataType::Float, _) => Value::Float(n as f64),
            (DataType::Decimal { precision, scale }, _) => {
                let value = Decimal::of_int(n).with_scale(*scale).filter(|d| d.fits(*precision))?;
                Value::Decimal(value)
            }
            (DataType::Date, _) => Value::Date(i32::try_from(FIRST_DAY + n).ok()?),
            (DataType::Datetime, _) => Value::Datetime((FIRST_DAY * 24 + n) * (DAY / 24)),
            _ => Value::Int(n),
        };
        value.as_f64().is_none_or(|x| Range::exactly(x).is_within(self.range)).then_some(value)
    }
}
