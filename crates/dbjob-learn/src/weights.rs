use crate::FitError;
use crate::options::Reader;

/// How classes are weighted against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClassWeight {
    None,
    /// Each class gets the same total weight: W / (classes · W of the class), as scikit-learn's "balanced".
    Balanced,
}

impl ClassWeight {
    pub fn read(options: &mut Reader<'_>) -> Result<Self, FitError> {
        options.word("class_weight", &[("none", Self::None), ("balanced", Self::Balanced)])
    }

    /// The weight of each row.
    pub fn rows(self, codes: &[u32], count: usize, weights: Option<&[f64]>) -> Vec<f64> {
        let mut rows = weights.map_or_else(|| vec![1.0; codes.len()], <[f64]>::to_vec);
        if self == Self::Balanced {
            let totals = class_totals(codes, count, &rows);
            let present = totals.iter().filter(|t| **t > 0.0).count() as f64;
            let all: f64 = totals.iter().sum();
            for (w, c) in rows.iter_mut().zip(codes) {
                if *w > 0.0 {
                    *w *= all / (present * totals[*c as usize]);
                }
            }
        }
        rows
    }
}

/// Σ weight of each class. No weights: each is 1.
pub(crate) fn class_totals(codes: &[u32], count: usize, weights: &[f64]) -> Vec<f64> {
    let mut totals = vec![0.0; count];
    for (i, c) in codes.iter().enumerate() {
        totals[*c as usize] += weights.get(i).copied().unwrap_or(1.0);
    }
    totals
}

/// The classes with weight, ascending; no weights: each is 1. One class alone cannot be learned.
pub(crate) fn present_classes(codes: &[u32], count: usize, weights: &[f64]) -> Result<Vec<u32>, FitError> {
    let totals = class_totals(codes, count, weights);
    let present: Vec<u32> = (0..count as u32).filter(|c| totals[*c as usize] > 0.0).collect();
    if present.len() < 2 {
        return Err(FitError::data("the rows to learn from hold one class only")
            .help("a classifier needs rows of at least two classes in its train part"));
    }
    Ok(present)
}
