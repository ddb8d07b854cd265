//! What a model learns with: its algorithm, or the candidates among which it searches.

use std::collections::BTreeMap;

use dbjob_plan::{Algorithm, Candidate, DataType, Search, Slice, Space, Span, Strategy, Task, Threshold, Value};

use super::check::Context;
use super::idle;
use super::metric::{matter, named};
use super::model::Draft;
use super::options::{self, Given};
use super::selection::known;
use super::text;
use crate::catalog::options::{OptionSpec, OptionType};
use crate::catalog::{self, algorithm, metric};
use crate::diagnostic::{Code, Diagnostic, Edit, Fix};
use crate::syntax::ast;

/// The most combinations that a grid may have.
const LARGEST_GRID: u64 = 10_000;

/// Of a candidate.
const MOST_TRIALS: i64 = 1_000_000;

const SEARCHES: &str = "write `grid`, `random(20)`, `halving(50)` or `guided(50)`";

/// What a model says about its fit.
#[derive(Default)]
pub(super) struct Learning {
    candidates: Vec<Written>,
    /// `fit best by METRIC`.
    best_by: Option<ast::Call>,
    tune: Option<Tune>,
    pub refit: Option<Span>,
    threshold: Option<(ast::Expr, Span)>,
    slices: Vec<(ast::Call, ast::Ident)>,
}

impl Learning {
    /// All that may be fitted.
    pub fn algorithms(&self) -> Vec<&'static algorithm::Algorithm> {
        self.candidates.iter().filter_map(|w| algorithm::find(&w.candidate.algorithm.name)).collect()
    }
}

/// A candidate as it is written.
struct Written {
    candidate: Candidate,
    /// The options that are searched.
    searched: Vec<Span>,
    /// Each option's name, and the whole of it.
    options: Vec<(ast::Ident, Span)>,
    /// The inputs that options name.
    named: Vec<ast::Ident>,
}

struct Tune {
    strategy: Strategy,
    metric: Option<ast::Call>,
    span: Span,
}

/// What of it a plan has.
pub(super) struct Learned {
    pub algorithm: Algorithm,
    pub search: Option<Search>,
    pub threshold: Option<Threshold>,
    pub slices: Vec<Slice>,
}

impl Draft {
    pub(super) fn has_fit(&self) -> bool {
        !self.learning.candidates.is_empty() || self.learning.best_by.is_some()
    }

    pub(super) fn fit(&mut self, fit: &ast::Fit, cx: &mut Context<'_>) {
        let name = fit.algorithm.name.as_str();
        let Some(entry) = algorithm::find(name) else {
            let diagnostic = if catalog::map::find(name).is_some() {
                let message = format!("`{name}` is a map, which makes columns, and no algorithm");
                let help = match name {
                    "pca" => "write `map [a, b] with pca(2) as p` into the transform, and `input p`".to_owned(),
                    _ => format!("write `map COLUMN with {name}` into the transform"),
                };
                Diagnostic::error(Code::E0205, fit.algorithm.span, message).label("a map").help(help)
            } else {
                let diagnostic =
                    Diagnostic::error(Code::E0205, fit.algorithm.span, format!("there is no algorithm `{name}`"))
                        .label("unknown algorithm");
                let names: Vec<_> = catalog::ALGORITHMS.iter().map(|a| a.name).collect();
                diagnostic
                    .help(format!("the algorithms are {}", names.join(", ")))
                    .near(name, catalog::ALGORITHMS.iter().map(|a| a.name))
            };
            return self.report(diagnostic, cx);
        };
        // A searched option stands for its first value where one is wanted.
        let mut spaces: BTreeMap<String, Space> = BTreeMap::new();
        let mut places = Vec::new();
        let mut firsts: Vec<ast::Expr> = Vec::new();
        for option in fit.options.iter().filter(|o| o.tuned) {
            let Some(spec) = entry.options.iter().find(|s| s.name == option.name.name) else { continue };
            match space(spec, &option.value) {
                Ok(found) => {
                    let kind = match found.first() {
                        Value::Word(word) => ast::ExprKind::Name(word),
                        value => ast::ExprKind::Literal(value),
                    };
                    firsts.push(ast::Expr { kind, span: option.value.span });
                    spaces.insert(spec.name.to_owned(), found);
                    places.push(option.name.span);
                }
                Err(diagnostic) => return self.report(*diagnostic, cx),
            }
        }
        let mut first = firsts.iter();
        let given: Vec<Given<'_>> = fit
            .options
            .iter()
            .map(|o| {
                let searched = o.tuned && entry.options.iter().any(|s| s.name == o.name.name);
                let value = if searched { first.next().unwrap_or(&o.value) } else { &o.value };
                Given { name: Some(&o.name), value }
            })
            .collect();
        let Some(mut values) =
            options::resolve(&format!("`{name}`"), fit.algorithm.span, entry.options, &given, &mut cx.out)
        else {
            self.wrong = true;
            return;
        };
        if name == "logistic_regression" {
            name_optimizer(fit, &mut values);
        }
        let algorithm = Algorithm { name: name.to_owned(), options: values, span: fit.span };
        let options = fit.options.iter().map(|o| (o.name.clone(), o.name.span.to(o.value.span))).collect();
        let candidate = Candidate { algorithm, spaces };
        let named = named_inputs(fit, entry);
        self.learning.candidates.push(Written { candidate, searched: places, options, named });
    }

