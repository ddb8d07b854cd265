use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::task::Poll;

use dbjob_plan::{Field, Manifest, TableFormat, Values};

use super::*;
use crate::scorer::{FileError, FileLimits};

/// Says twice the number. Counts the rows that the threads of the queue have scored, and those that requests have.
#[derive(Default)]
struct Twice {
    pause: Duration,
    by_threads: AtomicU64,
    by_requests: AtomicU64,
}

const ASKED: &str = "a queue asks for scores only";

impl Scorer for Twice {
    fn manifest(&self) -> &Manifest {
        unreachable!("{ASKED}")
    }

    fn fields(&self) -> &[Field] {
        unreachable!("{ASKED}")
    }

    fn score(&self, rows: &Columns) -> Scored {
        let by_thread = thread::current().name() == Some("score");
        let count = if by_thread { &self.by_threads } else { &self.by_requests };
        count.fetch_add(rows.rows() as u64, Ordering::Relaxed);
        thread::sleep(self.pause);
        let Values::Int(numbers) = &rows.columns[0] else { unreachable!("numbers were sent") };
        let twice = numbers.iter().map(|n| n.map(|n| 2 * n)).collect();
        Scored { columns: vec![("twice".to_owned(), Values::Int(twice))], refused: Vec::new() }
    }

    fn read_table(&self, _: TableFormat, _: &[u8], _: FileLimits) -> Result<Columns, FileError> {
        unreachable!("{ASKED}")
    }

    fn write_table(&self, _: TableFormat, _: &[(String, Values)]) -> Result<Vec<u8>, String> {
        unreachable!("{ASKED}")
    }
}

/// Asks for each number in a request of its own, all at the same time, and checks each answer.
fn ask(queue: &Arc<Queue>, numbers: Range<i64>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).build().unwrap();
    runtime.block_on(async {
        let one = |n: i64| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let rows = Columns::from_columns(vec![Values::Int(vec![Some(n)])], 1);
                let share = queue.score(rows).await.unwrap();
                let cells: Vec<usize> = share.rows().map(Result::unwrap).collect();
                assert_eq!(share.columns()[0].1.take(&cells), Values::Int(vec![Some(2 * n)]));
            })
        };
        let asked: Vec<_> = numbers.map(one).collect();
        for request in asked {
            request.await.unwrap();
        }
    });
    assert_eq!(queue.waiting(), 0);
}

fn counts(twice: &Twice) -> (u64, u64) {
    (twice.by_threads.load(Ordering::Relaxed), twice.by_requests.load(Ordering::Relaxed))
}

#[test]
fn what_is_quick_is_scored_by_requests() {
    for replicas in [1, 3] {
        let twice = Arc::new(Twice::default());
        let queue = Queue::start(twice.clone(), replicas, 1 << 20).unwrap();
        // The first ones are for the threads: nothing is known of them. On a busy machine others may look slow.
        for round in 1.. {
            ask(&queue, 0..1000);
            let (by_threads, by_requests) = counts(&twice);
            assert_eq!(by_threads + by_requests, round * 1000);
            if by_requests > 0 && by_threads > 0 {
                break;
            }
            assert!(round < 1000, "{by_threads} rows by threads, {by_requests} by requests");
        }
        queue.close();
    }
}

#[test]
fn what_is_slow_is_left_to_the_threads() {
    let twice = Arc::new(Twice { pause: 2 * QUICK, ..Twice::default() });
    let queue = Queue::start(twice.clone(), 2, 1 << 20).unwrap();
    for _ in 0..20 {
        ask(&queue, 0..30);
    }
    assert_eq!(counts(&twice), (600, 0));
    queue.close();
}

#[test]
fn more_rows_than_there_is_room_for_are_refused() {
    let twice = Arc::new(Twice { pause: Duration::from_millis(50), ..Twice::default() });
    let queue = Queue::start(twice, 1, 10).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let rows = |n: usize| Columns::from_columns(vec![Values::Int(vec![Some(1); n])], n);
        let asked: Vec<_> = (0..20).map(|_| Box::pin(queue.score(rows(3)))).collect();
        let refused = all(asked).await.into_iter().filter(|r| r.as_ref().is_err_and(|e| *e == Refused::Full)).count();
        assert!((1..20).contains(&refused), "{refused}");
        // One that has more rows than there is room for is scored when nothing waits.
        assert!(queue.score(rows(30)).await.is_ok());
    });
    queue.close();
}

/// All at the same time.
async fn all<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let Poll::Ready(output) = Pin::new(future).poll(cx)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
