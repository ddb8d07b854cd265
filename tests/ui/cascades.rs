//! One cause has one message. Mistakes are made in tests/ui/whole.dbjob, a file with nearly everything.

use std::path::Path;

use dbjob::diagnostic::Diagnostic;

use super::problems;

const WHOLE: &str = include_str!("whole.dbjob");

fn found(text: &str) -> Vec<(String, String, String)> {
    let (problems, sources) = problems(Path::new("whole.dbjob"), text);
    let shown = |d: &Diagnostic| (d.code.to_string(), sources.slice(d.span).to_owned(), d.message.clone());
    problems.iter().map(shown).collect()
}

/// Of each word of code a typo, of each line and each sign of it its absence.
fn mutations() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut start = 0;
    for line in WHOLE.split_inclusive('\n') {
        let code = line.split("##").next().unwrap_or("");
        let replaced =
            |from: usize, to: usize, with: &str| format!("{}{with}{}", &WHOLE[..start + from], &WHOLE[start + to..]);
        if !code.trim().is_empty() {
            all.push((format!("without the line {:?}", line.trim()), replaced(0, line.len(), "")));
        }
        let mut word = None;
        for (at, c) in code.char_indices() {
            let in_word = c.is_alphanumeric() || c == '_';
            let outside = code[..at].matches('"').count() % 2 == 0;
            match (in_word && outside, word) {
                (true, None) => word = Some(at),
                (false, Some(from)) => {
                    word = None;
                    let written = &code[from..at];
                    if written.starts_with(char::is_alphabetic) && written.len() > 1 {
                        let middle = written.len() / 2;
                        let typo = format!("{}q{}", &written[..middle], &written[middle + 1..]);
                        all.push((format!("{written} -> {typo} in {:?}", line.trim()), replaced(from, at, &typo)));
                    }
                }
                _ => {}
            }
            if !in_word && !c.is_whitespace() {
                all.push((format!("without the {c} at {at} of {:?}", line.trim()), replaced(at, at + 1, "")));
            }
        }
        start += line.len();
    }
    all
}

/// Lines that give several columns, each of which is missed by itself.
const SEVERAL: &[&str] = &["join users", "derive avg_item", "map country, plan", "group by"];

