//! Jobs that nobody wrote: well-typed by construction and by the checker, with data that keep what they declare.
//!
//! [`Job::generate`] makes one from a seed. A statement is proposed from what the catalog lists and what the checker knows
//! of the columns at its place; it is kept if the checker has nothing against it. So the generator follows the language:
//! a function, map, algorithm or metric of the catalog is taken up by iteration, and a new step or type does not compile
//! here until it is generated.

mod coverage;
mod data;
mod declare;
mod expr;
mod item;
mod job;
mod model;
mod mutate;
mod options;
mod pool;
#[cfg(feature = "local")]
mod promise;
#[cfg(feature = "local")]
mod property;
#[cfg(feature = "local")]
mod run;
#[cfg(feature = "local")]
mod shrink;
mod step;
mod tune;

use fastrand::Rng;

/// Whether something of that many percent comes true.
fn chance(rng: &mut Rng, percent: u8) -> bool {
    rng.u8(..100) < percent
}

/// One of several; there is at least one.
fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(..from.len())]
}

/// Some of several, at least one, in another order.
fn some<'a, T>(rng: &mut Rng, from: &'a [T], most: usize) -> Vec<&'a T> {
    let mut all: Vec<&T> = from.iter().collect();
    rng.shuffle(&mut all);
    all.truncate(rng.usize(1..=most.min(from.len())));
    all
}

/// A name as it is written: in backticks if it is not plain.
fn name_of(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && name.chars().next().is_some_and(|c| !c.is_numeric())
        && !dbjob::syntax::RESERVED.contains(&name);
    if plain { name.to_owned() } else { format!("`{name}`") }
}

/// What `each` finds for these numbers, on all cores, in order.
fn in_parallel<T: Send>(numbers: std::ops::Range<u64>, each: impl Fn(u64) -> Option<T> + Sync) -> Vec<T> {
    let next = std::sync::atomic::AtomicU64::new(numbers.start);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut found: Vec<(u64, T)> = std::thread::scope(|scope| {
        let work = || {
            let mut found = Vec::new();
            loop {
                let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if number >= numbers.end {
                    return found;
                }
                found.extend(each(number).map(|result| (number, result)));
            }
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|w| w.join().expect("a worker does not panic")).collect()
    });
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, result)| result).collect()
}
