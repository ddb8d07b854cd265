//! The judgement of clusters: there is no truth, so that the train rows themselves say how well they are apart.

use std::sync::Arc;

use dbjob_learn::metric::{Undefined, silhouette};
use dbjob_learn::{Matrix, Pool};
use dbjob_plan::{Event, MetricValue, RunContext, RunError};
use polars::prelude::{Column, DataFrame};

use super::evaluate::{self, Live};
use super::features::{Purpose, matrix};
use super::fit::{Fresh, take};
use super::judge::column;
use super::learned::{Learned, Report};
use crate::fault::engine_error;
use crate::map::MapStates;

/// The silhouette of rows of one cluster.
const BASELINE: f64 = 0.0;

/// How well rows are apart that are of the clusters with these numbers.
pub(super) fn silhouette_of(x: &Matrix, numbers: &[f64], seed: i64, pool: &Pool) -> Result<f64, Undefined> {
    // Noise, -1, is one more.
    let labels: Vec<u32> = numbers.iter().map(|n| (n + 1.0) as u32).collect();
    let columns: Vec<&[f64]> = (0..x.width()).map(|j| x.column(j)).collect();
    silhouette(&columns, &labels, seed, pool)
}

impl Fresh {
    /// Judges clusters by the train rows of `table`; of the test rows, if there are some, their numbers are stored.
    pub(super) fn clusters(
        mut self,
        table: &DataFrame,
        live: &Live,
        maps: &MapStates,
        (cx, item): (&RunContext<'_>, &str),
    ) -> Result<Learned, RunError> {
        let spec = &self.learned.spec;
        let mut report = Report { rows: self.parts.counts, ..Report::default() };
        for name in &spec.metrics {
            let found = self.silhouette(table, maps)?;
            match found {
                Ok(value) => report.metrics.push((name.clone(), MetricValue::new(value, BASELINE))),
                Err(why) => {
                    let rows = self.parts.train.len();
                    let message = format!("{name} is not defined on the {rows} train rows of `{}`: {why}", spec.model);
                    cx.emit(Event::Warning { item: item.to_owned(), message });
                }
            }
        }
        let gates = spec.require.iter().map(|requirement| evaluate::gate(requirement, &report.metrics, live));
        report.requirements = gates.collect();
        if spec.is_judged() {
            cx.emit(Event::Evaluated {
                item: item.to_owned(),
                rows: report.rows,
                metrics: report.metrics.clone(),
                requirements: report.requirements.clone(),
                confusion: None,
            });
        }
        report.test_predictions = self.test_clusters(table, maps)?;
        self.learned.report = report;
        Ok(Learned(Arc::new(self.learned)))
    }

    fn silhouette(&self, table: &DataFrame, maps: &MapStates) -> Result<Result<f64, Undefined>, RunError> {
        let (learned, train) = (&self.learned, take(table, &self.parts.train)?);
        let row = |i: usize| u64::from(self.parts.train[i]) + 1;
        let x = matrix(&train, &learned.spec, maps, (Purpose::Fit, None), &row)?;
        let numbers = &learned.scores_of(&x)?.columns[0];
        let pool = Pool::new(learned.threads).map_err(|e| RunError::new("E0799", e.message))?;
        Ok(silhouette_of(&x, numbers, learned.spec.serving.plan.seed, &pool))
    }

    /// The identifying columns of the test rows, the weight, and their clusters.
    fn test_clusters(&self, table: &DataFrame, maps: &MapStates) -> Result<DataFrame, RunError> {
        let (learned, parts) = (&self.learned, &self.parts);
        let test = take(table, &parts.test)?;
        let scores = learned.scores(&test, maps, &|i| u64::from(parts.test[i]) + 1)?;
        let spec = &learned.spec;
        let mut columns: Vec<Column> =
            spec.beside_predictions().map(|name| column(&test, name).cloned()).collect::<Result<_, _>>()?;
        let mut prefix = "prediction".to_owned();
        while columns.iter().any(|c| c.name().starts_with(&prefix)) {
            prefix.push('_');
        }
        columns.extend(learned.meaning(maps).columns(&scores, &prefix)?);
        DataFrame::new(test.height(), columns).map_err(engine_error)
    }
}
