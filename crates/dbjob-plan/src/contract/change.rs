//! How two versions of a model differ for their callers.

use serde::{Deserialize, Serialize};

use super::bounds::{Bounds, Rule, rules};
use super::{bounds_of, range};
use crate::{DataType, Field, FitSpec, Manifest, Refinement, Serving, Value};

/// A difference between two versions of a model, and whether it breaks callers of the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractChange {
    pub part: ContractPart,
    pub breaking: bool,
    pub what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContractPart {
    /// A field that callers send.
    Request,
    /// A rule that refuses rows.
    Rule,
    /// What callers get.
    Output,
    /// The classes that answers are of.
    Classes,
}

/// What callers of a model rely on.
#[derive(Debug, Clone, Copy)]
pub struct Promise<'a> {
    pub serving: &'a Serving,
    pub output: &'a DataType,
    /// `None`: only the data will tell.
    pub classes: Option<&'a [Value]>,
    /// Whether a number comes with the ends of its interval.
    pub interval: bool,
}

impl<'a> From<&'a Manifest> for Promise<'a> {
    fn from(manifest: &'a Manifest) -> Self {
        Self {
            serving: &manifest.serving,
            output: &manifest.output.dtype,
            classes: Some(&manifest.classes),
            interval: manifest.conformal.is_some(),
        }
    }
}

/// Before anything is learned.
impl<'a> From<&'a FitSpec> for Promise<'a> {
    fn from(spec: &'a FitSpec) -> Self {
        Self { serving: &spec.serving, output: &spec.output.dtype, classes: None, interval: spec.conformal.is_some() }
    }
}

/// How the requests and answers of a model change for its callers. Requests may hold no further fields, and need all.
pub fn changes(was: &Promise<'_>, now: &Promise<'_>) -> Vec<ContractChange> {
    let mut found = Found::default();
    let (old_rules, new_rules) = (rules(was.serving), rules(now.serving));
    for field in now.serving.request.visible() {
        match was.serving.request.visible().find(|f| f.name == field.name) {
            Some(old) => found.field(old, field),
            None => found.say(ContractPart::Request, true, format!("requests need the new field {field}")),
        }
    }
    for field in was.serving.request.visible() {
        if now.serving.request.visible().all(|f| f.name != field.name) {
            let what = format!("requests may not have the field `{}` any more", field.name);
            found.say(ContractPart::Request, true, what);
        }
    }
    found.rules((was, &old_rules), (now, &new_rules));
    found.answer(was, now);
    found.0
}

#[derive(Default)]
struct Found(Vec<ContractChange>);

impl Found {
    fn say(&mut self, part: ContractPart, breaking: bool, what: String) {
        self.0.push(ContractChange { part, breaking, what });
    }

    fn field(&mut self, old: &Field, field: &Field) {
        let name = &field.name;
        let mut say = |breaking: bool, what: String| self.say(ContractPart::Request, breaking, what);
        if old.dtype != field.dtype {
            match levels(&old.dtype, &field.dtype) {
                Some((gone, new)) => {
                    if !gone.is_empty() {
                        say(true, format!("`{name}` may not be {} any more", or(&gone)));
                    }
                    if !new.is_empty() {
                        say(false, format!("`{name}` may be {} now", or(&new)));
                    }
                }
                None => {
                    let what = format!("`{name}` is {} instead of {}", field.dtype, old.dtype);
                    say(!widens(&old.dtype, &field.dtype), what);
                }
            }
        }
        match (old.nullable, field.nullable) {
            (true, false) => say(true, format!("`{name}` may not be null any more")),
            (false, true) => say(false, format!("`{name}` may be null now")),
            _ => {}
        }
        if old.refinement != field.refinement {
            let shown = |r: &Option<Refinement>| r.as_ref().map_or("any value".to_owned(), |r| format!("in {r}"));
            let what = format!("`{name}` takes {} instead of {}", shown(&field.refinement), shown(&old.refinement));
            say(!range::contains(&field.refinement, &old.refinement), what);
        }
    }

