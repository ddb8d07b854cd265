//! Parts, folds and samples.

use std::collections::BTreeMap;

use dbjob_plan::{
    FOLD, FOLD_FROM, Field, NamedExpr, Op, PART, ROW, RunError, Sample, Shares, Split, SplitFolds, SplitKey, SplitParts,
};
use polars::prelude::{DataFrame, df};
use proptest::prelude::*;

use super::*;

fn named(name: &str, expr: Expr) -> NamedExpr {
    NamedExpr { name: name.into(), expr }
}

fn by_hash(by: Vec<String>, shares: Shares) -> Split {
    Split { parts: SplitParts::Hash { key: SplitKey::by(by), shares }, folds: None }
}

const EIGHTY: Shares = Shares { train: 0.8, valid: 0.0, test: 0.2 };

#[test]
fn the_split_is_the_documented_hash() {
    // (XXH64("7|KEY", seed 42) >> 11) * 2^-53, by the Python package xxhash.
    for (key, u) in SHARES {
        let found = crate::step::split::share(&format!("7|{key}"));
        assert!((found - u).abs() < 1e-16, "{key:?}: {found} {u}");
    }
    let mut bench = Bench::new();
    let rows = df!["k" => (0..20_000_i64).collect::<Vec<_>>()].unwrap();
    let input = bench.table("data", rows, vec![field("k", Int)]);
    let part = Field { hidden: true, ..required(PART, Int) };
    for by in [vec!["k".to_string()], vec![]] {
        let split = by_hash(by, Shares { train: 0.7, valid: 0.1, test: 0.2 });
        let node = bench.step(Op::Split(split), vec![field("k", Int), part.clone()], &[input]);
        let seen = bench.step(
            Op::Derive { columns: vec![named("p", col(PART, Int))] },
            vec![field("k", Int), part.clone(), field("p", Int)],
            &[node],
        );
        let table = bench.rows(seen).unwrap();
        assert_eq!(names(&table), "k p", "hidden columns are not written");
        let parts = table.column("p").unwrap().i64().unwrap().clone();
        for (row, part) in parts.iter().enumerate() {
            let u = crate::step::split::share(&format!("7|{row}"));
            assert_eq!(
                part,
                Some(if u < 0.7 {
                    0
                } else if u < 0.1 + 0.7 {
                    1
                } else {
                    2
                }),
                "{row}"
            );
        }
        let test = parts.iter().filter(|p| *p == Some(2)).count();
        assert!((3_800..4_200).contains(&test), "{test}");
    }
}

#[test]
fn keys_of_a_split_have_one_text() {
    let mut bench = Bench::new();
    let mut rows = df![
        "s" => [Some("a"), None],
        "d" => [19_782_i32, -1],
        "t" => [1_500_000_i64, 0],
        "b" => [true, false],
    ]
    .unwrap();
    for (name, dtype) in [("d", Date), ("t", Datetime)] {
        let typed = rows.column(name).unwrap().cast(&crate::types::polars_type(&dtype)).unwrap();
        rows.with_column(typed).unwrap();
    }
    let fields = vec![field("s", Text), field("d", Date), field("t", Datetime), field("b", Bool)];
    let input = bench.table("data", rows, fields.clone());
    let by = ["s", "d", "t", "b"].map(String::from).to_vec();
    // A share so fine that the part tells the hash.
    for (key, row) in [
        ("a\u{1f}2024-02-29\u{1f}1970-01-01T00:00:01.5\u{1f}true", 0),
        ("\u{0}null\u{1f}1969-12-31\u{1f}1970-01-01T00:00:00\u{1f}false", 1),
    ] {
        let u = crate::step::split::share(&format!("7|{key}"));
        for (train, part) in [(u - 1e-12, "2"), (u + 1e-12, "0")] {
            let split = by_hash(by.clone(), Shares { train, valid: 0.0, test: 1.0 - train });
            let mut with = fields.clone();
            with.push(Field { hidden: true, ..required(PART, Int) });
            let node = bench.step(Op::Split(split), with.clone(), &[input]);
            with.push(field("p", Int));
            let seen = bench.step(Op::Derive { columns: vec![named("p", col(PART, Int))] }, with, &[node]);
            let table = bench.rows(seen).unwrap();
            assert_eq!(values(&table, "p").split(' ').nth(row), Some(part), "{key}");
        }
    }
}

const SHARES: &[(&str, f64)] = &[
    ("0", 0.6010471802732064),
    ("1", 0.21938414079177126),
    ("-5", 0.9551796198703327),
    ("abc", 0.44404357089650337),
    ("straße", 0.2579304242443381),
    ("2024-02-29", 0.20370089454086526),
    ("true", 0.9510177395121141),
    ("\u{0}null", 0.32797305077419303),
    ("a\u{1f}b", 0.8851157083646605),
    ("", 0.596952932344443),
];

