//! The learner that looks at no feature.

use dbjob_learn::Target;

use crate::support::*;

#[test]
fn a_dummy_answers_what_is_most_likely_without_features() {
    let x = fixture("iris").x.take(&[0, 1, 2, 3, 4]);
    let classes = Target::Classes { codes: vec![2, 0, 2, 0, 1], count: 4 };
    let first = |changes: &[(&str, dbjob_learn::OptionValue)], y: &Target, w: Option<&[f64]>| -> Vec<f64> {
        let scores = predict(&*try_fit("dummy", changes, &x, y, w, 1).unwrap(), &x);
        assert!(scores.columns.iter().all(|c| c.len() == 5 && c.iter().all(|v| *v == c[0])));
        scores.columns.iter().map(|c| c[0]).collect()
    };
    let frequent = [("strategy", word("most_frequent"))];
    assert_eq!(first(&[], &classes, None), [0.4, 0.2, 0.4, 0.0]);
    assert_eq!(
        first(&[("strategy", word("prior"))], &classes, Some(&[1.0, 0.0, 1.0, 1.0, 1.0])),
        [0.25, 0.25, 0.5, 0.0]
    );
    assert_eq!(first(&frequent, &classes, None), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(first(&frequent, &classes, Some(&[1.0, 1.0, 1.0, 1.0, 3.0])), [0.0, 1.0, 0.0, 0.0]);
    let numbers = Target::Numbers(vec![1.0, 2.0, 3.0, 4.0, 90.0]);
    assert_eq!(first(&[], &numbers, None), [20.0]);
    assert_eq!(first(&[("strategy", word("median"))], &numbers, None), [3.0]);
    assert_eq!(first(&[("strategy", word("median"))], &numbers, Some(&[5.0, 1.0, 1.0, 1.0, 1.0])), [1.0]);
    // One class is all that there is to know.
    assert_eq!(first(&[], &Target::Classes { codes: vec![1; 5], count: 2 }, None), [0.0, 1.0]);
    assert!(try_fit("dummy", &[("strategy", word("mean"))], &x, &classes, None, 1).is_err());
    assert!(try_fit("dummy", &[("strategy", word("prior"))], &x, &numbers, None, 1).is_err());
}
