//! Which columns a selection means.

use dbjob_plan::DataType;

use super::expr::unknown_column;
use super::table::{Column, Role, Table};
use super::taint::TaintKind;
use crate::catalog::words;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Ident, Selector};

/// The names that a selector means, in the table's order for `all` and `where`; an unknown name is reported.
pub(super) fn columns_of(selector: &Selector, table: &Table, out: &mut Vec<Diagnostic>) -> Vec<String> {
    let without = |except: &[Selector], keep: &dyn Fn(&Column) -> bool, out: &mut Vec<Diagnostic>| {
        let except: Vec<String> = except.iter().flat_map(|e| columns_of(e, table, out)).collect();
        table.columns.iter().filter(|c| keep(c) && !except.contains(&c.name)).map(|c| c.name.clone()).collect()
    };
    match selector {
        Selector::Name(name) => {
            if known(name, table, out) {
                vec![name.name.clone()]
            } else {
                vec![]
            }
        }
        Selector::All { except, .. } => without(except, &|_| true, out),
        Selector::Where { ty, except, .. } => {
            let Some(keep) = predicate(&ty.name) else {
                let diagnostic =
                    Diagnostic::error(Code::E0110, ty.span, format!("`{}` is neither a type nor a role", ty.name))
                        .label("unknown type or role");
                let known = words::TYPES.iter().map(|w| w.name).chain(words::ROLES.iter().copied());
                let known = known.chain(["number", "feature"]);
                out.push(diagnostic.near(&ty.name, known));
                return vec![];
            };
            without(except, &|c| keep(c), out)
        }
    }
}

pub(super) fn known(name: &Ident, table: &Table, out: &mut Vec<Diagnostic>) -> bool {
    let found = table.get(&name.name).is_some();
    if !found && !table.excuses(&name.name) {
        out.push(unknown_column(table, &name.name, name.span));
    }
    found
}

fn predicate(word: &str) -> Option<fn(&Column) -> bool> {
    Some(match word {
        "int" => |c| c.dtype == DataType::Int,
        "float" => |c| c.dtype == DataType::Float,
        "number" | "numeric" => |c| c.dtype.is_numeric(),
        "decimal" => |c| matches!(c.dtype, DataType::Decimal { .. }),
        "bool" => |c| c.dtype == DataType::Bool,
        "string" => |c| c.dtype == DataType::String,
        "category" => |c| matches!(c.dtype, DataType::Category { .. }),
        "date" => |c| c.dtype == DataType::Date,
        "datetime" => |c| c.dtype == DataType::Datetime,
        "duration" => |c| c.dtype == DataType::Duration,
        "list" => |c| matches!(c.dtype, DataType::List { .. }),
        "vector" => |c| matches!(c.dtype, DataType::Vector { .. }),
        "key" => |c| c.role == Role::Key,
        "id" => |c| c.role == Role::Id,
        "time" => |c| c.role == Role::Time,
        "label" => |c| c.role == Role::Label,
        "weight" => |c| c.role == Role::Weight,
        "feature" => |c| c.role == Role::Feature,
        "late" => |c| c.taint.iter().any(|(_, source)| source.kind == TaintKind::Late),
        _ => return None,
    })
}
