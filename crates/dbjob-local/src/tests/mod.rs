//! Plans built by hand, run whole: from files in a folder of their own to a Parquet file that is read back.

mod asof;
mod expressions;
pub(crate) mod maps;
mod places;
mod running;
mod serving;
mod sinks;
mod sources;
mod splits;
mod steps;
mod whole;
mod windows;

use std::path::Path;
use std::sync::Mutex;

use dbjob_plan::{
    Backend, BinaryOp, CsvOptions, DataType, Event, Expr, ExprKind, Field, Format, ItemKind, Node, NodeId, Op, Plan,
    PlanItem, RunContext, RunError, RunReport, Schema, Source, SourceColumn, Span, Target, Value,
};
use polars::prelude::{AnyValue, DataFrame, ParquetReader, ParquetWriter, SerReader};
use tempfile::TempDir;

use crate::LocalEngine;

pub(super) use DataType::{Bool, Date, Datetime, Float, Int, String as Text};

pub(super) fn col(name: &str, dtype: DataType) -> Expr {
    Expr::column(name, dtype, true, Span::default())
}

pub(super) fn lit(value: Value) -> Expr {
    let dtype = match &value {
        Value::Int(_) => Int,
        Value::Float(_) => Float,
        Value::Bool(_) => Bool,
        Value::Date(_) => Date,
        Value::Datetime(_) => Datetime,
        Value::Duration(_) => DataType::Duration,
        _ => Text,
    };
    Expr::literal(value, dtype, Span::default())
}

pub(super) fn int(i: i64) -> Expr {
    lit(Value::Int(i))
}

pub(super) fn float(x: f64) -> Expr {
    lit(Value::Float(x))
}

pub(super) fn text(s: &str) -> Expr {
    lit(Value::String(s.into()))
}

pub(super) fn null(dtype: DataType) -> Expr {
    Expr::literal(Value::Null, dtype, Span::default())
}

fn of(kind: ExprKind, dtype: DataType) -> Expr {
    Expr { kind, dtype, nullable: true, span: Span::default() }
}

pub(super) fn op(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    use BinaryOp as B;
    let dtype = match op {
        B::Or | B::And | B::Eq | B::Ne | B::Lt | B::Le | B::Gt | B::Ge => Bool,
        B::Div | B::Pow => Float,
        _ => left.dtype.clone(),
    };
    of(ExprKind::Binary { op, left: left.into(), right: right.into() }, dtype)
}

pub(super) fn call(function: &str, args: Vec<Expr>, dtype: DataType) -> Expr {
    of(ExprKind::Call { function: function.into(), args }, dtype)
}

pub(super) fn aggregate(function: &str, args: Vec<Expr>, dtype: DataType) -> Expr {
    of(ExprKind::Aggregate { function: function.into(), args, frame: None }, dtype)
}

pub(super) fn kind(kind: ExprKind, dtype: DataType) -> Expr {
    of(kind, dtype)
}

pub(super) fn field(name: &str, dtype: DataType) -> Field {
    Field::new(name, dtype, true)
}

pub(super) fn required(name: &str, dtype: DataType) -> Field {
    Field::new(name, dtype, false)
}

/// A folder with files, and a plan over them.
pub(super) struct Bench {
    pub folder: TempDir,
    pub plan: Plan,
    pub events: Mutex<Vec<Event>>,
}

