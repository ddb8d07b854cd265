//! What is told by the order in which the probabilities put the rows.

use super::{Classes, Undefined, Value};

/// The area under the ROC curve: the share of pairs of a row of the class and one not of it that the probability puts
/// in order, ties counting half. Two classes: of the second. More: the mean of each class against the rest; not defined
/// unless every class of the model occurs.
pub(super) fn auc(classes: &Classes<'_>) -> Value {
    let area = |class| {
        let Ranked { tied, positives, negatives } = Ranked::of(classes, class)?;
        if positives <= 0.0 || negatives <= 0.0 {
            return Err(one_sided(classes));
        }
        // From the lowest probability up. Twice the weight of the pairs in order, so that ties stay whole.
        let (mut pairs, mut below) = (0.0, 0.0);
        for (of_class, others) in tied.iter().rev() {
            pairs += of_class * (2.0 * below + others);
            below += others;
        }
        Ok(pairs / (2.0 * positives * negatives))
    };
    each(classes, area)
}

/// The mean precision where the recall grows, from the highest probability down: 0 where the rows of the class have no
/// weight. Two classes: of the second, 0 without a row of it. More: the mean of each class against the rest; not defined
/// unless every class occurs.
pub(super) fn average_precision(classes: &Classes<'_>) -> Value {
    let one = |class| {
        let Ranked { tied, positives, .. } = Ranked::of(classes, class)?;
        if positives <= 0.0 {
            let occurs = classes.probabilities.len() == 2 || classes.truth.contains(&class);
            return if occurs { Ok(0.0) } else { Err(one_sided(classes)) };
        }
        let (mut total, mut right, mut all) = (0.0, 0.0, 0.0);
        for (of_class, others) in tied {
            right += of_class;
            all += of_class + others;
            if all > 0.0 {
                total += of_class / positives * (right / all);
            }
        }
        Ok(total)
    };
    each(classes, one)
}

fn each(classes: &Classes<'_>, mut of: impl FnMut(u32) -> Value) -> Value {
    let count = classes.probabilities.len();
    match count {
        0 | 1 => Err(Undefined("the model knows one class only")),
        2 => of(1),
        _ => (0..count as u32).map(&mut of).sum::<Value>().map(|sum| sum / count as f64),
    }
}

fn one_sided(classes: &Classes<'_>) -> Undefined {
    let mut weighted = (0..classes.truth.len()).filter(|row| classes.weight(*row) > 0.0).map(|row| classes.truth[row]);
    let first = weighted.next();
    match weighted.all(|class| Some(class) == first) {
        true => Undefined("all are of one class"),
        false => Undefined("a class does not occur among them"),
    }
}

/// One class against the rest, by its probability.
struct Ranked {
    /// The weight of the class and of the others at each probability, from the highest down.
    tied: Vec<(f64, f64)>,
    positives: f64,
    negatives: f64,
}

impl Ranked {
    fn of(classes: &Classes<'_>, class: u32) -> Result<Self, Undefined> {
        let scores = &classes.probabilities[class as usize];
        if scores.iter().any(|score| score.is_nan()) {
            return Err(Undefined("a prediction is not a finite number"));
        }
        let mut order: Vec<(f64, u32)> = scores.iter().copied().zip(0..).collect();
        order.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
        let (mut positives, mut negatives) = (0.0, 0.0);
        let mut tied = Vec::new();
        for run in order.chunk_by(|(a, _), (b, _)| a == b) {
            let (mut of_class, mut others) = (0.0, 0.0);
            // In the order of the rows: sums do not depend on how equal ones were sorted.
            let mut rows: Vec<u32> = run.iter().map(|(_, row)| *row).collect();
            rows.sort_unstable();
            for row in rows {
                let side = if classes.truth[row as usize] == class { &mut of_class } else { &mut others };
                *side += classes.weight(row as usize);
            }
            positives += of_class;
            negatives += others;
            tied.push((of_class, others));
        }
        Ok(Self { tied, positives, negatives })
    }
}
