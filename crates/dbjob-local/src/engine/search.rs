//! What is chosen before a fit: the best of what a search tries, and the best threshold. The rows that choose are those of
//! the valid part or, without one, the train rows fold by fold; never test rows. Where folds judge what is chosen by folds,
//! each chooses for itself, among the train rows that it learns from.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dbjob_learn::Fitted;
use dbjob_plan::{
    Algorithm, Event, FitSpec, NodeId, PART, PART_NONE, PART_TEST, PART_TRAIN, PART_VALID, RunError, Search,
    SearchReport, Strategy, Task, Threshold, Trial, Unfinished,
};
use polars::prelude::DataFrame;

use super::Stop;
use super::crew::Crew;
use super::fit::with_parts;
use super::folds::{GoOn, Views, judged_elsewhere};
use super::line::Line;
use super::run::Run;
use super::tried::{self, Known};
use crate::fault::engine_error;
use crate::learn::{AHEAD, Fitting, Fresh, Trials, View, higher_is_better, rounds};
use crate::map::MapStates;

/// What is fitted in the end.
pub(super) struct Chosen {
    pub spec: FitSpec,
    /// What was tried.
    pub search: Option<SearchReport>,
    /// Learned from the train rows already, as a trial.
    pub fitted: Option<Fitted>,
    /// After how many rounds a fit that stops early ends, where no valid part says it.
    pub rounds: Option<u64>,
    /// What there was no time for.
    pub unfinished: Vec<Unfinished>,
}

