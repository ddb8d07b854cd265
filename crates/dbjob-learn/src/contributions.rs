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
    /// The class whose score it is; `None` where numbers are learned.
    pub class: Option<u32>,
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
    /// Of its class against the only other one that was learned.
    LogOdds,
    /// The softmax of all outputs gives the probabilities.
    Softmax,
    /// Of each class.
    Probability,
}

impl Contribution {
    /// Of a class that no train row was of: nothing lifts or lowers it.
    pub(crate) fn impossible(class: u32, rows: usize, features: usize) -> Self {
        Self { class: Some(class), base: f64::NEG_INFINITY, features: vec![vec![0.0; rows]; features] }
    }
}
