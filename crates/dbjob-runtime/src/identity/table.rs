//! The identities of tables, step by step.

use std::collections::BTreeMap;

use dbjob_plan::{
    Extern, Field, Format, Join, JoinKind, Key, MapColumn, MapLink, Node, Op, PART, Plan, Schema, Source, Split,
    SplitFolds, SplitParts, TableIdentity, Target, Value,
};

use super::digest::{Columns, Digest, expr, sort_keys, split_key};

/// `content`: of the files, in order; of rows in the job nothing more is needed.
pub(super) fn read(source: &Source, schema: &Schema, content: Key, engine: &str) -> TableIdentity {
    // Where the rows are and what columns are called says nothing about them.
    let format = match &source.format {
        Format::Inline { rows } => Digest::new("inline").json(rows),
        Format::Database(_) => Digest::new("database"),
        files => Digest::new("files").json(files),
    };
    let rows = Digest::new("read").text(engine).key(&format.end()).key(&content).end();
    let headerless = matches!(&source.format, Format::Csv(csv) if !csv.header);
    let by_position = headerless || matches!(source.format, Format::Inline { .. });
    let columns = schema.fields.iter().enumerate().map(|(position, field)| {
        let header = source.columns.iter().find(|c| c.name == field.name).map_or(&field.name, |c| &c.header);
        let digest = Digest::new("column").json(&unnamed(field));
        let digest = if by_position { digest.json(&position) } else { digest.text(header) };
        (field.name.clone(), digest.end())
    });
    TableIdentity { rows, columns: columns.collect() }
}

fn unnamed(field: &Field) -> (&dbjob_plan::DataType, bool, &Option<dbjob_plan::Refinement>) {
    (&field.dtype, field.nullable, &field.refinement)
}

/// What is written of a table: names matter here.
pub(super) fn output(target: &Target, table: &TableIdentity, schema: &Schema) -> Key {
    let mut digest = Digest::new("output").json(target).key(&table.rows);
    for field in schema.visible() {
        digest = digest.text(&field.name).json(&field.dtype).key(&column(table, &field.name));
    }
    if !schema.open.is_empty() {
        digest = digest.json(&schema.open).key(&column(table, TableIdentity::OPEN));
    }
    digest.end()
}

pub(super) fn column(table: &TableIdentity, name: &str) -> Key {
    table.columns.get(name).copied().unwrap_or_else(|| Digest::new("unknown column").text(name).end())
}

