//! Whole jobs, item by item and step by step; what the checker refuses is left out.

use std::collections::BTreeMap;
use std::path::Path;

use dbjob::Analysis;
use dbjob::catalog::words;
#[cfg(feature = "local")]
use dbjob::diagnostic::Code;
use dbjob::diagnostic::{Diagnostic, Severity};
use dbjob::hir::{Checked, Given, ItemBody, Table};
use dbjob::source::{SourceFile, SourceMap};
use dbjob::syntax::{self, Parsed};
use fastrand::Rng;

use super::expr::{Names, literal};
use super::pool::{self, Pool};
use super::{chance, declare, item, model, name_of, pick, some, step};

/// A job that the checker has nothing against.
#[derive(Debug, Clone)]
pub struct Job {
    pub text: String,
}

/// What the front end makes of a text.
pub struct Front {
    pub parsed: Parsed,
    pub checked: Checked,
    /// Of parser, checker and, if there is one, the engine.
    pub errors: Vec<Diagnostic>,
}

/// Parses and checks a text against the files of the pool.
pub fn front(text: &str, pool: &Pool) -> Front {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new(Path::new("job.dbjob"), text));
    let parsed = syntax::parse(file, text);
    let Analysis { checked, mut diagnostics, .. } = dbjob::analyse(file, &mut sources, &Given::default(), pool);
    diagnostics.retain(|d| d.severity == Severity::Error);
    if diagnostics.is_empty() {
        diagnostics.extend(unsupported(&checked));
    }
    Front { parsed, checked, errors: diagnostics }
}

/// What the engine of this machine cannot do.
#[cfg(feature = "local")]
fn unsupported(checked: &Checked) -> Option<Diagnostic> {
    let plan = dbjob::lower::lower(&checked.clone().sound()?);
    let first = dbjob_plan::Backend::unsupported(&dbjob_local::LocalEngine, &plan).into_iter().next()?;
    Some(Diagnostic::error(Code::E0901, first.span, first.what))
}

#[cfg(not(feature = "local"))]
fn unsupported(_: &Checked) -> Option<Diagnostic> {
    None
}

/// How often statements of a kind were proposed, and why they were refused.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    pub proposed: BTreeMap<String, usize>,
    pub refused: BTreeMap<(String, String), usize>,
}

struct Builder<'p> {
    pool: &'p Pool,
    rng: Rng,
    items: Vec<String>,
    /// Datasets and transforms in the order of the file.
    tables: Vec<(String, Table)>,
    models: Vec<String>,
    names: Names,
    fresh: usize,
    tally: &'p mut Tally,
}

impl Job {
    /// The job of a seed.
    pub fn generate(pool: &Pool, seed: u64, tally: &mut Tally) -> Self {
        let rng = Rng::with_seed(seed);
        let (items, tables, models, names) = (Vec::new(), Vec::new(), Vec::new(), Names::default());
        let mut b = Builder { pool, rng, items, tables, models, names, fresh: 0, tally };
        b.job();
        b.library();
        b.params_and_fns();
        for _ in 0..b.rng.usize(1..=3) {
            b.dataset();
        }
        while b.tables.is_empty() {
            b.dataset();
        }
        for _ in 0..b.rng.usize(1..=3) {
            b.transform();
        }
        if chance(&mut b.rng, 30) {
            b.learn();
        }
        b.deploy();
        Self { text: b.items.concat() }
    }
}

