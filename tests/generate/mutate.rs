//! Damaged jobs: whatever the text, the front end answers, and what it takes it formats without loss.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;

use dbjob::syntax::Parsed;
use fastrand::Rng;

use super::coverage::Coverage;
use super::job::{Job, Tally, front};
use super::pool::Pool;
use super::{in_parallel, pick};
use crate::syntax::corpus::files;
use crate::syntax::read;

/// Words that stand where others are wanted.
const WORDS: [&str; 56] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "then",
    "else",
    "match",
    "null",
    "true",
    "by",
    "as",
    "with",
    "from",
    "on",
    "order",
    "keep",
    "prefix",
    "lookup",
    "key",
    "label",
    "late",
    "where",
    "all",
    "except",
    "over",
    "last",
    "rows",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    "\n",
    "=",
    "==",
    ":",
    "..",
    "..=",
    "=>",
    "-",
    "+",
    "*",
    "/",
    "//",
    "**",
    "%",
    "??",
    "?",
    ".",
    "@2024-02-30",
    "9223372036854775808",
];

/// A text to damage, with what stands in it: its tokens, and every node of its tree.
struct Sample {
    text: String,
    tokens: Vec<(usize, usize)>,
    nodes: Vec<(usize, usize)>,
}

impl Sample {
    fn new(text: String) -> Self {
        let parsed = read(&text);
        let tokens = parsed.tokens.iter().map(|t| (t.start as usize, t.end as usize)).filter(|(s, e)| s < e).collect();
        let nodes = nodes(&parsed);
        Self { text: parsed.text, tokens, nodes }
    }

    fn slice(&self, (start, end): (usize, usize)) -> &str {
        &self.text[start..end]
    }
}

/// The places of all nodes of the tree: items, statements, expressions, names.
fn nodes(parsed: &Parsed) -> Vec<(usize, usize)> {
    let shown = format!("{:?}", parsed.ast.items);
    let number = |text: &str, begin: &str| -> Option<usize> {
        let (_, rest) = text.split_once(begin)?;
        rest[..rest.find(|c: char| !c.is_ascii_digit())?].parse().ok()
    };
    let mut nodes: Vec<(usize, usize)> = shown
        .split("Span { file: ")
        .skip(1)
        .filter_map(|part| Some((number(part, "start: ")?, number(part, "end: ")?)))
        .filter(|(start, end)| start < end)
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// Damages a text in one to four places: tokens, lines or whole nodes, taken out, doubled, swapped, or put in from elsewhere.
fn damage(samples: &[Sample], rng: &mut Rng) -> String {
    let sample = pick(rng, samples);
    let mut edits: Vec<((usize, usize), String)> = Vec::new();
    for _ in 0..rng.usize(1..=4) {
        let other = if rng.u8(..3) == 0 { pick(rng, samples) } else { sample };
        let tree = rng.bool() && !sample.nodes.is_empty() && !other.nodes.is_empty();
        let (here, there) = if tree { (&sample.nodes, &other.nodes) } else { (&sample.tokens, &other.tokens) };
        if here.is_empty() || there.is_empty() {
            continue;
        }
        let place = *pick(rng, here);
        let new = match rng.u8(..6) {
            0 => String::new(),
            1 => format!("{0} {0}", sample.slice(place)),
            2 => (*pick(rng, &WORDS)).to_owned(),
            3 => format!("{} {}", sample.slice(place), pick(rng, &WORDS)),
            _ => other.slice(*pick(rng, there)).to_owned(),
        };
        edits.push((place, new));
    }
    edits.sort_by_key(|((start, _), _)| std::cmp::Reverse(*start));
    let mut text = sample.text.clone();
    let mut before = usize::MAX;
    for ((start, end), new) in edits {
        if end <= before {
            text.replace_range(start..end, &new);
            before = start;
        }
    }
    text
}

/// What must hold of any text; the message of the panic otherwise.
pub fn survives(text: &str, pool: &Pool) -> Result<(), String> {
    let run = || {
        let front = front(text, pool);
        if front.parsed.errors.is_empty() {
            crate::format::check_parsed(&front.parsed);
        }
        if let Some(job) = front.checked.sound().filter(|_| front.parsed.errors.is_empty()) {
            dbjob::lower::lower(&job);
        }
    };
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default()
    })
}

fn samples(pool: &Pool) -> Vec<Sample> {
    let mut texts: Vec<String> = ["tests/format", "tests/ui", "examples", "tests/leakage"]
        .iter()
        .filter(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).is_dir())
        .flat_map(|folder| files(folder))
        .map(|path| fs::read_to_string(path).expect("a readable program"))
        .collect();
    let generated = if cfg!(debug_assertions) { 10 } else { 200 };
    texts.extend((0..generated).map(|seed| Job::generate(pool, seed, &mut Tally::default()).text));
    texts.into_iter().map(Sample::new).collect()
}

/// `CASES` asks for more, `SEED` for others.
#[test]
fn no_damage_makes_the_front_end_panic() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pool = Pool::new(folder.path(), 60, 1);
    pool.write();
    let samples = samples(&pool);
    let number = |name: &str, or: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(or);
    let cases = number("CASES", if cfg!(debug_assertions) { 300 } else { 20_000 });
    let first = number("SEED", 0);
    let failures = in_parallel(first..first + cases, |seed| {
        let text = damage(&samples, &mut Rng::with_seed(seed));
        survives(&text, &pool).err().map(|panic| format!("seed {seed}: {panic}\n{text}\n"))
    });
    assert!(failures.is_empty(), "{} failures, the first:\n{}", failures.len(), failures[0]);
}

/// A generated job is as good when it was formatted.
#[test]
fn generated_jobs_stay_sound_when_formatted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pool = Pool::new(folder.path(), 60, 2);
    pool.write();
    let jobs = if cfg!(debug_assertions) { 10 } else { 1_500 };
    let coverage = Mutex::new(Coverage::default());
    let failures = in_parallel(0..jobs, |seed| {
        let job = Job::generate(&pool, seed, &mut Tally::default());
        let first = front(&job.text, &pool);
        assert!(first.errors.is_empty(), "seed {seed}: {:?}\n{}", first.errors, job.text);
        let formatted = crate::format::check_parsed(&first.parsed);
        let plan = dbjob::lower::lower(&first.checked.clone().sound().expect("there is no error"));
        let mut coverage = coverage.lock().expect("no panic inside");
        coverage.file(&first.parsed.ast);
        coverage.plan(&plan);
        let again = front(&formatted, &pool);
        (!again.errors.is_empty()).then(|| format!("seed {seed}: {:?}\n{formatted}", again.errors))
    });
    assert!(failures.is_empty(), "{} failures, the first:\n{}", failures.len(), failures[0]);
    if jobs >= 1_500 {
        assert_eq!(coverage.into_inner().expect("no panic inside").missing(), [], "these parts were never generated");
    }
}
