use super::model::{Answers, Neighbors, Votes};
use super::points::{Distance, Points, refuse_far};
use crate::matrix::check;
use crate::options::Reader;
use crate::weights::present_classes;
use crate::{FitContext, FitError, Fitted, Learner, Matrix, Target};

/// The most values that a model keeps: 2 GiB of them.
const LARGEST: usize = 1 << 28;

/// The k nearest rows vote. A row's weight is that of its vote.
#[derive(Debug)]
pub struct NeighborsLearner {
    k: usize,
    votes: Votes,
    distance: Distance,
}

impl NeighborsLearner {
    pub(crate) fn read(options: &mut Reader<'_>) -> Result<Self, FitError> {
        Ok(Self {
            k: options.int("k", 1, 1_000_000)?,
            votes: options.word("weights", &Votes::WORDS)?,
            distance: options.word("metric", &Distance::WORDS)?,
        })
    }
}

impl Learner for NeighborsLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check(x, y, weights)?;
        if (cx.cancelled)() {
            return Err(FitError::cancelled());
        }
        let rows: Vec<usize> = (0..x.rows()).filter(|i| weights.is_none_or(|w| w[*i] > 0.0)).collect();
        let (n, p) = (rows.len(), x.width());
        if n.saturating_mul(p) > LARGEST || n > u32::MAX as usize {
            return Err(FitError::data(format!(
                "knn keeps every row that it learns from, and {n} rows of {p} features are more than it takes ({LARGEST} values)"
            ))
            .help("learn from a `sample` of the rows, or with an algorithm that keeps none, such as random_forest"));
        }
        let (classes, answers) = match y {
            Target::Classes { codes, count } => {
                let ones = vec![1.0; codes.len()];
                present_classes(codes, *count, weights.unwrap_or(&ones))?;
                (*count, Answers::Classes(rows.iter().map(|i| codes[*i]).collect()))
            }
            Target::Numbers(numbers) => (0, Answers::Numbers(rows.iter().map(|i| numbers[*i]).collect())),
            Target::Unlabelled(_) => return Err(FitError::data("knn learns classes or numbers")),
        };
        if self.k > n {
            return Err(FitError::data(format!("knn asks {} neighbours and has {n} rows to learn from", self.k))
                .help(format!("write a `k` of at most {n}")));
        }
        refuse_far(x)?;
        let taken;
        let x = if n == x.rows() {
            x
        } else {
            taken = x.take(&rows);
            &taken
        };
        let columns: Vec<&[f64]> = (0..p).map(|j| x.column(j)).collect();
        let points = Points::new(&columns, n, self.distance);
        let weights = weights.map(|w| rows.iter().map(|i| w[*i]).collect()).unwrap_or_default();
        let features = x.names().to_vec();
        Ok(Fitted::whole(Neighbors { features, classes, k: self.k, votes: self.votes, points, answers, weights }))
    }

    /// All of the work is in the answers; measured with 20,000 rows of 30 features: some hundreds.
    fn prediction_share(&self) -> f64 {
        100.0
    }
}
