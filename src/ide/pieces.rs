//! Where a text may be cut so that the parts can be read one by one.

use crate::syntax::{ITEM_KEYWORDS, RESERVED};

/// The starts of the parts of a text, the first of them 0: each but the first begins with an item, or with the comments
/// and empty lines above it. Wherever the layout begins a new region, a part ends.
pub fn cuts(text: &str) -> Vec<usize> {
    let mut cuts = vec![0];
    // Where the comments and empty lines begin that lead up to here.
    let mut idle: Option<usize> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            idle.get_or_insert(at);
        } else {
            let start = idle.take().unwrap_or(at);
            if start > 0 && begins_item(line) {
                cuts.push(start);
            }
        }
        at += line.len();
    }
    cuts
}

/// In column 1 an item keyword, a space and a name, as the layout has it.
fn begins_item(line: &str) -> bool {
    let word = |text: &str| text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (keyword, rest) = line.split_at(word(line));
    if !ITEM_KEYWORDS.contains(&keyword) {
        return false;
    }
    let name = rest.trim_start_matches([' ', '\t']);
    if name.len() == rest.len() {
        return false;
    }
    let behind = match name.strip_prefix('`') {
        Some(quoted) => quoted.find('`').map(|end| &quoted[end + 1..]),
        None => {
            let (name, behind) = name.split_at(word(name));
            let starts = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
            (starts && !RESERVED.contains(&name)).then_some(behind)
        }
    };
    behind.is_some_and(|behind| keyword != "test" || behind.trim_start().starts_with('{'))
}
