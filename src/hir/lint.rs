//! Doubts about a job as a whole, told once all of it is known and sound.

use dbjob_plan::Task;

use super::check::Context;
use super::{Item, ItemBody, Model};
use crate::diagnostic::{Code, Diagnostic, Severity};

pub(super) fn check_all(cx: &mut Context<'_>) {
    if cx.out.iter().any(|d| d.severity == Severity::Error) {
        return;
    }
    let models: Vec<(&Item, &Model)> = cx
        .items
        .iter()
        .filter_map(|item| match &item.body {
            ItemBody::Model(model) => Some((&**item, &**model)),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    judged_by_one_test(&models, cx, &mut found);
    found.extend(models.iter().filter_map(|(_, model)| accuracy_alone(model)));
    cx.out.extend(found);
}

/// Whoever looks at several models on the test part and takes the best has chosen by it: the figure of the best is
/// then too good.
fn judged_by_one_test(models: &[(&Item, &Model)], cx: &Context<'_>, out: &mut Vec<Diagnostic>) {
    let test_of = |model: &Model| {
        let split = cx.tables.get(&model.input)?.split.as_ref()?;
        (!model.spec.metrics.is_empty()).then(|| (split.span, model.spec.output.column.clone()))
    };
    for (index, (item, model)) in models.iter().enumerate() {
        let Some(test) = test_of(model) else { continue };
        let mut before = models[..index].iter().filter(|(_, other)| test_of(other).as_ref() == Some(&test));
        let Some((first, first_model)) = before.next() else { continue };
        let column = &model.spec.output.column;
        let message = format!("`{}` and `{}` are both judged for `{column}` by one test part", first.name, item.name);
        let diagnostic = Diagnostic::warning(Code::W0412, model.span, message)
            .label("judged by the same test rows")
            .related(first_model.span, "judged by them too")
            .related(test.0, "the split")
            .help("choose by other rows: `fit best by METRIC { … }` compares algorithms and reads the test part once");
        out.push(diagnostic);
    }
}

/// `accuracy` tells nothing of a rare class: never naming it is accurate.
fn accuracy_alone(model: &Model) -> Option<Diagnostic> {
    let spec = &model.spec;
    let compared = spec.require.iter().any(|r| r.expr.columns().iter().any(|c| c.starts_with("baseline.")));
    if spec.task != Task::Classification || spec.metrics.iter().any(|m| m != "accuracy") || compared {
        return None;
    }
    spec.metrics.first()?;
    let message = format!("`{}` is judged by accuracy alone, which a rare class hardly touches", spec.model);
    let diagnostic = Diagnostic::warning(Code::W0413, model.span, message).label("judged by accuracy alone");
    Some(diagnostic.help("add `balanced_accuracy`, `auc` or `log_loss`, or `require accuracy > baseline`"))
}