    /// What the fields' own types say already is not said again.
    fn rules(&mut self, (was, old): (&Promise<'_>, &[Rule<'_>]), (now, new): (&Promise<'_>, &[Rule<'_>])) {
        let there = |rules: &[Rule<'_>], text: &str| rules.iter().any(|r| r.text == text);
        let implied = |rule: &Rule<'_>| {
            rule.told
                && rule.bounds.iter().all(|(name, bounds)| {
                    let field = was.serving.request.get(name);
                    field.is_some_and(|f| within(bounds_of(f, old), *bounds))
                })
                && rule.bounds.iter().all(|(name, _)| now.serving.request.get(name).is_some())
        };
        for rule in new.iter().filter(|rule| !there(old, &rule.text) && !implied(rule)) {
            self.say(ContractPart::Rule, true, format!("rows are refused now unless `{}`", rule.text));
        }
        for rule in old.iter().filter(|rule| !there(new, &rule.text)) {
            self.say(ContractPart::Rule, false, format!("rows need not be `{}` any more", rule.text));
        }
    }

    fn answer(&mut self, was: &Promise<'_>, now: &Promise<'_>) {
        if was.output != now.output {
            let what = format!("the answer is {} instead of {}", now.output, was.output);
            self.say(ContractPart::Output, true, what);
        } else if let (Some(old), Some(new)) = (was.classes, now.classes) {
            let missing = |of: &[Value], from: &[Value]| -> Vec<String> {
                of.iter().filter(|v| !from.contains(v)).map(ToString::to_string).collect()
            };
            let (gone, come) = (missing(old, new), missing(new, old));
            if !gone.is_empty() {
                self.say(ContractPart::Classes, true, format!("the answer is never {} any more", or(&gone)));
            }
            if !come.is_empty() {
                self.say(ContractPart::Classes, true, format!("the answer may be {}, too", or(&come)));
            }
        }
        match (was.interval, now.interval) {
            (true, false) => self.say(ContractPart::Output, true, "answers have no interval any more".into()),
            (false, true) => self.say(ContractPart::Output, false, "answers have an interval now".into()),
            _ => {}
        }
    }
}

/// The levels of a closed category that are gone, and those that are new.
fn levels(was: &DataType, now: &DataType) -> Option<(Vec<String>, Vec<String>)> {
    match (was, now) {
        (DataType::Category { levels: Some(was) }, DataType::Category { levels: Some(now) }) => {
            let missing = |of: &[String], from: &[String]| -> Vec<String> {
                of.iter().filter(|level| !from.contains(level)).map(|level| format!("{level:?}")).collect()
            };
            Some((missing(was, now), missing(now, was)))
        }
        _ => None,
    }
}

fn or(items: &[String]) -> String {
    items.join(" or ")
}

/// Whether every value of `was` is one of `now`, as callers write it.
fn widens(was: &DataType, now: &DataType) -> bool {
    match (was, now) {
        (DataType::Int, DataType::Float) => true,
        (DataType::Category { .. }, DataType::String | DataType::Category { levels: None }) => true,
        (DataType::String, DataType::Category { levels: None }) => true,
        (DataType::Decimal { precision, scale }, DataType::Decimal { precision: wider, scale: finer }) => {
            finer >= scale && wider - finer >= precision - scale
        }
        (DataType::List { item: was }, DataType::List { item: now }) => was == now || widens(was, now),
        (DataType::Vector { width: Some(_) }, DataType::Vector { width: None }) => true,
        _ => false,
    }
}

