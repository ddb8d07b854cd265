//! The functions of a job: each is checked once, over its arguments, and put in place of its calls.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use dbjob_plan::{DataType, Expr, ExprKind, FileId, Refinement, Span};

use super::check::Context;
use super::expr::{Aggregates, Checker, Scope, Typed};
use super::range::Range;
use super::table::{Column, Table};
use super::value::{self, Wanted};
use super::{declared, text, types};
use crate::catalog::function;
use crate::diagnostic::{Code, Diagnostic};
use crate::link::Space;
use crate::syntax::ast::{self, FnParam, Ident, ItemKind};

/// A call whose expression would be larger than this is refused: functions that call others twice double each time.
const LARGEST: usize = 20_000;

/// The functions that are checked.
#[derive(Debug, Default)]
pub(super) struct Functions {
    by_name: BTreeMap<String, Function>,
    /// The params that each file sees, for near names: where they stand they are constants by now.
    params: BTreeMap<FileId, Vec<String>>,
}

#[derive(Debug)]
pub(super) struct Function {
    pub name: Ident,
    pub params: Vec<Param>,
    pub returns: Wanted,
    /// Over columns with the names of the parameters; `None`: something is wrong with it, and that was told.
    pub body: Option<Expr>,
    /// What is known of its results.
    range: Range,
    /// Its arguments are wrong, and that was told: calls are not looked at.
    wrong: bool,
}

#[derive(Debug)]
pub(super) struct Param {
    pub name: Ident,
    pub wanted: Wanted,
}

/// Where the body of a function stands, in words.
pub(super) const PLACE: &str = "a function";

/// A `fn` as written, with its params bound.
struct Written<'a> {
    name: &'a Ident,
    params: &'a [FnParam],
    returns: &'a ast::Type,
    body: &'a ast::Expr,
}

/// Checks the functions of all files.
pub(super) fn check_all(file: &ast::File, cx: &mut Context<'_>) {
    let bound: Vec<Cow<'_, ast::Item>> = file
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Fn { params, .. } => {
                meets_params(params, cx);
                let argument = |name: &str| params.iter().any(|p| p.name.name == name);
                Some(cx.bind(&**item, ast::Item::parts, &argument))
            }
            _ => None,
        })
        .collect();
    let written: Vec<Written<'_>> = bound
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Fn { name, params, returns, body } => Some(Written { name, params, returns, body }),
            _ => None,
        })
        .collect();
    let files: BTreeSet<FileId> = file.items.iter().map(|item| item.span.file).collect();
    let seen = |file| cx.program.names(file, Space::Param).map(str::to_owned).collect();
    let params = files.into_iter().map(|file| (file, seen(file))).collect();
    cx.functions = Functions::of(&written, params, &mut cx.out);
}

/// An argument must not have the name of a param.
fn meets_params(arguments: &[FnParam], cx: &mut Context<'_>) {
    for argument in arguments {
        let name = &argument.name;
        if cx.program.find(name.span.file, Space::Param, &name.name).is_some() {
            let message = format!("`{}` is a param and an argument", name.name);
            let diagnostic = Diagnostic::error(Code::E0112, name.span, message).label("may mean both");
            cx.out.push(diagnostic.help("give the argument another name"));
        }
    }
}

impl Functions {
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.by_name.get(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    pub fn params(&self, file: FileId) -> impl Iterator<Item = &str> {
        self.params.get(&file).into_iter().flatten().map(String::as_str)
    }

    /// Checks all functions, each behind those that it calls. Of two with one name the first counts.
    fn of(written: &[Written<'_>], params: BTreeMap<FileId, Vec<String>>, out: &mut Vec<Diagnostic>) -> Self {
        let mut order = Order { written, by_name: HashMap::new(), state: BTreeMap::new(), open: Vec::new() };
        for (index, one) in written.iter().enumerate() {
            if function::is_word(&one.name.name) {
                let message = format!("there is a function `{}` already", one.name.name);
                let diagnostic = Diagnostic::error(Code::E0102, one.name.span, message).label("a name of the language");
                out.push(diagnostic.help("give it another name"));
                continue;
            }
            order.by_name.entry(one.name.name.as_str()).or_insert(index);
        }
        let mut functions = Functions { params, ..Functions::default() };
        for index in order.by_name.values().copied().collect::<BTreeSet<_>>() {
            order.visit(index, &mut functions, out);
        }
        functions
    }
}

struct Order<'a> {
    written: &'a [Written<'a>],
    by_name: HashMap<&'a str, usize>,
    /// Whether it is checked.
    state: BTreeMap<usize, bool>,
    /// The functions that are being looked at, with the call that led to the next one.
    open: Vec<(usize, Span)>,
}

