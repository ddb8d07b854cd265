//! What features add to a score sums to the score.

use dbjob_learn::{Contribution, Matrix, OptionValue, Pool, Scale, Target};

use crate::support::*;

/// (name, options, x, y, what the scores are).
type Case<'a> = (&'a str, &'a [(&'a str, OptionValue)], &'a Matrix, Target, Scale);

fn score(output: &Contribution, row: usize) -> f64 {
    output.base + output.features.iter().map(|feature| feature[row]).sum::<f64>()
}

#[test]
fn contributions_of_linear_models_sum_to_their_scores() {
    let (f, iris) = (fixture("diabetes"), fixture("iris"));
    let two = Target::Classes { codes: f.floats("high").iter().map(|y| *y as u32).collect(), count: 2 };
    // The class 1 has no rows.
    let gap = Target::Classes { codes: iris.codes().iter().map(|c| [0, 2, 3][*c as usize]).collect(), count: 4 };
    let alpha = [("alpha", OptionValue::Float(0.0))];
    let cases: [Case<'_>; 5] = [
        ("linear_regression", &[], &f.x, f.numbers(), Scale::Number),
        ("lasso", &[], &f.x, f.numbers(), Scale::Number),
        ("poisson_regression", &alpha, &f.x, f.numbers(), Scale::Log),
        ("logistic_regression", &[], &f.x, two, Scale::LogOdds),
        ("logistic_regression", &[], &iris.x, gap, Scale::Softmax),
    ];
    for (name, changes, x, y, scale) in cases {
        let model = fit(name, changes, x, &y);
        let scores = predict(&*model, x).columns;
        let found = model.contributions(x, &Pool::single()).unwrap();
        assert_eq!(found.scale, scale);
        for row in 0..x.rows() {
            let all: Vec<f64> = found.outputs.iter().map(|output| score(output, row)).collect();
            let scores: Vec<f64> = scores.iter().map(|column| column[row]).collect();
            let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-3), "{name}: {a} {b}");
            match scale {
                Scale::Number => close(all[0], scores[0]),
                Scale::Log => close(all[0].exp(), scores[0]),
                Scale::LogOdds => close(1.0 / (1.0 + (-all[0]).exp()), scores[1]),
                _ => {
                    let total: f64 = all.iter().map(|z| z.exp()).sum();
                    assert!(all.len() == 4 && all[1] == f64::NEG_INFINITY);
                    (0..4).for_each(|k| close(all[k].exp() / total, scores[k]));
                }
            }
        }
        // A row at the mean of every feature has the base alone, and the mean contribution is 0.
        for output in &found.outputs {
            let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
            assert!(output.features.iter().all(|feature| mean(feature).abs() < 1e-9), "{name}");
        }
    }
}
