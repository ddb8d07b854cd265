//! The source columns that a value derives from: all of them, and those of which only other rows' values went into it.

use std::collections::BTreeSet;

/// (dataset, column)
pub type Origin = BTreeSet<(String, String)>;

/// Adds what another value derives from. A source is only of other rows if it is so in both.
pub fn absorb((all, elsewhere): (&mut Origin, &mut Origin), (more, more_elsewhere): (&Origin, &Origin)) {
    elsewhere.retain(|source| more_elsewhere.contains(source) || !more.contains(source));
    elsewhere.extend(more_elsewhere.iter().filter(|source| !all.contains(*source)).cloned());
    all.extend(more.iter().cloned());
}
