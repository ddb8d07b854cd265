use std::fmt::Write as _;

use super::{FUNCTIONS, ROWS};

const HEADINGS: [&str; 8] =
    ["Mathematics", "Strings", "Dates and times", "Casts", "Nulls", "Lists", "Aggregates", "Places in a window"];

/// docs/functions.md: every function with what it gives and an example that holds.
pub fn page() -> String {
    let mut out = String::from(
        "# Functions\n\n\
         Every example but those of windows is true; a test runs them all. `x?` may be left out, `x, …` may be one or several. A function of a\n\
         null gives null, unless it says otherwise. What the operators mean is in [semantics](semantics.md).\n\n\
         A function is *exact*, *ordered* (its result depends on the order of the rows) or *approximate* (its last digits\n\
         may differ between engines). It is exact where the list does not say otherwise.\n",
    );
    for (heading, family) in HEADINGS.iter().zip(FUNCTIONS) {
        write!(out, "\n## {heading}\n\n").expect("writing to a string cannot fail");
        if *heading == "Aggregates" {
            out.push_str(
                "They stand in `group`, `pivot`, `window` and `expect`, and skip nulls unless they say otherwise. \
                 The examples are about\n\n```dbjob\ndataset orders from inline ",
            );
            out.push_str(ROWS);
            out.push_str("\n```\n\n");
        }
        if *heading == "Places in a window" {
            out.push_str("They stand in a `window` with an order, and aggregates do with a frame.\n\n");
        }
        out.push_str("| | | example |\n|---|---|---|\n");
        for f in *family {
            let class = match f.exactness {
                crate::catalog::Exactness::Exact => String::new(),
                other => format!(" *({})*", other.word()),
            };
            let cell = |text: &str| text.replace('|', "\\|");
            let (signature, doc, example) = (cell(&f.signature()), cell(f.doc), cell(f.example));
            writeln!(out, "| `{signature}` | {doc}{class} | `{example}` |").expect("writing to a string cannot fail");
        }
    }
    out
}
