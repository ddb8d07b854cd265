//! `dbjob test --create`: a test from live data, with as few rows and columns as tell what the node does.

mod reduce;
mod sample;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dbjob_plan::{FileId, ItemKind, Op, Plan, Rows, RunError};
use serde_json::json;

use super::super::engine::engine;
use super::super::files::{parent, read_source, replace_file};
use super::super::front::{Front, ParamArgs, Purpose, compile, compile_source};
use super::super::{Outcome, Output};
use super::compare::compare;
use super::given::with_given;
use super::text::written;
use super::{Format, run_one, told};
use crate::diagnostic::{Code, Problem, Severity, near_name};
use crate::format::format;
use crate::hir::{ExpectedRows, GivenRows, ItemBody, Job};
use crate::name;
use crate::source::{SourceFile, SourceMap};
use crate::syntax;
use reduce::fewest;
use sample::{Place, Sample, sample, sources, writable};

/// Rows of the node that a test shows, if the data have as many.
const SHOWN: usize = 3;

/// Rows of the node above which other sources only keep it from having fewer than are to be shown.
const MOST_SHOWN: usize = 10;

/// Rows of the leading dataset that are looked at: more where no row of fewer reaches the node.
const LEADING: [u64; 3] = [200, 5_000, 100_000];

/// What the tables of a job are, and where.
struct Cx<'a> {
    job: &'a Job,
    plan: &'a Plan,
    base: PathBuf,
    node: &'a str,
}

pub fn create(node: &str, path: &Path, params: &ParamArgs, as_json: Format, output: &Output) -> Outcome {
    let mut sources = SourceMap::default();
    let front = compile(path, params, Purpose::Run, &mut sources);
    if !output.quiet() || front.problems.iter().any(|p| p.severity == Severity::Error) {
        output.problems(&front.problems, &sources);
    }
    let Front { job: Some(job), plan: Some(plan), .. } = front else { return Outcome::Wrong };
    if let Err(problem) = testable(&job, node) {
        output.problem(problem);
        return Outcome::Wrong;
    }
    let cx = Cx { job: &job, plan: &plan, base: parent(path), node };
    let made = cx.sample().and_then(|sample| cx.minimal(sample));
    let (given, expected) = match made {
        Ok(made) => made,
        Err(problem) => {
            output.problems(&[*problem], &sources);
            return Outcome::Failed;
        }
    };
    let name = free_name(&job, node);
    let text = text(&name, &given, &expected);
    match append(path, &name, &text, params, output) {
        Ok(line) => {
            if as_json == Format::Json {
                let document = json!({ "name": name, "file": path.display().to_string(), "line": line, "text": text });
                output.result(&(serde_json::to_string_pretty(&document).expect("texts are always JSON") + "\n"));
            } else {
                output.result(&text);
                output.note(&format!("the test `{name}` stands in {}:{line}\n", path.display()));
            }
            Outcome::Fine
        }
        Err(problem) => {
            output.problem(*problem);
            Outcome::Failed
        }
    }
}

/// A transform with steps.
fn testable(job: &Job, node: &str) -> Result<(), Problem> {
    let item = job.items.iter().find(|i| i.name == node && !matches!(i.body, ItemBody::Deploy(_)));
    let wrong = |message: String, help: &str| Err(Problem::error(Code::E0107, message).help(help));
    match item.map(|i| &i.body) {
        Some(ItemBody::Table { kind: ItemKind::Transform, steps, .. }) if !steps.is_empty() => Ok(()),
        Some(ItemBody::Table { kind: ItemKind::Transform, .. }) => {
            wrong(format!("the transform `{node}` has no steps to be tested"), "name another transform")
        }
        Some(ItemBody::Table { .. }) => {
            wrong(format!("`{node}` is a dataset, which gives what is in its file"), "name a transform of it")
        }
        Some(_) => {
            wrong(format!("`{node}` is a model; a test is about a table"), "name the transform that it learns from")
        }
        None => {
            let known: Vec<&str> = job
                .items
                .iter()
                .filter(|i| matches!(i.body, ItemBody::Table { kind: ItemKind::Transform, .. }))
                .map(|i| i.name.as_str())
                .collect();
            let problem = Problem::error(Code::E0101, format!("there is no transform `{node}` in this job"));
            Err(match near_name(node, known.iter().copied()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None if known.is_empty() => problem,
                None => problem.help(format!("there is {}", known.join(", "))),
            })
        }
    }
}

type Found<T> = Result<T, Box<Problem>>;

fn failed(error: RunError) -> Box<Problem> {
    Box::new(error.into())
}

