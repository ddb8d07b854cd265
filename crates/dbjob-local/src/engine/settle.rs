//! What is found out about a model from rows that it has not learned from: how its probabilities are put right, from which
//! one on the answer is true, how wide its intervals are. One set of fits serves all three.

use std::time::Duration;

use dbjob_plan::{Calibration, Conformal, FitSpec, NodeId, PART_TEST, PART_VALID, Threshold, Unfinished};
use polars::prelude::DataFrame;

use super::Stop;
use super::crew::Crew;
use super::fit::with_parts;
use super::folds::judged_elsewhere;
use super::run::Run;
use super::search::Chosen;
use crate::learn::Unseen;

impl Run<'_> {
    /// Finds out after how many rounds a fit that stops early is best: the mean of those that each fold found, by the rows
    /// that it holds out. `rows`, `later`: as of [`Run::chosen`]; without such rows it stays open.
    pub(super) fn find_rounds(
        &self,
        fit: NodeId,
        chosen: &mut Chosen,
        rows: (&DataFrame, Option<i64>),
        (crew, later, longest): (&Crew, u32, Duration),
    ) -> Result<(), Stop> {
        let plain = FitSpec { threshold: None, calibration: None, conformal: None, ..chosen.spec.clone() };
        let trial = judged_elsewhere(&plain);
        let crew = crew.clone().until(crew.before(later, longest));
        let go_on = |begun: usize| begun == 0 || !crew.is_late();
        let views = self.each_view(fit, rows, (&crew, &go_on), &|_, view, maps, crew| {
            let view = with_parts(view, |part| if part == Some(PART_TEST) { Some(PART_VALID) } else { part })?;
            let fresh = self.trial(fit, (&trial, None), &view, maps, crew)?;
            Ok(fresh.best_round().filter(|_| fresh.unfinished().is_empty()))
        })?;
        let found: Vec<u64> = views.done.iter().flatten().copied().collect();
        if !found.is_empty() {
            let mean = found.iter().sum::<u64>() as f64 / found.len() as f64;
            chosen.rounds = Some((mean.round() as u64).max(1));
        }
        let (done, of) = (found.len() as u64, (views.done.len() + views.skipped) as u64);
        if done < of {
            let what = "folds of the early stop".to_owned();
            chosen.unfinished.push(Unfinished { done, of, what });
        }
        Ok(())
    }

    /// Settles what `chosen` leaves open. `rows`, `later`: as of [`Run::chosen`]; if there are no rows to choose by, a half
    /// is the threshold, and nothing is calibrated or has an interval. `longest`: what a fit takes, if that is known.
    pub(super) fn settle_fit(
        &self,
        fit: NodeId,
        chosen: &mut Chosen,
        (table, without): (&DataFrame, Option<i64>),
        (crew, later, longest): (&Crew, u32, Duration),
    ) -> Result<(), Stop> {
        let (spec, rounds) = (&mut chosen.spec, chosen.rounds);
        let trial = FitSpec { threshold: None, calibration: None, conformal: None, ..judged_elsewhere(&spec.clone()) };
        let crew = crew.clone().until(crew.before(later, longest));
        let go_on = |begun: usize| begun == 0 || !crew.is_late();
        let views = self.each_view(fit, (table, without), (&crew, &go_on), &|_, view, maps, crew| {
            let fresh = self.trial(fit, (&trial, rounds), view, maps, crew)?;
            Ok((fresh.held_out(view, maps, &fresh)?, fresh))
        })?;
        let mut unseen = Unseen::default();
        views.done.iter().for_each(|(held, fresh)| unseen.add(held, fresh));
        if views.skipped > 0 {
            let (done, of) = (views.done.len() as u64, (views.done.len() + views.skipped) as u64);
            let open = [
                (matches!(spec.threshold, Some(Threshold::Best(_))), "threshold"),
                (spec.calibration.is_some(), "calibration"),
                (spec.conformal.is_some(), "intervals"),
            ];
            let what: Vec<&str> = open.iter().filter(|(is, _)| *is).map(|(_, what)| *what).collect();
            let what = format!("folds of the {}", what.join(" and the "));
            chosen.unfinished.push(Unfinished { done, of, what });
        }
        if without.is_some() && unseen.is_empty() {
            if let Some(Threshold::Best(_)) = spec.threshold {
                spec.threshold = None;
            }
            spec.calibration = None;
            return Ok(());
        }
        if let Some(Calibration { method, .. }) = spec.calibration {
            spec.calibration = Some(unseen.calibrate(spec, method)?);
        }
        if let Some(Threshold::Best(metric)) = &spec.threshold {
            spec.threshold = Some(Threshold::Fixed(unseen.threshold(spec, metric)?));
        }
        if let Some(Conformal { coverage, .. }) = spec.conformal {
            spec.conformal = Some(Conformal { coverage, radius: Some(unseen.radius(spec, coverage)?) });
        }
        Ok(())
    }
}