    pub(super) fn fit_best(&mut self, metric: &ast::Call, candidates: &[ast::Fit], cx: &mut Context<'_>) {
        self.learning.best_by = Some(metric.clone());
        for candidate in candidates {
            self.fit(candidate, cx);
        }
        if candidates.is_empty() {
            let diagnostic = Diagnostic::error(Code::E0108, metric.span, "`fit best` has no candidates")
                .label("the best of nothing")
                .help("write one algorithm a line: `fit best by auc { logistic_regression … }`");
            self.report(diagnostic, cx);
        }
    }

    pub(super) fn tune(&mut self, strategy: &ast::Call, metric: Option<&ast::Call>, verb: Span, cx: &mut Context<'_>) {
        let arg = strategy.args.first().map(|a| options::constant(&a.value));
        let trials = match arg {
            Some(Some(Value::Int(n))) if (1..=MOST_TRIALS).contains(&n) && strategy.args.len() == 1 => Some(n as u64),
            _ => None,
        };
        let found = match strategy.name.name.as_str() {
            "grid" => strategy.args.is_empty().then_some(Strategy::Grid),
            "random" => trials.map(Strategy::Random),
            "halving" => trials.map(Strategy::Halving),
            "guided" => trials.map(Strategy::Guided),
            other => {
                let message = format!("there is no search `{other}`");
                let diagnostic = Diagnostic::error(Code::E0205, strategy.name.span, message).label("unknown search");
                return self.report(diagnostic.help(SEARCHES).near(other, ["grid", "random", "halving", "guided"]), cx);
            }
        };
        let Some(strategy) = found else {
            let message = "`grid` takes nothing, the others a number of trials up to a million";
            let diagnostic = Diagnostic::error(Code::E0105, strategy.span, message)
                .label("not of that form")
                .help("write `tune grid by auc`, or `tune random(20) by auc`; so are `halving` and `guided`");
            return self.report(diagnostic, cx);
        };
        self.learning.tune = Some(Tune { strategy, metric: metric.cloned(), span: verb });
    }

    pub(super) fn is_tuned(&self) -> bool {
        self.learning.tune.is_some()
    }

    /// `threshold = 0.4`, `threshold = best f1`.
    pub(super) fn threshold(&mut self, setting: &ast::Setting, cx: &mut Context<'_>) {
        if self.learning.threshold.is_some() {
            let diagnostic = Diagnostic::error(Code::E0104, setting.name.span, "`threshold` is set twice").again();
            return self.report(diagnostic, cx);
        }
        match &setting.value {
            ast::SettingValue::Expr(value) => self.learning.threshold = Some((value.clone(), setting.name.span)),
            ast::SettingValue::Block(_) => self.report(wrong_threshold(setting.span, "a block"), cx),
        }
    }

    pub(super) fn slice(&mut self, metric: &ast::Call, by: &ast::Ident, cx: &mut Context<'_>) {
        if self.sliceable(by, cx) {
            self.learning.slices.push((metric.clone(), by.clone()));
        } else {
            self.wrong = true;
        }
    }