/// Whether all numbers of `inner` are of `outer`.
fn within(inner: Bounds, outer: Bounds) -> bool {
    inner.and(outer) == inner
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BinaryOp, ExpectAction, Expectation, Expr, ExprKind, Node, Op, Plan, Schema};

    fn field(dtype: DataType, nullable: bool, refinement: Option<Refinement>) -> Field {
        Field { refinement, ..Field::new("x", dtype, nullable) }
    }

    fn range(low: i64, high: i64) -> Option<Refinement> {
        Some(Refinement::Range { low: Some(Value::Int(low)), high: Some(Value::Int(high)), inclusive: true })
    }

    fn category(levels: &[&str]) -> DataType {
        DataType::Category { levels: Some(levels.iter().map(|l| (*l).to_owned()).collect()) }
    }

    /// A model of these fields, with the rule `x >= least`.
    fn serving(fields: &[Field], least: Option<i64>) -> Serving {
        let (mut plan, request) = (Plan::default(), Schema::new(fields.to_vec()));
        let node = |op| Node { op, schema: request.clone(), span: Default::default(), item: "d".into() };
        let mut output = plan.add(node(Op::Request), &[]);
        if let Some(least) = least {
            let expr = |kind, dtype| Expr { kind, dtype, nullable: false, span: Default::default() };
            let column = expr(ExprKind::Column("x".into()), DataType::Int);
            let number = expr(ExprKind::Literal(Value::Int(least)), DataType::Int);
            let kind = ExprKind::Binary { op: BinaryOp::Ge, left: Box::new(column), right: Box::new(number) };
            let predicate = expr(kind, DataType::Bool);
            let rule = Expectation {
                text: predicate.to_string(),
                predicate,
                unique: Vec::new(),
                quarantine: None,
                action: ExpectAction::Fail,
            };
            output = plan.add(node(Op::Expect(rule)), &[output]);
        }
        let (dataset, nulls, docs, behind) = (None, Vec::new(), Default::default(), 0);
        Serving { plan, request, output, lookups: Vec::new(), dataset, behind, nulls, docs }
    }

    fn promise<'a>(serving: &'a Serving, output: &'a DataType, classes: Option<&'a [Value]>) -> Promise<'a> {
        Promise { serving, output, classes, interval: false }
    }

    fn said(was: &Serving, now: &Serving) -> Vec<(bool, String)> {
        let found = changes(&promise(was, &DataType::Bool, None), &promise(now, &DataType::Bool, None));
        found.into_iter().map(|c| (c.breaking, c.what)).collect()
    }

    #[test]
    fn what_old_callers_may_still_do_breaks_nothing() {
        let breaks = |was: Field, now: Field| -> Vec<bool> {
            said(&serving(&[was], None), &serving(&[now], None)).into_iter().map(|(breaking, _)| breaking).collect()
        };
        let int = |nullable, refinement| field(DataType::Int, nullable, refinement);
        let of = |dtype| field(dtype, false, None);
        assert_eq!(breaks(int(false, None), int(false, None)), Vec::<bool>::new());
        assert_eq!(breaks(int(false, None), int(true, None)), [false]);
        assert_eq!(breaks(int(true, None), int(false, None)), [true]);
        assert_eq!(breaks(int(false, range(1, 5)), int(false, range(0, 9))), [false]);
        assert_eq!(breaks(int(false, range(1, 5)), int(false, range(2, 5))), [true]);
        assert_eq!(breaks(int(false, range(1, 5)), int(false, None)), [false]);
        assert_eq!(breaks(int(false, None), int(false, range(1, 5))), [true]);
        assert_eq!(breaks(of(DataType::Int), of(DataType::Float)), [false]);
        assert_eq!(breaks(of(DataType::Float), of(DataType::Int)), [true]);
        assert_eq!(breaks(of(DataType::Int), of(DataType::String)), [true]);
        assert_eq!(breaks(of(category(&["a", "b"])), of(category(&["a", "b", "c"]))), [false]);
        assert_eq!(breaks(of(category(&["a", "b"])), of(category(&["b"]))), [true]);
        assert_eq!(breaks(of(category(&["a", "b"])), of(category(&["b", "c"]))), [true, false]);
        assert_eq!(breaks(of(category(&["a"])), of(DataType::String)), [false]);
        let decimal = |precision, scale| of(DataType::Decimal { precision, scale });
        assert_eq!(breaks(decimal(6, 2), decimal(8, 3)), [false]);
        assert_eq!(breaks(decimal(6, 2), decimal(6, 3)), [true]);
    }

    #[test]
    fn fields_that_come_and_go_break_callers() {
        let (one, none) = (serving(&[field(DataType::Int, false, None)], None), serving(&[], None));
        assert_eq!(said(&one, &none), [(true, "requests may not have the field `x` any more".into())]);
        assert_eq!(said(&none, &one), [(true, "requests need the new field x: int".into())]);
    }

    #[test]
    fn a_rule_that_refuses_more_breaks_callers() {
        let with = |low, least| serving(&[field(DataType::Int, false, range(low, 99))], least);
        assert_eq!(said(&with(0, None), &with(0, Some(18))), [(true, "rows are refused now unless `x >= 18`".into())]);
        assert_eq!(said(&with(0, Some(18)), &with(0, None)), [(false, "rows need not be `x >= 18` any more".into())]);
        assert_eq!(said(&with(20, None), &with(20, Some(18))), []);
        let found = said(&with(0, Some(18)), &with(0, Some(16)));
        assert_eq!(found, [(false, "rows need not be `x >= 18` any more".into())]);
        assert!(said(&with(0, Some(16)), &with(0, Some(18)))[0].0);
    }

    #[test]
    fn other_answers_break_callers() {
        let serving = serving(&[], None);
        let text = |levels: &[&str]| levels.iter().map(|l| Value::String((*l).to_owned())).collect::<Vec<_>>();
        let open = DataType::Category { levels: None };
        let (two, three, other) = (text(&["a", "b"]), text(&["c", "b", "a"]), text(&["b", "c"]));
        let found = |was: Option<&[Value]>, now: Option<&[Value]>| {
            let found = changes(&promise(&serving, &open, was), &promise(&serving, &open, now));
            found.into_iter().map(|c| (c.breaking, c.what)).collect::<Vec<_>>()
        };
        assert_eq!(found(Some(&two), Some(&three)), [(true, "the answer may be \"c\", too".into())]);
        assert_eq!(found(Some(&two), Some(&other)).len(), 2);
        assert_eq!(found(Some(&two), None), []);
        let changed = changes(&promise(&serving, &DataType::Int, None), &promise(&serving, &DataType::Float, None));
        assert!(changed[0].breaking && changed[0].part == ContractPart::Output);
        let without = promise(&serving, &DataType::Float, None);
        let with = Promise { interval: true, ..without };
        assert!(!changes(&without, &with)[0].breaking && changes(&with, &without)[0].breaking);
    }
}
