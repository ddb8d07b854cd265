//! What data are like: found by the engine, with plans of its own.

use std::collections::BTreeSet;
use std::path::Path;

use dbjob_plan::{
    Backend, DataType, Expr, ExprKind, Field, Format, ItemKind, NamedExpr, Node, NodeId, Op, Plan, PlanItem,
    RunContext, RunError, Schema, Source, Span, Value,
};

use crate::hir::{Item, ItemBody, Table};
use crate::lock::{Locked, LockedColumn, LockedKey, row_class};

/// More levels than these are names rather than levels, and are not written down.
const MOST_LEVELS: u64 = 1_000;

/// A dataset whose data are in files or a database.
pub struct Dataset<'p> {
    pub name: &'p str,
    pub source: &'p Source,
    schema: Schema,
    pub span: Span,
}

impl<'p> Dataset<'p> {
    fn new(name: &'p str, op: &'p Op, schema: Schema, span: Span) -> Option<Self> {
        match op {
            Op::Read(source) if !matches!(source.format, Format::Inline { .. }) => {
                Some(Self { name, source, schema, span })
            }
            _ => None,
        }
    }

    /// As the compiler knows it, with its columns.
    pub fn of(item: &'p Item) -> Option<(Self, &'p Table)> {
        let ItemBody::Table { steps, table, .. } = &item.body else { return None };
        let read = steps.first()?;
        Some((Self::new(&item.name, &read.op, read.shape.schema(), read.span)?, table))
    }
}

/// Those of these nodes of a plan.
pub fn datasets<'p>(plan: &'p Plan, nodes: &BTreeSet<NodeId>) -> Vec<Dataset<'p>> {
    let nodes = nodes.iter().map(|id| plan.node(*id));
    nodes.filter_map(|node| Dataset::new(&node.item, &node.op, node.schema.clone(), node.span)).collect()
}

/// Looks at all rows of a dataset. `taken`: whether the job takes a column's type from the data.
///
/// Errors: those of reading it.
pub fn survey(
    dataset: &Dataset<'_>,
    taken: &dyn Fn(&str) -> bool,
    engine: &dyn Backend,
    base: &Path,
) -> Result<Locked, RunError> {
    let source = dataset.source;
    let looked = Look { dataset, engine, base };
    let found = engine.infer(&Source { columns: Vec::new(), key: Vec::new(), ..source.clone() }, base);
    let found = found.map_err(|e| e.or_span(dataset.span))?;
    let name_of = |header: &str| source.columns.iter().find(|c| c.header == header).map(|c| c.name.as_str());
    let mut columns = Vec::new();
    for field in found.fields {
        let name = name_of(&field.name);
        let open = |name: &&str| {
            dataset.schema.get(name).is_some_and(|f| f.dtype == DataType::Category { levels: None }) && !taken(name)
        };
        let levels = match name.filter(open) {
            Some(name) => looked.levels(name)?,
            None => None,
        };
        let taken = name.is_some_and(taken);
        columns.push(LockedColumn { name: field.name, dtype: field.dtype, nullable: field.nullable, taken, levels });
    }
    let header_of = |name: &String| source.columns.iter().find(|c| c.name == *name).map_or(name, |c| &c.header).clone();
    let (rows, groups) = looked.counts(&source.key)?;
    let key = (!source.key.is_empty())
        .then(|| LockedKey { columns: source.key.iter().map(header_of).collect(), unique: groups == rows });
    Ok(Locked { path: source.written(), format: source.format.clone(), rows: row_class(rows), key, columns })
}

/// The columns of a dataset whose types nothing declares.
pub fn taken_by(table: &Table, name: &str) -> bool {
    table.get(name).is_some_and(|c| c.unchecked)
}

struct Look<'a> {
    dataset: &'a Dataset<'a>,
    engine: &'a dyn Backend,
    base: &'a Path,
}

