//! Every common mistake has one error, with its own message on the smallest span.

use dbjob::source::{SourceFile, SourceMap};

use super::{messages, read};

/// A broken step, the text of the error's span, its code and its message.
const STEPS: &[(&str, &str, &str, &str)] = &[
    ("filter a = 1", "=", "E0001", "`=` gives a name to a value; it does not compare"),
    ("filter a && b || !c", "&&", "E0001", "`&&` is not an operator"),
    ("filter a <> 3", "<>", "E0001", "`<>` is not an operator"),
    ("filter x between 1 and 5", "between", "E0001", "there is no `between`"),
    ("filter 'abc' == x", "'abc'", "E0001", "a string is written in double quotes"),
    ("filter a == “b”", "“b”", "E0001", "a string is written in double quotes"),
    ("filter a，b", "，", "E0001", "`，` is not `,`"),
    (r#"derive "x" = 1"#, r#""x""#, "E0207", "a column is a name, not a string"),
    (r#"select "a", b"#, r#""a""#, "E0207", "a column is a name, not a string"),
    ("derive a = if b then c", "if", "E0001", "this `if` has no `else`"),
    ("derive a = if b then c elif d then e else f", "elif", "E0001", "there is no `elif`"),
    ("derive a = if b { 1 } else { 2 }", "{", "E0001", "the condition of an `if` ends with `then`"),
    ("derive match = 1", "match", "E0001", "`match` is a reserved word"),
    ("derive a == 1", "==", "E0001", "`==` compares; a value is given with `=`"),
    ("derive a: 1", ":", "E0001", "a value is given with `=`, not with `:`"),
    ("filter x in (1, 2)", ",", "E0001", "a list stands in `[ ]`"),
    (r#"filter x like "a%""#, "like", "E0001", "there is no `like`"),
    ("filter x is nan", "is", "E0001", "`is` asks for `null` only"),
    ("filter a < b < c", "<", "E0001", "comparisons do not chain"),
    ("filter a == not b", "not", "E0001", "`not` binds looser than the operator before it"),
    ("derive a = 7%2", "7%", "E0001", "`7%` is a percentage"),
    ("derive a = .5", ".5", "E0003", "a number begins with a digit"),
    ("derive a = 1.", "1.", "E0003", "a number does not end with its point"),
    ("derive a = 5m", "m", "E0003", "`m` is not a unit"),
    ("derive a = 5xyz", "xyz", "E0003", "`xyz` is not a unit"),
    ("derive a = @2024-02-30", "@2024-02-30", "E0003", "there is no such date"),
    ("derive a = @2024-1-5", "@2024-1-5", "E0003", "there is no such date"),
    ("derive a = @2024-01-05 09:30", "09", "E0001", "a time follows its date without a space"),
    ("derive a = 99999999999999999999", "99999999999999999999", "E0003", "this whole number does not fit in 64 bits"),
    (r#"derive a = "a\d""#, r#"\d"#, "E0003", r#"`\d` is not an escape"#),
    (r#"derive a = "abc"#, r#""abc"#, "E0003", "this string is not closed on its line"),
    ("filter a // comment here ok", "//", "E0001", "a comment does not begin with `//`"),
    ("filter count(*) > 1", "*", "E0001", "`*` does not stand for all columns"),
    ("filter a ? b : c", "?", "E0001", "there is no `? :`"),
    ("join u using (k)", "using", "E0001", "there is no `using`"),
    ("select a as b", "as", "E0001", "`select` does not rename"),
    ("sort by x", "by", "E0001", "`sort` needs no `by`"),
    ("filter x in 1 .. 5", "..", "E0001", "a range is written without spaces"),
    ("filter (a", "(", "E0002", "this `(` is never closed"),
    ("filter a)", ")", "E0001", "this `)` closes nothing"),
    ("filter a >", ">", "E0001", "the `>` at the end of the line makes the next line a part of this statement"),
    ("filter", "filter", "E0001", "the statement ends too early"),
    (
        "derive { a = 1
    b = = 2
    c = 3 }",
        "=",
        "E0001",
        "expected a value, found `=`",
    ),
    ("derive { }", "derive { }", "E0001", "there is nothing in this block"),
    ("derive a = 1,", ",", "E0001", "the `,` at the end of the line makes the next line a part of this statement"),
    ("group country { n = count() }", "country", "E0001", "expected `{` or `by`, found `country`"),
    ("group by m = month(x) { n = count() }", "=", "E0001", "a key of a group gets its name with `as`"),
    ("group by k n = count()", "n", "E0001", "expected `{`, an operator or `as`, found `n`"),
    ("a = 3", "a", "E0001", "a step begins with a verb"),
    ("a: int", "a", "E0001", "a transform declares no columns"),
    ("map a log1p", "log1p", "E0001", "expected `with`, found `log1p`"),
    ("split", "split", "E0001", "the statement ends too early"),
    ("split by a by b test 20%", "by b", "E0001", "this stands here twice"),
    ("filter x $ y", "$", "E0001", "`$` means nothing here"),
    (
        "filter a  b",
        "b",
        "E0001",
        "`b` does not belong here; an operator or `on` could stand here, or the statement could end",
    ),
    ("filter 😀", "😀", "E0001", "`😀` means nothing here"),
    ("filter f(x y)", "y", "E0001", "values in brackets have a comma between them"),
    ("filter [1 2]", "2", "E0001", "values in brackets have a comma between them"),
    ("derive x = a => b", "=>", "E0001", "`=>` stands in a `match` only"),
    ("derive a b = 1", "b", "E0001", "expected `=`, found `b`"),
    ("rename a b", "b", "E0001", "expected `as`, found `b`"),
    ("join u on", "on", "E0001", "the statement ends too early"),
    (
        "expect a > 1 else",
        "else",
        "E0001",
        "the `else` at the end of the line makes the next line a part of this statement",
    ),
    ("predict", "predict", "E0001", "the statement ends too early"),
    ("filter a === b", "===", "E0001", "`===` is not an operator"),
    ("window by x { n = lag(a) over }", "}", "E0001", "expected a name, found `}`"),
    ("filter a + + b", "+", "E0001", "a plus sign stands before nothing to add to"),
    ("filter a.", ".", "E0001", "the statement ends too early"),
    ("derive x = case when a then b end", "case", "E0001", "there is no `case`"),
    (r#"map "a" with log"#, r#""a""#, "E0207", "a column is a name, not a string"),
];

#[test]
fn a_broken_step_has_one_error_and_the_rest_is_read() {
    for (step, spanned, code, message) in STEPS {
        let text = format!("transform t from x {{\n  take 1\n  {step}\n  take 2\n}}\nparam after: int = 1\n");
        let parsed = read(&text);
        let [error] = &parsed.errors[..] else { panic!("{step}: {}", messages(&text)) };
        assert_eq!(&text[error.span.start as usize..error.span.end as usize], *spanned, "{step}");
        assert_eq!((error.code.as_str(), error.message.as_str()), (*code, *message), "{step}");
        assert!(error.help.is_some() && !error.label.is_empty(), "{step}");
        assert_eq!(parsed.ast.items.len(), 2, "{step}");
        let dbjob::syntax::ast::ItemKind::Transform(transform) = &parsed.ast.items[0].kind else { panic!("{step}") };
        let verbs: Vec<_> = transform.steps.iter().map(|s| &text[s.verb.start as usize..s.verb.end as usize]).collect();
        assert_eq!((verbs.first(), verbs.last()), (Some(&"take"), Some(&"take")), "{step}");
    }
}

#[test]
fn a_fixed_step_can_be_read() {
    let mut fixes = 0;
    for (step, ..) in STEPS {
        let text = format!("transform t from x {{\n  {step}\n}}\n");
        let [error] = &read(&text).errors[..] else { panic!("{step}: {}", messages(&text)) };
        let Some(fix) = &error.fix else { continue };
        fixes += 1;
        let mut sources = SourceMap::default();
        sources.add(SourceFile::new("a.dbjob", text.clone()));
        let mut fixed = text.clone();
        for (span, new) in fix.changes(&sources).expect("it is a change of words").into_iter().rev() {
            fixed.replace_range(span.start as usize..span.end as usize, &new);
        }
        let left = read(&fixed).errors;
        // Several mistakes of one line are told one after the other.
        let same = left.iter().any(|e| e.message == error.message && e.span.start <= error.span.start);
        assert!(!same && left.len() <= 1, "{step} becomes {fixed}: {}", messages(&fixed));
    }
    assert!(fixes >= 25, "only {fixes} of {} have a fix", STEPS.len());
}
