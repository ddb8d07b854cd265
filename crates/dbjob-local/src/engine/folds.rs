//! Folds: everything between a split and a fit is done again for each fold, so that fitted maps, and models whose
//! predictions are inputs, learn from the fold's train rows alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dbjob_plan::{
    Event, FOLD, FOLD_FROM, FitSpec, NodeId, Op, PART, PART_NONE, PART_TEST, PART_TRAIN, Plan, RunContext, RunError,
    Split, SplitFolds, SplitKey, SplitParts, Unfinished,
};
use polars::prelude::{self as pl, DataFrame, IntoColumn};

use super::Stop;
use super::crew::Crew;
use super::fit::with_parts;
use super::need::Need;
use super::run::Run;
use super::search::has_part;
use super::table::Table;
use crate::fault::engine_error;
use crate::learn::{Fitting, Fresh, HeldOut};
use crate::step;

/// How many choose where there is no valid part and the split has no folds of its own.
const FOLDS_THAT_CHOOSE: u32 = 5;

/// What the folds of one model need of a plan.
#[derive(Debug, Clone)]
pub(super) struct Folds {
    /// The splits that the model's rows come from; they agree.
    pub splits: Vec<NodeId>,
    /// What lies between them and the fit, in order of running.
    pub between: Vec<NodeId>,
    /// What is read again for each fold, and therefore kept in memory.
    pub kept: BTreeSet<NodeId>,
    /// Whether predictions out of fold are asked for.
    asked: bool,
    /// Whether the model is judged by them.
    judged: bool,
}

impl Folds {
    /// Of each model that needs its folds: it is judged by them or asked out of fold, or they may choose what is fitted.
    pub fn of_all(plan: &Plan, needed: &BTreeMap<NodeId, Need>) -> BTreeMap<NodeId, Self> {
        let asked = |id: NodeId| {
            let out_of_fold = |c: &NodeId| matches!(plan.node(*c).op, Op::Predict { out_of_fold: true, .. });
            plan.consumers(id).iter().any(|c| needed.contains_key(c) && out_of_fold(c))
        };
        let mut all = BTreeMap::new();
        for id in needed.keys() {
            let Op::Fit(spec) = &plan.node(*id).op else { continue };
            let judged = spec.judged_by_folds && spec.is_judged();
            let (judged, asked) = (spec.folds.is_some() && judged, spec.folds.is_some() && asked(*id));
            if judged || asked || spec.chooses() {
                all.insert(*id, Self { asked, judged, ..Self::of(plan, *id) });
            }
        }
        all
    }

    fn of(plan: &Plan, fit: NodeId) -> Self {
        let split = |id: NodeId| match &plan.node(id).op {
            Op::Split(split) => Some(split),
            _ => None,
        };
        let is_model = |id: &NodeId| matches!(plan.node(*id).op, Op::Fit(_));
        // A model that is asked in between may have learned from another table: its split is none of these rows.
        let tables = upstream_by(plan, fit, |id| !is_model(id));
        let all: Vec<NodeId> = tables.into_iter().filter(|id| split(*id).is_some()).collect();
        let with_folds: Vec<NodeId> =
            all.iter().copied().filter(|id| split(*id).is_some_and(|s| s.folds.is_some())).collect();
        let splits = if with_folds.is_empty() { all } else { with_folds };
        let above = upstream(plan, fit);
        let mut below: BTreeSet<NodeId> = splits.iter().copied().collect();
        let mut between = Vec::new();
        let mut kept = below.clone();
        for id in plan.topological().into_iter().filter(|id| *id != fit && above.contains(id)) {
            let inputs = inputs_and_lookups(plan, id);
            if inputs.iter().any(|i| below.contains(i)) && !splits.contains(&id) {
                below.insert(id);
                between.push(id);
                kept.extend(inputs.into_iter().filter(|i| !is_model(i)));
            }
        }
        kept.retain(|id| splits.contains(id) || !below.contains(id));
        Self { splits, between, kept, asked: false, judged: false }
    }

