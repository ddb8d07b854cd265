//! A failure points at what failed in the job: the expression of a step, the declaration of a column.

use crate::cli::{dbjob, folder};

/// Runs a job that fails and expects the place of its message, and that it says what to write.
fn fails_at(job: &str, data: &str, place: &str, help: &str) {
    let here = folder(&[("job.dbjob", job), ("a.csv", data)]);
    let ended = dbjob(here.path(), &["run", "job.dbjob"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains(&format!("[job.dbjob:{place}]")), "{place}: {}", ended.err);
    assert!(ended.err.contains(help), "{help}: {}", ended.err);
}

const DATA: &str = "id,s,n\n1,7,1\n2,x,\n";

fn steps(steps: &str) -> String {
    format!(
        "dataset a from csv(\"a.csv\") {{\n  id: int key\n  s: string\n  n: int?\n}}\ntransform t from a {{\n{steps}\n}}\ndeploy t {{ to csv(\"o.csv\") }}\n"
    )
}

#[test]
fn of_several_derivations_it_is_the_one_that_fails() {
    let job = steps("  derive b = 1, c = 2\n  derive d = 3\n  derive e = id + int(s)\n  derive f = 4");
    fails_at(&job, DATA, "9:19", "try_");
}

#[test]
fn of_a_condition_it_is_the_part_that_fails() {
    fails_at(&steps("  filter id > 0 and int(s) > 1"), DATA, "7:21", "try_");
    fails_at(&steps("  group by n { m = max(int(s)) }"), DATA, "7:24", "try_");
}

#[test]
fn an_overflow_is_shown_where_it_is_computed() {
    fails_at(&steps("  derive b = 1\n  derive c = 2, d = (id + 9223372036854775806) * 1.0"), DATA, "8:21", "float(x)");
}

#[test]
fn of_a_function_of_the_job_it_is_the_call() {
    let job = steps("  derive b = 1\n  derive c = number(s) + 1") + "fn number(s: string): int = int(s)\n";
    fails_at(&job, DATA, "8:14", "try_");
}

#[test]
fn of_a_dataset_it_is_the_column() {
    let dataset = |column: &str| {
        format!("dataset a from csv(\"a.csv\") {{\n  id: int key\n  {column}\n}}\ndeploy a {{ to csv(\"o.csv\") }}\n")
    };
    fails_at(&dataset("n: int"), DATA, "3:3", "declare `n: int?`");
    fails_at(&dataset("s: int"), DATA, "3:3", "try_int");
    fails_at(&dataset("s: category(\"7\")"), DATA, "3:3", "add the level");
    fails_at(&dataset("n: int? in 5.."), DATA, "3:3", "expect … else drop");
}
