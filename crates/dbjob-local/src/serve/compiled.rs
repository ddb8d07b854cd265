//! A row-wise query compiled once: the expressions that polars' own plan of it has, to be evaluated on each batch. What
//! costs at a few rows is planning, not computing.

use std::sync::Arc;

use polars::prelude::{DataFrame, IntoLazy, LazyFrame, OptFlags, PlSmallStr, PolarsError, PolarsResult, SchemaRef};
use polars_expr::prelude::{ExecutionState, PhysicalExpr};
use polars_expr::{ExpressionConversionState, create_physical_expr};
use polars_plan::plans::expr_ir::ExprIR;
use polars_plan::plans::{IR, IRPlan};

type Exprs = Vec<Arc<dyn PhysicalExpr>>;

/// Steps over a table in memory, each of as many rows as the one before.
pub(super) struct Compiled {
    stages: Vec<Stage>,
    /// Of the result.
    pub schema: SchemaRef,
}

enum Stage {
    /// Adds or replaces columns.
    Add(Exprs, SchemaRef),
    /// Makes exactly these.
    Make(Exprs),
    /// Keeps columns.
    Keep(Vec<PlSmallStr>),
}

impl Compiled {
    /// `query`: what is to be done with a table of that schema.
    ///
    /// Errors: the query has something that is not row-wise.
    pub fn new(schema: &SchemaRef, query: impl FnOnce(LazyFrame) -> PolarsResult<LazyFrame>) -> PolarsResult<Self> {
        let mut query = query(DataFrame::empty_with_schema(schema).lazy())?
            .with_optimizations(OptFlags::TYPE_COERCION | OptFlags::SIMPLIFY_EXPR);
        let result = query.collect_schema()?;
        let IRPlan { lp_top, lp_arena, mut expr_arena } = query.to_alp_optimized()?;
        let (mut stages, mut at) = (Vec::new(), lp_top);
        loop {
            let node = lp_arena.get(at);
            let mut compile = |exprs: &[ExprIR], input| -> PolarsResult<Exprs> {
                let schema = lp_arena.get(input).schema(&lp_arena).into_owned();
                let mut state = ExpressionConversionState::new(false);
                exprs.iter().map(|e| create_physical_expr(e, &mut expr_arena, &schema, &mut state)).collect()
            };
            at = match node {
                IR::DataFrameScan { output_schema, .. } => {
                    if let Some(kept) = output_schema {
                        stages.push(Stage::Keep(kept.iter_names_cloned().collect()));
                    }
                    break;
                }
                IR::HStack { input, exprs, schema, .. } => {
                    stages.push(Stage::Add(compile(exprs, *input)?, schema.clone()));
                    *input
                }
                IR::Select { input, expr, .. } => {
                    stages.push(Stage::Make(compile(expr, *input)?));
                    *input
                }
                IR::SimpleProjection { input, columns } => {
                    stages.push(Stage::Keep(columns.iter_names_cloned().collect()));
                    *input
                }
                other => {
                    let what = format!("{} is not row-wise", <&str>::from(other));
                    return Err(PolarsError::InvalidOperation(what.into()));
                }
            };
        }
        stages.reverse();
        Ok(Self { stages, schema: result })
    }

    pub fn run(&self, mut table: DataFrame, state: &ExecutionState) -> PolarsResult<DataFrame> {
        let rows = table.height();
        for stage in &self.stages {
            match stage {
                Stage::Add(exprs, schema) => {
                    let made = exprs.iter().map(|e| e.evaluate(&table, state)).collect::<PolarsResult<Vec<_>>>()?;
                    table.with_columns_mut(made, schema)?;
                }
                Stage::Make(exprs) => {
                    let column = |e: &Arc<dyn PhysicalExpr>| {
                        let made = e.evaluate(&table, state)?;
                        Ok(if made.len() == 1 && rows != 1 { made.new_from_index(0, rows) } else { made })
                    };
                    let made = exprs.iter().map(column).collect::<PolarsResult<Vec<_>>>()?;
                    table = DataFrame::new(rows, made)?;
                }
                Stage::Keep(names) => table = table.select(names.iter().cloned())?,
            }
        }
        Ok(table)
    }
}
