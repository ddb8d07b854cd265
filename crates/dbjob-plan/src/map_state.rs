//! What fitted maps learned, as it is kept in a run and in a package's `maps.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Value;

/// What a fitted map learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum MapState {
    /// y = (x - shift) / scale; `scale` is never 0.
    Affine(Affine),
    /// The power of Yeo and Johnson, then the scale.
    Power {
        #[serde(with = "exact")]
        lambda: f64,
        scale: Affine,
    },
    /// What takes the place of null.
    Fill { value: Fill },
    /// The levels in the order of their positions.
    Levels { levels: Vec<String> },
    /// Where buckets begin, ascending.
    Edges { edges: Vec<f64> },
    /// Train rows by the text of the level.
    Counts { counts: BTreeMap<String, u64> },
    /// Means of a target by the text of the level.
    Means(Box<Means>),
    /// Terms, sorted, with their weights.
    Terms { terms: Vec<String>, weights: Vec<f64> },
    /// Directions, each with a weight for every column; what is subtracted from the columns first.
    Axes { center: Vec<f64>, axes: Vec<Vec<f64>> },
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Affine {
    #[serde(with = "exact")]
    pub shift: f64,
    #[serde(with = "exact")]
    pub scale: f64,
}

impl Affine {
    pub fn forward(self, x: f64) -> f64 {
        (x - self.shift) / self.scale
    }

    pub fn back(self, y: f64) -> f64 {
        y * self.scale + self.shift
    }
}

/// What a target encoder says of levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Means {
    /// The mean of all, for levels that were not seen.
    pub all: f64,
    pub levels: BTreeMap<String, f64>,
    /// What the rows outside of each fold say of it. Kept in a run only: requests are of no fold.
    #[serde(skip)]
    pub without: Vec<Means>,
}

/// A replacement for null, in the physical form of the mapped column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    Int(i64),
    #[serde(with = "exact")]
    Float(f64),
    Bool(bool),
    String(String),
    Date(i32),
    Datetime(i64),
    Duration(i64),
}

impl Fill {
    pub fn value(&self) -> Value {
        match self {
            Self::Int(i) => Value::Int(*i),
            Self::Float(x) => Value::Float(*x),
            Self::Bool(b) => Value::Bool(*b),
            Self::String(s) => Value::String(s.clone()),
            Self::Date(d) => Value::Date(*d),
            Self::Datetime(us) => Value::Datetime(*us),
            Self::Duration(us) => Value::Duration(*us),
        }
    }
}

/// The states of all fitted links of a job or package, by [`crate::MapLink::id`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MapStates(pub BTreeMap<u32, MapState>);

/// Floats as text, which may be infinite.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(x: &f64, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&format!("{x:?}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(|_| D::Error::custom(format!("{text:?} is no number")))
    }
}
