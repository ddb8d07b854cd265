//! Rows that stand in the job: `inline [ { a: 1 }, { a: 2 } ]`.

use dbjob_plan::{DataType, Decimal, Format, Source, SourceColumn, Value};

use super::check::Context;
use super::table::{Column, Table};
use super::types;
use super::value::{self, Wanted};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Dataset, Expr, Ident, Row};

/// Types the rows against the declared columns; columns that are not declared are inferred if the dataset says so. Puts
/// the rows into the source.
pub(super) fn check(dataset: &Dataset, rows: &[Row], source: &mut Source, table: &mut Table, cx: &mut Context<'_>) {
    let inferred = dataset.columns.is_empty() || dataset.rest.is_some();
    for row in rows {
        let given = |name: &str| row.cells.iter().any(|(other, _)| other.name == name);
        for (i, (name, _)) in row.cells.iter().enumerate() {
            if let Some((first, _)) = row.cells[..i].iter().find(|(other, _)| other.name == name.name) {
                let diagnostic =
                    Diagnostic::error(Code::E0102, name.span, format!("the row has two values of `{}`", name.name))
                        .again()
                        .related(first.span, "first here");
                cx.out.push(diagnostic);
            }
            let declared = source.columns.iter().any(|c| c.header == name.name);
            if !declared && inferred {
                infer(dataset, name, rows, source, table, cx);
            } else if !declared {
                let diagnostic = Diagnostic::error(Code::E0304, name.span, format!("`{}` is not declared", name.name))
                    .label("no such column")
                    .help("declare it, or end the block with `..`")
                    .near(&name.name, source.columns.iter().map(|c| c.header.as_str()).filter(|c| !given(c)));
                cx.out.push(diagnostic);
            }
        }
    }
    if source.columns.is_empty() {
        let diagnostic = Diagnostic::error(
            Code::E0303,
            dataset.source.span(),
            format!("the columns of `{}` are not known", dataset.name.name),
        )
        .label("no row tells them")
        .help("declare the columns: `{ id: int key … }`");
        cx.out.push(diagnostic);
        table.broken = true;
        return;
    }
    let rows = rows.iter().map(|row| values(row, source, table, cx)).collect();
    source.format = Format::Inline { rows };
}

/// The values of a row in the order of the columns; what is wrong with one is told, and null stands for it.
fn values(row: &Row, source: &Source, table: &Table, cx: &mut Context<'_>) -> Vec<Value> {
    let mut values = Vec::with_capacity(source.columns.len());
    for column in &source.columns {
        let declared = table.get(&column.name).expect("a source has the columns of its table");
        let wanted = Wanted {
            dtype: declared.dtype.clone(),
            nullable: declared.nullable,
            refinement: declared.refinement.clone(),
        };
        let cell = row.cells.iter().find(|(name, _)| name.name == column.header).map(|(_, cell)| cell);
        values.push(match cell {
            None if wanted.nullable || wanted.dtype == DataType::Unknown => Value::Null,
            None => {
                let message = format!("the row has no `{}`, which may not be null", column.header);
                let diagnostic = Diagnostic::error(Code::E0208, row.span, message)
                    .label("not given")
                    .related(declared.span, format!("`{}` is {wanted}", column.header))
                    .help("give it a value, or declare the column with `?`");
                cx.out.push(diagnostic);
                Value::Null
            }
            Some(cell) => fitted(cell, column, &wanted, declared, cx),
        });
    }
    values
}

fn fitted(cell: &Expr, column: &SourceColumn, wanted: &Wanted, declared: &Column, cx: &mut Context<'_>) -> Value {
    let Some(constant) = constant(cell, cx) else { return Value::Null };
    if wanted.dtype == DataType::Unknown {
        return Value::Null;
    }
    // More digits than a float keeps.
    let long = matches!((&constant, &wanted.dtype), (Value::Float(x), DataType::Decimal { .. }) if Decimal::of_float(*x).is_none());
    match value::fit(constant, wanted) {
        Ok(value) => value,
        Err(found) => {
            let message = format!("`{}` is {wanted}, not {found}", column.header);
            let mut diagnostic = Diagnostic::error(Code::E0201, cell.span, message)
                .label("does not fit")
                .related(declared.span, "the column")
                .help(format!("write a value of {wanted}, or declare the column so that it takes this one"));
            if long {
                diagnostic =
                    diagnostic.help("a number of more than 15 digits is written as a text: `\"12345678901234567.89\"`");
            }
            cx.out.push(diagnostic);
            Value::Null
        }
    }
}

/// A row holds constants only.
fn constant(cell: &Expr, cx: &mut Context<'_>) -> Option<Value> {
    let constant = cell.constant();
    if constant.is_none() {
        let diagnostic = Diagnostic::error(Code::E0105, cell.span, "a row holds values, nothing to be computed")
            .label("not a constant")
            .help("compute it in a transform with `derive`");
        cx.out.push(diagnostic);
    }
    constant
}

/// A column of which nothing is declared: the one type of its values.
fn infer(dataset: &Dataset, name: &Ident, rows: &[Row], source: &mut Source, table: &mut Table, cx: &mut Context<'_>) {
    let mut dtype = DataType::Unknown;
    let mut nullable = false;
    for row in rows {
        let cell = row.cells.iter().find(|(other, _)| other.name == name.name).map(|(_, cell)| cell);
        let value = cell.and_then(Expr::constant);
        nullable |= cell.is_none() || value == Some(Value::Null);
        let (Some(cell), Some(value)) = (cell, value) else { continue };
        match types::common(&dtype, &types::of_value(&value)) {
            Some(common) => dtype = common,
            None => {
                let message = format!("`{}` is {dtype} above and {} here", name.name, types::of_value(&value));
                let diagnostic = Diagnostic::error(Code::E0201, cell.span, message)
                    .label("another type")
                    .help(format!("write values of one type, or declare the column: `{{ {}: string }}`", name.name));
                cx.out.push(diagnostic);
                dtype = DataType::Unknown;
                break;
            }
        }
    }
    let of_no_type = |dtype: &DataType| match dtype {
        DataType::List { item } => **item == DataType::Unknown,
        other => *other == DataType::Unknown,
    };
    let told = cx.out.last().is_some_and(|d| d.message.starts_with(&format!("`{}` is ", name.name)));
    if of_no_type(&dtype) && !told {
        let diagnostic =
            Diagnostic::error(Code::E0201, name.span, format!("the rows do not tell what `{}` is", name.name))
                .label("of no type")
                .help(format!("declare it: `{{ {}: string? .. }}`", name.name));
        cx.out.push(diagnostic);
        dtype = DataType::Unknown;
    }
    let mut column = Column::new(name.name.clone(), dtype, nullable, name.span);
    column.origin.insert((dataset.name.name.clone(), name.name.clone()));
    column.plain = true;
    source.columns.push(SourceColumn { name: name.name.clone(), header: name.name.clone(), span: name.span });
    table.put(column);
}
