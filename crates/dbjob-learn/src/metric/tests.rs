//! The numbers are those of scikit-learn 1.9.1 on the same rows.

use super::*;

fn compute(name: &str, judged: &Judged<'_>) -> Option<f64> {
    metric(name).unwrap().compute(judged)
}

#[track_caller]
fn assert_value(name: &str, judged: &Judged<'_>, expected: f64) {
    let value = compute(name, judged).unwrap();
    assert!((value - expected).abs() < 1e-14, "{name}: {value}, scikit-learn gives {expected}");
}

#[test]
fn the_list_of_names_is_that_of_the_metrics() {
    let names: Vec<_> = ALL.iter().map(|m| m.name()).collect();
    assert_eq!(names, METRICS);
    assert!(metric("accurac").is_none());
}

#[test]
fn two_classes_with_ties() {
    let truth = [0, 1, 1, 0, 1, 0, 0, 1];
    let second = vec![0.1, 0.8, 0.4, 0.4, 0.9, 0.6, 0.4, 0.4];
    let predicted: Vec<u32> = second.iter().map(|p| u32::from(*p > 0.5)).collect();
    let probabilities = [second.iter().map(|p| 1.0 - p).collect(), second];
    let judged = Judged::Classes { truth: &truth, predicted: &predicted, probabilities: &probabilities };
    assert_value("accuracy", &judged, 0.625);
    assert_value("balanced_accuracy", &judged, 0.625);
    assert_value("f1", &judged, 0.5714285714285714);
    assert_value("auc", &judged, 0.75);
    assert_value("log_loss", &judged, 0.5255485032230385);
    assert_eq!(compute("rmse", &judged), None);
}

#[test]
fn three_classes() {
    let truth = [0, 2, 1, 0, 2, 1, 1, 0, 2, 2];
    let predicted = [0, 2, 1, 1, 2, 0, 1, 0, 0, 2];
    let probabilities = [
        vec![0.7, 0.1, 0.3, 0.2, 0.2, 0.6, 0.1, 0.5, 0.4, 0.0],
        vec![0.2, 0.3, 0.4, 0.5, 0.2, 0.3, 0.8, 0.25, 0.4, 0.1],
        vec![0.1, 0.6, 0.3, 0.3, 0.6, 0.1, 0.1, 0.25, 0.2, 0.9],
    ];
    let judged = Judged::Classes { truth: &truth, predicted: &predicted, probabilities: &probabilities };
    assert_value("accuracy", &judged, 0.7);
    assert_value("balanced_accuracy", &judged, 0.6944444444444443);
    assert_value("f1", &judged, 0.6984126984126985);
    assert_value("auc", &judged, 0.8234126984126985);
    assert_value("log_loss", &judged, 0.7739116800070986);
}

#[test]
fn numbers() {
    let judged = Judged::Numbers { truth: &[3.0, -0.5, 2.0, 7.0, 4.25], predicted: &[2.5, 0.0, 2.1, 7.8, 3.0] };
    assert_value("rmse", &judged, 0.7365459931328117);
    assert_value("mae", &judged, 0.63);
    assert_value("r2", &judged, 0.9116449511400652);
    assert_eq!(compute("accuracy", &judged), None);
}

#[test]
fn a_constant_truth_has_r2_1_or_0() {
    assert_value("r2", &Judged::Numbers { truth: &[2.0; 3], predicted: &[2.0; 3] }, 1.0);
    assert_value("r2", &Judged::Numbers { truth: &[2.0; 3], predicted: &[1.0, 2.0, 3.0] }, 0.0);
}

#[test]
fn sure_and_wrong_costs_much_and_not_infinitely_much() {
    let probabilities = [vec![0.0, 0.0], vec![1.0, 1.0]];
    let judged = Judged::Classes { truth: &[0, 1], predicted: &[1, 1], probabilities: &probabilities };
    assert_value("log_loss", &judged, 18.021826694558577);
}

#[test]
fn one_class_only_leaves_auc_undefined_and_the_others_defined() {
    let probabilities = [vec![0.3, 0.6], vec![0.7, 0.4]];
    let judged = Judged::Classes { truth: &[1, 1], predicted: &[1, 0], probabilities: &probabilities };
    assert_eq!(compute("auc", &judged), None);
    assert_value("accuracy", &judged, 0.5);
    assert_value("balanced_accuracy", &judged, 0.5);
    assert_value("f1", &judged, 2.0 / 3.0);
}

#[test]
fn a_class_that_the_model_does_not_know_is_never_right() {
    let probabilities = [vec![0.3, 0.6, 0.9], vec![0.7, 0.4, 0.1]];
    let judged = Judged::Classes { truth: &[1, 0, 2], predicted: &[1, 0, 0], probabilities: &probabilities };
    assert_value("accuracy", &judged, 2.0 / 3.0);
    assert_value("balanced_accuracy", &judged, 2.0 / 3.0);
    assert_value("f1", &judged, (2.0 / 3.0 + 1.0 + 0.0) / 3.0);
    assert!(compute("log_loss", &judged).unwrap() > 12.0);
}

#[test]
fn no_rows_and_infinite_predictions_are_undefined() {
    for name in ["accuracy", "balanced_accuracy", "f1", "auc", "log_loss"] {
        let judged = Judged::Classes { truth: &[], predicted: &[], probabilities: &[vec![], vec![]] };
        assert_eq!(compute(name, &judged), None, "{name}");
    }
    for name in ["rmse", "mae", "r2"] {
        assert_eq!(compute(name, &Judged::Numbers { truth: &[], predicted: &[] }), None, "{name}");
        let infinite = Judged::Numbers { truth: &[1.0, 2.0], predicted: &[f64::INFINITY, 2.0] };
        assert_eq!(compute(name, &infinite), None, "{name}");
    }
    assert_eq!(compute("r2", &Judged::Numbers { truth: &[1.0], predicted: &[1.0] }), None);
}

proptest::proptest! {
    /// Against the definition: every pair of a row of the class and one not of it.
    #[test]
    fn auc_counts_the_pairs_in_order(rows in proptest::collection::vec((0_u32..2, 0_u8..6), 2..60)) {
        let truth: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let second: Vec<f64> = rows.iter().map(|r| f64::from(r.1) / 8.0).collect();
        let (mut ordered, mut pairs) = (0.0, 0.0);
        for a in rows.iter().filter(|r| r.0 == 1) {
            for b in rows.iter().filter(|r| r.0 == 0) {
                pairs += 1.0;
                ordered += if a.1 > b.1 { 1.0 } else if a.1 == b.1 { 0.5 } else { 0.0 };
            }
        }
        let predicted = vec![0; truth.len()];
        let probabilities = [second.iter().map(|p| 1.0 - p).collect(), second];
        let judged = Judged::Classes { truth: &truth, predicted: &predicted, probabilities: &probabilities };
        let expected = (pairs > 0.0).then(|| ordered / pairs);
        proptest::prop_assert_eq!(compute("auc", &judged), expected);
    }
}
