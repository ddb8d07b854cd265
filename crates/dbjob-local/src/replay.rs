//! Serving: the row-wise steps of training over the rows of a request, by the very code that training uses.

use std::collections::HashMap;

use dbjob_plan::{DataLocation, ExpectAction, Join, JoinKind, NodeId, Op, Plan, RunError, Serving};
use polars::prelude::{self as pl, DataFrame, IntoLazy, LazyFrame};

use crate::fault::{Faults, engine_error, guarded};
use crate::map::MapStates;
use crate::step::{Step, asof, expect, join, lower_step};

/// Tells, after a left join, whether a row found its match.
const MATCHED: &str = "__matched";

/// The table of `serving.output` for the rows of a request, in their order, one row for each.
///
/// Errors: E0719 naming the row when a lookup has no match, a rule drops or refuses the row, or a value cannot be
/// converted; E0708 when a lookup table has a key twice; E0716 when a lookup table or a map's state is missing.
pub(crate) fn replay(
    serving: &Serving,
    request: LazyFrame,
    lookups: &HashMap<String, DataFrame>,
    maps: &MapStates,
) -> Result<DataFrame, RunError> {
    replay_some(serving, request, (lookups, maps), &|i| i as u64 + 1, true)
}

/// The same for some rows, of which `row(i)` is the number (1-based) to name for row `i` in messages. Without `rules` no
/// `expect` is asked: the rows are none that a caller has sent.
pub(crate) fn replay_some(
    serving: &Serving,
    request: LazyFrame,
    (lookups, maps): (&HashMap<String, DataFrame>, &MapStates),
    row: &dyn Fn(usize) -> u64,
    rules: bool,
) -> Result<DataFrame, RunError> {
    let faults = Faults::default();
    let mut tables = Tables::new(serving, lookups, maps, &faults);
    (tables.replay.row, tables.replay.rules) = (row, rules);
    tables.request = tables.replay.run(request)?;
    for id in serving.plan.topological() {
        tables.compute(id)?;
    }
    tables
        .done
        .remove(&serving.output)
        .ok_or_else(|| RunError::new("E0716", "the serving plan gives no table: the model package is damaged"))
}

/// The tables of a serving plan, node by node.
pub(crate) struct Tables<'a> {
    replay: Replay<'a>,
    /// The rows of the request; none at first.
    request: DataFrame,
    done: HashMap<NodeId, DataFrame>,
}

impl<'a> Tables<'a> {
    pub fn new(
        serving: &'a Serving,
        lookups: &'a HashMap<String, DataFrame>,
        maps: &'a MapStates,
        faults: &'a Faults,
    ) -> Self {
        let replay = Replay { serving, lookups, maps, faults, row: &|i| i as u64 + 1, rules: true };
        Self { replay, request: DataFrame::empty(), done: HashMap::new() }
    }

    /// Computes the table of a node, whose inputs are there.
    pub fn compute(&mut self, id: NodeId) -> Result<(), RunError> {
        let table = self.replay.node(id, &self.request, &self.done)?;
        self.done.insert(id, table);
        Ok(())
    }

    /// Errors: E0716 for a node that was not computed.
    pub fn get(&self, id: NodeId) -> Result<&DataFrame, RunError> {
        self.done.get(&id).ok_or_else(|| {
            RunError::new("E0716", "a step of the serving plan has no input: the model package is damaged")
        })
    }
}

struct Replay<'a> {
    serving: &'a Serving,
    lookups: &'a HashMap<String, DataFrame>,
    maps: &'a MapStates,
    faults: &'a Faults,
    row: &'a dyn Fn(usize) -> u64,
    rules: bool,
}

