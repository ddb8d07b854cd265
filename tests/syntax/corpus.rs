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
