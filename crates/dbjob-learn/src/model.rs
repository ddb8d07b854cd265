use std::any::Any;
use std::ops::Range;

use crate::cluster::{DbscanLearner, KmeansLearner};
use crate::dummy::DummyLearner;
use crate::linear::{ElasticNetLearner, Family, GlmLearner, LinearLearner, LogisticLearner};
use crate::matrix::Levels;
use crate::mlp::MlpLearner;
use crate::naive_bayes::NaiveBayesLearner;
use crate::neighbors::NeighborsLearner;
use crate::options::Reader;
use crate::pool::blocks;
use crate::svm::SvmLearner;
use crate::tree::{BoostLearner, ForestLearner};
use crate::{Contributions, FitContext, FitError, Matrix, Options, Pool, Target, Task, Tensors};

/// The algorithms of this crate, by their names in the language.
pub const ALGORITHMS: &[&str] = &[
    "dbscan",
    "decision_tree",
    "dummy",
    "elastic_net",
    "extra_trees",
    "gamma_regression",
    "gradient_boosting",
    "kmeans",
    "knn",
    "lasso",
    "linear_regression",
    "logistic_regression",
    "mlp",
    "naive_bayes",
    "poisson_regression",
    "random_forest",
    "ridge",
    "svm",
];

/// Those whose models tell what each feature adds ([`Model::contributions`]).
pub const EXPLAINED: &[&str] = &[
    "decision_tree",
    "elastic_net",
    "extra_trees",
    "gamma_regression",
    "gradient_boosting",
    "lasso",
    "linear_regression",
    "logistic_regression",
    "poisson_regression",
    "random_forest",
    "ridge",
];

/// An algorithm with its options, ready to fit.
pub trait Learner: Send + Sync {
    /// `x`: rows x features, finite; `y`: one a row; `weights`: one a row, finite, not negative.
    /// Errors name the feature and row at fault; see [`crate::FitErrorKind`].
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError>;

    /// About how long the finished model takes for a row, as a part of what the fit took for one: who has a limited time for
    /// both shares it out by this.
    fn prediction_share(&self) -> f64 {
        0.0
    }
}

/// What a fit gave.
#[derive(Debug)]
pub struct Fitted {
    pub model: Box<dyn Model>,
    /// There if the time was over before the last round.
    pub ended_early: Option<Early>,
    /// Of a fit that rows have judged to stop it: after how many rounds the model was the best.
    pub best_round: Option<u64>,
}

impl Fitted {
    /// Without a judge on the way.
    pub(crate) fn ended(model: impl Model + 'static, ended_early: Option<Early>) -> Self {
        Self { model: Box::new(model), ended_early, best_round: None }
    }

    pub(crate) fn whole(model: impl Model + 'static) -> Self {
        Self { model: Box::new(model), ended_early: None, best_round: None }
    }
}

/// The rounds that a model was made in, where there should have been more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Early {
    pub done: u64,
    /// At most.
    pub total: u64,
    /// `trees`, `epochs`, `iterations`.
    pub unit: &'static str,
}

/// What was learned. Who writes models in another form asks for the type behind it.
pub trait Model: Any + Send + Sync + std::fmt::Debug {
    /// The kind under which it is stored.
    fn kind(&self) -> &'static str;

    /// The features in the order that [`Model::scores`] takes them.
    fn features(&self) -> &[String];

    /// What the codes of its categories stand for, one entry a feature; empty: all are numbers.
    fn levels(&self) -> &[Levels] {
        &[]
    }

    /// The classes that it tells apart; 0 for numbers and clusters.
    fn classes(&self) -> usize;

    /// `x` has the model's features. Each row's result depends on that row only.
    fn scores(&self, x: &Matrix, pool: &Pool) -> Scores;

    /// What each feature adds to the scores of these rows, where the model can tell exactly.
    fn contributions(&self, _x: &Matrix, _pool: &Pool) -> Option<Contributions> {
        None
    }

    /// The numbers of the model.
    fn tensors(&self) -> Tensors;

    /// How much each feature lowered the loss of the train rows, as shares that add up to 1; `None`: this kind of model
    /// does not know.
    fn importance(&self) -> Option<Vec<f64>> {
        None
    }
}

impl dyn Model + '_ {
    /// Like [`Model::scores`]; an error when `x` has other features than the model.
    pub fn predict(&self, x: &Matrix, pool: &Pool) -> Result<Scores, FitError> {
        if x.names() != self.features() {
            let (want, have) = (self.features().len(), x.width());
            let differing = self.features().iter().zip(x.names()).find(|(a, b)| a != b);
            return Err(FitError::data(match differing {
                Some((a, b)) => format!("feature `{b}` stands where the model learned `{a}`"),
                None => format!("{have} features where the model learned {want}"),
            }));
        }
        let levels = self.levels();
        let differing = (0..x.width()).find(|j| levels.get(*j).and_then(|l| l.as_deref()) != x.levels(*j));
        if let Some(j) = differing {
            return Err(FitError::data(format!("feature `{}` has other levels than were learned", x.names()[j])));
        }
        Ok(self.scores(x, pool))
    }
}

