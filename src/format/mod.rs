//! `dbjob fmt`: the same tokens with canonical spaces.
//!
//! It prints tokens, not the AST, so every comment stays where it was. Line breaks that the author wrote inside a
//! statement are kept; one-line blocks stay on one line while they are short.

mod align;
mod blocks;
mod printer;
mod spacing;

use std::collections::HashSet;

use crate::diagnostic::Diagnostic;
use crate::syntax::Parsed;
use crate::syntax::layout::Layout;

/// The longest line that keeps a block on it, in characters, without its comment.
const WIDTH: usize = 120;

/// The canonical text of a file; its errors, if it has any.
///
/// Formatting twice changes nothing more, no comment is lost, and the AST is the same but for spans.
pub fn format(parsed: &Parsed) -> Result<String, &[Diagnostic]> {
    if !parsed.errors.is_empty() {
        return Err(&parsed.errors);
    }
    let layout = Layout::new(parsed.ast.span.file, &parsed.text, &parsed.tokens);
    let mut opened = HashSet::new();
    loop {
        let blocks = blocks::Blocks::new(&layout, &opened);
        let lines = printer::lines(&layout, &parsed.marks, &blocks);
        // Each round opens the outermost block of every line that is too long, so there are as many as blocks nest.
        let before = opened.len();
        let too_long = lines.iter().filter(|line| line.indent + spacing::width(&line.text) > WIDTH);
        opened.extend(too_long.filter_map(|line| line.block));
        if opened.len() == before {
            return Ok(align::join(lines));
        }
    }
}
