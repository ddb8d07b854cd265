//! Statements of models and deployments.

use std::ops::Range;

use super::{Pair, Pairs, Reader, Rule};
use crate::diagnostic::{Code, Fix};
use crate::name;
use crate::syntax::ast::{DeployStatement, Fit, FitOption, Input, ModelStatement, ModelStatementKind};
use crate::syntax::token::{RESERVED, TokenKind};

impl Reader<'_> {
    pub(super) fn model_body(&mut self, body: Range<usize>) -> Vec<ModelStatement> {
        self.each_statement(body, Self::model_statement)
    }

    fn model_statement(&mut self, statement: Range<usize>) -> Option<ModelStatement> {
        let verb = self.layout.span(statement.start..statement.start + 1);
        let span = self.layout.span(statement.clone());
        if self.is_setting(statement.clone()) {
            let kind = ModelStatementKind::Setting(self.setting_statement(statement)?);
            return Some(ModelStatement { kind, verb, span });
        }
        let rule = match self.layout.text_of(statement.start) {
            "input" => Rule::input_statement,
            "output" => Rule::output_statement,
            "weight" => Rule::weight_statement,
            "fit" => Rule::fit_statement,
            "tune" => Rule::tune_statement,
            "refit" => Rule::refit_statement,
            "evaluate" => Rule::evaluate_statement,
            "require" => Rule::require_statement,
            _ => {
                let verb_ident =
                    self.verb(statement, "a model has settings and statements such as `input`, `output` and `fit`")?;
                return Some(ModelStatement { kind: ModelStatementKind::Unknown { verb: verb_ident }, verb, span });
            }
        };
        let kind = self.read(rule, statement, |reader, pairs| reader.model_kind(rule, pairs))?;
        Some(ModelStatement { kind, verb, span })
    }

    /// `name = value`, with `==` and `:` for the `=` too.
    fn is_setting(&self, statement: Range<usize>) -> bool {
        let sign = self.layout.symbol(statement.start + 1);
        let named = matches!(self.layout.tokens[statement.start].kind, TokenKind::Word | TokenKind::Backtick);
        named && statement.len() > 1 && matches!(sign, "=" | "==" | ":")
    }

    /// The first word of a statement that no rule knows; anything but a word is an error.
    pub(super) fn verb(&mut self, statement: Range<usize>, what: &str) -> Option<crate::syntax::ast::Ident> {
        let token = self.layout.tokens[statement.start];
        if self.layout.is_broken(statement.clone()) {
            return None;
        }
        let written = self.layout.text_of(statement.start);
        let reserved = RESERVED.contains(&written);
        if token.kind == TokenKind::Word && !reserved {
            self.lose_words(statement.start + 1..statement.end);
            self.leave_unread(statement);
            return Some(self.token_ident(token));
        }
        let (message, help) = match written {
            "//" | "/" => (format!("a comment does not begin with `{written}`"), "write `#`"),
            _ if reserved => (format!("a statement does not begin with `{written}`"), what),
            _ => ("a statement begins with a word".to_owned(), what),
        };
        let mark = self.errors.len();
        let span = self.layout.span(statement);
        self.take_lexical(span);
        let span = token.span(self.layout.file);
        let fix = (written == "//").then(|| Box::new(Fix::write(span, "#")));
        self.error(Code::E0001, span, message, "not a verb", help).fix = fix;
        self.keep_one_a_line(mark);
        None
    }

    fn model_kind(&mut self, rule: Rule, pairs: Pairs<'_, Rule>) -> Option<ModelStatementKind> {
        let mut pairs = pairs.filter(|pair| pair.as_rule() != Rule::EOI);
        Some(match rule {
            Rule::input_statement => ModelStatementKind::Input(pairs.map(|input| self.input(input)).collect()),
            Rule::output_statement => {
                let column = self.column_name(&pairs.next()?);
                let (mut ty, mut classes, mut raw) = (None, None, None);
                for pair in pairs {
                    match pair.as_rule() {
                        Rule::type_ => ty = Some(self.type_(pair)),
                        Rule::kw_classes => classes = Some(self.span(&pair)),
                        Rule::kw_raw => raw = Some(self.span(&pair)),
                        _ => {}
                    }
                }
                ModelStatementKind::Output { column, ty, classes, raw }
            }
            Rule::weight_statement => ModelStatementKind::Weight(self.column_name(&pairs.next()?)),
            Rule::fit_statement => {
                let fit = pairs.next()?;
                if fit.as_rule() == Rule::fit { ModelStatementKind::Fit(self.fit(fit)) } else { self.fit_best(fit)? }
            }
            Rule::tune_statement => {
                let strategy = self.operation(pairs.next()?);
                let metric = pairs.find(|pair| pair.as_rule() == Rule::operation).map(|metric| self.operation(metric));
                ModelStatementKind::Tune { strategy, metric }
            }
            Rule::refit_statement => ModelStatementKind::RefitOnAll,
            Rule::evaluate_statement => {
                let (mut metrics, mut by) = (Vec::new(), None);
                for pair in pairs {
                    match pair.as_rule() {
                        Rule::operation => metrics.push(self.operation(pair)),
                        Rule::column_name => by = Some(self.column_name(&pair)),
                        _ => {}
                    }
                }
                ModelStatementKind::Evaluate { metrics, by }
            }
            _ => {
                let condition = self.expr(pairs.next()?);
                let slice = pairs.next().and_then(|pair| pair.into_inner().find(|p| p.as_rule() == Rule::column_name));
                ModelStatementKind::Require { condition, for_each: slice.map(|column| self.column_name(&column)) }
            }
        })
    }

    fn input(&mut self, pair: Pair<'_>) -> Input {
        let mut parts = pair.into_inner();
        let selector = self.selector(parts.next().expect("an input is a selector"));
        let mut name = None;
        for part in parts {
            match part.as_rule() {
                Rule::string => name = Some(self.text(&part)),
                Rule::wrong_input_name => {
                    let ident = self.ident(&part);
                    let help = format!("write `as \"{}\"`", ident.name);
                    self.error(Code::E0001, ident.span, "the name that callers see is a string", "not a string", help)
                        .set_fix(Fix::write(ident.span, name::quoted(&ident.name)));
                    name = Some(self.missing_text(&ident));
                }
                _ => {}
            }
        }
        Input { selector, name }
    }

    /// A `fit`, `fit_with_block` or `fit_bare` pair.
    fn fit(&mut self, pair: Pair<'_>) -> Fit {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let algorithm = self.ident(&parts.next().expect("an algorithm has a name"));
        let block = parts.next().map(|block| block.into_inner().filter(|part| part.as_rule() == Rule::option));
        let options = block.into_iter().flatten().map(|option| self.fit_option(option)).collect();
        Fit { algorithm, options, span }
    }

    fn fit_option(&mut self, pair: Pair<'_>) -> FitOption {
        let (mut name, mut value, mut tuned) = (None, None, false);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.ident(&part)),
                Rule::option_in => tuned = true,
                Rule::wrong_equals | Rule::wrong_colon => self.not_an_assignment(&part),
                Rule::expr => value = Some(self.expr(part)),
                _ => {}
            }
        }
        FitOption { name: name.expect("an option has a name"), value: value.expect("an option has a value"), tuned }
    }

    fn fit_best(&mut self, pair: Pair<'_>) -> Option<ModelStatementKind> {
        let span = self.span(&pair);
        let (mut metric, mut candidates) = (None, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::operation => metric = Some(self.operation(part)),
                Rule::fit_with_block | Rule::fit_bare => candidates.push(self.fit(part)),
                _ => {}
            }
        }
        if candidates.is_empty() {
            self.empty_block(span);
        }
        Some(ModelStatementKind::FitBest { metric: metric?, candidates })
    }

    pub(super) fn deploy_body(&mut self, body: Range<usize>) -> Vec<DeployStatement> {
        self.each_statement(body, Self::deploy_statement)
    }

    fn deploy_statement(&mut self, statement: Range<usize>) -> Option<DeployStatement> {
        if self.is_setting(statement.clone()) {
            return self.setting_statement(statement).map(DeployStatement::Setting);
        }
        match self.layout.text_of(statement.start) {
            "to" => self.read(Rule::to_statement, statement, |reader, mut pairs| {
                Some(DeployStatement::To(reader.operation(pairs.next()?)))
            }),
            "accept" => self.read(Rule::accept_statement, statement, |reader, mut pairs| {
                Some(DeployStatement::Accept(reader.ident(&pairs.next()?)))
            }),
            _ => {
                let verb = self.verb(statement, "write `to TARGET(…)`, `accept DATASET` or a setting")?;
                Some(DeployStatement::Unknown { verb })
            }
        }
    }
}
