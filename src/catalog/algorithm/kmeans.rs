use dbjob_plan::Task;

use super::Algorithm;
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const KMEANS: Algorithm = Algorithm {
    name: "kmeans",
    tasks: &[Task::Clustering],
    options: &[
        OptionSpec {
            name: "k",
            ty: OptionType::Int { min: 1, max: 1_000_000 },
            default: Default::Int(8),
            doc: "Number of clusters",
        },
        OptionSpec {
            name: "n_init",
            ty: OptionType::Int { min: 1, max: 10_000 },
            default: Default::Int(1),
            doc: "Starts from other seeds, of which the best is taken",
        },
        OptionSpec {
            name: "max_iter",
            ty: OptionType::Int { min: 1, max: 1_000_000 },
            default: Default::Int(300),
            doc: "Most iterations of a start",
        },
        OptionSpec {
            name: "tol",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: false },
            default: Default::Float(1e-4),
            doc: "A start ends where its centres move less, as a share of the mean variance of an input",
        },
    ],
    only: &[],
    nulls: false,
    categories: false,
    exportable: true,
    spark: Some("KMeans"),
    doc: "Clusters around means, seeded as far from each other as k-means++ draws them. A row is of the cluster of the nearest \
          mean; its prediction is the number of the cluster, from 0. Wants numbers of like scale: `standardize`.",
    example: "fit kmeans { k = 4, n_init = 10 }",
};
