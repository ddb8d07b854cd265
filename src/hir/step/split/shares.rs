//! Parts as shares of all rows.

use dbjob_plan::{Shares, Span, Value};

use super::PARTS;
use crate::diagnostic::{Code, Diagnostic};
use crate::hir::options;
use crate::hir::transform::Builder;
use crate::syntax::ast::{Expr, SplitPart, SplitSize};

/// The shares, what is left out of `test 20%` to train; without parts all is train. `None` if something was reported.
pub(super) fn of(parts: &[SplitPart], span: Span, b: &mut Builder<'_, '_>) -> Option<Shares> {
    let mut shares: [Option<f64>; 3] = [None; 3];
    for part in parts {
        let SplitSize::Share(written) = &part.size else { continue };
        let index = PARTS.iter().position(|p| *p == part.part.name)?;
        shares[index] = Some(share(written, "a part", 0.0, b)?);
    }
    let [train, valid, test] = shares;
    let given = train.unwrap_or(0.0) + valid.unwrap_or(0.0) + test.unwrap_or(0.0);
    let train = train.unwrap_or(1.0 - given);
    let (valid, test) = (valid.unwrap_or(0.0), test.unwrap_or(0.0));
    if (train + valid + test - 1.0).abs() > 1e-9 || train < 0.0 {
        let total = percent(train.max(0.0) + valid + test);
        let help = "without `train` it gets what is left: `split test 20%`";
        let message = format!("the parts sum to {total} %, not to 100 %");
        b.report(Diagnostic::error(Code::E0105, span, message).label("these shares").help(help));
        return None;
    }
    if train <= 1e-9 {
        b.report(
            Diagnostic::error(Code::E0105, span, "nothing is left to learn from")
                .label("train is 0 %")
                .help("write a smaller share: `split test 20%`"),
        );
        return None;
    }
    Some(Shares { train, valid, test })
}

/// 70, 12.5
fn percent(share: f64) -> String {
    let rounded = (share * 1e6).round() / 1e4;
    rounded.to_string()
}

/// A share from `low` to 1, of what a message calls `what`.
pub(super) fn share(written: &Expr, what: &str, low: f64, b: &mut Builder<'_, '_>) -> Option<f64> {
    let value = match options::constant(written) {
        // `test 20` is no share, and `test 1` is most likely 1 %.
        Some(Value::Float(x)) => Some(x),
        Some(Value::Int(0)) => Some(0.0),
        _ => None,
    };
    match value {
        Some(x) if (low..=1.0).contains(&x) => Some(x),
        _ => {
            let found = options::describe(written);
            let diagnostic =
                Diagnostic::error(Code::E0105, written.span, format!("{what} is a share like 20%, not {found}"))
                    .label("not a share");
            b.report(match options::constant(written) {
                Some(Value::Int(n)) if (1..=100).contains(&n) => diagnostic.help(format!("write {n}%")),
                _ => diagnostic.help("write a percentage: 20%"),
            });
            None
        }
    }
}
