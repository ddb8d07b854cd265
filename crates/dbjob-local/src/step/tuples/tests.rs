//! Groups by numbers against the engine's own groups by several keys.

use dbjob_plan::DataType;
use polars::prelude::{
    self as pl, Column, DataFrame, IntoColumn, IntoLazy, NamedFrom, Series, SortMultipleOptions, TimeUnit, len,
};
use proptest::prelude::*;

use super::Tuples;
use crate::types::polars_type;
use crate::udf::col;

#[derive(Debug, Clone)]
enum Key {
    Int(Vec<Option<i64>>),
    Date(Vec<Option<i32>>),
    Datetime(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
    Text(Vec<Option<String>>),
}

impl Key {
    fn column(&self, name: &str) -> (Column, DataType) {
        let name = name.into();
        let (series, dtype) = match self {
            Self::Int(values) => (Series::new(name, values), DataType::Int),
            Self::Date(values) => (Series::new(name, values), DataType::Date),
            Self::Datetime(values) => (Series::new(name, values), DataType::Datetime),
            Self::Bool(values) => (Series::new(name, values), DataType::Bool),
            Self::Text(values) => (Series::new(name, values), DataType::String),
        };
        (series.cast(&polars_type(&dtype)).unwrap().into_column(), dtype)
    }
}

const ROWS: usize = 40;

fn values<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<Option<T>>> {
    prop::collection::vec(prop::option::weighted(0.8, value), ROWS)
}

fn key() -> impl Strategy<Value = Key> {
    let edge = prop::sample::select(vec![i64::MIN, -1, i64::from(u32::MAX) - 1, i64::from(u32::MAX), i64::MAX]);
    let text = prop_oneof![
        Just(String::new()),
        "[ab]{1,2}",
        // As long as a short text may be, and longer with the same beginning.
        prop::sample::select(vec![
            "twelve bytes",
            "twelve bytes ",
            "twelve bytes\0",
            "zwölf Bytes",
            "longer than twelve bytes"
        ])
        .prop_map(str::to_owned),
        "\0{0,3}",
    ];
    prop_oneof![
        values(prop_oneof![-2_i64..2, edge.clone()]).prop_map(Key::Int),
        values(-2_i32..2).prop_map(Key::Date),
        values(edge).prop_map(Key::Datetime),
        values(any::<bool>()).prop_map(Key::Bool),
        values(text).prop_map(Key::Text),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn groups_are_those_of_the_engine(keys in prop::collection::vec(key(), 2..5), times in 1_usize..80) {
        let named: Vec<(Column, DataType)> = keys.iter().enumerate().map(|(i, key)| key.column(&format!("k{i}"))).collect();
        let types: Vec<(String, DataType)> = named.iter().map(|(c, t)| (c.name().to_string(), t.clone())).collect();
        let table = DataFrame::new(ROWS, named.into_iter().map(|(column, _)| column).collect()).unwrap();
        // Several pieces, and more rows than are looked up at once.
        let table = pl::concat(vec![table.lazy(); times], pl::UnionArgs::default()).unwrap();
        let by: Vec<pl::Expr> = types.iter().map(|(name, _)| col(name.as_str())).collect();
        let names: Vec<pl::Expr> = by.iter().cloned().chain([col("len")]).collect();
        let tuples = Tuples::of(&by, &types).unwrap();
        for stable in [true, false] {
            let ours = if stable { table.clone().group_by_stable([tuples.number()]) } else { table.clone().group_by([tuples.number()]) };
            let theirs = if stable { table.clone().group_by_stable(&by) } else { table.clone().group_by(&by) };
            let run = |grouped: pl::LazyGroupBy, keys: Vec<pl::Expr>| {
                let groups = grouped.agg([len()]).with_columns(keys).select(names.clone());
                let groups = if stable { groups } else { groups.sort_by_exprs(&by, SortMultipleOptions::default()) };
                groups.collect_with_engine(pl::Engine::Streaming).unwrap().unwrap_single()
            };
            let (ours, theirs) = (run(ours, tuples.keys()), run(theirs, Vec::new()));
            prop_assert!(ours.equals_missing(&theirs), "{ours} is not {theirs}");
            prop_assert_eq!(ours.schema(), theirs.schema());
        }
    }
}

#[test]
fn one_key_and_floats_are_left_to_the_engine() {
    let of = |types: &[DataType]| {
        let names: Vec<(String, DataType)> =
            types.iter().enumerate().map(|(i, t)| (format!("k{i}"), t.clone())).collect();
        let keys: Vec<pl::Expr> = names.iter().map(|(name, _)| col(name.as_str())).collect();
        Tuples::of(&keys, &names).is_some()
    };
    assert!(of(&[DataType::Int, DataType::String]));
    assert!(!of(&[DataType::Int]));
    assert!(!of(&[DataType::Int, DataType::Float]));
    assert!(!of(&[DataType::Decimal { precision: 9, scale: 2 }, DataType::String]));
    assert_eq!(polars_type(&DataType::Datetime), pl::DataType::Datetime(TimeUnit::Microseconds, None));
}
