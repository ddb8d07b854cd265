//! The range of an expression's values, from the ranges of its columns.

use dbjob_plan::{BinaryOp, DataType, Expr, ExprKind};

use super::range::Range;

/// `column` gives what is known of a column's values.
pub(super) fn range_of(expr: &Expr, column: &dyn Fn(&str) -> Range) -> Range {
    let below = |e: &Expr| range_of(e, column);
    match &expr.kind {
        ExprKind::Column(name) => column(name),
        ExprKind::Literal(value) => value.as_f64().map_or(Range::ALL, Range::exactly),
        ExprKind::Negate(x) => below(x).negate(),
        ExprKind::Binary { op: BinaryOp::Coalesce, left, right } => below(left).or(below(right)),
        ExprKind::Binary { op, left, right } => of_binary(*op, below(left), below(right), &expr.dtype),
        ExprKind::If { then, otherwise, .. } => below(then).or(below(otherwise)),
        ExprKind::Call { function, args } => {
            let args: Vec<(Range, bool)> = args.iter().map(|arg| (below(arg), arg.nullable)).collect();
            of_call(function, &counting(function, &args))
        }
        _ => Range::ALL,
    }
}

/// The values of an arithmetic operator that gives the type `dtype`, where they are not null.
pub(super) fn of_binary(op: BinaryOp, left: Range, right: Range, dtype: &DataType) -> Range {
    match op {
        // An infinite number leaves NaN, which is above every number.
        BinaryOp::Mod if *dtype == DataType::Float && !left.is_moderate() => {
            if right.is_positive() {
                Range::NON_NEGATIVE
            } else {
                Range::ALL
            }
        }
        BinaryOp::Pow if right.low == right.high => left.power(right.low),
        BinaryOp::Mod if right.is_positive() => Range { low: 0.0, high: right.high, above: false, below: true },
        _ => Range::combine(op, left, right),
    }
}

/// The ranges of the arguments that count, of all with whether they may be null: `greatest` and `least` leave out nulls, so
/// that only an argument that is there in every row bounds them.
pub(super) fn counting(name: &str, args: &[(Range, bool)]) -> Vec<Range> {
    let all = || args.iter().map(|(range, _)| *range);
    if !matches!(name, "greatest" | "least") {
        return all().collect();
    }
    let always: Vec<Range> = args.iter().filter(|(_, nullable)| !nullable).map(|(range, _)| *range).collect();
    if always.is_empty() { all().reduce(Range::or).into_iter().collect() } else { always }
}

/// The values of a function of the catalog, where they are not null.
pub(super) fn of_call(name: &str, args: &[Range]) -> Range {
    let x = args.first().copied().unwrap_or(Range::ALL);
    let logarithm = |f: &dyn Fn(f64) -> f64| x.and(Range::NON_NEGATIVE).increasing(f);
    match (name, args) {
        ("abs", _) => x.abs(),
        ("float" | "min" | "max" | "first" | "last" | "mode", _) => x,
        // With two more arguments it rounds.
        ("decimal", [_]) => x,
        ("mean" | "median" | "quantile", _) => x.averaged(),
        ("sqrt", _) => x.and(Range::NON_NEGATIVE).increasing(f64::sqrt),
        ("hypot" | "length" | "position" | "count_matches" | "count" | "count_distinct" | "std" | "var", _) => {
            Range::NON_NEGATIVE
        }
        // `exp(-1000.0)` is 0.
        ("exp", _) => x.stepping(f64::exp),
        ("expm1", _) => x.increasing(f64::exp_m1),
        ("log", [_]) => logarithm(&f64::ln),
        ("log", [_, base]) if base.low == base.high && base.is_above(1.0) => logarithm(&|x| x.ln() / base.low.ln()),
        ("log2", _) => logarithm(&f64::log2),
        ("log10", _) => logarithm(&f64::log10),
        ("log1p", _) => x.and(Range::from(-1.0, f64::INFINITY)).increasing(f64::ln_1p),
        ("floor", _) => x.stepping(f64::floor),
        ("ceil", _) => x.stepping(f64::ceil),
        ("int" | "try_int" | "trunc", _) => x.stepping(f64::trunc),
        ("round", [_]) => x.stepping(f64::round),
        // Of an infinite number, or of sums of squares that become one, it is NaN, which is above every number.
        ("sin" | "cos" | "tanh" | "corr" | "sign", _) if !args.iter().all(|x| x.is_moderate()) => {
            Range::from(-1.0, f64::INFINITY)
        }
        ("sign" | "sin" | "cos" | "tanh" | "corr", _) => Range::from(-1.0, 1.0),
        ("cosh", _) => Range::from(1.0, f64::INFINITY),
        ("pi", _) => Range::from(3.0, 4.0),
        // Which of the bounds is the greater one only the rows tell.
        ("clip", [_, low, high]) => Range::from(low.low.min(high.low), low.high.max(high.high)),
        ("greatest", _) => Range { low: args.iter().map(|a| a.low).fold(f64::NEG_INFINITY, f64::max), ..Range::ALL },
        ("least", _) => Range { high: args.iter().map(|a| a.high).fold(f64::INFINITY, f64::min), ..Range::ALL },
        ("days_in_month", _) => Range::from(28.0, 31.0),
        ("microsecond", _) => Range::from(0.0, 999_999.0),
        ("quarter", _) => Range::from(1.0, 4.0),
        ("month", _) => Range::from(1.0, 12.0),
        ("week", _) => Range::from(1.0, 53.0),
        ("day", _) => Range::from(1.0, 31.0),
        ("day_of_year", _) => Range::from(1.0, 366.0),
        ("weekday", _) => Range::from(1.0, 7.0),
        ("hour", _) => Range::from(0.0, 23.0),
        ("minute" | "second", _) => Range::from(0.0, 59.0),
        ("lag" | "lead", _) => args.get(2).map_or(x, |default| x.or(*default)),
        ("row_number" | "rank" | "dense_rank", _) => Range::from(1.0, f64::INFINITY),
        ("sum", _) if x.is_positive() => Range::POSITIVE,
        ("sum", _) if x.is_non_negative() => Range::NON_NEGATIVE,
        _ => Range::ALL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_keep_what_is_known() {
        let amount = Range::NON_NEGATIVE;
        assert_eq!(of_call("log1p", &[amount]), amount);
        assert_eq!(of_call("sqrt", &[Range::from(4.0, 9.0)]), Range::from(2.0, 3.0));
        assert_eq!(of_call("exp", &[Range::ALL]), amount);
        assert!(of_call("log", &[Range::from(1.0, 5.0)]).is_non_negative());
        assert!(of_call("log", &[Range::ALL]).is_all());
        let two = |nullable| counting("least", &[(Range::ALL, false), (Range::exactly(0.5), nullable)]);
        assert_eq!(of_call("least", &two(false)).high, 0.5);
        assert!(of_call("least", &two(true)).is_all());
        assert_eq!(of_call("round", &[Range::from(0.2, 2.6)]), Range::from(0.0, 3.0));
        assert_eq!(of_binary(BinaryOp::Pow, Range::ALL, Range::exactly(2.0), &DataType::Float), amount);
    }
}
