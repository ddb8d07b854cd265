use dbjob_plan::Task;

use super::{Algorithm, common};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const DBSCAN: Algorithm = Algorithm {
    name: "dbscan",
    tasks: &[Task::Clustering],
    options: &[
        OptionSpec {
            name: "eps",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: true },
            default: Default::Float(0.5),
            doc: "How far neighbours may be from each other",
        },
        OptionSpec {
            name: "min_samples",
            ty: OptionType::Int { min: 1, max: 1_000_000_000 },
            default: Default::Int(5),
            doc: "Rows (or their weight) within `eps` of a row, itself among them, that make it a core row",
        },
        common::METRIC,
    ],
    only: &[],
    nulls: false,
    categories: false,
    exportable: false,
    spark: None,
    doc: "Clusters of any form: core rows within `eps` of each other are of one. Any row, new or not, is of the cluster of the \
          nearest core row if that is within `eps`; else it is noise, and its prediction -1. The model holds the core rows. \
          Wants numbers of like scale: `standardize`.",
    example: "fit dbscan { eps = 0.3, min_samples = 10 }",
};
