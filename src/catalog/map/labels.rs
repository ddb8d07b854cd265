use dbjob_plan::{DataType, Value};

use super::{Body, Inverse, Map, MapInput, MapOutput, Options};
use crate::catalog::Exactness;
use crate::catalog::options::{Default, OptionSpec, OptionType};
use crate::range::Range;

pub const LABELS: Map = Map {
    name: "labels",
    options: &[OptionSpec {
        name: "levels",
        ty: OptionType::ManyTexts,
        default: Default::Required,
        doc: "The labels in the order of their positions, from 0 on",
    }],
    valid: |option| {
        let labels = texts(option);
        match labels.iter().enumerate().find(|(i, label)| labels[..*i].contains(label)) {
            Some((_, twice)) => Err(format!("the label {twice:?} stands in it twice")),
            None => Ok(()),
        }
    },
    body: Body::Own(output),
    inverse: Inverse::Exists("the label at the position, or the position of the label"),
    exactness: |_| Exactness::Exact,
    doc: "A text becomes its position among the labels, counted from 0. A bool (false is 0) or an int that is a position \
          becomes its label. A value without a label stops the run with its row.",
    example: "map churned with labels(\"no\", \"yes\")",
};

fn texts(option: Options<'_>) -> Vec<String> {
    match option("levels") {
        Value::List(items) => items.iter().filter_map(|i| i.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

fn output(input: &MapInput, option: Options<'_>) -> Result<MapOutput, String> {
    let labels = texts(option);
    let gives = |dtype, range| Ok(MapOutput { dtype, nullable: input.nullable, fitted: false, range });
    match &input.dtype {
        DataType::String | DataType::Category { .. } => {
            if let DataType::Category { levels: Some(levels) } = &input.dtype
                && let Some(other) = levels.iter().find(|level| !labels.contains(level))
            {
                return Err(format!("its level {other:?} is none of the labels"));
            }
            gives(DataType::Int, Range::from(0.0, labels.len() as f64 - 1.0))
        }
        DataType::Bool if labels.len() != 2 => {
            Err(format!("a bool has two labels, that of false and that of true, not {}", labels.len()))
        }
        DataType::Bool | DataType::Int => gives(DataType::Category { levels: Some(labels) }, Range::ALL),
        dtype => Err(format!("it takes texts, bools and ints, not {dtype}")),
    }
}
