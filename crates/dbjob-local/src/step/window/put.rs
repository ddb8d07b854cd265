//! Values that one thread puts where others may look later: atomics, so that threads fill one table together.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};

use polars::prelude::IdxSize;

/// What can be put into a place; nobody reads the place before all threads are done.
pub(super) trait Put: Sized {
    type Place: Default + Send + Sync;
    fn put(self, place: &Self::Place);
    fn take(place: Self::Place) -> Self;
}

macro_rules! put {
    ($($value:ty, $place:ty: $bits:expr, $of_bits:expr;)*) => {$(
        impl Put for $value {
            type Place = $place;
            fn put(self, place: &Self::Place) {
                place.store($bits(self), Relaxed);
            }
            fn take(place: Self::Place) -> Self {
                $of_bits(place.into_inner())
            }
        }
    )*};
}

put! {
    i64, AtomicI64: i64::from, i64::from;
    f64, AtomicU64: f64::to_bits, f64::from_bits;
    bool, AtomicBool: bool::from, bool::from;
    IdxSize, AtomicU32: IdxSize::from, IdxSize::from;
}

impl Put for i128 {
    /// The upper and the lower half.
    type Place = (AtomicI64, AtomicU64);

    fn put(self, (high, low): &Self::Place) {
        high.store((self >> u64::BITS) as i64, Relaxed);
        low.store(self as u64, Relaxed);
    }

    fn take((high, low): Self::Place) -> Self {
        Self::from(high.into_inner()) << u64::BITS | Self::from(low.into_inner())
    }
}

impl Put for Vec<IdxSize> {
    type Place = OnceLock<Self>;

    fn put(self, place: &Self::Place) {
        place.get_or_init(|| self);
    }

    fn take(place: Self::Place) -> Self {
        place.into_inner().unwrap_or_default()
    }
}
