//! The pages of docs/errors: each example raises its code and nothing else, each correction raises nothing.

use dbjob::diagnostic::{Code, Diagnostic, Severity, explain};
use dbjob::hir::Given;
use dbjob::source::{SourceFile, SourceMap};
use dbjob::world::{TextFile, World};
use dbjob_plan::{DataType, Field, RunError, Schema, Source};

/// The files that pages speak of; others cannot be looked into.
struct Files;

impl World for Files {
    fn schema(&self, source: &Source) -> Result<Option<Schema>, RunError> {
        let field = |name: &str| Field::new(name, DataType::String, true);
        let known = source.path == "people.csv";
        Ok(known.then(|| Schema::new(vec![field("id"), field("years"), field("city")])))
    }

    fn text(&self, path: &str) -> Result<TextFile, RunError> {
        let text = match path {
            "tables.dbjob" => "dataset people from csv(\"people.csv\") {\n  id: int key\n  age: int?\n}\n",
            "loop.dbjob" => "use \"page.dbjob\"\n",
            _ => return Err(RunError::new("E0701", format!("there is no file `{path}`"))),
        };
        Ok(TextFile { path: path.into(), text: text.into() })
    }
}

/// Errors and warnings, and notes of a page about notes.
fn problems(code: Code, text: &str) -> Vec<Diagnostic> {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("page.dbjob", text));
    let all = dbjob::analyse(file, &mut sources, &Given::default(), &Files).diagnostics.into_iter();
    all.filter(|d| d.severity > Severity::Note || code.severity() == Severity::Note).collect()
}

/// The blocks of a language in a page.
pub(super) fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let open = format!("```{language}\n");
    page.split(&open).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_page_has_its_title_and_a_text() {
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
    for code in Code::ALL.iter().filter(|c| !is_of_a_run(**c)) {
        let jobs = blocks(explain(*code), "dbjob");
        let [example, corrected] = jobs[..] else { panic!("{code} has {} jobs", jobs.len()) };
        let found = problems(*code, example);
        if found.is_empty() || found.iter().any(|d| d.code != *code) {
            wrong.push_str(&format!("{code}: the example raises {found:#?}\n"));
        }
        let found = problems(*code, corrected);
        if !found.is_empty() {
            wrong.push_str(&format!("{code}: the correction raises {found:#?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn jobs_that_fail_when_they_run_are_sound() {
    for code in Code::ALL.iter().filter(|c| is_of_a_run(**c)) {
        for job in blocks(explain(*code), "dbjob") {
            assert_eq!(problems(*code, job), [], "{code}");
        }
    }
}

fn is_of_a_run(code: Code) -> bool {
    (Code::E0701..=Code::E0799).contains(&code)
}
