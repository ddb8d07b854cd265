//! `split` and `sample`: which rows serve what.

mod key;
pub(in crate::hir::step) use key::of as key_of;
mod lint;
mod sample;
mod shares;
mod time;

use dbjob_plan::{DataType, Op, Span, Split, SplitFolds, SplitParts, Value};

use crate::diagnostic::{Code, Diagnostic};
use crate::hir::Served;
use crate::hir::options;
use crate::hir::selection::known;
use crate::hir::split::SplitFact;
use crate::hir::statistic;
use crate::hir::transform::Builder;
use crate::syntax::ast::{Expr, Ident, SplitSize, SplitStep};

pub(in crate::hir) use sample::{on_train, sample};

const PARTS: [&str; 3] = ["train", "valid", "test"];

pub(in crate::hir) fn check(split: &SplitStep, verb: Span, span: Span, b: &mut Builder<'_, '_>) {
    if let Some(first) = &b.table.split {
        let diagnostic = Diagnostic::error(Code::E0102, verb, "the rows are split already")
            .label("a second split")
            .related(first.span, "first here")
            .help("one of the two must go");
        b.report(diagnostic);
        return;
    }
    if !fits_together(split, verb, b) || !parts_are_known(split, b) {
        return;
    }
    let Some((made, given)) = method(split, span, b) else { return };
    lint::id_on_both_sides(split, &made, verb, b);
    lint::random_in_time(split, &made, verb, b);
    for name in made.columns() {
        // Which part a row is in says something of what the part was chosen by.
        if let Some(column) = b.table.get(name) {
            let taint = column.taint.elsewhere().through(span, "rows are put into parts by it here");
            b.table.chosen_by.absorb(&taint);
        }
    }
    let fact = SplitFact::new(&made, given, span);
    if let Some(diagnostic) = statistic::torn_apart(&b.table, &fact) {
        b.report(diagnostic);
    }
    b.table.split = Some(fact);
    b.push(Op::Split(made), span, Served::Skipped);
}

/// The split, and whether a given column may say valid and test; `None` if something was reported.
fn method(split: &SplitStep, span: Span, b: &mut Builder<'_, '_>) -> Option<(Split, [bool; 2])> {
    let mut key = key::of(&split.by, "split key", b)?;
    let count = match &split.folds {
        Some(count) => Some(fold_count(count, b)?),
        None => None,
    };
    let mut given = [false; 2];
    if let Some(at) = &split.at {
        let time = time::column(at, b)?;
        let gap = time::gap(split.gap.as_ref(), time.is_date, b)?;
        let time = time.name;
        let bounded = split.parts.iter().any(|p| matches!(p.size, SplitSize::Time { .. }));
        let parts = if bounded {
            time::bounds(&split.parts, &time, gap, b)?
        } else {
            SplitParts::Ordered { time: time.clone(), shares: shares::of(&split.parts, span, b)?, gap }
        };
        let folds = count.map(|count| SplitFolds::Rolling { time, count, gap });
        return Some((Split { parts, folds }, given));
    }
    let stratum = match &split.stratify {
        Some(column) => Some(key::stratum(column, &split.by, &mut key, b)?),
        None => None,
    };
    let parts = match (&split.using, &stratum) {
        (Some(using), _) => {
            given = given_parts(using, b)?;
            SplitParts::Given { column: using.name.clone() }
        }
        (None, Some(column)) => {
            let shares = shares::of(&split.parts, span, b)?;
            SplitParts::Stratified { key: key.clone(), column: column.clone(), shares }
        }
        (None, None) => SplitParts::Hash { key: key.clone(), shares: shares::of(&split.parts, span, b)? },
    };
    let folds = count.map(|count| match stratum {
        Some(column) => SplitFolds::Stratified { key, column, count },
        None => SplitFolds::Hash { key, count },
    });
    Some((Split { parts, folds }, given))
}

