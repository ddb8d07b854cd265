//! Whole partitions of a layout, and their frames. Positions are counted from the first of the part.

use std::ops::Range;

use dbjob_plan::{Frame, Reach, RunError};
use polars::prelude::{Column, IdxSize};

use super::layout::{Layout, micros};
use super::slide::Frames;
use crate::fault::engine_error;

pub(super) struct Part<'a> {
    /// The row of each position.
    rows: &'a [IdxSize],
    fresh: &'a [bool],
    /// The first position of the partition of each position.
    start: Vec<IdxSize>,
    /// The position behind the partition of each position.
    end: Vec<IdxSize>,
    /// The first order key in microseconds if frames go by time, negated where it descends.
    times: Vec<Option<i64>>,
    descending: bool,
}

impl<'a> Part<'a> {
    pub fn new(layout: &'a Layout, positions: Range<usize>) -> Result<Self, RunError> {
        let (rows, begins) = (&layout.rows[positions.clone()], &layout.begins[positions.clone()]);
        let height = rows.len();
        let (mut start, mut end) = (vec![0; height], vec![height as IdxSize; height]);
        for at in 1..height {
            start[at] = if begins[at] { at as IdxSize } else { start[at - 1] };
        }
        for at in (1..height).rev() {
            end[at - 1] = if begins[at] { at as IdxSize } else { end[at] };
        }
        let mut part = Self {
            rows,
            fresh: &layout.fresh[positions],
            start,
            end,
            times: Vec::new(),
            descending: layout.descending,
        };
        if let Some(time) = &layout.time {
            let times = micros(&part.sorted(time)?)?.unwrap_or_default().into_iter();
            part.times =
                if part.descending { times.map(|t| t.map(i64::saturating_neg)).collect() } else { times.collect() };
        }
        Ok(part)
    }

    pub fn rows(&self) -> &'a [IdxSize] {
        self.rows
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The values of a column over all rows, by position.
    pub fn sorted(&self, column: &Column) -> Result<Column, RunError> {
        column.take_slice(self.rows).map_err(engine_error)
    }

    /// The row of a position, counted from 1.
    pub fn row_number_of(&self, at: usize) -> u64 {
        u64::from(self.rows[at]) + 1
    }

    fn partition(&self, at: usize) -> Range<usize> {
        self.start[at] as usize..self.end[at] as usize
    }

    /// The position that lies `by` further in the partition.
    pub fn moved(&self, at: usize, by: i64) -> Option<usize> {
        let to = i64::try_from(at).ok()?.checked_add(by)?;
        usize::try_from(to).ok().filter(|to| self.partition(at).contains(to))
    }

    /// 1-based numbers in each partition: of rows, of rows before the first peer, of different keys.
    pub fn row_numbers(&self) -> impl Iterator<Item = i64> {
        self.start.iter().enumerate().map(|(at, start)| at as i64 - i64::from(*start) + 1)
    }

    pub fn ranks(&self) -> impl Iterator<Item = i64> {
        let mut first = 0;
        (0..self.len()).map(move |at| {
            if at == 0 || self.fresh[at] {
                first = at;
            }
            first as i64 - i64::from(self.start[at]) + 1
        })
    }

    pub fn dense_ranks(&self) -> impl Iterator<Item = i64> {
        let mut rank = 0;
        (0..self.len()).map(move |at| {
            rank = if at == self.partition(at).start { 1 } else { rank + i64::from(self.fresh[at]) };
            rank
        })
    }

    pub fn frames(&self, frame: Frame) -> Frames {
        let mut frames = Frames::default();
        match frame {
            Frame::All => (0..self.len()).for_each(|at| {
                let all = self.partition(at);
                frames.push(all.start, all.end);
            }),
            Frame::Rows { reach, count } => {
                let count = count.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
                for at in 0..self.len() {
                    let Range { start, end } = self.partition(at);
                    match reach {
                        Reach::Last => frames.push(start.max((at + 1).saturating_sub(count)), at + 1),
                        Reach::Previous => frames.push(start.max(at.saturating_sub(count)), at),
                        Reach::Next => frames.push(at + 1, end.min(at.saturating_add(count).saturating_add(1))),
                    }
                }
            }
            Frame::Time { reach, size } => self.time_frames(reach, size, &mut frames),
        }
        frames
    }

    /// Two pointers that only go forward: what ascends in time for the one direction ascends in negated time for the other.
    fn time_frames(&self, reach: Reach, size: i64, frames: &mut Frames) {
        let size = i128::from(size);
        // The bounds of (low, high] or [low, high), seen from 0.
        let (low, high, closed_above) = match (reach, self.descending) {
            (Reach::Last, false) => (-size, 0, true),
            (Reach::Previous, false) => (-size, 0, false),
            (Reach::Next, false) => (0, size, true),
            (Reach::Last, true) => (0, size, false),
            (Reach::Previous, true) => (0, size, true),
            (Reach::Next, true) => (-size, 0, false),
        };
        let (mut from, mut to) = (0, 0);
        for at in 0..self.len() {
            let Range { start, end } = self.partition(at);
            let Some(now) = self.times[at].map(i128::from) else {
                // Nulls stand last: from here on the partition has no time.
                let known = from.max(to).max(start);
                (from, to) = (known, known);
                frames.push(known, known);
                continue;
            };
            (from, to) = (from.max(start), to.max(start));
            let before = |bound: i128, closed: bool, other: usize| {
                self.times[other].is_some_and(|t| if closed { i128::from(t) <= bound } else { i128::from(t) < bound })
            };
            while from < end && before(now + low, closed_above, from) {
                from += 1;
            }
            while to < end && before(now + high, closed_above, to) {
                to += 1;
            }
            frames.push(from, to.max(from));
        }
    }
}
