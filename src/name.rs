//! Names as they are written in a job.

/// Words that no name may be without backticks.
pub const RESERVED: [&str; 12] =
    ["and", "or", "not", "in", "is", "if", "then", "else", "match", "true", "false", "null"];

/// Needs no backticks.
pub fn is_plain(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
        && !RESERVED.contains(&name)
}

/// With backticks if it needs them.
pub fn written(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { format!("`{name}`") }
}

/// A text in double quotes, with escapes where they are needed.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
