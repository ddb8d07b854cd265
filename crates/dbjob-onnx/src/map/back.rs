use std::collections::BTreeMap;

use dbjob_plan::{MAPPED, MapLink, MapState, Span, Undo};

use super::{States, in_form, levels, located, number};
use crate::column::{Column, FLOAT, INT, TEXT, either, form_of};
use crate::expr::{self, round};
use crate::graph::{Element, Graph, Tensor};
use crate::refused::Refused;

/// Undoes maps, the last applied first.
pub(crate) fn undo(
    column: Column,
    links: &[MapLink],
    states: States<'_>,
    span: Span,
    g: &mut Graph,
) -> Result<Column, Refused> {
    links.iter().try_fold(column, |column, link| one(column, link, states, span, g))
}

fn one(y: Column, link: &MapLink, states: States<'_>, span: Span, g: &mut Graph) -> Result<Column, Refused> {
    let y = in_form(y, form_of(&link.to), g);
    let refuse = || {
        let help = "let the model predict the mapped values: `output … raw`";
        Refused::new(span, format!("the way back from the map `{}`", link.map), help)
    };
    let back = if let Some(formula) = &link.formula {
        let Undo::By(back) = &formula.undo else { return Err(refuse()) };
        let columns = BTreeMap::from([(MAPPED.to_owned(), y)]);
        expr::lower(back, &columns, g).map_err(|e| located(e, span))?
    } else {
        let state = states.of(link);
        match (link.map.as_str(), state.as_deref()) {
            ("standardize" | "min_max" | "robust", Some(MapState::Affine(scale))) => {
                Column { value: number::back(&y.value, *scale, g), ..y }
            }
            ("power", Some(MapState::Power { lambda, scale })) => {
                let bent = number::back(&y.value, *scale, g);
                Column { value: number::unbend(&bent, *lambda, g), ..y }
            }
            ("index" | "labels", state) => {
                let levels = levels::levels(link, state).ok_or_else(refuse)?;
                if form_of(&link.from) == Some(TEXT) {
                    let text = levels::text_at(&y.value, &levels, g);
                    let null = either(g, y.null, text.null.clone());
                    text.with_null(null)
                } else {
                    levels::place_of(&y, &levels, &link.from, g)
                }
            }
            ("one_hot", state) => levels::hottest(&y, &levels::levels(link, state).ok_or_else(refuse)?, g),
            _ => return Err(refuse()),
        }
    };
    Ok(if back.form == FLOAT && form_of(&link.from) == Some(INT) { nearest_int(back, g) } else { back })
}

/// The int next to a number that stands for one. NaN has no counterpart.
pub(crate) fn nearest_int(x: Column, g: &mut Graph) -> Column {
    let nan: Tensor = g.op("IsNaN", &[&x.value]);
    let whole = round(&x.value, g);
    let zero = g.float(0.0);
    let whole = g.select(&nan, &zero, &whole);
    let null = either(g, x.null, Some(nan));
    Column::new(g.cast(&whole, Element::Int), INT).with_null(null)
}
