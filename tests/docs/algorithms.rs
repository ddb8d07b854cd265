//! docs/algorithms.md is written by the catalog.

use std::fs;
use std::path::Path;

use dbjob::catalog::{ALGORITHMS, algorithm};
use dbjob::diagnostic::Severity;
use dbjob_plan::Task;

use super::blocks::problems;

#[test]
fn the_page_of_algorithms_is_that_of_the_catalog() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/algorithms.md");
    let wanted = algorithm::page();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &wanted).expect("a writable page");
    } else {
        assert_eq!(fs::read_to_string(&path).expect("a page"), wanted, "BLESS=1 writes it");
    }
}

#[test]
fn the_example_of_every_algorithm_is_sound() {
    for entry in ALGORITHMS {
        for task in entry.tasks {
            let (task, output) = match task {
                Task::Classification => ("classes", "output late: bool"),
                Task::Regression => ("numbers", "output delay: float"),
                Task::Clustering => ("clusters", ""),
            };
            let text = format!(
                "dataset trips from csv(\"trips.csv\") {{\n  trip: int key\n  miles: float\n  hour: int\n  late: bool label\n  delay: float label\n}}\n\
                 transform rows from trips {{\n  split test 20%\n}}\n\
                 model m from rows {{\n  input miles, hour\n  {output}\n  {}\n}}\n\
                 deploy prod from m {{\n  to registry(\"models\")\n}}\n",
                entry.example
            );
            let wrong = problems(&text, None).into_iter().filter(|d| d.severity == Severity::Error);
            assert_eq!(wrong.map(|d| d.message).collect::<Vec<_>>(), Vec::<String>::new(), "{} of {task}", entry.name);
        }
    }
}
