use dbjob_plan::Task;

/// A number that judges predictions on the test part.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub task: Task,
    pub higher_is_better: bool,
    /// Whether it judges the predicted classes, so that it changes with the threshold.
    pub of_labels: bool,
    pub doc: &'static str,
}

const fn metric(name: &'static str, task: Task, higher_is_better: bool, doc: &'static str) -> Metric {
    Metric { name, task, higher_is_better, of_labels: false, doc }
}

const fn of_labels(name: &'static str, doc: &'static str) -> Metric {
    Metric { name, task: Task::Classification, higher_is_better: true, of_labels: true, doc }
}

/// Definitions follow scikit-learn's functions of the same names.
pub const METRICS: &[Metric] = &[
    of_labels("accuracy", "Share of rows whose predicted class is right"),
    of_labels("balanced_accuracy", "Mean over the classes of the share of their rows that is right"),
    of_labels("f1", "Harmonic mean of precision and recall: of true for a bool, the mean over the classes otherwise"),
    metric(
        "auc",
        Task::Classification,
        true,
        "Area under the ROC curve; more than two classes: mean of one against the rest",
    ),
    metric("log_loss", Task::Classification, false, "Mean of -ln of the probability given to the true class"),
    metric("rmse", Task::Regression, false, "Root of the mean squared error, in the output's units"),
    metric("mae", Task::Regression, false, "Mean absolute error, in the output's units"),
    metric("r2", Task::Regression, true, "Share of the variance that is explained; 1 is perfect, 0 is the mean"),
];

pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|m| m.name == name)
}

/// Whether `require` has a meaning of its own for a name.
pub fn is_word(name: &str) -> bool {
    find(name).is_some() || LATER.contains(&name) || ["baseline", "deployed"].contains(&name)
}

/// Metrics of the language that no engine computes yet.
pub const LATER: &[&str] = &[
    "precision",
    "recall",
    "average_precision",
    "brier",
    "mcc",
    "calibration_error",
    "mape",
    "quantile_loss",
    "poisson_deviance",
    "silhouette",
];
