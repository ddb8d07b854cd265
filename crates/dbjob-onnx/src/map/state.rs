use std::borrow::Cow;
use std::collections::BTreeMap;

use dbjob_plan::{Affine, DataType, Fill, MapLink, MapState, MapStates, Means, Value};

/// What fitted maps have learned, or before that something of the same kind, to see what a graph can express.
#[derive(Clone, Copy)]
pub(crate) enum States<'a> {
    Learned(&'a MapStates),
    StandIn,
}

impl<'a> States<'a> {
    /// `None`: the map learns nothing.
    pub fn of(self, link: &MapLink) -> Option<Cow<'a, MapState>> {
        match self {
            Self::Learned(states) => states.0.get(&link.id).map(Cow::Borrowed),
            Self::StandIn => link.fitted.then(|| stand_in(link)).flatten().map(Cow::Owned),
        }
    }
}

fn stand_in(link: &MapLink) -> Option<MapState> {
    let scale = Affine { shift: 0.0, scale: 1.0 };
    Some(match link.map.as_str() {
        "standardize" | "min_max" | "robust" => MapState::Affine(scale),
        "power" => MapState::Power { lambda: 1.0, scale },
        "impute" => MapState::Fill { value: fill(&link.to)? },
        "index" | "one_hot" => MapState::Levels { levels: vec![String::new()] },
        "bucket" => MapState::Edges { edges: vec![0.0] },
        "count_encode" => MapState::Counts { counts: BTreeMap::new() },
        "target_encode" => MapState::Means(Box::new(Means { all: 0.0, levels: BTreeMap::new(), without: Vec::new() })),
        "pca" => {
            let n = link.options.get("n").and_then(Value::as_i64).unwrap_or(1).max(1) as usize;
            MapState::Axes { center: vec![0.0], axes: vec![vec![0.0]; n] }
        }
        _ => return None,
    })
}

fn fill(dtype: &DataType) -> Option<Fill> {
    Some(match dtype {
        DataType::Int => Fill::Int(0),
        DataType::Float => Fill::Float(0.0),
        DataType::Bool => Fill::Bool(false),
        DataType::String | DataType::Category { .. } => Fill::String(String::new()),
        DataType::Date => Fill::Date(0),
        DataType::Datetime => Fill::Datetime(0),
        DataType::Duration => Fill::Duration(0),
        DataType::Decimal { .. } | DataType::List { .. } | DataType::Vector { .. } | DataType::Unknown => return None,
    })
}
