//! Models: inputs, output, algorithm, metrics and gates.

use std::collections::BTreeSet;
use std::sync::Arc;

use dbjob_plan::{
    Calibration, CalibrationMethod, Conformal, FitSpec, Output, PART, Said, Span, SplitFolds, Task, Value,
    prediction_schema,
};

use super::check::{Context, ModelFact};
use super::fit::{Learned, Learning};
use super::items::{not_yet, table_named};
use super::selection::{columns_of, known};
use super::serving::{self, Accept};
use super::setting::Settings;
use super::split::SplitFact;
use super::table::{Role, Table};
use super::{Item, ItemBody, Model};
use crate::catalog::{algorithm, setting, words};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, ItemKind, ModelStatementKind, Selector, SourceExpr};

pub(super) fn check(
    model: &ast::Model,
    doc: Option<String>,
    span: Span,
    position: usize,
    accepts_inputs: bool,
    cx: &mut Context<'_>,
) {
    let name = model.name.name.clone();
    if cx.models.contains_key(&name) {
        return;
    }
    cx.models.insert(name.clone(), None);
    let input_item = match &model.from {
        SourceExpr::Name(name) => name,
        SourceExpr::Call(call) => return cx.out.push(not_yet("models of another job", call.span)),
        SourceExpr::Inline { span, .. } => {
            return cx.out.push(
                Diagnostic::error(Code::E0107, *span, "a model learns from a dataset or transform").label("neither"),
            );
        }
    };
    let table = table_named(cx, input_item);
    let mut draft = Draft { model: name.clone(), table, ..Draft::default() };
    for statement in &model.statements {
        draft.statement(statement, cx);
    }
    let errors = |cx: &Context<'_>| cx.out.iter().filter(|d| d.severity == crate::diagnostic::Severity::Error).count();
    let before = errors(cx);
    // A statement that could not be read, or has an unknown verb, may be the missing one.
    let unknown = model.statements.iter().any(|s| matches!(s.kind, ModelStatementKind::Unknown { .. }));
    let broken = unknown || cx.is_broken(span);
    let Some((mut spec, boundary_inputs)) = draft.finish(model, broken, cx) else { return };
    if draft.table.broken || draft.wrong || errors(cx) > before {
        return;
    }
    let accept = if accepts_inputs { Accept::Inputs } else { Accept::Dataset };
    let served = serving::plan(&input_item.name, &boundary_inputs, accept, cx);
    spec.serving = served.serving;
    let schema = prediction_schema("prediction", spec.task, &spec.output, spec.conformal.is_some(), None);
    cx.models.insert(
        name.clone(),
        Some(ModelFact {
            input: input_item.name.clone(),
            inputs: spec.inputs.clone(),
            output: spec.output.clone(),
            task: spec.task,
            request: spec.serving.request.clone(),
            boundary: served.boundary.clone(),
            renames: served.renames,
            intervals: spec.conformal.is_some(),
            folds: draft.table.split.as_ref().and_then(SplitFact::folds).cloned(),
            rows_known: draft.table.split.as_ref().is_some_and(|split| split.rows),
            span: model.name.span,
        }),
    );
    let body = ItemBody::Model(Box::new(Model {
        input: input_item.name.clone(),
        spec,
        places: boundary_inputs.iter().map(|wanted| wanted.span).collect(),
        lookups: served.lookups,
        boundary: served.boundary,
        schema,
        span: model.name.span,
    }));
    cx.items.push(Arc::new(Item { name, doc, span, body, position }));
}

/// The models whose deployments say that callers send the inputs.
pub(super) fn accepting(file: &ast::File) -> BTreeSet<&str> {
    let says = |deploy: &ast::Deploy| {
        deploy.statements.iter().any(|s| matches!(s, ast::DeployStatement::Accept(what) if what.name == "inputs"))
    };
    file.items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Deploy(deploy) if says(deploy) => Some(deploy.from.name.as_str()),
            _ => None,
        })
        .collect()
}

fn is_setting(name: &str) -> bool {
    setting::MODEL.iter().any(|s| s.name == name)
}

/// A model while its statements are read.
#[derive(Default)]
pub(super) struct Draft {
    model: String,
    pub(super) table: Table,
    /// (column, the name that callers see with its place, the place of the selection)
    pub(super) inputs: Vec<(String, Option<ast::Text>, Span)>,
    pub(super) output: Option<(Output, Task, Span)>,
    weight: Option<String>,
    pub(super) learning: Learning,
    /// Those that have one value.
    settings: Vec<ast::Setting>,
    metrics: Vec<ast::Call>,
    pub(super) require: Vec<(ast::Expr, Option<ast::Ident>, Span)>,
    /// Something was reported; the model cannot be finished.
    pub(super) wrong: bool,
}

