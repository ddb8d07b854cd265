//! What exists in the language: one entry a function, map, algorithm, metric, source, sink, step and setting, with its
//! types, options and docs. The checker, the docs, the editors' word lists and the tests read these and nothing else.

pub mod algorithm;
mod exactness;
pub mod function;
pub mod instance;
pub mod map;
pub mod metric;
pub mod options;
pub mod setting;
pub mod sink;
pub mod source;
pub mod words;

pub use algorithm::{ALGORITHMS, Algorithm};
pub use exactness::Exactness;
pub use function::{FUNCTIONS, Function};
pub use map::{MAPS, Map};
pub use metric::{METRICS, Metric};
pub use options::{OptionSpec, OptionType};
