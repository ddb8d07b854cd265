//! Broken structure: what is told, and how much of the rest is still read.

use dbjob::syntax::ast::ItemKind;

use super::{messages, read};

/// The broken text, the messages, and the number of items and of their statements (steps, columns, …).
fn check(text: &str, expected: &[&str], counts: &[usize]) {
    let told = messages(text);
    assert_eq!(told.lines().collect::<Vec<_>>(), expected, "{text}");
    let parsed = read(text);
    let found: Vec<usize> = parsed
        .ast
        .items
        .iter()
        .map(|item| match &item.kind {
            ItemKind::Transform(transform) => transform.steps.len(),
            ItemKind::Dataset(dataset) => dataset.columns.len() + dataset.expects.len(),
            ItemKind::Model(model) => model.statements.len(),
            ItemKind::Job { settings, .. } => settings.len(),
            _ => 0,
        })
        .collect();
    assert_eq!(found, counts, "{text}");
}

#[test]
fn an_unclosed_brace_in_the_middle() {
    check(
        "dataset d from csv(\"x\") {\n  a: int\n\ntransform t from d {\n  filter a > 1\n}\nparam p: int = 1\n",
        &["1:25-26 E0002 this `{` is never closed"],
        &[1, 1, 0],
    );
}

#[test]
fn an_unclosed_block_of_a_step() {
    check(
        "transform t from d {\n  derive {\n    a = 1\n  filter a > 1\n  take 5\n}\n\nmodel m from t { input a }\n",
        &["2:10-11 E0002 this `{` is never closed"],
        &[2, 1],
    );
}

#[test]
fn a_brace_too_many() {
    check(
        "transform t from d {\n  derive {\n    a = 1\n  }\n  }\n  filter a > 1\n  take 5\n}\nmodel m from t { input a }\n",
        &["5:3-4 E0001 this `}` closes nothing"],
        &[3, 1],
    );
}

#[test]
fn unclosed_parentheses() {
    check(
        "transform t from d {\n  filter (a > 1\n  take 5\n  derive b = f(\n    1,\n    2\n  take 6\n}\nparam x: int = 3\n",
        &["2:10-11 E0002 this `(` is never closed", "4:15-16 E0002 this `(` is never closed"],
        &[2, 0],
    );
}

#[test]
fn a_missing_brace_of_an_item() {
    check(
        "transform t from d\n  filter a > 1\n  take 5\n}\nparam x: int = 3\n",
        &["1:18-19 E0001 this `transform` has no block"],
        &[2, 0],
    );
}

#[test]
fn a_brace_on_the_next_line() {
    check(
        "transform t from d\n{\n  filter a > 1\n}\nparam x: int = 3\n",
        &["2:1-2 E0001 a block begins on the line of its item"],
        &[1, 0],
    );
}

#[test]
fn a_missing_brace_at_the_end() {
    check("transform t from d {\n  filter a > 1", &["1:20-21 E0002 this `{` is never closed"], &[1]);
}

#[test]
fn an_unknown_item_is_left_to_the_checker() {
    check("datset x from csv(\"a\") {\n  a: = int\n}\nparam y: int = 1\n", &[], &[0, 0]);
}

#[test]
fn columns() {
    check(
        "dataset x from csv(\"a\") {\n  a: int\n  b int\n  c = float\n  \"d\": int\n  e: int key named \"E\"\n  f: int in 5\n  ..\n  g: int\n  h: int,\n  i: int\n}\n",
        &[
            "3:5-8 E0001 expected `:`, found `int`",
            "4:5-6 E0001 the type of a column follows a colon",
            "5:3-6 E0207 a column is a name, not a string",
            "6:14-19 E0001 `named` follows the type",
            "7:13-14 E0001 a refinement is a range or a list",
            "8:3-5 E0001 `..` ends the block",
        ],
        &[5],
    );
}

#[test]
fn a_broken_header() {
    check(
        "dataset x csv(\"a\") {\n  a: int\n  b int\n}\nparam p: int = 1\n",
        &["1:11-14 E0001 expected `from`, found `csv`", "3:5-8 E0001 expected `:`, found `int`"],
        &[0],
    );
}

#[test]
fn a_string_that_is_not_closed() {
    check(
        "dataset x from csv(\"a.csv) {\n  a: int\n}\n",
        &["1:20-26 E0003 this string is not closed on its line"],
        &[1],
    );
}

#[test]
fn settings() {
    check(
        "job {\n  seed == 7\n  run_time: 2h\n  runs = a, b\n  filter x\n  env { A = 1, B == 2, C = }\n  last = 1\n}\n",
        &[
            "2:8-10 E0001 `==` compares; a value is given with `=`",
            "3:11-12 E0001 a value is given with `=`, not with `:`",
            "4:13-14 E0001 a list of values stands in brackets",
            "5:10-11 E0001 expected `=` or `{`, found `x`",
            "6:18-20 E0001 `==` compares; a value is given with `=`",
        ],
        &[5],
    );
}

#[test]
fn comments_of_other_languages() {
    check(
        "// a comment\njob { seed = 1 } // another one\nparam x: int = 3 // and this\n// last one here\ndataset d from csv(\"x\") {\n  // a comment here\n  a: int // the number of it\n  b: int\n}\ntransform t from d {\n  // a comment here\n  filter a > 1 // what is that\n  // and another\n  take 5 /* no */\n  take 6\n}\n",
        &[
            "1:1-3 E0001 a comment does not begin with `//`",
            "2:18-20 E0001 a comment does not begin with `//`",
            "3:18-20 E0001 a comment does not begin with `//`",
            "4:1-3 E0001 a comment does not begin with `//`",
            "6:3-5 E0001 a comment does not begin with `//`",
            "7:10-12 E0001 a comment does not begin with `//`",
            "11:3-5 E0001 a comment does not begin with `//`",
            "12:16-18 E0001 a comment does not begin with `//`",
            "13:3-5 E0001 a comment does not begin with `//`",
            "14:10-12 E0001 there are no `/* */` comments",
        ],
        &[1, 0, 2, 3],
    );
}

