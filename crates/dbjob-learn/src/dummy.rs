use crate::baseline::Baseline;
use crate::matrix::check;
use crate::options::Reader;
use crate::store::{LoadError, Stored};
use crate::{FitContext, FitError, Fitted, Learner, Matrix, Model, Pool, Scores, Target, Task, Tensor, Tensors};

/// Learns nothing from the features: the yardstick for all others.
#[derive(Debug)]
pub struct DummyLearner {
    strategy: Strategy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    /// The share of each class.
    Prior,
    /// Probability 1 of the largest class, the first of equal ones.
    MostFrequent,
    Mean,
    Median,
}

impl DummyLearner {
    pub(crate) fn read(options: &mut Reader<'_>, task: Task) -> Result<Self, FitError> {
        let all = [
            ("prior", Strategy::Prior),
            ("most_frequent", Strategy::MostFrequent),
            ("mean", Strategy::Mean),
            ("median", Strategy::Median),
        ];
        let of_task = if task == Task::Classification { &all[..2] } else { &all[2..] };
        let strategy = options.word_or("strategy", of_task, of_task[0].1)?;
        Ok(Self { strategy })
    }
}

impl Learner for DummyLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check(x, y, weights)?;
        if (cx.cancelled)() {
            return Err(FitError::cancelled());
        }
        let Some(baseline) = Baseline::fit(y, weights) else {
            return Err(FitError::data("dummy learns classes or numbers"));
        };
        let values = match (baseline, y) {
            (Baseline::Shares(shares), _) if self.strategy == Strategy::MostFrequent => {
                let largest = Scores { columns: shares.iter().map(|s| vec![*s]).collect() }.argmax()[0];
                (0..shares.len()).map(|c| f64::from(u8::from(c == largest as usize))).collect()
            }
            (Baseline::Mean(_), Target::Numbers(numbers)) if self.strategy == Strategy::Median => {
                vec![median(numbers, weights)]
            }
            (Baseline::Shares(shares), _) => shares,
            (Baseline::Mean(mean), _) => vec![mean],
        };
        let classes = if let Target::Classes { count, .. } = y { *count } else { 0 };
        Ok(Fitted::whole(Dummy { features: x.names().to_vec(), classes, values }))
    }
}

/// Half of the weight lies on each side of it. Between two values where that holds: their mean.
fn median(values: &[f64], weights: Option<&[f64]>) -> f64 {
    let weight = |i: usize| weights.map_or(1.0, |w| w[i]);
    let mut order: Vec<usize> = (0..values.len()).filter(|i| weight(*i) > 0.0).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let half: f64 = order.iter().map(|i| weight(*i)).sum::<f64>() / 2.0;
    let mut below = 0.0;
    for (at, i) in order.iter().enumerate() {
        below += weight(*i);
        if below > half {
            return values[*i];
        }
        if below == half
            && let Some(next) = order.get(at + 1)
        {
            return values[*i] / 2.0 + values[*next] / 2.0;
        }
    }
    order.last().map_or(f64::NAN, |i| values[*i])
}

/// The same answer for every row.
#[derive(Debug, Clone, PartialEq)]
pub struct Dummy {
    features: Vec<String>,
    classes: usize,
    /// The probability of each class, or one number.
    values: Vec<f64>,
}

impl Dummy {
    pub(crate) const KIND: &'static str = "dummy";

    /// The probability of each class, or one number.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    pub(crate) fn restore(stored: Stored<'_>) -> Result<Self, LoadError> {
        let (values, _) = stored.f64("values")?;
        if values.len() != stored.classes.max(1) {
            return Err(LoadError("the values of the dummy model are not one a class".to_owned()));
        }
        Ok(Self { features: stored.features, classes: stored.classes, values })
    }
}

impl Model for Dummy {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn scores(&self, x: &Matrix, _: &Pool) -> Scores {
        Scores { columns: self.values.iter().map(|v| vec![*v; x.rows()]).collect() }
    }

    fn tensors(&self) -> Tensors {
        vec![("values", Tensor::f64(vec![self.values.len()], &self.values))]
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn medians_are_those_of_numpy_and_heed_weights() {
        assert_eq!(median(&[3.0, 1.0, 2.0], None), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0], None), 2.5);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0], Some(&[1.0, 0.0, 1.0, 1.0])), 3.0);
        assert_eq!(median(&[1.0, 2.0], Some(&[3.0, 1.0])), 1.0);
        assert_eq!(median(&[-1e308, 1e308], None), 0.0);
    }
}
