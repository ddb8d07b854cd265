use std::fmt;

use dbjob_plan::{DataType, Decimal, Value, parse};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::duration;
use crate::Values;
use crate::shape::{Rule, expected, shown};

/// Reads one value of a field behind its column. What is wrong with it is the result; then nothing is added. Errors of
/// serde are left for texts that are no JSON.
pub struct Cell<'a> {
    pub rule: &'a Rule,
    pub values: &'a mut Values,
}

pub type Read = Result<(), String>;

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = Read;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read, D::Error> {
        if let DataType::Decimal { precision, scale } = self.rule.field.dtype {
            // Digits of a number are lost in a float.
            let raw = <&RawValue as serde::Deserialize>::deserialize(deserializer)?;
            return Ok(self.decimal(raw.get(), precision, scale));
        }
        deserializer.deserialize_any(self)
    }
}

impl Cell<'_> {
    fn push(&mut self, value: Value) -> Read {
        self.rule.value(&value)?;
        match (&mut *self.values, value) {
            (Values::Date(v), Value::Date(d)) => v.push(Some(d)),
            (Values::Datetime(v), Value::Datetime(us)) | (Values::Duration(v), Value::Duration(us)) => v.push(Some(us)),
            (Values::Decimal(v), Value::Decimal(d)) => v.push(Some(d.unscaled)),
            (Values::List(v), Value::List(items)) => v.push(Some(items)),
            (values, value) => unreachable!("{value:?} was read for {values:?}"),
        }
        Ok(())
    }

    fn null(self) -> Read {
        self.rule.null()?;
        self.values.push_null();
        Ok(())
    }

    /// A JSON string or number.
    fn decimal(mut self, json: &str, precision: u8, scale: u8) -> Read {
        let text = match json.as_bytes() {
            b"null" => return self.null(),
            [b'"', ..] => serde_json::from_str::<String>(json).unwrap_or_default(),
            [b'-' | b'0'..=b'9', ..] => json.to_owned(),
            _ => return Err(format!("is not {}", self.rule.expected())),
        };
        let number = text.parse::<Decimal>().map_err(|_| self.no(&text))?;
        let number = number.with_scale(scale).filter(|d| d.fits(precision)).ok_or_else(|| self.no(&text))?;
        self.push(Value::Decimal(number))
    }

    fn no(&self, text: &str) -> String {
        format!("is {}, not {}", shown(text), self.rule.expected())
    }

    fn not(&self, what: &str) -> String {
        format!("is {what}, not {}", self.rule.expected())
    }

    fn text(mut self, text: &str) -> Read {
        match &mut *self.values {
            Values::Text(values) => {
                self.rule.text(text)?;
                values.push(Some(text.to_owned()));
                Ok(())
            }
            Values::Date(_) => match parse::date(text).filter(|_| text.len() == 10) {
                Some(date) => self.push(Value::Date(date)),
                None => Err(self.no(text)),
            },
            Values::Datetime(_) => match parse::datetime(text).filter(|_| text.trim().len() == text.len()) {
                Some(moment) => self.push(Value::Datetime(moment)),
                None => Err(self.no(text)),
            },
            Values::Duration(_) => match duration::read(text) {
                Some(us) => self.push(Value::Duration(us)),
                None => Err(self.no(text)),
            },
            _ => Err(self.not(&format!("the string {}", shown(text)))),
        }
    }

    fn int(self, x: i64) -> Read {
        match self.values {
            Values::Int(values) => {
                self.rule.int(x)?;
                values.push(Some(x));
                Ok(())
            }
            Values::Float(values) => {
                self.rule.float(x as f64)?;
                values.push(Some(x as f64));
                Ok(())
            }
            _ => Err(self.not("a number")),
        }
    }

    fn float(self, x: f64) -> Read {
        match self.values {
            Values::Float(values) => {
                self.rule.float(x)?;
                values.push(Some(x));
                Ok(())
            }
            // 3.0 is an integer to JSON Schema; beyond 2^53 nobody knows which one was meant.
            Values::Int(_) if x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0 => self.int(x as i64),
            Values::Int(_) => Err(format!("is {x}, not {}", self.rule.expected())),
            _ => Err(self.not("a number")),
        }
    }
}