impl Draft {
    pub(super) fn report(&mut self, diagnostic: Diagnostic, cx: &mut Context<'_>) {
        self.wrong = true;
        cx.out.push(diagnostic);
    }

    fn statement(&mut self, statement: &ast::ModelStatement, cx: &mut Context<'_>) {
        let twice = |what: &str| {
            Diagnostic::error(Code::E0102, statement.verb, format!("a model has one `{what}`"))
                .label("a second one")
                .help("drop one of them")
        };
        match &statement.kind {
            ModelStatementKind::Input(inputs) => inputs.iter().for_each(|input| self.input(input, cx)),
            ModelStatementKind::Output { .. } if self.output.is_some() => self.report(twice("output"), cx),
            ModelStatementKind::Output { column, ty, classes, raw } => {
                self.output(column, ty.as_ref(), *classes, *raw, cx)
            }
            ModelStatementKind::Weight(name) => {
                if known(name, &self.table, &mut cx.out) {
                    let column = self.table.get(&name.name).expect("known above");
                    if !column.dtype.is_numeric() || column.nullable {
                        let diagnostic =
                            Diagnostic::error(Code::E0404, name.span, "a weight is a number that is never null")
                                .label(format!("this is {}{}", column.dtype, if column.nullable { "?" } else { "" }))
                                .help("derive one above: `derive w = coalesce(x, 1.0)`");
                        self.report(diagnostic, cx);
                    }
                    self.weight = Some(name.name.clone());
                } else {
                    self.wrong = true;
                }
            }
            ModelStatementKind::Fit(_) | ModelStatementKind::FitBest { .. } if self.has_fit() => {
                self.report(twice("fit"), cx)
            }
            ModelStatementKind::Fit(fit) => self.fit(fit, cx),
            ModelStatementKind::FitBest { metric, candidates } => self.fit_best(metric, candidates, cx),
            ModelStatementKind::Tune { .. } if self.is_tuned() => self.report(twice("tune"), cx),
            ModelStatementKind::Tune { strategy, metric } => self.tune(strategy, metric.as_ref(), statement.verb, cx),
            ModelStatementKind::RefitOnAll if self.learning.refit.is_some() => self.report(twice("refit"), cx),
            ModelStatementKind::RefitOnAll => self.learning.refit = Some(statement.span),
            ModelStatementKind::Setting(setting) if setting.name.name == "threshold" => self.threshold(setting, cx),
            ModelStatementKind::Setting(setting) if is_setting(&setting.name.name) => {
                self.settings.push(setting.clone())
            }
            ModelStatementKind::Setting(setting) => {
                let diagnostic = Diagnostic::error(
                    Code::E0104,
                    setting.name.span,
                    format!("a model has no setting `{}`", setting.name.name),
                )
                .label("unknown setting")
                .near(&setting.name.name, setting::MODEL.iter().map(|s| s.name).chain(["threshold"]));
                let diagnostic = match diagnostic.help {
                    None => diagnostic
                        .help("options of the algorithm stand in its block: `fit random_forest { trees = 300 }`"),
                    Some(_) => diagnostic,
                };
                self.report(diagnostic, cx);
            }
            ModelStatementKind::Evaluate { metrics, by } => {
                for call in metrics {
                    match by {
                        Some(by) => self.slice(call, by, cx),
                        None => self.metrics.push(call.clone()),
                    }
                }
            }
            ModelStatementKind::Require { condition, for_each } => {
                if for_each.as_ref().is_none_or(|by| self.sliceable(by, cx)) {
                    self.require.push((condition.clone(), for_each.clone(), statement.span));
                } else {
                    self.wrong = true;
                }
            }
            ModelStatementKind::Unknown { verb } => {
                let diagnostic = Diagnostic::error(Code::E0103, verb.span, format!("a model has no `{}`", verb.name))
                    .label("unknown verb");
                let alias = match verb.name.as_str() {
                    "features" | "inputs" | "set_input" => Some("input"),
                    "target" | "label" | "predict" | "outputs" | "set_output" => Some("output"),
                    "train" | "algorithm" | "learn" => Some("fit"),
                    "metric" | "metrics" | "score" => Some("evaluate"),
                    "assert" | "gate" => Some("require"),
                    _ => None,
                };
                let diagnostic = match alias {
                    Some(alias) => diagnostic.instead(alias),
                    None => diagnostic
                        .help(format!("a model has {}", words::MODEL_VERBS.join(", ")))
                        .near(&verb.name, words::MODEL_VERBS.iter().copied()),
                };
                self.report(diagnostic, cx);
            }
        }
    }

