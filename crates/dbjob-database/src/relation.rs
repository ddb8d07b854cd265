//! What is read: the words for it, and the names in it.

use dbjob_plan::{RunError, near};

/// A query without what ends it.
pub(crate) fn bare(query: &str) -> &str {
    query.trim().trim_end_matches(';').trim_end()
}

/// The parts of a table's name: `shop.orders` is two; a part in `"` may hold a point.
pub(crate) fn parts(table: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in table.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            c => parts.last_mut().expect("never empty").push(c),
        }
    }
    parts
}

/// The parts as one name of SQL, each in `mark`.
pub(crate) fn quoted(parts: &[String], mark: char) -> String {
    parts.iter().map(|part| quote(part, mark)).collect::<Vec<_>>().join(".")
}

pub(crate) fn quote(name: &str, mark: char) -> String {
    format!("{mark}{}{mark}", name.replace(mark, &format!("{mark}{mark}")))
}

/// `a, b, c` in quotes.
pub(crate) fn quoted_list<'a>(names: impl Iterator<Item = &'a str>, mark: char) -> String {
    names.map(|name| quote(name, mark)).collect::<Vec<_>>().join(", ")
}

/// E0732 with the tables that are there.
pub(crate) fn missing_table(table: &str, place: &str, there: &[String]) -> RunError {
    let error = RunError::new("E0732", format!("there is no table {table:?} in {place}"));
    let near = near(table, there.iter().map(String::as_str));
    if !near.is_empty() {
        return error.help(format!("did you mean {}?", near.join(" or ")));
    }
    match there {
        [] => error.help("it has no tables that this user may see"),
        there => {
            let more = if there.len() > 12 { ", …" } else { "" };
            let shown: Vec<&str> = there.iter().take(12).map(String::as_str).collect();
            error.help(format!("its tables are {}{more}", shown.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_at_points_and_quoted() {
        assert_eq!(parts("shop.orders"), ["shop", "orders"]);
        assert_eq!(parts("\"a.b\".c"), ["a.b", "c"]);
        assert_eq!(quoted(&parts("a`b.c"), '`'), "`a``b`.`c`");
        assert_eq!(bare(" select 1 ; \n"), "select 1");
    }
}
