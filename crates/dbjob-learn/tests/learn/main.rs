//! Learners against scikit-learn's results (tests/fixtures), and what must hold for each of them.

mod boost;
mod clusters;
mod contributions;
mod degenerate;
mod dummy;
mod elastic;
mod ended;
mod every;
mod forest;
mod glm;
mod input;
mod least_squares;
mod logistic;
mod metrics;
mod mlp;
mod naive_bayes;
mod neighbors;
mod support;
mod svm;
