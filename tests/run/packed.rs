//! Packed files and partitions through the command: checked, read, written, kept and named.

use std::fs;

use crate::cli::{dbjob, folder};

const COPY: &str = "dataset a from csv(\"a.csv.gz\") { id: int key; n: int? }\ndeploy a { to csv(\"out.csv\") }\n";

#[test]
fn what_is_packed_is_read_and_kept_until_it_changes() {
    let here = folder(&[
        ("pack.dbjob", "dataset b from csv(\"b.csv\") { id: int key; n: int? }\ndeploy b { to csv(\"a.csv.gz\") }\n"),
        ("b.csv", "id,n\n1,10\n2,\n"),
        ("job.dbjob", COPY),
    ]);
    let run = |job: &str| {
        let ended = dbjob(here.path(), &["run", "--quiet", job]);
        assert_eq!(ended.code, 0, "{ended:?}");
    };
    let out = || fs::read_to_string(here.path().join("out.csv")).expect("an output");
    run("pack.dbjob");
    assert!(fs::read(here.path().join("a.csv.gz")).expect("an archive").starts_with(&[0x1F, 0x8B]));
    for _ in 0..2 {
        run("job.dbjob");
        assert_eq!(out(), "id,n\n1,10\n2,\n");
    }
    fs::write(here.path().join("b.csv"), "id,n\n3,30\n").expect("a writable folder");
    run("pack.dbjob");
    run("job.dbjob");
    assert_eq!(out(), "id,n\n3,30\n");
}

#[test]
fn messages_name_the_packed_file() {
    let here = folder(&[
        ("pack.dbjob", "dataset b from csv(\"b.csv\")\ndeploy b { to csv(\"a.csv.gz\") }\n"),
        ("b.csv", "id,n\n1,10\n2,x\n"),
        ("job.dbjob", COPY),
    ]);
    assert_eq!(dbjob(here.path(), &["run", "--quiet", "pack.dbjob"]).code, 0);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("error[E0704]") && ended.err.contains("row 2 (line 3) of a.csv.gz"), "{}", ended.err);
    assert!(ended.err.contains("[job.dbjob:1:47]") && !ended.err.contains(".fetched"), "{}", ended.err);
    // The check looks into it too.
    fs::write(here.path().join("job.dbjob"), COPY.replace("n: int?", "nn: int?")).expect("a writable folder");
    let ended = dbjob(here.path(), &["check", "job.dbjob"]);
    assert!(ended.code == 2 && ended.err.contains("nn"), "{ended:?}");
}

#[test]
fn partitions_are_written_and_read_back() {
    let here = folder(&[
        (
            "job.dbjob",
            "dataset a from csv(\"a.csv\") { id: int key; day: date; town: string? }\n\
             deploy a { to parquet(\"out\", partition = [day, town]) }\n",
        ),
        ("a.csv", "id,day,town\n1,2024-01-31,a/b\n2,2024-02-01,\n3,2024-01-31,50 %\n"),
        (
            "back.dbjob",
            "dataset b from parquet(\"out/\") { id: int key; day: date; town: string? }\n\
             transform t from b { sort id }\ndeploy t { to csv(\"back.csv\") }\n",
        ),
    ]);
    for job in ["job.dbjob", "back.dbjob"] {
        let ended = dbjob(here.path(), &["run", "--quiet", job]);
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let text = |name: &str| fs::read_to_string(here.path().join(name)).expect("a file");
    assert_eq!(text("back.csv"), text("a.csv"));
}
