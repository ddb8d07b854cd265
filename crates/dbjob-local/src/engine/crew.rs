//! Who works on an item: workers that share its trials and folds, their cores, and the time that they have.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dbjob_plan::{Event, Node, NodeId, Now, Op, RunContext, RunError, Said, TimeBound, Workers};

use super::run::Run;
use crate::learn::Fitting;

/// Like that of a main thread: a query engine recurses over its plan.
const STACK: usize = 16 << 20;

/// The part of a module's time that its fits have; in the rest their models are judged, kept and written.
const FOR_FITS: f64 = 0.75;

/// So much more than its time a fit may take before it is stopped: what is not iterative cannot end early.
const OVER: f64 = 0.1;
const OVER_AT_LEAST: Duration = Duration::from_millis(300);

#[derive(Debug, Clone)]
pub(super) struct Crew {
    pub replicas: usize,
    /// Of each worker.
    pub cores: usize,
    pub role: String,
    /// When fits end with what they have.
    pub until: Option<Instant>,
    /// Between checkpoints.
    pub interval: Option<Duration>,
}

impl Crew {
    fn of(workers: &Workers, available: usize, until: Option<Instant>) -> Self {
        let most = workers.most.map_or(available, |most| available.min(most as usize)).max(1);
        let replicas = (workers.replicas.value as usize).clamp(1, most);
        let share = (most / replicas).max(1);
        Self {
            replicas,
            cores: workers.cores.map_or(share, |cores| (cores.value as usize).clamp(1, share)),
            role: workers.role.clone().unwrap_or_else(|| "worker".to_owned()),
            until,
            interval: workers.interval.map(micros),
        }
    }

    /// So many workers with so many cores each, and all the time that they want.
    pub fn of_cores(replicas: usize, cores: usize) -> Self {
        Self { replicas, cores, role: "fit".to_owned(), until: None, interval: None }
    }

    /// A worker on its own.
    pub fn one(&self) -> Self {
        Self { replicas: 1, ..self.clone() }
    }

    /// At most so many workers, with the cores of all.
    pub fn among(&self, most: usize) -> Self {
        let replicas = self.replicas.min(most).max(1);
        Self { replicas, cores: self.cores * self.replicas / replicas, ..self.clone() }
    }

    pub fn until(self, until: Option<Instant>) -> Self {
        Self { until, ..self }
    }

    /// Whether there is no time any more.
    pub fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// The end of a first part of the work, if `later` parts follow: these have time for a fit each such as took `longest`,
    /// or, as long as none is known, as much as the first.
    pub fn before(&self, later: u32, longest: Duration) -> Option<Instant> {
        let until = self.until?;
        if later == 0 {
            return Some(until);
        }
        let left = until.saturating_duration_since(Instant::now());
        let equal = left * later / (later + 1);
        let known = longest.mul_f64(1.3).saturating_mul(later);
        until.checked_sub(if longest.is_zero() { equal } else { equal.min(known) })
    }

    /// How one fit that all take part in is carried out.
    pub fn fitting<'c>(&self, cx: &'c RunContext<'c>, item: &'c str, node: Option<NodeId>) -> Fitting<'c> {
        let checkpoint = node.zip(self.interval);
        Fitting { cx, item, threads: self.replicas * self.cores, until: self.until, checkpoint, rounds: None }
    }

    /// `work(0), work(1), …`: begun in this order, shared by the workers, and given in this order.
    pub fn share<T: Send>(&self, count: usize, work: impl Fn(usize) -> T + Sync) -> Result<Vec<T>, RunError> {
        if self.replicas == 1 || count < 2 {
            return Ok((0..count).map(work).collect());
        }
        let (next, work) = (AtomicUsize::new(0), &work);
        let take = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return done;
                }
                done.push((number, work(number)));
            }
        };
        let mut done = thread::scope(|scope| {
            let start = |number: usize| {
                thread::Builder::new()
                    .name(format!("{}-{}", self.role, number + 1))
                    .stack_size(STACK)
                    .spawn_scoped(scope, take)
                    .map_err(|e| RunError::new("E0799", format!("cannot start a thread: {e}")))
            };
            let workers = (0..self.replicas.min(count)).map(start).collect::<Result<Vec<_>, _>>()?;
            let joined = workers.into_iter().flat_map(|w| w.join().unwrap_or_else(|panic| resume_unwind(panic)));
            Ok::<Vec<(usize, T)>, RunError>(joined.collect())
        })?;
        done.sort_by_key(|(number, _)| *number);
        Ok(done.into_iter().map(|(_, result)| result).collect())
    }
}