    /// Whether what the folds hold out is asked for, or judges the model.
    pub fn ask(&self) -> bool {
        self.asked || self.judged
    }

    /// The splits without folds, each with the columns that its rows are put into folds by.
    pub fn to_cut<'p>(&self, plan: &'p Plan) -> Vec<(NodeId, Vec<&'p str>)> {
        let cut = |id: &NodeId| match &plan.node(*id).op {
            Op::Split(split) if split.folds.is_none() => Some((*id, split.columns())),
            _ => None,
        };
        self.splits.iter().filter_map(cut).collect()
    }
}

/// The folds of a split that has none: of its key, of its strata; blocks of time where it goes by time.
fn folds_of(split: &Split) -> SplitFolds {
    match &split.parts {
        SplitParts::Hash { key, .. } => {
            SplitFolds::Hash { key: SplitKey { unique: false, ..key.clone() }, count: FOLDS_THAT_CHOOSE }
        }
        SplitParts::Stratified { key, column, .. } => SplitFolds::Stratified {
            key: SplitKey { unique: false, ..key.clone() },
            column: column.clone(),
            count: FOLDS_THAT_CHOOSE,
        },
        SplitParts::Bounded { time, gap, .. } | SplitParts::Ordered { time, gap, .. } => {
            SplitFolds::Rolling { time: time.clone(), count: FOLDS_THAT_CHOOSE, gap: *gap }
        }
        SplitParts::Given { .. } => by_row_number(),
    }
}

fn by_row_number() -> SplitFolds {
    SplitFolds::Hash { key: SplitKey::default(), count: FOLDS_THAT_CHOOSE }
}

/// The node and all that it is made of.
pub(super) fn upstream(plan: &Plan, id: NodeId) -> BTreeSet<NodeId> {
    upstream_by(plan, id, |_| true)
}

/// The same over inputs of which `along` holds.
fn upstream_by(plan: &Plan, id: NodeId, along: impl Fn(&NodeId) -> bool) -> BTreeSet<NodeId> {
    let mut seen = BTreeSet::new();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(inputs_and_lookups(plan, id).into_iter().filter(&along));
        }
    }
    seen
}

/// Its inputs; of a prediction also the tables that the model takes along.
fn inputs_and_lookups(plan: &Plan, id: NodeId) -> Vec<NodeId> {
    let mut inputs = plan.inputs(id);
    inputs.extend(plan.lookups(id));
    inputs
}

/// What is done with a fold: its number, its table, the run that made this, who works on it.
type OfFold<'f, T> = dyn Fn(i64, &DataFrame, &Run<'_>, &Crew) -> Result<T, Stop> + Sync + 'f;

/// Whether another one is begun after so many.
pub(super) type GoOn<'f> = &'f (dyn Fn(usize) -> bool + Sync);

/// What the folds gave, in order.
pub(super) struct Views<T> {
    pub done: Vec<T>,
    /// For these there was no time.
    pub skipped: usize,
}