impl Order<'_> {
    fn visit(&mut self, index: usize, functions: &mut Functions, out: &mut Vec<Diagnostic>) {
        if self.state.contains_key(&index) {
            return;
        }
        self.state.insert(index, false);
        let one = &self.written[index];
        let mut calls: Vec<(usize, Span)> = Vec::new();
        one.body.walk(&mut |expr| {
            if let ast::ExprKind::Call(call) = &expr.kind
                && let Some(called) = self.by_name.get(call.name.name.as_str())
            {
                calls.push((*called, call.name.span));
            }
        });
        let mut circular = false;
        for (called, span) in calls {
            self.open.push((index, span));
            match self.state.get(&called) {
                Some(false) => {
                    circular = true;
                    out.push(self.recursion(called));
                }
                Some(true) => {}
                None => self.visit(called, functions, out),
            }
            self.open.pop();
        }
        let mut function = check(one, functions, out, circular);
        if circular {
            function.body = None;
        }
        functions.by_name.insert(one.name.name.clone(), function);
        self.state.insert(index, true);
    }

    /// The last call leads back to the function `to`.
    fn recursion(&self, to: usize) -> Diagnostic {
        let begin = self.open.iter().position(|(index, _)| *index == to).unwrap_or(0);
        let way = &self.open[begin..];
        let (_, last) = way[way.len() - 1];
        let name = |index: usize| self.written[index].name.name.as_str();
        let message = match way {
            [_] => format!("`{}` calls itself", name(to)),
            _ => {
                let names: Vec<&str> = way.iter().map(|(index, _)| name(*index)).chain([name(to)]).collect();
                format!("functions call each other in a circle: {}", names.join(", "))
            }
        };
        let mut diagnostic = Diagnostic::error(Code::E0106, last, message)
            .label("called here")
            .help("a function is put in place of its calls, so it cannot call itself");
        for (_, span) in &way[..way.len() - 1] {
            diagnostic = diagnostic.related(*span, "by way of this call");
        }
        diagnostic
    }
}

/// `circular`: its calls cannot be typed, and that is told.
fn check(one: &Written<'_>, functions: &Functions, out: &mut Vec<Diagnostic>, circular: bool) -> Function {
    let mut table = Table::default();
    let mut params: Vec<Param> = Vec::new();
    let mut wrong = false;
    for param in one.params {
        let wanted = wanted(&param.ty, out);
        if let Some(first) = params.iter().find(|p| p.name.name == param.name.name) {
            let message = format!("`{}` is an argument twice", param.name.name);
            let diagnostic = Diagnostic::error(Code::E0102, param.name.span, message);
            out.push(diagnostic.again().related(first.name.span, "first here"));
            wrong = true;
            continue;
        }
        let mut column = Column::new(param.name.name.clone(), wanted.dtype.clone(), wanted.nullable, param.name.span);
        column.range = wanted.range();
        column.refinement.clone_from(&wanted.refinement);
        table.put(column);
        params.push(Param { name: param.name.clone(), wanted });
    }
    let returns = wanted(one.returns, out);
    let mut function = Function { name: one.name.clone(), params, range: returns.range(), returns, body: None, wrong };
    if circular {
        return function;
    }
    let scope = Scope { table: &table, functions, aggregates: Aggregates::Forbidden(PLACE) };
    let typed = Checker { scope, out }.expr(one.body);
    let Wanted { dtype, nullable, .. } = &function.returns;
    if typed.is_unknown() || *dtype == DataType::Unknown {
        return function;
    }
    if !fits(typed.dtype(), dtype) {
        let message = format!("`{}` gives {}, not {dtype}", one.name.name, typed.dtype());
        let diagnostic = Diagnostic::error(Code::E0201, one.body.span, message)
            .label(format!("this is {}", typed.dtype()))
            .related(one.returns.span, "declared here")
            .help(format!("write `): {} = …`", typed.dtype()));
        out.push(diagnostic);
        return function;
    }
    let typed = typed.convert(dtype);
    if typed.expr.nullable && !nullable {
        let message = format!("`{}` may give null, and is declared as {dtype}", one.name.name);
        let diagnostic = Diagnostic::error(Code::E0208, one.body.span, message)
            .label("may be null")
            .related(one.returns.span, "declared here")
            .help(format!("declare {dtype}?, narrow an argument (`items: int in 1..`), or write `… ?? 0`"));
        out.push(diagnostic);
        return function;
    }
    if let Some(refinement) = &function.returns.refinement
        && !proven(&typed, refinement, &table)
    {
        let message = format!("`{}` is not known to give {}", one.name.name, function.returns);
        let diagnostic = Diagnostic::error(Code::E0201, one.body.span, message)
            .label(format!("this is any {dtype}"))
            .related(one.returns.span, "declared here")
            .help("narrow the arguments, or write `clip(…)` around it");
        out.push(diagnostic);
        return function;
    }
    function.range = function.range.and(typed.range);
    function.body = Some(Expr { dtype: dtype.clone(), nullable: *nullable, ..typed.expr });
    function
}

