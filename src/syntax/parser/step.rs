//! Steps of a transform.

use std::ops::Range;

use dbjob_plan::Span;

use super::{Pair, Pairs, Reader, Rule};
use crate::diagnostic::{Code, Edit, Fix};
use crate::syntax::ast::{
    DeriveColumn, Expr, Ident, JoinStep, MapName, MapStep, Named, Selection, Selector, SortKey, SplitPart, SplitSize,
    SplitStep, Step, StepKind,
};
use crate::syntax::token::TokenKind;

impl Reader<'_> {
    pub(super) fn steps(&mut self, body: Range<usize>) -> Vec<Step> {
        self.each_statement(body, Self::step)
    }

    fn step(&mut self, statement: Range<usize>) -> Option<Step> {
        let layout = self.layout;
        let first = statement.start;
        let span = layout.span(statement.clone());
        let word = layout.text_of(first);
        let next = if statement.len() > 1 { layout.symbol(first + 1) } else { "" };
        let named = matches!(layout.tokens[first].kind, TokenKind::Word | TokenKind::Backtick);
        let mut verb = layout.span(first..first + 1);
        let rule = match word {
            _ if named && matches!(next, "=" | "==" | ":") => return self.step_without_verb(statement),
            "filter" => Rule::filter_step,
            "derive" => Rule::derive_step,
            "select" => Rule::select_step,
            "drop" => Rule::drop_step,
            "rename" => Rule::rename_step,
            "join" => Rule::join_step,
            _ if named && next == "join" => {
                verb = layout.span(first..first + 2);
                Rule::join_step
            }
            "group" => Rule::group_step,
            "window" => Rule::window_step,
            "sort" => Rule::sort_step,
            "take" => Rule::take_step,
            "distinct" => Rule::distinct_step,
            "sample" => Rule::sample_step,
            "union" => Rule::union_step,
            "pivot" => Rule::pivot_step,
            "unpivot" => Rule::unpivot_step,
            "explode" => Rule::explode_step,
            "split" => Rule::split_step,
            "map" => Rule::map_step,
            "unmap" => Rule::unmap_step,
            "predict" => Rule::predict_step,
            "extern" => Rule::extern_step,
            "expect" => {
                let kind = StepKind::Expect(self.expect_statement(statement)?);
                return Some(Step { doc: self.doc(first), kind, verb, span });
            }
            _ => {
                let ident = self.verb(statement, "a step begins with a verb such as `filter`, `derive` or `join`")?;
                return Some(Step { doc: self.doc(first), kind: StepKind::Unknown { verb: ident }, verb, span });
            }
        };
        let kind = self.read(rule, statement.clone(), |reader, pairs| {
            let kind = reader.step_kind(rule, pairs)?;
            if is_empty(&kind) {
                reader.empty_block(span);
                return None;
            }
            Some(kind)
        });
        if kind.is_none() {
            self.lose_words(first + 1..statement.end);
        }
        Some(Step { doc: self.doc(first), kind: kind?, verb, span })
    }

    /// `a = EXPR` where `derive a = EXPR` is meant; `a: int` where nothing is declared.
    fn step_without_verb(&mut self, statement: Range<usize>) -> Option<Step> {
        let layout = self.layout;
        let first = statement.start;
        let name = layout.text_of(first);
        let verb = layout.span(first..first + 1);
        let span = layout.span(statement.clone());
        if layout.symbol(first + 1) == ":" {
            let help = format!("declare it in a dataset, or compute it: `derive {name} = …`");
            self.error(Code::E0001, verb, "a transform declares no columns", "not a step", help);
            self.lost.push(self.token_ident(layout.tokens[first]));
            return None;
        }
        let mark = self.errors.len();
        let before = Span { end: verb.start, ..verb };
        self.error(
            Code::E0001,
            verb,
            "a step begins with a verb",
            "not a verb",
            format!("to compute a column write `derive {name} = …`"),
        )
        .set_fix(Fix::new("write `derive` before it", vec![Edit::Write(before, "derive ".into())]));
        let columns = self.read(Rule::wrong_derive, statement, |reader, pairs| {
            Some(pairs.filter(|pair| pair.as_rule() == Rule::derived).map(|pair| reader.derived(pair)).collect())
        });
        self.keep_one_a_line(mark);
        Some(Step { doc: self.doc(first), kind: StepKind::Derive { replace: false, columns: columns? }, verb, span })
    }

    /// Remembers the names before each `=` of a step that is given up.
    fn step_kind(&mut self, rule: Rule, pairs: Pairs<'_, Rule>) -> Option<StepKind> {
        let mut pairs = pairs.filter(|pair| !matches!(pair.as_rule(), Rule::EOI | Rule::lbrace));
        Some(match rule {
            Rule::filter_step => StepKind::Filter {
                predicate: self.expr(pairs.next()?),
                on_train: pairs.next().map(|on_train| self.span(&on_train)),
            },
            Rule::derive_step => {
                let (mut replace, mut columns) = (false, Vec::new());
                for pair in pairs {
                    match pair.as_rule() {
                        Rule::derive_replace => replace = true,
                        _ => columns.push(self.derived(pair)),
                    }
                }
                StepKind::Derive { replace, columns }
            }
            Rule::select_step => StepKind::Select(self.selection(pairs.next()?)),
            Rule::drop_step => StepKind::Drop(self.selection(pairs.next()?)),
            Rule::rename_step => StepKind::Rename(pairs.filter_map(|pair| self.rename(pair)).collect()),
            Rule::join_step => StepKind::Join(self.join(pairs)?),
            Rule::group_step => self.group(pairs),
            Rule::window_step => self.window(pairs),
            Rule::sort_step => StepKind::Sort(self.sort_keys(pairs.next()?)),
            Rule::take_step => StepKind::Take(self.expr(pairs.next()?)),
            Rule::distinct_step => self.distinct(pairs),
            Rule::sample_step => {
                let share = self.expr(pairs.next()?);
                let (mut by, mut on_train) = (Vec::new(), None);
                for pair in pairs {
                    match pair.as_rule() {
                        Rule::columns => by = self.columns(pair),
                        Rule::on_train => on_train = Some(self.span(&pair)),
                        _ => {}
                    }
                }
                StepKind::Sample { share, by, on_train }
            }
            Rule::union_step => StepKind::Union(pairs.map(|name| self.ident(&name)).collect()),
            Rule::pivot_step => {
                let column = self.column_name(&pairs.next()?);
                let (mut values, mut aggregates) = (Vec::new(), Vec::new());
                for pair in pairs {
                    match pair.as_rule() {
                        Rule::list => values = pair.into_inner().map(|value| self.expr(value)).collect(),
                        Rule::assigned => aggregates.push(self.assigned(pair)),
                        _ => {}
                    }
                }
                StepKind::Pivot { column, values, aggregates }
            }
            Rule::unpivot_step => {
                let columns = self.selection(pairs.next()?);
                let mut names = pairs.filter(|pair| pair.as_rule() == Rule::column_name);
                let (name, value) = (names.next()?, names.next()?);
                StepKind::Unpivot { columns, name: self.column_name(&name), value: self.column_name(&value) }
            }
            Rule::explode_step => StepKind::Explode(self.columns(pairs.next()?)),
            Rule::split_step => StepKind::Split(self.split(pairs)),
            Rule::map_step => self.map(pairs)?,
            Rule::unmap_step => StepKind::Unmap(self.columns(pairs.next()?)),
            Rule::predict_step => {
                let model = self.ident(&pairs.next()?);
                let (mut out_of_fold, mut prefix) = (None, None);
                for pair in pairs {
                    match pair.as_rule() {
                        Rule::kw_out_of_fold => out_of_fold = Some(self.span(&pair)),
                        Rule::column_name => prefix = Some(self.column_name(&pair)),
                        _ => {}
                    }
                }
                StepKind::Predict { model, out_of_fold, prefix }
            }
            _ => {
                let command = self.text(&pairs.next()?);
                let columns = pairs.filter(|pair| pair.as_rule() == Rule::column);
                StepKind::Extern { command, returns: columns.map(|column| self.documented_column(column)).collect() }
            }
        })
    }

    fn documented_column(&mut self, pair: Pair<'_>) -> crate::syntax::ast::Column {
        let column = self.column(pair);
        let first = self.layout.tokens.partition_point(|token| token.start < column.span.start);
        crate::syntax::ast::Column { doc: self.doc(first), ..column }
    }

    fn derived(&mut self, pair: Pair<'_>) -> DeriveColumn {
        let mut label = None;
        let mut rest = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::derive_label => label = Some(self.span(&part)),
                _ => rest.push(part),
            }
        }
        let Named { name, value } = self.named(rest.into_iter());
        DeriveColumn { label, name: name.expect("a derived column has a name"), value }
    }

    /// An `assigned` pair.
    fn assigned(&mut self, pair: Pair<'_>) -> Named {
        self.named(pair.into_inner())
    }

    fn named<'i>(&mut self, parts: impl Iterator<Item = Pair<'i>>) -> Named {
        let (mut name, mut value) = (None, None);
        for part in parts {
            match part.as_rule() {
                Rule::column_name | Rule::name => name = Some(self.column_name(&part)),
                Rule::wrong_equals | Rule::wrong_colon => self.not_an_assignment(&part),
                Rule::expr => value = Some(self.expr(part)),
                _ => {}
            }
        }
        Named { name, value: value.expect("an entry has a value") }
    }

    /// A `named_block` pair.
    fn named_block(&mut self, pair: Pair<'_>) -> Vec<Named> {
        let entries = pair.into_inner().filter(|entry| entry.as_rule() == Rule::assigned);
        entries.map(|entry| self.assigned(entry)).collect()
    }

    fn selection(&mut self, pair: Pair<'_>) -> Selection {
        let span = self.span(&pair);
        Selection { items: pair.into_inner().map(|selector| self.selector(selector)).collect(), span }
    }

    /// A `selector` pair.
    pub(super) fn selector(&mut self, pair: Pair<'_>) -> Selector {
        let inner = pair.into_inner().next().expect("a selector is something");
        let span = self.span(&inner);
        let rule = inner.as_rule();
        if rule == Rule::column_name {
            return Selector::Name(self.column_name(&inner));
        }
        let (mut ty, mut except) = (None, Vec::new());
        for part in inner.into_inner() {
            match part.as_rule() {
                Rule::name => ty = Some(self.ident(&part)),
                Rule::excepted => except = part.into_inner().map(|part| self.excepted(part)).collect(),
                _ => {}
            }
        }
        match ty {
            Some(ty) => Selector::Where { ty, except, span },
            None => Selector::All { except, span },
        }
    }

    /// A `column_name` or an `excepted_type` pair.
    fn excepted(&mut self, pair: Pair<'_>) -> Selector {
        if pair.as_rule() == Rule::column_name {
            return Selector::Name(self.column_name(&pair));
        }
        let span = self.span(&pair);
        let ty = pair.into_inner().find(|part| part.as_rule() == Rule::name).expect("a type behind `where`");
        Selector::Where { ty: self.ident(&ty), except: Vec::new(), span }
    }

    fn rename(&mut self, pair: Pair<'_>) -> Option<(Ident, Ident)> {
        let mut names = pair.into_inner().filter(|part| part.as_rule() == Rule::column_name);
        let (old, new) = (names.next()?, names.next()?);
        Some((self.column_name(&old), self.column_name(&new)))
    }

    fn join<'i>(&mut self, pairs: impl Iterator<Item = Pair<'i>>) -> Option<JoinStep> {
        let mut right = None;
        let mut kind = None;
        let (mut alias, mut prefix, mut within) = (None, None, None);
        let (mut on, mut by, mut modifiers) = (Vec::new(), Vec::new(), Vec::new());
        let mut written: Vec<Rule> = Vec::new();
        for pair in pairs {
            let rule = pair.as_rule();
            self.only_once(&mut written, &pair, &[Rule::join_word]);
            let mut inner = pair.clone().into_inner();
            match rule {
                Rule::join_verb => kind = inner.find(|p| p.as_rule() == Rule::name).map(|kind| self.ident(&kind)),
                Rule::name => right = Some(self.ident(&pair)),
                Rule::join_on => on = inner.filter(|p| p.as_rule() == Rule::expr).map(|e| self.expr(e)).collect(),
                Rule::join_by => by = self.columns(inner.find(|p| p.as_rule() == Rule::columns)?),
                Rule::join_within => within = Some(self.expr(inner.find(|p| p.as_rule() == Rule::expr)?)),
                Rule::join_as => alias = Some(self.ident(&inner.find(|p| p.as_rule() == Rule::name)?)),
                Rule::join_prefix => prefix = Some(self.ident(&inner.find(|p| p.as_rule() == Rule::name)?)),
                Rule::join_word => modifiers.push(self.ident(&inner.next()?)),
                _ => {}
            }
        }
        Some(JoinStep { kind, right: right?, alias, prefix, on, by, within, modifiers })
    }

    /// A clause of a step stands at most once.
    fn only_once(&mut self, written: &mut Vec<Rule>, pair: &Pair<'_>, repeatable: &[Rule]) {
        let rule = pair.as_rule();
        if written.contains(&rule) && !repeatable.contains(&rule) {
            self.error(
                Code::E0001,
                self.span(pair),
                "this stands here twice",
                "the second time",
                "keep one of the two",
            );
        }
        written.push(rule);
    }

    fn group<'i>(&mut self, pairs: impl Iterator<Item = Pair<'i>>) -> StepKind {
        let (mut keys, mut aggregates) = (Vec::new(), Vec::new());
        for pair in pairs {
            match pair.as_rule() {
                Rule::group_key => {
                    let parts: Vec<_> = pair.into_inner().collect();
                    match parts.first().filter(|part| part.as_rule() == Rule::wrong_group_key) {
                        Some(wrong) => keys.push(self.wrong_group_key(wrong.clone())),
                        None => keys.push(self.named(parts.into_iter())),
                    }
                }
                Rule::named_block => aggregates = self.named_block(pair),
                _ => {}
            }
        }
        StepKind::Group { keys, aggregates }
    }

    fn wrong_group_key(&mut self, pair: Pair<'_>) -> Named {
        let sign = pair.clone().into_inner().find(|part| part.as_rule() == Rule::assign);
        let span = self.span(sign.as_ref().unwrap_or(&pair));
        let key = self.named(pair.into_inner());
        let value = &self.layout.text[key.value.span.start as usize..key.value.span.end as usize];
        let name = key.name.as_ref().map_or("", |name| &name.name);
        let help = format!("write `{value} as {name}`");
        self.error(Code::E0001, span, "a key of a group gets its name with `as`", "`as` is meant", help);
        key
    }

    fn window<'i>(&mut self, pairs: impl Iterator<Item = Pair<'i>>) -> StepKind {
        let (mut by, mut order, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        for pair in pairs {
            match pair.as_rule() {
                Rule::window_by => by = pair.into_inner().map(|key| self.expr(key)).collect(),
                Rule::sort_keys => order = self.sort_keys(pair),
                Rule::named_block => columns = self.named_block(pair),
                _ => {}
            }
        }
        StepKind::Window { by, order, columns }
    }

    fn sort_keys(&mut self, pair: Pair<'_>) -> Vec<SortKey> {
        let mut keys = Vec::new();
        for key in pair.into_inner() {
            let mut parts = key.into_inner();
            let expr = self.expr(parts.next().expect("a sort key is an expression"));
            let descending = parts.find(|part| part.as_rule() == Rule::kw_desc).map(|desc| self.span(&desc));
            keys.push(SortKey { expr, descending });
        }
        keys
    }

    fn distinct<'i>(&mut self, pairs: impl Iterator<Item = Pair<'i>>) -> StepKind {
        let (mut by, mut keep, mut order) = (Vec::new(), None, Vec::new());
        for pair in pairs {
            match pair.as_rule() {
                Rule::columns => by = self.columns(pair),
                Rule::distinct_keep => {
                    let word = pair.into_inner().find(|part| part.as_rule() == Rule::name);
                    keep = word.map(|word| self.ident(&word));
                }
                Rule::sort_keys => order = self.sort_keys(pair),
                _ => {}
            }
        }
        StepKind::Distinct { by, keep, order }
    }

    fn split<'i>(&mut self, pairs: impl Iterator<Item = Pair<'i>>) -> SplitStep {
        let mut split = SplitStep {
            stratify: None,
            using: None,
            at: None,
            by: Vec::new(),
            parts: Vec::new(),
            folds: None,
            gap: None,
        };
        let mut written = Vec::new();
        for pair in pairs {
            self.only_once(&mut written, &pair, &[Rule::split_part]);
            let rule = pair.as_rule();
            let mut names = Vec::new();
            let mut value = None::<Expr>;
            for part in pair.clone().into_inner() {
                match part.as_rule() {
                    Rule::column_name => names.push(self.column_name(&part)),
                    Rule::expr if rule != Rule::split_part => value = Some(self.expr(part)),
                    Rule::split_part => split.parts.push(self.split_part(part)),
                    _ => {}
                }
            }
            match rule {
                Rule::split_by => split.by = names,
                Rule::split_at => split.at = names.pop(),
                Rule::split_stratify => split.stratify = names.pop(),
                Rule::split_using => split.using = names.pop(),
                Rule::split_folds => split.folds = value,
                Rule::split_gap => split.gap = value,
                Rule::split_part => split.parts.push(self.split_part(pair)),
                _ => {}
            }
        }
        split
    }

    fn split_part(&mut self, pair: Pair<'_>) -> SplitPart {
        let (mut part, mut share, mut from, mut before) = (None, None, None, None);
        for piece in pair.into_inner() {
            let rule = piece.as_rule();
            match rule {
                Rule::name => part = Some(self.ident(&piece)),
                Rule::expr => share = Some(self.expr(piece)),
                _ => {
                    let bound = piece.into_inner().find(|p| p.as_rule() == Rule::expr).map(|e| self.expr(e));
                    *(if rule == Rule::split_from { &mut from } else { &mut before }) = bound;
                }
            }
        }
        let size = match share {
            Some(share) => SplitSize::Share(share),
            None => SplitSize::Time { from, before },
        };
        SplitPart { part: part.expect("a part has a name"), size }
    }

    fn map<'i>(&mut self, pairs: impl Iterator<Item = Pair<'i>>) -> Option<StepKind> {
        let (mut columns, mut grouped, mut ops, mut name) = (None, false, Vec::new(), None);
        for pair in pairs {
            match pair.as_rule() {
                Rule::selection => columns = Some(self.selection(pair)),
                Rule::map_group => {
                    let span: Span = self.span(&pair);
                    let inner = self.selection(pair.into_inner().next()?);
                    columns = Some(Selection { span, ..inner });
                    grouped = true;
                }
                Rule::operation => ops.push(self.operation(pair)),
                Rule::map_name => {
                    let Ident { name: pattern, span } = self.ident(&pair);
                    let tokens = self.layout.tokens;
                    let rest = &tokens[tokens.partition_point(|token| token.start <= span.start)..];
                    let inside = rest.iter().map(|token| token.start).take_while(|start| *start < span.end);
                    self.marks.glued.extend(inside);
                    name = Some(MapName { pattern, span });
                }
                _ => {}
            }
        }
        Some(StepKind::Map(MapStep { columns: columns?, grouped, ops, name }))
    }
}

fn is_empty(kind: &StepKind) -> bool {
    match kind {
        StepKind::Derive { columns, .. } => columns.is_empty(),
        StepKind::Window { columns, .. } => columns.is_empty(),
        StepKind::Extern { returns, .. } => returns.is_empty(),
        StepKind::Split(split) => {
            split.parts.is_empty()
                && split.by.is_empty()
                && [&split.at, &split.using, &split.stratify].iter().all(|clause| clause.is_none())
                && split.folds.is_none()
                && split.gap.is_none()
        }
        _ => false,
    }
}
