use dbjob_plan::{DataType, FitSpec, Span};

use crate::column::{Column, Columns, Form, TEXT, either};
use crate::expr;
use crate::graph::{Element, Graph, Tensor};
use crate::refused::Refused;

/// The features of each row side by side, as the learner takes them.
pub(crate) struct Features {
    /// (rows, features). NaN is a missing value.
    pub matrix: Tensor,
    /// Where a row has a feature that the learner does not take.
    pub refused: Option<Tensor>,
}

/// The inputs in their order: a number, bool or category is one feature, a vector one a place. `levels`: those that the model
/// has learned of an input that is a category, of which a feature is the code.
pub(crate) fn features(
    spec: &FitSpec,
    table: &Columns,
    levels: &dyn Fn(&str) -> Option<Vec<String>>,
    g: &mut Graph,
) -> Result<Features, Refused> {
    let (mut parts, mut checked, mut null) = (Vec::new(), Vec::new(), None);
    for input in &spec.inputs {
        let refuse = |what: String| Refused::new(Span::default(), what, expr::BEFORE);
        let column = table.get(&input.column).ok_or_else(|| refuse(format!("the input `{}`", input.column)))?;
        let missing = column.null.clone().filter(|_| input.nullable && column.form != Form::Many);
        if missing.is_none() {
            null = either(g, null, column.null.clone());
        }
        if column.form == Form::Many {
            parts.push(column.value.clone());
            checked.push(column.value.clone());
            continue;
        }
        if column.form == TEXT {
            if !matches!(input.dtype, DataType::Category { .. }) {
                return Err(refuse(format!("the input `{}`, a {}", input.column, input.dtype)));
            }
            let code = code(column, &levels(&input.column).unwrap_or_default(), g);
            parts.push(g.as_column(&code));
            continue;
        }
        let value = column.float(g);
        match missing {
            None => {
                let value = g.as_column(&value);
                parts.push(value.clone());
                checked.push(value);
            }
            Some(missing) => {
                let (nan, zero) = (g.float(f64::NAN), g.float(0.0));
                let (part, there) = (g.select(&missing, &nan, &value), g.select(&missing, &zero, &value));
                parts.push(g.as_column(&part));
                checked.push(g.as_column(&there));
            }
        }
    }
    let refused = if checked.is_empty() {
        null
    } else {
        // One that is not finite makes the sum of all NaN when it is taken times 0.
        let (all, zero) = (g.beside(&checked), g.float(0.0));
        let nothing = g.op("Mul", &[&all, &zero]);
        let sum = g.sum(&nothing, 1);
        let unfit = g.op("IsNaN", &[&sum]);
        either(g, null, Some(unfit))
    };
    Ok(Features { matrix: g.beside(&parts), refused })
}

/// The code of each text among the levels; of null and of others NaN.
fn code(column: &Column, levels: &[String], g: &mut Graph) -> Tensor {
    let (place, zero, nan) = (g.code_of_text(&column.value, levels), g.int(0), g.float(f64::NAN));
    let none = g.op("Less", &[&place, &zero]);
    let none = either(g, Some(none), column.null.clone()).expect("one is there");
    let code = g.cast(&place, Element::Float);
    g.select(&none, &nan, &code)
}
