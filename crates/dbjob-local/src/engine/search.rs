//! What is chosen before a fit: the best of what a search tries, and the best threshold. The rows that choose are those of
//! the valid part or, without one, the train rows fold by fold; never test rows. Where folds judge what is chosen by folds,
//! each chooses for itself, among the train rows that it learns from.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dbjob_plan::{
    Algorithm, Event, FitSpec, NodeId, PART, PART_NONE, PART_TEST, PART_VALID, RunError, Search, SearchReport,
    Threshold, Trial, Unfinished,
};
use polars::prelude::DataFrame;

use super::Stop;
use super::crew::Crew;
use super::fit::with_parts;
use super::folds::{GoOn, Views, judged_elsewhere};
use super::run::Run;
use crate::fault::engine_error;
use crate::learn::{Fresh, trials};
use crate::map::MapStates;

/// What is fitted in the end.
pub(super) struct Chosen {
    pub spec: FitSpec,
    /// What was tried.
    pub search: Option<SearchReport>,
    /// What there was no time for.
    pub unfinished: Vec<Unfinished>,
}

impl Run<'_> {
    /// What is fitted in the end, and what was tried. `without`: the fold that judges it, whose rows choose nothing. If
    /// there are none to choose by then, the first of all candidates is taken, and a half. `later`: the fits that follow,
    /// which time must be left for.
    pub(super) fn chosen(
        &self,
        fit: NodeId,
        spec: &FitSpec,
        table: &DataFrame,
        without: Option<i64>,
        (crew, later): (&Crew, u32),
    ) -> Result<Chosen, Stop> {
        let mut chosen =
            Chosen { spec: FitSpec { search: None, ..spec.clone() }, search: None, unfinished: Vec::new() };
        let clock = Mutex::new(Tried::default());
        if let Some(search) = &spec.search {
            let later = later + u32::from(spec.settles());
            if let Some((algorithm, found, lacks)) =
                self.search(fit, spec, search, (table, without), (crew, later, &clock))?
            {
                (chosen.spec.algorithm, chosen.search) = (algorithm, Some(found));
                chosen.unfinished.extend(lacks);
            }
        }
        if spec.settles() {
            let longest = lock(&clock).longest;
            self.settle_fit(fit, &mut chosen, (table, without), (crew, later, longest))?;
        }
        Ok(chosen)
    }

    fn search(
        &self,
        fit: NodeId,
        spec: &FitSpec,
        search: &Search,
        rows: (&DataFrame, Option<i64>),
        (crew, later, clock): (&Crew, u32, &Mutex<Tried>),
    ) -> Result<Option<(Algorithm, SearchReport, Option<Unfinished>)>, Stop> {
        let all = trials(search, self.plan.seed);
        // A threshold that is still to be chosen is a half until then.
        let threshold = spec.fixed_threshold().map(Threshold::Fixed);
        let base = judged_elsewhere(&FitSpec { threshold, calibration: None, conformal: None, ..spec.clone() });
        let item = &self.plan.node(fit).item;
        let nested = rows.1.is_some();
        let one = |algorithm: &Algorithm, (view, maps): (&DataFrame, &MapStates)| -> Result<Option<Value>, Stop> {
            self.go_on()?;
            let longest = lock(clock).longest;
            let until = crew.before(later, longest);
            if !lock(clock).begins(until) {
                return Ok(None);
            }
            let trial = FitSpec { algorithm: algorithm.clone(), ..base.clone() };
            let started = Instant::now();
            let fresh = self.trial(fit, &trial, view, maps, &crew.one().until(until))?;
            if !fresh.unfinished().is_empty() {
                lock(clock).over = true;
                return Ok(None);
            }
            let value = fresh.value(&search.metric, view, maps)?;
            let mut tried = lock(clock);
            tried.longest = tried.longest.max(started.elapsed());
            tried.done += 1;
            if !self.quiet && !nested {
                let total = (all.len() as u64).max(tried.done);
                self.cx.emit(Event::Progress { item: item.clone(), done: tried.done, total, loss: None });
            }
            Ok(Some(value))
        };
        let go_on = |begun: usize| begun == 0 || !lock(clock).over;
        let views = self.each_view(fit, rows, (&crew.one(), &go_on), &|view, maps, _| {
            let trials =
                crew.share(all.len(), |n| one(&all[n], (view, maps)).inspect_err(|_| lock(clock).over = true))?;
            trials.into_iter().collect::<Result<Vec<Option<Value>>, Stop>>()
        })?;
        let (values, lacks) = compared(&views, all.len());
        let Tried { done, over, .. } = *lock(clock);
        if done == 0 && nested {
            return Ok(None);
        }
        let mean = |values: &Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        let higher = dbjob_learn::metric::metric(&search.metric).is_some_and(|m| m.higher_is_better());
        let mut ranked: Vec<(&Algorithm, Option<f64>)> = all.iter().zip(values.iter().map(mean)).collect();
        // Of equally good ones the first stays before the others.
        ranked.sort_by(|(_, a), (_, b)| match (a, b) {
            (Some(a), Some(b)) if higher => b.total_cmp(a),
            (Some(a), Some(b)) => a.total_cmp(b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
        if done == 0 && over {
            // The first was begun, and no more is known of the others.
            ranked.sort_by_key(|(algorithm, _)| **algorithm != all[0]);
        }
        let Some((best, _)) = ranked.first().filter(|(_, value)| value.is_some() || done == 0 && over) else {
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
        Ok(Some((best, SearchReport { metric: search.metric.clone(), trials: trials.collect() }, lacks)))
    }

    /// A fit of which nothing is told.
    pub(super) fn trial(
        &self,
        fit: NodeId,
        spec: &FitSpec,
        view: &DataFrame,
        maps: &MapStates,
        crew: &Crew,
    ) -> Result<Fresh, Stop> {
        let quiet = |_: Event| {};
        let spec = FitSpec { split: true, ..spec.clone() };
        let cx = self.silent(&quiet);
        Ok(Fresh::fit(&spec, view, maps, &crew.fitting(&cx, &self.plan.node(fit).item, None))?)
    }

    /// The tables whose train part is learned from and whose test part chooses, with the maps that they carry.
    pub(super) fn each_view<T: Send>(
        &self,
        fit: NodeId,
        (table, without): (&DataFrame, Option<i64>),
        (crew, go_on): (&Crew, GoOn<'_>),
        work: &(dyn Fn(&DataFrame, &MapStates, &Crew) -> Result<T, Stop> + Sync),
    ) -> Result<Views<T>, Stop> {
        if has_part(table, PART_VALID)? {
            let view = with_parts(table, |part| match part {
                Some(PART_VALID) => Some(PART_TEST),
                Some(PART_TEST) => Some(PART_NONE),
                other => other,
            })?;
            return Ok(Views { done: vec![work(&view, &self.maps, crew)?], skipped: 0 });
        }
        self.each_fold(fit, without, (crew, go_on), &|_, rows, run, crew| work(rows, &run.maps, crew))
    }
}

/// The value of a trial; `None` where the metric is not defined.
type Value = Option<f64>;

/// How a search goes.
#[derive(Debug, Clone, Copy, Default)]
struct Tried {
    done: u64,
    longest: Duration,
    /// There was no time for a trial.
    over: bool,
}

impl Tried {
    /// Whether a trial is begun that must be done `until`: if it will probably be.
    fn begins(&mut self, until: Option<Instant>) -> bool {
        let Some(until) = until else { return !self.over };
        self.over |= self.done > 0 && Instant::now() + self.longest > until;
        !self.over
    }
}

fn lock(tried: &Mutex<Tried>) -> MutexGuard<'_, Tried> {
    tried.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The values by which trials are compared, all by the same rows: those of every view that all of them came to the end of;
/// if there is none, of the first. And what there was no time for.
fn compared(views: &Views<Vec<Option<Value>>>, trials: usize) -> (Vec<Vec<f64>>, Option<Unfinished>) {
    let whole: Vec<_> = views.done.iter().filter(|view| view.iter().all(Option::is_some)).collect();
    let of = (views.done.len() + views.skipped) as u64;
    let values = |views: &[&Vec<Option<Value>>]| -> Vec<Vec<f64>> {
        (0..trials).map(|n| views.iter().filter_map(|view| view[n].flatten()).collect()).collect()
    };
    match views.done.first() {
        Some(first) if whole.is_empty() => {
            let done = first.iter().flatten().count() as u64;
            (values(&[first]), Some(Unfinished { done, of: trials as u64, what: "trials".to_owned() }))
        }
        _ => {
            let done = whole.len() as u64;
            let lacks = (done < of).then(|| Unfinished { done, of, what: "folds of the trials".to_owned() });
            (values(&whole), lacks)
        }
    }
}

/// Whether some row is of the part.
pub(super) fn has_part(rows: &DataFrame, part: i64) -> Result<bool, RunError> {
    let Ok(parts) = rows.column(PART) else { return Ok(false) };
    Ok(parts.i64().map_err(engine_error)?.iter().any(|p| p == Some(part)))
}
