//! The numbers are those of scikit-learn 1.9.1 on the same rows.

use super::*;

fn compute(name: &str, judged: &Judged<'_>) -> Option<f64> {
    metric(name).unwrap().compute(judged).ok()
}

fn classes<'a>(truth: &'a [u32], predicted: &'a [u32], probabilities: &'a [Vec<f64>]) -> Judged<'a> {
    Judged::Classes(Classes { truth, predicted, probabilities, weights: None })
}

fn numbers<'a>(truth: &'a [f64], predicted: &'a [f64]) -> Judged<'a> {
    Judged::Numbers(Numbers { truth, predicted, weights: None })
}

#[track_caller]
fn assert_value(name: &str, judged: &Judged<'_>, expected: f64) {
    let value = compute(name, judged).unwrap();
    assert!((value - expected).abs() < 1e-14, "{name}: {value}, scikit-learn gives {expected}");
}

#[test]
fn a_name_with_a_number_is_a_metric_where_it_takes_one() {
    assert!(metric("accurac").is_none());
    assert!(metric("quantile_loss").is_none());
    assert!(metric("rmse(2)").is_none());
    let judged = numbers(&[1.0, 3.0], &[2.0, 1.0]);
    assert_value("quantile_loss(0.9)", &judged, (0.1 + 1.8) / 2.0);
    assert!(!metric("quantile_loss(0.9)").unwrap().higher_is_better());
}

#[test]
fn what_is_not_defined_says_why() {
    let why = |name: &str, judged: &Judged<'_>| metric(name).unwrap().compute(judged).unwrap_err().to_string();
    let probabilities = [vec![0.3, 0.6], vec![0.7, 0.4]];
    assert_eq!(why("auc", &classes(&[1, 1], &[1, 0], &probabilities)), "all are of one class");
    let three = [vec![0.3, 0.6], vec![0.7, 0.4], vec![0.0, 0.0]];
    assert_eq!(why("auc", &classes(&[0, 1], &[1, 0], &three)), "a class does not occur among them");
    assert_eq!(why("poisson_deviance", &numbers(&[1.0], &[0.0])), "a prediction is not above 0");
    assert_eq!(why("gamma_deviance", &numbers(&[0.0], &[1.0])), "a true value is not above 0");
    assert_eq!(why("rmse", &numbers(&[0.0], &[f64::INFINITY])), "a prediction is not a finite number");
    let weightless = Numbers { truth: &[1.0], predicted: &[1.0], weights: Some(&[0.0]) };
    assert_eq!(why("rmse", &Judged::Numbers(weightless)), "no row has a weight");
}

#[test]
fn two_classes_with_ties() {
    let truth = [0, 1, 1, 0, 1, 0, 0, 1];
    let second = vec![0.1, 0.8, 0.4, 0.4, 0.9, 0.6, 0.4, 0.4];
    let predicted: Vec<u32> = second.iter().map(|p| u32::from(*p > 0.5)).collect();
    let probabilities = [second.iter().map(|p| 1.0 - p).collect(), second];
    let judged = classes(&truth, &predicted, &probabilities);
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
    let judged = classes(&truth, &predicted, &probabilities);
    assert_value("accuracy", &judged, 0.7);
    assert_value("balanced_accuracy", &judged, 0.6944444444444443);
    assert_value("f1", &judged, 0.6984126984126985);
    assert_value("auc", &judged, 0.8234126984126985);
    assert_value("log_loss", &judged, 0.7739116800070986);
}

#[test]
fn errors_of_numbers() {
    let judged = numbers(&[3.0, -0.5, 2.0, 7.0, 4.25], &[2.5, 0.0, 2.1, 7.8, 3.0]);
    assert_value("rmse", &judged, 0.7365459931328117);
    assert_value("mae", &judged, 0.63);
    assert_value("r2", &judged, 0.9116449511400652);
    assert_eq!(compute("accuracy", &judged), None);
}

#[test]
fn a_constant_truth_has_r2_1_or_0() {
    assert_value("r2", &numbers(&[2.0; 3], &[2.0; 3]), 1.0);
    assert_value("r2", &numbers(&[2.0; 3], &[1.0, 2.0, 3.0]), 0.0);
}

#[test]
fn sure_and_wrong_costs_much_and_not_infinitely_much() {
    let probabilities = [vec![0.0, 0.0], vec![1.0, 1.0]];
    let judged = classes(&[0, 1], &[1, 1], &probabilities);
    assert_value("log_loss", &judged, 18.021826694558577);
}

#[test]
fn one_class_only_leaves_auc_undefined_and_the_others_defined() {
    let probabilities = [vec![0.3, 0.6], vec![0.7, 0.4]];
    let judged = classes(&[1, 1], &[1, 0], &probabilities);
    assert_eq!(compute("auc", &judged), None);
    assert_value("accuracy", &judged, 0.5);
    assert_value("balanced_accuracy", &judged, 0.5);
    assert_value("f1", &judged, 2.0 / 3.0);
}

#[test]
fn a_class_that_the_model_does_not_know_is_never_right() {
    let probabilities = [vec![0.3, 0.6, 0.9], vec![0.7, 0.4, 0.1]];
    let judged = classes(&[1, 0, 2], &[1, 0, 0], &probabilities);
    assert_value("accuracy", &judged, 2.0 / 3.0);
    assert_value("balanced_accuracy", &judged, 2.0 / 3.0);
    assert_value("f1", &judged, (2.0 / 3.0 + 1.0 + 0.0) / 3.0);
    assert!(compute("log_loss", &judged).unwrap() > 12.0);
}

#[test]
fn no_rows_and_infinite_predictions_are_undefined() {
    for name in ["accuracy", "mcc", "precision", "f1_weighted", "auc", "average_precision", "log_loss", "brier"] {
        let none = [vec![], vec![]];
        let judged = classes(&[], &[], &none);
        assert_eq!(compute(name, &judged), None, "{name}");
    }
    for name in ["rmse", "mae", "r2"] {
        assert_eq!(compute(name, &numbers(&[], &[])), None, "{name}");
        let infinite = numbers(&[1.0, 2.0], &[f64::INFINITY, 2.0]);
        assert_eq!(compute(name, &infinite), None, "{name}");
    }
    assert_eq!(compute("r2", &numbers(&[1.0], &[1.0])), None);
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
        let judged = classes(&truth, &predicted, &probabilities);
        let expected = (pairs > 0.0).then(|| ordered / pairs);
        proptest::prop_assert_eq!(compute("auc", &judged), expected);
    }
}