impl Look<'_> {
    /// The number of rows and of combinations of the key; without a key both are of all rows.
    fn counts(&self, key: &[String]) -> Result<(u64, u64), RunError> {
        let count = |name: &str| self.aggregate(name, "count", None);
        let rows = match key {
            [] => self.ask(&[], vec![count("rows"), count("groups")], None)?,
            _ => {
                let keys: Vec<NamedExpr> = key.iter().map(|k| self.column(k)).collect();
                let rows = NamedExpr {
                    name: "rows".into(),
                    expr: Expr::column("rows", DataType::Int, false, self.dataset.span),
                };
                let sum = self.aggregate("rows", "sum", Some(rows.expr));
                self.ask(&keys, vec![count("rows")], Some(vec![sum, count("groups")]))?
            }
        };
        // A table without rows has no sum.
        let number = |i: usize| rows.first().and_then(|r| r[i].as_i64()).unwrap_or(0) as u64;
        Ok((number(0), number(1)))
    }

    /// The different values of a column, sorted; `None` if they are too many.
    fn levels(&self, name: &str) -> Result<Option<Vec<String>>, RunError> {
        let rows = self.ask(&[self.column(name)], vec![self.aggregate("n", "count", None)], None)?;
        let mut levels: Vec<String> = rows.iter().filter_map(|row| row[0].as_str().map(str::to_owned)).collect();
        levels.sort_unstable();
        Ok((levels.len() as u64 <= MOST_LEVELS).then_some(levels))
    }

    fn column(&self, name: &str) -> NamedExpr {
        let field = self.dataset.schema.get(name);
        let (dtype, nullable) = field.map_or((DataType::String, true), |f| (f.dtype.clone(), f.nullable));
        NamedExpr { name: name.to_owned(), expr: Expr::column(name, dtype, nullable, self.dataset.span) }
    }

    fn aggregate(&self, name: &str, function: &str, of: Option<Expr>) -> NamedExpr {
        let args = of.into_iter().collect();
        let kind = ExprKind::Aggregate { function: function.into(), args, frame: None };
        let expr = Expr { kind, dtype: DataType::Int, nullable: function == "sum", span: self.dataset.span };
        NamedExpr { name: name.to_owned(), expr }
    }

    /// The rows of the dataset grouped by keys, and all groups as one once more if there are further aggregates.
    fn ask(
        &self,
        keys: &[NamedExpr],
        aggregates: Vec<NamedExpr>,
        of_groups: Option<Vec<NamedExpr>>,
    ) -> Result<Vec<Vec<Value>>, RunError> {
        let mut plan = Plan { job: "lock".into(), ..Plan::default() };
        let dataset = self.dataset;
        let add = |plan: &mut Plan, op: Op, schema: Schema, inputs: &[NodeId]| {
            plan.add(Node { item: "looked".into(), op, schema, span: dataset.span }, inputs)
        };
        let mut last = add(&mut plan, Op::Read(dataset.source.clone()), dataset.schema.clone(), &[]);
        let mut group = |plan: &mut Plan, keys: Vec<NamedExpr>, aggregates: Vec<NamedExpr>| {
            let fields = keys.iter().chain(&aggregates);
            let fields = fields.map(|c| Field::new(&c.name, c.expr.dtype.clone(), c.expr.nullable)).collect();
            last = add(plan, Op::Group { keys, aggregates }, Schema::new(fields), &[last]);
        };
        group(&mut plan, keys.to_vec(), aggregates);
        if let Some(aggregates) = of_groups {
            group(&mut plan, Vec::new(), aggregates);
        }
        let item = PlanItem { name: "looked".into(), kind: ItemKind::Transform, output: last, module: None, doc: None };
        plan.items.push(item);
        let mut cx = RunContext {
            goal: vec!["looked".into()],
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            ..RunContext::new(self.base.to_owned(), &|_| ())
        };
        self.engine.rows(&plan, &mut cx, "looked").map(|rows| rows.rows)
    }
}