fn wanted(ty: &ast::Type, out: &mut Vec<Diagnostic>) -> Wanted {
    let (dtype, nullable) = declared::resolve(ty, out);
    let refinement = ty.refinement.as_ref().and_then(|r| declared::refine(r, &dtype, out));
    Wanted { dtype, nullable, refinement }
}

/// Whether a value of one type may stand where another is declared: a closed category takes its levels only.
fn fits(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Category { levels: Some(from) }, DataType::Category { levels: Some(to) }) => {
            from.iter().all(|level| to.contains(level))
        }
        (_, DataType::Category { levels: Some(_) }) => false,
        _ => types::converts(from, to),
    }
}

/// Whether what is known of a value keeps a promise.
fn proven(typed: &Typed, refinement: &Refinement, table: &Table) -> bool {
    if let ExprKind::Literal(value) = &typed.expr.kind {
        return value::holds(refinement, value);
    }
    let declared = match &typed.expr.kind {
        ExprKind::Column(name) => table.get(name).and_then(|column| column.refinement.as_ref()),
        _ => None,
    };
    match refinement {
        _ if declared == Some(refinement) => true,
        Refinement::OneOf(allowed) => match (declared, typed.dtype()) {
            (Some(Refinement::OneOf(values)), _) => values.iter().all(|v| allowed.contains(v)),
            (_, DataType::Category { levels: Some(levels) }) => {
                levels.iter().all(|level| allowed.iter().any(|v| v.as_str() == Some(level)))
            }
            _ => false,
        },
        Refinement::Range { low, high, .. } => {
            let numbers = low.iter().chain(high).all(|bound| bound.as_f64().is_some());
            let known = if *typed.dtype() == DataType::Int { typed.range.of_ints() } else { typed.range };
            numbers && known.is_within(Range::of_refinement(refinement))
        }
    }
}

impl Checker<'_, '_> {
    /// A call of a function of the job.
    pub(super) fn call_of_job(&mut self, function: &Function, call: &ast::Call, span: Span) -> Typed {
        if function.wrong {
            return Typed::unknown(span);
        }
        if let Some(over) = &call.over {
            let message = format!("`{}` is no aggregate, and has no frame", function.name.name);
            let help = "drop it; an aggregate of the language may have one: `sum(x) over last 7d`";
            return self.report(Diagnostic::error(Code::E0109, over.span, message).label("no effect").help(help));
        }
        let Some(bound) = self.bound(function, call) else { return Typed::unknown(span) };
        let mut args: BTreeMap<&str, Typed> = BTreeMap::new();
        let mut sound = true;
        for (param, value) in bound {
            match self.argument_of_job(function, param, value) {
                Some(arg) => {
                    args.insert(&param.name.name, arg);
                }
                None => sound = false,
            }
        }
        let Some(body) = function.body.as_ref().filter(|_| sound) else { return Typed::unknown(span) };
        let mut size = 0;
        body.walk(&mut |expr| {
            size += match &expr.kind {
                ExprKind::Column(name) => args.get(name.as_str()).map_or(1, |arg| arg.expr.size()),
                _ => 1,
            };
        });
        if size > LARGEST {
            let message = format!("not supported yet: functions in functions that make {size} operations of one call");
            return self.report(Diagnostic::error(Code::E0901, span, message).label("too large"));
        }
        let mut typed = Typed::of(body.with_columns(&|name| args.get(name).map(|arg| arg.expr.clone())));
        typed.expr.span = span;
        typed.range = function.range;
        for name in body.columns() {
            typed.absorb(&args[name]);
        }
        typed
    }

    /// Each parameter with its argument, in the order of the parameters; `None`: they do not match, which is told.
    fn bound<'f, 'a>(
        &mut self,
        function: &'f Function,
        call: &'a ast::Call,
    ) -> Option<Vec<(&'f Param, &'a ast::Expr)>> {
        let name = &function.name.name;
        let wrong = |span: Span, message: String| {
            Diagnostic::error(Code::E0202, span, message)
                .label("here")
                .related(function.name.span, "declared here")
                .help(format!("it is written {}", function.signature()))
        };
        let mut bound: Vec<(&Param, &ast::Expr)> = Vec::new();
        let mut positional = 0;
        for arg in &call.args {
            let found = match &arg.name {
                Some(given) => function.params.iter().find(|p| p.name.name == given.name),
                None => {
                    positional += 1;
                    function.params.get(positional - 1)
                }
            };
            let diagnostic = match (found, &arg.name) {
                (None, Some(given)) => {
                    let known = function.params.iter().map(|p| p.name.name.as_str());
                    wrong(given.span, format!("`{name}` has no argument `{}`", given.name)).near(&given.name, known)
                }
                (None, None) => match function.params.len() {
                    0 => wrong(arg.value.span, format!("`{name}` takes no arguments")),
                    1 => wrong(arg.value.span, format!("`{name}` takes one argument")),
                    n => wrong(arg.value.span, format!("`{name}` takes {n} arguments")),
                },
                (Some(param), _) if bound.iter().any(|(p, _)| p.name == param.name) => {
                    wrong(arg.value.span, format!("`{}` is given twice", param.name.name))
                }
                (Some(param), _) => {
                    bound.push((param, &arg.value));
                    continue;
                }
            };
            self.out.push(diagnostic);
            return None;
        }
        if let Some(missing) = function.params.iter().find(|p| !bound.iter().any(|(b, _)| b.name == p.name)) {
            self.out.push(wrong(call.span, format!("`{name}` misses the argument `{}`", missing.name.name)));
            return None;
        }
        Some(bound)
    }

