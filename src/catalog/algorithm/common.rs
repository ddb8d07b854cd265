//! Options that several algorithms have.

use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const CLASS_WEIGHT: OptionSpec = OptionSpec {
    name: "class_weight",
    ty: OptionType::Word(&["none", "balanced"]),
    default: Default::Word("none"),
    doc: "balanced weighs each class by the inverse of its share",
};

pub const CRITERION: OptionSpec = OptionSpec {
    name: "criterion",
    ty: OptionType::Word(&["gini", "entropy"]),
    default: Default::Word("gini"),
    doc: "How the purity of classes is measured; of numbers it is the variance",
};

pub const FIT_INTERCEPT: OptionSpec = OptionSpec {
    name: "fit_intercept",
    ty: OptionType::Bool,
    default: Default::Bool(true),
    doc: "Whether there is an intercept; it is never penalised",
};

pub const GLM_ALPHA: OptionSpec = OptionSpec {
    name: "alpha",
    ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: false },
    default: Default::Float(1.0),
    doc: "Strength of the L2 penalty on the mean of half the deviance, as in scikit-learn; 0: none",
};

pub const GLM_OPTIMIZER: OptionSpec = OptionSpec {
    name: "optimizer",
    ty: OptionType::Word(&["auto", "newton", "lbfgs"]),
    default: Default::Word("auto"),
    doc: "newton goes to the end of floating point, lbfgs to `tol`. auto: newton, unless there are very many inputs",
};

pub const GRADIENT_TOL: OptionSpec = OptionSpec {
    name: "tol",
    ty: OptionType::Float { min: 0.0, max: 1.0, above: true },
    default: Default::Float(1e-4),
    doc: "lbfgs stops where no component of the gradient is larger",
};

pub const ITERATIONS: OptionSpec = OptionSpec {
    name: "max_iter",
    ty: OptionType::Int { min: 1, max: 1_000_000 },
    default: Default::Int(100),
    doc: "Most iterations",
};

pub const L1_RATIO: OptionSpec = OptionSpec {
    name: "l1_ratio",
    ty: OptionType::Float { min: 0.0, max: 1.0, above: false },
    default: Default::Float(0.5),
    doc: "The share of L1 in the penalty; the rest is L2",
};

pub const MAX_BINS: OptionSpec = OptionSpec {
    name: "max_bins",
    ty: OptionType::Int { min: 2, max: 255 },
    default: Default::Int(255),
    doc: "Most distinct cuts of a feature",
};

/// Where nodes with few rows are looked at more closely.
pub const MAX_BINS_OR_ALL: OptionSpec = OptionSpec {
    doc: "Most distinct cuts of a feature; at 255, nodes of at most 1,024 rows look at every one",
    ..MAX_BINS
};

pub const MAX_DEPTH: OptionSpec = OptionSpec {
    name: "max_depth",
    ty: OptionType::Int { min: 1, max: 1_000 },
    default: Default::Null,
    doc: "Most splits on the way to a leaf; no limit when left out",
};

pub const MAX_FEATURES: OptionSpec = OptionSpec {
    name: "max_features",
    ty: OptionType::Word(&["sqrt", "third", "all"]),
    default: Default::Null,
    doc: "Features tried at a split; sqrt for classes and third for numbers when left out",
};

pub const METRIC: OptionSpec = OptionSpec {
    name: "metric",
    ty: OptionType::Word(&["euclidean", "manhattan"]),
    default: Default::Word("euclidean"),
    doc: "How the distance of two rows is measured",
};

pub const MIN_SAMPLES_LEAF: OptionSpec = OptionSpec {
    name: "min_samples_leaf",
    ty: OptionType::Int { min: 1, max: 1_000_000_000 },
    default: Default::Int(1),
    doc: "Fewest rows of a leaf",
};

pub const MIN_SAMPLES_SPLIT: OptionSpec = OptionSpec {
    name: "min_samples_split",
    ty: OptionType::Int { min: 2, max: 1_000_000_000 },
    default: Default::Int(2),
    doc: "Fewest rows of a node that may be split",
};

pub const SWEEPS: OptionSpec = OptionSpec {
    name: "max_iter",
    ty: OptionType::Int { min: 1, max: 100_000_000 },
    default: Default::Int(10_000),
    doc: "Most sweeps over the coefficients",
};

pub const SWEEPS_TOL: OptionSpec = OptionSpec {
    name: "tol",
    ty: OptionType::Float { min: 0.0, max: 1.0, above: true },
    default: Default::Float(1e-6),
    doc: "It ends where no coefficient is further from its best than this share of the furthest at the beginning",
};

pub const TREES: OptionSpec = OptionSpec {
    name: "trees",
    ty: OptionType::Int { min: 1, max: 100_000 },
    default: Default::Int(100),
    doc: "Number of trees",
};
