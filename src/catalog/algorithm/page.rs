use std::fmt::Write as _;

use dbjob_plan::Task;

use super::{ALGORITHMS, Algorithm, Only};
use crate::catalog::options::Default;

const BEGINNING: &str = "\
# Algorithms

What `fit` may name. Options are checked when the job is: their names, types and ranges, and whether they have an effect beside
the others and for what is learned. The same rows, options and seed give the same model, bit for bit, on any number of cores.
Between kinds of processors the last digits of linear models and `mlp` may differ: products of matrices use the instructions there are.
Numbers are 64-bit floats, but inside of `mlp`. Nothing is scaled silently: map inputs with `standardize` where it is said below.

";

const END: &str = "
## Data that have no best coefficients, or many

What linear models do then; no coefficient is ever NaN or infinite.

| data | answer |
|---|---|
| constant input | its coefficient is 0 (without an intercept it is an input like any other) |
| collinear inputs, more inputs than rows | of all best coefficients the shortest in units of each input's spread: two copies of an input share equally. The L1 penalty chooses among them instead |
| classes told apart without a mistake, wholly or for some values of an input | `logistic_regression` with `penalty = none` is error E0715, which names the input; with a penalty, or by epochs, there is an answer |
| counts that are 0 wherever an input has some value | `poisson_regression` with `alpha = 0` is error E0715, which names the input |
| one class only, no rows, every weight 0 | error E0715 |
| an output below 0 (`poisson_regression`), of 0 or below (`gamma_regression`) | error E0715 with the row |
| numbers whose squares are no 64-bit floats, about 1e154 | error E0715, which names the input; `standardize` |
| units that differ by many powers of ten | no trouble without a penalty: solvers see every input in units of its spread |
| fewer iterations than it takes | a warning with the gradient that is left; the coefficients of the last iteration |

`linear_regression` gives at least seven of the certified digits on all linear sets of NIST's Statistical Reference Datasets,
Filip and Wampler among them; without a penalty the others agree with statsmodels to ten digits.
";

/// docs/algorithms.md: every algorithm with what it learns, what it takes, its options and an example.
pub fn page() -> String {
    let mut out = BEGINNING.to_owned();
    out.push_str("| | learns | nulls | categories | `to onnx` | in Spark MLlib |\n|---|---|---|---|---|---|\n");
    for entry in ALGORITHMS {
        let taken = |yes: bool| if yes { "as they are" } else { "mapped" };
        let (name, nulls, categories) = (entry.name, taken(entry.nulls), taken(entry.categories));
        let spark = entry.spark.map(|class| format!("`{}`", class.replace(", ", "`, `"))).unwrap_or_default();
        let learns = tasks(entry);
        let onnx = if entry.exportable { "yes" } else { "" };
        writeln!(out, "| [`{name}`](#{name}) | {learns} | {nulls} | {categories} | {onnx} | {spark} |")
            .expect("strings take all");
    }
    for entry in ALGORITHMS {
        let (name, doc, example) = (entry.name, entry.doc, entry.example);
        write!(out, "\n## {name}\n\n{doc}\nAn example: `{example}`.\n").expect("strings take all");
        options(&mut out, entry);
    }
    out.push_str(END);
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
            Default::Required | Default::Null | Default::NoTexts | Default::NoInputs => String::new(),
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
