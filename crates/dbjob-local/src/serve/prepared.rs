//! The serving plan made ready: expressions compiled, tables hashed, states read. What it gives is what `replay` gives, by
//! the same lowering; what it cannot prepare it leaves to `replay`, node by node.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dbjob_plan::contract::rules;
use dbjob_plan::{ExpectAction, Expectation, Join, JoinKind, MapColumn, NodeId, Op, Predictor, RunError};
use dbjob_serve::Refusal;
use polars::prelude::{self as pl, DataFrame, IntoLazy, NewChunkedArray, PlSmallStr, SchemaRef};
use polars_expr::prelude::ExecutionState;

use super::compiled::Compiled;
use super::lookup::Lookup;
use crate::fault::{Faults, engine_error, guarded};
use crate::map::Ready;
use crate::package::Package;
use crate::replay::{Tables, looked_up, values_of};
use crate::step::{Step, expect, join, lower_step};
use crate::types::polars_type;
use crate::udf::{col, in_order};

const HOLDS: &str = "__holds";

pub(super) struct Prepared {
    steps: Vec<Way>,
    state: ExecutionState,
    faults: Faults,
}

/// How a step over the rows of the request is done.
enum Way {
    Compiled(Compiled),
    /// Maps of one statement, without an expression around them.
    Maps(Vec<Mapped>),
    Rule(Rule),
    Lookup(Matching),
}

struct Rule {
    holds: Compiled,
    columns: Vec<String>,
    text: String,
    /// The field, where the rule is about one.
    field: Option<String>,
    warns: bool,
}

struct Mapped {
    columns: Vec<String>,
    ready: Ready,
    out: PlSmallStr,
}

struct Matching {
    lookup: Lookup,
    left: Vec<String>,
    table: String,
    required: bool,
}

/// What rows were refused, by their number.
type Refused = Vec<(usize, Refusal)>;