/// What a search found.
struct Found {
    algorithm: Algorithm,
    fitted: Option<Fitted>,
    report: SearchReport,
    lacks: Option<Unfinished>,
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
        let once = FitSpec { search: None, ..spec.clone() };
        let mut chosen = Chosen { spec: once, search: None, fitted: None, rounds: None, unfinished: Vec::new() };
        let clock = Mutex::new(Tried::default());
        if let Some(search) = &spec.search {
            let later = later + u32::from(spec.settles()) + u32::from(spec.algorithm.stops_early());
            if let Some(found) = self.search(fit, spec, search, (table, without), (crew, later, &clock))? {
                (chosen.spec.algorithm, chosen.search) = (found.algorithm, Some(found.report));
                chosen.fitted = found.fitted;
                chosen.unfinished.extend(found.lacks);
            }
        }
        let longest = lock(&clock).longest;
        if chosen.spec.algorithm.stops_early() && !has_part(table, PART_VALID)? {
            let later = later + u32::from(spec.settles());
            self.find_rounds(fit, &mut chosen, (table, without), (crew, later, longest))?;
        }
        if spec.settles() {
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
    ) -> Result<Option<Found>, Stop> {
        let higher = higher_is_better(&search.metric);
        let trials = Trials::of(search, self.plan.seed, higher);
        let rounds = rounds(search.strategy, trials.count(), train_rows(rows.0)?);
        let line = Line::of(&trials);
        // A threshold that is still to be chosen is a half until then.
        let threshold = spec.fixed_threshold().map(Threshold::Fixed);
        let base = judged_elsewhere(&FitSpec { threshold, calibration: None, conformal: None, ..spec.clone() });
        let total = rounds.iter().map(|(_, trials)| *trials as u64).sum();
        let known = self.tried.of(fit, self.cx);
        let (metric, kept) = (&search.metric, Mutex::new(None));
        let better = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) if higher => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        let is_better = |a, b| better(a, b) == Ordering::Less;
        let keep = has_part(rows.0, PART_VALID)?.then_some(Keep { kept: &kept, is_better: &is_better });
        let together = if let Strategy::Guided(_) = search.strategy { AHEAD } else { usize::MAX };
        let (line, known) = (&line, &*known);
        let round = Round { fit, base: &base, metric, rows, crew, together, later, clock, total, known, line, keep };
        // The best in front, behind them those of earlier rounds; each with the share that it learned from and its value.
        let mut ranked: Vec<(usize, f64, Option<f64>)> = (0..trials.count()).map(|n| (n, 0.0, None)).collect();
        let mut lacks = None;
        for (share, left) in rounds {
            let field: Vec<usize> = ranked[..left].iter().map(|(n, ..)| *n).collect();
            let found = self.round(&round, &field, share);
            known.flush(self.cx);
            let (values, unfinished) = found?;
            let over = lock(clock).over;
            lacks = unfinished.or(lacks);
            if over && ranked[0].1 > 0.0 {
                // Of this round not all is known: the one before it chooses.
                break;
            }
            for (trial, value) in ranked.iter_mut().zip(values) {
                (trial.1, trial.2) = (share, value);
            }
            // Of equally good ones the first stays before the others.
            ranked[..left].sort_by(|(.., a), (.., b)| better(*a, *b));
            if over {
                break;
            }
        }
        let Tried { done, over, .. } = *lock(clock);
        if done == 0 && rows.1.is_some() {
            return Ok(None);
        }
        if done == 0 && over {
            // The first was begun, and no more is known of the others.
            ranked.sort_by_key(|(n, ..)| *n != 0);
        }
        let made = line.made();
        ranked.retain(|(n, ..)| made.contains_key(n));
        let Some((best, ..)) = ranked.first().filter(|(.., value)| value.is_some() || done == 0 && over) else {
            let message = format!(
                "nothing can be chosen for `{}`: {} is not defined on the rows that choose",
                spec.model, search.metric
            );
            let help = match spec.task {
                Task::Clustering => "every trial puts all rows that choose into one cluster, or each into its own",
                _ => "give those rows every class, or choose by another metric",
            };
            let error = RunError::new("E0715", message).help(help);
            return Err(error.or_span(search.span).into());
        };
        let (of_best, best) = (*best, made[best].clone());
        let fitted = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        let fitted = fitted.filter(|kept| kept.number == of_best).map(|kept| kept.fitted);
        let searched = |algorithm: &Algorithm| -> BTreeMap<String, dbjob_plan::Value> {
            let spaces =
                search.candidates.iter().filter(|c| c.algorithm.name == algorithm.name).flat_map(|c| c.spaces.keys());
            spaces.filter_map(|name| Some((name.clone(), algorithm.options.get(name)?.clone()))).collect()
        };
        let trials = ranked.into_iter().map(|(n, share, value)| Trial {
            algorithm: made[&n].name.clone(),
            options: searched(&made[&n]),
            value,
            share: (share > 0.0 && share < 1.0).then_some(share),
        });
        let report = SearchReport { metric: search.metric.clone(), trials: trials.collect() };
        Ok(Some(Found { algorithm: best, fitted, report, lacks }))
    }

    /// The values of some trials, by number, that learn from a share of the train rows.
    fn round(
        &self,
        round: &Round<'_>,
        field: &[usize],
        share: f64,
    ) -> Result<(Vec<Option<f64>>, Option<Unfinished>), Stop> {
        let Round { fit, base, metric, rows, later, clock, total, known, line, keep, .. } = *round;
        let item = &self.plan.node(fit).item;
        let crew = round.crew.among(field.len().min(round.together));
        let one = |n: usize, number: usize, view: &View<'_>| -> Result<Option<Value>, Stop> {
            let mut promise = line.promise(n);
            self.go_on()?;
            if lock(clock).over && !line.is_made(n) {
                return Ok(None);
            }
            let Some(algorithm) = line.take(n) else { return Ok(Some(None)) };
            let trial = FitSpec { algorithm, split: true, ..base.clone() };
            let of = tried::Rows { view: number, without: rows.1, share };
            let key = tried::key(&trial, metric, of)?;
            let before = known.get(&key);
            let value = match before {
                Some(value) => value,
                None => {
                    let until = crew.before(later, lock(clock).longest);
                    if !lock(clock).begins(until) {
                        return Ok(None);
                    }
                    let started = Instant::now();
                    let quiet = |_: Event| {};
                    let (cx, crew) = (self.silent(&quiet), crew.one().until(until));
                    let Some((value, fitted)) = view.value(&trial, metric, &crew.fitting(&cx, item, None))? else {
                        lock(clock).over = true;
                        return Ok(None);
                    };
                    if let Some(keep) = keep.filter(|_| share >= 1.0) {
                        keep.offer(n, value, fitted);
                    }
                    let mut clock = lock(clock);
                    clock.longest = clock.longest.max(started.elapsed());
                    value
                }
            };
            promise.value = value;
            if before.is_none() {
                known.put(key, value, self.cx);
            }
            let mut tried = lock(clock);
            tried.done += 1;
            if !self.quiet && rows.1.is_none() {
                let total = total.max(tried.done);
                self.cx.emit(Event::Progress { item: item.clone(), done: tried.done, total, loss: None });
            }
            Ok(Some(value))
        };
        let go_on = |begun: usize| begun == 0 || !lock(clock).over;
        let views = self.each_view(fit, rows, (&crew.one(), &go_on), &|number, view, maps, _| {
            let view = View::new(view, maps, share);
            let trials =
                crew.share(field.len(), |i| one(field[i], number, &view).inspect_err(|_| lock(clock).over = true))?;
            trials.into_iter().collect::<Result<Vec<Option<Value>>, Stop>>()
        })?;
        let (values, lacks) = compared(&views, field.len());
        let mean = |values: &Vec<f64>| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
        Ok((values.iter().map(mean).collect(), lacks))
    }

    /// A fit of which nothing is told.
    pub(super) fn trial(
        &self,
        fit: NodeId,
        (spec, rounds): (&FitSpec, Option<u64>),
        view: &DataFrame,
        maps: &MapStates,
        crew: &Crew,
    ) -> Result<Fresh, Stop> {
        let quiet = |_: Event| {};
        let spec = FitSpec { split: true, ..spec.clone() };
        let cx = self.silent(&quiet);
        let fitting = Fitting { rounds, ..crew.fitting(&cx, &self.plan.node(fit).item, None) };
        Ok(Fresh::fit(&spec, view, maps, &fitting)?)
    }

    /// The tables whose train part is learned from and whose test part chooses, with the maps that they carry.
    pub(super) fn each_view<T: Send>(
        &self,
        fit: NodeId,
        (table, without): (&DataFrame, Option<i64>),
        (crew, go_on): (&Crew, GoOn<'_>),
        work: &(dyn Fn(usize, &DataFrame, &MapStates, &Crew) -> Result<T, Stop> + Sync),
    ) -> Result<Views<T>, Stop> {
        if has_part(table, PART_VALID)? {
            let view = with_parts(table, |part| match part {
                Some(PART_VALID) => Some(PART_TEST),
                Some(PART_TEST) => Some(PART_NONE),
                other => other,
            })?;
            return Ok(Views { done: vec![work(0, &view, &self.maps, crew)?], skipped: 0 });
        }
        self.each_fold(fit, without, (crew, go_on), &|number, rows, run, crew| {
            work(number as usize, rows, &run.maps, crew)
        })
    }
}

