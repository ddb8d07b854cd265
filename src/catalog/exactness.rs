/// What a result depends on besides the values that go in. The later the weaker: of several the weakest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exactness {
    /// The same on every engine, in whatever order the rows come.
    Exact,
    /// Depends on the order of the rows; exact where they have one.
    Ordered,
    /// Sums of floats and what a library of mathematics computes: the last digits depend on the order and the engine.
    Approximate,
}

impl Exactness {
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Ordered => "ordered",
            Self::Approximate => "approximate",
        }
    }
}