#[test]
fn statements_outside_of_items() {
    check(
        "filter a > 1\nderive b = 2\n\nparam x: int = 3\nhello\n{ }\n",
        &["1:1-7 E0001 `filter` stands outside of an item", "5:1-6 E0001 an item belongs here"],
        &[0],
    );
}

#[test]
fn statements_of_a_model() {
    check(
        "model m from t {\n  input a,\n  output b: bool\n  fit x { trees == 3, depth in 3..=8\n    l2 in\n    l1 = 2 }\n  require auc > 0.5 &&\n  evaluate auc\n  input user_id as user\n  hello world\n  \"x\"\n}\n",
        &[
            "2:10-11 E0001 the `,` at the end of the line makes the next line a part of this statement",
            "4:17-19 E0001 `==` compares; a value is given with `=`",
            "6:8-9 E0001 `=` gives a name to a value; it does not compare",
            "7:21-23 E0001 the `&&` at the end of the line makes the next line a part of this statement",
            "9:20-24 E0001 the name that callers see is a string",
            "11:3-6 E0001 a statement begins with a word",
        ],
        &[7],
    );
}

#[test]
fn other_items() {
    check(
        "fn f(x: int) -> int = x\nfn g(x) : int = x\nparam p = 3\nparam q: int\nuse x.dbjob\nuse { a } \"x\"\ndeploy { to x() }\ntest t { given d { a: 1 } \n  expect e [ { a = 1 } ] \n  take 4 }\njob\n",
        &[
            "1:14-15 E0001 the type of the result follows a colon",
            "2:7-8 E0001 expected `:`, found `)`",
            "3:9-10 E0001 expected `:`, found `=`",
            "5:5-6 E0001 expected a string, found `x`",
            "6:11-14 E0001 expected `from`, found a string",
            "7:1-7 E0001 the statement ends too early",
            "8:18-19 E0001 expected `[`, found `{`",
            "9:18-19 E0001 a cell of a row is given with a colon",
            "10:3-7 E0001 a test has `given` and `expect`, not `take`",
            "11:1-4 E0001 this `job` has no block",
        ],
        &[0, 0],
    );
}

#[test]
fn look_alikes() {
    check(
        "dataset 数据 from csv(“a.csv”) ｛\n  日期： date\n  值: int， b: int\n}\ntransform t from 数据 {\n  filter 日期 == 3 && 值\n  filter a\u{a0}> 1\n}\n",
        &[
            "1:21-28 E0001 a string is written in double quotes",
            "1:30-31 E0001 `｛` is not `{`",
            "2:5-6 E0001 `：` is not `:`",
            "3:9-10 E0001 `，` is not `,`",
            "6:18-20 E0001 `&&` is not an operator",
            "7:11-12 E0001 a special space (U+00A0) stands here",
        ],
        &[3, 2],
    );
}

#[test]
fn windows_line_ends() {
    check(
        "transform t from x {\r\n  filter a = 1\r\n  take\r\n  derive { a = 1\r\n b = = 2 }\r\n}\r\n",
        &[
            "2:12-13 E0001 `=` gives a name to a value; it does not compare",
            "3:3-7 E0001 the statement ends too early",
            "5:6-7 E0001 expected a value, found `=`",
        ],
        &[2],
    );
}

#[test]
fn something_after_an_item() {
    check(
        "transform t from x { filter a == 1; take 3 } foo\nparam x: int = 1\n",
        &["1:46-49 E0001 the `transform` ends with its `}`"],
        &[2, 0],
    );
}

#[test]
fn a_lone_brace() {
    check("}\nparam x: int = 1\n", &["1:1-2 E0001 this `}` closes nothing"], &[0]);
}

#[test]
fn a_lone_quote() {
    check("\"\nparam x: int = 1\n", &["1:1-2 E0003 this string is not closed on its line"], &[0]);
}

#[test]
fn blocks_of_steps() {
    check(
        "transform t from x {\n  map a\n    with b\n  expect a > 1 els drop\n  split { }\n  derive { a = = 1, b = 2 }\n  derive c = match b { 1 => 2, 3 = 4, else => 0 }\n  derive {\n    a = 1\n    , b = 2\n  }\n  take 1\n}\n",
        &[
            "2:7-8 E0001 the statement ends too early",
            "4:16-19 E0001 `els` does not belong here; an operator or `else` could stand here, or the statement could end",
            "5:3-12 E0001 there is nothing in this block",
            "6:16-17 E0001 expected a value, found `=`",
            "7:34-35 E0001 an arm of a `match` has `=>`",
            "10:5-6 E0001 a line does not begin with a comma",
        ],
        &[3],
    );
}

#[test]
fn a_broken_entry_beside_a_refinement() {
    check(
        "transform t from x {\n  extern \"x\" {\n    returns {\n      a: string? -b: c,\n      d: float in 0..5\n    }\n  }\n}\n",
        &["4:18-19 E0001 expected a name, `in` or `named`, found `-`"],
        &[1],
    );
}

#[test]
fn a_lone_backtick_has_no_partner_in_another_line() {
    check(
        "dataset d from csv(\"x\") {\n  `user-# d\nd`: string\n  a: int\n}\n",
        &["2:3-4 E0001 this name is not closed on its line"],
        &[1],
    );
}
