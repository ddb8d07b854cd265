//! If `check` passes, `run` fails only for what the files could not show.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::coverage::Coverage;
use super::job::{Job, Tally};
use super::pool::{LIBRARY, Pool};
use super::run::{Went, run};
use super::{in_parallel, shrink::shrink};

/// Jobs of one run of the test; `JOBS` asks for another number, `SEED` for others.
const JOBS: u64 = 5_000;
/// The most, in percent, that may stop for what only data could show: counts below 0, too few rows of a class to calibrate
/// by, fewer rows than neighbours.
const MOST_STOPPED: usize = 12;

/// Where a failing job is kept, with its data.
fn kept_in(seed: u64) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("generated-{seed}"))
}

#[test]
fn a_job_that_checks_runs_and_keeps_its_promises() {
    let number = |name: &str, or: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(or);
    let (jobs, first) = (number("JOBS", JOBS), number("SEED", 0));
    // Outputs are synced to the disk: in memory that costs nothing.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a temporary folder");
    let pool = Pool::new(folder.path(), 120, first);
    pool.write();
    let coverage = Mutex::new(Coverage::default());
    let stopped: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let failures = in_parallel(first..first + jobs, |seed| {
        let job = Job::generate(&pool, seed, &mut Tally::default());
        // Each worker has its outputs for itself.
        let base = folder.path().join(format!("{:?}", std::thread::current().id()));
        if !base.exists() {
            fs::create_dir(&base).expect("a folder for outputs");
            pool.link_into(&base);
        }
        match run(&job.text, &pool, &base) {
            Went::Well(seen) => coverage.lock().expect("no panic inside").add(&seen),
            Went::Stopped(code) => *stopped.lock().expect("no panic inside").entry(code).or_default() += 1,
            Went::Wrong(why) => return Some((seed, job, why, base)),
        }
        None
    });
    let told: Vec<String> = failures
        .iter()
        .take(number("SHOW", 10) as usize)
        .map(|(seed, job, why, base)| tell(*seed, job, why, base, &pool))
        .collect();
    let stopped = stopped.into_inner().expect("no panic inside");
    let coverage = coverage.into_inner().expect("no panic inside");
    println!("{jobs} jobs from seed {first}; stopped by their data: {stopped:?}; occurred: {:?}", coverage.0);
    assert!(told.is_empty(), "{} of {jobs} jobs failed:\n\n{}", failures.len(), told.join("\n\n"));
    let share = stopped.values().sum::<usize>() * 100 / jobs as usize;
    assert!(share <= MOST_STOPPED, "{share} % of the jobs were stopped by their data: {stopped:?}");
    if jobs >= JOBS {
        assert_eq!(coverage.missing(), [], "these parts of the language never ran");
    }
}

/// What went wrong, with the job made short; both are kept with the data.
fn tell(seed: u64, job: &Job, why: &str, base: &Path, pool: &Pool) -> String {
    let fails = |text: &str| matches!(run(text, pool, base), Went::Wrong(other) if like(&other) == like(why));
    let short = shrink(&job.text, pool, fails);
    let folder = kept_in(seed);
    fs::create_dir_all(&folder).expect("a folder for the failing job");
    fs::write(folder.join("whole.dbjob"), &job.text).expect("a writable folder");
    fs::write(folder.join("job.dbjob"), &short).expect("a writable folder");
    fs::write(folder.join(LIBRARY), dbjob::world::World::text(pool, LIBRARY).expect("the pool has it").text)
        .expect("a writable folder");
    for file in pool.files.iter().filter(|f| short.contains(&format!("{:?}", f.path()))) {
        fs::copy(pool.folder.join(file.path()), folder.join(file.path())).expect("the data is there");
    }
    format!("seed {seed}: {why}\nkept in {}\n{short}", folder.display())
}

/// A message without what changes while its job is made short: names, numbers and places.
pub fn like(why: &str) -> String {
    let (why, _) = why.split_once(" at `").unwrap_or((why, ""));
    let quoted: String = why.split('`').step_by(2).collect();
    quoted.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 2).take(8).collect::<Vec<_>>().join(" ")
}
