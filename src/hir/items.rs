//! Binds the names of items, orders items so that each stands behind those it reads, and checks them in that order.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use dbjob_plan::{FileId, Span};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::check::{Context, Declared};
use super::memory::Memory;
use super::table::Table;
use super::{dataset, deploy, model, transform};
use crate::catalog::{metric, words};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::Space;
use crate::syntax::ast::{self, Ident, ItemKind, SourceExpr, StepKind};

pub(super) fn check_all(file: &ast::File, memory: &mut Memory, cx: &mut Context<'_>) {
    declare(file, cx);
    memory.begin(file, cx);
    let accepting = model::accepting(file);
    for index in order(file, cx) {
        let item = &file.items[index];
        let name = readable(&item.kind).map(|(name, _)| name);
        // Of two with one name the first counts.
        if name.is_some_and(|name| cx.names.get(&name.name).is_some_and(|d| d.span != name.span)) {
            continue;
        }
        let name = name.map(|name| name.name.as_str());
        // Deployments look at each other and at all datasets.
        let remembered = name.is_some();
        let accepts = name.is_some_and(|name| accepting.contains(name));
        if remembered && memory.recall(item, name, accepts, index, cx) {
            continue;
        }
        let mark = memory.mark(cx);
        let doc = (!item.doc.is_empty()).then(|| item.doc.join("\n"));
        match &item.kind {
            ItemKind::Dataset(dataset) => {
                let column = |name: &str| dataset.columns.iter().any(|c| c.name.name == name);
                let dataset = cx.bind(dataset, ast::Dataset::parts, &column);
                dataset::check(&dataset, doc, item.span, index, cx);
            }
            ItemKind::Transform(transform) => {
                transform::check(transform, doc, item.span, index, cx);
            }
            ItemKind::Model(model) => {
                // Metrics stand where a requirement names columns.
                let model = cx.bind(model, ast::Model::parts, &metric::is_word);
                model::check(&model, doc, item.span, index, accepts, cx);
            }
            ItemKind::Deploy(deploy) => {
                let deploy = cx.bind(deploy, ast::Deploy::parts, &|_| false);
                deploy::check(&deploy, doc, item.span, index, cx);
            }
            _ => {}
        }
        if remembered {
            let reads = reads(&item.kind).into_iter().map(|name| name.name.clone()).collect();
            memory.keep(item, name, reads, accepts, &mark, cx);
        }
    }
    for item in &file.items {
        if let ItemKind::Dataset(ast::Dataset { name, .. }) | ItemKind::Transform(ast::Transform { name, .. }) =
            &item.kind
        {
            meets_params(&name.name, item.span.file, cx);
        }
    }
}

/// Reports params that have the name of a column of a table, each once.
fn meets_params(table: &str, file: FileId, cx: &mut Context<'_>) {
    let Some(table) = cx.tables.get(table) else { return };
    let meeting = cx.program.names(file, Space::Param).filter_map(|name| Some((name, table.get(name)?.span)));
    for (name, column) in meeting {
        let Some(param) = cx.program.find(file, Space::Param, name) else { continue };
        let ItemKind::Param { name, .. } = &cx.program.ast.items[param].kind else { continue };
        if cx.out.iter().any(|d| d.code == Code::E0112 && d.span == name.span) {
            continue;
        }
        let message = format!("the param `{}` has the name of a column", name.name);
        let diagnostic = Diagnostic::error(Code::E0112, name.span, message)
            .label("may mean both")
            .related(column, "the column")
            .help("give the param another name");
        cx.out.push(diagnostic);
    }
}

/// The name and kind of an item that others may read.
fn readable(kind: &ItemKind) -> Option<(&Ident, &'static str)> {
    match kind {
        ItemKind::Dataset(d) => Some((&d.name, "dataset")),
        ItemKind::Transform(t) => Some((&t.name, "transform")),
        ItemKind::Model(m) => Some((&m.name, "model")),
        _ => None,
    }
}

