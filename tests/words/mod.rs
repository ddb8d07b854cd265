//! The word lists of the editors' grammar are those of the catalog.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use dbjob::catalog::{ALGORITHMS, MAPS, METRICS, function, words};

/// The words of the first alternation of a repository entry's `match`.
fn listed(grammar: &serde_json::Value, key: &str) -> BTreeSet<String> {
    let pattern =
        grammar["repository"][key]["match"].as_str().unwrap_or_else(|| panic!("no `match` in repository.{key}"));
    let pattern = pattern.trim_start_matches("(?:^|(?<=[{;]))");
    let from =
        pattern.match_indices('(').map(|(at, _)| at).find(|at| !pattern[at + 1..].starts_with('?')).expect("a group");
    let to = from + pattern[from..].find(')').expect("a closed group");
    let words: Vec<&str> = pattern[from + 1..to].split('|').collect();
    let set: BTreeSet<String> = words.iter().map(|w| (*w).to_owned()).collect();
    assert_eq!(set.len(), words.len(), "repository.{key} lists a word twice");
    set
}

#[test]
fn the_textmate_grammar_lists_the_words_of_the_catalog() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar/dbjob.tmLanguage.json");
    let text = fs::read_to_string(path).expect("the TextMate grammar");
    let grammar: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let names = |list: &[words::Word]| list.iter().map(|w| w.name.to_owned()).collect::<BTreeSet<_>>();
    let same = |key: &str, catalog: BTreeSet<String>| assert_eq!(listed(&grammar, key), catalog, "repository.{key}");
    same("items", names(words::ITEMS));
    same("steps", names(words::STEPS));
    same("types", names(words::TYPES));
    same("sources", names(words::SOURCES));
    same("sinks", names(words::SINKS));
    same("maps", MAPS.iter().map(|m| m.name.to_owned()).collect());
    same("algorithms", ALGORITHMS.iter().map(|a| a.name.to_owned()).collect());
    same("metrics", METRICS.iter().map(|m| m.name.to_owned()).collect());
    same("functions", function::all().map(|f| f.name.to_owned()).collect());
    let reserved = ["and", "or", "not", "in", "is", "if", "then", "else", "match", "true", "false", "null"];
    same("reserved", reserved.map(str::to_owned).into());
}
