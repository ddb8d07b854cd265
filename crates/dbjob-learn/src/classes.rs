use crate::numeric::{sigmoid, softmax};

/// From scores, one column an output, to the probability of each of `classes`. Two `learned` classes have one output, the
/// log-odds of the second; more have one each. A class that was not learned has probability 0.
pub(crate) fn probabilities(mut z: Vec<Vec<f64>>, learned: &[u32], classes: usize) -> Vec<Vec<f64>> {
    if learned.len() == 2 {
        let second: Vec<f64> = z[0].iter().map(|z| sigmoid(*z)).collect();
        // 1 - p loses no more than p itself has; the two sum to 1 exactly.
        let first = second.iter().map(|p| 1.0 - p).collect();
        z = vec![first, second];
    } else {
        softmax(&mut z);
    }
    if learned.len() == classes {
        return z;
    }
    let mut all = vec![vec![0.0; z[0].len()]; classes];
    for (class, column) in learned.iter().zip(z) {
        all[*class as usize] = column;
    }
    all
}

/// Whether these can be the learned ones of `classes`, and none where there are none.
pub(crate) fn are_sound(learned: &[u32], classes: usize) -> bool {
    learned.len() != 1
        && learned.is_empty() == (classes == 0)
        && learned.is_sorted_by(|a, b| a < b)
        && learned.iter().all(|c| (*c as usize) < classes)
}

/// How many outputs tell these classes apart; one for numbers.
pub(crate) fn outputs(learned: &[u32]) -> usize {
    match learned.len() {
        0 | 2 => 1,
        k => k,
    }
}
