//! One row, or a list of rows.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::cell::{Cell, Read};
use super::{Filler, Rows, not_json};
use crate::problem::Problem;
use crate::shape::Shape;

/// The rows of a body, and whether it is one row that stands for itself.
///
/// Errors: the body is not JSON, has too many rows, or is no row and no list.
pub fn rows(body: &[u8], shape: &Shape, limit: usize) -> Result<(Rows, bool), Problem> {
    let mut filler = Filler::new(shape, limit);
    let mut json = serde_json::Deserializer::from_slice(body);
    let single = RowOrRows(&mut filler).deserialize(&mut json).and_then(|single| json.end().map(|()| single));
    let rows = filler.done()?;
    Ok((rows, single.map_err(|error| not_json(&error))?))
}

/// Tells whether it was one row.
struct RowOrRows<'f, 'a>(&'f mut Filler<'a>);

impl<'de> DeserializeSeed<'de> for RowOrRows<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowOrRows<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row (an object) or a list of rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        Row(self.0).visit_map(map).map(|()| true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<bool, A::Error> {
        RowList(self.0).visit_seq(seq).map(|()| false)
    }
}

/// A list of rows.
pub(super) struct RowList<'f, 'a>(pub &'f mut Filler<'a>);

impl<'de> DeserializeSeed<'de> for RowList<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowList<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Row(self.0))?.is_some() {}
        Ok(())
    }
}

/// A row.
struct Row<'f, 'a>(&'f mut Filler<'a>);

impl<'de> DeserializeSeed<'de> for Row<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn stop<E: Error>((): ()) -> E {
    E::custom("stopped")
}

impl Row<'_, '_> {
    /// What is no object is no row: the body is not a list of rows.
    fn no_row<E: Error>(self, what: &str) -> Result<(), E> {
        let row = self.0.rows.count() + 1;
        let why = format!("row {row} is {what}; a row is an object with a member for each field");
        self.0.problem = Some(Problem::unprocessable(why));
        Err(stop(()))
    }
}

impl<'de> Visitor<'de> for Row<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let filler = self.0;
        let shape = filler.shape;
        let mut next = 0;
        while let Some(key) = map.next_key_seed(Key { shape, guess: next })? {
            let at = match key {
                Ok(at) if filler.seen[at] => {
                    map.next_value::<IgnoredAny>()?;
                    filler.tell(|| shape.fields[at].wrong("is there twice"));
                    continue;
                }
                Ok(at) => at,
                Err(name) => {
                    map.next_value::<IgnoredAny>()?;
                    filler.tell(|| shape.unknown(&name));
                    continue;
                }
            };
            filler.seen[at] = true;
            next = at + 1;
            let rule = &shape.fields[at];
            let read: Read = map.next_value_seed(Cell { rule, values: &mut filler.rows.good.columns[at] })?;
            if let Err(why) = read {
                filler.tell(|| rule.wrong(why));
            }
        }
        filler.finish().map_err(stop)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.no_row("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.no_row("null")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.no_row("true or false")
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.no_row("a number")
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.no_row("a number")
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.no_row("a number")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.no_row("a string")
    }
}

/// The place of a field, or the name if there is no field of that name.
struct Key<'a> {
    shape: &'a Shape,
    guess: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Result<usize, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = Result<usize, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.shape.place(name, self.guess).ok_or_else(|| name.chars().take(100).collect()))
    }
}