fn declare(file: &ast::File, cx: &mut Context<'_>) {
    let mut deployments: HashMap<&str, Span> = HashMap::new();
    let mut others = Others::default();
    for item in &file.items {
        if let Some((name, kind)) = readable(&item.kind) {
            if let Some(first) = cx.names.get(&name.name) {
                let message = format!("`{}` is declared twice", name.name);
                let diagnostic = Diagnostic::error(Code::E0102, name.span, message)
                    .again()
                    .related(first.span, format!("first here, a {}", first.kind))
                    .help("give one of them another name");
                cx.out.push(diagnostic);
            } else {
                cx.names.insert(name.name.clone(), Declared { kind, span: name.span });
            }
        }
        match &item.kind {
            ItemKind::Deploy(deploy) => {
                let name = deploy.name.as_ref().unwrap_or(&deploy.from);
                if let Some(first) = deployments.get(name.name.as_str()) {
                    let message = format!("there are two deployments `{}`", name.name);
                    let diagnostic = Diagnostic::error(Code::E0102, name.span, message)
                        .again()
                        .related(*first, "first here")
                        .help("write `deploy NAME from NODE { … }` with another name");
                    cx.out.push(diagnostic);
                }
                deployments.entry(&name.name).or_insert(name.span);
            }
            ItemKind::Unknown { keyword } => {
                let message = format!("`{}` is no item", keyword.name);
                let diagnostic = Diagnostic::error(Code::E0103, keyword.span, message).label("unknown item");
                let names: Vec<_> = words::ITEMS.iter().filter(|w| w.built).map(|w| w.name).collect();
                cx.out.push(
                    diagnostic
                        .help(format!("the items are {}", names.join(", ")))
                        .near(&keyword.name, words::ITEMS.iter().map(|w| w.name)),
                );
            }
            ItemKind::Param { name, .. } => others.declare("param", name, &mut cx.out),
            ItemKind::Profile { name, .. } => others.declare("profile", name, &mut cx.out),
            ItemKind::Cluster { name, .. } => others.declare("cluster", name, &mut cx.out),
            ItemKind::Fn { name, .. } => others.declare("function", name, &mut cx.out),
            ItemKind::Test { name, .. } => others.declare("test", name, &mut cx.out),
            _ => {}
        }
    }
}

