use std::collections::BTreeMap;
use std::ops::Range;

use super::coupling::couple;
use super::kernel::{Kernel, Kind};
use super::problem::Decision;
use crate::numeric::sigmoid;
use crate::options::place;
use crate::store::{LoadError, Stored};
use crate::{Matrix, Model, Pool, Scores, Tensor, Tensors};

/// Decisions over kernels of the rows that they need: one for numbers and for two classes, else one for each pair of learned
/// classes, the first against the second.
#[derive(Debug, Clone, PartialEq)]
pub struct SupportVectors {
    features: Vec<String>,
    classes: usize,
    /// Ascending; empty for numbers.
    learned: Vec<u32>,
    kernel: Kernel,
    /// Feature by feature.
    vectors: Vec<Vec<f64>>,
    decisions: Vec<Weighed>,
}

#[derive(Debug, Clone, PartialEq)]
struct Weighed {
    /// (place of the vector, coefficient)
    vectors: Vec<(u32, f64)>,
    offset: f64,
    /// Slope and intercept of the log-odds of the first class over the decision.
    odds: (f64, f64),
}

impl SupportVectors {
    pub(crate) const KIND: &'static str = "support_vectors";

    /// `decisions`: each with its odds, over rows of `x`.
    pub(super) fn new(
        x: &Matrix,
        (classes, learned): (usize, Vec<u32>),
        kernel: Kernel,
        decisions: &[(Decision, (f64, f64))],
    ) -> Self {
        let mut places: BTreeMap<u32, u32> =
            decisions.iter().flat_map(|(d, _)| d.vectors.iter().map(|(row, _)| (*row, 0))).collect();
        places.values_mut().enumerate().for_each(|(at, place)| *place = at as u32);
        let vectors = (0..x.width()).map(|j| places.keys().map(|row| x.column(j)[*row as usize]).collect()).collect();
        let weighed = |(decision, odds): &(Decision, (f64, f64))| Weighed {
            vectors: decision.vectors.iter().map(|(row, c)| (places[row], *c)).collect(),
            offset: decision.offset,
            odds: *odds,
        };
        let decisions = decisions.iter().map(weighed).collect();
        Self { features: x.names().to_vec(), classes, learned, kernel, vectors, decisions }
    }

    pub(crate) fn restore(stored: Stored<'_>) -> Result<Self, LoadError> {
        let broken = || LoadError("the tensors of the support vectors do not fit together".to_owned());
        let (values, shape) = stored.f64("vectors")?;
        let [width, count] = *shape.as_slice() else { return Err(broken()) };
        let (coefficients, offsets) = (stored.f64("coefficients")?.0, stored.f64("offsets")?.0);
        let (slopes, intercepts) = (stored.f64("slopes")?.0, stored.f64("intercepts")?.0);
        let (at, starts, learned) = (stored.u32("at")?, stored.u32("starts")?, stored.u32("learned")?);
        let [gamma, coef0, degree] = *stored.f64("settings")?.0.as_slice() else { return Err(broken()) };
        let kind = match *stored.u8("kernel")?.as_slice() {
            [code] => Kind::WORDS.get(usize::from(code)).ok_or_else(broken)?.1,
            _ => return Err(broken()),
        };
        let wanted = match learned.len() {
            0 => 1,
            k => k * (k - 1) / 2,
        };
        let sound = width == stored.features.len()
            && at.len() == coefficients.len()
            && at.iter().all(|v| (*v as usize) < count)
            && starts.len() == wanted + 1
            && starts.is_sorted()
            && starts.first() == Some(&0)
            && starts.last().is_some_and(|last| *last as usize == at.len())
            && [&offsets, &slopes, &intercepts].iter().all(|values| values.len() == wanted)
            && learned.len() != 1
            && learned.is_empty() == (stored.classes == 0)
            && learned.is_sorted_by(|a, b| a < b)
            && learned.iter().all(|c| (*c as usize) < stored.classes);
        if !sound {
            return Err(broken());
        }
        let vectors = (0..width).map(|j| values[j * count..(j + 1) * count].to_vec()).collect();
        let decision = |d: usize| {
            let range = starts[d] as usize..starts[d + 1] as usize;
            let vectors = at[range.clone()].iter().copied().zip(coefficients[range].iter().copied()).collect();
            Weighed { vectors, offset: offsets[d], odds: (slopes[d], intercepts[d]) }
        };
        let decisions = (0..wanted).map(decision).collect();
        let kernel = Kernel { kind, gamma, coef0, degree: degree as i32 };
        Ok(Self { features: stored.features, classes: stored.classes, learned, kernel, vectors, decisions })
    }

