use dbjob_plan::{DataType, Expr, ExprKind, Value};

use super::arithmetic::DAY;
use super::{
    bool_as_int, choose, coalesce, compare, date, expm1, floor_by, log1p, math, of_all, of_float, refuse, round,
};
use crate::column::{BOOL, Column, FLOAT, INT, either};
use crate::graph::{Element, Graph, Tensor};
use crate::refused::Refused;

/// A function of the catalog.
pub(super) fn lower(
    name: &str,
    args: &[Expr],
    columns: &[Column],
    whole: &Expr,
    g: &mut Graph,
) -> Result<Column, Refused> {
    let known = if columns.iter().zip(args).any(|(_, arg)| matches!(arg.dtype, DataType::Decimal { .. })) {
        None
    } else {
        cast(name, args, columns, g)
            .or_else(|| date::lower(name, args, columns, g))
            .or_else(|| number(name, args, columns, g))
    };
    known.ok_or_else(|| {
        let of = args.first().map_or_else(String::new, |arg| format!(" of a {}", arg.dtype));
        refuse(whole, format!("the function `{name}`{of}"))
    })
}

fn cast(name: &str, args: &[Expr], columns: &[Column], g: &mut Graph) -> Option<Column> {
    let x = columns.first()?;
    let same = |value: Tensor, form| Column::new(value, form).with_null(x.null.clone());
    use DataType as T;
    Some(match (name, &args[0].dtype) {
        ("int", T::Int | T::Date | T::Datetime | T::Duration) | ("float", T::Float) | ("bool", T::Bool) => x.clone(),
        ("date", T::Date) | ("datetime", T::Datetime) => x.clone(),
        ("int", T::Bool) => same(bool_as_int(&x.value, g), INT),
        // Towards zero, as the operator has it.
        ("int", T::Float) => same(g.cast(&x.value, Element::Int), INT),
        ("float", T::Int | T::Bool | T::Date | T::Datetime | T::Duration) => same(x.float(g), FLOAT),
        ("bool", T::Int | T::Float) => {
            let zero = if x.form == INT { g.int(0) } else { g.float(0.0) };
            let equal = g.op("Equal", &[&x.value, &zero]);
            same(g.op("Not", &[&equal]), BOOL)
        }
        ("date", T::Datetime) => same(floor_by(&x.value, DAY, g), INT),
        ("datetime", T::Date) => {
            let day = g.int(DAY);
            same(g.op("Mul", &[&x.value, &day]), INT)
        }
        _ => return None,
    })
}

