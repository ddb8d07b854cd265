//! Packed keys against a comparison of the values, key after key.

use std::cmp::Ordering;

use polars::prelude::{Column, DataFrame, DataType, IntoColumn, NamedFrom, Series, SortMultipleOptions, TimeUnit};
use proptest::prelude::*;

use super::super::sort;
use super::{Codes, Packed};

#[derive(Debug, Clone)]
enum Key {
    Int(Vec<Option<i64>>),
    Date(Vec<Option<i32>>),
    Datetime(Vec<Option<i64>>),
    Bool(Vec<Option<bool>>),
    Text(Vec<Option<String>>),
    Float(Vec<Option<f64>>),
}

const ROWS: std::ops::Range<usize> = 0..24;

fn column_of<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
    rows: usize,
) -> BoxedStrategy<Vec<Option<T>>> {
    // Without nulls, with some, and of nulls alone.
    let nulls = prop_oneof![3 => Just(0), 3 => Just(3), 1 => Just(10)];
    let values = prop::collection::vec((0..10, value), rows);
    let column = |(nulls, values): (i32, Vec<(i32, T)>)| {
        values.into_iter().map(|(n, value)| (n >= nulls).then_some(value)).collect()
    };
    (nulls, values).prop_map(column).boxed()
}

fn ints() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -3_i64..4, 1 => any::<i64>(), 1 => prop::sample::select(vec![i64::MIN, i64::MIN + 1, -1, 0, i64::MAX])]
}

fn floats() -> impl Strategy<Value = f64> {
    let some = vec![f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::MIN_POSITIVE, 5e-324, 1.5];
    prop_oneof![3 => prop::sample::select(some), 1 => any::<f64>()]
}

/// Keys whose numbers never need many bits.
fn narrow(rows: usize) -> BoxedStrategy<Key> {
    let key = prop_oneof![
        column_of(-3_i64..4, rows).prop_map(Key::Int),
        column_of(-3_i32..4, rows).prop_map(Key::Date),
        column_of(any::<bool>(), rows).prop_map(Key::Bool),
        column_of("[aä\u{0}B]{0,2}", rows).prop_map(Key::Text),
        column_of(floats(), rows).prop_map(Key::Float),
    ];
    key.boxed()
}

fn any_key(rows: usize) -> BoxedStrategy<Key> {
    let key = prop_oneof![
        2 => narrow(rows),
        2 => column_of(ints(), rows).prop_map(Key::Int),
        1 => column_of(any::<i32>(), rows).prop_map(Key::Date),
        2 => column_of(ints(), rows).prop_map(Key::Datetime),
    ];
    key.boxed()
}

/// Keys and the way that each goes; how many of them are partitions, and how many rows they have.
type Case = (Vec<(Key, bool)>, usize, usize);

fn case(key: fn(usize) -> BoxedStrategy<Key>) -> impl Strategy<Value = Case> {
    (ROWS, 1_usize..5).prop_flat_map(move |(rows, keys)| {
        (prop::collection::vec((key(rows), any::<bool>()), keys), 0..=keys, Just(rows))
    })
}

impl Key {
    fn column(&self) -> Column {
        let name = "".into();
        let cast = |series: Series, dtype| series.cast(&dtype).unwrap();
        match self {
            Self::Int(v) => Series::new(name, v),
            Self::Date(v) => cast(Series::new(name, v), DataType::Date),
            Self::Datetime(v) => cast(Series::new(name, v), DataType::Datetime(TimeUnit::Microseconds, None)),
            Self::Bool(v) => Series::new(name, v),
            Self::Text(v) => Series::new(name, v),
            Self::Float(v) => Series::new(name, v),
        }
        .into_column()
    }

    /// Null is last in both directions, NaN above every number, and one zero is as good as the other.
    fn compare(&self, a: usize, b: usize, descending: bool) -> Ordering {
        fn placed<T>(v: &[Option<T>], a: usize, b: usize, down: bool, order: fn(&T, &T) -> Ordering) -> Ordering {
            match (&v[a], &v[b]) {
                (Some(a), Some(b)) if down => order(b, a),
                (Some(a), Some(b)) => order(a, b),
                (a, b) => a.is_none().cmp(&b.is_none()),
            }
        }
        let of_floats = |a: &f64, b: &f64| a.partial_cmp(b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()));
        match self {
            Self::Int(v) | Self::Datetime(v) => placed(v, a, b, descending, i64::cmp),
            Self::Date(v) => placed(v, a, b, descending, i32::cmp),
            Self::Bool(v) => placed(v, a, b, descending, bool::cmp),
            Self::Text(v) => placed(v, a, b, descending, String::cmp),
            Self::Float(v) => placed(v, a, b, descending, of_floats),
        }
    }

    /// Whether it is one that `sort` packs.
    fn is_number(&self) -> bool {
        !matches!(self, Self::Text(_) | Self::Float(_))
    }

    /// How many numbers its values and null take, or `None` for types whose values are counted.
    fn numbers(&self) -> Option<i128> {
        let range = |values: Vec<Option<i128>>| {
            let known: Vec<i128> = values.iter().flatten().copied().collect();
            let span = known.iter().max().map_or(1, |most| most - known.iter().min().unwrap() + 1);
            span + i128::from(!known.is_empty() && known.len() < values.len())
        };
        let wide = |v: &[Option<i64>]| v.iter().map(|x| x.map(i128::from)).collect();
        match self {
            Self::Int(v) | Self::Datetime(v) => Some(range(wide(v))),
            Self::Date(v) => Some(range(v.iter().map(|x| x.map(i128::from)).collect())),
            _ => None,
        }
    }
}

