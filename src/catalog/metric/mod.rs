mod page;

use dbjob_plan::Task;

use super::options::{Default, OptionSpec, OptionType};

pub use page::page;

/// A number that judges predictions on the test part.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub task: Task,
    pub higher_is_better: bool,
    /// Whether it judges the predicted classes, so that it changes with the threshold.
    pub of_labels: bool,
    /// What stands in brackets behind the name.
    pub options: &'static [OptionSpec],
    /// The function of `sklearn.metrics` that gives the same number.
    pub like: &'static str,
    pub doc: &'static str,
}

const fn metric(
    name: &'static str,
    task: Task,
    higher_is_better: bool,
    like: &'static str,
    doc: &'static str,
) -> Metric {
    Metric { name, task, higher_is_better, of_labels: false, options: &[], like, doc }
}

const fn of_labels(name: &'static str, like: &'static str, doc: &'static str) -> Metric {
    Metric { of_labels: true, ..metric(name, Task::Classification, true, like, doc) }
}

const fn error(name: &'static str, like: &'static str, doc: &'static str) -> Metric {
    metric(name, Task::Regression, false, like, doc)
}

const QUANTILE: &[OptionSpec] = &[OptionSpec {
    name: "quantile",
    ty: OptionType::Float { min: 0.0, max: 1.0, above: false },
    default: Default::Required,
    doc: "Which quantile the predictions are meant to be",
}];

pub const METRICS: &[Metric] = &[
    of_labels("accuracy", "accuracy_score", "Share of rows whose predicted class is right"),
    of_labels(
        "balanced_accuracy",
        "balanced_accuracy_score",
        "Mean over the classes of the share of their rows that is right",
    ),
    of_labels(
        "precision",
        "precision_score",
        "How many of the rows predicted to be of the class are: of the second of two classes (of true for a bool), the mean over the classes otherwise",
    ),
    of_labels("precision_macro", "precision_score(average=\"macro\")", "Mean over the classes, each counting alike"),
    of_labels("precision_micro", "precision_score(average=\"micro\")", "Over all classes together"),
    of_labels("precision_weighted", "precision_score(average=\"weighted\")", "Mean over the classes by their rows"),
    of_labels(
        "recall",
        "recall_score",
        "How many of the rows of the class are predicted to be: of the second of two classes, the mean otherwise",
    ),
    of_labels("recall_macro", "recall_score(average=\"macro\")", "Mean over the classes, each counting alike"),
    of_labels("recall_micro", "recall_score(average=\"micro\")", "Over all classes together"),
    of_labels("recall_weighted", "recall_score(average=\"weighted\")", "Mean over the classes by their rows"),
    of_labels(
        "f1",
        "f1_score",
        "Harmonic mean of precision and recall: of the second of two classes, the mean over the classes otherwise",
    ),
    of_labels("f1_macro", "f1_score(average=\"macro\")", "Mean over the classes, each counting alike"),
    of_labels("f1_micro", "f1_score(average=\"micro\")", "Over all classes together"),
    of_labels("f1_weighted", "f1_score(average=\"weighted\")", "Mean over the classes by their rows"),
    of_labels(
        "mcc",
        "matthews_corrcoef",
        "Matthews' correlation of the predicted and the true classes: 1 is perfect, 0 is chance",
    ),
    metric(
        "auc",
        Task::Classification,
        true,
        "roc_auc_score(multi_class=\"ovr\")",
        "Area under the ROC curve; more than two classes: mean of one against the rest",
    ),
    metric(
        "average_precision",
        Task::Classification,
        true,
        "average_precision_score",
        "Mean precision while the recall grows, a summary of the precision-recall curve; more than two classes: mean of one against the rest",
    ),
    metric(
        "log_loss",
        Task::Classification,
        false,
        "log_loss",
        "Mean of -ln of the probability given to the true class",
    ),
    metric(
        "brier",
        Task::Classification,
        false,
        "brier_score_loss",
        "Mean squared distance of the probability from the truth; more than two classes: summed over them",
    ),
    metric(
        "calibration_error",
        Task::Classification,
        false,
        "",
        "How far probabilities are from shares: the expected calibration error over ten bins of equal width, as `calibration_curve` makes them. Two classes: of the probability of the second; more: of the predicted class's",
    ),
    error("rmse", "root_mean_squared_error", "Root of the mean squared error, in the output's units"),
    error("mae", "mean_absolute_error", "Mean absolute error, in the output's units"),
    error(
        "mape",
        "mean_absolute_percentage_error",
        "Mean of the error as a part of the true value: 0.1 is 10 %; huge where true values are near 0",
    ),
    metric(
        "r2",
        Task::Regression,
        true,
        "r2_score",
        "Share of the variance that is explained; 1 is perfect, 0 is the mean",
    ),
    Metric {
        options: QUANTILE,
        ..error(
            "quantile_loss",
            "mean_pinball_loss",
            "Pinball loss of predictions of a quantile: `quantile_loss(0.9)` charges 0.9 for what is too low and 0.1 for what is too high",
        )
    },
    error("poisson_deviance", "mean_poisson_deviance", "For counts: true values of at least 0, predictions above 0"),
    error(
        "gamma_deviance",
        "mean_gamma_deviance",
        "For amounts, whose error grows with them: true values and predictions above 0",
    ),
    metric(
        "silhouette",
        Task::Clustering,
        true,
        "silhouette_score",
        "How much nearer rows are to their own cluster than to the next one: 1 is perfect, 0 is none, and the baseline",
    ),
];

pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|m| m.name == name)
}

/// Whether `require` has a meaning of its own for a name.
pub fn is_word(name: &str) -> bool {
    find(name).is_some() || ["baseline", "deployed"].contains(&name)
}
