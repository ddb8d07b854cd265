//! Inputs that are null or categories, for algorithms that take them.

use dbjob_plan::{DataType, Event, FitSpec, Input, Task};
use polars::prelude::{Column, DataFrame};

use super::support::*;
use crate::map::MapStates;

/// `a` is null in every fifth row, `kind` is a category (null in some rows too), and both say much about `y`.
fn rows() -> DataFrame {
    let mut columns = base();
    let a = floats(&columns[1]);
    let kinds = ["x", "y", "z"];
    let kind: Vec<Option<&str>> = (0..200).map(|i| (i % 7 != 0).then(|| kinds[i * 11 % 3])).collect();
    let y: Vec<f64> =
        (0..200).map(|i| if i % 5 == 0 { 20.0 } else { a[i] } + if kind[i] == Some("y") { 8.0 } else { 0.0 }).collect();
    columns[1] = series("a", (0..200).map(|i| (i % 5 != 0).then_some(a[i])).collect::<Vec<Option<f64>>>());
    columns.push(series("kind", kind));
    columns.push(series("y", y));
    table(columns)
}

fn spec_of(levels: Option<Vec<String>>) -> FitSpec {
    let mut spec = spec("gradient_boosting", Task::Regression, "y", DataType::Float, &["r2"]);
    let input = |name: &str, dtype| Input { column: name.into(), name: name.into(), dtype, nullable: true };
    spec.inputs = vec![input("a", DataType::Float), input("kind", DataType::Category { levels })];
    spec.serving = serving(&spec.inputs, vec![]);
    spec
}

#[test]
fn nulls_and_categories_are_learned_as_they_are() {
    let rows = rows();
    for levels in [None, Some(["z", "y", "x", "w"].map(str::to_owned).to_vec())] {
        let spec = spec_of(levels.clone());
        let run = Run::new();
        let maps = MapStates::default();
        let learned = run.with(std::path::Path::new("."), 2, |cx| fit_with(&spec, &rows, &maps, cx)).unwrap();
        let r2 = learned.metrics()[0].1.value;
        assert!(r2 > 0.9, "{r2}");
        let wanted: Vec<String> = levels.unwrap_or_else(|| ["x", "y", "z"].map(str::to_owned).to_vec());
        assert_eq!(learned.model().levels()[1].as_deref(), Some(&wanted[..]));
        // Told of in rounds, up to where the valid part says stop.
        let events = run.events.lock().unwrap();
        let rounds = events.iter().filter(|e| matches!(e, Event::Progress { .. })).count();
        assert!((10..=200).contains(&rounds), "{rounds}");
    }
}

/// A level that was not in the train rows is as if there were none; a number that is none is refused still.
#[test]
fn what_was_never_seen_is_missing() {
    let maps = MapStates::default();
    let learned = fit(&spec_of(None), &rows(), &maps).unwrap();
    let ask = |a: Column, kind: Option<&str>| {
        learned.predict(&table(vec![a, series("kind", [kind])]), "p", &maps).map(|c| floats(&c[0])[0])
    };
    let known = |a: f64| series("a", [a]);
    let unseen = ask(known(3.0), Some("unseen")).unwrap();
    assert_eq!(unseen, ask(known(3.0), None).unwrap());
    assert!(ask(known(3.0), Some("y")).unwrap() > unseen + 4.0);
    assert!(ask(series("a", [None::<f64>]), None).unwrap() > 12.0);
    let error = ask(known(f64::NAN), None).unwrap_err();
    assert!(error.code == "E0719" && error.message.contains("`a` is NaN"), "{}", error.message);
}
