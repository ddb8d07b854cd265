//! Maps that are expressions: those of the catalog, and functions of the job.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dbjob_plan::{DataType, Expr, ExprKind, FileId, Formula, MAPPED, MapLink, Refinement, Span, Undo, Value};

use super::expr::{Aggregates, Scope, Typed, check_expr};
use super::functions::{Function, Functions};
use super::inverse::{self, Known, Lost};
use super::range::Range;
use super::reach::range_of;
use super::table::{Column, Table};
use crate::catalog::map::{Body, MAPS, Map, Options};
use crate::diagnostic::Diagnostic;
use crate::syntax::ast;

/// An expression over a column, which is called [`MAPPED`] in it.
pub(super) struct Mapping {
    /// Of a column that is not null, if null passes by.
    pub typed: Typed,
    pub formula: Formula,
    pub nullable: bool,
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
    mapping(typed, column, true)
}

/// What a function of the job makes of a column: the column is its first argument, what stands in brackets behind the
/// function's name are the others. Null stays null, unless the function takes nulls. `None`: it does not fit, and that is
/// reported.
pub(super) fn of_function(
    function: &Function,
    op: &ast::Call,
    column: &Column,
    functions: &Functions,
    out: &mut Vec<Diagnostic>,
) -> Option<Mapping> {
    let passes = column.nullable && !function.params.first().is_some_and(|p| p.wanted.nullable);
    let over = Column { nullable: column.nullable && !passes, ..column.clone() };
    let first = ast::Expr { kind: ast::ExprKind::Name(column.name.clone()), span: op.name.span };
    let args = std::iter::once(ast::Arg { name: None, value: first }).chain(op.args.iter().cloned()).collect();
    let call = ast::ExprKind::Call(ast::Call { args, ..op.clone() });
    let mut table = Table::default();
    table.put(over.clone());
    let errors = out.len();
    let mut typed = check_expr(scope(&table, functions), &ast::Expr { kind: call, span: op.span }, out);
    if out.len() > errors || typed.is_unknown() {
        return None;
    }
    typed.expr.rename(&mut |_| Some(MAPPED.into()));
    // What is known of this column may say more than what the function promises of all.
    typed.range = typed.range.and(range_of(&typed.expr, &|_| column.range));
    let mut mapping = mapping(typed, &over, false);
    if passes {
        mapping.formula.forward = unless_null(mapping.formula.forward, column);
        if let Undo::By(back) = mapping.formula.undo {
            mapping.formula.undo =
                Undo::By(unless_null(back, &Column { dtype: mapping.typed.expr.dtype.clone(), ..over }));
        }
        mapping.nullable = true;
    }
    Some(mapping)
}

/// What a column was made of, as maps, when it is replaced by a value of nothing but itself.
pub(super) fn replaced(old: &Column, value: &Typed, id: u32, span: Span) -> Vec<(MapLink, Span)> {
    let mut typed = value.clone();
    typed.expr.rename(&mut |_| Some(MAPPED.into()));
    let Mapping { typed, formula, nullable, .. } = mapping(typed, old, false);
    let link = MapLink {
        id,
        map: "derive".to_owned(),
        options: BTreeMap::new(),
        from: old.dtype.clone(),
        from_nullable: old.nullable,
        to: typed.expr.dtype,
        to_nullable: nullable,
        fitted: false,
        formula: Some(Box::new(formula)),
    };
    let before = if old.maps.is_empty() { &old.replaced } else { &old.maps };
    before.iter().cloned().chain([(link, span)]).collect()
}

/// The expression, and null where the column is null.
fn unless_null(expr: Expr, column: &Column) -> Expr {
    let (dtype, span) = (expr.dtype.clone(), expr.span);
    let of = |kind, dtype: &DataType, nullable| Expr { kind, dtype: dtype.clone(), nullable, span };
    let read = Expr::column(MAPPED, column.dtype.clone(), true, span);
    let condition = Box::new(of(ExprKind::IsNull(Box::new(read)), &DataType::Bool, false));
    let then = Box::new(Expr::literal(Value::Null, dtype.clone(), span));
    of(ExprKind::If { condition, then, otherwise: Box::new(expr) }, &dtype, true)
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
    // A value without a result stops the run, so that null comes from null only.
    let nullable = if strict { column.nullable } else { typed.expr.nullable };
    Mapping { typed, formula, nullable, lost }
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
    let filter = file.ast.items.first().and_then(|item| match &item.kind {
        ast::ItemKind::Transform(transform) => transform.steps.first().cloned(),
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
