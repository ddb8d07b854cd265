//! What holds for texts that nobody wrote down.

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::{CORPUS, check_parsed};
use crate::syntax::read;

/// `PROPTEST_CASES` asks for more.
fn config() -> Config {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { Config::default().cases } else { 60 };
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// Inserts `what` into `text` at chosen token boundaries.
fn insert(text: &str, places: &[(prop::sample::Index, &'static str)]) -> String {
    let parsed = read(text);
    let mut out = text.to_owned();
    let mut at: Vec<(usize, &str)> = places
        .iter()
        .map(|(place, what)| {
            (parsed.tokens.get(place.index(parsed.tokens.len() + 1)).map_or(text.len(), |t| t.start as usize), *what)
        })
        .collect();
    at.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    for (at, what) in at {
        out.insert_str(at, what);
    }
    out
}

proptest! {
    #![proptest_config(config())]

    /// Comments, blank lines and spaces between any two tokens.
    #[test]
    fn formatting_holds_under_mutation(
        file in any::<prop::sample::Index>(),
        places in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![
            " # new\n", "\n# own line\n", "\n", "\n\n\n", "   ", "\t", "\r\n", "## doc\n", ";", ", ",
        ])), 1..8),
    ) {
        let text = &CORPUS[file.index(CORPUS.len())];
        let mutated = insert(text, &places);
        let parsed = read(&mutated);
        if parsed.errors.is_empty() {
            check_parsed(&parsed);
        }
    }

    /// Every line end between two tokens that the language allows.
    #[test]
    fn one_mutation_at_a_time(
        file in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
    ) {
        let text = &CORPUS[file.index(CORPUS.len())];
        for what in [" # new\n", "\n", ";"] {
            let mutated = insert(text, &[(place, what)]);
            let parsed = read(&mutated);
            if parsed.errors.is_empty() {
                check_parsed(&parsed);
            }
        }
    }

    /// Any damage is told, never a panic, and spans stay on character boundaries.
    #[test]
    fn parsing_never_panics(
        file in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, prop::sample::select(vec![
            "", "{", "}", "(", ")", "[", "]", "\"", "'", "`", "\n", ";", ",", "=", "..", "@", "#", "//", "/*", "é", "，", "“", "if ", "match ",
            "not ", "0x1", "1e999", "\\u{", "\u{feff}", "\0", "\ndataset x from y {\n",
        ])), 1..10),
    ) {
        let text = &CORPUS[file.index(CORPUS.len())];
        let mut damaged = text.clone();
        for (place, removed, inserted) in edits {
            let start = damaged.floor_char_boundary(place.index(damaged.len() + 1));
            let end = damaged.ceil_char_boundary((start + removed).min(damaged.len()));
            damaged.replace_range(start..end, inserted);
        }
        let parsed = read(&damaged);
        for error in &parsed.errors {
            prop_assert!(damaged.get(error.span.start as usize..error.span.end as usize).is_some(), "{error:?}");
            prop_assert!(!error.message.is_empty() && error.help.is_some(), "{error:?}");
        }
        if parsed.errors.is_empty() {
            check_parsed(&parsed);
        }
    }

    #[test]
    fn any_text_is_read(text in "\\PC{0,80}") {
        let parsed = read(&text);
        if parsed.errors.is_empty() {
            check_parsed(&parsed);
        }
    }
}
