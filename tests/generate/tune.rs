//! What becomes of proposals: for whoever works on the generator.

use super::coverage::Coverage;
use super::job::{Job, Tally, front};
use super::pool::Pool;

/// Prints why statements are refused; `JOBS` says of how many jobs.
#[test]
#[ignore = "a report, not a check"]
fn refusals() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pool = Pool::new(folder.path(), 60, 1);
    pool.write();
    let (mut tally, mut coverage) = (Tally::default(), Coverage::default());
    let jobs: u64 = std::env::var("JOBS").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    for seed in 0..jobs {
        let job = Job::generate(&pool, seed, &mut tally);
        let front = front(&job.text, &pool);
        coverage.file(&front.parsed.ast);
        coverage.plan(&dbjob::lower::lower(&front.checked.sound().expect("generated jobs check")));
    }
    for (kind, proposed) in &tally.proposed {
        let mut why: Vec<_> = tally.refused.iter().filter(|((k, _), _)| k == kind).collect();
        why.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        println!("{kind}: {proposed} proposed, {} refused", why.iter().map(|(_, times)| **times).sum::<usize>());
        why.into_iter().take(8).for_each(|((_, why), times)| println!("    {times} {why}"));
    }
    println!("never: {:?}", coverage.missing());
    println!("occurred: {:?}", coverage.0);
}
