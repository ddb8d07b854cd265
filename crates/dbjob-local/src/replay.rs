//! Serving: the row-wise steps of training over the rows of a request, by the very code that training uses.

use std::collections::HashMap;

use dbjob_plan::{DataLocation, ExpectAction, Join, JoinKind, NodeId, Op, RunError, Serving};
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
    let faults = Faults::default();
    let replay = Replay { serving, lookups, maps, faults: &faults };
    let mut tables: HashMap<NodeId, DataFrame> = HashMap::new();
    let rows = replay.run(request)?;
    for id in serving.plan.topological() {
        let table = replay.node(id, &rows, &tables)?;
        if let Some(table) = table {
            tables.insert(id, table);
        }
    }
    tables
        .remove(&serving.output)
        .ok_or_else(|| RunError::new("E0716", "the serving plan gives no table: the model package is damaged"))
}

struct Replay<'a> {
    serving: &'a Serving,
    lookups: &'a HashMap<String, DataFrame>,
    maps: &'a MapStates,
    faults: &'a Faults,
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
    ) -> Result<Option<DataFrame>, RunError> {
        let plan = &self.serving.plan;
        let node = plan.node(id);
        let inputs = plan.inputs(id);
        let input = |i: usize| {
            inputs.get(i).and_then(|i| tables.get(i)).ok_or_else(|| {
                RunError::new("E0716", "a step of the serving plan has no input: the model package is damaged")
            })
        };
        let step = Step { plan, id, node, faults: self.faults, maps: self.maps, live: None };
        Ok(Some(match &node.op {
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
                if expect::is_row_wise(rule) && rule.action != ExpectAction::Warn {
                    let first = expect::first_failing(&step, table, rule).map_err(|e| self.fault_or(e))?;
                    if let Some((row, values)) = first {
                        let message = format!("row {row} is refused by `expect {}`: {values}", rule.text);
                        return Err(refused(message, row, None, Some(values)));
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
        }))
    }

    /// A row without a match is an error for an inner join, and has nulls for a left one.
    fn lookup(&self, step: &Step<'_>, op: &Join, left: &DataFrame, right: &DataFrame) -> Result<DataFrame, RunError> {
        let side = self.run(join::right_side(step, op, right.clone().lazy()))?;
        if let Some(time) = &op.asof {
            return asof::join(op, time, left, &side);
        }
        let right_node = step.plan.node(step.plan.inputs(step.id)[1]);
        join::verify_unique(op, &side, &right_node.item)?;
        let mut side = side;
        let matched = pl::Column::new_scalar(MATCHED.into(), true.into(), side.height());
        side.with_column(matched).map_err(engine_error)?;
        let left_join = Join { kind: JoinKind::Left, ..op.clone() };
        let joined = self.run(join::with_right(&left_join, left.clone().lazy(), &side, true)?)?;
        if op.kind == JoinKind::Inner {
            let matched = joined.column(MATCHED).and_then(|c| c.bool().cloned()).map_err(engine_error)?;
            if let Some(at) = matched.iter().position(|m| m != Some(true)) {
                let mut key = Vec::new();
                for (name, _) in &op.on {
                    let value = left.column(name).and_then(|c| c.get(at)).map_err(engine_error)?;
                    key.push(format!("{name} = {}", crate::types::value_of(&value)));
                }
                let (row, key) = (at as u64 + 1, key.join(", "));
                let message = format!("row {row} has no match in `{}`: {key}", right_node.item);
                let column = op.on.iter().map(|(l, _)| l.as_str()).collect::<Vec<_>>().join(", ");
                return Err(refused(message, row, Some(column), Some(key)));
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
                let row = at as u64 + 1;
                return refused(format!("row {row}: {}", fault.message), row, fault.column, fault.value);
            }
        }
        RunError { code: "E0719".into(), ..fault.into_error(None) }
    }
}

fn refused(message: String, row: u64, column: Option<String>, value: Option<String>) -> RunError {
    let data = DataLocation { file: None, row: Some(row), line: None, column, value };
    RunError::new("E0719", message).data(data)
}