impl Run<'_> {
    /// Whether the folds of a model are asked for; nobody judges in a fold.
    pub(super) fn wants_folds(&self, fit: NodeId) -> bool {
        self.needs.folds.get(&fit).is_some_and(|folds| folds.asked || folds.judged && !self.quiet)
    }

    /// For each fold the rows that it holds out, with the predictions of a model that was fitted without them, as
    /// `whole` names its classes; and how many folds had the time that they need, if not all.
    pub(super) fn held_out(
        &self,
        fit: NodeId,
        spec: &FitSpec,
        whole: &Fresh,
        crew: &Crew,
    ) -> Result<(Vec<HeldOut>, Option<Unfinished>), Stop> {
        if !self.wants_folds(fit) {
            return Ok((Vec::new(), None));
        }
        let node = self.plan.node(fit);
        let go_on = |done: usize| done == 0 || !crew.is_late();
        let views = self.each_fold(fit, None, (crew, &go_on), &|fold, rows, run, crew| {
            // What all folds have chosen together has seen what this one holds out.
            let chosen = match &node.op {
                Op::Fit(asked) if asked.chooses() => Some(self.chosen(fit, asked, rows, Some(fold), (crew, 1))?),
                _ => None,
            };
            let spec = judged_elsewhere(chosen.as_ref().map_or(spec, |chosen| &chosen.spec));
            let rounds = chosen.as_ref().and_then(|chosen| chosen.rounds);
            let fitting = Fitting { rounds, ..crew.fitting(run.cx, &node.item, None) };
            let fresh = Fresh::fit(&spec, rows, &run.maps, &fitting)?;
            let had_time = fresh.unfinished().is_empty() && chosen.is_none_or(|chosen| chosen.unfinished.is_empty());
            Ok((fresh.held_out(rows, &run.maps, whole)?, had_time))
        })?;
        let of = (views.done.len() + views.skipped) as u64;
        let done = views.done.iter().filter(|(_, had_time)| *had_time).count() as u64;
        let unfinished = (done < of).then(|| Unfinished { done, of, what: "folds".to_owned() });
        Ok((views.done.into_iter().map(|(held, _)| held).collect(), unfinished))
    }

    /// For each fold that holds rows out the table of the fit, these as its test part, with all maps and models between
    /// the split and the fit learned without them. `without`: of the train rows only those that this fold learns from.
    ///
    /// The workers share the folds, each with its part of the time. `go_on`: whether another fold is begun after so many.
    pub(super) fn each_fold<T: Send>(
        &self,
        fit: NodeId,
        without: Option<i64>,
        (crew, go_on): (&Crew, GoOn<'_>),
        work: &OfFold<'_, T>,
    ) -> Result<Views<T>, Stop> {
        let Some(folds) = self.needs.folds.get(&fit) else { return Ok(Views { done: Vec::new(), skipped: 0 }) };
        // What a fold tells would be told once more for each of them.
        let quiet = |_: Event| {};
        let cx = self.silent(&quiet);
        let of_split = folds.splits.iter().filter_map(|id| match &self.plan.node(*id).op {
            Op::Split(Split { folds: Some(folds), .. }) => Some(folds.count()),
            _ => None,
        });
        let count = of_split.last().unwrap_or(FOLDS_THAT_CHOOSE);
        let results = crew.share(count as usize, |begun| {
            self.go_on()?;
            if !go_on(begun) {
                return Ok(None);
            }
            let rounds = (count as usize - begun).div_ceil(crew.replicas) as u32;
            let crew = crew.one().until(crew.before(rounds - 1, Duration::ZERO));
            let number = begun as i64;
            let mut run = Run::new(self.plan, &cx, (self.needs, self.known), (self.exact, self.clocks, self.fetched));
            run.crew = Some(crew.clone());
            self.one_fold(fit, folds, (number, count), without, &mut run).and_then(|rows| match rows {
                Some(rows) => work(number, &rows, &run, &crew)
                    .map(|done| Some(Some(done)))
                    .map_err(|stop| named(stop, number, count, self.plan.node(fit).span)),
                None => Ok(Some(None)),
            })
        })?;
        let mut views = Views { done: Vec::new(), skipped: 0 };
        for result in results {
            match result? {
                Some(done) => views.done.extend(done),
                None => views.skipped += 1,
            }
        }
        Ok(views)
    }

    /// The table of the fit as one fold sees it; `None` if it holds no rows out.
    fn one_fold<'r>(
        &self,
        fit: NodeId,
        folds: &Folds,
        (number, count): (i64, u32),
        without: Option<i64>,
        run: &mut Run<'r>,
    ) -> Result<Option<DataFrame>, Stop>
    where
        Self: 'r,
    {
        let input = self.plan.inputs(fit)[0];
        run.quiet = true;
        run.maps.clone_from(&self.maps);
        run.models.clone_from(&self.models);
        run.tables.clone_from(&self.tables);
        folds.between.iter().for_each(|id| {
            run.tables.remove(id);
        });
        for split in &folds.splits {
            let rows = run.rows(*split)?;
            let rows = match &self.plan.node(*split).op {
                Op::Split(split_op) if split_op.folds.is_none() => self.cut(*split, &rows, &folds_of(split_op))?,
                _ => rows,
            };
            run.tables.insert(*split, Table::of(one_fold(&rows, number, without)?));
        }
        for id in &folds.between {
            run.go_on()?;
            let (node, need) = (run.plan.node(*id), &run.needs.nodes[id]);
            run.node(*id, node, need).map_err(|stop| named(stop, number, count, node.span))?;
        }
        let mut rows = run.rows(input)?;
        if folds.splits.is_empty() {
            let all = with_parts(&rows, |_| Some(PART_TRAIN))?;
            rows = one_fold(&self.cut(input, &all, &by_row_number())?, number, without)?;
        }
        Ok(has_part(&rows, PART_TEST)?.then_some(rows))
    }

    /// The rows of a node with folds of its train rows.
    fn cut(&self, id: NodeId, rows: &DataFrame, folds: &SplitFolds) -> Result<DataFrame, Stop> {
        let step = self.step_of(id).ok_or_else(|| RunError::new("E0799", "the split of a search is not run"))?;
        Ok(step::split::cut(&step, rows, folds)?)
    }

    /// A context in which nothing is told.
    pub(super) fn silent<'o>(&self, quiet: &'o (dyn Fn(Event) + Sync)) -> RunContext<'o> {
        RunContext {
            cancel: self.cx.cancel.clone(),
            threads: self.cx.threads,
            watch: self.cx.watch.clone(),
            ..RunContext::new(self.cx.base.clone(), quiet)
        }
    }
}