/// A step over tables. `above`: the schema of its first input; `content`: of the files that a process is made of.
pub(super) fn step(
    plan: &Plan,
    node: &Node,
    (above, content): (Option<&Schema>, Option<Key>),
    mut tables: Vec<TableIdentity>,
    maps: &mut BTreeMap<u32, Key>,
) -> Option<TableIdentity> {
    if tables.is_empty() {
        return None;
    }
    let mut table = tables.remove(0);
    let (rows, input) = (table.rows, table.clone());
    let of = |name: &str| column(&input, name);
    let columns: Columns<'_> = &of;
    let all = |names: &[String]| names.iter().map(|n| of(n)).collect::<Vec<Key>>();
    match &node.op {
        Op::Filter { predicate } => {
            table.rows = Digest::new("filter").key(&rows).key(&expr(predicate, columns)).end();
        }
        Op::Derive { columns: derived } => {
            for new in derived {
                let key = match &new.expr.kind {
                    dbjob_plan::ExprKind::Column(name) => column(&table, name),
                    _ => expr(&new.expr, &|name| column(&table, name)),
                };
                table.columns.insert(new.name.clone(), key);
            }
        }
        Op::Project { columns: kept } => {
            let mut columns: BTreeMap<String, Key> = kept.iter().map(|p| (p.to.clone(), of(&p.from))).collect();
            columns.extend(table.columns.remove_entry(TableIdentity::OPEN));
            table.columns = columns;
        }
        Op::Join(join) => table = joined(join, table, tables.first()?, &node.schema),
        Op::Group { keys, aggregates } => {
            let by: Vec<Key> = keys.iter().map(|k| expr(&k.expr, columns)).collect();
            let rows = Digest::new("group").key(&rows).keys(&by).end();
            let groups = keys.iter().zip(&by).map(|(k, key)| (k.name.clone(), after("group key", &rows, key)));
            let rest = aggregates.iter().map(|a| (a.name.clone(), after("aggregate", &rows, &expr(&a.expr, columns))));
            table = TableIdentity { rows, columns: groups.chain(rest).collect() };
        }
        Op::Window(window) => {
            let by: Vec<Key> = window.by.iter().map(|e| expr(e, columns)).collect();
            let frame = Digest::new("window").key(&rows).keys(&by).keys(&sort_keys(&window.order, columns)).end();
            for new in &window.columns {
                table.columns.insert(new.name.clone(), after("over", &frame, &expr(&new.expr, columns)));
            }
        }
        Op::Sort { keys } => table.rows = Digest::new("sort").key(&rows).keys(&sort_keys(keys, columns)).end(),
        Op::Distinct { by, keep, order } => {
            let mut by = all(by);
            if by.is_empty() {
                by = node.schema.visible().map(|f| of(&f.name)).collect();
                by.sort_unstable();
            }
            let order = sort_keys(order, columns);
            table.rows = Digest::new("distinct").key(&rows).keys(&by).json(keep).keys(&order).end();
        }
        Op::Take { count } => table.rows = Digest::new("take").key(&rows).json(count).end(),
        Op::Pivot(pivot) => {
            let by = all(&pivot.keys);
            let rows = Digest::new("pivot").key(&rows).keys(&by).key(&of(&pivot.column)).end();
            let mut columns = BTreeMap::new();
            for (name, key) in pivot.keys.iter().zip(&by) {
                columns.insert(name.clone(), after("group key", &rows, key));
            }
            for aggregate in &pivot.aggregates {
                let what = after("aggregate", &rows, &expr(&aggregate.expr, &of));
                for value in &pivot.values {
                    let key = Digest::new("pivot").key(&what).json(&value.value).end();
                    columns.insert(format!("{}_{}", aggregate.name, value.name), key);
                }
            }
            table = TableIdentity { rows, columns };
        }
        Op::Unpivot(unpivot) => {
            let digest = Digest::new("unpivot").key(&rows).keys(&all(&unpivot.columns)).json(&unpivot.columns);
            let value_type = node.schema.get(&unpivot.value).map(|f| &f.dtype);
            let rows = digest.json(&value_type).end();
            let mut columns: BTreeMap<String, Key> = unpivot.keep.iter().map(|n| (n.clone(), of(n))).collect();
            columns.insert(unpivot.name.clone(), Digest::new("unpivot name").key(&rows).end());
            columns.insert(unpivot.value.clone(), Digest::new("unpivot value").key(&rows).end());
            table = TableIdentity { rows, columns };
        }
        Op::Explode { columns: lists } => {
            table.rows = Digest::new("explode").key(&rows).keys(&all(lists)).end();
            for name in lists {
                table.columns.insert(name.clone(), after("item", &table.rows, &of(name)));
            }
        }
        Op::Extern(process) => {
            let what = external(plan, process, (&rows, content), above?, columns);
            for name in &process.returns {
                let dtype = node.schema.get(name).map(|f| (f.dtype.clone(), f.nullable));
                let key = Digest::new("returned").key(&what).text(name).json(&dtype).end();
                table.columns.insert(name.clone(), key);
            }
        }
        Op::Union => {
            tables.insert(0, table);
            let rows = Digest::new("union").keys(tables.iter().map(|t| &t.rows)).end();
            let columns = node.schema.fields.iter().map(|f| {
                let parts: Vec<Key> = tables.iter().map(|t| column(t, &f.name)).collect();
                (f.name.clone(), Digest::new("union").key(&rows).json(&f.dtype).keys(&parts).end())
            });
            table = TableIdentity { rows, columns: columns.collect() };
        }
        Op::Split(split) => {
            let cut = cut(split, plan.seed, columns);
            table.rows = Digest::new("split").key(&rows).key(&cut).end();
            for field in node.schema.fields.iter().filter(|f| f.hidden) {
                let key = Digest::new("part").key(&table.rows).text(&field.name).end();
                table.columns.insert(field.name.clone(), key);
            }
        }
        Op::Sample(sample) => {
            let digest = Digest::new("sample").key(&rows).json(&(sample.share, sample.number, sample.on_train));
            let part = sample.on_train.then(|| of(PART));
            table.rows = digest.json(&plan.seed).key(&split_key(&sample.key, columns)).keys(&part).end();
        }
        Op::Map { columns: mapped } => {
            for new in mapped {
                let key = map(new, &rows, plan.seed, columns);
                maps.insert(new.link.id, key);
                let from: Vec<Key> = std::iter::once(&new.column).chain(&new.more).map(|n| of(n)).collect();
                table.columns.insert(new.out.clone(), Digest::new("mapped").key(&key).keys(&from).end());
            }
        }
        Op::Unmap { columns: unmapped } => {
            for column in unmapped {
                let key = Digest::new("unmapped").key(&of(&column.column)).keys(&links(&column.links, maps)).end();
                table.columns.insert(column.column.clone(), key);
            }
        }
        Op::Expect(rule) => {
            let digest = Digest::new("expect").key(&rows).keys(&all(&rule.unique)).json(&rule.action);
            table.rows = digest.key(&expr(&rule.predicate, columns)).json(&rule.quarantine).end();
        }
        Op::Read(_) | Op::Request | Op::Snapshot { .. } | Op::Predict { .. } | Op::Fit(_) | Op::Deploy(_) => {
            return None;
        }
    }
    Some(table)
}