/// The table of a split with its hidden columns in sight: under the names without underscores in front.
fn split(rows: DataFrame, fields: Vec<Field>, split: Split, hidden: &[&str]) -> Result<DataFrame, RunError> {
    let mut bench = Bench::new();
    let input = bench.table("data", rows, fields.clone());
    let mut with = fields;
    with.extend(hidden.iter().map(|name| Field { hidden: true, ..required(name, Int) }));
    let node = bench.step(Op::Split(split), with.clone(), &[input]);
    let columns = hidden.iter().map(|name| named(name.trim_start_matches('_'), col(name, Int))).collect();
    with.extend(hidden.iter().map(|name| field(name.trim_start_matches('_'), Int)));
    let seen = bench.step(Op::Derive { columns }, with, &[node]);
    bench.rows(seen)
}

fn ints(table: &DataFrame, name: &str) -> Vec<i64> {
    table.column(name).unwrap().i64().unwrap().iter().flatten().collect()
}

fn numbers(n: i64) -> (DataFrame, Vec<Field>) {
    (df!["k" => (0..n).collect::<Vec<_>>()].unwrap(), vec![field("k", Int)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_row_stays_in_its_part_and_fold_as_data_grow(
        keys in proptest::collection::vec("[a-zäß0-9|]{0,12}", 2..60),
        more in proptest::collection::vec("[a-zäß0-9|]{0,12}", 0..60),
        shares in (1..100_u32).prop_map(|t| Shares { train: f64::from(t) / 100.0, valid: 0.0, test: 1.0 - f64::from(t) / 100.0 }),
        count in 2..9_u32,
    ) {
        let fields = || vec![field("k", Text)];
        let of = |keys: &[String]| {
            let parts = SplitParts::Hash { key: SplitKey::by(["k"]), shares };
            let folds = Some(SplitFolds::Hash { key: SplitKey::by(["k"]), count });
            let rows = df!["k" => keys].unwrap();
            split(rows, fields(), Split { parts, folds }, &[PART, FOLD, ROW]).unwrap()
        };
        let (before, all) = (of(&keys), of(&[keys.clone(), more].concat()));
        for name in ["part", "fold"] {
            prop_assert_eq!(&ints(&before, name)[..], &ints(&all, name)[..keys.len()]);
        }
        // Another order of the rows changes nothing either.
        let turned: Vec<String> = keys.iter().rev().cloned().collect();
        let turned = of(&turned);
        for name in ["part", "fold"] {
            let back: Vec<i64> = ints(&turned, name).into_iter().rev().collect();
            prop_assert_eq!(&ints(&before, name), &back);
        }
        for (part, fold) in ints(&all, "part").into_iter().zip(ints(&all, "fold")) {
            prop_assert_eq!(part == 0, fold >= 0, "only train rows have a fold");
            prop_assert!(fold < i64::from(count));
        }
    }

    #[test]
    fn strata_are_exact(
        strata in proptest::collection::vec(proptest::option::of("[abc]"), 1..200),
        test in 1..100_u32,
        count in 2..6_u32,
    ) {
        let test = f64::from(test) / 100.0;
        let shares = Shares { train: 1.0 - test, valid: 0.0, test };
        let key = SplitKey::default();
        let parts = SplitParts::Stratified { key: key.clone(), column: "s".into(), shares };
        let folds = Some(SplitFolds::Stratified { key, column: "s".into(), count });
        let rows = df!["s" => &strata].unwrap();
        let table = split(rows, vec![field("s", Text)], Split { parts, folds }, &[PART, FOLD, ROW]).unwrap();
        let mut found: BTreeMap<Option<String>, (usize, usize, BTreeMap<i64, usize>)> = BTreeMap::new();
        for ((stratum, part), fold) in strata.iter().zip(ints(&table, "part")).zip(ints(&table, "fold")) {
            let (all, train, folds) = found.entry(stratum.clone()).or_default();
            *all += 1;
            if part == 0 {
                *train += 1;
                *folds.entry(fold).or_default() += 1;
            }
        }
        for (all, train, folds) in found.into_values() {
            prop_assert_eq!(train, ((1.0 - test) * all as f64).round() as usize);
            let sizes: Vec<usize> = (0..i64::from(count)).map(|f| folds.get(&f).copied().unwrap_or(0)).collect();
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
        }
    }
}

#[test]
fn parts_in_time_leave_their_gap_out() {
    let days: Vec<i32> = (0..10).collect();
    let mut rows = df!["d" => &days].unwrap();
    let typed = rows.column("d").unwrap().cast(&crate::types::polars_type(&Date)).unwrap();
    rows.with_column(typed).unwrap();
    let fields = || vec![field("d", Date)];
    let day = |n: i64| n * 86_400_000_000;
    let bounded =
        |gap| SplitParts::Bounded { time: "d".into(), valid_from: Some(day(4)), test_from: Some(day(7)), gap };
    let table = split(rows.clone(), fields(), Split { parts: bounded(0), folds: None }, &[PART]).unwrap();
    assert_eq!(ints(&table, "part"), [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]);
    let table = split(rows.clone(), fields(), Split { parts: bounded(day(1)), folds: None }, &[PART]).unwrap();
    assert_eq!(ints(&table, "part"), [0, 0, 0, 1, 1, 2, 2, 2]);
    let parts = SplitParts::Ordered { time: "d".into(), shares: EIGHTY, gap: 0 };
    let folds = Some(SplitFolds::Rolling { time: "d".into(), count: 3, gap: day(1) });
    let table = split(rows, fields(), Split { parts, folds }, &[PART, FOLD, FOLD_FROM, ROW]).unwrap();
    assert_eq!(ints(&table, "part"), [0, 0, 0, 0, 0, 0, 0, 0, 2, 2]);
    assert_eq!(ints(&table, "fold"), [-1, -1, 0, 0, 1, 1, 2, 2, -1, -1]);
    assert_eq!(ints(&table, "fold_from"), [0, 1, 1, 2, 2, 3, 3, 3, 3, 3]);
    assert_eq!(ints(&table, "row"), (0..10).collect::<Vec<_>>());
}

#[test]
fn given_parts_are_taken_and_others_named() {
    let given = || Split { parts: SplitParts::Given { column: "p".into() }, folds: None };
    let rows = df!["p" => ["train", "test", "valid"]].unwrap();
    let table = split(rows, vec![field("p", Text)], given(), &[PART]).unwrap();
    assert_eq!(ints(&table, "part"), [0, 2, 1]);
    let table = split(df!["p" => [true, false]].unwrap(), vec![field("p", Bool)], given(), &[PART]).unwrap();
    assert_eq!(ints(&table, "part"), [2, 0]);
    let rows = df!["p" => ["train", "Test"]].unwrap();
    let error = split(rows, vec![field("p", Text)], given(), &[PART]).unwrap_err();
    assert_eq!((error.code.as_str(), error.data.and_then(|d| d.row)), ("E0707", Some(2)));
    assert!(error.message.contains("\"Test\" in row 2"), "{}", error.message);
}

#[test]
fn a_declared_key_that_repeats_stops_the_split() {
    let key = SplitKey { columns: vec!["k".into()], unique: true };
    let parts = || SplitParts::Hash { key: key.clone(), shares: EIGHTY };
    let (rows, fields) = numbers(50);
    assert!(split(rows, fields.clone(), Split { parts: parts(), folds: None }, &[PART]).is_ok());
    let rows = df!["k" => [1_i64, 7, 2, 7, 3, 2, 7, 7]].unwrap();
    let error = split(rows, fields, Split { parts: parts(), folds: None }, &[PART]).unwrap_err();
    assert_eq!(error.code, "E0708");
    let message = "`data` has 4 rows with k = 7 (rows 2, 4, 7, …), but the key must be unique; 1 other key repeats too";
    assert_eq!(error.message, message);
}

#[test]
fn samples_are_the_documented_hash_and_differ_by_their_number() {
    let mut kept = Vec::new();
    for (number, by) in [(1, vec!["k"]), (2, vec!["k"]), (1, vec![])] {
        let mut bench = Bench::new();
        let (rows, fields) = numbers(5_000);
        let input = bench.table("data", rows, fields.clone());
        let sample = Sample { key: SplitKey::by(by), share: 0.1, number, on_train: false };
        let node = bench.step(Op::Sample(sample), fields, &[input]);
        let found = ints(&bench.rows(node).unwrap(), "k");
        let wanted: Vec<i64> =
            (0..5_000).filter(|k| crate::step::split::share(&format!("7|sample{number}|{k}")) < 0.1).collect();
        assert_eq!(found, wanted);
        assert!((400..600).contains(&found.len()), "{}", found.len());
        kept.push(found);
    }
    assert_ne!(kept[0], kept[1]);
    assert_eq!(kept[0], kept[2], "the number of the row is the key here");
}

#[test]
fn a_sample_of_train_leaves_the_other_parts_whole() {
    let mut bench = Bench::new();
    let (rows, mut fields) = numbers(2_000);
    let input = bench.table("data", rows, fields.clone());
    fields.push(Field { hidden: true, ..required(PART, Int) });
    let parts = bench.step(Op::Split(by_hash(vec!["k".into()], EIGHTY)), fields.clone(), &[input]);
    let sample = Sample { key: SplitKey::by(["k"]), share: 0.5, number: 1, on_train: true };
    let node = bench.step(Op::Sample(sample), fields.clone(), &[parts]);
    fields.push(field("p", Int));
    let seen = bench.step(Op::Derive { columns: vec![named("p", col(PART, Int))] }, fields, &[node]);
    let table = bench.rows(seen).unwrap();
    for (part, share) in [(0, 0.5), (2, 1.0)] {
        let of_part = |k: &i64| (crate::step::split::share(&format!("7|{k}")) < 0.8) == (part == 0);
        let sampled = |k: &i64| crate::step::split::share(&format!("7|sample1|{k}")) < share;
        let wanted: Vec<i64> = (0..2_000).filter(|k| of_part(k) && sampled(k)).collect();
        let rows = ints(&table, "k").into_iter().zip(ints(&table, "p"));
        assert_eq!(rows.filter(|(_, p)| *p == part).map(|(k, _)| k).collect::<Vec<_>>(), wanted);
    }
}
