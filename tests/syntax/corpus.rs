use std::fs;
use std::path::{Path, PathBuf};

use super::messages;

/// Every `.dbjob` file below a directory of the repository; none if there is no such directory.
pub fn files(directory: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "dbjob") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_corpus_parses() {
    let corpus = files("tests/format");
    assert!(corpus.len() >= 5, "{corpus:?}");
    for path in corpus {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(messages(&text), "", "{}", path.display());
    }
}

/// Nesting up to the limit fits the stack of a test thread; beyond it is told.
#[test]
fn deep_nesting_is_told() {
    let nested = |depth: usize| format!("param p: int = {}1{}\n", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(messages(&nested(60)), "");
    assert!(messages(&nested(70)).contains("E0001 this is nested too deeply"));
    let ifs = |depth: usize| format!("param p: int = {}1{}\n", "if a then ".repeat(depth), " else 0".repeat(depth));
    assert_eq!(messages(&ifs(60)), "");
    assert!(messages(&ifs(70)).contains("E0001 this is nested too deeply"));
    let sum = |terms: usize| format!("param p: int = {}1\n", "1 + ".repeat(terms));
    assert_eq!(messages(&sum(200)), "");
    assert!(messages(&sum(300)).contains("E0001 this expression has too many operators"));
    let chain = "param p: int = ".to_owned() + &"if a then 1 else ".repeat(100) + "2\n";
    assert_eq!(messages(&chain), "");
}

/// Quadratic time would take minutes here.
#[test]
fn hostile_texts_take_linear_time() {
    let pieces =
        ["(", "{\n", "[", ")", "if ", "not ", "-", "a + ", "match x {", "\"", "a = ; ", "filter \n", "# x\n", "## x\n"];
    for piece in pieces {
        for start in ["transform t from x {\n  filter ", "param x: int = ", ""] {
            let text = start.to_owned() + &piece.repeat(20_000);
            assert!(piece.starts_with('#') || !messages(&text).is_empty(), "{piece}");
        }
    }
}
