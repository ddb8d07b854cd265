//! The fit of a model in a run: what is chosen first, the fit, its judgement.

use std::time::Duration;

use dbjob_plan::{
    Event, FitSpec, Node, NodeId, Op, PART, PART_NONE, PART_TRAIN, RunError, SearchReport, Target, Unfinished,
};
use polars::prelude::{self as pl, DataFrame, IntoColumn};

use super::Stop;
use super::crew::Crew;
use super::folds::judged_elsewhere;
use super::known::learned;
use super::run::Run;
use super::search::Chosen;
use crate::fault::engine_error;
use crate::learn::{Fitting, Fresh, Judge, Learned, Live};
use crate::package::live_metrics;

impl<'a> Run<'a> {
    pub(super) fn fit(&mut self, id: NodeId, node: &'a Node, spec: &'a FitSpec, input: NodeId) -> Result<(), Stop> {
        let table = self.rows(input)?;
        if let Some(learned) = self.learned_before(id, spec, &table)? {
            self.models.insert(id, learned);
            return self.fitted(id, node);
        }
        let crew = self.crew(node);
        let (model, search) = self.learn(id, node, spec, &table, &crew)?;
        self.learned(id, node, model, search)
    }

    /// Chooses, fits and judges a model.
    pub(super) fn learn(
        &self,
        id: NodeId,
        node: &Node,
        spec: &FitSpec,
        table: &DataFrame,
        crew: &Crew,
    ) -> Result<(Learned, Option<SearchReport>), Stop> {
        let (folds, refit) = (u32::from(self.wants_folds(id)), u32::from(spec.refit && !self.quiet));
        let Chosen { spec, search, fitted, rounds, mut unfinished } =
            self.chosen(id, spec, table, None, (crew, 1 + folds + refit))?;
        let live = if self.quiet { None } else { self.live(id, &spec)? };
        let mut fresh = {
            let spec = if self.quiet { judged_elsewhere(&spec) } else { spec.clone() };
            let crew = crew.clone().until(crew.before(folds + refit, Duration::ZERO));
            let fitting = Fitting { rounds, ..crew.fitting(self.cx, &node.item, Some(id)) };
            match fitted {
                Some(fitted) => Fresh::fitted(fitted, &spec, table, &self.maps, fitting.threads)?,
                None => Fresh::fit(&spec, table, &self.maps, &fitting)?,
            }
        };
        // What the valid part has found holds for all rows, too: none is left to judge by.
        let rounds = rounds.or(fresh.best_round());
        let (held_out, folds) = {
            let crew = crew.clone().until(crew.before(refit, Duration::ZERO));
            self.held_out(id, &spec, &fresh, &crew)?
        };
        unfinished.extend(folds);
        fresh.lacks(unfinished);
        self.bounded(node, false);
        let learned = if self.quiet {
            fresh.unjudged(held_out)?
        } else {
            let judge = Judge { held_out, live: &live, maps: &self.maps, cx: self.cx, item: &node.item };
            let learned = fresh.judged(table, judge)?;
            if spec.refit {
                self.go_on()?;
                self.bounded(node, true);
                let all = with_parts(table, |part| part.map(|_| PART_TRAIN))?;
                let fitting = Fitting { rounds, ..crew.fitting(self.cx, &node.item, Some(id)) };
                learned.refitted(Fresh::fit(&judged_elsewhere(&spec), &all, &self.maps, &fitting)?)
            } else {
                learned
            }
        };
        self.bounded(node, false);
        if !learned.unfinished().is_empty() {
            let parts: Vec<String> = learned.unfinished().iter().map(Unfinished::to_string).collect();
            let message =
                format!("the time of its module was over; it is the best that there was: {}", parts.join(", "));
            self.cx.emit(Event::Warning { item: node.item.clone(), message });
        }
        Ok((learned, search))
    }

    /// Puts a model in its place, keeps it and tells of it.
    pub(super) fn learned(
        &mut self,
        id: NodeId,
        node: &Node,
        model: Learned,
        search: Option<SearchReport>,
    ) -> Result<(), Stop> {
        self.models.insert(id, model);
        if let Some(search) = search {
            if !self.quiet {
                self.cx.emit(Event::Searched { item: node.item.clone(), search: search.clone() });
            }
            self.searches.insert(id, search);
        }
        self.fitted(id, node)
    }

    /// What an earlier run has learned, judged as is asked now.
    fn learned_before(&mut self, id: NodeId, spec: &'a FitSpec, table: &DataFrame) -> Result<Option<Learned>, Stop> {
        let (Some(results), false) = (self.cx.results, self.quiet) else { return Ok(None) };
        let Some(folder) = learned(self.plan, self.needs, id, results) else { return Ok(None) };
        let (fresh, search) = Fresh::again(&folder, spec, table, &self.maps, self.cx.threads)?;
        let live = self.live(id, spec)?;
        let item = &self.plan.node(id).item;
        let judge = Judge { held_out: Vec::new(), live: &live, maps: &self.maps, cx: self.cx, item };
        self.searches.extend(search.map(|search| (id, search)));
        Ok(Some(fresh.judged(table, judge)?))
    }

    fn fitted(&mut self, id: NodeId, node: &Node) -> Result<(), Stop> {
        self.keep_model(id)?;
        if self.item(&node.item).is_some_and(|i| i.output == id) && !self.is_deployed(id) {
            self.report_model(id);
        }
        Ok(())
    }

    /// The metrics of the version that is live where the model goes to, if a gate asks for them.
    pub(super) fn live(&self, fit: NodeId, spec: &FitSpec) -> Result<Live, RunError> {
        let asked = spec.require.iter().flat_map(|r| r.expr.columns()).any(|c| c.starts_with("deployed."));
        let registry = self.plan.consumers(fit).into_iter().find_map(|id| match &self.plan.node(id).op {
            Op::Deploy(Target::Registry { path, .. }) => Some(self.cx.resolve(path)),
            _ => None,
        });
        match registry.filter(|_| asked) {
            Some(registry) => live_metrics(&registry, &spec.model),
            None => Ok(None),
        }
    }
}

/// The table with its parts seen otherwise. Without parts all rows are train.
pub(super) fn with_parts(table: &DataFrame, see: impl Fn(Option<i64>) -> Option<i64>) -> Result<DataFrame, RunError> {
    let column: pl::Int64Chunked = match table.column(PART) {
        Ok(parts) => parts.i64().map_err(engine_error)?.iter().map(|part| see(part).or(Some(PART_NONE))).collect(),
        Err(_) => (0..table.height()).map(|_| see(Some(PART_TRAIN))).collect(),
    };
    let mut table = table.clone();
    table.with_column(column.into_column().with_name(PART.into())).map_err(engine_error)?;
    Ok(table)
}
