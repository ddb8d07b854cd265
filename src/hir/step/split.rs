//! `split`: the deterministic hash split.

use dbjob_plan::{DataType, Op, Span, Split};

use crate::diagnostic::{Code, Diagnostic};
use crate::hir::Served;
use crate::hir::items::not_yet;
use crate::hir::options;
use crate::hir::selection::known;
use crate::hir::statistic;
use crate::hir::table::SplitFact;
use crate::hir::transform::Builder;
use crate::syntax::ast::{SplitSize, SplitStep};

const PARTS: [&str; 3] = ["train", "valid", "test"];

pub(in crate::hir) fn check(split: &SplitStep, verb: Span, span: Span, b: &mut Builder<'_, '_>) {
    for (what, given) in [
        ("`split stratify`", split.stratify.as_ref().map(|i| i.span)),
        ("`split using`", split.using.as_ref().map(|i| i.span)),
        ("`split at`", split.at.as_ref().map(|i| i.span)),
        ("`split folds`", split.folds.as_ref().map(|e| e.span)),
        ("`gap`", split.gap.as_ref().map(|e| e.span)),
    ] {
        if let Some(at) = given {
            b.report(not_yet(what, at));
            return;
        }
    }
    if let Some(first) = &b.table.split {
        let diagnostic = Diagnostic::error(Code::E0102, verb, "the rows are split already")
            .label("a second split")
            .related(first.span, "first here")
            .help("one of the two must go");
        b.report(diagnostic);
        return;
    }
    let mut shares: [Option<f64>; 3] = [None; 3];
    for part in &split.parts {
        let Some(index) = PARTS.iter().position(|p| *p == part.part.name) else {
            let diagnostic =
                Diagnostic::error(Code::E0104, part.part.span, format!("there is no part `{}`", part.part.name))
                    .label("unknown part");
            b.report(diagnostic.help("the parts are train, valid and test").near(&part.part.name, PARTS));
            return;
        };
        let share = match &part.size {
            SplitSize::Share(share) => share,
            SplitSize::Before(at) | SplitSize::From(at) => {
                b.report(not_yet("a split at a time", at.span));
                return;
            }
        };
        let value = options::constant(share).and_then(|v| v.as_f64());
        match value {
            Some(x) if (0.0..=1.0).contains(&x) && shares[index].is_none() => shares[index] = Some(x),
            Some(x) if (0.0..=1.0).contains(&x) => {
                b.report(
                    Diagnostic::error(Code::E0104, part.part.span, format!("`{}` is given twice", part.part.name))
                        .label("again here"),
                );
                return;
            }
            _ => {
                let what = options::describe(share);
                b.report(
                    Diagnostic::error(Code::E0105, share.span, format!("a part is a share like 20%, not {what}"))
                        .label("not a share")
                        .help("write test 20%"),
                );
                return;
            }
        }
    }
    let [train, valid, test] = shares;
    let given = train.unwrap_or(0.0) + valid.unwrap_or(0.0) + test.unwrap_or(0.0);
    // `split test 20%`: the rest is train.
    let train = train.unwrap_or(1.0 - given);
    let (valid, test) = (valid.unwrap_or(0.0), test.unwrap_or(0.0));
    if (train + valid + test - 1.0).abs() > 1e-9 || train < 0.0 {
        let total = (train + valid + test) * 100.0;
        b.report(
            Diagnostic::error(Code::E0105, span, format!("the parts sum to {total:.0} %, not to 100 %"))
                .label("these shares"),
        );
        return;
    }
    if train == 0.0 {
        b.report(Diagnostic::error(Code::E0105, span, "nothing is left to learn from").label("train is 0 %"));
        return;
    }
    let mut by: Vec<String> = Vec::new();
    for name in &split.by {
        if !known(name, &b.table, &mut b.cx.out) {
            return;
        }
        let column = b.table.get(&name.name).expect("known above");
        if column.dtype == DataType::Float {
            let diagnostic =
                Diagnostic::error(Code::E0201, name.span, "a float is no split key: its text differs between engines")
                    .label("this is float")
                    .help("split by an int, string, bool or date");
            b.report(diagnostic);
            return;
        }
        by.push(name.name.clone());
    }
    if by.is_empty()
        && let Some(key) = b
            .table
            .keys
            .iter()
            .find(|key| key.iter().all(|k| b.table.get(k).is_some_and(|c| c.dtype != DataType::Float)))
    {
        // In the order of the columns, so that the text of the key does not hang on names.
        by = b.table.names().filter(|n| key.contains(*n)).map(str::to_owned).collect();
    }
    let fact = SplitFact { by: by.clone(), shares: [train, valid, test], span };
    if let Some(diagnostic) = statistic::torn_apart(&b.table, &fact, None) {
        b.report(diagnostic);
    }
    b.table.split = Some(fact);
    b.push(Op::Split(Split { by, train, valid, test }), span, Served::Skipped);
}
