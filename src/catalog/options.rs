use dbjob_plan::Value;

/// An option or setting: `name = value`.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    pub name: &'static str,
    pub ty: OptionType,
    pub default: Default,
    pub doc: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptionType {
    /// Bounds are included.
    Int {
        min: i64,
        max: i64,
    },
    /// Bounds are included, unless `above`: then `min` is not.
    Float {
        min: f64,
        max: f64,
        above: bool,
    },
    /// An int or a float, kept as it is.
    Number,
    Numbers,
    /// A list of ints, bounds included.
    Ints {
        min: i64,
        max: i64,
    },
    Bool,
    /// One of these bare words.
    Word(&'static [&'static str]),
    Text,
    /// One ASCII character.
    Char,
    Texts,
    /// Several texts, each an argument: last of its map only.
    ManyTexts,
    /// A column of the table.
    Column,
    /// Inputs of the model that are numbers.
    Inputs,
    Duration,
    /// Bytes.
    Size,
    /// One of these bare words, or a number above 0.
    WordOrAbove(&'static [&'static str]),
    /// A bare word, or a literal of the column's type.
    WordOrLiteral(&'static [&'static str]),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Default {
    /// Must be given.
    Required,
    /// May be left out, and is `null` then.
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    Word(&'static str),
    Text(&'static str),
    NoTexts,
    NoInputs,
    Ints(&'static [i64]),
}

impl Default {
    /// The value that stands when nothing is written; `None` when something must be.
    pub fn value(self) -> Option<Value> {
        Some(match self {
            Self::Required => return None,
            Self::Null => Value::Null,
            Self::Int(i) => Value::Int(i),
            Self::Float(x) => Value::Float(x),
            Self::Bool(b) => Value::Bool(b),
            Self::Word(w) => Value::Word(w.into()),
            Self::Text(t) => Value::String(t.into()),
            Self::NoTexts | Self::NoInputs => Value::List(Vec::new()),
            Self::Ints(all) => Value::List(all.iter().map(|i| Value::Int(*i)).collect()),
        })
    }
}

impl std::fmt::Display for OptionType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int { min: i64::MIN, max: i64::MAX } => f.write_str("an int"),
            Self::Int { min, max: i64::MAX } => write!(f, "an int of at least {min}"),
            Self::Int { min, max } if *max >= i64::from(u32::MAX) => write!(f, "an int of at least {min}"),
            Self::Int { min, max } => write!(f, "an int from {min} to {max}"),
            Self::Float { min, max, above } => {
                if *min == f64::NEG_INFINITY {
                    return f.write_str("a number");
                }
                write!(f, "a number {} {min}", if *above { "above" } else { "of at least" })?;
                if max.is_finite() { write!(f, " and at most {max}") } else { Ok(()) }
            }
            Self::Number => f.write_str("a number"),
            Self::Numbers => f.write_str("a list of numbers"),
            Self::Ints { min, max } => write!(f, "a list of ints from {min} to {max}"),
            Self::Bool => f.write_str("true or false"),
            Self::Word(words) => write!(f, "one of {}", words.join(", ")),
            Self::Text => f.write_str("a text in quotes"),
            Self::Char => f.write_str("one ASCII character in quotes"),
            Self::Texts => f.write_str("a list of texts"),
            Self::ManyTexts => f.write_str("texts in quotes"),
            Self::Column => f.write_str("a column"),
            Self::Inputs => f.write_str("a list of inputs"),
            Self::Duration => f.write_str("a duration like 20min"),
            Self::Size => f.write_str("a size like 4GiB"),
            Self::WordOrAbove(words) => write!(f, "one of {}, or a number above 0", words.join(", ")),
            Self::WordOrLiteral(words) => write!(f, "one of {}, or a value of the column's type", words.join(", ")),
        }
    }
}
