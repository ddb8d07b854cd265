//! `map`: the columns of a statement, and one map after the other on each.

use std::collections::BTreeMap;
use std::sync::Arc;

use dbjob_plan::{DataType, MapColumn, MapLink, Op, OutOfFold, Span, SplitKey, Value};

use super::{cardinality, domain};
use crate::catalog::map::{self as maps, Body, Map, MapInput, MapOutput};
use crate::diagnostic::{Code, Diagnostic, meant_name};
use crate::hir::Served;
use crate::hir::expr::unknown_column;
use crate::hir::formula::{self, Mapping};
use crate::hir::options::{self, Given};
use crate::hir::selection::columns_of;
use crate::hir::table::{Column, Table};
use crate::hir::transform::Builder;
use crate::syntax::ast::{Call, MapStep, Selector};

pub(in crate::hir) fn map(step: &MapStep, span: Span, b: &mut Builder<'_, '_>) {
    let mut columns: Vec<String> = Vec::new();
    for selector in &step.columns.items {
        // A misspelt column is not mapped, and that is told.
        if let Selector::Name(name) = selector
            && let Some(meant) = meant_name(&name.name, b.table.names()).filter(|meant| *meant != name.name)
            && b.table.get(&name.name).is_none()
        {
            let meant = meant.to_owned();
            Arc::make_mut(&mut b.table.missing).insert(meant);
        }
        for name in columns_of(selector, &b.table, &mut b.cx.out) {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    let mut ops = step.ops.iter();
    let mut targets: Vec<Target> = Vec::new();
    if step.grouped {
        let (Some(op), false) = (ops.next(), columns.is_empty()) else { return };
        let Some(out) = group_name(step, op, b) else { return };
        if !several(op, columns, &out, span, b) {
            return doubt([out], b);
        }
        targets.push(Target { source: out.clone(), out });
    } else {
        if let Some(op) = step.ops.iter().find(|op| is_several(op)) {
            let diagnostic = unbracketed(op, &columns);
            b.report(diagnostic);
            return doubt(step.name.iter().map(|name| name.pattern.clone()), b);
        }
        targets.extend(columns.into_iter().filter_map(|column| named(step, column, b)));
        for (i, target) in targets.iter().enumerate() {
            if let (Some(name), true) = (&step.name, targets[..i].iter().any(|t| t.out == target.out)) {
                let diagnostic = taken(&target.out, name.span, name.span);
                b.report(diagnostic);
                return;
            }
        }
    }
    for op in ops {
        if targets.is_empty() {
            return;
        }
        link(op, &mut targets, span, b);
    }
}

fn is_several(op: &Call) -> bool {
    maps::find(&op.name.name).is_some_and(|map| matches!(map.body, Body::Several(_)))
}

fn unbracketed(op: &Call, columns: &[String]) -> Diagnostic {
    let name = &op.name.name;
    Diagnostic::error(Code::E0502, op.span, format!("`{name}` makes one column of several"))
        .label("maps several columns to one")
        .help(format!("write `map [{}] with {name}(…) as NAME`", columns.join(", ")))
}

/// A column that is mapped, and the one that comes of it.
struct Target {
    source: String,
    out: String,
}

/// The target of a column: itself, or the new name where that is free.
fn named(step: &MapStep, column: String, b: &mut Builder<'_, '_>) -> Option<Target> {
    let Some(name) = &step.name else { return Some(Target { out: column.clone(), source: column }) };
    let out = name.pattern.replace('*', &column);
    if let Some(first) = b.table.get(&out).map(|c| c.span) {
        let diagnostic = taken(&out, name.span, first);
        b.report(diagnostic);
        return None;
    }
    Some(Target { source: column, out })
}

fn taken(out: &str, span: Span, first: Span) -> Diagnostic {
    super::columns::exists(out, span, first).help("take another name; several columns need a pattern: `as *_log`")
}

/// The name of what several columns become.
fn group_name(step: &MapStep, op: &Call, b: &mut Builder<'_, '_>) -> Option<String> {
    let diagnostic = match &step.name {
        None => Diagnostic::error(Code::E0108, step.columns.span, "what several columns become needs a name")
            .label("several columns")
            .help(format!("write `map [a, b] with {} as NAME`", op.name.name)),
        Some(name) if name.pattern.contains('*') => {
            Diagnostic::error(Code::E0204, name.span, "several columns become one, and a pattern names several")
                .label("a pattern")
                .help("write a name without `*`")
        }
        Some(name) => match b.table.get(&name.pattern).map(|c| c.span) {
            Some(first) => taken(&name.pattern, name.span, first),
            None => return Some(name.pattern.clone()),
        },
    };
    b.report(diagnostic);
    None
}

/// A map of the catalog with its options, or what is wrong with them reported.
fn resolved(map: &Map, op: &Call, b: &mut Builder<'_, '_>) -> Option<BTreeMap<String, Value>> {
    let given: Vec<Given<'_>> = op.args.iter().map(|a| Given { name: a.name.as_ref(), value: &a.value }).collect();
    let values = options::resolve(&format!("`{}`", map.name), op.span, map.options, &given, &mut b.cx.out)?;
    if let Err(why) = (map.valid)(&|name| option(&values, name)) {
        let diagnostic = Diagnostic::error(Code::E0105, op.span, format!("`{}`: {why}", map.name))
            .label("these do not go together")
            .help(format!("as in: `{}`", map.example));
        b.report(diagnostic);
        return None;
    }
    Some(values)
}

fn option(values: &BTreeMap<String, Value>, name: &str) -> Value {
    values.get(name).cloned().unwrap_or(Value::Null)
}

/// What became of these columns is not known: something was reported.
fn doubt(columns: impl IntoIterator<Item = String>, b: &mut Builder<'_, '_>) {
    Arc::make_mut(&mut b.table.missing).extend(columns);
}

/// One map on all target columns: one node of the plan, fitted in one pass.
fn link(op: &Call, targets: &mut Vec<Target>, span: Span, b: &mut Builder<'_, '_>) {
    let name = op.name.name.as_str();
    let columns = match (maps::find(name), b.cx.functions.get(name).map(|f| f.name.span)) {
        (Some(map), None) => of_catalog(map, op, targets, b),
        (None, Some(_)) => of_job(op, targets, b),
        (None, None) => {
            unknown(op, b);
            // A likely name is taken as meant.
            match meant_name(name, maps::MAPS.iter().map(|m| m.name)).and_then(maps::find) {
                Some(map) => of_catalog(map, op, targets, b),
                None => None,
            }
        }
        (Some(_), Some(function)) => {
            let message = format!("`{name}` is a map of the language and a function of the job");
            let diagnostic = Diagnostic::error(Code::E0102, op.name.span, message).label("which of them is not clear");
            b.report(diagnostic.related(function, "the function").help("give the function another name"));
            None
        }
    };
    match columns {
        Some(columns) => push(op, columns, span, b),
        None => doubt(targets.drain(..).map(|t| t.out).collect::<Vec<_>>(), b),
    }
}

/// What becomes of each target; those that it does not fit are dropped.
fn each(
    (op, name): (&Call, &str),
    values: &BTreeMap<String, Value>,
    targets: &mut Vec<Target>,
    b: &mut Builder<'_, '_>,
    mut mapped: impl FnMut(&Column, &mut Builder<'_, '_>) -> Option<Mapped>,
) -> Vec<MapColumn> {
    let (mut columns, mut doubted) = (Vec::new(), Vec::new());
    targets.retain_mut(|Target { source, out }| {
        if source != out {
            super::columns::copied(source, b);
        }
        let column = b.table.get(source).expect("selected from this table").clone();
        if column.dtype == DataType::Unknown {
            return false;
        }
        let Some(mapped) = mapped(&column, b) else {
            doubted.push(out.clone());
            return false;
        };
        b.cx.next_map += 1;
        columns.push(applied((op, name), b.cx.next_map, mapped, values, column, out, &mut b.table));
        // What follows continues on the result.
        source.clone_from(out);
        true
    });
    doubt(doubted, b);
    columns
}

/// `None`: something was reported of the map itself.
fn of_catalog(map: &Map, op: &Call, targets: &mut Vec<Target>, b: &mut Builder<'_, '_>) -> Option<Vec<MapColumn>> {
    if let Body::Several(_) = map.body {
        let diagnostic = unbracketed(op, &targets.iter().map(|t| t.source.clone()).collect::<Vec<_>>());
        b.report(diagnostic);
        return None;
    }
    let values = resolved(map, op, b)?;
    let out_of_fold = out_of_fold(op, &values, b).ok()?;
    let learns_of = out_of_fold.as_ref().and_then(|e| b.table.get(&e.target)).map(|c| Box::new(input(c, None)));
    let option = |name: &str| option(&values, name);
    let mut outside: Vec<Column> = Vec::new();
    let mut columns = each((op, map.name), &values, targets, b, |column, b| {
        let mapped = match map.body {
            Body::Formula { .. } if !column.dtype.is_numeric() => Err(maps::not_a_number(&column.dtype)),
            Body::Formula { text, domain } => {
                if domain.is_some_and(|d| domain::leaves(column, &d)) {
                    outside.push(column.clone());
                }
                Ok(Mapped::by_formula(formula::of_catalog(text, column, &option, op.span)))
            }
            Body::Own(typing) => {
                let mapped = typing(&input(column, learns_of.clone()), &option).map(Mapped::by_engine);
                if map.name == "one_hot" && mapped.is_ok() {
                    cardinality::warn(op, &option("min_count"), column, b);
                }
                mapped
            }
            Body::Several(_) => unreachable!("refused above"),
        };
        mapped.map_err(|why| b.cx.out.push(misfit(op, column, &why))).ok()
    });
    if let Body::Formula { domain: Some(domain), .. } = map.body {
        domain::warn(op, &domain, &outside, &mut b.cx.out);
    }
    for column in &mut columns {
        column.out_of_fold.clone_from(&out_of_fold);
    }
    Some(columns)
}

/// A function of the job, of which the column is the first argument.
fn of_job(op: &Call, targets: &mut Vec<Target>, b: &mut Builder<'_, '_>) -> Option<Vec<MapColumn>> {
    let columns = each((op, &op.name.name), &BTreeMap::new(), targets, b, |column, b| {
        let function = b.cx.functions.get(&op.name.name).expect("found before");
        let mapping = formula::of_function(function, op, column, &b.cx.functions, &mut b.cx.out)?;
        domain::warn_of_gap(op, &mapping.typed.expr, column, &mut b.cx.out);
        Some(Mapped::by_formula(mapping))
    });
    Some(columns)
}

/// Several columns to one.
fn several(op: &Call, columns: Vec<String>, out: &str, span: Span, b: &mut Builder<'_, '_>) -> bool {
    let name = op.name.name.as_str();
    let Some(map) = maps::find(name) else {
        unknown(op, b);
        return false;
    };
    let Body::Several(typing) = map.body else {
        let diagnostic = Diagnostic::error(Code::E0502, op.span, format!("`{name}` maps one column"))
            .label("not several to one")
            .help(format!("write it without the brackets: `map {} with {name}`", columns.join(", ")));
        b.report(diagnostic);
        return false;
    };
    let Some(values) = resolved(map, op, b) else { return false };
    let found: Vec<Column> = columns.iter().filter_map(|name| b.table.get(name).cloned()).collect();
    if found.iter().any(|c| c.dtype == DataType::Unknown) {
        return false;
    }
    let inputs: Vec<MapInput> = found.iter().map(|column| input(column, None)).collect();
    let output = match typing(&inputs, &|name| option(&values, name)) {
        Ok(output) => output,
        Err(why) => {
            let diagnostic = Diagnostic::error(Code::E0502, op.span, format!("`{name}` does not fit: {why}"))
                .label("does not fit")
                .help(format!("as in: `{}`", map.example));
            let tell = |d: Diagnostic, c: &Column| d.related(c.span, format!("`{}` is {}", c.name, c.dtype));
            b.report(found.iter().fold(diagnostic, tell));
            return false;
        }
    };
    let mut first = Column::new(columns[0].clone(), found[0].dtype.clone(), output.nullable, op.span);
    for column in &found {
        first.taint.absorb(&column.taint);
        first.absorb_origin(column);
        first.statistics.absorb(&column.statistics);
        first.unchecked |= column.unchecked;
    }
    b.cx.next_map += 1;
    let mut column =
        applied((op, map.name), b.cx.next_map, Mapped::by_engine(output), &values, first, out, &mut b.table);
    column.more = columns[1..].to_vec();
    push(op, vec![column], span, b);
    true
}

fn input(column: &Column, target: Option<Box<MapInput>>) -> MapInput {
    MapInput { dtype: column.dtype.clone(), nullable: column.nullable, range: column.range, target }
}

/// What a map gives for a column, and as what it is carried out.
struct Mapped {
    output: MapOutput,
    formula: Option<Box<dbjob_plan::Formula>>,
}

impl Mapped {
    fn by_engine(output: MapOutput) -> Self {
        Self { output, formula: None }
    }

    fn by_formula(Mapping { typed, formula, nullable, .. }: Mapping) -> Self {
        let output = MapOutput { dtype: typed.expr.dtype, nullable, fitted: false, range: typed.range };
        Self { output, formula: Some(Box::new(formula)) }
    }
}

/// Puts the mapped column into the table and gives what the plan says of it.
fn applied(
    (op, name): (&Call, &str),
    id: u32,
    mapped: Mapped,
    values: &BTreeMap<String, Value>,
    column: Column,
    out: &str,
    table: &mut Table,
) -> MapColumn {
    let Mapped { output, formula } = mapped;
    let link = MapLink {
        id,
        map: name.to_owned(),
        options: complete(values, &column.dtype),
        from: column.dtype.clone(),
        from_nullable: column.nullable,
        to: output.dtype.clone(),
        to_nullable: output.nullable,
        fitted: output.fitted,
        formula,
    };
    let source = column.name.clone();
    let words = format!("`{name}` makes `{out}` of it");
    let constant = table.is_constant(&column);
    let mut new = Column {
        name: out.to_owned(),
        dtype: output.dtype,
        nullable: output.nullable,
        refinement: None,
        plain: false,
        range: output.range,
        constant,
        pace: None,
        taint: column.taint.through(op.span, &words),
        statistics: column.statistics.through(op.span, &words),
        ..column
    };
    new.changed(|| format!("{name} {:?}", link.options));
    new.maps.push((link.clone(), op.span));
    table.forget_keys_with(out);
    table.put(new);
    MapColumn::new(source, out, link)
}

/// Adds the node of one map, which may not learn from test rows.
fn push(op: &Call, columns: Vec<MapColumn>, span: Span, b: &mut Builder<'_, '_>) {
    if columns.is_empty() {
        return;
    }
    if columns.iter().any(|c| c.link.fitted) && b.table.split.is_none() && !b.table.broken {
        missing_split(op, b);
    }
    b.push(Op::Map { columns }, span, Served::Computed);
}

/// One missing split is one problem: the maps that it is missing for are told together.
fn missing_split(op: &Call, b: &mut Builder<'_, '_>) {
    if let Some(told) = b.table.unsplit {
        let first = b.cx.out.iter_mut().find(|d| d.code == Code::E0402 && d.span == told);
        if let Some(first) = first.filter(|d| d.related.len() < MOST_RELATED) {
            first.related.push((op.span, "so does this".into()));
        }
        return;
    }
    b.table.unsplit = Some(op.span);
    let message = format!("`{}` learns from the rows, test rows among them: no split is above it", op.name.name);
    let diagnostic = Diagnostic::error(Code::E0402, op.span, message)
        .label("learns from all rows")
        .help("put a split above it: `split test 20%`");
    b.report(diagnostic);
}

/// Of many places that a message could point at.
const MOST_RELATED: usize = 8;

fn misfit(op: &Call, column: &Column, why: &str) -> Diagnostic {
    let name = &op.name.name;
    let help = match crate::catalog::map::find(name) {
        Some(map) => format!("as in: `{}`; docs/maps.md says what each map takes", map.example),
        None => format!("make a column that it takes above: `derive x = …`, and map that with {name}"),
    };
    Diagnostic::error(Code::E0502, op.span, format!("`{name}` does not fit `{}`: {why}", column.name))
        .label("does not fit")
        .related(column.span, format!("`{}` is {}", column.name, column.dtype))
        .help(help)
}

fn unknown(op: &Call, b: &mut Builder<'_, '_>) {
    let name = op.name.name.as_str();
    let diagnostic =
        Diagnostic::error(Code::E0205, op.name.span, format!("there is no map `{name}`")).label("unknown map");
    let names: Vec<_> = maps::MAPS.iter().map(|m| m.name).collect();
    let function = crate::catalog::function::find(name).filter(|f| !f.aggregate);
    b.report(match function {
        Some(_) => diagnostic.help(format!("`{name}` is a function: `derive replace x = {name}(x)`")),
        None => {
            diagnostic.help(format!("the maps are {}", names.join(", "))).near(name, maps::MAPS.iter().map(|m| m.name))
        }
    });
}

/// What a target encoder learns from. `Err`: something was reported.
fn out_of_fold(op: &Call, values: &BTreeMap<String, Value>, b: &mut Builder<'_, '_>) -> Result<Option<OutOfFold>, ()> {
    let (Some(Value::Word(target)), Some(Value::Int(folds))) = (values.get("target"), values.get("folds")) else {
        return Ok(None);
    };
    if b.table.get(target).is_none() {
        if !b.table.excuses(target) {
            let span = op.args.first().map_or(op.span, |a| a.value.span);
            b.report(unknown_column(&b.table, target, span));
        }
        return Err(());
    }
    let key = match b.table.split.as_ref().map(|split| (split.hashed_by(), split.span)) {
        Some((None, split)) => {
            let message = format!("`{}` cuts folds by the split's key, and a column of it is gone", op.name.name);
            let diagnostic = Diagnostic::error(Code::E0108, op.span, message)
                .label("needs the split's key")
                .related(split, "split here")
                .help("drop or change the column below this map");
            b.report(diagnostic);
            return Err(());
        }
        Some((Some(by), _)) if !by.is_empty() => SplitKey::by(by),
        _ => super::split::key_of(&[], "key", b).ok_or(())?,
    };
    Ok(Some(OutOfFold { target: target.clone(), key: SplitKey { unique: false, ..key }, folds: *folds as u32 }))
}

/// `impute(0)` of a float column means 0.0.
fn complete(values: &BTreeMap<String, Value>, dtype: &DataType) -> BTreeMap<String, Value> {
    values
        .iter()
        .map(|(name, value)| match (value, dtype) {
            (Value::Int(i), DataType::Float) if name == "value" => (name.clone(), Value::Float(*i as f64)),
            _ => (name.clone(), value.clone()),
        })
        .collect()
}