impl Cx<'_> {
    /// Rows of all sources of which at least one reaches the node.
    fn sample(&self) -> Found<Sample> {
        let output = self.plan.item(self.node).expect("a transform is an item of the plan").output;
        let sources = sources(self.plan, output).map_err(|model| {
            let message = format!("not supported yet: a test of what the model `{model}` predicts, made from data");
            Box::new(Problem::error(Code::E0901, message).help("write it by hand, with the table before given"))
        })?;
        let mut error = None;
        for leading in LEADING {
            let sample = sample(self.plan, &self.base, output, &sources, leading).map_err(failed)?;
            match self.result(&sample, None) {
                Ok(rows) if !rows.rows.is_empty() => return Ok(sample),
                Ok(_) => error = None,
                Err(failure) => error = Some(failure),
            }
        }
        Err(error.map_or_else(
            || {
                let message = format!("no row of the data reaches `{}`", self.node);
                Box::new(Problem::error(Code::E0108, message).help("write the test by hand"))
            },
            failed,
        ))
    }

    /// What the node gives for the sample; `columns`: only these of a dataset's columns are given.
    fn result(&self, sample: &Sample, columns: Option<&BTreeSet<Place>>) -> Result<Rows, RunError> {
        let given: Option<Vec<GivenRows>> = sample
            .0
            .iter()
            .map(|(dataset, rows)| {
                let key = |column: &str| (dataset.clone(), column.to_owned());
                let given = |column: &str| columns.is_none_or(|columns| columns.contains(&key(column)));
                self.job.given_rows(dataset, rows, |row, column| row.get(column).filter(|_| given(column)).cloned())
            })
            .collect();
        let given = given.ok_or_else(|| RunError::new("E0799", "the rows of a source are not as it declares"))?;
        dbjob_runtime::rows(&engine(), &with_given(self.plan, &given), &self.base, self.node)
    }

    /// The fewest rows that give as many of the node as are shown, the columns of them that matter, and what they give.
    fn minimal(&self, sample: Sample) -> Found<(Given, ExpectedRows)> {
        let wanted = self.result(&sample, None).map_err(failed)?.rows.len().min(SHOWN);
        let sample = RefCell::new(sample);
        let datasets = sample.borrow().0.len();
        // What the rows of others add to the fewest leading ones, where that is little.
        let mut whole: Option<Rows> = None;
        for at in 0..datasets {
            let rows = std::mem::take(&mut sample.borrow_mut().0[at].1);
            let kept = fewest(rows, |rows| {
                sample.borrow_mut().0[at].1 = rows.to_vec();
                let found = self.result(&sample.borrow(), None);
                found.is_ok_and(|found| match &whole {
                    Some(whole) => alike(&found, whole),
                    None => found.rows.len() >= wanted,
                })
            });
            sample.borrow_mut().0[at].1 = kept;
            if at == 0 {
                let found = self.result(&sample.borrow(), None).map_err(failed)?;
                whole = Some(found).filter(|found| found.rows.len() <= MOST_SHOWN);
            }
        }
        let sample = sample.into_inner();
        let expected = self.expected(self.result(&sample, None).map_err(failed)?);
        let output = self.plan.item(self.node).expect("it was looked up").output;
        let keys = sample.keys(self.plan, output);
        let all: Vec<Place> = sample
            .0
            .iter()
            .filter_map(|(dataset, rows)| Some((dataset, rows.first()?)))
            .flat_map(|(dataset, row)| row.keys().map(|column| (dataset.clone(), column.clone())))
            .collect();
        let same = |columns: &[Place]| {
            let columns: BTreeSet<_> = columns.iter().chain(&keys).cloned().collect();
            let found = self.result(&sample, Some(&columns));
            found.is_ok_and(|found| found.rows.len() == expected.rows.len() && compare(&expected, &found).is_none())
        };
        let columns = fewest(all, same).into_iter().chain(keys.iter().cloned()).collect();
        Ok((Given { sample, columns, job: self.job.clone() }, expected))
    }

    /// The columns that the node makes, with the keys by which one finds the rows; all if it makes none.
    fn expected(&self, found: Rows) -> ExpectedRows {
        let item = self.job.item(self.node).expect("it was looked up");
        let ItemBody::Table { steps, table, .. } = &item.body else { unreachable!("it is a transform") };
        let made = |name: &str| {
            table.get(name).is_none_or(|c| {
                c.span.file == item.span.file && item.span.start <= c.span.start && c.span.end <= item.span.end
            })
        };
        let key = |name: &str| table.keys.iter().any(|key| key.contains(name));
        let writes = |at: usize| found.rows.iter().all(|row| writable(&row[at]));
        let all: Vec<usize> = (0..found.columns.len()).filter(|at| writes(*at)).collect();
        let mut shown: Vec<usize> =
            all.iter().copied().filter(|at| made(&found.columns[*at]) || key(&found.columns[*at])).collect();
        if !all.iter().any(|at| made(&found.columns[*at])) {
            shown = all;
        }
        let ordered = steps
            .iter()
            .rev()
            .find(|s| !matches!(s.op, Op::Take { .. }))
            .is_some_and(|s| matches!(s.op, Op::Sort { .. }));
        ExpectedRows {
            node: self.node.to_owned(),
            columns: shown.iter().map(|at| found.columns[*at].clone()).collect(),
            rows: found.rows.iter().map(|row| shown.iter().map(|at| row[*at].clone()).collect()).collect(),
            ordered,
            span: item.span,
        }
    }
}

