use std::time::{SystemTime, UNIX_EPOCH};

use dbjob_plan::{FitSpec, Key, Manifest, PackageStatus, Plan, RunError, SourceFingerprint, Threshold, civil_datetime};

use super::FORMAT;
use super::files::digest;
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
        requirements: learned.requirements().to_vec(),
        unfinished: learned.unfinished().to_vec(),
        lineage,
        files: Default::default(),
        seed: spec.serving.plan.seed,
        key,
        sha256: String::new(),
    }
}

/// The manifest as the text of its file, with its own fingerprint in it.
///
/// Errors: E0799.
pub(super) fn sealed(manifest: &Manifest) -> Result<String, RunError> {
    let engine = |e: String| RunError::new("E0799", e);
    let open = Manifest { sha256: String::new(), ..manifest.clone() };
    let text = serde_json::to_string_pretty(&open).map_err(|e| engine(e.to_string()))? + "\n";
    let hash = digest(&mut text.as_bytes()).map_err(|e| engine(e.to_string()))?;
    let at = text.rfind(&fingerprint("")).expect("it is the manifest's last field");
    let (before, after) = text.split_at(at);
    Ok(format!("{before}{}{}", fingerprint(&hash), &after[fingerprint("").len()..]))
}

/// Whether the text of a manifest is the one that was stored with this fingerprint.
pub(super) fn is_sealed(text: &str, hash: &str) -> bool {
    let stored = fingerprint(hash);
    let Some(at) = text.rfind(&stored) else { return false };
    let open = format!("{}{}{}", &text[..at], fingerprint(""), &text[at + stored.len()..]);
    digest(&mut open.as_bytes()).is_ok_and(|found| found == hash)
}

fn fingerprint(hash: &str) -> String {
    format!("\"sha256\": \"{hash}\"")
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