    /// Whether test rows can be told apart by this column.
    pub(super) fn sliceable(&mut self, by: &ast::Ident, cx: &mut Context<'_>) -> bool {
        if !known(by, &self.table, &mut cx.out) {
            return false;
        }
        let column = self.table.get(&by.name).expect("known above");
        let countable = matches!(
            column.dtype,
            DataType::Int | DataType::Bool | DataType::String | DataType::Category { .. } | DataType::Date
        );
        if !countable && column.dtype != DataType::Unknown {
            let message = format!("rows are not told apart by `{}`, which is {}", by.name, column.dtype);
            let diagnostic = Diagnostic::error(Code::E0201, by.span, message)
                .label(format!("this is {}", column.dtype))
                .related(column.span, "comes from here")
                .help("slices are by a category, string, bool, int or date");
            cx.out.push(diagnostic);
        }
        countable
    }

    /// All of it, once the task is known; `None` when something was reported.
    /// `stated`: the type of the output as written.
    pub(super) fn learned(
        &mut self,
        task: Task,
        output_span: Span,
        stated: Option<Span>,
        cx: &mut Context<'_>,
    ) -> Option<Learned> {
        let learning = std::mem::take(&mut self.learning);
        for Written { candidate, options, named, .. } in &learning.candidates {
            self.are_ordered_inputs(named, cx);
            self.has_one_score(candidate, options, output_span, cx);
            if self.fits_algorithm(&candidate.algorithm, task, (output_span, stated), cx) {
                let entry = algorithm::find(&candidate.algorithm.name).expect("found when it was read");
                let idle = idle::options(entry, candidate, options, task, output_span);
                idle.into_iter().for_each(|diagnostic| self.report(diagnostic, cx));
            }
        }
        let algorithm = learning.candidates.first().map(|w| w.candidate.algorithm.clone());
        let fits_are_sound = !self.wrong;
        let threshold = learning.threshold.as_ref().and_then(|(value, span)| self.threshold_of(value, *span, cx));
        let mut slices = Vec::new();
        for (call, by) in &learning.slices {
            if let Some(metric) = self.metric(call, task, cx) {
                slices.push(Slice { metric, column: by.name.clone() });
            }
        }
        let by_column = learning.slices.first().map(|(call, _)| call.span);
        if task == Task::Clustering {
            self.whole_only(by_column, cx);
        }
        // Of a candidate or a search that is wrong all was told.
        let search = if fits_are_sound { self.search(learning, task, cx) } else { None };
        Some(Learned { algorithm: algorithm?, search, threshold, slices })
    }

    /// Whether options name inputs, each once, and such that have an order; reported if not.
    fn are_ordered_inputs(&mut self, named: &[ast::Ident], cx: &mut Context<'_>) {
        for (i, ast::Ident { name, span }) in named.iter().enumerate() {
            let dtype = self.table.get(name).map(|column| column.dtype.clone());
            let diagnostic = if !self.inputs.iter().any(|(input, ..)| input == name) {
                Diagnostic::error(Code::E0203, *span, format!("`{name}` is no input of this model"))
                    .label("no input")
                    .near(name, self.inputs.iter().map(|(input, ..)| input.as_str()))
            } else if dtype
                .as_ref()
                .is_some_and(|d| !d.is_numeric() && !matches!(d, DataType::Bool | DataType::Unknown))
            {
                let dtype = dtype.expect("it was looked at");
                Diagnostic::error(Code::E0201, *span, format!("`{name}` is a {dtype}, which has no order to rise with"))
                    .label("no number")
                    .help("leave it out: inputs that are numbers may be named here")
            } else if let Some(first) = named[..i].iter().find(|other| other.name == *name) {
                Diagnostic::error(Code::E0105, *span, format!("`{name}` is named twice"))
                    .label("again")
                    .related(first.span, "here first")
                    .help("name it once: predictions rise or fall with it")
            } else {
                continue;
            };
            self.report(diagnostic, cx);
        }
    }