impl Bench {
    pub fn new() -> Self {
        let plan = Plan { job: "test".into(), seed: 7, ..Plan::default() };
        Self { folder: tempfile::tempdir().unwrap(), plan, events: Mutex::default() }
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub fn node(&mut self, item: &str, op: Op, fields: Vec<Field>, inputs: &[NodeId]) -> NodeId {
        let node = Node { item: item.into(), op, schema: Schema::new(fields), span: Span::default() };
        self.plan.add(node, inputs)
    }

    pub fn read(&mut self, item: &str, format: Format, path: &str, fields: Vec<Field>) -> NodeId {
        let columns = fields
            .iter()
            .map(|f| SourceColumn { name: f.name.clone(), header: f.name.clone(), span: Span::default() })
            .collect();
        let source = Source { format, path: path.into(), outside: None, columns, key: Vec::new() };
        let id = self.node(item, Op::Read(source), fields, &[]);
        self.plan.items.push(PlanItem {
            name: item.into(),
            kind: ItemKind::Dataset,
            output: id,
            module: None,
            doc: None,
        });
        id
    }

    pub fn csv(&mut self, item: &str, content: &str, fields: Vec<Field>) -> NodeId {
        let name = format!("{item}.csv");
        self.file(&name, content);
        self.read(item, Format::Csv(CsvOptions::default()), &name, fields)
    }

    /// A dataset of rows in memory, by way of a Parquet file.
    pub fn table(&mut self, item: &str, mut rows: DataFrame, fields: Vec<Field>) -> NodeId {
        let name = format!("{item}.parquet");
        let file = std::fs::File::create(self.path(&name)).unwrap();
        ParquetWriter::new(file).finish(&mut rows).unwrap();
        self.read(item, Format::Parquet, &name, fields)
    }

    /// A step of the item `rows`.
    pub fn step(&mut self, op: Op, fields: Vec<Field>, inputs: &[NodeId]) -> NodeId {
        self.node("rows", op, fields, inputs)
    }

    pub fn deploy(&mut self, item: &str, target: Target, input: NodeId) -> NodeId {
        let fields = self.plan.node(input).schema.fields.clone();
        let id = self.node(item, Op::Deploy(target), fields, &[input]);
        self.plan.items.push(PlanItem {
            name: item.into(),
            kind: ItemKind::Deploy,
            output: id,
            module: None,
            doc: None,
        });
        id
    }

    pub fn run(&self) -> Result<RunReport, RunError> {
        self.events.lock().unwrap().clear();
        let observer = |event: Event| self.events.lock().unwrap().push(event);
        let mut cx = RunContext { threads: 2, ..RunContext::new(self.folder.path().to_path_buf(), &observer) };
        LocalEngine.run(&self.plan, &mut cx)
    }

    /// Runs the plan and gives the rows of a node.
    pub fn rows(&mut self, node: NodeId) -> Result<DataFrame, RunError> {
        let count = self.plan.items.len();
        let path = format!("out-{count}.parquet");
        let deploy = self.deploy("out", Target::Parquet { path: path.clone() }, node);
        let result = self.run();
        self.plan.items.pop();
        self.plan.graph.remove_node(deploy);
        result.map(|_| read_parquet(&self.path(&path)))
    }

    /// The names in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

pub(super) fn read_parquet(path: &Path) -> DataFrame {
    ParquetReader::new(std::fs::File::open(path).unwrap()).finish().unwrap()
}

/// A value as it would be written in the language.
pub(super) fn shown(value: &AnyValue<'_>) -> String {
    crate::types::value_of(value).to_string()
}

/// A column as text, values with blanks between.
pub(super) fn values(table: &DataFrame, column: &str) -> String {
    let series = table.column(column).unwrap().as_materialized_series().clone();
    series.iter().map(|v| shown(&v)).collect::<Vec<_>>().join(" ")
}

/// The rows of a table, as text.
pub(super) fn lines(table: &DataFrame) -> Vec<String> {
    (0..table.height())
        .map(|i| table.columns().iter().map(|c| shown(&c.get(i).unwrap())).collect::<Vec<_>>().join(" "))
        .collect()
}

pub(super) fn sorted(table: &DataFrame) -> Vec<String> {
    let mut all = lines(table);
    all.sort();
    all
}

pub(super) fn names(table: &DataFrame) -> String {
    table.get_column_names().iter().map(|n| n.as_str()).collect::<Vec<_>>().join(" ")
}
