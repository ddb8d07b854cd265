//! A fix mends its problem. That `check --fix` makes no other problem, tests/cli/fix.rs has.

use std::path::Path;

use dbjob::diagnostic::Diagnostic;
use dbjob::source::SourceMap;

use super::{problems, programs};

/// The text after a fix.
fn fixed(text: &str, diagnostic: &Diagnostic, sources: &SourceMap) -> Option<String> {
    let mut text = text.trim_start_matches('\u{feff}').to_owned();
    let changes = diagnostic.fix.as_ref()?.changes(sources)?;
    for (span, new) in changes.iter().rev() {
        text.replace_range(span.start as usize..span.end as usize, new);
    }
    Some(text)
}

/// What is wrong, without places: code and message, sorted.
fn kinds(problems: &[Diagnostic]) -> Vec<(String, String)> {
    let mut kinds: Vec<_> = problems.iter().map(|d| (d.code.to_string(), d.message.clone())).collect();
    kinds.sort();
    kinds
}

/// Tries each fix of a text alone: how many there are, and what goes wrong.
fn try_each(path: &Path, text: &str, failures: &mut Vec<String>) -> usize {
    let (before, sources) = problems(path, text);
    let known = kinds(&before);
    let mut tried = 0;
    for diagnostic in &before {
        let Some(after) = fixed(text, diagnostic, &sources) else { continue };
        tried += 1;
        let mut left = kinds(&problems(path, &after).0);
        // Each problem of before may stay once.
        let mut gone = known.clone();
        left.retain(|kind| match gone.iter().position(|k| k == kind) {
            Some(at) => {
                gone.remove(at);
                false
            }
            None => true,
        });
        let place = sources.place(diagnostic.span);
        let title = &diagnostic.fix.as_ref().expect("it was fixed").title;
        if !gone.contains(&(diagnostic.code.to_string(), diagnostic.message.clone())) {
            failures.push(format!("{place}: {} is still there after: {title}", diagnostic.code));
        }
        // One cause has one message.
        for (code, message) in
            gone.iter().filter(|(code, message)| (code, message) != (&diagnostic.code.to_string(), &diagnostic.message))
        {
            failures.push(format!("{place}: {title}: mends {code} {message} too"));
        }
        // A mended name may show what it hid, but nothing becomes unreadable.
        for (code, message) in left.into_iter().filter(|(code, _)| code.starts_with("E00")) {
            failures.push(format!("{place}: {title}: gives {code} {message}"));
        }
    }
    tried
}

#[test]
fn a_misspelt_beta1_is_told_and_mended() {
    let text = "dataset a from csv(\"a.csv\") {\n  x: float\n  y: bool label\n}\ntransform t from a { split test 20% }\n\
                model m from t {\n  input x\n  output y: bool\n  fit mlp { beat1 = 0.8 }\n}\n";
    let (found, sources) = problems(Path::new("beta1.dbjob"), text);
    let misspelt = found.iter().find(|d| d.message.contains("beat1")).expect("`beat1` is refused");
    assert_eq!(misspelt.help.as_deref(), Some("did you mean `beta1`?"));
    assert!(fixed(text, misspelt, &sources).expect("a fix").contains("fit mlp { beta1 = 0.8 }"));
}

#[test]
fn every_fix_mends_its_problem() {
    let (mut failures, mut tried) = (Vec::new(), 0);
    for path in programs() {
        let text = std::fs::read_to_string(&path).expect("a readable program");
        tried += try_each(&path, &text, &mut failures);
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(tried >= 60, "only {tried} fixes in tests/ui");
}