/// Predictions column by column: the probability of each class, or one column of numbers or of clusters' numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    pub columns: Vec<Vec<f64>>,
}

impl Scores {
    /// Those of `rows` rows, `size` at a time: each block gives its part of the `width` columns.
    pub(crate) fn in_blocks(
        (rows, width, size): (usize, usize, usize),
        pool: &Pool,
        block: impl Fn(Range<usize>) -> Vec<Vec<f64>> + Sync,
    ) -> Self {
        let ranges = blocks(rows, size);
        Self::concat(pool.run(ranges.len(), |b| block(ranges[b].clone())), width, rows)
    }

    /// Blocks of consecutive rows, each a list of `width` columns, put together.
    fn concat(blocks: Vec<Vec<Vec<f64>>>, width: usize, rows: usize) -> Self {
        let mut columns = vec![Vec::with_capacity(rows); width];
        for block in blocks {
            for (column, part) in columns.iter_mut().zip(block) {
                column.extend(part);
            }
        }
        Self { columns }
    }

    /// The class with the highest probability of each row; the first of equal ones.
    pub fn argmax(&self) -> Vec<u32> {
        let rows = self.columns.first().map_or(0, Vec::len);
        (0..rows)
            .map(|i| {
                let mut best = 0;
                for (c, column) in self.columns.iter().enumerate() {
                    if column[i] > self.columns[best][i] {
                        best = c;
                    }
                }
                best as u32
            })
            .collect()
    }
}

/// The algorithm `name` for `task`, with all of its options. `seed` decides everything random.
pub fn learner(name: &str, task: Task, options: &Options, seed: i64) -> Result<Box<dyn Learner>, FitError> {
    let mut reader = Reader::new(name, options);
    let wrong_task = |takes: &str| Err(FitError::option(format!("{name} learns {takes} only")));
    let clusters = matches!(name, "kmeans" | "dbscan");
    if ALGORITHMS.contains(&name) && clusters != (task == Task::Clustering) {
        return wrong_task(if clusters { "without an output" } else { "an output" });
    }
    let learner: Box<dyn Learner> = match (name, task) {
        ("logistic_regression", Task::Classification) => Box::new(LogisticLearner::read(&mut reader, seed)?),
        ("logistic_regression", Task::Regression) => return wrong_task("classes"),
        ("linear_regression", Task::Regression) => Box::new(LinearLearner::read_least_squares(&mut reader)?),
        ("ridge", Task::Regression) => Box::new(LinearLearner::read_ridge(&mut reader)?),
        ("lasso", Task::Regression) => Box::new(ElasticNetLearner::lasso(&mut reader)?),
        ("elastic_net", Task::Regression) => Box::new(ElasticNetLearner::elastic_net(&mut reader)?),
        ("poisson_regression", Task::Regression) => Box::new(GlmLearner::read(Family::Poisson, &mut reader)?),
        ("gamma_regression", Task::Regression) => Box::new(GlmLearner::read(Family::Gamma, &mut reader)?),
        (
            "linear_regression" | "ridge" | "lasso" | "elastic_net" | "poisson_regression" | "gamma_regression",
            Task::Classification,
        ) => return wrong_task("numbers"),
        ("gradient_boosting", task) => Box::new(BoostLearner::read(&mut reader, task, seed)?),
        ("mlp", Task::Classification | Task::Regression) => Box::new(MlpLearner::read(&mut reader, seed)?),
        ("random_forest", task) => Box::new(ForestLearner::random(&mut reader, task, seed)?),
        ("extra_trees", task) => Box::new(ForestLearner::extra(&mut reader, task, seed)?),
        ("decision_tree", _) => Box::new(ForestLearner::single(&mut reader, seed)?),
        ("naive_bayes", Task::Classification) => Box::new(NaiveBayesLearner::read(&mut reader)?),
        ("naive_bayes", Task::Regression) => return wrong_task("classes"),
        ("knn", _) => Box::new(NeighborsLearner::read(&mut reader)?),
        ("svm", _) => Box::new(SvmLearner::read(&mut reader, seed)?),
        ("dummy", task) => Box::new(DummyLearner::read(&mut reader, task)?),
        ("kmeans", _) => Box::new(KmeansLearner::read(&mut reader, seed)?),
        ("dbscan", _) => Box::new(DbscanLearner::read(&mut reader)?),
        _ => return Err(FitError::option(format!("there is no algorithm `{name}`"))),
    };
    reader.finish()?;
    Ok(learner)
}
