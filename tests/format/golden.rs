//! Formatting by example.

use super::checked;

fn becomes(text: &str, expected: &str) {
    assert_eq!(checked(text), expected);
    assert_eq!(checked(expected), expected);
}

#[test]
fn nothing() {
    becomes("", "");
    becomes("\n\n  \n", "");
    becomes("\n\n# only a comment   \n\n", "# only a comment\n");
}

#[test]
fn spaces() {
    becomes(
        "fn  f ( a :int in 1.. ,b: list [ string ] ?) :float=- a+b**- c\n",
        "fn f(a: int in 1.., b: list[string]?): float = -a + b ** -c\n",
    );
}

#[test]
fn spaces_in_steps() {
    let cases = [
        ("filter(a>1)and not(b)", "filter (a > 1) and not (b)"),
        ("filter sum (x,y=2) >=3", "filter sum(x, y = 2) >= 3"),
        ("filter x in[1,2 , ]", "filter x in [1, 2]"),
        ("filter x in - 1..=5", "filter x in -1..=5"),
        ("filter x in 1.. and y in ..5", "filter x in 1.. and y in ..5"),
        ("filter a-b- -c", "filter a - b - -c"),
        ("sort -a desc,b", "sort -a desc, b"),
        ("window by a order -b{c=lag(d)}", "window by a order -b { c = lag(d) }"),
        ("derive order=order - x", "derive order = order - x"),
        ("derive a=u . b", "derive a = u.b"),
        ("derive a=match b{1=>2;else=>3}", "derive a = match b { 1 => 2; else => 3 }"),
        ("map where float with log1p as *_log", "map where float with log1p as *_log"),
        ("map[a,b]with pca (2)as p", "map [a, b] with pca(2) as p"),
        ("split by a{train 70%,test 30%}gap 7d", "split by a { train 70%, test 30% } gap 7d"),
        ("derive{a=1;b=2;}", "derive { a = 1; b = 2 }"),
        ("group by a {  }", "group by a {}"),
        ("filter x%2==7 % 2", "filter x % 2 == 7 % 2"),
        ("filter a   # why", "filter a  # why"),
        ("take 1;take 2", "take 1\n  take 2"),
        ("take 1;;\n\n\n\n  take 2;", "take 1\n\n  take 2"),
    ];
    for (step, expected) in cases {
        let job = |step: &str| format!("transform t from x {{\n  {step}\n}}\n");
        becomes(&job(step), &job(expected));
    }
}

#[test]
fn blocks() {
    becomes("transform t from x {filter a;take 2}", "transform t from x { filter a; take 2 }\n");
    becomes(
        "transform t from x {filter a;take 2\n\n}\n\n\nmodel m from t {\n\n}",
        "transform t from x {\n  filter a\n  take 2\n}\n\nmodel m from t {}\n",
    );
    becomes("module m { a=1,b=2\n environment{X=1} }", "module m {\n  a = 1, b = 2\n  environment { X = 1 }\n}\n");
}

#[test]
fn a_long_one_line_block_is_opened() {
    let options: Vec<String> = (0..12).map(|i| format!("option_{i} = {i}")).collect();
    let text = format!("model m from t {{ fit ridge {{ {} }}; evaluate auc }}\n", options.join(", "));
    let expected =
        format!("model m from t {{\n  fit ridge {{\n    {}\n  }}\n  evaluate auc\n}}\n", options.join(",\n    "));
    becomes(&text, &expected);
    let short = "model m from t { fit ridge { l2 = 1 }; evaluate auc }\n";
    becomes(short, short);
}

#[test]
fn a_semicolon_that_keeps_a_sign_away_stays() {
    becomes(
        "transform t from x {\n  derive a = match b {\n 1 => c; -1 => d\n else => e }\n}\n",
        "transform t from x {\n  derive a = match b {\n    1 => c;\n    -1 => d\n    else => e\n  }\n}\n",
    );
}

#[test]
fn a_comma_before_the_closer_goes_whatever_ends_the_entry() {
    becomes("dataset a from csv(\"a\") { id: int; x: int, ; }\n", "dataset a from csv(\"a\") { id: int; x: int }\n");
}

#[test]
fn columns_are_aligned() {
    becomes(
        "dataset d from csv(\"x\") {\n# first\na:int key # id\nlonger: float?\n\n\n`x y`:int\n列: int in [1,\n2]\nexpect a>0\n  else drop\n..\n}\n",
        "dataset d from csv(\"x\") {\n  # first\n  a:      int key  # id\n  longer: float?\n\n  `x y`: int\n  列:    int in [1,\n    2]\n  expect a > 0\n    else drop\n  ..\n}\n",
    );
}

#[test]
fn lines_that_go_on_are_indented() {
    becomes(
        "transform t from x {\nselect a,\nb\nfilter a\nand f(\n1,\n[\n2\n]\n)\n\n# end\n}\n",
        "transform t from x {\n  select a,\n    b\n  filter a\n    and f(\n      1,\n      [\n        2\n      ]\n    )\n\n  # end\n}\n",
    );
}

#[test]
fn what_no_rule_reads_keeps_its_spaces() {
    becomes(
        "transform t from x {\n  fliter a>1  and f(x) ;b -c\n}\n",
        "transform t from x {\n  fliter a>1 and f(x)\n  b -c\n}\n",
    );
    becomes("transfrom t from x {filter a}\n", "transfrom t from x {filter a}\n");
    // Without the `;` the second line would go on with the first.
    becomes("transform t from x {\n  fliter a > ;take 5\n}\n", "transform t from x {\n  fliter a >;\n  take 5\n}\n");
}
