/// What a split is judged by. A node's rows are summed up in `width` numbers, additive over rows.
pub(super) trait Criterion: Sync {
    type Label: Copy + PartialEq + Send + Sync;

    fn width(&self) -> usize;

    /// Adds a row to its bin's sums in `histogram` (bins x width).
    fn add(&self, histogram: &mut [f64], bin: usize, label: Self::Label, weight: f64);

    /// Σ weight.
    fn weight(&self, sums: &[f64]) -> f64;

    /// What a split should make large: its gain is score(left) + score(right) - score(both).
    fn score(&self, sums: &[f64]) -> f64;

    /// The values of a leaf.
    fn leaf(&self, sums: &[f64]) -> Vec<f64>;

    /// Where categories of these sums stand among others of a node with the sums `all`, in which they are divided like
    /// numbers. Of two classes and of numbers the best division is found so; of more classes a good one.
    fn rank(&self, sums: &[f64], all: &[f64]) -> f64;
}

/// How pure the classes of a node are. Sums: the weight of each class.
pub(super) struct Purity {
    pub classes: usize,
    pub by: Impurity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Impurity {
    /// Weight · impurity is Σw - Σw²/Σw.
    Gini,
    /// Weight · impurity is Σw · ln Σw - Σ(w · ln w).
    Entropy,
}

impl Criterion for Purity {
    type Label = u32;

    fn width(&self) -> usize {
        self.classes
    }

    #[inline]
    fn add(&self, histogram: &mut [f64], bin: usize, label: u32, weight: f64) {
        histogram[bin * self.classes + label as usize] += weight;
    }

    #[inline]
    fn weight(&self, sums: &[f64]) -> f64 {
        sums.iter().sum()
    }

    #[inline]
    fn score(&self, sums: &[f64]) -> f64 {
        match self.by {
            Impurity::Gini => {
                let (total, squares) = sums.iter().fold((0.0, 0.0), |(t, s), w| (t + w, s + w * w));
                squares / total
            }
            Impurity::Entropy => {
                let part = |w: f64| if w > 0.0 { w * w.ln() } else { 0.0 };
                sums.iter().map(|w| part(*w)).sum::<f64>() - part(sums.iter().sum())
            }
        }
    }

    fn leaf(&self, sums: &[f64]) -> Vec<f64> {
        let total: f64 = sums.iter().sum();
        sums.iter().map(|w| w / total).collect()
    }

    /// The share of the second class of two, of the most frequent one of more.
    fn rank(&self, sums: &[f64], all: &[f64]) -> f64 {
        let class =
            if all.len() == 2 { 1 } else { (0..all.len()).fold(0, |top, k| if all[k] > all[top] { k } else { top }) };
        sums[class] / sums.iter().sum::<f64>()
    }
}

/// Squared error. Sums: weight, weight · (y - centre). Weight · variance is Σwy² - (Σwy)²/Σw.
pub(super) struct Variance {
    /// Taken off every y, so that little cancels: the mean of all.
    pub centre: f64,
}

impl Criterion for Variance {
    type Label = f64;

    fn width(&self) -> usize {
        2
    }

    #[inline]
    fn add(&self, histogram: &mut [f64], bin: usize, label: f64, weight: f64) {
        let slot = &mut histogram[bin * 2..bin * 2 + 2];
        slot[0] += weight;
        slot[1] += weight * (label - self.centre);
    }

    #[inline]
    fn weight(&self, sums: &[f64]) -> f64 {
        sums[0]
    }

    #[inline]
    fn score(&self, sums: &[f64]) -> f64 {
        sums[1] * sums[1] / sums[0]
    }

    fn leaf(&self, sums: &[f64]) -> Vec<f64> {
        vec![self.centre + sums[1] / sums[0]]
    }

    fn rank(&self, sums: &[f64], _all: &[f64]) -> f64 {
        sums[1] / sums[0]
    }
}
