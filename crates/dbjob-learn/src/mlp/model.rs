use super::network::{Activation, Network, Output, Workspace};
use crate::classes::{are_sound, outputs, probabilities};
use crate::store::{LoadError, Stored};
use crate::{Matrix, Model, Pool, Scores, Tensor, Tensors};

/// A network of dense layers: numbers, or classes by the sigmoid of one output or the softmax of several. A class that had no
/// row to learn from has probability 0.
#[derive(Debug, Clone, PartialEq)]
pub struct MlpModel {
    features: Vec<String>,
    classes: usize,
    /// The classes that were learned, ascending; empty for numbers.
    learned: Vec<u32>,
    network: Network,
    parameters: Vec<f32>,
    /// A number is centre + unit · output.
    centre: f64,
    unit: f64,
}

/// Sums of the values before it, each with a bias.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layer<'a> {
    pub inputs: usize,
    pub outputs: usize,
    /// Inputs x outputs, row-major.
    pub weights: &'a [f32],
    pub biases: &'a [f32],
}

/// Rows that go through the network at once.
const BLOCK: usize = 256;

impl MlpModel {
    pub(crate) const KIND: &'static str = "mlp";

    pub(super) fn new(
        (features, classes, learned): (&[String], usize, Vec<u32>),
        (network, parameters): (Network, Vec<f32>),
        (centre, unit): (f64, f64),
    ) -> Self {
        Self { features: features.to_vec(), classes, learned, network, parameters, centre, unit }
    }

    pub(crate) fn restore(stored: Stored<'_>) -> Result<Self, LoadError> {
        let wrong = || LoadError("the tensors of the network do not fit together".to_owned());
        let (learned, widths) = (stored.u32("learned")?, stored.u32("widths")?);
        let widths: Vec<usize> = widths.iter().map(|w| *w as usize).collect();
        let parameters = stored.f32("parameters")?;
        let [centre, unit] = stored.f64("output")?.0[..] else { return Err(wrong()) };
        let activation = match stored.u8("activation")?[..] {
            [0] => Activation::Relu,
            [1] => Activation::Tanh,
            [2] => Activation::Sigmoid,
            _ => return Err(wrong()),
        };
        let output = output(&learned);
        let sound = are_sound(&learned, stored.classes)
            && widths.len() >= 2
            && widths[0] == stored.features.len()
            && widths.last() == Some(&output.width())
            && widths.windows(2).try_fold(0_usize, |n, w| n.checked_add(w[0].checked_add(1)?.checked_mul(w[1])?))
                == Some(parameters.len());
        if !sound {
            return Err(wrong());
        }
        let network = Network { widths, activation, output };
        Ok(Self { features: stored.features, classes: stored.classes, learned, network, parameters, centre, unit })
    }

    /// The first one takes the features; of all but the last the activation makes something.
    pub fn layers(&self) -> impl Iterator<Item = Layer<'_>> {
        self.network.layers().map(|(inputs, outputs, weights, biases)| Layer {
            inputs,
            outputs,
            weights: &self.parameters[weights],
            biases: &self.parameters[biases],
        })
    }

    pub fn activation(&self) -> Activation {
        self.network.activation
    }

    /// The classes that were learned, ascending; empty for numbers.
    pub fn learned(&self) -> &[u32] {
        &self.learned
    }

    /// What is added to a number, and what its output is multiplied by before.
    pub fn scale(&self) -> (f64, f64) {
        (self.centre, self.unit)
    }

    fn block(&self, x: &Matrix, rows: std::ops::Range<usize>) -> Vec<Vec<f64>> {
        let mut space = Workspace::default();
        let width = self.features.len();
        let input = self.network.input(&mut space, rows.len());
        for j in 0..width {
            let column = &x.column(j)[rows.clone()];
            input.iter_mut().skip(j).step_by(width).zip(column).for_each(|(to, v)| *to = *v as f32);
        }
        let z = self.network.forward(&self.parameters, &mut space, None);
        let count = self.network.output.width();
        let columns = (0..count).map(|k| z.iter().skip(k).step_by(count).map(|v| f64::from(*v)).collect()).collect();
        if self.classes > 0 {
            return probabilities(columns, &self.learned, self.classes);
        }
        columns.into_iter().map(|c: Vec<f64>| c.iter().map(|v| self.centre + self.unit * v).collect()).collect()
    }
}

/// What a network puts out for these classes, or for numbers.
pub(super) fn output(learned: &[u32]) -> Output {
    match (learned.len(), outputs(learned)) {
        (0, _) => Output::Number,
        (_, 1) => Output::Binary,
        (_, count) => Output::Classes(count),
    }
}

impl Model for MlpModel {
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
        Scores::in_blocks((x.rows(), self.classes.max(1), BLOCK), pool, |rows| self.block(x, rows))
    }

    /// `parameters`: for each layer its weights (inputs x outputs, row-major), then its biases.
    fn tensors(&self) -> Tensors {
        let widths: Vec<u32> = self.network.widths.iter().map(|w| *w as u32).collect();
        vec![
            ("parameters", Tensor::f32(&self.parameters)),
            ("output", Tensor::f64(vec![2], &[self.centre, self.unit])),
            ("widths", Tensor::u32(&widths)),
            ("learned", Tensor::u32(&self.learned)),
            ("activation", Tensor::u8(vec![self.network.activation as u8])),
        ]
    }
}