    fn input(&mut self, input: &ast::Input, cx: &mut Context<'_>) {
        let span = match &input.selector {
            Selector::Name(name) => name.span,
            Selector::All { span, .. } | Selector::Where { span, .. } => *span,
        };
        let errors = cx.out.len();
        let columns = columns_of(&input.selector, &self.table, &mut cx.out);
        self.wrong |= cx.out.len() > errors;
        if let (Some(name), true) = (&input.name, columns.len() > 1) {
            let diagnostic = Diagnostic::error(Code::E0204, name.span, "several inputs cannot have one name")
                .label("the name of all of them")
                .help("name them one by one");
            return self.report(diagnostic, cx);
        }
        for column in columns {
            if let Some((_, _, first)) = self.inputs.iter().find(|(c, _, _)| *c == column) {
                if matches!(input.selector, Selector::Name(_)) {
                    let diagnostic = Diagnostic::error(Code::E0102, span, format!("`{column}` is an input already"))
                        .again()
                        .related(*first, "first here");
                    let plain = input.name.is_none();
                    self.report(if plain { diagnostic.needless(span) } else { diagnostic }, cx);
                }
                continue;
            }
            self.inputs.push((column, input.name.clone(), span));
        }
    }

    /// The finished specification without its serving plan, and each input with the place and name a caller knows it by.
    fn finish(
        &mut self,
        model: &ast::Model,
        broken: bool,
        cx: &mut Context<'_>,
    ) -> Option<(FitSpec, Vec<serving::Wanted>)> {
        let missing = |what: &str, write: &str| {
            Diagnostic::error(Code::E0108, model.name.span, format!("the model `{}` has no `{what}`", model.name.name))
                .label(format!("without `{what}`"))
                .help(format!("write `{write}`"))
        };
        let fits = model.statements.iter().flat_map(|s| match &s.kind {
            ModelStatementKind::Fit(fit) => std::slice::from_ref(fit),
            ModelStatementKind::FitBest { candidates, .. } => candidates,
            _ => &[],
        });
        let fits: Vec<_> = fits.map(|fit| algorithm::find(&fit.algorithm.name)).collect();
        let clusters = fits.iter().flatten().any(|entry| entry.clusters());
        // Of an algorithm that is not known it was told, and it may need no output.
        let may_cluster = clusters || fits.iter().any(Option::is_none);
        let said = |kind: fn(&ModelStatementKind) -> bool| model.statements.iter().any(|s| kind(&s.kind));
        for (there, what, write) in [
            (said(|k| matches!(k, ModelStatementKind::Input(_))), "input", "input a, b"),
            (said(|k| matches!(k, ModelStatementKind::Output { .. })), "output", "output y: bool"),
            (
                said(|k| matches!(k, ModelStatementKind::Fit(_) | ModelStatementKind::FitBest { .. })),
                "fit",
                "fit random_forest",
            ),
        ] {
            if there || (what == "output" && may_cluster) {
                continue;
            }
            self.wrong = true;
            if !broken {
                cx.out.push(missing(what, write));
            }
        }
        let (output, task, output_span) = match self.output.clone() {
            // What is wrong with an output that is written was told.
            None if clusters && !said(|k| matches!(k, ModelStatementKind::Output { .. })) => {
                (Output::cluster(), Task::Clustering, model.name.span)
            }
            output => output?,
        };
        let target = (task != Task::Clustering).then_some(output.column.as_str());
        let inputs = self.typed_inputs(target, output_span, cx);
        let stated = model.statements.iter().find_map(|s| match &s.kind {
            ModelStatementKind::Output { ty: Some(ty), classes: None, raw: None, .. } => Some(ty.span),
            _ => None,
        });
        let refit = self.learning.refit.is_some();
        let learned = self.learned(task, output_span, stated, cx);
        let metrics = self.checked_metrics(task, cx);
        let (require, metrics) = self.gates(task, metrics, cx);
        let errors = cx.out.len();
        let settings = std::mem::take(&mut self.settings);
        let settings = Settings::read(&settings, "a model", setting::MODEL, &mut cx.out);
        self.wrong |= cx.out.len() > errors;
        let intervals = self.intervals(&settings, &metrics, task, cx);
        let (calibration, conformal) = self.settled(&settings, task, cx);
        let Learned { algorithm, search, threshold, slices } = learned?;
        let wanted = self
            .inputs
            .iter()
            .map(|(column, name, span)| serving::Wanted {
                column: column.clone(),
                name: name.as_ref().map(|n| (n.value.clone(), n.span)),
                span: *span,
            })
            .collect();
        let identify = self
            .table
            .columns
            .iter()
            .filter(|c| matches!(c.role, Role::Key | Role::Id) && Some(c.name.as_str()) != target)
            .map(|c| c.name.clone())
            .collect();
        if task != Task::Clustering {
            self.can_be_judged(cx);
        }
        let split = self.table.split.as_ref();
        let spec = FitSpec {
            model: self.model.clone(),
            inputs,
            output,
            task,
            weight: self.weight.clone(),
            algorithm,
            search,
            refit,
            threshold,
            calibration,
            conformal,
            slices,
            split: split.is_some(),
            folds: split.and_then(SplitFact::folds).map(SplitFolds::count),
            judged_by_folds: task != Task::Clustering && split.is_some_and(|s| s.folds().is_some() && !s.has_test),
            metrics,
            intervals,
            require,
            serving: serving::nothing(),
            identify,
        };
        debug_assert!(!self.table.columns.iter().any(|c| c.name == PART), "the part is hidden");
        Some((spec, wanted))
    }

