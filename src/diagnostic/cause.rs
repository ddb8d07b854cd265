use std::collections::HashMap;

use super::{Code, Diagnostic};

/// Of many places that a message could point at.
const MOST_PLACES: usize = 8;

/// A name that is missing is one problem, however often it is used: the first use tells it and points at the others, and
/// a fix that they share mends all. `diagnostics` are in order of place.
pub fn merge_uses(diagnostics: &mut Vec<Diagnostic>) {
    let mut first: HashMap<(Code, String), usize> = HashMap::new();
    let mut kept: Vec<Diagnostic> = Vec::new();
    for diagnostic in diagnostics.drain(..) {
        let Some(name) = missing(&diagnostic) else {
            kept.push(diagnostic);
            continue;
        };
        match first.get(&(diagnostic.code, name.clone())) {
            Some(at) => {
                let told = &mut kept[*at];
                if told.related.len() < MOST_PLACES {
                    told.related.push((diagnostic.span, "and here".into()));
                }
                if let (Some(fix), Some(more)) = (&mut told.fix, diagnostic.fix)
                    && fix.title == more.title
                {
                    fix.edits.extend(more.edits);
                }
            }
            None => {
                first.insert((diagnostic.code, name), kept.len());
                kept.push(diagnostic);
            }
        }
    }
    *diagnostics = kept;
}

/// The name that is missing, with what is said of the place where it is: a column of one table is not that of another.
fn missing(diagnostic: &Diagnostic) -> Option<String> {
    match diagnostic.code {
        Code::E0101 => diagnostic.message.split('`').nth(1).map(str::to_owned),
        Code::E0203 => Some(diagnostic.message.clone()),
        _ => None,
    }
}
