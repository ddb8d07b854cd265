use crate::gemm::View;
use crate::real::Real;
use crate::rng::Rng;

/// What a hidden layer makes of its sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    Relu,
    Tanh,
    Sigmoid,
}

/// What the outputs mean, and the loss of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// One number; half the squared error.
    Number,
    /// The log-odds of the second of two classes; the log loss.
    Binary,
    /// So many classes; the log loss of the softmax.
    Classes(usize),
}

impl Output {
    pub fn width(self) -> usize {
        if let Self::Classes(count) = self { count } else { 1 }
    }
}

/// Dense layers. Parameters lie in one vector: for each layer its weights (inputs x outputs, row-major), then its biases.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Network {
    /// Of the input, the hidden layers and the output.
    pub widths: Vec<usize>,
    pub activation: Activation,
    pub output: Output,
}

/// What one pass over some rows needs, used again from batch to batch.
pub(crate) struct Workspace<T> {
    /// The input and the values of each layer after it.
    values: Vec<Vec<T>>,
    /// Of the loss by the sums of a layer, and of the one before it.
    delta: Vec<T>,
    before: Vec<T>,
    /// Of each hidden value: 0, or 1 / (1 - dropout).
    masks: Vec<Vec<T>>,
}

impl<T> Default for Workspace<T> {
    fn default() -> Self {
        Self { values: Vec::new(), delta: Vec::new(), before: Vec::new(), masks: Vec::new() }
    }
}

/// Which hidden values a pass leaves out.
pub(crate) struct Dropout {
    pub share: f64,
    pub rng: Rng,
}

impl Network {
    pub fn new(inputs: usize, hidden: &[usize], activation: Activation, output: Output) -> Self {
        let widths = [&[inputs], hidden, &[output.width()]].concat();
        Self { widths, activation, output }
    }

    pub fn parameters(&self) -> usize {
        self.widths.windows(2).map(|w| (w[0] + 1) * w[1]).sum()
    }

    /// Where each layer's weights and biases lie: (inputs, outputs, weights, biases).
    pub fn layers(&self) -> impl Iterator<Item = (usize, usize, std::ops::Range<usize>, std::ops::Range<usize>)> {
        let mut at = 0;
        self.widths.windows(2).map(move |w| {
            let (weights, end) = (at + w[0] * w[1], at + (w[0] + 1) * w[1]);
            let ranges = (at..weights, weights..end);
            at = end;
            (w[0], w[1], ranges.0, ranges.1)
        })
    }

    /// Uniform on ±√(6 / (inputs + outputs)), or √2 for sigmoid. Source: X. Glorot, Y. Bengio, "Understanding the difficulty of
    /// training deep feedforward neural networks" (2010). Without hidden layers the loss is convex: zeros.
    pub fn start<T: Real>(&self, rng: &mut Rng) -> Vec<T> {
        let mut parameters = vec![T::ZERO; self.parameters()];
        if self.widths.len() == 2 {
            return parameters;
        }
        let factor = if self.activation == Activation::Sigmoid { 2.0 } else { 6.0 };
        for (inputs, outputs, weights, biases) in self.layers() {
            let bound = (factor / (inputs + outputs) as f64).sqrt();
            for v in &mut parameters[weights.start..biases.end] {
                let unit = (rng.next() >> 11) as f64 / (1u64 << 53) as f64;
                *v = T::of(bound * (2.0 * unit - 1.0));
            }
        }
        parameters
    }