    /// Whether there is one score that may rise or fall with an input; reported if there is one for each of several classes.
    fn has_one_score(
        &mut self,
        candidate: &Candidate,
        options: &[(ast::Ident, Span)],
        output_span: Span,
        cx: &mut Context<'_>,
    ) {
        let Some((output, ..)) = &self.output else { return };
        let DataType::Category { levels: Some(levels) } = &output.dtype else { return };
        let entry = algorithm::find(&candidate.algorithm.name).expect("found when it was read");
        let inputs = |name: &str| entry.options.iter().any(|spec| spec.name == name && spec.ty == OptionType::Inputs);
        let Some((option, _)) = options.iter().find(|(option, _)| inputs(&option.name)) else { return };
        if levels.len() <= 2 {
            return;
        }
        let message = format!("`{}` is for numbers and two classes, and the output has {}", option.name, levels.len());
        let diagnostic = Diagnostic::error(Code::E0405, option.span, message)
            .label("of which class?")
            .related(output_span, format!("{} classes", levels.len()))
            .help("drop it: of more classes the probabilities depend on each other");
        self.report(diagnostic, cx);
    }

    fn search(&mut self, learning: Learning, task: Task, cx: &mut Context<'_>) -> Option<Search> {
        let searched: Vec<Span> = learning.candidates.iter().flat_map(|w| w.searched.iter().copied()).collect();
        if let (Some(tune), true) = (&learning.tune, searched.is_empty()) {
            let diagnostic =
                Diagnostic::error(Code::E0109, tune.span, "there is nothing to search: no option is written with `in`")
                    .label("no effect")
                    .help("write an option as `trees in [100, 300]`, or drop `tune`");
            self.report(diagnostic, cx);
            return None;
        }
        if let (None, Some(first)) = (&learning.tune, searched.first()) {
            let diagnostic = Diagnostic::error(Code::E0108, *first, "an option with several values needs a search")
                .label("searched by what?")
                .help("write `tune grid by METRIC` or `tune random(20) by METRIC` below, or `=` and one value");
            self.report(diagnostic, cx);
            return None;
        }
        let by = [learning.best_by.as_ref(), learning.tune.as_ref().and_then(|t| t.metric.as_ref())];
        let text = |call: &ast::Call| if call.args.is_empty() { call.name.name.clone() } else { text::call(call) };
        let span = learning.tune.as_ref().map(|t| t.span).or(learning.best_by.as_ref().map(|m| m.span))?;
        if let [Some(a), Some(b)] = by
            && text(a) != text(b)
        {
            let diagnostic = Diagnostic::error(Code::E0105, b.span, "the search and `fit best` choose by two metrics")
                .label(format!("by {}", text(b)))
                .related(a.span, format!("by {}", text(a)))
                .help("choose by one of them");
            self.report(diagnostic, cx);
            return None;
        }
        let Some(chosen) = by[1].or(by[0]) else {
            let diagnostic = Diagnostic::error(Code::E0108, span, "the search has no metric")
                .label("the best by what?")
                .help("write `tune … by auc`");
            self.report(diagnostic, cx);
            return None;
        };
        let metric = self.metric(chosen, task, cx)?;
        let strategy = learning.tune.as_ref().map_or(Strategy::Grid, |t| t.strategy);
        if strategy == Strategy::Grid {
            self.grid(&learning, span, cx)?;
        }
        let candidates = learning.candidates.into_iter().map(|w| w.candidate).collect();
        Some(Search { candidates, strategy, metric, span })
    }

    /// A grid has an end, and one that is reached.
    fn grid(&mut self, learning: &Learning, span: Span, cx: &mut Context<'_>) -> Option<()> {
        let mut total: u64 = 0;
        for Written { candidate, searched: places, .. } in &learning.candidates {
            let mut size: u64 = 1;
            for (space, place) in candidate.spaces.values().zip(places) {
                let Some(count) = space.count() else {
                    let diagnostic = Diagnostic::error(Code::E0105, *place, "a grid has no end over a range of floats")
                        .label("infinitely many values")
                        .help("list the values: `in [0.01, 0.1]`, or write `tune random(20)`");
                    self.report(diagnostic, cx);
                    return None;
                };
                size = size.saturating_mul(count);
            }
            total = total.saturating_add(size);
        }
        if total > LARGEST_GRID {
            let message = format!("this grid has {total} combinations, and more than {LARGEST_GRID} are not tried");
            let diagnostic =
                Diagnostic::error(Code::E0105, span, message).label("too many").help("write `tune random(100)`");
            self.report(diagnostic, cx);
            return None;
        }
        Some(())
    }