    fn block(&self, x: &Matrix, rows: Range<usize>) -> Vec<Vec<f64>> {
        let count = self.vectors.first().map_or(0, Vec::len);
        let mut all = vec![vec![0.0; rows.len()]; self.classes.max(1)];
        let mut kernels = vec![0.0; count];
        let mut row = vec![0.0; x.width()];
        let k = self.learned.len();
        for (at, i) in rows.enumerate() {
            row.iter_mut().enumerate().for_each(|(j, v)| *v = x.column(j)[i]);
            self.kernel.row(&self.vectors, &row, 0..count, &mut kernels);
            let decide = |d: &Weighed| d.vectors.iter().map(|(v, c)| kernels[*v as usize] * c).sum::<f64>() - d.offset;
            let probability = |d: &Weighed| sigmoid(d.odds.0 * decide(d) + d.odds.1);
            match k {
                0 => all[0][at] = decide(&self.decisions[0]),
                2 => {
                    let first = probability(&self.decisions[0]);
                    all[self.learned[0] as usize][at] = first;
                    all[self.learned[1] as usize][at] = 1.0 - first;
                }
                _ => {
                    let mut pairs = vec![vec![0.0; k]; k];
                    let order = (0..k).flat_map(|a| (a + 1..k).map(move |b| (a, b)));
                    for ((a, b), decision) in order.zip(&self.decisions) {
                        let first = probability(decision).clamp(1e-7, 1.0 - 1e-7);
                        (pairs[a][b], pairs[b][a]) = (first, 1.0 - first);
                    }
                    for (class, p) in self.learned.iter().zip(couple(&pairs)) {
                        all[*class as usize][at] = p;
                    }
                }
            }
        }
        all
    }
}

impl Model for SupportVectors {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn scores(&self, x: &Matrix, pool: &Pool) -> Scores {
        Scores::in_blocks((x.rows(), self.classes.max(1), 64), pool, |rows| self.block(x, rows))
    }

    fn tensors(&self) -> Tensors {
        let count = self.vectors.first().map_or(0, Vec::len);
        let vector = |values: Vec<f64>| Tensor::f64(vec![values.len()], &values);
        let pairs = || self.decisions.iter().flat_map(|d| d.vectors.iter().copied());
        let mut starts = vec![0];
        starts.extend(self.decisions.iter().scan(0, |end, d| {
            *end += d.vectors.len() as u32;
            Some(*end)
        }));
        let code = place(&Kind::WORDS, &self.kernel.kind);
        vec![
            ("vectors", Tensor::f64(vec![self.features.len(), count], &self.vectors.concat())),
            ("at", Tensor::u32(&pairs().map(|(v, _)| v).collect::<Vec<u32>>())),
            ("coefficients", vector(pairs().map(|(_, c)| c).collect())),
            ("starts", Tensor::u32(&starts)),
            ("offsets", vector(self.decisions.iter().map(|d| d.offset).collect())),
            ("slopes", vector(self.decisions.iter().map(|d| d.odds.0).collect())),
            ("intercepts", vector(self.decisions.iter().map(|d| d.odds.1).collect())),
            ("learned", Tensor::u32(&self.learned)),
            ("kernel", Tensor::u8(vec![code as u8])),
            ("settings", vector(vec![self.kernel.gamma, self.kernel.coef0, f64::from(self.kernel.degree)])),
        ]
    }
}
