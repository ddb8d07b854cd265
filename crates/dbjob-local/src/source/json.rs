//! JSON: one array of objects. The objects are read one after the other.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use dbjob_plan::{DataLocation, RunError};
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};

use super::files::{place, shown, unreadable};
use super::objects::{Object, Spot};

type Visit<'a> = &'a mut dyn FnMut(Spot, Object) -> Result<bool, RunError>;

/// Calls `visit` with the place and object of every element of the array, until it says no.
///
/// Errors: E0701, E0712.
pub(super) fn objects(file: &Path, visit: Visit<'_>) -> Result<(), RunError> {
    let reader = BufReader::with_capacity(1 << 18, File::open(file).map_err(|e| unreadable(file, &e.to_string()))?);
    let mut json = serde_json::Deserializer::from_reader(reader);
    let mut stop = Stop::Not;
    let read = Elements { visit, stop: &mut stop }.deserialize(&mut json);
    match (stop, read.and_then(|()| json.end())) {
        (Stop::Failed(error), _) => Err(error),
        (Stop::Enough, _) | (Stop::Not, Ok(())) => Ok(()),
        (Stop::Not, Err(e)) if e.is_io() => Err(unreadable(file, &e.to_string())),
        (Stop::Not, Err(e)) => {
            let at = DataLocation { line: Some(e.line() as u64), ..place(file) };
            Err(RunError::new("E0712", format!("{} is no JSON array of objects: {e}", shown(file))).data(at))
        }
    }
}

/// Why the reading ended early. The error of a visitor cannot travel through the reader, so it waits here.
enum Stop {
    Not,
    Enough,
    Failed(RunError),
}

struct Elements<'v, 's> {
    visit: Visit<'v>,
    stop: &'s mut Stop,
}

impl<'de> DeserializeSeed<'de> for Elements<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let mut row = 0;
        while let Some(object) = array.next_element::<Object>()? {
            row += 1;
            match (self.visit)(Spot { row, line: None }, object) {
                Ok(true) => continue,
                Ok(false) => *self.stop = Stop::Enough,
                Err(error) => *self.stop = Stop::Failed(error),
            }
            return Err(A::Error::custom("stopped"));
        }
        Ok(())
    }
}