/// What the trials of a round have in common.
#[derive(Clone, Copy)]
struct Round<'a> {
    fit: NodeId,
    base: &'a FitSpec,
    metric: &'a str,
    /// The table, and the fold whose rows have no part.
    rows: (&'a DataFrame, Option<i64>),
    crew: &'a Crew,
    /// So many trials at most have something to do at once.
    together: usize,
    later: u32,
    clock: &'a Mutex<Tried>,
    /// Trials of all rounds.
    total: u64,
    known: &'a Known,
    line: &'a Line<'a>,
    /// Where trials learn from all that the model learns from.
    keep: Option<Keep<'a>>,
}

/// The best of the trials whose model may be the one in the end.
#[derive(Clone, Copy)]
struct Keep<'a> {
    kept: &'a Mutex<Option<Kept>>,
    is_better: &'a (dyn Fn(Value, Value) -> bool + Sync),
}

struct Kept {
    number: usize,
    value: Value,
    fitted: Fitted,
}

impl Keep<'_> {
    /// Of equally good ones the first stays.
    fn offer(&self, number: usize, value: Value, fitted: Fitted) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let wins = |of: &Kept| (self.is_better)(value, of.value) || value == of.value && number < of.number;
        if kept.as_ref().is_none_or(wins) {
            *kept = Some(Kept { number, value, fitted });
        }
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

/// The number of rows that may be learned from.
fn train_rows(table: &DataFrame) -> Result<u64, RunError> {
    let Ok(parts) = table.column(PART) else { return Ok(table.height() as u64) };
    Ok(parts.i64().map_err(engine_error)?.iter().filter(|p| *p == Some(PART_TRAIN)).count() as u64)
}

/// Whether some row is of the part.
pub(super) fn has_part(rows: &DataFrame, part: i64) -> Result<bool, RunError> {
    let Ok(parts) = rows.column(PART) else { return Ok(false) };
    Ok(parts.i64().map_err(engine_error)?.iter().any(|p| p == Some(part)))
}
