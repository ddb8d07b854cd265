//! `sample`, and what is for train rows only.

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind, Op, PART, PART_TRAIN, Sample, Span, Value};

use super::{key, shares};
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::Served;
use crate::hir::transform::Builder;
use crate::syntax::ast::{self, Ident};

pub(in crate::hir) fn sample(share: &ast::Expr, by: &[Ident], on: Option<Span>, span: Span, b: &mut Builder<'_, '_>) {
    if on.is_some_and(|on| !has_train(on, b)) {
        return;
    }
    let Some(part) = shares::share(share, "a sample", f64::MIN_POSITIVE, b) else { return };
    if part == 1.0 {
        let diagnostic = Diagnostic::error(Code::E0109, share.span, "a sample of 100 % leaves no row out")
            .label("no effect")
            .help("drop the step, or write a smaller share");
        return b.report(diagnostic);
    }
    let Some(key) = key::of(by, "sample key", b) else { return };
    for name in &key.columns {
        if let Some(column) = b.table.get(name) {
            let taint = column.taint.through(span, "rows are sampled by it here");
            b.table.chosen_by.absorb(&taint);
        }
    }
    b.table.samples += 1;
    let sample = Sample { key, share: part, number: b.table.samples, on_train: on.is_some() };
    b.push(Op::Sample(sample), span, Served::Skipped);
}

/// Whether there is a train part that a step can be for; reports that there is none.
fn has_train(on: Span, b: &mut Builder<'_, '_>) -> bool {
    if b.table.split.is_some() {
        return true;
    }
    if !b.table.broken {
        let diagnostic = Diagnostic::error(Code::E0108, on, "there is no train part: no split is above")
            .label("of which split?")
            .help("put a split above it: `split test 20%`");
        b.report(diagnostic);
    }
    false
}

/// A condition that holds for rows of other parts in any case; `None` if there are no parts, which is told.
pub(in crate::hir) fn on_train(condition: Expr, on: Span, b: &mut Builder<'_, '_>) -> Option<Expr> {
    if !has_train(on, b) {
        return None;
    }
    let span = condition.span;
    let binary = |op, left: Expr, right: Expr| {
        let nullable = left.nullable || right.nullable;
        let kind = ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) };
        Expr { kind, dtype: DataType::Bool, nullable, span }
    };
    let part = Expr::column(PART, DataType::Int, false, span);
    let train = Expr::literal(Value::Int(PART_TRAIN), DataType::Int, span);
    Some(binary(BinaryOp::Or, binary(BinaryOp::Ne, part, train), condition))
}
