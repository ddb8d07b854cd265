//! A tiny backend that takes its time, fails, panics or goes on for ever, as the plan's job name says.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use dbjob_plan::*;
use dbjob_runtime::{Observer, RunOptions, run};

struct Tiny;

impl Backend for Tiny {
    fn unsupported(&self, plan: &Plan) -> Vec<Unsupported> {
        plan.topological()
            .into_iter()
            .filter(|id| matches!(plan.node(*id).op, Op::Union))
            .map(|node| Unsupported { span: plan.node(node).span, what: "union".into() })
            .collect()
    }

    fn run(&self, plan: &Plan, cx: &mut RunContext<'_>) -> Result<RunReport, RunError> {
        match plan.job.as_str() {
            "polite" => {
                while !cx.cancel.is_cancelled() {
                    sleep(Duration::from_millis(1));
                }
                Err(RunError::new("E0718", "cancelled"))
            }
            "deaf" => {
                fs::write(cx.resolve(&format!("{}out.csv", temp_prefix())), "half a ro").unwrap();
                sleep(Duration::from_millis(1500));
                cx.emit(Event::Warning { item: "late".into(), message: "late".into() });
                Ok(RunReport::default())
            }
            "panics" => panic!("index out of bounds"),
            "breaks" => Err(RunError::new("E0704", "cell")),
            _ => {
                cx.emit(Event::Warning { item: "a".into(), message: format!("{} threads", cx.threads) });
                Ok(RunReport { seconds: 1.0, ..RunReport::default() })
            }
        }
    }

    fn outlook(&self, _: &Plan, _: &RunContext<'_>) -> Result<Vec<ItemOutlook>, RunError> {
        Ok(Vec::new())
    }

    fn version(&self) -> String {
        "tiny 1".into()
    }

    fn origin(&self, _: &Source, _: &Path) -> Result<Origin, RunError> {
        Ok(Origin::Job)
    }

    fn fetch(&self, _: &Source, _: &Schema, _: &FetchContext<'_>) -> Result<Source, RunError> {
        Err(RunError::new("E0799", "fetches nothing"))
    }

    fn infer(&self, _: &Source, _: &Path) -> Result<Schema, RunError> {
        Ok(Schema::default())
    }
}

/// The result and the events, each as its JSON.
fn observe(plan: Plan, options: RunOptions) -> (Result<RunReport, RunError>, Arc<Mutex<Vec<serde_json::Value>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&events);
    let observer: Observer = Arc::new(move |e| sink.lock().unwrap().push(serde_json::to_value(e).unwrap()));
    (run(Arc::new(Tiny), Arc::new(plan), options, observer), events)
}

fn plan(job: &str, run_time_ms: Option<i64>) -> Plan {
    Plan { job: job.into(), run_time: run_time_ms.map(|ms| ms * 1000), ..Plan::default() }
}

fn quick(base: &Path) -> RunOptions {
    RunOptions { base: base.to_owned(), threads: 3, grace: Duration::from_millis(60), ..RunOptions::default() }
}

#[test]
fn tells_of_beginning_and_end_and_gives_the_report() {
    let (result, events) = observe(plan("fine", Some(60_000)), quick(Path::new(".")));
    assert_eq!(result.unwrap().seconds, 1.0);
    let events = events.lock().unwrap();
    let kinds: Vec<_> = events.iter().map(|e| e["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["run_started", "warning", "run_finished"]);
    assert_eq!(events[1]["message"], "3 threads");
    assert_eq!(events[2]["ok"], true);
}

#[test]
fn an_error_of_the_backend_is_passed_on_and_the_run_is_not_ok() {
    let (result, events) = observe(plan("breaks", None), quick(Path::new(".")));
    assert_eq!(result.unwrap_err().code, "E0704");
    assert_eq!(events.lock().unwrap().last().unwrap()["ok"], false);
}

#[test]
fn the_limit_stops_a_backend_that_listens() {
    let started = Instant::now();
    let (result, _) =
        observe(plan("polite", Some(40)), RunOptions { grace: Duration::from_secs(60), ..quick(Path::new(".")) });
    let error = result.unwrap_err();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("E0718", "the run reached its limit: run_time = 40ms"));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_backend_that_does_not_listen_is_left_and_its_half_output_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan("deaf", Some(40));
    plan.add(
        Node {
            item: "deploy".into(),
            op: Op::Deploy(Target::Csv { path: "out.csv".into() }),
            schema: Schema::default(),
            span: Span::default(),
        },
        &[],
    );
    let started = Instant::now();
    let (result, events) = observe(plan, quick(folder.path()));
    assert!(started.elapsed() < Duration::from_millis(1400), "it waited for the backend");
    assert_eq!(result.unwrap_err().code, "E0718");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the unfinished output is still there");
    sleep(Duration::from_millis(1700));
    assert_eq!(events.lock().unwrap().last().unwrap()["event"], "run_finished", "an event came after the last one");
}

#[test]
fn cancel_stops_it_from_outside() {
    let options = quick(Path::new("."));
    let cancel = options.cancel.clone();
    std::thread::spawn(move || {
        sleep(Duration::from_millis(30));
        cancel.cancel();
    });
    let error = observe(plan("polite", None), options).0.unwrap_err();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("E0718", "the run was stopped before its end"));
}

#[test]
fn a_panic_is_an_error_with_its_text() {
    let error = observe(plan("panics", None), quick(Path::new("."))).0.unwrap_err();
    assert_eq!(error.code, "E0799");
    assert!(error.message.contains("index out of bounds"), "{}", error.message);
}

#[test]
fn what_the_backend_cannot_do_is_said_before_anything_runs() {
    let mut plan = plan("panics", None);
    let span = Span::new(FileId(0), 3, 8);
    plan.add(Node { item: "t".into(), op: Op::Union, schema: Schema::default(), span }, &[]);
    let error = observe(plan, quick(Path::new("."))).0.unwrap_err();
    assert_eq!((error.code.as_str(), error.span), ("E0901", Some(span)));
}

#[test]
fn only_old_leftovers_of_other_processes_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan("fine", None);
    let target = Op::Deploy(Target::Parquet { path: "out.parquet".into() });
    plan.add(Node { item: "d".into(), op: target, schema: Schema::default(), span: Span::default() }, &[]);
    let age = |name: &str, days: u64| {
        let file = fs::File::create(folder.path().join(name)).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
    };
    age(".dbjob-1-old", 2);
    age(".dbjob-1-new", 0);
    age("mine.parquet", 9);
    observe(plan, quick(folder.path())).0.unwrap();
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, [".dbjob-1-new", "mine.parquet"]);
}
