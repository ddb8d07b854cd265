//! Items: their headers, and the statements of those whose blocks hold settings only.

use std::ops::Range;

use dbjob_plan::Span;

use super::{Pair, Pairs, Reader, Rule};
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::syntax::ast::{
    Arg, Call, Dataset, Deploy, Expr, ExprKind, FnParam, Ident, Item, ItemKind, Model, Setting, SettingValue,
    SourceExpr, Text, Transform, Type,
};
use crate::syntax::mistake;
use crate::syntax::token::{ITEM_KEYWORDS, RESERVED, TokenKind};

impl Reader<'_> {
    pub(super) fn items(&mut self) -> Vec<Item> {
        let statements = self.layout.split(0..self.layout.tokens.len(), false);
        let mut items = Vec::new();
        let mut after_stray = false;
        let mut rest = statements.into_iter().peekable();
        while let Some(mut statement) = rest.next() {
            let first = statement.start;
            let keyword = self.layout.text_of(first);
            if self.layout.tokens[first].kind != TokenKind::Word || !ITEM_KEYWORDS.contains(&keyword) {
                items.extend(self.not_an_item(statement, &mut after_stray));
                continue;
            }
            if let Some(stray) = self.strays.last_mut() {
                stray.end = stray.end.min(self.layout.tokens[first].start);
            }
            let blockless = self.block(statement.clone()).is_none() && !matches!(keyword, "use" | "param" | "fn");
            let mut body = None;
            if blockless && let Some(end) = self.end_without_begin(statement.clone()) {
                while rest.next_if(|next| next.start <= end).is_some() {}
                body = Some(statement.end..end);
            } else if let Some(block) = rest.next_if(|next| blockless && self.layout.symbol(next.start) == "{") {
                let brace = self.layout.span(block.start..block.start + 1);
                self.error(
                    Code::E0001,
                    brace,
                    "a block begins on the line of its item",
                    "on a line of its own",
                    format!("write `{{` at the end of the line of the `{keyword}`"),
                );
                statement.end = block.end;
            }
            let mark = self.errors.len();
            let kind = self.item(keyword, statement.clone(), body);
            // Where an item has an error inside, what stands behind it may be its own.
            after_stray = self.layout.is_broken(statement.clone()) || self.errors.len() > mark;
            match kind {
                Some(kind) => items.push(Item { doc: self.doc(first), kind, span: self.layout.span(statement) }),
                None => self.lose_name(statement),
            }
        }
        items
    }

    /// The opening brace of an item's block.
    fn block(&self, statement: Range<usize>) -> Option<usize> {
        let mut at = statement.start;
        while at < statement.end {
            if self.layout.symbol(at) == "{" {
                return Some(at);
            }
            at = self.layout.content_end(at).map_or(at + 1, |end| end.max(at + 1));
        }
        None
    }

    /// For an item without a `{` whose `}` is there all the same: that `}`.
    fn end_without_begin(&mut self, statement: Range<usize>) -> Option<usize> {
        let layout = self.layout;
        let from = layout.tokens[statement.end - 1].end;
        let end = self.structural.iter().position(|error| {
            error.span.start >= from && layout.text[error.span.start as usize..error.span.end as usize] == *"}"
        })?;
        let at = layout.tokens.partition_point(|token| token.start < self.structural[end].span.start);
        let items = (statement.end..at).any(|at| layout.starts_item(at));
        // What is between is indented, as statements of a block are.
        let indented =
            layout.next_significant(statement.end).is_some_and(|first| first == at || layout.indent(first) > 0);
        if items || !indented || layout.symbol(at) != "}" {
            return None;
        }
        self.structural.remove(end);
        let keyword = layout.text_of(statement.start);
        self.missing_block(layout.span(statement.end - 1..statement.end), keyword);
        Some(at)
    }

    fn missing_block(&mut self, after: Span, keyword: &str) {
        self.error(
            Code::E0001,
            after,
            format!("this `{keyword}` has no block"),
            "`{` is missing after this",
            "write `{` at the end of this line, and `}` after the last statement",
        );
    }

    fn lose_name(&mut self, statement: Range<usize>) {
        let Some(name) = self.layout.tokens.get(statement.start + 1) else { return };
        if matches!(name.kind, TokenKind::Word | TokenKind::Backtick) {
            self.lost.push(self.token_ident(*name));
        }
    }

    fn not_an_item(&mut self, statement: Range<usize>, after_stray: &mut bool) -> Option<Item> {
        let layout = self.layout;
        let token = layout.tokens[statement.start];
        let word = layout.text_of(statement.start);
        let next = layout.tokens.get(statement.start + 1).filter(|_| statement.len() > 1);
        let named = next.is_some_and(|next| matches!(next.kind, TokenKind::Word | TokenKind::Backtick));
        let begins_block = next.is_some() && layout.symbol(statement.start + 1) == "{";
        if token.kind == TokenKind::Word
            && !RESERVED.contains(&word)
            && !mistake::is_verb(word)
            && (named || begins_block)
        {
            *after_stray = false;
            let keyword = self.token_ident(token);
            self.lose_name(statement.clone());
            self.leave_unread(statement.clone());
            return Some(Item {
                doc: self.doc(statement.start),
                kind: ItemKind::Unknown { keyword },
                span: layout.span(statement),
            });
        }
        let told = std::mem::replace(after_stray, true) || layout.is_broken(statement.clone());
        if !layout.is_broken(statement.clone()) && self.strays.last().is_none_or(|stray| stray.end < u32::MAX) {
            self.strays.push(Span { end: u32::MAX, ..token.span(layout.file) });
        }
        if !told {
            let mark = self.errors.len();
            self.take_lexical(layout.span(statement.clone()));
            let error = if mistake::is_verb(word) && layout.symbol(statement.start + 1) != ":" {
                Diagnostic::error(Code::E0001, token.span(layout.file), format!("`{word}` stands outside of an item"))
                    .label("not in a block")
                    .help("statements stand in the block of an item: `transform NAME from INPUT { … }`; is there a `}` too many above?")
            } else if word == "//" || word == "/" {
                let span = token.span(layout.file);
                let error = Diagnostic::error(Code::E0001, span, format!("a comment does not begin with `{word}`"))
                    .label("here")
                    .help("write `#`");
                if word == "//" { error.fix(Fix::write(span, "#")) } else { error }
            } else {
                Diagnostic::error(Code::E0001, token.span(layout.file), "an item belongs here")
                    .label("not an item")
                    .help(format!("items begin with {}", ITEM_KEYWORDS.join(", ")))
            };
            self.errors.push(error);
            self.keep_one_a_line(mark);
        }
        None
    }

    /// `body`: where the statements are if the opening brace is missing.
    fn item(&mut self, keyword: &str, statement: Range<usize>, body: Option<Range<usize>>) -> Option<ItemKind> {
        match keyword {
            "use" => return self.read(Rule::use_item, statement, |reader, pairs| reader.use_item(pairs)),
            "param" => return self.read(Rule::param_item, statement, |reader, pairs| reader.param_item(pairs)),
            "fn" => return self.read(Rule::fn_item, statement, |reader, pairs| reader.fn_item(pairs)),
            _ => {}
        }
        let open = self.block(statement.clone());
        let header = match open {
            Some(open) => statement.start..self.layout.last_significant(statement.start..open) + 1,
            None => statement.clone(),
        };
        let block_optional = matches!(keyword, "dataset" | "model") || body.is_some();
        let end = open.and_then(|open| self.layout.content_end(open));
        let body = match open {
            Some(open) => open + 1..end.expect("a brace has content"),
            None => body.unwrap_or(statement.end..statement.end),
        };
        let parsed = self.header(keyword, header.clone());
        if parsed.is_some() && open.is_none() && !block_optional {
            self.missing_block(self.layout.span(header.end - 1..header.end), keyword);
            return None;
        }
        let kind = self.body(keyword, parsed, body);
        if let Some(end) = end
            && end + 1 < statement.end
            && !self.layout.is_broken(end + 1..statement.end)
        {
            let after = self.layout.span(end + 1..statement.end);
            if self.layout.symbol(end + 1) == "//" {
                let slashes = self.layout.span(end + 1..end + 2);
                self.error(Code::E0001, slashes, "a comment does not begin with `//`", "here", "write `#`")
                    .set_fix(Fix::write(slashes, "#"));
            } else {
                let message = format!("the `{keyword}` ends with its `}}`");
                self.error(Code::E0001, after, message, "something follows it", "begin a new line");
            }
        }
        kind
    }

    fn header(&mut self, keyword: &str, header: Range<usize>) -> Option<Header> {
        let rule = match keyword {
            "job" => Rule::job_header,
            "profile" => Rule::profile_header,
            "cluster" => Rule::cluster_header,
            "module" => Rule::module_header,
            "test" => Rule::test_header,
            "dataset" => Rule::dataset_header,
            "transform" => Rule::transform_header,
            "model" => Rule::model_header,
            _ => Rule::deploy_header,
        };
        self.read(rule, header, |reader, pairs| {
            let mut header = Header::default();
            for pair in pairs {
                match pair.as_rule() {
                    Rule::name => header.names.push(reader.ident(&pair)),
                    Rule::source => header.source = Some(reader.source(pair)),
                    _ => {}
                }
            }
            Some(header)
        })
    }

    /// Reads a block, also below a broken header, for the errors in it.
    fn body(&mut self, keyword: &str, header: Option<Header>, body: Range<usize>) -> Option<ItemKind> {
        match keyword {
            "job" | "profile" | "cluster" | "module" => {
                let settings = self.settings(body);
                let name = header?.names.pop();
                if keyword == "job" {
                    return Some(ItemKind::Job { name, settings });
                }
                let name = name?;
                Some(match keyword {
                    "profile" => ItemKind::Profile { name, settings },
                    "cluster" => ItemKind::Cluster { name, settings },
                    _ => ItemKind::Module { name, settings },
                })
            }
            "test" => {
                let (given, expect) = self.test_body(body);
                Some(ItemKind::Test { name: header?.names.pop()?, given, expect })
            }
            "dataset" => {
                let (columns, expects, rest, unknown) = self.dataset_body(body);
                let mut header = header?;
                let (name, source) = (header.names.pop()?, header.source?);
                Some(ItemKind::Dataset(Dataset { name, source, columns, expects, rest, unknown }))
            }
            "transform" => {
                let steps = self.steps(body);
                let mut names = header?.names.into_iter();
                Some(ItemKind::Transform(Transform { name: names.next()?, input: names.next()?, steps }))
            }
            "model" => {
                let statements = self.model_body(body);
                let mut header = header?;
                Some(ItemKind::Model(Model { name: header.names.pop()?, from: header.source?, statements }))
            }
            _ => {
                let statements = self.deploy_body(body);
                let mut names = header?.names;
                let from = names.pop()?;
                Some(ItemKind::Deploy(Deploy { name: names.pop(), from, statements }))
            }
        }
    }

    fn source(&mut self, pair: Pair<'_>) -> SourceExpr {
        let span = self.span(&pair);
        let mut name = None;
        let mut args = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::inline_rows => {
                    let rows = part.into_inner().find(|part| part.as_rule() == Rule::rows);
                    return SourceExpr::Inline { rows: self.rows(rows.expect("inline has rows")), span };
                }
                Rule::name => name = Some(self.ident(&part)),
                _ => args = Some(self.args(part)),
            }
        }
        let name = name.expect("a source has a name");
        match args {
            Some(args) => SourceExpr::Call(Call { name, args, over: None, span }),
            None => SourceExpr::Name(name),
        }
    }

    fn use_item(&mut self, pairs: Pairs<'_, Rule>) -> Option<ItemKind> {
        let mut names = None;
        let mut path = None;
        for pair in pairs {
            match pair.as_rule() {
                Rule::use_names => {
                    let inner = pair.into_inner().filter(|name| name.as_rule() == Rule::name);
                    names = Some(inner.map(|name| self.ident(&name)).collect());
                }
                Rule::string => path = Some(self.text(&pair)),
                _ => {}
            }
        }
        Some(ItemKind::Use { names, path: path? })
    }

    fn param_item(&mut self, pairs: Pairs<'_, Rule>) -> Option<ItemKind> {
        let (mut name, mut ty, mut value) = (None, None, None);
        for pair in pairs {
            match pair.as_rule() {
                Rule::name => name = Some(self.ident(&pair)),
                Rule::type_ => ty = Some(self.type_(pair)),
                Rule::expr => value = Some(self.expr(pair)),
                _ => {}
            }
        }
        Some(ItemKind::Param { name: name?, ty: ty?, value })
    }

    fn fn_item(&mut self, pairs: Pairs<'_, Rule>) -> Option<ItemKind> {
        let (mut name, mut params, mut returns, mut body) = (None, Vec::new(), None::<Type>, None);
        for pair in pairs {
            match pair.as_rule() {
                Rule::name => name = Some(self.ident(&pair)),
                Rule::fn_params => {
                    self.marks.calls.insert(self.span(&pair).start);
                    for param in pair.into_inner() {
                        let mut parts = param.into_inner();
                        let name = self.ident(&parts.next()?);
                        let ty = self.type_(parts.find(|part| part.as_rule() == Rule::type_)?);
                        params.push(FnParam { name, ty });
                    }
                }
                Rule::type_ => returns = Some(self.type_(pair)),
                Rule::expr => body = Some(self.expr(pair)),
                _ => {}
            }
        }
        Some(ItemKind::Fn { name: name?, params, returns: returns?, body: body? })
    }

    /// Statements that are all settings, separated by line ends, `;` or commas.
    pub(super) fn settings(&mut self, body: Range<usize>) -> Vec<Setting> {
        let statements = self.layout.split(body, true);
        statements.into_iter().filter_map(|statement| self.setting_statement(statement)).collect()
    }

    pub(super) fn setting_statement(&mut self, statement: Range<usize>) -> Option<Setting> {
        self.read(Rule::setting_statement, statement, |reader, mut pairs| Some(reader.setting(pairs.next()?)))
    }

    fn setting(&mut self, pair: Pair<'_>) -> Setting {
        let span = self.span(&pair);
        let mut name: Option<Ident> = None;
        let mut value = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name => name = Some(self.ident(&part)),
                Rule::wrong_equals | Rule::wrong_colon => self.not_an_assignment(&part),
                Rule::setting_block => {
                    let inner = part.into_inner().filter(|part| part.as_rule() == Rule::setting);
                    value = Some(SettingValue::Block(inner.map(|setting| self.setting(setting)).collect()));
                }
                Rule::best => value = Some(SettingValue::Expr(self.best(part))),
                Rule::expr => value = Some(SettingValue::Expr(self.expr(part))),
                _ => {}
            }
        }
        Setting { name: name.expect("a setting has a name"), value: value.expect("a setting has a value"), span }
    }

    /// `best f1` is a call of `best`.
    fn best(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let mut words = pair.into_inner().map(|word| self.ident(&word));
        let (name, metric) = (words.next().expect("`best`"), words.next().expect("`best` has a metric"));
        let value = Expr { kind: ExprKind::Name(metric.name), span: metric.span };
        let args = vec![Arg { name: None, value }];
        Expr { kind: ExprKind::Call(Call { name, args, over: None, span }), span }
    }

    pub(super) fn not_an_assignment(&mut self, sign: &Pair<'_>) {
        let written = sign.as_str();
        let message = match written {
            "==" => "`==` compares; a value is given with `=`".to_owned(),
            _ => format!("a value is given with `=`, not with `{written}`"),
        };
        let span = self.span(sign);
        self.error(Code::E0001, span, message, "`=` is meant", "write `name = value`").set_fix(Fix::write(span, "="));
    }

    pub(super) fn missing_text(&mut self, name: &Ident) -> Text {
        Text { value: name.name.clone(), span: name.span }
    }
}

#[derive(Default)]
struct Header {
    names: Vec<Ident>,
    source: Option<SourceExpr>,
}
