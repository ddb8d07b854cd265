//! Why parts of expressions cannot be undone, in the words of messages: "it cannot be undone: …".

use dbjob_plan::Expr;

pub(super) const TWICE: &str = "the column stands in it more than once, and it is not solved for it";
pub(super) const CONSTANT: &str = "all values become one";
pub(super) const NOT_CONSTANT: &str = "what the column is combined with is no number that is known here";
pub(super) const CHOICE: &str = "which way a value went is not known; only a choice between the levels of a closed \
                                 category, the values of a list or a bool can be undone";
pub(super) const COMPARISON: &str = "a comparison tells only whether it holds";
pub(super) const SIGN: &str = "the sign is lost: declare the column `in 0..`, or narrow it to what is not negative";
pub(super) const REMAINDER: &str = "`//` loses the remainder";
pub(super) const QUOTIENT: &str = "`%` and `//` give several values the same result";
pub(super) const FILLED: &str = "a filled-in value looks like any other, so which rows were null is not known any more";
pub(super) const TEXT: &str = "texts that are joined are not taken apart again";

pub(super) const LIST: &str = "a list is not taken apart again";
pub(super) const DIGITS: &str = "undoing it takes more digits than decimals have";

/// Why a function has no inverse.
pub(super) fn of_function(name: &str) -> &'static str {
    match name {
        "round" | "floor" | "ceil" | "trunc" | "int" | "try_int" | "decimal" | "try_decimal" => {
            "the digits after the point are lost"
        }
        "clip" | "greatest" | "least" => "what lay beyond the bound is lost",
        "abs" => SIGN,
        "sign" | "is_nan" => "only one property of the number is left",
        "sin" | "cos" | "tan" => "several values have the same result",
        "lower" | "upper" | "trim" | "replace" | "substring" | "length" => "several texts have the same result",
        "starts_with" | "ends_with" | "contains" | "matches" => COMPARISON,
        "concat" => TEXT,
        "coalesce" => FILLED,
        "year" | "quarter" | "month" | "week" | "day" | "day_of_year" | "weekday" | "hour" | "minute" | "second"
        | "truncate" | "date" => "the rest of the moment is lost",
        "add_months" => "several days become the last of a month",
        "float" | "bool" | "datetime" | "try_float" | "try_bool" | "try_date" | "try_datetime" => {
            "one value can be written in several ways"
        }
        _ => "the function has no inverse",
    }
}

/// Whether two expressions are written alike.
pub(super) fn same(a: &Expr, b: &Expr) -> bool {
    let bare = |e: &Expr| {
        let mut e = e.clone();
        e.rewrite(&mut |e| e.span = dbjob_plan::Span::default());
        e
    };
    bare(a) == bare(b)
}
