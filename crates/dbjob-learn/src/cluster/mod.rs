//! Groups of rows that nobody has named.

mod centers;
mod dbscan;
mod dense;
mod kmeans;
mod lloyd;
mod seeding;

pub use centers::Centers;
pub use dbscan::DbscanLearner;
pub use dense::Dense;
pub use kmeans::KmeansLearner;