    /// Room for `rows` rows; the caller fills the input.
    pub fn input<'a, T: Real>(&self, space: &'a mut Workspace<T>, rows: usize) -> &'a mut [T] {
        space.values.resize_with(self.widths.len(), Vec::new);
        space.masks.resize_with(self.widths.len(), Vec::new);
        for (values, width) in space.values.iter_mut().zip(&self.widths) {
            values.resize(rows * width, T::ZERO);
        }
        &mut space.values[0]
    }

    /// The sums of the output layer for the rows of the input.
    pub fn forward<'a, T: Real>(
        &self,
        parameters: &[T],
        space: &'a mut Workspace<T>,
        mut dropout: Option<&mut Dropout>,
    ) -> &'a mut [T] {
        let last = self.widths.len() - 1;
        let rows = space.values[0].len() / self.widths[0];
        for (l, (inputs, outputs, weights, biases)) in self.layers().enumerate() {
            let (before, after) = space.values.split_at_mut(l + 1);
            let after = &mut after[0];
            // The products are added to the biases.
            after.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(&parameters[biases.clone()]));
            let weights = View::rows(&parameters[weights], inputs, outputs);
            T::product(View::rows(&before[l], rows, inputs), weights, T::ONE, after);
            if l + 1 < last {
                self.activate(after);
                if let Some(dropout) = dropout.as_deref_mut() {
                    dropout.draw(&mut space.masks[l + 1], after.len());
                    after.iter_mut().zip(&space.masks[l + 1]).for_each(|(v, m)| *v = *v * *m);
                }
            }
        }
        &mut space.values[last]
    }

    fn activate<T: Real>(&self, values: &mut [T]) {
        match self.activation {
            Activation::Relu => values.iter_mut().for_each(|v| *v = v.max(T::ZERO)),
            Activation::Tanh => values.iter_mut().for_each(|v| *v = v.tanh()),
            Activation::Sigmoid => values.iter_mut().for_each(|v| *v = v.sigmoid()),
        }
    }

    /// Σ w·loss of the rows of the input, and its derivatives by the parameters into `gradient`. `truth`: numbers, or the index
    /// of a class.
    pub fn gradient<T: Real>(
        &self,
        parameters: &[T],
        space: &mut Workspace<T>,
        (truth, weights): (&[T], &[T]),
        mut dropout: Option<Dropout>,
        gradient: &mut [T],
    ) -> f64 {
        let dropped = dropout.is_some();
        self.forward(parameters, space, dropout.as_mut());
        let last = self.widths.len() - 1;
        let loss = self.residuals(&mut space.values[last], truth, weights);
        space.delta.clone_from(&space.values[last]);
        let rows = truth.len();
        let layers: Vec<_> = self.layers().collect();
        for (l, (inputs, outputs, at, biases)) in layers.into_iter().enumerate().rev() {
            let delta = View::rows(&space.delta, rows, outputs);
            let values = View::rows(&space.values[l], rows, inputs);
            T::product(values.transposed(), delta, T::ZERO, &mut gradient[at.clone()]);
            let sums = &mut gradient[biases];
            sums.fill(T::ZERO);
            for row in space.delta.chunks_exact(outputs) {
                sums.iter_mut().zip(row).for_each(|(s, d)| *s += *d);
            }
            if l > 0 {
                space.before.resize(rows * inputs, T::ZERO);
                let weights = View::rows(&parameters[at], inputs, outputs);
                T::product(delta, weights.transposed(), T::ZERO, &mut space.before);
                self.slope(&mut space.before, &space.values[l], dropped.then(|| &*space.masks[l]));
                std::mem::swap(&mut space.delta, &mut space.before);
            }
        }
        loss
    }

    /// From derivatives by a layer's values to those by its sums. A value that was left out is 0.
    fn slope<T: Real>(&self, delta: &mut [T], values: &[T], mask: Option<&[T]>) {
        let one = T::ONE;
        // What a mask scaled up is scaled down again before the slope is read off it.
        let of = |v: T| match self.activation {
            Activation::Relu => {
                if v > T::ZERO {
                    one
                } else {
                    T::ZERO
                }
            }
            Activation::Tanh => one - v * v,
            Activation::Sigmoid => v * (one - v),
        };
        match mask {
            None => delta.iter_mut().zip(values).for_each(|(d, v)| *d = *d * of(*v)),
            Some(mask) => {
                for ((d, v), m) in delta.iter_mut().zip(values).zip(mask) {
                    *d = if *m > T::ZERO { *d * *m * of(*v / *m) } else { T::ZERO };
                }
            }
        }
    }

    /// Σ w·loss of these outputs.
    pub fn loss<T: Real>(&self, outputs: &mut [T], truth: &[T], weights: &[T]) -> f64 {
        self.residuals(outputs, truth, weights)
    }

    /// From outputs to weighted derivatives of the loss; gives Σ w·loss.
    fn residuals<T: Real>(&self, z: &mut [T], truth: &[T], weights: &[T]) -> f64 {
        let mut loss = 0.0;
        match self.output {
            Output::Number => {
                for ((z, y), w) in z.iter_mut().zip(truth).zip(weights) {
                    let error = *z - *y;
                    loss += 0.5 * (error * error * *w).wide();
                    *z = error * *w;
                }
            }
            Output::Binary => {
                for ((z, y), w) in z.iter_mut().zip(truth).zip(weights) {
                    let wide = z.wide();
                    let log = crate::numeric::ln_1p(crate::numeric::exp(-wide.abs()));
                    loss += w.wide() * (log + wide.max(0.0) - y.wide() * wide);
                    *z = (z.sigmoid() - *y) * *w;
                }
            }
            Output::Classes(count) => {
                for ((z, y), w) in z.chunks_exact_mut(count).zip(truth).zip(weights) {
                    let truth = y.wide() as usize;
                    let (top, of_truth) = (z.iter().fold(z[0], |m, v| m.max(*v)), z[truth]);
                    let mut total = T::ZERO;
                    for v in z.iter_mut() {
                        *v = (*v - top).exp();
                        total += *v;
                    }
                    loss += w.wide() * (total.wide().ln() + (top - of_truth).wide());
                    z.iter_mut().for_each(|v| *v = *v / total * *w);
                    z[truth] = z[truth] - *w;
                }
            }
        }
        loss
    }
}

