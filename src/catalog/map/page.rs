use std::fmt::Write as _;

use super::{Body, Inverse, MAPS, Map};
use crate::catalog::options::{Default, OptionType};

const BEGINNING: &str = "\
# Maps

A map changes a column into one that a model can learn from, and knows the way back.

```dbjob steps
split by order_id { train 80%, test 20% }
map amount with log1p, standardize             # in place, from left to right
map shipping with robust as shipping_r         # keeps `shipping`
map where float with min_max as *_scaled       # the columns of a type, named by a pattern
map [items, shipping] with pca(1) as size      # several columns to one
unmap amount                                   # undoes what the column carries, in reverse
```

**Learning.** A map that learns does so from the train rows of the split above it; without one it is an error (E0402). What it
learned is stored with every model that needs it, so that a request is mapped as the train rows were. A level that the train
rows do not have is told below with each map.

**Nulls** pass: null in, null out, and back. Only `impute`, `one_hot` and `tf_idf` say otherwise.

**Values that a map is not made for** stop the run and name the row (E0707). Where a column may hold some, by what is known of it,
`check` warns before (W0501). A declared range, a `filter` or an `expect … else drop` above the map says that there are none.

**The way back.** A map without an inverse says why, at compile time, where the way back is needed (E0501): by `unmap`, or by a
model whose output is a mapped column. Such a model predicts in the original units, and is judged in them; `output price raw`
asks for the mapped values. What is undone comes back exactly where it is an int, a decimal, a text, a bool or a moment: floats
on the way are rounded to the nearest one. Floats come back to nine digits or more, unless a formula squeezes them together:
`expm1(-30)` differs from -1 in the thirteenth digit only. What a model predicts is a float near a
mapped value: it is undone as it is and, for an int output, rounded once at the end. Where no value was mapped to what is
predicted (`exp` gives no negative number) the prediction is null.

**Ranges** go through maps: after `clip(0, 1)` a column is known to lie between 0 and 1, after `exp` above 0. What a fitted scale
gives may lie anywhere.

";

const FUNCTIONS: &str = "\
## Functions as maps

Every function of the job whose first argument is the column is a map; what stands in brackets behind its name are the other
arguments. Null passes, unless the function takes nulls.

```dbjob items
fn dollars(cents: float): float = cents / 100
fn scaled(x: float in 0.., by: float): float = by * log1p(x) + 1
fn tier(plan: category(\"free\", \"paid\")): int = match plan { \"free\" => 1, else => 2 }

transform priced from orders {
  map amount with dollars, scaled(2.5)
  unmap amount
}

transform tiers from users {
  map plan with tier
  unmap plan
}
```

A function is undone by solving it for its argument, which must stand in it once: `+ - * /` with constants, `**` with a power
that keeps the sign apart, `log exp sqrt` and their kin, conversions that lose nothing, shifts of dates and datetimes. A
function of a bool, of a closed category or of a column declared `in [values]` is undone whatever it does, if all of its
results differ.
";

/// docs/maps.md: every map with its options, what it does, how it is undone and an example. `undone` gives the inverse of a
/// formula.
pub fn page(undone: &dyn Fn(&Map) -> Option<String>) -> String {
    let mut out = BEGINNING.to_owned();
    for (heading, formulas) in [("Formulas", true), ("Others", false)] {
        let holds = |map: &Map| matches!(map.body, Body::Formula { .. }) == formulas;
        write!(out, "## {heading}\n\n| | | undone by | example |\n|---|---|---|---|\n").expect("strings take all");
        for map in MAPS.iter().filter(|m| holds(m)) {
            let inverse = match map.inverse {
                Inverse::Derived => format!("`{}`", undone(map).unwrap_or_default()),
                Inverse::Exists(words) => words.to_owned(),
                Inverse::None(why) => format!("never: {why}"),
            };
            let (signature, doc, example) = (signature(map), map.doc, map.example);
            writeln!(out, "| `{signature}` | {doc} | {inverse} | `{example}` |").expect("strings take all");
        }
        out.push('\n');
    }
    out.push_str("## Options\n\n| map | option | | default |\n|---|---|---|---|\n");
    for map in MAPS {
        for option in map.options {
            let default = match option.default {
                Default::Required | Default::Null | Default::NoTexts | Default::NoInputs => String::new(),
                default => default.value().map(|v| format!("`{v}`")).unwrap_or_default(),
            };
            let (name, option, doc) = (map.name, option.name, option.doc);
            writeln!(out, "| `{name}` | `{option}` | {doc} | {default} |").expect("strings take all");
        }
    }
    out.push('\n');
    out.push_str(FUNCTIONS);
    out
}

fn signature(map: &Map) -> String {
    let options: Vec<String> = map
        .options
        .iter()
        .map(|o| match (o.default, o.ty) {
            (_, OptionType::ManyTexts) => format!("{}, …", o.name),
            (Default::Required, _) => o.name.to_owned(),
            _ => format!("{}?", o.name),
        })
        .collect();
    if options.is_empty() { map.name.to_owned() } else { format!("{}({})", map.name, options.join(", ")) }
}
