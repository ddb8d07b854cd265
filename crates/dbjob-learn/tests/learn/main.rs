//! Learners against scikit-learn's results (tests/fixtures), and what must hold for each of them.

mod clusters;
mod dummy;
mod ended;
mod every;
mod forest;
mod input;
mod least_squares;
mod logistic;
mod metrics;
mod naive_bayes;
mod neighbors;
mod support;