/// Items that no table reads, by kind and name.
#[derive(Default)]
struct Others(BTreeMap<(&'static str, String), Span>);

impl Others {
    fn declare(&mut self, kind: &'static str, name: &Ident, out: &mut Vec<Diagnostic>) {
        match self.0.entry((kind, name.name.clone())) {
            Entry::Vacant(entry) => {
                entry.insert(name.span);
            }
            Entry::Occupied(first) => {
                let message = format!("there are two {kind}s `{}`", name.name);
                let diagnostic = Diagnostic::error(Code::E0102, name.span, message)
                    .again()
                    .related(*first.get(), "first here")
                    .help("give one of them another name");
                out.push(diagnostic);
            }
        }
    }
}

/// The one way to say that something of the language is not built.
pub(super) fn not_yet(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0901, span, format!("not supported yet: {what}"))
        .label("not built yet")
        .help("this version knows the word and does not run it: leave it out for now")
}

/// The names that an item reads.
fn reads(kind: &ItemKind) -> Vec<&Ident> {
    match kind {
        ItemKind::Transform(t) => {
            let mut names = vec![&t.input];
            for step in &t.steps {
                match &step.kind {
                    StepKind::Join(join) => names.push(&join.right),
                    StepKind::Union(others) => names.extend(others),
                    StepKind::Predict { model, .. } => names.push(model),
                    _ => {}
                }
            }
            names
        }
        ItemKind::Model(m) => match &m.from {
            SourceExpr::Name(name) => vec![name],
            _ => vec![],
        },
        ItemKind::Deploy(d) => vec![&d.from],
        _ => vec![],
    }
}

/// Indexes of items, each behind those that it reads; items of a circle and what depends on them are reported or left
/// broken.
fn order(file: &ast::File, cx: &mut Context<'_>) -> Vec<usize> {
    let mut graph: DiGraph<usize, Span> = DiGraph::new();
    let nodes: Vec<NodeIndex> = (0..file.items.len()).map(|i| graph.add_node(i)).collect();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (index, item) in file.items.iter().enumerate() {
        if let Some((name, _)) = readable(&item.kind) {
            places.entry(&name.name).or_insert(index);
        }
    }
    let find = |name: &str| places.get(name).copied();
    for (index, item) in file.items.iter().enumerate() {
        for name in reads(&item.kind) {
            if let Some(source) = find(&name.name) {
                graph.add_edge(nodes[source], nodes[index], name.span);
            }
        }
    }
    let mut in_circle: BTreeSet<usize> = BTreeSet::new();
    let mut indexes = Vec::new();
    // Components come with what reads them first.
    for component in tarjan_scc(&graph).into_iter().rev() {
        let alone = component.len() == 1 && !graph.contains_edge(component[0], component[0]);
        if alone {
            indexes.push(graph[component[0]]);
            continue;
        }
        let mut members: Vec<usize> = component.iter().map(|n| graph[*n]).collect();
        members.sort_unstable();
        let names: Vec<&str> =
            members.iter().filter_map(|i| readable(&file.items[*i].kind).map(|(n, _)| n.name.as_str())).collect();
        let mut spans = component
            .iter()
            .flat_map(|from| {
                let component = &component;
                graph
                    .edges(*from)
                    .filter(move |e| component.contains(&petgraph::visit::EdgeRef::target(e)))
                    .map(|e| (graph[petgraph::visit::EdgeRef::target(&e)], *e.weight()))
            })
            .collect::<Vec<_>>();
        spans.sort_by_key(|(reader, span)| (*reader, span.start));
        let spans: Vec<Span> = spans.into_iter().map(|(_, span)| span).collect();
        let mut circle = names.clone();
        circle.extend(names.first());
        let mut diagnostic = Diagnostic::error(
            Code::E0106,
            spans[0],
            format!("items read each other in a circle: {}", circle.join(", ")),
        )
        .label("read here")
        .help("one of them must read something else");
        for span in &spans[1..] {
            diagnostic = diagnostic.related(*span, "and here");
        }
        cx.out.push(diagnostic);
        for member in members {
            in_circle.insert(member);
            if let Some((name, kind)) = readable(&file.items[member].kind) {
                if kind == "model" {
                    cx.models.insert(name.name.clone(), None);
                } else {
                    cx.tables.insert(name.name.clone(), Table::broken());
                }
            }
        }
    }
    indexes
}

/// The table of that name for something that reads it; reports a name that is unknown or no table.
pub(super) fn table_named(cx: &mut Context<'_>, name: &Ident) -> Table {
    if let Some(table) = cx.tables.get(&name.name) {
        return table.clone();
    }
    let diagnostic = match cx.names.get(&name.name) {
        Some(declared) if declared.kind == "model" => {
            Diagnostic::error(Code::E0107, name.span, format!("`{}` is a model, and a table is wanted here", name.name))
                .label("a model")
                .related(declared.span, "declared here")
                .help(format!("a transform gives its predictions: `predict {} as p`", name.name))
        }
        // A duplicate name whose first declaration is being checked, or one that was reported already.
        Some(_) => return Table::broken(),
        None if cx.excuses(&name.name) => return Table::broken(),
        None => {
            let tables = cx.names.iter().filter(|(_, d)| d.kind != "model").map(|(n, _)| n.as_str());
            unknown_item(name, "dataset or transform", tables)
        }
    };
    cx.out.push(diagnostic);
    Table::broken()
}

/// Names that a help line tells at most.
const MOST_NAMED: usize = 12;

pub(super) fn unknown_item<'n>(name: &Ident, kinds: &str, known: impl Iterator<Item = &'n str>) -> Diagnostic {
    let known: Vec<&str> = known.collect();
    let diagnostic =
        Diagnostic::error(Code::E0101, name.span, format!("there is no {kinds} `{}`", name.name)).label("unknown name");
    let diagnostic = match known.len() {
        0 => return diagnostic.help("this file has none"),
        1..=MOST_NAMED => diagnostic.help(format!("this file has {}", known.join(", "))),
        n => diagnostic.help(format!("this file has {n} of them, none of that name")),
    };
    diagnostic.near(&name.name, known.iter().copied())
}
