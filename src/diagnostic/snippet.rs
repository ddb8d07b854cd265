use dbjob_plan::passwords_as_stars;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::source::SourceFile;

/// A file as the picture shows it. Offsets are those of the file: a character that would move the cursor, colour the
/// terminal or reorder text is replaced by one of as many bytes.
pub(super) struct Snippet {
    name: String,
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Snippet {
    pub fn new(file: &SourceFile) -> Self {
        let mut text = passwords_as_stars(printable(&file.text));
        // The picture has no place behind the last character unless a line end is there.
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect();
        Self { name: file.path.display().to_string(), text, lines }
    }

    /// The part of a range that a picture can point at. A place behind the last line is its end.
    pub fn clamp(&self, start: usize, end: usize) -> SourceSpan {
        let last = self.text.trim_end_matches(['\n', '\r']).len();
        let end = end.min(self.text.len());
        if start >= end { (start.min(last), 0).into() } else { (start, end - start).into() }
    }
}

fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        out.push(match c {
            '\n' | '\t' => c,
            '\r' if rest.peek() == Some(&'\n') => c,
            '\r' => ' ',
            '\u{0}'..='\u{1f}' | '\u{7f}' => '?',
            // C1 controls: two bytes.
            '\u{80}'..='\u{9f}' => '¿',
            // Embedding, override and isolate marks of bidirectional text; line and paragraph separators: three bytes.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => '\u{fffd}',
            _ => c,
        });
    }
    debug_assert_eq!(out.len(), text.len(), "offsets must stay");
    out
}

impl SourceCode for Snippet {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // From the file's begin each of many pictures would take time and memory by the size of the file.
        let line = self.lines.partition_point(|begin| *begin <= span.offset()).saturating_sub(before + 2);
        let begin = self.lines[line];
        let contents = self.text[begin..].read_span(&(span.offset() - begin, span.len()).into(), before, after)?;
        let at = SourceSpan::from((begin + contents.span().offset(), contents.span().len()));
        let column = if before == 0 {
            let line_start = self.text[..at.offset()].rfind('\n').map_or(0, |newline| newline + 1);
            self.text[line_start..at.offset()].chars().count()
        } else {
            contents.column()
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            contents.data(),
            at,
            line + contents.line(),
            column,
            contents.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_stars_and_everything_stays_in_its_place() {
        let text = "a \"postgres://bob:p%40s/s@h/d\" é \"mysql://eve@h/d\" \"http://h:80/@x\"\nb \"x://:pw@h";
        let shown = passwords_as_stars(text.into());
        assert_eq!(shown, "a \"postgres://bob:*******@h/d\" é \"mysql://eve@h/d\" \"http://h:***@x\"\nb \"x://:**@h");
        assert_eq!(shown.len(), text.len());
    }
}
