//! A text that is edited is told the same as if it were read anew after every edit.

use std::fs;
use std::path::{Path, PathBuf};

use dbjob::diagnostic::Diagnostic;
use dbjob::hir::Given;
use dbjob::ide::Service;
use dbjob::source::{SourceFile, SourceMap};
use dbjob::world::NoWorld;

/// Numbers that are the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

fn read_anew(text: &str) -> Vec<Diagnostic> {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("job.dbjob", text));
    dbjob::analyse(file, &mut sources, &Given::default(), &NoWorld).diagnostics
}

fn shown(diagnostics: &[Diagnostic]) -> Vec<String> {
    let place = |span: dbjob_plan::Span| format!("{}..{}", span.start, span.end);
    diagnostics
        .iter()
        .map(|d| {
            let related: Vec<_> = d.related.iter().map(|(span, words)| format!("{} {words}", place(*span))).collect();
            format!("{} {} {} | {} | {related:?} | {:?}", d.code, place(d.span), d.message, d.label, d.help)
        })
        .collect()
}

fn texts() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<PathBuf> = ["examples", "tests/ui", "tests/format"]
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).expect("a folder of the repository"))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "dbjob"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a readable job").trim_start_matches('\u{feff}').to_owned();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// A range of the text and what takes its place.
fn edit(text: &str, dice: &mut Dice) -> (std::ops::Range<usize>, String) {
    let lines: Vec<(usize, &str)> = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line))
        })
        .collect();
    let words: Vec<(usize, &str)> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
        .collect();
    if lines.is_empty() || words.is_empty() {
        return (0..0, "dataset a from csv(\"a.csv\") { x: int }\n".into());
    }
    let (line_start, line) = lines[dice.below(lines.len())];
    let (word_start, word) = words[dice.below(words.len())];
    match dice.below(8) {
        0 => (line_start..line_start + line.len(), String::new()),
        1 => (line_start..line_start, line.to_owned()),
        2 => (word_start..word_start + word.len(), words[dice.below(words.len())].1.to_owned()),
        3 => {
            (word_start..word_start, format!("{} ", dice.of(&["filter", "transform t2 from", "x", "test", "0", "not"])))
        }
        4 => (word_start..word_start, dice.of(&["{", "}", "(", ")", "\"", "#", "\n", ",", "`", "= ", "##"]).to_owned()),
        5 => {
            let (other, moved) = lines[dice.below(lines.len())];
            (other..other, format!("{line}{moved}"))
        }
        6 => (line_start..line_start, "\n# a comment\n\n".to_owned()),
        _ => (word_start..word_start + word.len(), String::new()),
    }
}

#[test]
fn an_edited_text_is_told_as_if_read_anew() {
    let mut edits = 0;
    for (number, (path, text)) in texts().into_iter().enumerate() {
        let mut dice = Dice(number as u64 + 1);
        let mut service = Service::new("job.dbjob", text.clone());
        for step in 0..24 {
            let found = shown(&service.check(&NoWorld));
            let anew = shown(&read_anew(service.text()));
            assert_eq!(found, anew, "{} after {step} edits:\n{}", path.display(), service.text());
            // Every few edits all is as it was, as after an undo.
            if step % 6 == 5 {
                let end = service.text().len();
                service.edit(0..end, &text);
            } else {
                let (range, with) = edit(service.text(), &mut dice);
                service.edit(range, &with);
            }
            edits += 1;
        }
    }
    assert!(edits > 1000, "only {edits} edits");
}
