use std::time::{SystemTime, UNIX_EPOCH};

use dbjob_plan::{FitSpec, Key, Manifest, PackageStatus, Plan, SourceFingerprint, Threshold, civil_datetime};
use dbjob_registry::FORMAT;

use crate::learn::Learned;

/// The manifest of a package, but for its version and the hashes of its files.
pub(super) fn manifest(learned: &Learned, plan: &Plan, lineage: Vec<SourceFingerprint>, key: Option<Key>) -> Manifest {
    let spec = learned.spec();
    let held = learned.held();
    Manifest {
        format: FORMAT,
        dbjob: env!("CARGO_PKG_VERSION").to_owned(),
        job: plan.job.clone(),
        model: spec.model.clone(),
        version: 0,
        created: now(),
        status: if held { PackageStatus::Promoted } else { PackageStatus::Rejected },
        task: spec.task,
        algorithm: spec.algorithm.clone(),
        threshold: spec.fixed_threshold(),
        calibration: spec.calibration.clone(),
        conformal: spec.conformal,
        inputs: spec.inputs.clone(),
        output: spec.output.clone(),
        classes: learned.classes().to_vec(),
        features: learned.features().to_vec(),
        request: spec.serving.request.fields.clone(),
        serving: spec.serving.clone(),
        rows: learned.rows(),
        metrics: learned.metrics().iter().cloned().collect(),
        confusion: learned.confusion().cloned(),
        requirements: learned.requirements().to_vec(),
        unfinished: learned.unfinished().to_vec(),
        lineage,
        files: Default::default(),
        seed: spec.serving.plan.seed,
        key,
        sha256: String::new(),
    }
}

/// The part of a fit's description that predicting needs.
pub(super) fn spec_of(manifest: &Manifest) -> FitSpec {
    FitSpec {
        model: manifest.model.clone(),
        inputs: manifest.inputs.clone(),
        output: manifest.output.clone(),
        task: manifest.task,
        weight: None,
        algorithm: manifest.algorithm.clone(),
        search: None,
        refit: false,
        threshold: manifest.threshold.map(Threshold::Fixed),
        calibration: manifest.calibration.clone(),
        conformal: manifest.conformal,
        slices: Vec::new(),
        split: false,
        folds: None,
        judged_by_folds: false,
        metrics: Vec::new(),
        intervals: None,
        require: Vec::new(),
        serving: manifest.serving.clone(),
        identify: Vec::new(),
    }
}

/// RFC 3339, UTC, to the second.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Seconds since 1970 in microseconds fit i64 for 292,000 years.
    format!("{}Z", civil_datetime(since.as_secs() as i64 * 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_rfc_3339() {
        let text = now();
        assert!(
            text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T' && text.starts_with("20"),
            "{text}"
        );
    }
}
