//! Parts of dates and moments, by whole numbers.

use dbjob_plan::{DataType, Expr};

use super::arithmetic::DAY;
use super::floor_by;
use crate::column::{Column, FLOAT, INT};
use crate::graph::{Element, Graph, Tensor};

pub(super) fn lower(name: &str, args: &[Expr], columns: &[Column], g: &mut Graph) -> Option<Column> {
    let ([arg], [x]) = (args, columns) else { return None };
    let same = |value: Tensor| Some(Column::new(value, INT).with_null(x.null.clone()));
    if arg.dtype == DataType::Duration {
        let unit = match name {
            "days" => DAY,
            "hours" => DAY / 24,
            "minutes" => 60_000_000,
            "seconds" => 1_000_000,
            _ => return None,
        };
        let (value, unit) = (x.float(g), g.float(unit as f64));
        return Some(Column::new(g.op("Div", &[&value, &unit]), FLOAT).with_null(x.null.clone()));
    }
    let days = match arg.dtype {
        DataType::Date => x.value.clone(),
        DataType::Datetime => floor_by(&x.value, DAY, g),
        _ => return None,
    };
    match name {
        "hour" | "minute" | "second" if arg.dtype == DataType::Date => {
            let zero = g.int(0);
            same(g.op("Mul", &[&x.value, &zero]))
        }
        "hour" => same(within(&x.value, DAY, DAY / 24, g)),
        "minute" => same(within(&x.value, DAY / 24, 60_000_000, g)),
        "second" => same(within(&x.value, 60_000_000, 1_000_000, g)),
        // 1970-01-01 was a Thursday.
        "weekday" => {
            let three = g.int(3);
            let from_monday = g.op("Add", &[&days, &three]);
            let weekday = within(&from_monday, 7, 1, g);
            let one = g.int(1);
            same(g.op("Add", &[&weekday, &one]))
        }
        "year" | "month" | "day" | "quarter" => {
            let [year, month, day] = civil(&days, g);
            same(match name {
                "year" => year,
                "month" => month,
                "day" => day,
                _ => {
                    let two = g.int(2);
                    let month = g.op("Add", &[&month, &two]);
                    floor_by(&month, 3, g)
                }
            })
        }
        _ => None,
    }
}

/// How many whole `unit`s of what is left of `x` by whole `period`s.
fn within(x: &Tensor, period: i64, unit: i64, g: &mut Graph) -> Tensor {
    let rest = rest(x, period, g);
    if unit == 1 { rest } else { floor_by(&rest, unit, g) }
}

/// What whole periods leave over of an int, at least 0.
pub(crate) fn rest(x: &Tensor, period: i64, g: &mut Graph) -> Tensor {
    let whole = floor_by(x, period, g);
    let period = g.int(period);
    let back = g.op("Mul", &[&whole, &period]);
    g.op("Sub", &[x, &back])
}

/// Year, month and day of days since 1970-01-01, as [`dbjob_plan::civil_from_days`].
fn civil(days: &Tensor, g: &mut Graph) -> [Tensor; 3] {
    let plus = |x: &Tensor, n: i64, g: &mut Graph| {
        let n = g.int(n);
        g.op("Add", &[x, &n])
    };
    let times = |x: &Tensor, n: i64, g: &mut Graph| {
        let n = g.int(n);
        g.op("Mul", &[x, &n])
    };
    // Nothing below is negative, so that the operator's division is the floor.
    let by = |x: &Tensor, n: i64, g: &mut Graph| {
        let n = g.int(n);
        g.op("Div", &[x, &n])
    };
    let z = plus(days, 719_468, g);
    let era = floor_by(&z, 146_097, g);
    let doe = rest(&z, 146_097, g);
    let yoe = {
        let (a, b, c) = (by(&doe, 1_460, g), by(&doe, 36_524, g), by(&doe, 146_096, g));
        let sum = g.op("Sub", &[&doe, &a]);
        let sum = g.op("Add", &[&sum, &b]);
        let sum = g.op("Sub", &[&sum, &c]);
        by(&sum, 365, g)
    };
    let doy = {
        let (a, b, c) = (times(&yoe, 365, g), by(&yoe, 4, g), by(&yoe, 100, g));
        let sum = g.op("Add", &[&a, &b]);
        let sum = g.op("Sub", &[&sum, &c]);
        g.op("Sub", &[&doe, &sum])
    };
    let mp = {
        let x = times(&doy, 5, g);
        let x = plus(&x, 2, g);
        by(&x, 153, g)
    };
    let day = {
        let x = times(&mp, 153, g);
        let x = plus(&x, 2, g);
        let x = by(&x, 5, g);
        let x = g.op("Sub", &[&doy, &x]);
        plus(&x, 1, g)
    };
    let ten = g.int(10);
    let early = g.op("Less", &[&mp, &ten]);
    let (early_month, late_month) = (plus(&mp, 3, g), plus(&mp, -9, g));
    let month = g.select(&early, &early_month, &late_month);
    let year = {
        let x = times(&era, 400, g);
        let x = g.op("Add", &[&x, &yoe]);
        let three = g.int(3);
        let first = g.op("Less", &[&month, &three]);
        let first = g.cast(&first, Element::Int);
        g.op("Add", &[&x, &first])
    };
    [year, month, day]
}
