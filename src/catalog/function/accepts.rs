use dbjob_plan::DataType;

/// What a parameter takes. An int is converted where a float is wanted, and so is a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    Any,
    /// What `==` takes: no lists and vectors.
    Comparable,
    /// Int, float or decimal, kept as it is.
    Number,
    Float,
    Int,
    Bool,
    Text,
    Date,
    /// Date or datetime.
    Temporal,
    /// Datetime, or a date as its midnight.
    Datetime,
    Duration,
    /// Whatever `<` takes.
    Ordered,
    /// Bool, number or duration.
    Summable,
    /// A number as a float, or a bool as 0 or 1.
    Rate,
    /// A list or vector.
    List,
    /// A list of strings.
    Texts,
    /// A list or vector of numbers.
    Numbers,
    /// A list of what `<` takes, or a vector.
    OrderedList,
    /// A string, list or vector.
    Sized,
    /// What the items of the first argument are; of a string a part of it, a string.
    Item,
    /// What the first argument is.
    First,
    /// A literal text; of these, if any are named.
    LiteralText(&'static [&'static str]),
    /// A literal text that is a regular expression.
    Regex,
    /// A literal text in strftime's style by which dates are written.
    TimeFormat,
    /// A literal text in strftime's style by which dates are read: it tells the day.
    DayFormat,
    /// A literal text that names a time zone: `"Europe/Paris"`.
    Zone,
    LiteralInt,
    /// A literal int from 1 to 38, the digits of a decimal.
    Digits,
    /// A literal int from 0 to 38, the digits after the point.
    Scale,
    /// A literal whole number from 1.
    LiteralCount,
    /// A literal int from 1 to a million.
    Width,
    /// A literal number from 0 to 1.
    LiteralShare,
    /// What a cast to this type takes.
    CastFrom(&'static [Kind]),
}

/// Types without their arguments, for tables of casts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Float,
    Decimal,
    Bool,
    Text,
    Date,
    Datetime,
}

impl Kind {
    pub fn of(dtype: &DataType) -> Option<Kind> {
        Some(match dtype {
            DataType::Int => Self::Int,
            DataType::Float => Self::Float,
            DataType::Decimal { .. } => Self::Decimal,
            DataType::Bool => Self::Bool,
            DataType::String | DataType::Category { .. } => Self::Text,
            DataType::Date => Self::Date,
            DataType::Datetime => Self::Datetime,
            _ => return None,
        })
    }
}

impl Accepts {
    /// A type that it takes, for what is taken by its type alone.
    pub fn kind(self) -> Option<DataType> {
        Some(match self {
            Self::Number | Self::Float | Self::Summable | Self::Rate => DataType::Float,
            Self::Int => DataType::Int,
            Self::Bool => DataType::Bool,
            Self::Text => DataType::String,
            Self::Date | Self::Temporal | Self::Datetime => DataType::Datetime,
            Self::Duration => DataType::Duration,
            _ => return None,
        })
    }

    pub fn words(self) -> String {
        match self {
            Self::Any => "any value".into(),
            Self::Comparable => "a value that can be compared".into(),
            Self::Number | Self::Float => "a number".into(),
            Self::Int => "an int".into(),
            Self::Bool => "a bool".into(),
            Self::Text => "a string".into(),
            Self::Date => "a date".into(),
            Self::Temporal | Self::Datetime => "a date or datetime".into(),
            Self::Duration => "a duration".into(),
            Self::Ordered => "a value that can be ordered".into(),
            Self::Summable | Self::Rate => "a number or bool".into(),
            Self::List => "a list".into(),
            Self::Texts => "a list of strings".into(),
            Self::Numbers => "a list of numbers".into(),
            Self::OrderedList => "a list of values that can be ordered".into(),
            Self::Sized => "a string or list".into(),
            Self::Item => "what is in the first one".into(),
            Self::First => "what the first one is".into(),
            Self::LiteralText([]) => "a text in quotes".into(),
            Self::LiteralText(words) => {
                format!("one of {}", words.iter().map(|w| format!("{w:?}")).collect::<Vec<_>>().join(", "))
            }
            Self::Regex => "a regular expression in quotes".into(),
            Self::TimeFormat | Self::DayFormat => "a format such as \"%Y-%m-%d\" in quotes".into(),
            Self::Zone => "a time zone such as \"Europe/Paris\" in quotes".into(),
            Self::LiteralInt => "a written-out whole number".into(),
            Self::Digits => "a written-out whole number from 1 to 38".into(),
            Self::Scale => "a written-out whole number from 0 to 38".into(),
            Self::LiteralCount => "a written-out whole number from 1".into(),
            Self::Width => "a written-out whole number from 1 to 1000000".into(),
            Self::LiteralShare => "a written-out number from 0 to 1".into(),
            Self::CastFrom(kinds) => {
                let names: Vec<_> =
                    kinds.iter().map(|k| format!("{k:?}").to_lowercase().replace("text", "string")).collect();
                format!("one of {}", names.join(", "))
            }
        }
    }
}