impl Prepared {
    /// `None`: a step of the plan cannot be prepared.
    ///
    /// Errors: E0708 or E0716 when a table that travels with the model is not right.
    pub fn new(package: &Package) -> Result<Option<Self>, RunError> {
        match Self::prepare(package) {
            Ok(prepared) => Ok(Some(prepared)),
            Err(error) if error.code == "E0799" => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn prepare(package: &Package) -> Result<Self, RunError> {
        let manifest = package.manifest();
        let (serving, plan) = (&manifest.serving, &manifest.serving.plan);
        let faults = Faults::default();
        let told = rules(serving);
        let mut tables = Tables::new(serving, package.lookups(), package.maps(), &faults);
        let mut schema: SchemaRef = Arc::new(
            manifest.request.iter().map(|f| pl::Field::new(f.name.as_str().into(), polars_type(&f.dtype))).collect(),
        );
        let (mut of_request, mut steps) = (HashSet::new(), Vec::new());
        let mut last: Option<NodeId> = None;
        for id in plan.topological() {
            let (node, inputs) = (plan.node(id), plan.inputs(id));
            if matches!(node.op, Op::Request) {
                of_request.insert(id);
                last = Some(id);
                continue;
            }
            if !inputs.iter().any(|i| of_request.contains(i)) {
                tables.compute(id)?;
                continue;
            }
            if inputs.first().copied() != last || inputs[1..].iter().any(|i| of_request.contains(i)) {
                return Err(unprepared("its steps are no chain"));
            }
            let step = Step { plan, id, node, faults: &faults, maps: package.maps(), live: None };
            match &node.op {
                Op::Expect(rule) if expect::is_row_wise(rule) => {
                    let told = told.iter().find(|r| r.node == id);
                    let field = told.and_then(|r| match r.bounds.as_slice() {
                        [(field, _)] if rule.predicate.columns().len() == 1 => Some(field.clone()),
                        _ => None,
                    });
                    let text = told.map_or_else(|| rule.text.clone(), |r| r.text.clone());
                    steps.push(Way::Rule(Rule::new(&step, rule, &schema, text, field)?));
                }
                Op::Expect(_) => {}
                Op::Join(op) => {
                    let matching = Matching::new(&step, op, tables.get(inputs[1])?)?;
                    schema = matching.schema(&schema);
                    steps.push(Way::Lookup(matching));
                }
                Op::Map { columns } if columns.iter().all(|c| c.link.formula.is_none()) => {
                    let maps = columns.iter().map(|c| Mapped::new(&step, c)).collect::<Result<Vec<_>, _>>()?;
                    let mut mapped = (*schema).clone();
                    maps.iter().for_each(|m| drop(mapped.with_column(m.out.clone(), m.ready.to.clone())));
                    schema = Arc::new(mapped);
                    steps.push(Way::Maps(maps));
                }
                _ => {
                    let compiled = compile(&schema, |frame| {
                        lower_step(&step, vec![frame], true)?.ok_or_else(|| unprepared("a step is not row-wise"))
                    })?;
                    schema = compiled.schema.clone();
                    steps.push(Way::Compiled(compiled));
                }
            }
            of_request.insert(id);
            last = Some(id);
        }
        if last != Some(serving.output) {
            return Err(unprepared("its steps are no chain"));
        }
        Ok(Self { steps, state: ExecutionState::new(), faults })
    }

    /// The rows that are left of a request as the learner takes them, and the others.
    ///
    /// Errors: some row fails in a step; which one is for the caller to find.
    pub fn run(&mut self, request: &DataFrame, warned: &Counts) -> Result<(DataFrame, Refused), RunError> {
        let mut rows = Rows { table: request.clone(), numbers: None, refused: Vec::new() };
        let done = guarded(|| self.steps.iter().try_for_each(|step| step.run(&mut rows, &self.state, warned)));
        // A fault of this batch is none of the next.
        self.faults.take();
        done.map_err(engine_error)?;
        rows.refused.sort_by_key(|(row, _)| *row);
        Ok((rows.table, rows.refused))
    }

    /// The rules that only warn.
    pub fn counts(&self) -> Counts {
        let warns = self.steps.iter().filter_map(|step| match step {
            Way::Rule(rule) if rule.warns => Some((rule.text.clone(), AtomicU64::new(0))),
            _ => None,
        });
        Counts(warns.collect())
    }
}

fn unprepared(why: &str) -> RunError {
    RunError::new("E0799", format!("the serving plan cannot be prepared: {why}"))
}

/// Compiles what a lowering gives, whose errors are not polars' own.
fn compile(
    schema: &SchemaRef,
    lower: impl FnOnce(pl::LazyFrame) -> Result<pl::LazyFrame, RunError>,
) -> Result<Compiled, RunError> {
    let mut failed = None;
    let compiled = guarded(|| {
        Compiled::new(schema, |frame| {
            in_order(|| lower(frame)).map_err(|error| {
                let text = error.message.clone();
                failed = Some(error);
                pl::PolarsError::ComputeError(text.into())
            })
        })
    });
    compiled.map_err(|e| failed.unwrap_or_else(|| engine_error(e)))
}

/// The rows of a request on their way.
struct Rows {
    table: DataFrame,
    /// The numbers (from 0) of the rows that are left, once some are not.
    numbers: Option<Vec<usize>>,
    refused: Refused,
}

impl Rows {
    fn number(&self, at: usize) -> usize {
        self.numbers.as_ref().map_or(at, |numbers| numbers[at])
    }

    /// Leaves rows out.
    fn keep(&mut self, keep: &[bool]) -> pl::PolarsResult<()> {
        let left = (0..self.table.height()).filter(|at| keep[*at]).map(|at| self.number(at)).collect();
        self.table = self.table.filter(&pl::BooleanChunked::from_slice("".into(), keep))?;
        self.numbers = Some(left);
        Ok(())
    }
}

impl Way {
    fn run(&self, rows: &mut Rows, state: &ExecutionState, warned: &Counts) -> pl::PolarsResult<()> {
        match self {
            Self::Compiled(compiled) => rows.table = compiled.run(std::mem::take(&mut rows.table), state)?,
            Self::Maps(maps) => {
                let made = maps.iter().map(|m| m.run(&rows.table)).collect::<pl::PolarsResult<Vec<_>>>()?;
                for column in made {
                    rows.table.with_column(column)?;
                }
            }
            Self::Rule(rule) => rule.run(rows, state, warned)?,
            Self::Lookup(matching) => matching.run(rows)?,
        }
        Ok(())
    }
}

impl Mapped {
    fn new(step: &Step<'_>, column: &MapColumn) -> Result<Self, RunError> {
        let ready = Ready::new(&column.link, step.maps, step.scope(0).reporter())?;
        let columns = [&column.column].into_iter().chain(&column.more).cloned().collect();
        Ok(Self { columns, ready, out: column.out.as_str().into() })
    }

    fn run(&self, table: &DataFrame) -> pl::PolarsResult<pl::Column> {
        let of = |name: &String| table.column(name).cloned();
        let columns = self.columns.iter().map(of).collect::<pl::PolarsResult<Vec<_>>>()?;
        Ok(self.ready.run(&columns)?.with_name(self.out.clone()))
    }
}

impl Rule {
    fn new(
        step: &Step<'_>,
        rule: &Expectation,
        schema: &SchemaRef,
        text: String,
        field: Option<String>,
    ) -> Result<Self, RunError> {
        let holds = compile(schema, |frame| {
            let holds = step.lower(&rule.predicate)?.fill_null(pl::lit(false));
            Ok(frame.select([holds.alias(HOLDS)]))
        })?;
        let columns = rule.predicate.columns().into_iter().map(str::to_owned).collect();
        Ok(Self { holds, columns, text, field, warns: rule.action == ExpectAction::Warn })
    }

    fn run(&self, rows: &mut Rows, state: &ExecutionState, warned: &Counts) -> pl::PolarsResult<()> {
        let flags = self.holds.run(rows.table.clone(), state)?;
        let keep: Vec<bool> = flags.column(HOLDS)?.bool()?.iter().map(|held| held == Some(true)).collect();
        let fails = keep.iter().filter(|held| !**held).count();
        if fails == 0 {
            return Ok(());
        }
        if self.warns {
            warned.add(&self.text, fails as u64);
            return Ok(());
        }
        for at in (0..keep.len()).filter(|at| !keep[*at]) {
            let values = values_of(&rows.table, &self.columns, at)?;
            let reason = format!("is refused by `expect {}`: {values}", self.text);
            rows.refused.push((rows.number(at), Refusal::Row { reason, column: self.field.clone() }));
        }
        rows.keep(&keep)
    }
}

impl Matching {
    fn new(step: &Step<'_>, op: &Join, right: &DataFrame) -> Result<Self, RunError> {
        if !matches!(op.kind, JoinKind::Inner | JoinKind::Left) || op.asof.is_some() {
            return Err(unprepared("it has a join that is no lookup by a key"));
        }
        let side = guarded(|| join::right_side(step, op, right.clone().lazy()).collect()).map_err(engine_error)?;
        let table = looked_up(step.plan, step.plan.inputs(step.id)[1]).to_owned();
        join::verify_unique(op, &side, &table)?;
        let keys = (0..op.on.len()).map(|i| side.column(&join::right_key(i)).cloned()).collect::<Result<Vec<_>, _>>();
        let over: Vec<pl::Expr> = op.right_columns.iter().map(|c| col(c.to.as_str())).collect();
        let columns = guarded(|| side.clone().lazy().select(over).collect()).map_err(engine_error)?;
        let lookup = keys.and_then(|keys| Lookup::new(&keys, columns)).map_err(engine_error)?;
        let lookup = lookup.ok_or_else(|| unprepared("it has a lookup by keys that are not hashed"))?;
        let left = op.on.iter().map(|(left, _)| left.clone()).collect();
        Ok(Self { lookup, left, table, required: op.kind == JoinKind::Inner })
    }

    fn schema(&self, left: &SchemaRef) -> SchemaRef {
        let mut schema = (**left).clone();
        for field in self.lookup.fields() {
            schema.with_column(field.name().clone(), field.dtype().clone());
        }
        Arc::new(schema)
    }

    fn run(&self, rows: &mut Rows) -> pl::PolarsResult<()> {
        let keys = self.left.iter().map(|k| rows.table.column(k)).collect::<pl::PolarsResult<Vec<_>>>()?;
        let mut found = self.lookup.find(&keys)?;
        if self.required && found.contains(&None) {
            let keep: Vec<bool> = found.iter().map(Option::is_some).collect();
            for at in (0..keep.len()).filter(|at| !keep[*at]) {
                let values = values_of(&rows.table, &self.left, at)?;
                let reason = format!("has no match in `{}`: {values}", self.table);
                let column = Some(self.left.join(", "));
                rows.refused.push((rows.number(at), Refusal::Row { reason, column }));
            }
            rows.keep(&keep)?;
            found.retain(Option::is_some);
        }
        let mut columns = rows.table.columns().to_vec();
        columns.extend(self.lookup.take(&found)?);
        rows.table = DataFrame::new(rows.table.height(), columns)?;
        Ok(())
    }
}

/// How often rules that only warn did not hold, by their text.
#[derive(Default)]
pub(super) struct Counts(BTreeMap<String, AtomicU64>);

impl Counts {
    fn add(&self, rule: &str, rows: u64) {
        if let Some(count) = self.0.get(rule) {
            count.fetch_add(rows, Ordering::Relaxed);
        }
    }

    /// In Prometheus' text format.
    pub fn text(&self, labels: &str) -> String {
        let line = |(rule, count): (&String, &AtomicU64)| {
            let rule = rule.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("dbjob_warned_rows_total{{{labels},rule=\"{rule}\"}} {}\n", count.load(Ordering::Relaxed))
        };
        self.0.iter().map(line).collect()
    }
}
