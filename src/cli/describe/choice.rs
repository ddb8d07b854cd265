//! What a model chooses before it is fitted, as `describe` tells it.

use std::collections::BTreeMap;

use dbjob_plan::{FitSpec, Space, Threshold};
use serde::Serialize;

/// A search for the best of several fits.
#[derive(Debug, Serialize)]
pub struct Search {
    pub metric: String,
    /// `grid`, `random(20)`.
    pub strategy: String,
    pub candidates: Vec<Candidate>,
}

#[derive(Debug, Serialize)]
pub struct Candidate {
    pub algorithm: String,
    /// The values that are tried of each option that is searched, as they are written.
    pub spaces: BTreeMap<String, String>,
}

impl Search {
    pub fn of(fit: &FitSpec) -> Option<Self> {
        let search = fit.search.as_ref()?;
        let strategy = search.strategy.to_string();
        let candidate = |candidate: &dbjob_plan::Candidate| Candidate {
            algorithm: candidate.algorithm.name.clone(),
            spaces: candidate.spaces.iter().map(|(name, space)| (name.clone(), written(space))).collect(),
        };
        let candidates = search.candidates.iter().map(candidate).collect();
        Some(Self { metric: search.metric.clone(), strategy, candidates })
    }
}

fn written(space: &Space) -> String {
    match space {
        Space::OneOf(values) => {
            format!("[{}]", values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Space::Ints { low, high } => format!("{low}..={high}"),
        Space::Floats { low, high, log: false } => format!("{low:?}..={high:?}"),
        Space::Floats { low, high, log: true } => format!("log({low:?}..={high:?})"),
    }
}

/// `0.4`, `best f1`.
pub fn threshold(fit: &FitSpec) -> Option<String> {
    fit.threshold.as_ref().map(|threshold| match threshold {
        Threshold::Fixed(share) => format!("{share:?}"),
        Threshold::Best(metric) => format!("best {metric}"),
    })
}

/// `sigmoid`.
pub fn calibrate(fit: &FitSpec) -> Option<&'static str> {
    fit.calibration.as_ref().map(|calibration| calibration.method.word())
}

/// `auc by country`.
pub fn slices(fit: &FitSpec) -> Vec<String> {
    fit.slices.iter().map(|slice| format!("{} by {}", slice.metric, slice.column)).collect()
}