/// What is to be fitted where others judge it: nothing is searched any more, and nobody misses test rows.
pub(super) fn judged_elsewhere(spec: &FitSpec) -> FitSpec {
    FitSpec { judged_by_folds: true, search: None, refit: false, ..spec.clone() }
}

/// Says in which fold something failed.
fn named(stop: Stop, fold: i64, count: u32, span: dbjob_plan::Span) -> Stop {
    match stop {
        Stop::Failed(error) if error.code != "E0718" => {
            let message = format!("in fold {} of {count}: {}", fold + 1, error.message);
            Stop::Failed(RunError { message, ..error }.or_span(span))
        }
        other => other,
    }
}

/// The table of a split as one fold sees it: the train rows of the fold are held out as its test part; the others are
/// learned from or, where the fold comes too early for them, of no part, as are the test rows. `without` another fold: what
/// that one does not learn from is of no part either.
fn one_fold(rows: &DataFrame, fold: i64, without: Option<i64>) -> Result<DataFrame, RunError> {
    let ints = |name: &str| rows.column(name).and_then(|c| c.i64().cloned()).map_err(engine_error);
    let (parts, folds) = (ints(PART)?, ints(FOLD)?);
    let from = rows.column(FOLD_FROM).ok().map(|c| c.i64().cloned()).transpose().map_err(engine_error)?;
    let part = |row: usize| {
        let learns = |fold| from.as_ref().is_none_or(|from| from.get(row).is_some_and(|from| from <= fold));
        match (parts.get(row)?, folds.get(row)?) {
            (PART_TRAIN, own) if without.is_some_and(|other| own == other || !learns(other)) => Some(PART_NONE),
            (PART_TRAIN, own) if own == fold => Some(PART_TEST),
            (PART_TRAIN, _) if !learns(fold) => Some(PART_NONE),
            (PART_TEST, _) => Some(PART_NONE),
            (part, _) => Some(part),
        }
    };
    let column: pl::Int64Chunked = (0..rows.height()).map(part).collect();
    let mut rows = rows.clone();
    rows.with_column(column.into_column().with_name(PART.into())).map_err(engine_error)?;
    Ok(rows)
}
