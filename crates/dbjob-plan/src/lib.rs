//! The contract between the dbjob compiler and its engines.
//!
//! The compiler lowers a checked job to a [`Plan`]; a [`Backend`] carries it out and tells of it in [`Event`]s; what it
//! learned is stored as a package (a [`Manifest`] and its files) that a [`Predictor`] answers from. Engines see this
//! crate and nothing of the language.

pub mod contract;
mod decimal;
mod expr;
mod expr_text;
mod lineage;
mod map_state;
mod model;
mod near;
pub mod parse;
mod placement;
mod plan;
mod prediction;
mod results;
mod run;
mod scalar;
mod schema;
mod source;
mod span;
mod split;
mod target;
mod value;
mod values;
mod watch;
mod window;

pub use decimal::*;
pub use expr::*;
pub use lineage::{ColumnRef, Derivation, Edge, Lineage, Via, column_names};
pub use map_state::*;
pub use model::*;
pub use near::near;
pub use placement::*;
pub use plan::*;
pub use prediction::prediction_schema;
pub use results::*;
pub use run::*;
pub use scalar::evaluate_scalar;
pub use schema::*;
pub use source::*;
pub use span::*;
pub use split::*;
pub use target::*;
pub use value::*;
pub use values::Values;
pub use watch::*;
pub use window::*;