/// Whether two tables are the same; not a number is like itself.
fn alike(a: &Rows, b: &Rows) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

/// The rows of the sources, and which of their columns are written.
struct Given {
    sample: Sample,
    columns: BTreeSet<Place>,
    job: Job,
}

impl Given {
    /// The written columns of a dataset, in its order.
    fn columns(&self, dataset: &str) -> Vec<String> {
        let written = |column: &str| self.columns.contains(&(dataset.to_owned(), column.to_owned()));
        let tables = self.job.tables();
        tables.get(dataset).map_or_else(Vec::new, |t| t.names().filter(|n| written(n)).map(str::to_owned).collect())
    }
}

/// `NODE_from_data`, with a number if it is taken.
fn free_name(job: &Job, node: &str) -> String {
    let name = format!("{}_from_data", node.replace(|c: char| !c.is_alphanumeric(), "_"));
    let free = |name: &String| !job.tests.iter().any(|test| test.name == *name);
    std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}_{n}"))).find(free).expect("numbers do not end")
}

/// The test as it is formatted.
fn text(name: &str, given: &Given, expected: &ExpectedRows) -> String {
    let rows = |columns: &[String], rows: Vec<Vec<String>>| {
        let row = |cells: Vec<String>| {
            let cells: Vec<String> =
                columns.iter().zip(cells).map(|(c, cell)| format!("{}: {cell}", name::written(c))).collect();
            format!("    {{ {} }}", cells.join(", "))
        };
        let rows: Vec<String> = rows.into_iter().map(row).collect();
        if rows.is_empty() { "[]".to_owned() } else { format!("[\n{}\n  ]", rows.join(",\n")) }
    };
    let mut out = format!("test {} {{\n", name::written(name));
    for (dataset, sample) in &given.sample.0 {
        let columns = given.columns(dataset);
        let cells = sample.iter().map(|row| columns.iter().map(|c| written(&row[c])).collect()).collect();
        out.push_str(&format!("  given {} {}\n", name::written(dataset), rows(&columns, cells)));
    }
    let cells = expected.rows.iter().map(|row| row.iter().map(written).collect()).collect();
    out.push_str(&format!("  expect {} {}\n}}\n", name::written(&expected.node), rows(&expected.columns, cells)));
    let parsed = syntax::parse(FileId::default(), &out);
    format(&parsed).unwrap_or(out)
}

/// Puts the test at the end of the file, if it holds there, and gives its line.
fn append(path: &Path, name: &str, text: &str, params: &ParamArgs, output: &Output) -> Found<usize> {
    let file = read_source(path).map_err(Box::new)?;
    let windows = file.text.contains("\r\n");
    let mut whole = file.text.trim_end().to_owned();
    let end = if windows { "\r\n" } else { "\n" };
    whole.push_str(&format!("{end}{end}{}", text.replace('\n', end)));
    let new = file.with_text(whole);
    let line = holds(&new, name, path, params, output)?;
    let problem = |error: std::io::Error| {
        Box::new(Problem::error(Code::E0713, format!("cannot write `{}`: {error}", path.display())))
    };
    replace_file(path, &new.written()).map_err(problem)?;
    Ok(line)
}

/// Whether the test does what it says once it is read from the file.
fn holds(new: &SourceFile, name: &str, path: &Path, params: &ParamArgs, output: &Output) -> Found<usize> {
    let mut sources = SourceMap::default();
    let front = compile_source(new.clone(), params, Purpose::Run, &mut sources);
    let broken =
        |what: String| Box::new(Problem::error(Code::E0799, format!("the new test {what}; nothing was written")));
    let Front { job: Some(job), plan: Some(plan), .. } = front else {
        output.problems(&front.problems, &sources);
        return Err(broken("is wrong".into()));
    };
    let test = job.tests.iter().find(|test| test.name == name).ok_or_else(|| broken("is not there".into()))?;
    let ran = run_one(test, &plan, path, &sources);
    if !ran.passed() {
        output.error(&told(&ran, &sources, output));
        return Err(broken("does not hold".into()));
    }
    Ok(ran.line)
}
