//! Where the job speaks of what a source turned out to hold, and what to write there.

use dbjob_plan::{DataType, Field, Format, Node, Op, RunError, Source};

/// The error with its place in the job unless it has a more exact one: the declaration of the column that it speaks of,
/// else the whole node.
pub(crate) fn placed(error: RunError, node: &Node) -> RunError {
    let Op::Read(source) = &node.op else { return error.or_span(node.span) };
    let name = error.data.as_ref().and_then(|d| d.column.as_deref());
    let Some(column) = name.and_then(|name| source.columns.iter().find(|c| c.name == name || c.header == name)) else {
        return error.or_span(node.span);
    };
    let help = node.schema.fields.iter().find(|f| f.name == column.name).and_then(|f| help(&error.code, f, source));
    let span = if column.span.is_empty() { node.span } else { column.span };
    RunError { help: error.help.clone().or(help), ..error }.or_span(span)
}

/// The error of a file that the rows were brought to, in the words of where they are from.
pub(crate) fn as_written(error: RunError, written: &Source, read: &Source) -> RunError {
    let Format::Database(database) = &written.format else { return error };
    let words = format!("{} of {}", database.relation, written.place());
    let data = error.data.map(|data| dbjob_plan::DataLocation { file: None, ..data });
    RunError { message: error.message.replace(&read.path, &words), data, ..error }
}

fn help(code: &str, field: &Field, source: &Source) -> Option<String> {
    let (name, dtype) = (&field.name, &field.dtype);
    match code {
        "E0706" => Some(format!("declare `{name}: {dtype}?` if it may be missing")),
        "E0707" if matches!(dtype, DataType::Category { levels: Some(_) }) && field.refinement.is_none() => {
            Some(format!("add the level, or declare `{name}: category` to take them as they come"))
        }
        "E0707" => {
            Some(format!("declare what `{name}` may hold; to leave such rows out write `expect … else drop` instead"))
        }
        "E0704" if matches!(source.format, Format::Csv(_)) && !matches!(dtype, DataType::Decimal { .. }) => {
            Some(format!(
                "if it stands for a missing value: `nulls = [\"…\"]`; else declare `{name}: string` and convert it with `try_{}`",
                dtype
            ))
        }
        _ => None,
    }
}
