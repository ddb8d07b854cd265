//! Habits of the house that a compiler does not hold.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if path.is_dir() {
            if !["target", "node_modules", ".git", ".venv"].contains(&name) {
                sources(&path, out);
            }
        } else if name.ends_with(".rs") {
            out.push(path);
        }
    }
}

fn all() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["src", "crates", "tests"] {
        sources(&root.join(folder), &mut paths);
    }
    assert!(paths.len() > 50, "only {} sources", paths.len());
    paths
        .into_iter()
        .map(|p| (p.strip_prefix(root).expect("below the root").to_owned(), fs::read_to_string(&p).expect("UTF-8")))
        .collect()
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let long: Vec<_> = all().into_iter().filter(|(_, text)| text.lines().count() > 600).map(|(path, _)| path).collect();
    assert!(long.is_empty(), "{long:?}");
}

/// The language does no I/O: only the command line and the world of a test do.
#[test]
fn the_front_end_opens_no_files() {
    for (path, text) in all() {
        let inner =
            ["src/syntax", "src/hir", "src/lower", "src/catalog", "src/format"].iter().any(|f| path.starts_with(f));
        if inner {
            for word in ["std::fs", "File::open", "std::env", "std::process", "println!", "eprintln!"] {
                assert!(!text.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}

/// Engines see the plan and nothing of the language; the front end sees no engine outside of its command line.
#[test]
fn rooms_are_entered_one_way() {
    for (path, text) in all() {
        if path.starts_with("crates") {
            assert!(!text.contains("dbjob::"), "{} reaches into the front end", path.display());
        }
        if path.starts_with("src") && !path.starts_with("src/cli") && path != Path::new("src/main.rs") {
            for engine in ["dbjob_local", "dbjob_runtime", "polars"] {
                assert!(!text.contains(engine), "{} names {engine}", path.display());
            }
        }
        if path.starts_with("src/syntax") {
            assert!(!text.contains("crate::hir"), "{} looks ahead", path.display());
        }
    }
}
