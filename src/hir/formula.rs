//! Maps that are expressions: those of the catalog, and functions of the job.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dbjob_plan::{DataType, FileId, Formula, MAPPED, Refinement, Span, Undo, Value};

use super::expr::{Aggregates, Scope, Typed, check_expr};
use super::functions::Functions;
use super::inverse::{self, Known, Lost};
use super::range::Range;
use super::table::{Column, Table};
use crate::catalog::map::{Body, MAPS, Map, Options};
use crate::syntax::ast;

/// An expression over a column, which is called [`MAPPED`] in it.
pub(super) struct Mapping {
    pub typed: Typed,
    pub formula: Formula,
    /// The part that stands against an inverse.
    pub lost: Option<Lost>,
}

/// A formula of the catalog over a column, with the options put in. The column is of a type that it takes.
pub(super) fn of_catalog(text: &'static str, column: &Column, option: Options<'_>, span: Span) -> Mapping {
    let mut ast = FORMULAS[text].clone();
    put_in(&mut ast, &|name| match name {
        "x" => Some(ast::ExprKind::Name(MAPPED.into())),
        name => Some(ast::ExprKind::Literal(option(name))),
    });
    let mut out = Vec::new();
    let mut typed = check_expr(scope(&alone(column), &Functions::default()), &ast, &mut out);
    debug_assert!(out.is_empty(), "{text} of {}: {out:?}", column.dtype);
    typed.expr.rewrite(&mut |e| e.span = span);
    // A value outside of the domain stops the run, so that null comes from null only.
    mapping(typed, column, true)
}

/// How a formula of the catalog is undone, as it is written, for numbers between 0 and 1; `None`: it is no formula.
pub fn undone_in_words(map: &Map) -> Option<String> {
    let Body::Formula { text, .. } = map.body else { return None };
    let range = Range { low: 0.0, high: 1.0, above: true, below: true };
    let column = Column { range, ..Column::new(MAPPED, DataType::Float, false, Span::default()) };
    // Options stand for numbers that occur nowhere else.
    let number = |name: &str| map.options.iter().position(|o| o.name == name).map_or(0.0, |i| 1000.5 + i as f64);
    let mapping = of_catalog(text, &column, &|name| Value::Float(number(name)), Span::default());
    let Undo::By(inverse) = mapping.formula.undo else { return mapping.lost.map(|lost| lost.why) };
    let named = |text: String, name: &str| text.replace(&Value::Float(number(name)).to_string(), name);
    Some(map.options.iter().fold(inverse.to_string(), |text, option| named(text, option.name)))
}

fn mapping(typed: Typed, column: &Column, strict: bool) -> Mapping {
    let known = Known { dtype: &column.dtype, nullable: column.nullable, range: column.range, levels: levels(column) };
    let (undo, lost) = match inverse::invert(&typed.expr, &known) {
        Ok(back) => (Undo::By(back), None),
        Err(lost) => (Undo::Never(lost.why.clone()), Some(lost)),
    };
    let formula = Formula { forward: typed.expr.clone(), undo, strict };
    Mapping { typed, formula, lost }
}

/// All values of a column, if they are known one by one.
fn levels(column: &Column) -> Option<Vec<Value>> {
    match (&column.dtype, &column.refinement) {
        (DataType::Bool, _) => Some(vec![Value::Bool(false), Value::Bool(true)]),
        (DataType::Category { levels: Some(levels) }, _) => Some(levels.iter().cloned().map(Value::String).collect()),
        (_, Some(Refinement::OneOf(values))) => Some(values.clone()),
        _ => None,
    }
}

fn alone(column: &Column) -> Table {
    let mut table = Table::default();
    table.put(Column { name: MAPPED.into(), ..column.clone() });
    table
}

fn scope<'a>(table: &'a Table, functions: &'a Functions) -> Scope<'a> {
    Scope { table, functions, aggregates: Aggregates::Forbidden("a map") }
}

/// The formulas of the catalog by their text.
static FORMULAS: LazyLock<BTreeMap<&'static str, ast::Expr>> = LazyLock::new(|| {
    let formulas = MAPS.iter().filter_map(|map| match map.body {
        Body::Formula { text, .. } => Some((text, parsed(text))),
        _ => None,
    });
    formulas.collect()
});

fn parsed(text: &str) -> ast::Expr {
    let file = crate::syntax::parse(FileId::default(), &format!("transform t from d {{\n  filter {text}\n}}\n"));
    let filter = file.ast.items.into_iter().next().and_then(|item| match item.kind {
        ast::ItemKind::Transform(transform) => transform.steps.into_iter().next(),
        _ => None,
    });
    match filter.map(|step| step.kind) {
        Some(ast::StepKind::Filter { predicate, .. }) if file.errors.is_empty() => predicate,
        _ => unreachable!("{text} is an expression of the language"),
    }
}

/// Replaces names.
fn put_in(ast: &mut ast::Expr, named: &dyn Fn(&str) -> Option<ast::ExprKind>) {
    use ast::ExprKind as K;
    match &mut ast.kind {
        K::Name(name) => {
            if let Some(kind) = named(name) {
                ast.kind = kind;
            }
        }
        K::Negate(x) => put_in(x, named),
        K::Binary { left, right, .. } => {
            put_in(left, named);
            put_in(right, named);
        }
        K::Call(call) => call.args.iter_mut().for_each(|arg| put_in(&mut arg.value, named)),
        K::Literal(_) => {}
        _ => unreachable!("formulas of the catalog are arithmetic and functions"),
    }
}
