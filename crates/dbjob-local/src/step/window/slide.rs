//! Frames that move over sorted rows, and what can be kept while they move.

use polars::prelude::IdxSize;

/// The frame of each sorted position: the positions from `low` up to, and without, `high`. Neither ever goes back.
#[derive(Debug, Default)]
pub(super) struct Frames {
    low: Vec<IdxSize>,
    high: Vec<IdxSize>,
}

impl Frames {
    pub fn push(&mut self, low: usize, high: usize) {
        self.low.push(low as IdxSize);
        self.high.push(high as IdxSize);
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        self.low.iter().zip(&self.high).map(|(low, high)| (*low as usize, *high as usize))
    }
}

/// The fold of the items of every frame, by a queue of two stacks: each item is joined at most three times in all, and
/// nothing is ever subtracted, so that sums of floats do not lose digits and one infinity does not spoil later frames.
/// `join` must be associative with the identity `none`.
pub(super) fn folds<A: Copy>(
    frames: &Frames,
    none: A,
    item: impl Fn(usize) -> A,
    join: impl Fn(A, A) -> A,
) -> impl Iterator<Item = A> {
    // The frame is front + back: `front[i]` folds the positions from middle - 1 - i up to the middle, `back` those from the
    // middle up to the end.
    let mut front: Vec<A> = Vec::new();
    let mut back = none;
    let (mut middle, mut end) = (0, 0);
    frames.iter().map(move |(low, high)| {
        if low >= end {
            (middle, end, back) = (low, low, none);
            front.clear();
        }
        while end < high {
            back = join(back, item(end));
            end += 1;
        }
        if low > middle {
            front.clear();
            let mut sum = none;
            for at in (low..end).rev() {
                sum = join(item(at), sum);
                front.push(sum);
            }
            (middle, back) = (end, none);
        }
        if low < middle { join(front[middle - 1 - low], back) } else { back }
    })
}

/// A bag of values that is asked again and again while rows come in at one end of a frame and leave at the other.
pub(super) trait Bag {
    type Item: Copy;
    type Answer;
    fn add(&mut self, item: Self::Item);
    fn remove(&mut self, item: Self::Item);
    fn answer(&self) -> Self::Answer;
}

/// The answer of the bag of every frame; `items` says what each position puts into it, if anything.
pub(super) fn answers<B: Bag>(
    frames: &Frames,
    items: &[Option<B::Item>],
    mut bag: B,
) -> impl Iterator<Item = B::Answer> {
    let (mut start, mut end) = (0, 0);
    frames.iter().map(move |(low, high)| {
        items[start..low.min(end)].iter().flatten().for_each(|item| bag.remove(*item));
        start = low;
        end = end.max(low);
        items[end..high.max(end)].iter().flatten().for_each(|item| bag.add(*item));
        end = end.max(high);
        bag.answer()
    })
}