impl Replay<'_> {
    fn run(&self, frame: LazyFrame) -> Result<DataFrame, RunError> {
        guarded(|| frame.collect()).map_err(|e| match self.faults.take() {
            Some(fault) => fault.into_error(None),
            None => engine_error(e),
        })
    }

    fn node(
        &self,
        id: NodeId,
        request: &DataFrame,
        tables: &HashMap<NodeId, DataFrame>,
    ) -> Result<DataFrame, RunError> {
        let plan = &self.serving.plan;
        let node = plan.node(id);
        let inputs = plan.inputs(id);
        let input = |i: usize| {
            inputs.get(i).and_then(|i| tables.get(i)).ok_or_else(|| {
                RunError::new("E0716", "a step of the serving plan has no input: the model package is damaged")
            })
        };
        let step = Step { plan, id, node, faults: self.faults, maps: self.maps, live: None };
        Ok(match &node.op {
            Op::Request => request.clone(),
            Op::Snapshot { name } => self.lookups.get(name).cloned().ok_or_else(|| {
                RunError::new("E0716", format!("the lookup table `{name}` is missing from the model package"))
            })?,
            Op::Join(op) if !matches!(op.kind, JoinKind::Inner | JoinKind::Left | JoinKind::Asof) => {
                return Err(RunError::new("E0716", format!("a serving plan cannot do a {:?} join", op.kind)));
            }
            Op::Join(op) => self.lookup(&step, op, input(0)?, input(1)?)?,
            Op::Expect(rule) => {
                let table = input(0)?;
                if self.rules && expect::is_row_wise(rule) && rule.action != ExpectAction::Warn {
                    let first = expect::first_failing(&step, table, rule).map_err(|e| self.fault_or(e))?;
                    if let Some((row, values)) = first {
                        let what = format!("is refused by `expect {}`: {values}", rule.text);
                        return Err(refused(&what, (self.row)(row as usize - 1), None, Some(values)));
                    }
                }
                table.clone()
            }
            _ => {
                let table = input(0)?;
                let frame = lower_step(&step, vec![table.clone().lazy()], true)?.ok_or_else(|| {
                    RunError::new("E0716", "the serving plan has a step that is not row-wise: the package is damaged")
                })?;
                let out = match guarded(|| frame.collect()) {
                    Ok(out) => out,
                    Err(e) => return Err(self.row_fault(&step, table, e)),
                };
                if out.height() != table.height() {
                    return Err(RunError::new("E0716", "a step of the serving plan changed the number of rows"));
                }
                out
            }
        })
    }

    /// A row without a match is an error for an inner join, and has nulls for a left one.
    fn lookup(&self, step: &Step<'_>, op: &Join, left: &DataFrame, right: &DataFrame) -> Result<DataFrame, RunError> {
        let side = self.run(join::right_side(step, op, right.clone().lazy()))?;
        if let Some(time) = &op.asof {
            return asof::join(op, time, left, &side);
        }
        let table = looked_up(step.plan, step.plan.inputs(step.id)[1]);
        join::verify_unique(op, &side, table)?;
        let mut side = side;
        let matched = pl::Column::new_scalar(MATCHED.into(), true.into(), side.height());
        side.with_column(matched).map_err(engine_error)?;
        let left_join = Join { kind: JoinKind::Left, ..op.clone() };
        let joined = self.run(join::with_right(&left_join, left.clone().lazy(), &side, true)?)?;
        if op.kind == JoinKind::Inner {
            let matched = joined.column(MATCHED).and_then(|c| c.bool().cloned()).map_err(engine_error)?;
            if let Some(at) = matched.iter().position(|m| m != Some(true)) {
                let keys: Vec<String> = op.on.iter().map(|(l, _)| l.clone()).collect();
                let key = values_of(left, &keys, at).map_err(engine_error)?;
                let what = format!("has no match in `{table}`: {key}");
                return Err(refused(&what, (self.row)(at), Some(keys.join(", ")), Some(key)));
            }
        }
        joined.drop(MATCHED).map_err(engine_error)
    }

    fn fault_or(&self, error: RunError) -> RunError {
        self.faults.take().map_or(error, |fault| RunError { code: "E0719".into(), ..fault.into_error(None) })
    }

    /// The first row on which a step fails, alone.
    fn row_fault(&self, step: &Step<'_>, table: &DataFrame, error: pl::PolarsError) -> RunError {
        let Some(fault) = self.faults.take() else { return engine_error(error) };
        for at in 0..table.height() {
            let part = table.slice(at as i64, 1).lazy();
            let failed = match lower_step(step, vec![part], true) {
                Ok(Some(frame)) => guarded(|| frame.collect()).is_err(),
                _ => false,
            };
            if failed {
                let fault = self.faults.take().unwrap_or(fault);
                return refused(&format!(": {}", fault.message), (self.row)(at), fault.column, fault.value);
            }
        }
        RunError { code: "E0719".into(), ..fault.into_error(None) }
    }
}

/// The table whose rows a lookup's right side has.
pub(crate) fn looked_up(plan: &Plan, mut at: NodeId) -> &str {
    while let Some(before) = plan.inputs(at).first() {
        at = *before;
    }
    match &plan.node(at).op {
        Op::Snapshot { name } => name,
        _ => &plan.node(at).item,
    }
}

/// Why a row is refused; `what` follows on the number of the row.
fn refused(what: &str, row: u64, column: Option<String>, value: Option<String>) -> RunError {
    let data = DataLocation { file: None, row: Some(row), line: None, column, value };
    let space = if what.starts_with(':') { "" } else { " " };
    RunError::new("E0719", format!("row {row}{space}{what}")).data(data)
}

/// Why a row is refused, without its number.
pub(crate) fn reason(error: &RunError) -> String {
    let row = error.data.as_ref().and_then(|data| data.row).unwrap_or_default();
    let rest = error.message.strip_prefix(&format!("row {row}"));
    rest.map_or(error.message.as_str(), |rest| rest.trim_start_matches([':', ' '])).to_owned()
}

/// What stands in these columns of a row (from 0), in words.
pub(crate) fn values_of(table: &DataFrame, columns: &[impl AsRef<str>], row: usize) -> pl::PolarsResult<String> {
    let shown = |name: &str| -> pl::PolarsResult<String> {
        let value = table.column(name)?.get(row)?;
        Ok(format!("{name} = {}", crate::types::value_of(&value)))
    };
    let all = columns.iter().map(|name| shown(name.as_ref())).collect::<pl::PolarsResult<Vec<_>>>()?;
    Ok(all.join(", "))
}
