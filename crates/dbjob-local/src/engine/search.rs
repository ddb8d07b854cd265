//! What is chosen before a fit: the best of what a search tries, and the best threshold. The rows that choose are those of
//! the valid part or, without one, the train rows fold by fold; never test rows. Where folds judge what is chosen by folds,
//! each chooses for itself, among the train rows that it learns from.

use std::collections::BTreeMap;

use dbjob_plan::{
    Algorithm, Event, FitSpec, NodeId, PART, PART_NONE, PART_TEST, PART_VALID, RunError, Search, SearchReport,
    Threshold, Trial,
};
use polars::prelude::DataFrame;

use super::Stop;
use super::fit::with_parts;
use super::folds::judged_elsewhere;
use super::run::Run;
use crate::fault::engine_error;
use crate::learn::{Fresh, Shares, trials};
use crate::map::MapStates;

impl Run<'_> {
    /// What is fitted in the end, and what was tried. `without`: the fold that judges it, whose rows choose nothing. If
    /// there are none to choose by then, the first of all candidates is taken, and a half.
    pub(super) fn chosen(
        &self,
        fit: NodeId,
        spec: &FitSpec,
        table: &DataFrame,
        without: Option<i64>,
    ) -> Result<(FitSpec, Option<SearchReport>), Stop> {
        let mut chosen = FitSpec { search: None, ..spec.clone() };
        let mut report = None;
        if let Some(search) = &spec.search {
            if let Some((algorithm, found)) = self.search(fit, spec, search, (table, without))? {
                (chosen.algorithm, report) = (algorithm, Some(found));
            }
        }
        if let Some(Threshold::Best(metric)) = &spec.threshold {
            let trial = FitSpec { threshold: None, ..judged_elsewhere(&chosen) };
            let mut shares = Shares::default();
            self.each_view(fit, (table, without), &mut |view, maps| {
                let fresh = self.trial(fit, &trial, view, maps)?;
                shares.add(&fresh.held_out(view, maps, &fresh)?);
                Ok(())
            })?;
            let none = without.is_some() && shares.is_empty();
            chosen.threshold = if none { None } else { Some(Threshold::Fixed(shares.best(spec, metric)?)) };
        }
        Ok((chosen, report))
    }

    fn search(
        &self,
        fit: NodeId,
        spec: &FitSpec,
        search: &Search,
        rows: (&DataFrame, Option<i64>),
    ) -> Result<Option<(Algorithm, SearchReport)>, Stop> {
        let all = trials(search, self.plan.seed);
        // A threshold that is still to be chosen is a half until then.
        let base =
            judged_elsewhere(&FitSpec { threshold: spec.fixed_threshold().map(Threshold::Fixed), ..spec.clone() });
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); all.len()];
        let item = &self.plan.node(fit).item;
        let (mut done, nested) = (0, rows.1.is_some());
        self.each_view(fit, rows, &mut |view, maps| {
            for (algorithm, values) in all.iter().zip(&mut values) {
                self.go_on()?;
                let trial = FitSpec { algorithm: algorithm.clone(), ..base.clone() };
                let fresh = self.trial(fit, &trial, view, maps)?;
                values.extend(fresh.value(&search.metric, view, maps)?);
                done += 1;
                if !self.quiet && !nested {
                    let total = (all.len() as u64).max(done);
                    self.cx.emit(Event::Progress { item: item.clone(), done, total, loss: None });
                }
            }
            Ok(())
        })?;
        let mean = |values: &Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        let higher = dbjob_learn::metric::metric(&search.metric).is_some_and(|m| m.higher_is_better());
        let mut ranked: Vec<(&Algorithm, Option<f64>)> = all.iter().zip(values.iter().map(mean)).collect();
        // Of equally good ones the first stays before the others.
        ranked.sort_by(|(_, a), (_, b)| match (a, b) {
            (Some(a), Some(b)) if higher => b.total_cmp(a),
            (Some(a), Some(b)) => a.total_cmp(b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        if done == 0 && nested {
            return Ok(None);
        }
        let Some((best, Some(_))) = ranked.first() else {
            let message = format!(
                "nothing can be chosen for `{}`: {} is not defined on the rows that choose",
                spec.model, search.metric
            );
            let error =
                RunError::new("E0715", message).help("give those rows every class, or choose by another metric");
            return Err(error.or_span(search.span).into());
        };
        let best = (*best).clone();
        let searched = |algorithm: &Algorithm| -> BTreeMap<String, dbjob_plan::Value> {
            let spaces =
                search.candidates.iter().filter(|c| c.algorithm.name == algorithm.name).flat_map(|c| c.spaces.keys());
            spaces.filter_map(|name| Some((name.clone(), algorithm.options.get(name)?.clone()))).collect()
        };
        let trials = ranked.into_iter().map(|(algorithm, value)| Trial {
            algorithm: algorithm.name.clone(),
            options: searched(algorithm),
            value,
        });
        Ok(Some((best, SearchReport { metric: search.metric.clone(), trials: trials.collect() })))
    }

    /// A fit of which nothing is told.
    fn trial(&self, fit: NodeId, spec: &FitSpec, view: &DataFrame, maps: &MapStates) -> Result<Fresh, Stop> {
        let quiet = |_: Event| {};
        let spec = FitSpec { split: true, ..spec.clone() };
        Ok(Fresh::fit(&spec, view, maps, &self.silent(&quiet), &self.plan.node(fit).item)?)
    }

    /// The tables whose train part is learned from and whose test part chooses, with the maps that they carry.
    fn each_view(
        &self,
        fit: NodeId,
        (table, without): (&DataFrame, Option<i64>),
        work: &mut dyn FnMut(&DataFrame, &MapStates) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if has_part(table, PART_VALID)? {
            let view = with_parts(table, |part| match part {
                Some(PART_VALID) => Some(PART_TEST),
                Some(PART_TEST) => Some(PART_NONE),
                other => other,
            })?;
            return work(&view, &self.maps);
        }
        self.each_fold(fit, without, &mut |_, rows, run| work(rows, &run.maps))
    }
}

/// Whether some row is of the part.
pub(super) fn has_part(rows: &DataFrame, part: i64) -> Result<bool, RunError> {
    let Ok(parts) = rows.column(PART) else { return Ok(false) };
    Ok(parts.i64().map_err(engine_error)?.iter().any(|p| p == Some(part)))
}