/// Clauses that say nothing beside others.
fn fits_together(split: &SplitStep, verb: Span, b: &mut Builder<'_, '_>) -> bool {
    let by = split.by.first().map(|first| first.span.to(split.by.last().map_or(first.span, |last| last.span)));
    let first_part = split.parts.first().map(|p| p.part.span);
    let mut problem = |code: Code, at: Span, message: &str, label: &str, help: &str| {
        b.report(Diagnostic::error(code, at, message).label(label).help(help));
        false
    };
    if let Some(using) = &split.using {
        if let Some(at) = first_part {
            let message = format!("`{}` says the part of every row, so shares have no effect", using.name);
            return problem(Code::E0109, at, &message, "no effect", "drop the shares, or drop `using`");
        }
        if let Some(other) = split.at.as_ref().or(split.stratify.as_ref()) {
            let message = format!("`{}` says the part of every row", using.name);
            return problem(Code::E0109, other.span, &message, "no effect", "drop one of the two");
        }
        if let (Some(at), None) = (by, &split.folds) {
            let message = format!("`{}` says the part of every row, so a key has no effect", using.name);
            return problem(Code::E0109, at, &message, "no effect", "drop `by`");
        }
    }
    if split.at.is_some() {
        if let Some(at) = by {
            let help = "drop `by`, or drop `at` to split by the key";
            return problem(Code::E0109, at, "the time decides, so a key has no effect", "no effect", help);
        }
        if let Some(stratify) = &split.stratify {
            let help = "drop `stratify`, or drop `at`";
            return problem(
                Code::E0109,
                stratify.span,
                "the time decides, so strata have no effect",
                "no effect",
                help,
            );
        }
    } else if let Some(gap) = &split.gap {
        let help = "drop it, or split in time: `split at TIME { … } gap 7d`";
        return problem(Code::E0109, gap.span, "a gap lies between parts in time", "no effect", help);
    } else if let Some(part) = split.parts.iter().find(|p| matches!(p.size, SplitSize::Time { .. })) {
        let help = "say which column is the time: `split at TIME { train before @2024-01-01, test from @2024-01-01 }`";
        return problem(
            Code::E0108,
            part.part.span,
            "a part that begins or ends needs a time",
            "of which column?",
            help,
        );
    }
    if split.parts.is_empty() && split.folds.is_none() && split.using.is_none() {
        let help = "write `split test 20%`, or `split by KEY { train 80%, test 20% }`";
        return problem(Code::E0108, verb, "the split has no parts", "into which parts?", help);
    }
    true
}

/// The names of the parts, each once.
fn parts_are_known(split: &SplitStep, b: &mut Builder<'_, '_>) -> bool {
    for (position, part) in split.parts.iter().enumerate() {
        let name = part.part.name.as_str();
        if !PARTS.contains(&name) {
            let diagnostic = Diagnostic::error(Code::E0104, part.part.span, format!("there is no part `{name}`"))
                .label("unknown part");
            b.report(diagnostic.help("the parts are train, valid and test").near(name, PARTS));
            return false;
        }
        if split.parts[..position].iter().any(|p| p.part.name == name) {
            let diagnostic = Diagnostic::error(Code::E0104, part.part.span, format!("`{name}` is given twice"));
            b.report(diagnostic.again());
            return false;
        }
    }
    true
}

fn fold_count(count: &Expr, b: &mut Builder<'_, '_>) -> Option<u32> {
    match options::constant(count) {
        Some(Value::Int(n)) if (2..=1000).contains(&n) => Some(n as u32),
        _ => {
            let what = options::describe(count);
            b.report(
                Diagnostic::error(Code::E0105, count.span, format!("`folds` is a number from 2 to 1000, not {what}"))
                    .label("not a number of folds")
                    .help("write `folds 5`"),
            );
            None
        }
    }
}

/// Whether the column may say valid and test.
fn given_parts(using: &Ident, b: &mut Builder<'_, '_>) -> Option<[bool; 2]> {
    if !known(using, &b.table, &mut b.cx.out) {
        return None;
    }
    let column = b.table.get(&using.name).expect("known above");
    let message = |what: &str| format!("`{}` {what}", using.name);
    let (may, diagnostic) = match &column.dtype {
        DataType::Unknown => return None,
        DataType::Bool => ([false, true], None),
        DataType::String | DataType::Category { levels: None } => ([true, true], None),
        DataType::Category { levels: Some(levels) } => {
            let says = |part: &str| levels.iter().any(|l| l == part);
            let other = levels.iter().find(|l| !PARTS.contains(&l.as_str()));
            let diagnostic = other.map(|level| {
                Diagnostic::error(
                    Code::E0105,
                    using.span,
                    message(&format!("may be {level:?}, and no part is called so")),
                )
                .label("not only parts")
                .related(column.span, "its levels")
                .help("the parts are \"train\", \"valid\" and \"test\"")
            });
            ([says("valid"), says("test")], diagnostic)
        }
        other => {
            let diagnostic = Diagnostic::error(Code::E0201, using.span, message(&format!("is {other}, not a part")))
                .label(format!("this is {other}"))
                .related(column.span, "its type")
                .help("a part is one of the texts train, valid and test, or a bool that is true for test");
            ([false, false], Some(diagnostic))
        }
    };
    let diagnostic = diagnostic.or_else(|| {
        column.nullable.then(|| {
            Diagnostic::error(Code::E0208, using.span, message("may be null, and such a row would be of no part"))
                .label("may be null")
                .related(column.span, "nullable here")
                .help(format!(
                    "write `filter {0} is not null` above, or say what null means: `derive replace {0} = {0} ?? …`",
                    using.name
                ))
        })
    });
    match diagnostic {
        Some(diagnostic) => {
            b.report(diagnostic);
            None
        }
        None => Some(may),
    }
}
