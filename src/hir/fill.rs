//! Whole rows of a table of which only some columns are given.

use std::collections::BTreeSet;

use dbjob_plan::{DataType, Op, Refinement, Value};

use super::range::Range;
use super::table::{Column, Role, Shape, Table};
use super::value::{self, Wanted};
use super::{GivenRows, Item, ItemBody, Job};

/// What rows that stand for an item consist of.
pub(super) struct Frame<'a> {
    pub shape: &'a Shape,
    keys: BTreeSet<&'a str>,
    result: &'a Table,
}

impl<'a> Frame<'a> {
    /// `None` for what is no table, and for a transform without steps: it has no node of its own.
    pub fn of(item: &'a Item) -> Option<Self> {
        let ItemBody::Table { steps, table: result, .. } = &item.body else { return None };
        let (first, last) = (steps.first()?, steps.last()?);
        // A dataset's rows go through its rules, so what the rules say is not yet so.
        Some(match &first.op {
            Op::Read(source) => {
                Self { shape: &first.shape, keys: source.key.iter().map(String::as_str).collect(), result }
            }
            _ => {
                let alone = result.keys.iter().filter(|key| key.len() == 1);
                Self { shape: &last.shape, keys: alone.flatten().map(String::as_str).collect(), result }
            }
        })
    }

    fn is_key(&self, column: &Column) -> bool {
        self.keys.contains(column.name.as_str()) || column.role == Role::Key
    }

    /// Whether no two rows have one value of it.
    pub fn is_key_alone(&self, column: &str) -> bool {
        let declared = self.shape.columns.get(column).is_some_and(|c| c.role == Role::Key);
        self.keys.len() <= 1 && (self.keys.contains(column) || declared)
    }

    /// All values of the rows, in the order of the schema, hidden columns too: all rows are train rows.
    ///
    /// The error is a key column that has too few values.
    pub fn whole<R>(&self, rows: &[R], given: impl Fn(&R, &str) -> Option<Value>) -> Result<Vec<Vec<Value>>, String> {
        let mut whole: Vec<Vec<Value>> = vec![Vec::new(); rows.len()];
        for column in &self.shape.columns {
            let cells: Vec<Option<Value>> = rows.iter().map(|row| given(row, &column.name)).collect();
            // What is filled in keeps the rules.
            let range = self.result.get(&column.name).map_or(column.range, |c| c.range);
            let mut filler = Filler { column, range, used: cells.iter().flatten().cloned().collect() };
            for (row, cell) in whole.iter_mut().zip(cells) {
                row.push(match cell {
                    Some(value) => value,
                    None if self.is_key(column) => filler.next().ok_or_else(|| column.name.clone())?,
                    None => filler.plain(),
                });
            }
        }
        let hidden = self.shape.schema().fields.iter().filter(|f| f.hidden).count();
        whole.iter_mut().for_each(|row| row.extend(std::iter::repeat_n(Value::Int(0), hidden)));
        Ok(whole)
    }
}

impl Job {
    /// Rows that stand for a node, with values for what they do not say; `None`: they are no rows of it.
    pub fn given_rows<R>(
        &self,
        node: &str,
        rows: &[R],
        given: impl Fn(&R, &str) -> Option<Value>,
    ) -> Option<GivenRows> {
        let rows = Frame::of(self.item(node)?)?.whole(rows, given).ok()?;
        Some(GivenRows { node: node.to_owned(), rows })
    }
}

pub(super) fn wanted(column: &Column) -> Wanted {
    Wanted { dtype: column.dtype.clone(), nullable: column.nullable, refinement: column.refinement.clone() }
}

/// Values for what a row does not say.
struct Filler<'a> {
    column: &'a Column,
    range: Range,
    /// Of a key: what stands in other rows.
    used: Vec<Value>,
}

impl Filler<'_> {
    /// Null where it may be, else some value that fits.
    fn plain(&self) -> Value {
        if self.column.nullable {
            return Value::Null;
        }
        let example = value::example(&wanted(self.column));
        let fits = |x: f64| Range::exactly(x).is_within(self.range);
        match (&example, example.as_f64()) {
            (_, Some(x)) if fits(x) => example,
            (Value::Int(_), _) => {
                let range = self.range.of_ints();
                let near = if range.low.is_finite() { range.low } else { range.high };
                if fits(near) { Value::Int(near as i64) } else { example }
            }
            (Value::Float(_), _) => {
                let Range { low, high, .. } = self.range;
                let inside = match (low.is_finite(), high.is_finite()) {
                    (true, true) => low + (high - low) / 2.0,
                    (true, false) => low + 1.0,
                    (false, _) => high - 1.0,
                };
                if fits(inside) { Value::Float(inside) } else { example }
            }
            _ => example,
        }
    }

    /// A value that no other row has; `None`: there is no more.
    fn next(&mut self) -> Option<Value> {
        let wanted = Wanted { nullable: false, ..wanted(self.column) };
        let fits = |value: &Value| {
            value::fit(value.clone(), &wanted).is_ok()
                && value.as_f64().is_none_or(|x| Range::exactly(x).is_within(self.range))
        };
        let from = self.range.of_ints().low;
        let from = if from.is_finite() && from > 1.0 { from as i64 } else { 1 };
        let candidate = |n: i64| match (&wanted.dtype, &wanted.refinement) {
            (_, Some(Refinement::OneOf(values))) => values.get(usize::try_from(n - from).ok()?).cloned(),
            (DataType::Category { levels: Some(levels) }, _) => {
                levels.get(usize::try_from(n - from).ok()?).map(|level| Value::String(level.clone()))
            }
            (DataType::Float, _) => Some(Value::Float(n as f64)),
            (DataType::String | DataType::Category { .. }, _) => Some(Value::String(format!("k{n}"))),
            (DataType::Date, _) => Some(Value::Date(19_722 + i32::try_from(n).ok()?)),
            (DataType::Datetime, _) => Some(Value::Datetime((19_722 + n) * 86_400_000_000)),
            (DataType::Bool, _) => [false, true].get(usize::try_from(n - from).ok()?).map(|b| Value::Bool(*b)),
            _ => Some(Value::Int(n)),
        };
        let most = from + i64::try_from(self.used.len()).ok()? + 1_000;
        let found = (from..most).find_map(|n| candidate(n).filter(|v| fits(v) && !self.used.contains(v)))?;
        self.used.push(found.clone());
        Some(found)
    }
}