#[test]
fn one_mistake_has_at_most_one_message() {
    assert_eq!(found(WHOLE), [], "the file itself is wrong");
    let (mut failures, mut silent) = (String::new(), 0);
    let mutations = mutations();
    for (what, text) in &mutations {
        let found = found(text);
        let without_line = what.strip_prefix("without the line \"");
        let several = without_line.is_some_and(|line| SEVERAL.iter().any(|s| line.starts_with(s)));
        silent += usize::from(found.is_empty());
        if found.len() > if several { 2 } else { 1 } {
            failures.push_str(&format!("{what}: {found:#?}\n"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
    // What is left out may be missed by nobody: a setting, a `?`, a comment.
    assert!(mutations.len() > 350 && silent < mutations.len() / 6, "{silent} of {} are silent", mutations.len());
}

/// A part of the file, what stands there instead, and the code and the text of each message.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const CASES: &[Case] = &[
    // Names at every level.
    ("job returns {", "jbo returns {", &[("E0103", "jbo")]),
    ("  seed     = 7", "  sed      = 7", &[("E0104", "sed")]),
    ("param since: date", "param since: dat", &[("E0110", "dat")]),
    ("from csv(\"data/orders.csv\"", "from cvs(\"data/orders.csv\"", &[("E0101", "cvs")]),
    ("nulls = [", "null = [", &[("E0001", "null")]),
    ("  country:     category(", "  country:     categoy(", &[("E0110", "categoy")]),
    ("returned:    bool label", "returned:    bool lable", &[("E0104", "lable")]),
    ("items:       int in 1..=500", "items:       int in 1..500.5", &[("E0201", "500.5")]),
    ("transform rows from orders", "transform rows from order", &[("E0101", "order")]),
    ("  join users on user_id lookup", "  join users on user lookup", &[("E0203", "user")]),
    ("  join users on user_id lookup", "  jion users on user_id lookup", &[("E0103", "jion")]),
    ("weekday(ordered_at)", "weekdy(ordered_at)", &[("E0205", "weekdy")]),
    ("weekday(ordered_at)", "weekday(ordered_at, 1)", &[("E0202", "1")]),
    ("impute(median), standardize", "impute(medain), standardize", &[("E0105", "medain")]),
    ("map country, plan with one_hot", "map country, plan with onehot", &[("E0205", "onehot")]),
    ("map country, plan with one_hot", "map country plan with one_hot", &[("E0001", "plan")]),
    ("  fit random_forest {", "  fit random_frost {", &[("E0205", "random_frost")]),
    ("trees = 300", "tree = 300", &[("E0104", "tree")]),
    ("trees = 300", "trees = many", &[("E0105", "many")]),
    ("evaluate auc, log_loss", "evaluate auc, logloss", &[("E0205", "logloss")]),
    ("accuracy > baseline", "accuracy > basline", &[("E0205", "basline")]),
    ("to registry(\"models\")", "to registery(\"models\")", &[("E0101", "registery")]),
    ("runs = deploy.prod", "runs = deploy.prd", &[("E0101", "prd")]),
    ("after = training", "after = trianing", &[("E0101", "trianing")]),
    // Brackets and signs.
    ("transform spending from orders {", "transform spending from orders", &[("E0001", "orders")]),
    ("module training { runs", "module training runs", &[("E0001", "}")]),
    ("category(\"DE\", \"FR\", \"US\")", "category(\"DE\", \"FR\", \"US\"", &[("E0002", "(")]),
    ("sum(amount), n = count() }", "sum(amount, n = count() }", &[("E0002", "(")]),
    ("nulls = [\"NA\"])", "nulls = [\"NA\")", &[("E0002", "[")]),
    ("  output returned: bool\n", "  output returned bool\n", &[("E0001", "bool")]),
    ("  filter n > 2", "  filter n > > 2", &[("E0001", ">")]),
    ("  filter n > 2", "  filter n = 2", &[("E0001", "=")]),
    ("  filter n > 2", "  filter", &[("E0001", "filter")]),
    ("  take 100\n", "  take 100,\n", &[("E0001", ",")]),
    ("then \"large\" else \"small\"", "then \"large\"", &[("E0001", "if")]),
    ("items < 10 then", "items < 10", &[("E0001", "\"large\"")]),
    // Nesting.
    ("  filter n > 2", "  transform inner from orders { take 1 }", &[("E0103", "transform")]),
    ("  evaluate auc, log_loss, accuracy\n", "  filter amount > 1.0\n", &[("E0103", "filter")]),
    ("  plan:    category\n", "  plan:    category\n  filter age > 3\n", &[("E0103", "filter")]),
    ("  take 100\n", "  take 100\n}\n", &[("E0001", "}")]),
    // A cause far above what follows from it.
    ("  split by user_id { train 70%, valid 10%, test 20% }\n", "", &[("E0402", "impute(median)")]),
    ("  split by user_id {", "  split by users_id {", &[("E0203", "users_id")]),
    ("  amount:      float in 0.01..\n", "", &[("E0203", "amount")]),
    ("  returned:    bool label\n", "", &[("E0203", "returned")]),
    ("  user_id: int key\n", "", &[("E0203", "user_id")]),
    ("dataset users from csv(\"data/users.csv\") {\n", "", &[("E0001", "user_id")]),
    ("  derive avg_item = amount / items,", "  derive avg_item = amuont / items,", &[("E0203", "amuont")]),
    ("  derive avg_item = amount / items,", "  derive avg_item = amount / country,", &[("E0201", "/")]),
    // Two mistakes are two.
    (
        "  filter ordered_at >= since",
        "  filter orderd_at >= since and amuont > 1.0",
        &[("E0203", "orderd_at"), ("E0203", "amuont")],
    ),
    ("  filter n > 2", "  filter lenght(n) > nn", &[("E0205", "lenght"), ("E0203", "nn")]),
    ("amount > 100.0 and items < 10", "amount > \"x\" and items < \"y\"", &[("E0201", ">"), ("E0201", "<")]),
    ("sum(amount), n = count()", "sum(country), n = cuont()", &[("E0202", "country"), ("E0205", "cuont")]),
    ("trees = 300, max_depth = 8", "tres = 300, max_dept = 8", &[("E0104", "tres"), ("E0104", "max_dept")]),
];

#[test]
fn a_mistake_has_its_message_on_the_smallest_span() {
    let mut failures = String::new();
    for (from, to, expected) in CASES {
        assert_eq!(WHOLE.matches(from).count(), 1, "{from:?} does not stand once in the file");
        let found = found(&WHOLE.replacen(from, to, 1));
        let short: Vec<(&str, &str)> = found.iter().map(|(code, text, _)| (code.as_str(), text.as_str())).collect();
        if short != *expected {
            failures.push_str(&format!("{to:?}: {found:#?}\n"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
