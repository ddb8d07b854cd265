//! The AST of what is easily read wrongly.

use dbjob::syntax::ast::*;

use super::{messages, read};

fn item(text: &str) -> ItemKind {
    assert_eq!(messages(text), "", "{text}");
    read(text).ast.items.remove(0).kind.clone()
}

fn step(text: &str) -> StepKind {
    let ItemKind::Transform(mut transform) = item(&format!("transform t from x {{\n  {text}\n}}\n")) else { panic!() };
    assert_eq!(transform.steps.len(), 1, "{text}");
    transform.steps.remove(0).kind
}

fn names(idents: &[Ident]) -> Vec<&str> {
    idents.iter().map(|ident| ident.name.as_str()).collect()
}

#[test]
fn doc_comments_belong_to_what_is_below() {
    let text = "## One\n##  two\n\n# plain\n##three\ndataset d from csv(\"x\") {  ## not a doc\n  ## A.\n  a: int ## of nothing\n  ### plain\n  b: int\n}\n";
    let parsed = read(text);
    assert_eq!(parsed.ast.items[0].doc, ["One", " two", "three"]);
    let ItemKind::Dataset(dataset) = &parsed.ast.items[0].kind else { panic!() };
    assert_eq!(dataset.columns[0].doc, ["A."]);
    assert!(dataset.columns[1].doc.is_empty());
    let StepKind::Extern { returns, .. } = step("extern \"x\" {\n returns {\n  ## Where.\n  geo: string? }\n }") else {
        panic!()
    };
    assert_eq!(returns[0].doc, ["Where."]);
}

#[test]
fn columns() {
    let text = "dataset d from csv(\"x\") {\n  price: decimal(10, 2)? in 0..=9 named \"Price\" weight late after 30d label known at t\n  key: int in 1.. key\n  ..\n}\n";
    let ItemKind::Dataset(dataset) = item(text) else { panic!() };
    let [price, key] = &dataset.columns[..] else { panic!() };
    let written = |span: dbjob_plan::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(written(price.ty.span), "decimal(10, 2)?");
    assert!(price.ty.nullable && price.ty.args.len() == 2 && price.ty.refinement.is_none());
    assert_eq!(written(price.refinement.as_ref().unwrap().span), "0..=9");
    assert_eq!(price.named.as_ref().unwrap().value, "Price");
    let attributes: Vec<_> = price.attributes.iter().map(|a| written(a.span)).collect();
    assert_eq!(attributes, ["weight", "late after 30d", "label known at t"]);
    assert_eq!(price.attributes[2].known_at.as_ref().unwrap().name, "t");
    assert_eq!((key.name.name.as_str(), key.attributes[0].name.name.as_str()), ("key", "key"));
    let ExprKind::Range { high: None, .. } = &key.refinement.as_ref().unwrap().kind else { panic!() };
    assert_eq!(written(dataset.rest.unwrap()), "..");
}

#[test]
fn joins() {
    let StepKind::Join(join) = step("left join users as u prefix u_ on a == u.b and c, d many_to_one lookup") else {
        panic!()
    };
    assert_eq!(join.kind.unwrap().name, "left");
    assert_eq!((join.alias.unwrap().name.as_str(), join.prefix.unwrap().name.as_str()), ("u", "u_"));
    assert_eq!(join.on.len(), 2);
    assert_eq!(names(&join.modifiers), ["many_to_one", "lookup"]);
    let StepKind::Join(join) = step("asof join prices on at by sku, shop within 7d") else { panic!() };
    assert_eq!(names(&join.by), ["sku", "shop"]);
    assert!(join.within.is_some() && join.on.len() == 1);
}

#[test]
fn splits() {
    let StepKind::Split(split) = step("split by a, b, folds 5") else { panic!() };
    assert_eq!(names(&split.by), ["a", "b"]);
    assert!(split.folds.is_some() && split.parts.is_empty());
    let StepKind::Split(split) = step("split at test { train before @2024-01-01, test from @2024-01-01 } gap 7d")
    else {
        panic!()
    };
    assert_eq!(split.at.unwrap().name, "test");
    assert!(matches!(
        (&split.parts[0].size, &split.parts[1].size),
        (SplitSize::Time { from: None, before: Some(_) }, SplitSize::Time { from: Some(_), before: None })
    ));
    assert!(split.gap.is_some());
}

#[test]
fn contextual_words_are_columns_too() {
    let StepKind::Sort(keys) = step("sort desc desc, asc, by") else { panic!() };
    let shown: Vec<_> = keys.iter().map(|key| key.descending.is_some()).collect();
    assert_eq!(shown, [true, false, false]);
    let StepKind::Distinct { by, keep, order } = step("distinct by by, keep keep last order order desc") else {
        panic!()
    };
    assert_eq!((names(&by), keep.unwrap().name.as_str(), order.len()), (vec!["by", "keep"], "last", 1));
    let StepKind::Derive { replace, columns } = step("derive label = 1, replace = 2, label label = 3") else {
        panic!()
    };
    assert!(!replace && columns.len() == 3 && columns[2].label.is_some());
    let StepKind::Select(selection) = step("select where, all except test, where float except a") else { panic!() };
    let [Selector::Name(_), Selector::All { except, .. }, _] = &selection.items[..] else { panic!("{selection:?}") };
    assert!(matches!(&except[..], [Selector::Name(name)] if name.name == "test"));
    let StepKind::Select(selection) = step("select all except where float, id, where int except where") else {
        panic!()
    };
    let [Selector::All { except, .. }, Selector::Where { except: where_, .. }] = &selection.items[..] else {
        panic!("{selection:?}")
    };
    let [Selector::Where { ty, .. }, Selector::Name(id)] = &except[..] else { panic!("{except:?}") };
    assert_eq!((ty.name.as_str(), id.name.as_str()), ("float", "id"));
    assert!(matches!(&where_[..], [Selector::Name(name)] if name.name == "where"));
}

#[test]
fn settings() {
    let ItemKind::Job { name, settings } = item("job { seed = 7, environment { A = unset }; x = [1, 2] }\n") else {
        panic!()
    };
    assert!(name.is_none() && settings.len() == 3);
    assert!(matches!(&settings[1].value, SettingValue::Block(inner) if inner.len() == 1));
    let ItemKind::Model(model) = item("model m from t { threshold = best f1 }\n") else { panic!() };
    let ModelStatementKind::Setting(Setting { value: SettingValue::Expr(value), .. }) = &model.statements[0].kind
    else {
        panic!()
    };
    assert!(matches!(&value.kind, ExprKind::Call(call) if call.name.name == "best" && call.args.len() == 1));
}

#[test]
fn unknown_verbs_stay_in_the_tree() {
    let StepKind::Unknown { verb } = step("fliter a > 1") else { panic!() };
    assert_eq!(verb.name, "fliter");
    let ItemKind::Dataset(dataset) = item("dataset d from csv(\"x\") { a: int, sort b; c = 1 }\n") else { panic!() };
    assert_eq!(names(&dataset.unknown), ["sort", "c"]);
}

#[test]
fn names_of_what_is_lost() {
    let lost = |text: &str| read(text).ast.lost.into_iter().map(|ident| ident.name).collect::<Vec<_>>();
    assert_eq!(lost("dataset d csv(\"x\") { a: int }\n"), ["d"]);
    assert_eq!(lost("transform t from x {\n derive a = (1\n derive { b = 1, c = = 2 }\n}\n"), ["a", "c"]);
}
