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
            Self::LiteralInt => "a whole number as written".into(),
            Self::Digits => "a whole number from 1 to 38 as written".into(),
            Self::Scale => "a whole number from 0 to 38 as written".into(),
            Self::LiteralCount => "a whole number from 1 as written".into(),
            Self::Width => "a whole number from 1 to 1000000 as written".into(),
            Self::LiteralShare => "a number from 0 to 1 as written".into(),
            Self::CastFrom(kinds) => {
                let names: Vec<_> =
                    kinds.iter().map(|k| format!("{k:?}").to_lowercase().replace("text", "string")).collect();
                format!("one of {}", names.join(", "))
            }
        }
    }
}
