//! Picked rows against the engine's own join.

use std::collections::BTreeSet;

use dbjob_plan::{Join, JoinKind, Projection};
use polars::prelude::{DataFrame, IntoColumn, IntoLazy, NamedFrom, Series};
use proptest::prelude::*;

use super::super::join::{hashed, right_key};
use super::lower;

fn key() -> impl Strategy<Value = Option<i64>> {
    let edges = prop::sample::select(vec![i64::MIN, i64::MIN + 1, -1, i64::MAX - 1, i64::MAX]);
    prop_oneof![1 => Just(None), 6 => (-9_i64..9).prop_map(Some), 1 => edges.prop_map(Some)]
}

fn left(keys: &[Option<i64>]) -> DataFrame {
    let rows: Vec<i64> = (0..keys.len() as i64).collect();
    DataFrame::new(
        keys.len(),
        vec![Series::new("k".into(), keys).into_column(), Series::new("row".into(), rows).into_column()],
    )
    .unwrap()
}

/// Each key once, null as often as it is drawn.
fn right(keys: &[Option<i64>]) -> DataFrame {
    let mut seen = BTreeSet::new();
    let keys: Vec<Option<i64>> = keys.iter().copied().filter(|key| key.is_none_or(|key| seen.insert(key))).collect();
    let text: Vec<Option<String>> = keys
        .iter()
        .enumerate()
        .map(|(i, key)| (i % 3 != 0).then(|| format!("a text that is long enough {key:?}")))
        .collect();
    let columns = vec![
        Series::new(right_key(0).into(), &keys).into_column(),
        Series::new("text".into(), text).into_column(),
        Series::new("of".into(), &keys).into_column(),
    ];
    DataFrame::new(keys.len(), columns).unwrap()
}

fn join(kind: JoinKind) -> Join {
    let over = |from: &str, to: &str| Projection { from: from.into(), to: to.into() };
    Join {
        kind,
        on: vec![("k".into(), "k".into())],
        right_columns: vec![over("text", "text"), over("k", "of")],
        verify_unique_right: true,
        verify_unique_left: false,
        lookup: false,
        asof: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn gives_what_a_hash_join_gives(
        one in prop::collection::vec(key(), 0..30),
        other in prop::collection::vec(key(), 0..20),
        inner in any::<bool>(),
    ) {
        let join = join(if inner { JoinKind::Inner } else { JoinKind::Left });
        let (left, right) = (left(&one).lazy(), right(&other));
        let known: Vec<i64> = other.iter().flatten().copied().collect();
        let wide = match (known.iter().min(), known.iter().max()) {
            (Some(lowest), Some(highest)) => highest.abs_diff(*lowest) > 1 << 20,
            _ => false,
        };
        let picked = lower(&join, &left, &right).unwrap();
        prop_assert_eq!(picked.is_none(), wide);
        if let Some(picked) = picked {
            let expected = hashed(&join, left, right.lazy(), true, None).unwrap().collect().unwrap();
            prop_assert!(picked.collect().unwrap().equals_missing(&expected));
        }
    }
}

#[test]
fn other_joins_and_keys_are_left_to_the_engine() {
    let (left, right) = (left(&[Some(1), Some(2)]).lazy(), right(&[Some(1)]));
    for kind in [JoinKind::Full, JoinKind::Semi, JoinKind::Anti] {
        assert!(lower(&join(kind), &left, &right).unwrap().is_none());
    }
    let mut two = join(JoinKind::Inner);
    two.on.push(("row".into(), "of".into()));
    assert!(lower(&two, &left, &right).unwrap().is_none());
    let text = Join { on: vec![("k".into(), "text".into())], ..join(JoinKind::Left) };
    let renamed = right.lazy().drop(polars::prelude::by_name([right_key(0)], true, false));
    let renamed = renamed.rename(["text"], [right_key(0)], true).collect().unwrap();
    assert!(lower(&text, &left, &renamed).unwrap().is_none());
}
