//! What a row of a request has to be, made ready for many rows.

use std::collections::{HashMap, HashSet};

use dbjob_plan::contract::{Bounds, needs};
use dbjob_plan::{DataType, Field, Manifest, Refinement, Value, near};

use crate::problem::Wrong;

/// The fields of a model's requests.
#[derive(Debug)]
pub struct Shape {
    pub fields: Vec<Rule>,
    by_name: HashMap<String, usize>,
}

/// A field, and what its values are held to.
#[derive(Debug)]
pub struct Rule {
    pub field: Field,
    /// The inputs of the model that need it.
    inputs: Vec<String>,
    /// The texts that it may be, where it may not be any.
    levels: Option<HashSet<String>>,
    bounds: Bounds,
}

impl Shape {
    pub fn of(manifest: &Manifest, fields: &[Field]) -> Self {
        let mut needs = needs(&manifest.serving, &manifest.inputs);
        let rule = |field: &Field| Rule {
            inputs: needs.remove(&field.name).unwrap_or_default(),
            levels: levels(field),
            bounds: field.refinement.as_ref().map(Bounds::of_refinement).unwrap_or_default(),
            field: field.clone(),
        };
        let fields: Vec<Rule> = fields.iter().map(rule).collect();
        let by_name = fields.iter().enumerate().map(|(at, r)| (r.field.name.clone(), at)).collect();
        Self { fields, by_name }
    }

    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// The place of a field; `guess` is looked at first: fields mostly come in their order.
    pub fn place(&self, name: &str, guess: usize) -> Option<usize> {
        if self.fields.get(guess).is_some_and(|r| r.field.name == name) {
            return Some(guess);
        }
        self.by_name.get(name).copied()
    }

    /// That there is no such field; `name` is short.
    pub fn unknown(&self, name: &str) -> Wrong {
        let near = near(name, self.fields.iter().map(|r| r.field.name.as_str()));
        let reason = match near.first() {
            Some(near) => format!("is no field of this model; did you mean `{near}`?"),
            None => "is no field of this model".to_owned(),
        };
        Wrong::new(Some(name), reason)
    }
}

impl Rule {
    /// What is wrong with its value, or with there being none.
    pub fn wrong(&self, reason: impl Into<String>) -> Wrong {
        Wrong { inputs: self.inputs.clone(), ..Wrong::new(Some(&self.field.name), reason) }
    }

    pub fn missing(&self) -> Wrong {
        self.wrong(if self.field.nullable { "is missing; send null where there is no value" } else { "is missing" })
    }

    pub fn null(&self) -> Result<(), String> {
        if self.field.nullable { Ok(()) } else { Err("is null and may not be".to_owned()) }
    }

    pub fn text(&self, text: &str) -> Result<(), String> {
        let Some(levels) = &self.levels else { return Ok(()) };
        if levels.contains(text) {
            return Ok(());
        }
        // Neither a long text nor many levels may cost much.
        let few = text.len() <= 200 && levels.len() <= 1000;
        let near = if few { near(text, levels.iter().map(String::as_str)) } else { Vec::new() };
        Err(match near.first() {
            Some(near) => format!("has the unknown level {}; did you mean {near:?}?", shown(text)),
            None => format!("has the unknown level {}; it is one of {}", shown(text), list(levels)),
        })
    }

    pub fn int(&self, x: i64) -> Result<(), String> {
        match &self.field.refinement {
            None => Ok(()),
            // Ints beyond 2^53 are no floats: bounds are compared as what they are.
            Some(Refinement::Range { low, high, inclusive }) => {
                let end = |v: &Option<Value>| v.as_ref().and_then(Value::as_i64);
                let above = end(low).is_none_or(|low| x >= low);
                let below = end(high).is_none_or(|high| if *inclusive { x <= high } else { x < high });
                if above && below { Ok(()) } else { Err(self.outside(&x.to_string())) }
            }
            Some(Refinement::OneOf(values)) => self.one_of(values, &Value::Int(x)),
        }
    }

