use dbjob_plan::Task;

use super::{Algorithm, Only, common};
use crate::catalog::options::{Default, OptionSpec, OptionType};

pub const MLP: Algorithm = Algorithm {
    name: "mlp",
    tasks: &[Task::Classification, Task::Regression],
    options: &[
        OptionSpec {
            name: "layers",
            ty: OptionType::Ints { min: 1, max: 1_000_000 },
            default: Default::Ints(&[64]),
            doc: "The width of each hidden layer",
        },
        OptionSpec {
            name: "activation",
            ty: OptionType::Word(&["relu", "tanh", "sigmoid"]),
            default: Default::Word("relu"),
            doc: "What hidden layers make of their sums",
        },
        OptionSpec {
            name: "dropout",
            ty: OptionType::Float { min: 0.0, max: 0.99, above: false },
            default: Default::Float(0.0),
            doc: "The share of hidden values left out at random in training",
        },
        OptionSpec {
            name: "epochs",
            ty: OptionType::Int { min: 1, max: 1_000_000 },
            default: Default::Int(200),
            doc: "Passes over the train rows",
        },
        OptionSpec {
            name: "learning_rate",
            ty: OptionType::Float { min: 0.0, max: 100.0, above: true },
            default: Default::Float(0.001),
            doc: "Step size",
        },
        OptionSpec {
            name: "schedule",
            ty: OptionType::Word(&["constant", "step", "exponential", "cosine"]),
            default: Default::Word("constant"),
            doc: "How the step size changes: times `decay` after every `decay_every` epochs, after every epoch, or half a cosine down to 0",
        },
        OptionSpec {
            name: "decay",
            ty: OptionType::Float { min: 0.0, max: 1.0, above: true },
            default: Default::Null,
            doc: "The factor; 0.1 for step and 0.95 for exponential when left out",
        },
        OptionSpec {
            name: "decay_every",
            ty: OptionType::Int { min: 1, max: 1_000_000 },
            default: Default::Int(30),
            doc: "Epochs between two steps of the schedule",
        },
        OptionSpec {
            name: "optimizer",
            ty: OptionType::Word(&["adam", "adamw", "sgd"]),
            default: Default::Word("adam"),
            doc: "How parameters follow their gradient",
        },
        OptionSpec {
            name: "momentum",
            ty: OptionType::Float { min: 0.0, max: 0.999, above: false },
            default: Default::Float(0.9),
            doc: "The part of the last step that goes on into the next one",
        },
        OptionSpec {
            name: "beta1",
            ty: OptionType::Float { min: 0.0, max: 0.9999, above: false },
            default: Default::Float(0.9),
            doc: "How long the mean of gradients remembers",
        },
        OptionSpec {
            name: "beta2",
            ty: OptionType::Float { min: 0.0, max: 0.999_999, above: false },
            default: Default::Float(0.999),
            doc: "How long the mean of their squares remembers",
        },
        OptionSpec {
            name: "epsilon",
            ty: OptionType::Float { min: 0.0, max: 1.0, above: true },
            default: Default::Float(1e-8),
            doc: "Added to the root of the squares",
        },
        OptionSpec {
            name: "weight_decay",
            ty: OptionType::Float { min: 0.0, max: f64::INFINITY, above: false },
            default: Default::Null,
            doc: "Strength of an L2 penalty on the weights; for adamw a shrinking of its own. 0.01 for adamw and 0 for the others when left out",
        },
        OptionSpec {
            name: "batch_size",
            ty: OptionType::Int { min: 1, max: 1_000_000_000 },
            default: Default::Int(256),
            doc: "Rows in one step",
        },
        OptionSpec {
            name: "stop_early",
            ty: OptionType::Int { min: 1, max: 1_000_000 },
            default: Default::Null,
            doc: "It ends when the loss on the valid part has not fallen for so many epochs, and keeps the best; without a valid part 5 folds of the train rows find out how many epochs are best; never when left out",
        },
        common::CLASS_WEIGHT,
    ],
    only: &[
        Only::With {
            options: &["beta1", "beta2", "epsilon"],
            of: "optimizer",
            is: &["adam", "adamw"],
            help: "drop it, or write `optimizer = adam`",
        },
        Only::With { options: &["momentum"], of: "optimizer", is: &["sgd"], help: "drop it: adam has `beta1`" },
        Only::With {
            options: &["decay"],
            of: "schedule",
            is: &["step", "exponential"],
            help: "drop it, or write `schedule = exponential`",
        },
        Only::With {
            options: &["decay_every"],
            of: "schedule",
            is: &["step"],
            help: "drop it, or write `schedule = step`",
        },
        Only::Classes { options: &["class_weight"], help: "drop it; `weight COLUMN` weighs rows" },
    ],
    nulls: false,
    categories: false,
    exportable: true,
    spark: Some("MultilayerPerceptronClassifier"),
    doc: "A neural network of dense layers, trained in batches by backpropagation. It computes with 32-bit floats; the loss of numbers \
          is half the squared error in units of their variance. Wants numbers of like scale: `standardize`.",
    example: "fit mlp { layers = [64, 32], epochs = 200, learning_rate = 0.01, optimizer = adam }",
};
