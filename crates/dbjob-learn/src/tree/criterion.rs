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
}

/// Gini impurity. Sums: the weight of each class. Weight · impurity is Σw - Σw²/Σw.
pub(super) struct Gini {
    pub classes: usize,
}

impl Criterion for Gini {
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
        let (total, squares) = sums.iter().fold((0.0, 0.0), |(t, s), w| (t + w, s + w * w));
        squares / total
    }

    fn leaf(&self, sums: &[f64]) -> Vec<f64> {
        let total: f64 = sums.iter().sum();
        sums.iter().map(|w| w / total).collect()
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
}