    pub fn float(&self, x: f64) -> Result<(), String> {
        if let Some(Refinement::OneOf(values)) = &self.field.refinement {
            return self.one_of(values, &Value::Float(x));
        }
        let Bounds { low, high, .. } = self.bounds;
        let above = low.is_none_or(|(low, belongs)| x > low || belongs && x == low);
        let below = high.is_none_or(|(high, belongs)| x < high || belongs && x == high);
        if above && below { Ok(()) } else { Err(self.outside(&x.to_string())) }
    }

    /// A value of another type.
    pub fn value(&self, value: &Value) -> Result<(), String> {
        match &self.field.refinement {
            None => Ok(()),
            Some(Refinement::OneOf(values)) => self.one_of(values, value),
            Some(Refinement::Range { low, high, inclusive }) => {
                let above = low.as_ref().is_none_or(|low| compare(value, low).is_ge());
                let below = high.as_ref().is_none_or(|high| {
                    let order = compare(value, high);
                    if *inclusive { order.is_le() } else { order.is_lt() }
                });
                if above && below { Ok(()) } else { Err(self.outside(&value.to_string())) }
            }
        }
    }

    fn one_of(&self, values: &[Value], value: &Value) -> Result<(), String> {
        let equal = |v: &Value| match (v, value) {
            (Value::Int(a), Value::Float(b)) => *a as f64 == *b,
            (a, b) => a == b,
        };
        if values.iter().any(equal) {
            return Ok(());
        }
        Err(format!("is {value}, not one of {}", Value::List(values.to_vec())))
    }

    fn outside(&self, value: &str) -> String {
        match &self.field.refinement {
            Some(range) => format!("is {value}, which is not in {range}"),
            None => format!("is {value}, which is out of range"),
        }
    }

    /// How a value of its type is sent.
    pub fn expected(&self) -> String {
        expected(&self.field.dtype)
    }
}

pub fn expected(dtype: &DataType) -> String {
    match dtype {
        DataType::Int => "an integer of 64 bits".into(),
        DataType::Float => "a number".into(),
        DataType::Bool => "true or false".into(),
        DataType::Decimal { precision, scale } => {
            format!("a decimal number of at most {precision} digits, {scale} of them after the point, as a string")
        }
        DataType::String | DataType::Category { .. } | DataType::Unknown => "a string".into(),
        DataType::Date => "a date as a string, \"2024-01-31\"".into(),
        DataType::Datetime => "a date and time as a string, \"2024-01-31T09:30:00Z\"".into(),
        DataType::Duration => "a duration as a string, \"PT1H30M\"".into(),
        DataType::List { item } => format!("a list, each item {} or null", expected(item)),
        DataType::Vector { width: Some(n) } => format!("a list of {n} numbers"),
        DataType::Vector { width: None } => "a list of numbers".into(),
    }
}

fn levels(field: &Field) -> Option<HashSet<String>> {
    let texts = |values: &[Value]| values.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
    match (&field.refinement, &field.dtype) {
        (Some(Refinement::OneOf(values)), DataType::String | DataType::Category { .. }) => Some(texts(values)),
        (_, DataType::Category { levels: Some(levels) }) => Some(levels.iter().cloned().collect()),
        _ => None,
    }
}

/// Values of one type; of others they are equal, which the compiler does not let happen.
fn compare(a: &Value, b: &Value) -> std::cmp::Ordering {
    use std::cmp::Ordering::Equal;
    match (a, b) {
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Datetime(a), Value::Datetime(b)) | (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => a.partial_cmp(b).unwrap_or(Equal),
        (Value::Decimal(a), b) => b.as_f64().and_then(|b| a.to_float().partial_cmp(&b)).unwrap_or(Equal),
        _ => Equal,
    }
}

/// A text of a caller in a message: not all of a long one.
pub fn shown(text: &str) -> String {
    let mut chars = text.chars();
    let head: String = chars.by_ref().take(60).collect();
    if chars.next().is_some() { format!("{head:?}…") } else { format!("{head:?}") }
}

fn list(levels: &HashSet<String>) -> String {
    let mut all: Vec<String> = levels.iter().map(|l| format!("{l:?}")).collect();
    all.sort();
    if all.len() > 20 {
        let more = all.len() - 20;
        all.truncate(20);
        return format!("{} and {more} more", all.join(", "));
    }
    all.join(", ")
}