impl<'de> Visitor<'de> for Cell<'_> {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Read, E> {
        Ok(self.null())
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<Read, E> {
        Ok(match self.values {
            Values::Bool(values) => self.rule.value(&Value::Bool(b)).map(|()| values.push(Some(b))),
            _ => Err(self.not(if b { "true" } else { "false" })),
        })
    }

    fn visit_i64<E: Error>(self, x: i64) -> Result<Read, E> {
        Ok(self.int(x))
    }

    fn visit_u64<E: Error>(self, x: u64) -> Result<Read, E> {
        Ok(match i64::try_from(x) {
            Ok(x) => self.int(x),
            Err(_) if matches!(self.values, Values::Float(_)) => self.float(x as f64),
            Err(_) => Err(self.not(&x.to_string())),
        })
    }

    fn visit_f64<E: Error>(self, x: f64) -> Result<Read, E> {
        Ok(self.float(x))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Read, E> {
        Ok(self.text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Read, A::Error> {
        let (item, nullable, width) = match &self.rule.field.dtype {
            DataType::List { item } => ((**item).clone(), true, None),
            DataType::Vector { width } => (DataType::Float, false, *width),
            _ => {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(Err(self.not("a list")));
            }
        };
        let (mut items, mut wrong) = (Vec::new(), None);
        while let Some(read) = seq.next_element_seed(Item { dtype: &item, nullable })? {
            match read {
                Ok(value) => items.push(value),
                Err(why) => {
                    wrong.get_or_insert(format!("has in place {} {why}", items.len() + 1));
                }
            }
        }
        Ok(match (wrong, width) {
            (Some(why), _) => Err(why),
            (None, Some(width)) if width != items.len() => {
                Err(format!("has {} numbers, not the {width} of {}", items.len(), self.rule.expected()))
            }
            _ => self.push(Value::List(items)),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err(self.not("an object")))
    }
}

/// An item of a list.
struct Item<'a> {
    dtype: &'a DataType,
    nullable: bool,
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = Result<Value, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let raw = <&RawValue as serde::Deserialize>::deserialize(deserializer)?;
        let json = raw.get();
        if json == "null" && self.nullable {
            return Ok(Ok(Value::Null));
        }
        let text = || serde_json::from_str::<String>(json).ok();
        let number = || serde_json::from_str::<f64>(json).ok();
        let value = match self.dtype {
            DataType::Int => serde_json::from_str::<i64>(json).ok().map(Value::Int),
            DataType::Float => number().map(Value::Float),
            DataType::Bool => serde_json::from_str::<bool>(json).ok().map(Value::Bool),
            DataType::String | DataType::Category { levels: None } => text().map(Value::String),
            DataType::Category { levels: Some(levels) } => text().filter(|t| levels.contains(t)).map(Value::String),
            DataType::Date => text().and_then(|t| parse::date(&t)).map(Value::Date),
            DataType::Datetime => text().and_then(|t| parse::datetime(&t)).map(Value::Datetime),
            DataType::Duration => text().and_then(|t| duration::read(&t)).map(Value::Duration),
            DataType::Decimal { precision, scale } => {
                let digits = text().unwrap_or_else(|| json.to_owned());
                parse::decimal(&digits, *precision, *scale).map(Value::Decimal)
            }
            DataType::List { item } => {
                let items: Option<Vec<&RawValue>> = serde_json::from_str(json).ok();
                let read = |raw: &RawValue| {
                    let mut text = serde_json::Deserializer::from_str(raw.get());
                    Item { dtype: item, nullable: true }.deserialize(&mut text).ok()?.ok()
                };
                items.and_then(|all| all.into_iter().map(read).collect::<Option<Vec<_>>>()).map(Value::List)
            }
            DataType::Vector { .. } => serde_json::from_str::<Vec<f64>>(json)
                .ok()
                .map(|v| Value::List(v.into_iter().map(Value::Float).collect())),
            DataType::Unknown => None,
        };
        Ok(value.ok_or_else(|| format!("{}, not {}", shown(json), expected(self.dtype))))
    }
}