impl Builder<'_> {
    /// The front end's answer if the items with this one are without error.
    fn sound(&mut self, kind: &str, item: &str) -> Option<Front> {
        *self.tally.proposed.entry(kind.to_owned()).or_default() += 1;
        let front = front(&(self.items.concat() + item), self.pool);
        match front.errors.first() {
            None => Some(front),
            Some(error) => {
                let why = format!("{} {}", error.code, error.message);
                *self.tally.refused.entry((kind.to_owned(), why)).or_default() += 1;
                None
            }
        }
    }

    fn try_item(&mut self, kind: &str, item: String) -> bool {
        let sound = self.sound(kind, &item).is_some();
        if sound {
            self.items.push(item);
        }
        sound
    }

    fn try_table(&mut self, kind: &str, name: &str, item: String) -> bool {
        let Some(front) = self.sound(kind, &item) else { return false };
        let table = table_of(&front, name).expect("an item without errors has a table");
        self.items.push(item);
        self.tables.push((name.to_owned(), table));
        true
    }

    fn name(&mut self, begin: &str) -> String {
        self.fresh += 1;
        format!("{begin}{}", self.fresh)
    }

    /// `job`, with a cluster or without.
    fn job(&mut self) {
        let seed = self.rng.u16(..);
        match self.rng.u8(..10) {
            0 => {
                let cluster = "cluster here {\n  engine = local\n  threads = 1\n}\n";
                let job = format!("job generated {{\n  seed = {seed}\n  cluster = here\n}}\n");
                self.try_item("cluster", format!("{cluster}{job}"));
            }
            1..6 => {
                self.try_item("job", format!("job generated {{\n  seed = {seed}\n}}\n"));
            }
            _ => {}
        }
    }

    /// Items of another file.
    fn library(&mut self) {
        if !chance(&mut self.rng, 15) {
            return;
        }
        let fns = pool::library_fns();
        let named = chance(&mut self.rng, 50);
        let uses = match named {
            true => {
                let mut names: Vec<&str> = fns.iter().map(|f| f.name.as_str()).collect();
                names.extend(["library_users", "library_grades"]);
                format!("use {{ {} }} from {:?}\n", names.join(", "), pool::LIBRARY)
            }
            false => format!("use {:?}\n", pool::LIBRARY),
        };
        let Some(front) = self.sound("use", &uses) else { return };
        self.items.push(uses);
        self.names.fns.extend(fns);
        if !named {
            self.names.params.push(("library_limit".into(), super::expr::Kind::Int));
        }
        for name in ["library_users", "library_grades"] {
            self.tables.extend(table_of(&front, name).map(|table| (name.to_owned(), table)));
        }
    }

    fn params_and_fns(&mut self) {
        for _ in 0..self.rng.usize(..2) {
            let name = self.name("param");
            let (kind, text) = item::param(&name, &mut self.rng);
            if self.try_item("param", text) {
                if chance(&mut self.rng, 30) {
                    let other = literal(&mut self.rng, kind);
                    self.try_item("profile", format!("profile p_{name} {{\n  {name} = {other}\n}}\n"));
                }
                self.names.params.push((name, kind));
            }
        }
        for _ in 0..self.rng.usize(..2) {
            let name = self.name("own");
            let (own, text) = item::function(&name, &self.names, &mut self.rng);
            if self.try_item("fn", text) {
                self.names.fns.push(own);
            }
        }
    }

    fn dataset(&mut self) {
        let file = pick(&mut self.rng, &self.pool.files);
        let name = self.name("d");
        let declared = declare::dataset(&name, file, &mut self.rng);
        if !self.try_table("dataset", &name, declared.text(&[])) {
            return;
        }
        // Expectations are about columns, and these are known now.
        let (_, table) = self.tables.last().expect("just pushed").clone();
        if declared.columns.as_ref().is_some_and(|c| c.last().is_none_or(|l| l != "..")) && chance(&mut self.rng, 40) {
            let mut fresh = self.fresh;
            let place = step::Place { table: &table, others: &[], models: &[], names: &self.names, fresh: &mut fresh };
            let rule = step::expect(&place, &mut self.rng);
            let bare = self.items.pop().expect("just pushed");
            let old = self.tables.pop().expect("just pushed");
            if !self.try_table("expect", &name, declared.text(&[rule])) {
                self.items.push(bare);
                self.tables.push(old);
            }
        }
    }

    fn transform(&mut self) {
        if self.tables.is_empty() {
            return;
        }
        let from = pick(&mut self.rng, &self.tables).clone();
        let wanted = self.rng.usize(1..=7);
        let name = self.name("t");
        self.steps(&name, &from, &[], wanted);
    }

    /// A transform of the given steps and so many proposed ones, as far as the checker takes them.
    fn steps(&mut self, name: &str, from: &(String, Table), given: &[String], wanted: usize) {
        let mut lines: Vec<String> = Vec::new();
        let mut table = from.1.clone();
        let text = |lines: &[String]| {
            let lines: Vec<String> = lines.iter().map(|line| format!("  {line}\n")).collect();
            format!("transform {name} from {} {{\n{}}}\n", from.0, lines.concat())
        };
        let verbs: Vec<&str> = words::STEPS.iter().filter(|w| w.built).map(|w| w.name).collect();
        let mut given = given.iter();
        for _ in 0..given.len() + wanted {
            let (verb, line) = match given.next() {
                Some(line) => (line.split(' ').next().unwrap_or_default().to_owned(), line.clone()),
                None => {
                    let verb = match self.rng.u8(..20) {
                        0..5 => "derive",
                        5 | 6 if table.columns.iter().any(|c| !c.maps.is_empty()) => "unmap",
                        7 | 8 if table.split.is_some() => "map",
                        // Of few rows none may be left to learn from.
                        9..13 if table.split.is_none() && lines.is_empty() => "split",
                        _ => pick(&mut self.rng, &verbs),
                    };
                    let mut fresh = self.fresh;
                    let (others, models, names) = (&self.tables, &self.models, &self.names);
                    let mut place = step::Place { table: &table, others, models, names, fresh: &mut fresh };
                    let line = step::propose(verb, &mut place, &mut self.rng);
                    self.fresh = fresh;
                    let Some(line) = line else { continue };
                    (verb.to_owned(), line)
                }
            };
            lines.push(line);
            match self.sound(&verb, &text(&lines)).and_then(|front| table_of(&front, name)) {
                Some(next) => table = next,
                None => {
                    lines.pop();
                }
            }
        }
        if !lines.is_empty() {
            self.items.push(text(&lines));
            self.tables.push((name.to_owned(), table));
        }
    }

    /// A table made ready, a model of it, and rows that it is asked about.
    fn learn(&mut self) {
        if self.tables.is_empty() {
            return;
        }
        // Steps leave few rows.
        let whole: Vec<_> = self.tables.iter().filter(|(name, _)| name.starts_with('d')).cloned().collect();
        let of_whole = chance(&mut self.rng, 70) && !whole.is_empty();
        let from = pick(&mut self.rng, if of_whole { &whole } else { &self.tables }).clone();
        let rows = self.name("rows");
        let preparation = model::preparation(&from.1, &mut self.rng);
        self.steps(&rows, &from, &preparation, 0);
        let Some((name, table)) = self.tables.last().cloned().filter(|(name, _)| *name == rows) else { return };
        for _ in 0..3 {
            let learner = self.name("m");
            let Some(text) = model::model(&learner, &name, &table, &mut self.rng) else { return };
            if !self.try_item("model", text) {
                continue;
            }
            let deploy = format!("deploy {learner} {{\n  to registry(\"models\")\n}}\n");
            if !self.try_item("deploy model", deploy.clone()) {
                self.try_item("deploy model", deploy.replace("}\n", "  accept inputs\n}\n"));
            }
            self.models.push(learner.clone());
            let asked =
                if self.rng.bool() { (name.clone(), table.clone()) } else { pick(&mut self.rng, &self.tables).clone() };
            let guessed = self.name("t");
            let folded = asked.0 == name && preparation.iter().any(|step| step.contains(" folds "));
            let fold = if folded && chance(&mut self.rng, 75) { " out_of_fold" } else { "" };
            self.steps(&guessed, &asked, &[format!("predict {learner}{fold} as p{}", self.fresh)], 2);
            return;
        }
    }

    /// Every transform and some datasets go to files.
    fn deploy(&mut self) {
        let mut deploys: Vec<String> = Vec::new();
        for (name, _) in self.tables.clone() {
            if name.starts_with('d') && chance(&mut self.rng, 70) {
                continue;
            }
            let mut targets = vec![format!("to ndjson(\"out/{name}.ndjson\")"), format!("to csv(\"out/{name}.csv\")")];
            if chance(&mut self.rng, 30) {
                targets.push(format!("to parquet(\"out/{name}.parquet\")"));
            }
            if chance(&mut self.rng, 15) {
                targets.push(format!("to arrow(\"out/{name}.arrow\")"));
            }
            deploys.push(format!("deploy {name} {{\n  {}\n}}\n", targets.join("\n  ")));
        }
        // Hardly ever is one refused, and each check costs the whole job.
        if !self.try_item("deploy", deploys.concat()) {
            for deploy in deploys {
                self.try_item("deploy", deploy);
            }
        }
        if chance(&mut self.rng, 10) {
            let runs: Vec<String> = self.tables.iter().map(|(name, _)| name_of(name)).collect();
            let runs = some(&mut self.rng, &runs, 3).into_iter().cloned().collect::<Vec<_>>();
            self.try_item("module", item::module(&runs));
        }
        if chance(&mut self.rng, 10) {
            // What is wanted of no rows: run by `dbjob test`, not by `dbjob run`.
            let (name, _) = pick(&mut self.rng, &self.tables).clone();
            self.try_item("test", format!("test empty {{\n  given {name} []\n  expect {name} []\n}}\n"));
        }
    }
}

/// The table of an item as the checker knows it.
pub fn table_of(front: &Front, name: &str) -> Option<Table> {
    front.checked.job.items.iter().find_map(|item| match &item.body {
        ItemBody::Table { table, .. } if item.name == name && !table.broken => Some((**table).clone()),
        _ => None,
    })
}
