use super::printer::Line;
use super::spacing::width;

/// The text of the lines: types of neighbouring columns begin at one place, comments two spaces after the code.
pub(super) fn join(lines: Vec<Line>) -> String {
    let mut out = String::new();
    let mut start = 0;
    while start < lines.len() {
        let end = run(&lines, start);
        let widest = lines[start..end].iter().filter_map(Line::name).map(width).max().unwrap_or(0);
        for line in &lines[start..end] {
            print(line, widest, &mut out);
        }
        start = end;
    }
    out
}

/// The end of the run of lines from `start` on whose columns are aligned: columns and comments without a blank line.
fn run(lines: &[Line], start: usize) -> usize {
    let belongs = |line: &Line| line.type_at.is_some() || line.text.is_empty();
    if !belongs(&lines[start]) {
        return start + 1;
    }
    let more = lines[start + 1..].iter().take_while(|line| belongs(line) && !line.blank_before);
    start + 1 + more.count()
}

fn print(line: &Line, widest: usize, out: &mut String) {
    if line.blank_before {
        out.push('\n');
    }
    out.extend(std::iter::repeat_n(' ', line.indent));
    match (line.name(), line.type_at) {
        (Some(name), Some(at)) => {
            out.push_str(name);
            out.extend(std::iter::repeat_n(' ', widest - width(name) + 1));
            out.push_str(&line.text[at..]);
        }
        _ => out.push_str(&line.text),
    }
    if let Some(comment) = &line.comment {
        if !line.text.is_empty() {
            out.push_str("  ");
        }
        out.push_str(comment);
    }
    out.push('\n');
}
