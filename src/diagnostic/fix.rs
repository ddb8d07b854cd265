use dbjob_plan::Span;

use crate::source::SourceMap;

/// A change of the text that mends a problem, certain enough to be made without asking.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// What it does, as an order: `write `age``.
    pub title: String,
    /// Their spans do not overlap.
    pub edits: Vec<Edit>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// The text takes the place of the span; an empty span is an insertion.
    Write(Span, String),
    /// An entry of a list or a statement goes, with the comma or the line that is its own.
    TakeOut(Span),
}

impl Fix {
    pub fn new(title: impl Into<String>, edits: Vec<Edit>) -> Self {
        Self { title: title.into(), edits }
    }

    pub fn write(span: Span, text: impl Into<String>) -> Self {
        let text = text.into();
        let title = if text.is_empty() { "remove it".to_owned() } else { format!("write `{text}`") };
        Self::new(title, vec![Edit::Write(span, text)])
    }

    pub fn take_out(span: Span) -> Self {
        Self::new("leave it out", vec![Edit::TakeOut(span)])
    }

    /// The text that takes the place of each span, in the order of the text. `None` where an entry cannot be taken out
    /// without a look at what stands around it.
    pub fn changes(&self, sources: &SourceMap) -> Option<Vec<(Span, String)>> {
        let mut changes = Vec::new();
        for edit in &self.edits {
            match edit {
                Edit::Write(span, text) => changes.push((*span, text.clone())),
                Edit::TakeOut(span) => {
                    let text = &sources.get(span.file).text;
                    let cut = entry(text, span.start as usize, span.end as usize)?;
                    changes
                        .extend(cut.into_iter().map(|(start, end)| (Span::new(span.file, start, end), String::new())));
                }
            }
        }
        changes.sort_by_key(|(span, _)| (span.file, span.start));
        Some(changes)
    }
}

/// What goes when the entry of a list, the statement or the word from `start` to `end` goes.
fn entry(text: &str, start: usize, end: usize) -> Option<Vec<(usize, usize)>> {
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[end..].find('\n').map_or(text.len(), |newline| end + newline + 1);
    let before = text[line_start..start].trim_end();
    let rest = text[end..line_end].trim_start();
    // The end of the separator that goes with it.
    let separator = match rest.chars().next() {
        Some(',') => true,
        Some(';') => before.trim().is_empty() || before.ends_with([';', '{']),
        _ => false,
    };
    let behind = if separator { line_end - rest.len() + 1 } else { end };
    let rest = text[behind..line_end].trim();
    if before.trim().is_empty() && (rest.is_empty() || rest.starts_with('#')) {
        let line = (line_start, line_end);
        return if separator { Some(vec![line]) } else { last_entry(text, line) };
    }
    if separator {
        let blanks = text[behind..].len() - text[behind..].trim_start_matches([' ', '\t']).len();
        return Some(vec![(start, behind + blanks)]);
    }
    // The last on its line goes with the separator or the space before it.
    let kept = before.strip_suffix([',', ';']).unwrap_or(before);
    let from = if before.trim().is_empty() { start } else { line_start + kept.len() };
    Some(vec![(from, end)])
}

/// A line goes that may have the last entry of a list: the comma of the line above would take in what follows.
fn last_entry(text: &str, line: (usize, usize)) -> Option<Vec<(usize, usize)>> {
    let above = text[..line.0].trim_end();
    let line_above = above[above.rfind('\n').map_or(0, |newline| newline + 1)..].trim_start();
    if line_above.contains('#') && line_above.contains(',') {
        // Whether the comma is in a comment takes a reader of the language.
        return None;
    }
    let comma = above.ends_with(',').then(|| (above.len() - 1, above.len()));
    Some(comma.into_iter().chain([line]).collect())
}

#[cfg(test)]
mod tests {
    use dbjob_plan::FileId;

    use super::*;
    use crate::source::SourceFile;

    /// The text without the part between `<` and `>`.
    fn without(marked: &str) -> Option<String> {
        let (start, end) = (marked.find('<').unwrap(), marked.find('>').unwrap() - 1);
        let mut text = marked.replace(['<', '>'], "");
        let mut sources = SourceMap::default();
        sources.add(SourceFile::new("a.dbjob", text.clone()));
        let changes = Fix::take_out(Span::new(FileId(0), start, end)).changes(&sources)?;
        for (span, new) in changes.iter().rev() {
            text.replace_range(span.start as usize..span.end as usize, new);
        }
        Some(text)
    }

    #[test]
    fn an_entry_goes_with_its_comma_or_its_line() {
        for (marked, left) in [
            ("fit a { <x = 1>, y = 2 }", "fit a { y = 2 }"),
            ("fit a { x = 1, <y = 2> }", "fit a { x = 1 }"),
            ("fit a { x = 1; <y = 2>; z = 3 }", "fit a { x = 1; z = 3 }"),
            ("fit a { <x = 1> }", "fit a { }"),
            ("input a, <a>\n", "input a\n"),
            ("input a,\n  <a>\nfit b\n", "input a\nfit b\n"),
            ("input a,  # why\n  <a>  # again\nfit b\n", "-"),
            ("fit a {\n  x = 1  # first\n  <y = 2>  # second\n}\n", "fit a {\n  x = 1  # first\n}\n"),
            ("fit a {\n  x = 1,\n  <y = 2>,\n}\n", "fit a {\n  x = 1,\n}\n"),
            ("fit a {\r\n  x = 1\r\n  <y = 2>\r\n}\r\n", "fit a {\r\n  x = 1\r\n}\r\n"),
            ("  to csv(\"a\")\n  <to csv(\"a\")>\n", "  to csv(\"a\")\n"),
            ("input a, <a>; fit b\n", "input a; fit b\n"),
            ("{ x: int; <y: int>; z: int }", "{ x: int; z: int }"),
            ("output y: bool <raw>\n", "output y: bool\n"),
            ("output y: bool <raw>; fit a\n", "output y: bool; fit a\n"),
        ] {
            assert_eq!(without(marked).unwrap_or("-".into()), left, "{marked}");
        }
    }
}