impl Dropout {
    /// 0 with the probability of the share; the others are scaled up, so that sums keep their mean.
    fn draw<T: Real>(&mut self, mask: &mut Vec<T>, count: usize) {
        let scale = T::of(1.0 / (1.0 - self.share));
        let limit = (self.share * 65_536.0) as u64;
        mask.clear();
        while mask.len() < count {
            let bits = self.rng.next();
            for k in 0..4.min(count - mask.len()) {
                mask.push(if bits >> (16 * k) & 0xFFFF >= limit { scale } else { T::ZERO });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hidden: &[usize], activation: Activation, output: Output, dropout: f64) {
        let network = Network::new(3, hidden, activation, output);
        let mut rng = Rng::new(5, 0);
        let mut unit = || (rng.next() >> 11) as f64 / (1u64 << 53) as f64;
        let rows = 7;
        let x: Vec<f64> = (0..rows * 3).map(|_| 2.0 * unit() - 1.0).collect();
        let truth: Vec<f64> = (0..rows).map(|i| (i % output.width().max(2)) as f64).collect();
        let weights: Vec<f64> = (0..rows).map(|_| unit()).collect();
        let parameters: Vec<f64> = (0..network.parameters()).map(|_| 2.0 * unit() - 1.0).collect();
        let mut space = Workspace::default();
        let mut at = |parameters: &[f64], gradient: &mut [f64]| {
            network.input(&mut space, rows).copy_from_slice(&x);
            let dropout = (dropout > 0.0).then(|| Dropout { share: dropout, rng: Rng::new(1, 1) });
            network.gradient(parameters, &mut space, (&truth, &weights), dropout, gradient)
        };
        let mut gradient = vec![0.0; parameters.len()];
        at(&parameters, &mut gradient);
        let mut scratch = gradient.clone();
        for i in 0..parameters.len() {
            let mut moved = |by: f64| {
                let mut parameters = parameters.clone();
                parameters[i] += by;
                at(&parameters, &mut scratch)
            };
            let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!(
                (numeric - gradient[i]).abs() < 1e-8,
                "{hidden:?} {activation:?} {output:?} {i}: {numeric} {}",
                gradient[i]
            );
        }
    }

    #[test]
    fn gradients_are_derivatives_of_the_loss() {
        for output in [Output::Number, Output::Binary, Output::Classes(4)] {
            for activation in [Activation::Relu, Activation::Tanh, Activation::Sigmoid] {
                for hidden in [&[][..], &[5], &[6, 4]] {
                    check(hidden, activation, output, 0.0);
                    check(hidden, activation, output, 0.3);
                }
            }
        }
    }

    #[test]
    fn dropout_leaves_out_its_share_and_keeps_the_mean() {
        let mut mask: Vec<f64> = vec![];
        Dropout { share: 0.2, rng: Rng::new(3, 0) }.draw(&mut mask, 100_001);
        let out = mask.iter().filter(|m| **m == 0.0).count() as f64 / 100_001.0;
        assert!((out - 0.2).abs() < 0.006 && mask.len() == 100_001, "{out}");
        assert!((mask.iter().sum::<f64>() / 100_001.0 - 1.0).abs() < 0.01);
    }
}
