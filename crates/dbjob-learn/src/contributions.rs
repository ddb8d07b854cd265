/// What each feature adds to the scores of rows: for every output and row, base + Σ of its features is the score.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    pub scale: Scale,
    /// One of numbers and of two classes (the second); else one a class.
    pub outputs: Vec<Contribution>,
}

/// Of one output.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The score of a row without features: of the mean row, or the mean score.
    pub base: f64,
    /// Column by column: one of all rows a feature.
    pub features: Vec<Vec<f64>>,
}

/// What a score is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// The prediction.
    Number,
    /// The logarithm of the prediction.
    Log,
    /// Of the second class.
    LogOdds,
    /// The softmax of all outputs gives the probabilities.
    Softmax,
    /// Of each class.
    Probability,
}