fn number(name: &str, args: &[Expr], columns: &[Column], g: &mut Graph) -> Option<Column> {
    match name {
        "coalesce" => {
            let mut rest = columns.iter().rev();
            let last = rest.next()?.clone();
            return Some(rest.fold(last, |sofar, c| coalesce(g, c, &sofar)));
        }
        "pi" => return Some(Column::new(g.float(std::f64::consts::PI), FLOAT)),
        "greatest" | "least" => return extreme(name, args, columns, g),
        _ => {}
    }
    let x = columns.first()?;
    if !matches!(x.form, INT | FLOAT) || args[0].dtype.is_temporal() || args[0].dtype == DataType::Duration {
        return None;
    }
    let int = x.form == INT;
    let same = |value: Tensor| Column::new(value, x.form).with_null(x.null.clone());
    let float = |value: Tensor| Column::new(value, FLOAT).with_null(x.null.clone());
    // Null where it is not defined; NaN stays.
    let partial = |value: Tensor, outside: Tensor, g: &mut Graph| {
        let null = either(g, x.null.clone(), Some(outside));
        Column::new(value, FLOAT).with_null(null)
    };
    Some(match name {
        "abs" => same(g.op("Abs", &[&x.value])),
        "sign" => same(g.op("Sign", &[&x.value])),
        "exp" => of_float("Exp", x, g),
        "sin" => of_float("Sin", x, g),
        "cos" => of_float("Cos", x, g),
        "tanh" => of_float("Tanh", x, g),
        "tan" => {
            let (sin, cos) = (of_float("Sin", x, g).value, of_float("Cos", x, g).value);
            float(g.op("Div", &[&sin, &cos]))
        }
        "degrees" | "radians" => {
            let factor = if name == "degrees" { 180.0 / std::f64::consts::PI } else { std::f64::consts::PI / 180.0 };
            let (value, factor) = (x.float(g), g.float(factor));
            float(g.op("Mul", &[&value, &factor]))
        }
        "expm1" => {
            let value = x.float(g);
            float(expm1(&value, g))
        }
        "sqrt" => {
            let (value, outside) = (of_float("Sqrt", x, g).value, compare::below(x, 0.0, g));
            partial(value, outside, g)
        }
        "log" if columns.len() == 1 => logarithm(x, None, g),
        "log2" => logarithm(x, Some(std::f64::consts::LN_2), g),
        "log10" => logarithm(x, Some(std::f64::consts::LN_10), g),
        "log1p" => {
            let value = x.float(g);
            let least = g.float(-1.0);
            let outside = g.op("LessOrEqual", &[&value, &least]);
            let value = log1p(&value, g);
            partial(value, outside, g)
        }
        "hypot" if columns.len() == 2 => of_all(&[x, &columns[1]], FLOAT, g, |g| {
            let (a, b) = (x.float(g), columns[1].float(g));
            let (a, b) = (g.op("Mul", &[&a, &a]), g.op("Mul", &[&b, &b]));
            let sum = g.op("Add", &[&a, &b]);
            g.op("Sqrt", &[&sum])
        }),
        "floor" | "ceil" | "trunc" if int => x.clone(),
        "floor" | "ceil" => {
            let value = g.op(if name == "floor" { "Floor" } else { "Ceil" }, &[&x.value]);
            Column::new(g.cast(&value, Element::Int), INT).with_null(x.null.clone())
        }
        "trunc" => {
            let value = math::trunc(&x.value, g);
            Column::new(g.cast(&value, Element::Int), INT).with_null(x.null.clone())
        }
        "round" if int && columns.len() == 1 => x.clone(),
        "round" if columns.len() == 1 => float(round(&x.value, g)),
        "round" if !int => {
            let ExprKind::Literal(Value::Int(digits @ -15..=15)) = &args[1].kind else { return None };
            let scale = g.float(10_f64.powi(digits.unsigned_abs() as i32));
            let (there, back) = if *digits > 0 { ("Mul", "Div") } else { ("Div", "Mul") };
            let scaled = g.op(there, &[&x.value, &scale]);
            let rounded = round(&scaled, g);
            float(g.op(back, &[&rounded, &scale]))
        }
        "clip" => {
            let (low, high) = (&columns[1], &columns[2]);
            let under = compare::lower(dbjob_plan::BinaryOp::Lt, (&args[0], x), (&args[1], low), g)?;
            let over = compare::lower(dbjob_plan::BinaryOp::Gt, (&args[0], x), (&args[2], high), g)?;
            let plain = |c: &Column| Column { null: None, ..c.clone() };
            let inner = choose(g, &over.value, &plain(high), &plain(x));
            let inside = choose(g, &under.value, &plain(low), &inner);
            let null = crate::column::any_null(g, &[x, low, high]);
            inside.with_null(null)
        }
        "is_nan" if int => Column::new(g.bool(false), BOOL).with_null(x.null.clone()),
        "is_nan" => Column::new(g.op("IsNaN", &[&x.value]), BOOL).with_null(x.null.clone()),
        "is_infinite" | "is_finite" => {
            let value = x.float(g);
            let infinite = g.op("IsInf", &[&value]);
            let value = if name == "is_infinite" {
                infinite
            } else {
                let nan = g.op("IsNaN", &[&value]);
                let either = g.op("Or", &[&nan, &infinite]);
                g.op("Not", &[&either])
            };
            Column::new(value, BOOL).with_null(x.null.clone())
        }
        _ => return None,
    })
}

/// Null where it is not defined. `base`: its natural logarithm.
fn logarithm(x: &Column, base: Option<f64>, g: &mut Graph) -> Column {
    let (value, zero) = (x.float(g), g.float(0.0));
    let outside = g.op("LessOrEqual", &[&value, &zero]);
    let mut value = g.op("Log", &[&value]);
    if let Some(base) = base {
        let base = g.float(base);
        value = g.op("Div", &[&value, &base]);
    }
    let null = either(g, x.null.clone(), Some(outside));
    Column::new(value, FLOAT).with_null(null)
}

/// Null only if all are; NaN is above every number.
fn extreme(name: &str, args: &[Expr], columns: &[Column], g: &mut Graph) -> Option<Column> {
    let op = if name == "greatest" { dbjob_plan::BinaryOp::Ge } else { dbjob_plan::BinaryOp::Le };
    let mut best = columns.first()?.clone();
    for (arg, next) in args.iter().zip(columns).skip(1) {
        let plain = |c: &Column| Column { null: None, ..c.clone() };
        let better = compare::lower(op, (&args[0], &plain(&best)), (arg, &plain(next)), g)?;
        let chosen = choose(g, &better.value, &plain(&best), &plain(next));
        // Beside a null the other one counts.
        let chosen = match &next.null {
            Some(null) => choose(g, null, &plain(&best), &chosen),
            None => chosen,
        };
        let chosen = match &best.null {
            Some(null) => choose(g, null, &plain(next), &chosen),
            None => chosen,
        };
        let null = match (&best.null, &next.null) {
            (Some(a), Some(b)) => Some(g.op("And", &[a, b])),
            _ => None,
        };
        best = chosen.with_null(null);
    }
    Some(best)
}