/// A column of rows that are made of others.
fn after(what: &str, rows: &Key, column: &Key) -> Key {
    Digest::new(what).key(rows).key(column).end()
}

fn joined(join: &Join, left: TableIdentity, right: &TableIdentity, schema: &Schema) -> TableIdentity {
    let on: Vec<Key> = join.on.iter().flat_map(|(l, r)| [column(&left, l), column(right, r)]).collect();
    let mut digest = Digest::new("join").key(&left.rows).key(&right.rows).json(&join.kind).keys(&on);
    digest = digest.json(&(join.verify_unique_right, join.verify_unique_left, join.lookup));
    if let Some(asof) = &join.asof {
        let times = [column(&left, &asof.left), column(right, &asof.right)];
        digest = digest.keys(&times).json(&(asof.strict, asof.within));
    }
    let rows = digest.end();
    let mut columns = BTreeMap::new();
    for (name, key) in left.columns {
        let key = if join.kind == JoinKind::Full { after("full", &rows, &key) } else { key };
        columns.insert(name, key);
    }
    for coming in &join.right_columns {
        columns.insert(coming.to.clone(), after("right", &rows, &column(right, &coming.from)));
    }
    if !schema.open.is_empty()
        && let Some(open) = right.columns.get(TableIdentity::OPEN)
    {
        columns.insert(TableIdentity::OPEN.into(), after("right", &rows, open));
    }
    TableIdentity { rows, columns }
}

/// `content`: of the files that the command names.
fn external(
    plan: &Plan,
    process: &Extern,
    (rows, content): (&Key, Option<Key>),
    above: &Schema,
    columns: Columns<'_>,
) -> Key {
    let mut digest = Digest::new("extern").key(rows).text(&process.command).keys(&content);
    digest = digest.json(&plan.environment.as_ref().map(|said| &said.value));
    for field in above.visible() {
        digest = digest.text(&field.name).key(&columns(&field.name));
    }
    digest.end()
}

fn cut(split: &Split, seed: i64, columns: Columns<'_>) -> Key {
    let mut digest = Digest::new("cut").json(&seed);
    digest = match &split.parts {
        SplitParts::Hash { key, shares } => digest.text("hash").key(&split_key(key, columns)).json(shares),
        SplitParts::Stratified { key, column, shares } => {
            digest.text("stratified").key(&split_key(key, columns)).key(&columns(column)).json(shares)
        }
        SplitParts::Bounded { time, valid_from, test_from, gap } => {
            digest.text("bounded").key(&columns(time)).json(&(valid_from, test_from, gap))
        }
        SplitParts::Ordered { time, shares, gap } => digest.text("ordered").key(&columns(time)).json(shares).json(gap),
        SplitParts::Given { column } => digest.text("given").key(&columns(column)),
    };
    digest = match &split.folds {
        None => digest,
        Some(SplitFolds::Hash { key, count }) => digest.text("folds").key(&split_key(key, columns)).json(count),
        Some(SplitFolds::Stratified { key, column, count }) => {
            digest.text("stratified folds").key(&split_key(key, columns)).key(&columns(column)).json(count)
        }
        Some(SplitFolds::Rolling { time, count, gap }) => {
            digest.text("rolling folds").key(&columns(time)).json(&(count, gap))
        }
    };
    digest.end()
}

/// What a map is; of a fitted one, what it learns.
fn map(new: &MapColumn, rows: &Key, seed: i64, columns: Columns<'_>) -> Key {
    let link = stateless(&new.link);
    if !new.link.fitted {
        return link;
    }
    let from: Vec<Key> = std::iter::once(&new.column).chain(&new.more).map(|name| columns(name)).collect();
    let mut digest = Digest::new("learned map").key(&link).key(rows).keys(&from).key(&columns(PART)).json(&seed);
    if let Some(encoded) = &new.out_of_fold {
        digest = digest.key(&columns(&encoded.target)).key(&split_key(&encoded.key, columns)).json(&encoded.folds);
    }
    digest.end()
}

fn stateless(link: &MapLink) -> Key {
    let options: &BTreeMap<String, Value> = &link.options;
    Digest::new("map")
        .text(&link.map)
        .json(options)
        .json(&(&link.from, link.from_nullable, &link.to, link.to_nullable))
        .json(&link.formula)
        .end()
}

/// Links that are undone.
pub(super) fn links(links: &[MapLink], maps: &BTreeMap<u32, Key>) -> Vec<Key> {
    links.iter().map(|link| maps.get(&link.id).copied().unwrap_or_else(|| stateless(link))).collect()
}
