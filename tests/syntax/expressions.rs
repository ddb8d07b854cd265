//! How expressions are read, shown with every bracket written.

use dbjob::syntax::ast::{Call, Expr, ExprKind, ItemKind, StepKind};

use super::{messages, read};

fn show(expr: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(show).collect::<Vec<_>>().join(" ");
    let bound = |end: &Option<Box<Expr>>| end.as_ref().map_or("_".to_owned(), |end| show(end));
    match &expr.kind {
        ExprKind::Name(name) => name.clone(),
        ExprKind::Field { base, name } => format!("{}.{}", base.name, name.name),
        ExprKind::Literal(value) => value.to_string(),
        ExprKind::List(items) => format!("[{}]", list(items)),
        ExprKind::Range { low, high, inclusive } => {
            format!("({}..{}{})", bound(low), if *inclusive { "=" } else { "" }, bound(high))
        }
        ExprKind::Call(call) => show_call(call),
        ExprKind::Not(x) => format!("(not {})", show(x)),
        ExprKind::Negate(x) => format!("(neg {})", show(x)),
        ExprKind::Binary { op, left, right, .. } => format!("({op:?} {} {})", show(left), show(right)),
        ExprKind::In { value, set, negated } => {
            format!("({} {} {})", if *negated { "not-in" } else { "in" }, show(value), show(set))
        }
        ExprKind::IsNull { value, negated } => {
            format!("({} {})", if *negated { "not-null" } else { "null" }, show(value))
        }
        ExprKind::If { condition, then, otherwise } => {
            format!("(if {} {} {})", show(condition), show(then), show(otherwise))
        }
        ExprKind::Match { value, arms, otherwise } => {
            let arms: Vec<_> = arms.iter().map(|(a, b)| format!("{}=>{}", show(a), show(b))).collect();
            format!("(match {} {} else {})", show(value), arms.join(" "), bound(otherwise))
        }
    }
}

fn show_call(call: &Call) -> String {
    let mut out = format!("{}(", call.name.name);
    for (i, arg) in call.args.iter().enumerate() {
        let name = arg.name.as_ref().map_or(String::new(), |name| format!("{}=", name.name));
        out += &format!("{}{name}{}", if i > 0 { " " } else { "" }, show(&arg.value));
    }
    out += ")";
    if let Some(over) = &call.over {
        let size = over.size.as_ref().map_or(String::new(), |size| format!(" {}", show(size)));
        out += &format!(" over {}{size}{}", over.direction.name, if over.rows.is_some() { " rows" } else { "" });
    }
    out
}

/// The expression of `filter …`, and the text of its span.
pub fn expr(text: &str) -> String {
    let job = format!("transform t from x {{\n  filter {text}\n}}\n");
    assert_eq!(messages(&job), "", "{text}");
    let parsed = read(&job);
    let ItemKind::Transform(transform) = &parsed.ast.items[0].kind else { panic!("{text}") };
    let StepKind::Filter { predicate, .. } = &transform.steps[0].kind else { panic!("{text}") };
    let written = &job[predicate.span.start as usize..predicate.span.end as usize];
    assert_eq!(written, text.trim(), "the span");
    show(predicate)
}

#[test]
fn precedence() {
    let cases = [
        ("-2 ** 2", "(neg (Pow 2 2))"),
        ("2 ** 3 ** 2", "(Pow 2 (Pow 3 2))"),
        ("2 ** -1 * 3", "(Mul (Pow 2 (neg 1)) 3)"),
        ("-a * b", "(Mul (neg a) b)"),
        ("a - b - c", "(Sub (Sub a b) c)"),
        ("a + b * c // d % e / f", "(Add a (Div (Mod (FloorDiv (Mul b c) d) e) f))"),
        ("a or b and not c == d", "(Or a (And b (not (Eq c d))))"),
        ("not a or b", "(Or (not a) b)"),
        ("not not a", "(not (not a))"),
        ("a ?? b + 1 == c", "(Eq (Coalesce a (Add b 1)) c)"),
        ("a ?? b ?? c", "(Coalesce (Coalesce a b) c)"),
        ("x in 1..n + 1 and y", "(And (in x (1..(Add n 1))) y)"),
        ("x not in [1, null,]", "(not-in x [1 null])"),
        ("x in -1..=1", "(in x ((neg 1)..=1))"),
        ("x in 5.. and y in ..=5", "(And (in x (5.._)) (in y (_..=5)))"),
        ("a + 1 is not null or b is null", "(Or (not-null (Add a 1)) (null b))"),
        ("((a + b)) * c", "(Mul (Add a b) c)"),
        ("if a then b else if c then d else e + 1", "(if a b (if c d (Add e 1)))"),
        ("if if a then b else c then d else e", "(if (if a b c) d e)"),
        ("match x { 1 => a, [2, 3] => b; else => c } + 1", "(Add (match x 1=>a [2 3]=>b else c) 1)"),
        ("match x {\n 1 => if a then 1 else 2\n 2 => 3\n else => 0\n}", "(match x 1=>(if a 1 2) 2=>3 else 0)"),
        ("sum(x, y = 2) over last 7d > u.b", "(Gt sum(x y=2) over last 7d u.b)"),
        ("a(x) over last 3 rows + b(x) over previous rows", "(Add a(x) over last 3 rows b(x) over previous rows)"),
        ("any(x) over all == any(x) over previous n rows", "(Eq any(x) over all any(x) over previous n rows)"),
        ("a > 1 and\n b < 2\n  or c", "(Or (And (Gt a 1) (Lt b 2)) c)"),
        ("x\n not in [1]", "(not-in x [1])"),
        (
            "by + order + desc + key + test + input - all",
            "(Sub (Add (Add (Add (Add (Add by order) desc) key) test) input) all)",
        ),
        ("x%2 == 7 % 2", "(Eq (Mod x 2) (Mod 7 2))"),
        ("x in @2024-01-01..@2024-01-08", "(in x (@2024-01-01..@2024-01-08))"),
        ("-9223372036854775808 < `a b`", "(Lt -9223372036854775808 a b)"),
    ];
    for (text, tree) in cases {
        assert_eq!(expr(text), tree, "{text}");
    }
}

#[test]
fn literals() {
    let cases = [
        ("12", "12"),
        ("1_000_000", "1000000"),
        ("1.50", "1.5"),
        ("1e-3", "0.001"),
        ("2E+5", "200000.0"),
        ("12%", "0.12"),
        ("2.5%", "0.025"),
        ("true", "true"),
        ("null", "null"),
        (r#""a\n\t\"\\\u{e9}中""#, r#""a\n\t\"\\é中""#),
        ("@2024-02-29", "@2024-02-29"),
        ("@1969-12-31T23:59:59.5", "@1969-12-31T23:59:59.5"),
        ("@2024-01-31T09:30Z", "@2024-01-31T09:30:00"),
        ("@2024-01-01T00:30:00+02:00", "@2023-12-31T22:30:00"),
        ("@2024-01-01T00:30:00-00:45", "@2024-01-01T01:15:00"),
        ("250ms", "250ms"),
        ("90min", "90min"),
        ("48h", "2d"),
        ("2w", "14d"),
        ("1.5h", "90min"),
        ("0.1s", "100ms"),
        ("512MB", "512000000B"),
        ("4GiB", "4294967296B"),
    ];
    for (text, value) in cases {
        assert_eq!(expr(text), value, "{text}");
    }
}