    /// The argument in the type of its parameter, with all that the parameter promises.
    fn argument_of_job(&mut self, function: &Function, param: &Param, ast: &ast::Expr) -> Option<Typed> {
        let typed = self.expr(ast);
        let wanted = &param.wanted;
        if typed.is_unknown() || wanted.dtype == DataType::Unknown {
            return None;
        }
        let (name, argument) = (&function.name.name, &param.name.name);
        let level = match &typed.expr.kind {
            ExprKind::Literal(value) => value::fit(value.clone(), wanted).is_ok(),
            _ => false,
        };
        let wrong = |code: Code, message: String| {
            Diagnostic::error(code, ast.span, message).related(param.name.span, format!("takes {wanted}"))
        };
        if !fits(typed.dtype(), &wanted.dtype) && !level {
            let message = format!("`{name}` takes {} as `{argument}`, not {}", wanted.dtype, typed.dtype());
            let help = match types::bridge(typed.dtype(), &wanted.dtype) {
                Some(help) => help.to_owned(),
                None => format!("convert it, or declare `{argument}: {}`", typed.dtype()),
            };
            let diagnostic = wrong(Code::E0202, message).label(format!("this is {}", typed.dtype())).help(help);
            let diagnostic = self.string_for_column(ast, diagnostic);
            self.out.push(diagnostic);
            return None;
        }
        let shown = text::of(ast);
        let narrowable = matches!(ast.kind, ast::ExprKind::Name(_));
        if typed.expr.nullable && !wanted.nullable {
            let message = format!("`{argument}` of `{name}` takes no null, and this may be null");
            let help = if narrowable {
                format!("filter above: `filter {shown} is not null`, or give a value: `{shown} ?? …`")
            } else {
                "give a value for null: `… ?? 0`, or compute it with `derive` and `filter` it".to_owned()
            };
            self.out.push(wrong(Code::E0208, message).label("may be null").help(help));
            return None;
        }
        if let Some(refinement) = &wanted.refinement
            && !proven(&typed, refinement, self.scope.table)
        {
            let message = format!("`{argument}` of `{name}` takes {wanted}, and this is not known to be that");
            let known = if typed.range == Range::ALL { format!("any {}", typed.dtype()) } else { typed.range.words() };
            let condition = condition(refinement, &shown);
            let help = match narrowable {
                true if matches!(refinement, Refinement::OneOf(_)) => {
                    format!("declare it so: `{shown}: … {condition}`")
                }
                true => format!("filter above: `filter {condition}`"),
                false => format!("compute it with `derive` and `filter {}`", self::condition(refinement, argument)),
            };
            self.out.push(wrong(Code::E0202, message).label(known).help(help));
            return None;
        }
        Some(typed.convert(&wanted.dtype))
    }
}

impl Function {
    /// As it is declared: `per_item(amount: float, items: int in 1..): float`.
    fn signature(&self) -> String {
        let params: Vec<String> = self.params.iter().map(|p| format!("{}: {}", p.name.name, p.wanted)).collect();
        format!("{}({}): {}", self.name.name, params.join(", "), self.returns)
    }
}

impl Wanted {
    fn range(&self) -> Range {
        self.refinement.as_ref().map_or(Range::ALL, Range::of_refinement)
    }
}

/// The condition that a refinement stands for: `items >= 1`, `country in ["DE"]`.
fn condition(refinement: &Refinement, of: &str) -> String {
    match refinement {
        Refinement::Range { low, high, inclusive } => {
            let low = low.iter().map(|low| format!("{of} >= {low}"));
            let high = high.iter().map(|high| format!("{of} {} {high}", if *inclusive { "<=" } else { "<" }));
            low.chain(high).collect::<Vec<_>>().join(" and ")
        }
        Refinement::OneOf(values) => format!("in {}", dbjob_plan::Value::List(values.clone())),
    }
}
