/// Source text on one line and without comments, for people. A line end that ends a statement becomes `;`.
pub fn one_line(text: &str) -> String {
    let mut out = String::new();
    // The brackets that are open; only in braces does a line end end a statement.
    let mut open: Vec<char> = Vec::new();
    for line in text.lines() {
        let line = squeezed(line);
        if line.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push_str(if open.last() == Some(&'{') && !continues(&out, &line) { "; " } else { " " });
        }
        for (_, c) in outside_of_quotes(&line) {
            match c {
                '{' | '(' | '[' => open.push(c),
                '}' | ')' | ']' => drop(open.pop()),
                _ => {}
            }
        }
        out.push_str(&line);
    }
    out
}

/// A line without its comment, with single spaces; texts stay as they are.
fn squeezed(line: &str) -> String {
    let end = outside_of_quotes(line).find(|(_, c)| *c == '#').map_or(line.len(), |(at, _)| at);
    let line = line[..end].trim();
    let mut out = String::with_capacity(line.len());
    let mut copied = 0;
    for (at, c) in outside_of_quotes(line).filter(|(_, c)| c.is_whitespace()) {
        out.push_str(&line[copied..at]);
        if !out.ends_with(' ') {
            out.push(' ');
        }
        copied = at + c.len_utf8();
    }
    out.push_str(&line[copied..]);
    out
}

/// The characters of a line, and where they are, that are in no text and no name in backticks.
fn outside_of_quotes(line: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    let mut escaped = false;
    line.char_indices().filter(move |(_, c)| match quote {
        Some(_) if escaped => {
            escaped = false;
            false
        }
        Some('"') if *c == '\\' => {
            escaped = true;
            false
        }
        Some(q) => {
            if *c == q {
                quote = None;
            }
            false
        }
        None => {
            if matches!(c, '"' | '`') {
                quote = Some(*c);
            }
            quote.is_none()
        }
    })
}

/// Whether `next` goes on with what `before` ends with.
fn continues(before: &str, next: &str) -> bool {
    const WORDS: &[&str] = &["and", "or", "not", "in", "is", "then", "else", "with", "as", "on", "by"];
    let last = before.rsplit(' ').next().unwrap_or_default();
    let first = next.split(' ').next().unwrap_or_default();
    before.ends_with(['{', ',', ';', '+', '-', '*', '/', '=', '<', '>', '?', '.'])
        || next.starts_with(['}', ')', ']', '+', '-', '*', '/', '=', '<', '>', '?', '.'])
        || WORDS.contains(&last)
        || WORDS.contains(&first)
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn statements_of_several_lines_become_one() {
        let block = "derive {  # two\n  a = b +\n    1\n  s = \"# {  \\\"\"\n\n  c   = if x\n    then 1 else 2\n}";
        assert_eq!(one_line(block), "derive { a = b + 1; s = \"# {  \\\"\"; c = if x then 1 else 2 }");
        assert_eq!(one_line("map a,\r\n  `b#  c` with f(1,\n 2) # ok"), "map a, `b#  c` with f(1, 2)");
    }
}
