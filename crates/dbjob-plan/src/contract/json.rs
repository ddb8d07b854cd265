use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// JSON whose objects keep the order in which they were written, so that a schema reads like the table that it is of.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Plain(Value),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub fn object() -> Self {
        Self::Object(Vec::new())
    }

    /// Adds a field to an object.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        if let Self::Object(fields) = &mut self {
            fields.push((name.into(), value.into()));
        }
        self
    }

    /// Adds a field if there is something to add.
    pub fn with_some(self, name: &str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A schema elsewhere in the document.
    pub fn reference(to: &str) -> Self {
        Self::object().with("$ref", to)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self::Plain(value)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Plain(text.into())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Plain(text.into())
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Plain(value.into())
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Plain(value.into())
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}