/// What [`Packed`] says, or that keys do not fit.
fn sorted(keys: &[(Key, bool)], by: usize, rows: usize) -> Option<Packed> {
    let columns: Vec<Column> = keys.iter().map(|(key, _)| key.column()).collect();
    let descending: Vec<bool> = keys[by..].iter().map(|(_, descending)| *descending).collect();
    Packed::sorted(&columns[..by], &columns[by..], &descending, rows).unwrap()
}

/// Partitions ascend; ties keep the order of the rows.
fn reference(keys: &[(Key, bool)], by: usize, rows: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..rows).collect();
    all.sort_by(|a, b| compare(keys, by, *a, *b));
    all
}

fn compare(keys: &[(Key, bool)], by: usize, a: usize, b: usize) -> Ordering {
    let each = keys.iter().enumerate().map(|(i, (key, down))| key.compare(a, b, *down && i >= by));
    each.fold(Ordering::Equal, Ordering::then)
}

fn check(packed: &Packed, keys: &[(Key, bool)], by: usize, rows: usize) {
    let wanted = reference(keys, by, rows);
    let found: Vec<usize> = packed.rows().into_iter().map(|row| row as usize).collect();
    assert_eq!(found, wanted);
    let differ = |of: &[(Key, bool)]| -> Vec<bool> {
        (0..rows).map(|at| at > 0 && compare(of, by, wanted[at - 1], wanted[at]).is_ne()).collect()
    };
    assert_eq!(packed.begins(), differ(&keys[..by]), "partitions");
    assert_eq!(packed.fresh(), differ(keys), "keys");
    for (i, (key, _)) in keys.iter().enumerate().filter(|(_, (key, _))| key.is_number()) {
        let order: Vec<u32> = wanted.iter().map(|row| *row as u32).collect();
        let (column, all) = (key.column(), packed.key(i, key.column().dtype()).unwrap());
        assert!(all.equals_missing(&column.take_slice(&order).unwrap()), "values of key {i}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn narrow_keys_always_fit_and_sort_as_their_values_do((keys, by, rows) in case(narrow)) {
        check(&sorted(&keys, by, rows).expect("a few bits"), &keys, by, rows);
    }

    #[test]
    fn keys_at_the_extremes_sort_as_their_values_do_if_they_fit((keys, by, rows) in case(any_key)) {
        if let Some(packed) = sorted(&keys, by, rows) {
            check(&packed, &keys, by, rows);
        }
    }

    #[test]
    fn numbers_are_packed_exactly_where_128_bits_hold_them((keys, by, rows) in case(any_key)) {
        let numbers: Option<Vec<i128>> = keys.iter().map(|(key, _)| key.numbers()).collect();
        let bits = |n: i128| 128 - (n - 1).leading_zeros();
        if let Some(numbers) = numbers {
            let fits = numbers.iter().all(|n| *n <= 1 << 64);
            let all = numbers.iter().map(|n| bits(*n)).sum::<u32>() + bits(rows as i128 + 1).max(1);
            prop_assert_eq!(sorted(&keys, by, rows).is_some(), fits && all <= 128);
        }
    }

    #[test]
    fn a_sort_is_the_same_whether_its_keys_fit_or_not((keys, _, rows) in case(any_key)) {
        let numbers: Vec<(Key, bool)> = keys.into_iter().filter(|(key, _)| key.is_number()).collect();
        prop_assume!(!numbers.is_empty());
        let name = |i: usize| format!("k{i}");
        let named = |(i, (key, _)): (usize, &(Key, bool))| key.column().with_name(name(i).into());
        let mut columns: Vec<Column> = numbers.iter().enumerate().map(named).collect();
        columns.push(Column::new("row".into(), (0..rows as i64).collect::<Vec<_>>()));
        let table = DataFrame::new(rows, columns).unwrap();
        let options = SortMultipleOptions {
            descending: numbers.iter().map(|(_, descending)| *descending).collect(),
            nulls_last: vec![true; numbers.len()],
            maintain_order: true,
            ..SortMultipleOptions::default()
        };
        let names: Vec<String> = (0..numbers.len()).map(name).collect();
        let found = sort::packed(table.clone(), &names, &options).unwrap();
        let order: Vec<u32> = reference(&numbers, 0, rows).into_iter().map(|row| row as u32).collect();
        let wanted: Vec<Column> = table.columns().iter().map(|c| c.take_slice(&order).unwrap()).collect();
        prop_assert!(found.equals_missing(&DataFrame::new(rows, wanted).unwrap()), "{found:?}");
    }
}

#[test]
fn what_needs_more_than_64_bits_with_its_null_is_no_code() {
    let codes = |values: &[Option<i64>]| Codes::of(&Key::Int(values.to_vec()).column(), false).unwrap();
    assert!(codes(&[Some(i64::MIN), Some(i64::MAX)]).is_some());
    assert!(codes(&[Some(i64::MIN), None, Some(i64::MAX)]).is_none());
    assert!(codes(&[Some(i64::MIN), None, Some(i64::MAX - 1)]).is_some());
}

#[test]
fn types_without_numbers_are_sorted_otherwise() {
    let lists = Series::new("".into(), [Series::new("".into(), [1_i64]), Series::new("".into(), [2_i64])]);
    assert!(Packed::sorted(&[lists.into_column()], &[], &[], 2).unwrap().is_none());
    assert!(Packed::sorted(&[], &[], &[], 2).unwrap().is_none(), "without keys there is nothing to sort");
}
