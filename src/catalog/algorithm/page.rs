use std::fmt::Write as _;

use dbjob_plan::Task;

use super::{ALGORITHMS, Algorithm, Only};
use crate::catalog::options::Default;

const BEGINNING: &str = "\
# Algorithms

What `fit` may name. Options are checked when the job is: their names, types and ranges, and whether they have an effect beside
the others and for what is learned. The same rows, options and seed give the same model, bit for bit, on any number of cores.
Numbers are 64-bit floats throughout. Nothing is scaled silently: map inputs with `standardize` where it is said below.

";

/// docs/algorithms.md: every algorithm with what it learns, what it takes, its options and an example.
pub fn page() -> String {
    let mut out = BEGINNING.to_owned();
    out.push_str("| | learns | nulls | categories | in Spark MLlib |\n|---|---|---|---|---|\n");
    for entry in ALGORITHMS {
        let taken = |yes: bool| if yes { "as they are" } else { "mapped" };
        let (name, nulls, categories) = (entry.name, taken(entry.nulls), taken(entry.categories));
        let spark = entry.spark.map(|class| format!("`{}`", class.replace(", ", "`, `"))).unwrap_or_default();
        let learns = tasks(entry);
        writeln!(out, "| [`{name}`](#{name}) | {learns} | {nulls} | {categories} | {spark} |")
            .expect("strings take all");
    }
    for entry in ALGORITHMS {
        let (name, doc, example) = (entry.name, entry.doc, entry.example);
        write!(out, "\n## {name}\n\n{doc}\nAn example: `{example}`.\n").expect("strings take all");
        options(&mut out, entry);
    }
    out
}

fn options(out: &mut String, entry: &Algorithm) {
    if entry.options.is_empty() {
        out.push_str("\nIt has no options.\n");
        return;
    }
    out.push_str("\n| option | takes | default | |\n|---|---|---|---|\n");
    for option in entry.options {
        let default = match option.default {
            Default::Required | Default::Null | Default::NoTexts => String::new(),
            default => default.value().map(|v| format!("`{v}`")).unwrap_or_default(),
        };
        let when: Vec<String> = entry.only.iter().filter_map(|only| when(only, option.name)).collect();
        let when = if when.is_empty() { String::new() } else { format!(" *({})*", when.join("; ")) };
        let (name, ty, doc) = (option.name, option.ty, option.doc);
        writeln!(out, "| `{name}` | {ty} | {default} | {doc}{when} |").expect("strings take all");
    }
}

fn when(only: &Only, option: &str) -> Option<String> {
    match only {
        Only::Classes { options, .. } if options.contains(&option) => Some("for classes only".to_owned()),
        Only::Numbers { options, .. } if options.contains(&option) => Some("for numbers only".to_owned()),
        Only::With { options, of, is, .. } if options.contains(&option) => {
            Some(format!("with {of} `{}` only", is.join("`, `")))
        }
        _ => None,
    }
}

fn tasks(entry: &Algorithm) -> String {
    let words = entry.tasks.iter().map(|task| match task {
        Task::Classification => "classes",
        Task::Regression => "numbers",
        Task::Clustering => "clusters, without an output",
    });
    words.collect::<Vec<_>>().join(", ")
}
