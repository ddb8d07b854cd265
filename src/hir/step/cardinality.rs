//! `one_hot` of columns with many values: a column of zeros for each of them, and nothing to learn from the rare ones.

use dbjob_plan::{DataType, Op, Value};

use crate::diagnostic::{Code, Diagnostic};
use crate::hir::table::Column;
use crate::hir::transform::Builder;
use crate::hir::{ItemBody, Step};
use crate::syntax::ast::Call;

/// More columns than this are many.
const MANY: usize = 100;

/// A warning of a column that is about to be mapped. A `min_count` keeps the rare levels out.
pub(super) fn warn(op: &Call, min_count: &Value, column: &Column, b: &mut Builder<'_, '_>) {
    let name = &column.name;
    if let Some(how_many) = how_many(column, b).filter(|_| *min_count == Value::Int(1)) {
        let diagnostic = Diagnostic::warning(Code::W0414, op.span, format!("`{name}` has {how_many}"))
            .label("a column of its own for each")
            .related(column.span, format!("`{name}` comes from here"))
            .help("leave rare values out with `one_hot(min_count = 20)`, or use `target_encode`, `count_encode` or `hash_bucket`");
        b.report(diagnostic);
    }
}

fn how_many(column: &Column, b: &Builder<'_, '_>) -> Option<String> {
    // An id, or one key of several, may name few things: the carriers of flights.
    if b.table.unique_by([column.name.as_str()]) {
        return Some("another value in each row".to_owned());
    }
    let levels = match &column.dtype {
        DataType::Category { levels: Some(levels) } => levels.len(),
        _ => locked_levels(column, b)?,
    };
    (levels > MANY).then(|| format!("{levels} levels"))
}

/// How many levels the lock has seen of a source column.
fn locked_levels(column: &Column, b: &Builder<'_, '_>) -> Option<usize> {
    let (dataset, name) = column.origin.first().filter(|_| column.plain && column.origin.len() == 1)?;
    let item = b.cx.items.named(dataset)?;
    let ItemBody::Table { steps, .. } = &item.body else { return None };
    let Some(Step { op: Op::Read(source), .. }) = steps.first() else { return None };
    let header = &source.columns.iter().find(|c| c.name == *name)?.header;
    b.cx.world.levels(source, header)
}