    fn threshold_of(&mut self, value: &ast::Expr, name: Span, cx: &mut Context<'_>) -> Option<Threshold> {
        if !self.output.as_ref().is_some_and(|(output, _, _)| output.dtype == DataType::Bool) {
            let diagnostic = Diagnostic::error(
                Code::E0109,
                name,
                "a threshold is of the probability of true, and the output is no bool",
            )
            .label("no effect")
            .help("drop it, or derive a bool to predict");
            self.report(diagnostic, cx);
            return None;
        }
        match (options::constant(value).and_then(|v| v.as_f64()), &value.kind) {
            (Some(x), _) if x > 0.0 && x < 1.0 => Some(Threshold::Fixed(x)),
            (None, ast::ExprKind::Call(call)) if call.name.name == "best" => {
                let metric = call.args.first().and_then(|a| Some((options::word(&a.value)?, a.value.span)));
                let Some((word, span)) = metric else {
                    self.report(wrong_threshold(value.span, "this"), cx);
                    return None;
                };
                self.metric(&named(word, span), Task::Classification, cx)?;
                if !metric::find(word).is_some_and(|m| m.of_labels) {
                    let diagnostic =
                        Diagnostic::error(Code::E0109, span, format!("`{word}` is the same at every threshold"))
                            .label("judges probabilities")
                            .help("write `best f1`, `best balanced_accuracy` or `best accuracy`");
                    self.report(diagnostic, cx);
                    return None;
                }
                Some(Threshold::Best(word.to_owned()))
            }
            _ => {
                self.report(wrong_threshold(value.span, &options::describe(value)), cx);
                None
            }
        }
    }

    /// Whether the algorithm learns what the output is; reported if not.
    fn fits_algorithm(
        &mut self,
        chosen: &Algorithm,
        task: Task,
        (output_span, stated): (Span, Option<Span>),
        cx: &mut Context<'_>,
    ) -> bool {
        let entry = algorithm::find(&chosen.name).expect("found when it was read");
        if entry.tasks.contains(&task) {
            return true;
        }
        let others: Vec<_> = catalog::ALGORITHMS.iter().filter(|a| a.tasks.contains(&task)).map(|a| a.name).collect();
        let has = matter(task);
        let wants = entry.tasks.first().map_or("nothing", |task| matter(*task));
        if task == Task::Clustering || entry.clusters() {
            let (learns, without) = if entry.clusters() {
                ("clusters, without an output", "drop the output")
            } else {
                (wants, "write an `output`")
            };
            let diagnostic = Diagnostic::error(Code::E0405, chosen.span, format!("`{}` learns {learns}", chosen.name))
                .label(format!("learns {wants}"));
            let diagnostic = if entry.clusters() {
                diagnostic.related(output_span, format!("an output of {has}"))
            } else {
                diagnostic.related(output_span, "a model without an output")
            };
            self.report(diagnostic.help(format!("{without}; for {has} there are {}", others.join(", "))), cx);
            return false;
        }
        let mut help = format!("for {has} there are {}", others.join(", "));
        let ints = task == Task::Regression && self.output.as_ref().is_some_and(|(o, _, _)| o.dtype == DataType::Int);
        if ints {
            help = format!(
                "if the ints are classes, write `output {}: int classes`; {help}",
                self.output.as_ref().map_or("", |(o, _, _)| o.column.as_str())
            );
        }
        let diagnostic = Diagnostic::error(
            Code::E0405,
            chosen.span,
            format!("`{}` learns {wants}, and the output has {has}", chosen.name),
        )
        .label(format!("learns {wants}"))
        .related(output_span, format!("an output of {has}"))
        .help(help);
        let fix = stated.filter(|_| ints).map(|ty| {
            let behind = Span { start: ty.end, ..ty };
            Box::new(Fix::new("write `classes` behind the type", vec![Edit::Write(behind, " classes".into())]))
        });
        self.report(Diagnostic { fix, ..diagnostic }, cx);
        false
    }
}

