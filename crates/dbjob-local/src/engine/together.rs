//! Models that have nothing to do with each other are learned at the same time, each on its share of the cores. A fit is put
//! off, and all that hangs on it, until everything else is done, so that others come to wait beside it. Not where modules say
//! in which order they run.

use dbjob_plan::{NodeId, Op, RunError};

use super::Stop;
use super::crew::Crew;
use super::known::learned;
use super::run::{Run, placed};

impl Run<'_> {
    /// Whether a node is a fit that may wait for others: nothing but the run bounds its time, its cores and its memory.
    pub(super) fn may_wait(&self, id: NodeId) -> bool {
        let node = self.plan.node(id);
        let module = self.item(&node.item).and_then(|item| item.module.as_ref());
        let free = || {
            let workers = self.plan.workers(&node.item);
            module.is_none() && workers.time.is_none() && workers.memory.is_none() && workers.retries == 0
        };
        // What was learned before is only judged.
        let known = || self.cx.results.is_some_and(|r| learned(self.plan, self.needs, id, r).is_some());
        let ordered = self.plan.modules.iter().any(|module| !module.after.is_empty());
        let alone = self.quiet || self.wanted.is_some() || self.cx.threads < 2 || ordered;
        matches!(node.op, Op::Fit(_)) && !alone && free() && !known()
    }

    /// Whether a node is made directly from one of these, or takes it along.
    pub(super) fn hangs_on(&self, id: NodeId, put_off: &[&[NodeId]]) -> bool {
        let above = self.plan.inputs(id).into_iter().chain(self.plan.lookups(id));
        above.into_iter().any(|above| put_off.iter().any(|those| those.contains(&above)))
    }

    /// Learns the models that wait.
    pub(super) fn learn_together(&mut self, waiting: Vec<NodeId>) -> Result<(), Stop> {
        let (threads, count) = (self.cx.threads, waiting.len());
        if count < 2 {
            return waiting.into_iter().try_for_each(|id| self.compute(id).map(drop));
        }
        let mut tables = Vec::new();
        for id in &waiting {
            let node = self.plan.node(*id);
            let input = self.plan.inputs(*id)[0];
            tables.push(self.rows(input).map_err(|stop| placed(stop, node))?);
            self.start(node);
        }
        let crew = Crew::of_cores(count.min(threads), (threads / count).max(1));
        let (me, one) = (&*self, crew.one());
        let models = crew.share(count, |number| {
            let (id, table) = (waiting[number], &tables[number]);
            let node = me.plan.node(id);
            let Op::Fit(spec) = &node.op else { return Err(RunError::new("E0799", "only fits wait").into()) };
            me.go_on()?;
            me.learn(id, node, spec, table, &one).map_err(|stop| placed(stop, node))
        })?;
        // What is learned is kept before the first failure is told.
        let mut failed = None;
        for (id, model) in waiting.into_iter().zip(models) {
            match model {
                Ok((model, search)) => {
                    self.learned(id, self.plan.node(id), model, search)?;
                    self.done.insert(id);
                    self.finish(id);
                }
                Err(stop) => failed = failed.or(Some(stop)),
            }
        }
        self.release();
        failed.map_or(Ok(()), Err)
    }
}
