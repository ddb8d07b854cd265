use super::problem::describe_location;
use super::{Problem, Severity};
use crate::source::SourceMap;

/// A workflow command of GitHub Actions for each problem, one a line: it annotates the line of the file.
pub fn render_github(problems: &[Problem], sources: &SourceMap) -> String {
    problems.iter().map(|p| annotation(p, sources) + "\n").collect()
}

fn annotation(problem: &Problem, sources: &SourceMap) -> String {
    let command = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(span) = problem.span {
        let file = sources.get(span.file);
        let (line, column) = file.position(span.start);
        let (end_line, end_column) = file.position(span.end);
        properties.push(format!("file={}", property(&file.path.to_string_lossy())));
        properties.push(format!("line={line}"));
        // Columns are for annotations of one line.
        if line == end_line {
            properties.push(format!("col={column},endColumn={end_column}"));
        } else {
            properties.push(format!("endLine={end_line}"));
        }
    }
    properties.push(format!("title={}", problem.code));
    let mut text = problem.message.clone();
    if let Some(place) = problem.data.as_ref().and_then(describe_location) {
        text.push_str(&format!("\nin {place}"));
    }
    if let Some(help) = &problem.help {
        text.push_str(&format!("\nhelp: {help}"));
    }
    format!("::{command} {}::{}", properties.join(","), data(&text))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