/// The inputs that options of the fit name.
fn named_inputs(fit: &ast::Fit, entry: &algorithm::Algorithm) -> Vec<ast::Ident> {
    let names_inputs = |o: &&ast::FitOption| {
        entry.options.iter().any(|spec| spec.name == o.name.name && spec.ty == OptionType::Inputs)
    };
    let items = fit.options.iter().filter(names_inputs).filter_map(|option| match &option.value.kind {
        ast::ExprKind::List(items) => Some(items),
        _ => None,
    });
    let named =
        |item: &ast::Expr| options::word(item).map(|name| ast::Ident { name: name.to_owned(), span: item.span });
    items.flatten().filter_map(named).collect()
}

/// `epochs` and its like without an optimizer mean adam.
fn name_optimizer(fit: &ast::Fit, values: &mut BTreeMap<String, Value>) {
    let of_epochs = |o: &ast::FitOption| algorithm::logistic_regression::EPOCHS_ONLY.contains(&o.name.name.as_str());
    if values["optimizer"] == Value::Word("auto".into()) && fit.options.iter().any(of_epochs) {
        values.insert("optimizer".into(), Value::Word("adam".into()));
    }
}

fn wrong_threshold(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error(Code::E0105, span, format!("a threshold is a probability between 0 and 1, not {what}"))
        .label("not a threshold")
        .help("write `threshold = 0.4`, or `threshold = best f1`")
}

/// The values that `option in …` stands for, each of the option's type and in its range.
fn space(spec: &OptionSpec, value: &ast::Expr) -> Result<Space, Box<Diagnostic>> {
    let wrong = |span: Span, what: String| {
        let message = format!("`{}` takes {}, not {what}", spec.name, spec.ty);
        let help = format!("write values that `{}` takes: {}", spec.name, spec.ty);
        Box::new(Diagnostic::error(Code::E0105, span, message).label(format!("it takes {}", spec.ty)).help(help))
    };
    let one = |e: &ast::Expr| options::value_of(spec.ty, e).ok_or_else(|| wrong(e.span, options::describe(e)));
    let (range, log) = match &value.kind {
        ast::ExprKind::Call(call) if call.name.name == "log" && call.args.len() == 1 => (&call.args[0].value, true),
        _ => (value, false),
    };
    match &range.kind {
        ast::ExprKind::List(items) if !log && !items.is_empty() => {
            let values = items.iter().map(one).collect::<Result<Vec<_>, _>>()?;
            if let Some(again) = (1..values.len()).find(|i| values[..*i].contains(&values[*i])) {
                return Err(Box::new(
                    Diagnostic::error(Code::E0102, items[again].span, format!("{} is tried twice", values[again]))
                        .again()
                        .help("drop one of them"),
                ));
            }
            Ok(Space::OneOf(values))
        }
        ast::ExprKind::Range { low: Some(low), high: Some(high), inclusive } => {
            let (from, to) = (one(low)?, one(high)?);
            let found = match (spec.ty, from, to) {
                (OptionType::Int { .. }, Value::Int(from), Value::Int(to)) if !log => {
                    Some(Space::Ints { low: from, high: if *inclusive { to } else { to - 1 } }).filter(|_| from < to)
                }
                (OptionType::Float { .. } | OptionType::WordOrAbove(_), Value::Float(from), Value::Float(to))
                    if !log || from > 0.0 =>
                {
                    Some(Space::Floats { low: from, high: to, log }).filter(|_| from < to)
                }
                _ => None,
            };
            found.ok_or_else(|| {
                let message = format!("this is no range of values for `{}`", spec.name);
                let help = "write `in 3..=8`, `in 0.1..=0.9`, or `in log(0.001..=1)` of positive numbers";
                Box::new(Diagnostic::error(Code::E0105, value.span, message).label("no such range").help(help))
            })
        }
        _ => {
            let message = format!("`{} in` takes a list or a range", spec.name);
            let help = "write `in [0.1, 0.3]`, `in 3..=8` or `in log(0.001..=1)`";
            Err(Box::new(Diagnostic::error(Code::E0105, value.span, message).label("neither").help(help)))
        }
    }
}