    fn settled(
        &mut self,
        settings: &Settings<'_>,
        task: Task,
        cx: &mut Context<'_>,
    ) -> (Option<Calibration>, Option<Conformal>) {
        let method = |word: &Value| match word.as_str()? {
            "sigmoid" => Some(CalibrationMethod::Sigmoid),
            _ => Some(CalibrationMethod::Isotonic),
        };
        let calibrate = settings.get("calibrate", method);
        let conformal = settings.get("conformal", Value::as_f64);
        let idle = match task {
            Task::Regression => {
                calibrate.as_ref().map(|said| (said.span, "numbers have no probabilities to calibrate"))
            }
            Task::Classification => conformal
                .as_ref()
                .map(|said| (said.span, "classes have no intervals: their probabilities say how sure a prediction is")),
            Task::Clustering => {
                let of = |span| (span, "clusters have neither probabilities nor intervals");
                calibrate.as_ref().map(|said| of(said.span)).or(conformal.as_ref().map(|said| of(said.span)))
            }
        };
        if let Some((span, message)) = idle {
            let diagnostic = Diagnostic::error(Code::E0109, span, message).label("no effect").help("drop it");
            self.report(diagnostic, cx);
        }
        let calibration = calibrate.map(|said| Calibration { method: said.value, curves: Vec::new() });
        (calibration, conformal.map(|said| Conformal { coverage: said.value, radius: None }))
    }

    fn intervals(
        &mut self,
        settings: &Settings<'_>,
        metrics: &[String],
        task: Task,
        cx: &mut Context<'_>,
    ) -> Option<f64> {
        let Said { value, span } = settings.get("intervals", Value::as_f64)?;
        if metrics.is_empty() {
            let diagnostic = Diagnostic::error(Code::E0109, span, "there are no metrics to have intervals")
                .label("no effect")
                .help("write `evaluate auc`, or drop it");
            self.report(diagnostic, cx);
        } else if task == Task::Clustering {
            self.report(not_yet("intervals of metrics of clusters", span), cx);
        }
        Some(value)
    }

    /// Metrics and gates need rows that were not learned from.
    fn can_be_judged(&mut self, cx: &mut Context<'_>) {
        let asked = self.metrics.first().map(|call| call.name.span).or(self.require.first().map(|(.., span)| *span));
        let Some(span) = asked.filter(|_| !self.table.broken && self.table.unsplit.is_none()) else { return };
        let diagnostic =
            Diagnostic::error(Code::E0108, span, format!("there are no test rows to judge `{}` by", self.model))
                .label("judged by what?");
        let diagnostic = match &self.table.split {
            Some(split) if split.has_test || split.folds().is_some() => return,
            Some(split) => diagnostic
                .related(split.span, "without a test part")
                .help("give it one, as in `split test 20%`, or write `split folds 5`"),
            None => diagnostic.help(format!("put `split test 20%` into the table that `{}` learns from", self.model)),
        };
        self.report(diagnostic, cx);
    }

    fn checked_metrics(&mut self, task: Task, cx: &mut Context<'_>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for call in self.metrics.clone() {
            let Some(name) = self.metric(&call, task, cx) else { continue };
            if names.contains(&name) {
                let message = format!("`{name}` is evaluated twice");
                self.report(Diagnostic::error(Code::E0102, call.span, message).again().needless(call.span), cx);
                continue;
            }
            names.push(name);
        }
        names
    }
}
