use std::path::Path;

use dbjob_learn::metric::metric;
use dbjob_learn::scattered;
use dbjob_plan::{RunError, Task};
use polars::prelude as pl;

use super::open::Package;
use super::rows::Sent;
use crate::fault::engine_error;

/// How much a column lowered the loss of the train rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Gain {
    /// The columns of the request: one, or several that an input is made of together.
    pub columns: Vec<String>,
    /// The inputs that are made of them.
    pub inputs: Vec<String>,
    /// Of all.
    pub share: f64,
}

/// How columns are shuffled.
#[derive(Debug, Clone, Default)]
pub struct Shuffling {
    /// `None`: accuracy, or r2 of numbers.
    pub metric: Option<String>,
    /// At least 1.
    pub repeats: usize,
    /// `None`: the seed of the job.
    pub seed: Option<i64>,
    /// Only the rows that the model was judged by.
    pub test_part: bool,
}

/// How much worse a metric becomes when one column is shuffled.
#[derive(Debug, Clone, PartialEq)]
pub struct Importance {
    pub metric: String,
    /// Of the rows as they are.
    pub value: f64,
    pub rows: u64,
    pub seed: i64,
    /// The most important first.
    pub columns: Vec<Shuffled>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Shuffled {
    pub column: String,
    pub mean: f64,
    /// Of the repeats, divided by their number.
    pub std: f64,
    /// Of each repeat; below 0 where the metric became better.
    pub repeats: Vec<f64>,
}

impl Package {
    /// The gain of each column, as shares that add up to 1; the largest first.
    ///
    /// Errors: E0725 for a kind of model that does not know.
    pub fn gain(&self) -> Result<Vec<Gain>, RunError> {
        let gains = self.learned.gain()?;
        let groups = self.groups().into_iter().map(|(columns, inputs)| Gain {
            columns,
            inputs: self.input_names(&inputs),
            share: inputs.iter().map(|input| gains[*input]).sum(),
        });
        let mut all: Vec<Gain> = groups.collect();
        all.sort_by(|a, b| b.share.total_cmp(&a.share));
        Ok(all)
    }

    /// What `metric` loses when a column of the request is shuffled among the rows of a file that have an output: as
    /// scikit-learn's `permutation_importance` of a pipeline.
    ///
    /// Errors: E0725 without such rows, for a metric of another task or one that is not defined on them; those of reading
    /// and predicting.
    pub fn importance(&self, input: &Path, shuffling: &Shuffling) -> Result<Importance, RunError> {
        let (sent, truth) = self.known(input, shuffling.test_part)?;
        let usual = if self.manifest.task == Task::Regression { "r2" } else { "accuracy" };
        let name = shuffling.metric.as_deref().unwrap_or(usual);
        let metric = metric(name).filter(|m| {
            let wanted = if self.manifest.task == Task::Regression {
                dbjob_learn::Task::Regression
            } else {
                dbjob_learn::Task::Classification
            };
            m.task() == wanted
        });
        let Some(metric) = metric else { return Err(self.no_metric(name)) };
        let truth = self.learned.truth(&truth)?;
        let measure = |sent: &Sent, rules: bool| {
            let inputs = self.inputs(sent, rules)?;
            self.learned.measure((&inputs, &truth), (name, metric), &self.maps, &|i| sent.number(i))
        };
        let value = measure(&sent, true)?;
        let sign = if metric.higher_is_better() { 1.0 } else { -1.0 };
        let seed = shuffling.seed.unwrap_or(self.manifest.seed);
        let mut columns = Vec::new();
        for (number, field) in self.manifest.request.iter().filter(|f| !f.hidden).enumerate() {
            let mut repeats = Vec::with_capacity(shuffling.repeats);
            for repeat in 0..shuffling.repeats {
                let stream = scattered(seed, (number as u64) << 32 | repeat as u64);
                let shuffled = sent.shuffled(&field.name, stream as i64)?;
                let found = measure(&shuffled, false).map_err(|e| {
                    let message = format!("with `{}` shuffled: {}", field.name, e.message);
                    RunError { message, ..e }
                })?;
                repeats.push(sign * (value - found));
            }
            let n = repeats.len() as f64;
            let mean = repeats.iter().sum::<f64>() / n;
            let std = (repeats.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / n).sqrt();
            columns.push(Shuffled { column: field.name.clone(), mean, std, repeats });
        }
        columns.sort_by(|a, b| b.mean.total_cmp(&a.mean));
        Ok(Importance { metric: name.to_owned(), value, rows: sent.numbers.len() as u64, seed, columns })
    }

    fn no_metric(&self, name: &str) -> RunError {
        let (task, other) = match self.manifest.task {
            Task::Regression => (dbjob_learn::Task::Regression, "numbers"),
            _ => (dbjob_learn::Task::Classification, "classes"),
        };
        let error = RunError::new("E0725", format!("there is no metric `{name}` of {other}"));
        let fits = |n: &&str| metric(n).is_some_and(|m| m.task() == task);
        let fitting: Vec<&str> = dbjob_learn::metric::names().filter(fits).collect();
        match dbjob_plan::near(name, fitting.iter().copied()).first() {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("`{}` answers {other}; there is {}", self.manifest.model, fitting.join(", "))),
        }
    }
}

impl Sent {
    /// The same rows with the values of one column in another order.
    fn shuffled(&self, column: &str, seed: i64) -> Result<Self, RunError> {
        let mut order: Vec<pl::IdxSize> = (0..self.table.height() as pl::IdxSize).collect();
        order.sort_by_key(|i| (scattered(seed, u64::from(*i)), *i));
        let values = self.table.column(column).map_err(engine_error)?;
        let values = values.take(&pl::IdxCa::from_vec("".into(), order)).map_err(engine_error)?;
        let mut table = self.table.clone();
        table.with_column(values).map_err(engine_error)?;
        Ok(Self { table, numbers: self.numbers.clone() })
    }
}
