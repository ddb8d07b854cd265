//! The bodies of MLflow's scoring protocol: `dataframe_split`, `dataframe_records`, `inputs`, `instances`.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::cell::Cell;
use super::json::RowList;
use super::{Filler, Rows, not_json};
use crate::problem::{Problem, Wrong};
use crate::shape::Shape;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    dataframe_split: Option<&'a RawValue>,
    #[serde(borrow)]
    dataframe_records: Option<&'a RawValue>,
    #[serde(borrow)]
    inputs: Option<&'a RawValue>,
    #[serde(borrow)]
    instances: Option<&'a RawValue>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

/// Errors: the body is not JSON, is not of the protocol, or has too many rows.
pub fn rows(body: &[u8], shape: &Shape, limit: usize) -> Result<Rows, Problem> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|e| not_json(&e))?;
    if let Some(params) = body.params.filter(|p| !matches!(p.get(), "null" | "{}")) {
        let first = params.get().chars().take(40).collect::<String>();
        return Err(Problem::unprocessable(format!("this model takes no `params`: {first}")));
    }
    let said = [
        ("dataframe_split", body.dataframe_split),
        ("dataframe_records", body.dataframe_records),
        ("inputs", body.inputs),
        ("instances", body.instances),
    ];
    let said: Vec<_> = said.into_iter().filter_map(|(name, json)| json.map(|json| (name, json.get()))).collect();
    let (name, json) = match said.as_slice() {
        [one] => *one,
        [] => {
            let names = "`dataframe_split`, `dataframe_records`, `inputs` or `instances`";
            return Err(Problem::unprocessable(format!("the body has none of {names}")));
        }
        [(a, _), (b, _), ..] => return Err(Problem::unprocessable(format!("the body has both `{a}` and `{b}`"))),
    };
    match name {
        "dataframe_split" => split(json, shape, limit),
        _ if json.starts_with('[') => records(json, shape, limit, name),
        "dataframe_records" => Err(Problem::unprocessable("`dataframe_records` is a list of rows")),
        _ => columns(json, shape, limit, name),
    }
}

fn ended(filler: Filler<'_>, read: Result<(), serde_json::Error>, name: &str) -> Result<Rows, Problem> {
    let rows = filler.done()?;
    read.map_err(|error| Problem::unprocessable(format!("`{name}`: {error}")))?;
    Ok(rows)
}

fn records(json: &str, shape: &Shape, limit: usize, name: &str) -> Result<Rows, Problem> {
    let mut filler = Filler::new(shape, limit);
    let read = RowList(&mut filler).deserialize(&mut serde_json::Deserializer::from_str(json));
    ended(filler, read, name)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Split<'a> {
    columns: Vec<String>,
    #[serde(borrow)]
    data: &'a RawValue,
    /// Labels of rows are of no meaning here.
    #[serde(borrow, rename = "index")]
    _index: Option<&'a RawValue>,
}

fn split(json: &str, shape: &Shape, limit: usize) -> Result<Rows, Problem> {
    let split: Split<'_> =
        serde_json::from_str(json).map_err(|e| Problem::unprocessable(format!("`dataframe_split`: {e}")))?;
    let places = places(&split.columns, shape)?;
    let mut filler = Filler::new(shape, limit);
    let list = Lists { filler: &mut filler, places: &places };
    let read = list.deserialize(&mut serde_json::Deserializer::from_str(split.data.get()));
    ended(filler, read, "dataframe_split")
}

/// The place of each column; what is wrong with their names is wrong with every row.
pub fn places<T: AsRef<str>>(names: &[T], shape: &Shape) -> Result<Vec<usize>, Problem> {
    let (mut places, mut wrong) = (Vec::new(), Vec::new());
    for (guess, name) in names.iter().map(AsRef::as_ref).enumerate().take(10_000) {
        match shape.place(name, guess) {
            Some(at) if places.contains(&at) => wrong.push(shape.fields[at].wrong("is there twice")),
            Some(at) => places.push(at),
            None if wrong.len() < 100 => wrong.push(shape.unknown(&name.chars().take(100).collect::<String>())),
            None => {}
        }
    }
    let missing = shape.fields.iter().enumerate().filter(|(at, _)| !places.contains(at));
    wrong.extend(missing.map(|(_, rule)| rule.missing()));
    if wrong.is_empty() { Ok(places) } else { Err(Problem::refused(wrong)) }
}

/// Rows that are lists, with the fields at these places.
struct Lists<'f, 'a> {
    filler: &'f mut Filler<'a>,
    places: &'f [usize],
}

impl<'de> DeserializeSeed<'de> for Lists<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Lists<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows that are lists")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(List { filler: self.filler, places: self.places })?.is_some() {}
        Ok(())
    }
}

struct List<'f, 'a> {
    filler: &'f mut Filler<'a>,
    places: &'f [usize],
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row that is a list of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { filler, places } = self;
        let shape = filler.shape;
        for at in places {
            let rule = &shape.fields[*at];
            match seq.next_element_seed(Cell { rule, values: &mut filler.rows.good.columns[*at] })? {
                Some(read) => {
                    filler.seen[*at] = true;
                    if let Err(why) = read {
                        filler.tell(|| rule.wrong(why));
                    }
                }
                None => break,
            }
        }
        let mut more = 0_usize;
        while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {
            more += 1;
        }
        if more > 0 {
            let said = format!("has {more} values more than there are columns");
            filler.tell(|| Wrong::new(None, said));
        }
        filler.finish().map_err(|()| A::Error::custom("stopped"))
    }
}

/// An object with a list for each field.
fn columns(json: &str, shape: &Shape, limit: usize, name: &str) -> Result<Rows, Problem> {
    let wrong = |e: serde_json::Error| Problem::unprocessable(format!("`{name}`: {e}"));
    let all: Members<'_> = serde_json::from_str(json).map_err(wrong)?;
    let names: Vec<&String> = all.0.iter().map(|(name, _)| name).collect();
    let places = places(&names, shape)?;
    let mut cells: Vec<Vec<&RawValue>> = Vec::new();
    for (field, json) in &all.0 {
        let list: Result<Vec<&RawValue>, _> = serde_json::from_str(json.get());
        cells.push(list.map_err(|e| Problem::unprocessable(format!("`{name}`: `{field}` is no list: {e}")))?);
    }
    let rows = cells.first().map_or(0, Vec::len);
    if let Some(at) = cells.iter().position(|c| c.len() != rows) {
        let (first, other) = (names[0], names[at]);
        let message = format!("`{name}`: `{first}` has {rows} values and `{other}` {}", cells[at].len());
        return Err(Problem::unprocessable(message));
    }
    let mut filler = Filler::new(shape, limit);
    for row in 0..rows {
        for (at, column) in places.iter().zip(&cells) {
            let rule = &shape.fields[*at];
            filler.seen[*at] = true;
            let cell = Cell { rule, values: &mut filler.rows.good.columns[*at] };
            let read = cell.deserialize(&mut serde_json::Deserializer::from_str(column[row].get())).map_err(wrong)?;
            if let Err(why) = read {
                filler.tell(|| rule.wrong(why));
            }
        }
        if filler.finish().is_err() {
            break;
        }
    }
    ended(filler, Ok(()), name)
}

/// The members of an object in their order, doubles too.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of rows, or an object with a list for each field")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    if all.len() >= 10_000 {
                        return Err(A::Error::custom("there are more than 10000 fields"));
                    }
                    all.push(entry);
                }
                Ok(all)
            }
        }
        deserializer.deserialize_map(Visit).map(Self)
    }
}
