//! `asof join` against its definition, row by row.

use dbjob_plan::{Asof, DataType, Field, Join, JoinKind, Op, Projection};
use polars::prelude::{DataFrame, DataType as P, TimeUnit, df};
use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400_000_000;

/// Key, second key, time, value.
type Row = (Option<i64>, Option<&'static str>, Option<i64>, i64);

fn side() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        prop::option::weighted(0.9, 0_i64..2),
        prop::option::weighted(0.9, prop::sample::select(vec!["a", "b"])),
        prop::option::weighted(0.9, (0_i64..10).prop_map(|d| d * DAY)),
    );
    prop::collection::vec(row, 0..25)
        .prop_map(|rows| rows.into_iter().enumerate().map(|(i, (k, s, t))| (k, s, t, i as i64)).collect())
}

fn table(rows: &[Row], dtype: &DataType) -> DataFrame {
    let mut table = df![
        "k" => rows.iter().map(|r| r.0).collect::<Vec<_>>(),
        "s" => rows.iter().map(|r| r.1).collect::<Vec<_>>(),
        "t" => rows.iter().map(|r| r.2).collect::<Vec<_>>(),
        "v" => rows.iter().map(|r| r.3).collect::<Vec<_>>(),
    ]
    .unwrap();
    let time = table.column("t").unwrap().clone();
    let time = match dtype {
        Int => time,
        _ => time.cast(&P::Datetime(TimeUnit::Microseconds, None)).unwrap(),
    };
    let time = if *dtype == Date { time.cast(&P::Date).unwrap() } else { time };
    table.with_column(time).unwrap();
    table
}

fn fields(dtype: &DataType) -> Vec<Field> {
    vec![field("k", Int), field("s", Text), field("t", dtype.clone()), required("v", Int)]
}

fn joined(left: &[Row], right: &[Row], by: usize, asof: Asof, dtype: &DataType) -> DataFrame {
    let mut bench = Bench::new();
    let l = bench.table("l", table(left, dtype), fields(dtype));
    let r = bench.table("r", table(right, dtype), fields(dtype));
    let on = [("k", "k"), ("s", "s")][..by].iter().map(|(l, r)| ((*l).to_owned(), (*r).to_owned())).collect();
    let join = Join {
        kind: JoinKind::Asof,
        on,
        right_columns: vec![
            Projection { from: "v".into(), to: "w".into() },
            Projection { from: "t".into(), to: "u".into() },
        ],
        verify_unique_right: false,
        verify_unique_left: false,
        lookup: false,
        asof: Some(asof),
    };
    let all = [fields(dtype), vec![field("w", Int), field("u", dtype.clone())]].concat();
    let node = bench.step(Op::Join(join), all, &[l, r]);
    bench.rows(node).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_last_row_at_or_before_matches(
        left in side(), right in side(), by in 0_usize..3, strict in any::<bool>(),
        within in prop::option::of(1_i64..4), dtype in prop::sample::select(vec![Int, Date, Datetime]),
    ) {
        let within = within.map(|days| days * DAY);
        let asof = Asof { left: "t".into(), right: "t".into(), strict, within };
        let result = joined(&left, &right, by, asof, &dtype);
        let found: Vec<Option<i64>> = result.column("w").unwrap().i64().unwrap().iter().collect();
        let wanted: Vec<Option<i64>> = left.iter().map(|l| {
            let equal = |r: &&Row| (by < 1 || l.0.is_some() && l.0 == r.0) && (by < 2 || l.1.is_some() && l.1 == r.1);
            let before = |r: &&Row| match (l.2, r.2) {
                (Some(t), Some(u)) => (if strict { u < t } else { u <= t }) && within.is_none_or(|w| t - u <= w),
                _ => false,
            };
            // `max_by_key` gives the last of several.
            right.iter().filter(equal).filter(before).max_by_key(|r| r.2).map(|r| r.3)
        }).collect();
        prop_assert_eq!(found, wanted);
        let order: Vec<Option<i64>> = result.column("v").unwrap().i64().unwrap().iter().collect();
        prop_assert_eq!(order, left.iter().map(|r| Some(r.3)).collect::<Vec<_>>());
    }
}

#[test]
fn the_time_of_the_match_comes_over() {
    let left = [(Some(1), None, Some(5 * DAY), 0), (Some(1), None, Some(0), 1)];
    let right = [(Some(1), None, Some(3 * DAY), 7), (Some(1), None, Some(4 * DAY), 8)];
    let asof = Asof { left: "t".into(), right: "t".into(), strict: false, within: None };
    let rows = joined(&left, &right, 1, asof, &Datetime);
    assert_eq!((values(&rows, "w"), values(&rows, "u")), ("8 null".into(), "@1970-01-05T00:00:00 null".into()));
}
