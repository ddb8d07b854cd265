use super::Accepts::{Int, LiteralText, Text};
use super::{Function, Nulls, ResultType, many, one, row};

pub const STRING: &[Function] = &[
    row("length", &[one("s", Text)], ResultType::Int, Nulls::FromAny, "Number of characters", "length(\"straße\") == 6"),
    row("lower", &[one("s", Text)], ResultType::String, Nulls::FromAny, "In lower case", "lower(\"AbC\") == \"abc\""),
    row("upper", &[one("s", Text)], ResultType::String, Nulls::FromAny, "In upper case", "upper(\"AbC\") == \"ABC\""),
    row("trim", &[one("s", Text)], ResultType::String, Nulls::FromAny, "Without white space at both ends", "trim(\" a \") == \"a\""),
    row("starts_with", &[one("s", Text), one("prefix", Text)], ResultType::Bool, Nulls::FromAny, "Whether it begins so", "starts_with(\"abc\", \"ab\")"),
    row("ends_with", &[one("s", Text), one("suffix", Text)], ResultType::Bool, Nulls::FromAny, "Whether it ends so", "ends_with(\"abc\", \"bc\")"),
    row("contains", &[one("s", Text), one("part", Text)], ResultType::Bool, Nulls::FromAny, "Whether the part is in it, to the letter", "contains(\"abc\", \"b\")"),
    row("matches", &[one("s", Text), one("regex", LiteralText(&[]))], ResultType::Bool, Nulls::FromAny, "Whether the regular expression matches somewhere", "matches(\"abc\", \"^a.c$\")"),
    row("replace", &[one("s", Text), one("from", LiteralText(&[])), one("to", LiteralText(&[]))], ResultType::String, Nulls::FromAny, "With every occurrence replaced, to the letter", "replace(\"a-b\", \"-\", \"_\") == \"a_b\""),
    row("substring", &[one("s", Text), one("start", Int), one("length", Int)], ResultType::String, Nulls::FromAny, "So many characters from the 1-based start", "substring(\"abcd\", 2, 2) == \"bc\""),
    row("concat", &[many("s", Text)], ResultType::String, Nulls::FromAny, "One behind the other; `+` does the same", "concat(\"a\", \"b\") == \"ab\""),
];
