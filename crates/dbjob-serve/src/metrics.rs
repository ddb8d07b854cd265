//! Counts and times in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::model::Model;

/// Upper ends of the buckets, in seconds.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Default)]
pub struct Metrics {
    /// By what was asked for and the status; few of each.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    times: Histogram,
    pub connections: AtomicU64,
    pub refused_connections: AtomicU64,
    pub swaps: AtomicU64,
    pub failed_swaps: AtomicU64,
}

#[derive(Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Metrics {
    pub fn request(&self, what: &'static str, status: u16, time: Duration) {
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry((what, status)).or_default() += 1;
        let seconds = time.as_secs_f64();
        if let Some(at) = BUCKETS.iter().position(|end| seconds <= *end) {
            self.times.buckets[at].fetch_add(1, Ordering::Relaxed);
        }
        self.times.count.fetch_add(1, Ordering::Relaxed);
        self.times.micros.fetch_add(time.as_micros() as u64, Ordering::Relaxed);
    }

    pub fn text<'a>(&self, models: impl Iterator<Item = &'a Model> + Clone) -> String {
        let mut out = String::new();
        let head = |out: &mut String, name: &str, kind: &str, help: &str| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        };
        head(&mut out, "dbjob_requests_total", "counter", "Requests that were answered.");
        for ((what, status), count) in self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(out, "dbjob_requests_total{{call=\"{what}\",status=\"{status}\"}} {count}");
        }
        head(&mut out, "dbjob_request_seconds", "histogram", "From the head of a request to the head of its answer.");
        let mut sum = 0;
        for (end, count) in BUCKETS.iter().zip(&self.times.buckets) {
            sum += count.load(Ordering::Relaxed);
            let _ = writeln!(out, "dbjob_request_seconds_bucket{{le=\"{end}\"}} {sum}");
        }
        let count = self.times.count.load(Ordering::Relaxed);
        let seconds = self.times.micros.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(out, "dbjob_request_seconds_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "dbjob_request_seconds_sum {seconds}\ndbjob_request_seconds_count {count}");
        for (name, kind, help, value) in [
            ("dbjob_connections", "gauge", "Open connections.", &self.connections),
            ("dbjob_refused_connections_total", "counter", "Connections beyond the limit.", &self.refused_connections),
            ("dbjob_swaps_total", "counter", "Versions that became live while the server ran.", &self.swaps),
            ("dbjob_failed_swaps_total", "counter", "Versions that could not be opened.", &self.failed_swaps),
        ] {
            head(&mut out, name, kind, help);
            let _ = writeln!(out, "{name} {}", value.load(Ordering::Relaxed));
        }
        head(&mut out, "dbjob_model_info", "gauge", "The version of a model that is live.");
        for model in models.clone() {
            let _ = writeln!(out, "dbjob_model_info{{{}}} 1", labels(model));
        }
        head(&mut out, "dbjob_rows_total", "counter", "Rows that the model was asked for.");
        for model in models.clone() {
            let _ = writeln!(out, "dbjob_rows_total{{{}}} {}", labels(model), model.stats.rows.load(Ordering::Relaxed));
        }
        head(
            &mut out,
            "dbjob_refused_rows_total",
            "counter",
            "Rows of the right types that a rule or a lookup refused.",
        );
        for model in models.clone() {
            let refused = model.stats.refused.load(Ordering::Relaxed);
            let _ = writeln!(out, "dbjob_refused_rows_total{{{}}} {refused}", labels(model));
        }
        head(&mut out, "dbjob_waiting_rows", "gauge", "Rows that wait to be scored.");
        for model in models.clone() {
            let _ = writeln!(out, "dbjob_waiting_rows{{{}}} {}", labels(model), model.waiting());
        }
        // The lines of one metric stand together, whatever model they are of.
        let mut others: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for model in models {
            for line in model.scorer.metrics(&labels(model)).lines() {
                let name = line.split(['{', ' ']).next().unwrap_or_default();
                others.entry(name.to_owned()).or_default().push(line.to_owned());
            }
        }
        for (name, lines) in others {
            let (kind, help) = known(&name);
            head(&mut out, &name, kind, help);
            lines.iter().for_each(|line| out.extend([line.as_str(), "\n"]));
        }
        out
    }
}

/// The kind of a metric that a scorer tells, and what it is.
fn known(name: &str) -> (&'static str, &'static str) {
    match name {
        "dbjob_warned_rows_total" => ("counter", "Rows for which a rule that only warns did not hold."),
        "dbjob_drift_rows" => ("gauge", "Rows of the last hour that are compared with the training rows."),
        "dbjob_drift_psi" => ("gauge", "Population stability index of the last hour against the training rows."),
        "dbjob_drift_ks" => ("gauge", "Kolmogorov-Smirnov distance of the last hour from the training rows."),
        "dbjob_drift_null_rate" => ("gauge", "Share of nulls in the last hour."),
        "dbjob_drift_new_level_rows" => ("gauge", "Rows of the last hour with a level that training did not have."),
        _ if name.ends_with("_total") => ("counter", "Told by the model."),
        _ => ("untyped", "Told by the model."),
    }
}

fn labels(model: &Model) -> String {
    let name = model.name().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("model=\"{name}\",version=\"{}\"", model.manifest().version)
}