/// When the modules of a run began their work, and which were told that they have few cores.
#[derive(Default)]
pub(super) struct Clocks {
    begun: Mutex<BTreeMap<String, Instant>>,
    told: Mutex<BTreeSet<String>>,
}

impl Clocks {
    /// The time of the first call for a module.
    fn begin(&self, module: &str) -> Instant {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        *begun.entry(module.to_owned()).or_insert_with(Instant::now)
    }

    fn tell_once(&self, module: &str) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(module.to_owned())
    }
}

impl Run<'_> {
    /// The work on a node begins: says what bounds it.
    pub(super) fn enter(&self, id: NodeId, node: &Node) {
        if self.crew.is_some() {
            return;
        }
        let workers = self.plan.workers(&node.item);
        let is_fit = |id: NodeId| matches!(self.plan.node(id).op, Op::Fit(_));
        // A fit begins when its rows are there, which others may have to compute. What was learned is put in its place.
        let deploys_a_model = || matches!(node.op, Op::Deploy(_)) && self.plan.inputs(id).into_iter().any(is_fit);
        let time = if is_fit(id) || deploys_a_model() { None } else { self.time_bound(&workers, Duration::ZERO) };
        self.cx.watch.say(Now { item: Some(node.item.clone()), memory: workers.memory, time });
    }

    /// Who carries a fit out, from now on.
    pub(super) fn crew(&self, node: &Node) -> Crew {
        if let Some(crew) = &self.crew {
            return crew.clone();
        }
        let workers = self.plan.workers(&node.item);
        self.bounded(node, true);
        let until = workers
            .time
            .as_ref()
            .map(|time| self.clocks.begin(&time.module) + micros(time.limit.value).mul_f64(FOR_FITS));
        let crew = Crew::of(&workers, self.cx.threads, until);
        self.tell_of_cores(node, &workers, &crew);
        crew
    }

    /// Whether a fit is stopped that goes on too long; a model that is there is not thrown away.
    pub(super) fn bounded(&self, node: &Node, bounded: bool) {
        if self.crew.is_some() {
            return;
        }
        let workers = self.plan.workers(&node.item);
        let limit = workers.time.as_ref().map_or(Duration::ZERO, |time| micros(time.limit.value));
        let more = limit.mul_f64(OVER).max(OVER_AT_LEAST);
        let time = if bounded { self.time_bound(&workers, more) } else { None };
        self.cx.watch.say(Now { item: Some(node.item.clone()), memory: workers.memory, time });
    }

    fn time_bound(&self, workers: &Workers, more: Duration) -> Option<TimeBound> {
        let time = workers.time.as_ref()?;
        let begun = self.clocks.begin(&time.module);
        let at = begun + micros(time.limit.value) + more;
        Some(TimeBound { at, limit: time.limit, of: format!("the module `{}`", time.module) })
    }

    /// Says once where a module has fewer cores than it asks for. Those of a named machine are no more than a bound.
    fn tell_of_cores(&self, node: &Node, workers: &Workers, crew: &Crew) {
        let module = self.item(&node.item).and_then(|item| item.module.as_ref());
        let Some(module) = module.and_then(|name| self.plan.modules.iter().find(|m| m.name == *name)) else { return };
        let count = |said: Option<Said<u32>>| said.map_or(1, |said| said.value as usize);
        let asked = workers.replicas.value as usize * count(module.limits.resources);
        if asked > crew.replicas * crew.cores && self.clocks.tell_once(&module.name) {
            let message = format!(
                "the module `{}` asks for {asked} cores and has {}: replicas = {}, resources = {}",
                module.name,
                crew.replicas * crew.cores,
                crew.replicas,
                crew.cores
            );
            self.cx.emit(Event::Warning { item: node.item.clone(), message });
        }
    }
}

fn micros(time: i64) -> Duration {
    Duration::from_micros(time.max(0) as u64)
}
