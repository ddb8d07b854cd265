//! The pages of docs/errors. A page has two halves, the example and its correction; the second begins where a block
//! comes again that was there already. The blocks of a half are its files:
//!
//! - ```` ```dbjob ```` is `job.dbjob`;
//! - any other with a name after its language (```` ```csv people.csv ````) is that file, in Latin-1 if `latin-1` follows;
//! - ```` ```sh ```` are the commands of the half; without it that is `dbjob run job.dbjob`.
//!
//! A half has the files of the example that it does not show itself. The first half raises the code and nothing else,
//! the second nothing. Notes count on pages about notes only.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dbjob::diagnostic::{Code, Diagnostic, Severity, explain};
use dbjob::hir::Given;
use dbjob::source::{SourceFile, SourceMap};
use dbjob::world::{TextFile, World};
use dbjob_plan::{DataType, Field, RunError, Schema, Source};

use super::markdown::{Block, blocks};

/// Codes without an example, each with the reason.
const WITHOUT: &[(Code, &str)] = &[
    (Code::E0731, DATABASES),
    (Code::E0734, DATABASES),
    (Code::E0736, DATABASES),
    (Code::E0740, OBJECTS),
    (Code::E0741, OBJECTS),
    (Code::E0742, OBJECTS),
    (Code::E0743, OBJECTS),
    (Code::E0772, "no job raises it by what is written in it: a test changes what a map has learned"),
    (Code::E0774, "it takes a server: tests/mlflow has one and raises it"),
    (Code::E0799, "no job raises it by what is written in it: it is a bug of the engine"),
];

const OBJECTS: &str = "it takes a server: tests/objects has one and raises it";

const DATABASES: &str = "it takes a server: tests/databases has two and raises it";

/// One half of a page.
pub struct Half {
    /// Each file's name and bytes.
    pub files: BTreeMap<String, Vec<u8>>,
    pub commands: Vec<String>,
}

impl Half {
    pub fn job(&self) -> &str {
        std::str::from_utf8(&self.files["job.dbjob"]).expect("a page is UTF-8")
    }

    fn add(&mut self, block: &Block) {
        if block.language() == "sh" {
            self.commands = block.text.lines().map(str::to_owned).collect();
            return;
        }
        let Some(name) = name(block) else { return };
        let latin = block.info.get(2).is_some_and(|word| word == "latin-1");
        let bytes = match latin {
            true => block.text.chars().map(|c| u8::try_from(u32::from(c)).expect("a character of Latin-1")).collect(),
            false => block.text.clone().into_bytes(),
        };
        self.files.insert(name.to_owned(), bytes);
    }
}

/// The file that a block is.
fn name(block: &Block) -> Option<&str> {
    block.info.get(1).map(String::as_str).or((block.language() == "dbjob").then_some("job.dbjob"))
}

/// The example and its correction.
pub fn halves(code: Code) -> [Half; 2] {
    let blocks = blocks(explain(code));
    let again = |at: &usize| blocks[..*at].iter().any(|b| name(b).is_some() && name(b) == name(&blocks[*at]));
    let second = (0..blocks.len()).find(again).unwrap_or_else(|| panic!("{code} has no correction"));
    let half = |blocks: &[Block]| {
        let mut half = Half { files: BTreeMap::new(), commands: vec!["dbjob run job.dbjob".into()] };
        blocks.iter().for_each(|block| half.add(block));
        half
    };
    let example = half(&blocks[..second]);
    let mut corrected = half(&blocks[second..]);
    for (name, bytes) in &example.files {
        corrected.files.entry(name.clone()).or_insert_with(|| bytes.clone());
    }
    [example, corrected]
}

/// Every code that a page shows by an example.
pub fn shown() -> impl Iterator<Item = Code> {
    Code::ALL.iter().copied().filter(|code| !WITHOUT.iter().any(|(without, _)| without == code))
}

/// The files of a half. Of a CSV file the header counts: a column is a string here.
struct Headers<'a>(&'a Half);

impl Headers<'_> {
    fn file(&self, path: &str) -> Result<&[u8], RunError> {
        let missing = || RunError::new("E0701", format!("there is no file `{path}`"));
        self.0.files.get(path).map(Vec::as_slice).ok_or_else(missing)
    }
}

impl World for Headers<'_> {
    fn schema(&self, source: &Source) -> Result<Option<Schema>, RunError> {
        let bytes = self.file(&source.path)?;
        let header = String::from_utf8_lossy(bytes);
        let names = header.lines().next().unwrap_or("").split(',').filter(|name| !name.is_empty());
        Ok(Some(Schema::new(names.map(|name| Field::new(name, DataType::String, true)).collect())))
    }

    fn text(&self, path: &str) -> Result<TextFile, RunError> {
        Ok(TextFile { path: path.into(), text: String::from_utf8_lossy(self.file(path)?).into_owned() })
    }
}

fn problems(code: Code, half: &Half) -> Vec<Diagnostic> {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("job.dbjob", half.job()));
    let all = dbjob::analyse(file, &mut sources, &Given::default(), &Headers(half)).diagnostics.into_iter();
    all.filter(|d| d.severity > Severity::Note || code.severity() == Severity::Note).collect()
}

#[test]
fn every_page_has_its_title_and_a_text_and_a_line_in_the_summary() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SUMMARY.md");
    let summary = fs::read_to_string(&path).expect("a summary");
    let (before, _) = summary.split_once("](codes.md)\n").expect("the codes are the last chapter");
    let lines: String = Code::ALL.iter().map(|c| format!("  - [{c}: {}](errors/{c}.md)\n", c.title())).collect();
    let wanted = format!("{before}](codes.md)\n{lines}");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &wanted).expect("a writable summary");
    } else {
        assert_eq!(summary, wanted, "BLESS=1 writes it");
    }
    for code in Code::ALL {
        let page = explain(*code);
        let mut lines = page.lines();
        assert_eq!(lines.next(), Some(&*format!("# {code}: {}", code.title())));
        let text: Vec<&str> = lines.take_while(|l| !l.starts_with("```")).collect();
        assert!(text.join(" ").len() > 80, "{code} explains nothing");
    }
}

#[test]
fn examples_raise_their_code_and_corrections_nothing() {
    let mut wrong = String::new();
    for code in shown() {
        let [example, corrected] = halves(code);
        let found = problems(code, &example);
        // What only the run shows is sound before it; tests/run/pages.rs runs it.
        let right = match is_of_a_run(code) {
            true => found.is_empty(),
            false => !found.is_empty() && found.iter().all(|d| d.code == code),
        };
        if !right {
            wrong.push_str(&format!("{code}: the example raises {found:#?}\n"));
        }
        let found = problems(code, &corrected);
        if !found.is_empty() {
            wrong.push_str(&format!("{code}: the correction raises {found:#?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_code_without_an_example_says_why() {
    for (code, reason) in WITHOUT {
        assert!(blocks(explain(*code)).is_empty() && explain(*code).contains("no example"), "{code}: {reason}");
    }
}

/// What data show, or an engine refuses.
pub fn is_of_a_run(code: Code) -> bool {
    (Code::E0701..=Code::E0799).contains(&code) || code == Code::E0901
}
