//! Nearest neighbours against scikit-learn.

use dbjob_learn::{FitErrorKind, Matrix, OptionValue, Target};

use crate::support::*;

/// As make_models.py does it: no two rows are equally far from a third.
fn apart(x: &Matrix) -> Matrix {
    let p = x.width();
    let column = |j: usize| -> Vec<f64> {
        x.column(j).iter().enumerate().map(|(i, v)| v + 1e-6 * ((i * p + j) as f64).sin()).collect()
    };
    Matrix::new(x.names().to_vec(), (0..p).map(column).collect(), x.rows()).unwrap()
}

#[test]
fn answers_are_those_of_scikit_learn() {
    let expected = Expected::read("knn");
    for name in ["iris", "wine", "diabetes"] {
        let f = fixture(name);
        let y = if name == "diabetes" { f.numbers() } else { f.classes() };
        for (case, changes) in [
            ("five", vec![]),
            ("seven_by_distance", vec![("k", OptionValue::Int(7)), ("weights", word("distance"))]),
            ("manhattan", vec![("k", OptionValue::Int(4)), ("metric", word("manhattan"))]),
        ] {
            let found = answers("knn", &changes, &apart(&f.x), &y, false);
            for (found, expected) in found.iter().zip(expected.answers(&format!("{name}.{case}"))) {
                for (f, e) in found.iter().zip(expected) {
                    assert!((f - e).abs() < 1e-9 * e.abs().max(1.0), "{name}, {case}: {f} {e}");
                }
            }
        }
    }
}

fn line(values: &[f64]) -> Matrix {
    Matrix::new(vec!["a".to_owned()], vec![values.to_vec()], values.len()).unwrap()
}

#[test]
fn of_equally_far_rows_the_earlier_votes_and_rows_at_the_place_vote_alone() {
    let x = line(&[1.0, -1.0, 5.0, 0.0, 0.0]);
    let y = Target::Numbers(vec![10.0, 20.0, 30.0, 40.0, 50.0]);
    let one =
        |changes: &[(&str, OptionValue)], at: f64| predict(&*fit("knn", changes, &x, &y), &line(&[at])).columns[0][0];
    let k = |k: i64| ("k", OptionValue::Int(k));
    assert_eq!(one(&[k(3)], 0.0), (40.0 + 50.0 + 10.0) / 3.0);
    assert_eq!(one(&[k(4), ("weights", word("distance"))], 0.0), 45.0);
    let near = (10.0 + 40.0 + 50.0) / 3.0;
    assert!((one(&[k(3), ("weights", word("distance"))], 0.5) - near).abs() < 1e-12);
    // So far away that no distance is a number: all are as far.
    assert_eq!(one(&[k(2), ("weights", word("distance"))], 1e300), 15.0);
}

#[test]
fn a_weight_weighs_a_vote_and_a_row_without_one_is_not_there() {
    let x = line(&[0.0, 1.0, 2.0, 3.0]);
    let y = Target::Numbers(vec![0.0, 8.0, 4.0, 90.0]);
    let model = try_fit("knn", &[("k", OptionValue::Int(2))], &x, &y, Some(&[3.0, 0.0, 1.0, 1.0]), 1).unwrap();
    assert_eq!(predict(&*model, &line(&[0.9])).columns[0], [1.0]);
}

#[test]
fn more_neighbours_than_rows_and_numbers_without_distance_are_errors() {
    let y = Target::Numbers(vec![1.0, 2.0, 3.0]);
    let error = try_fit("knn", &[], &line(&[1.0, 2.0, 3.0]), &y, None, 1).unwrap_err();
    assert_eq!(error.kind, FitErrorKind::Data);
    assert!(error.message.contains("5 neighbours") && error.help.unwrap().contains("at most 3"));
    let changes = [("k", OptionValue::Int(1))];
    let error = try_fit("knn", &changes, &line(&[1.0, 2.0, 1e200]), &y, None, 1).unwrap_err();
    assert_eq!((error.feature.as_deref(), error.row), (Some("a"), Some(2)));
}
