//! What sources take besides the path or URL that stands first.

use super::options::{Default, OptionSpec, OptionType};

pub const CSV: &[OptionSpec] = &[
    OptionSpec { name: "delimiter", ty: OptionType::Char, default: Default::Text(","), doc: "What separates cells" },
    OptionSpec {
        name: "quote",
        ty: OptionType::Char,
        default: Default::Text("\""),
        doc: "What quotes cells; \"\" for nothing",
    },
    OptionSpec {
        name: "header",
        ty: OptionType::Bool,
        default: Default::Bool(true),
        doc: "Whether the first line names the columns",
    },
    OptionSpec {
        name: "nulls",
        ty: OptionType::Texts,
        default: Default::NoTexts,
        doc: "Texts that mean null besides the empty one",
    },
    OptionSpec {
        name: "encoding",
        ty: OptionType::Word(&["utf8", "latin1"]),
        default: Default::Word("utf8"),
        doc: "\"utf-8\" or \"latin-1\"",
    },
    OptionSpec {
        name: "skip",
        ty: OptionType::Int { min: 0, max: i64::MAX },
        default: Default::Int(0),
        doc: "Lines before the header",
    },
    OptionSpec {
        name: "comment",
        ty: OptionType::Text,
        default: Default::Null,
        doc: "Lines that begin so are no rows",
    },
    OptionSpec {
        name: "decimal_comma",
        ty: OptionType::Bool,
        default: Default::Bool(false),
        doc: "Whether 1,5 is a float",
    },
];

const DATABASE: &[OptionSpec] = &[
    OptionSpec { name: "table", ty: OptionType::Text, default: Default::Null, doc: "The table that is read whole" },
    OptionSpec { name: "query", ty: OptionType::Text, default: Default::Null, doc: "The query whose result is read" },
];

/// The options of the source of that name.
pub fn options(source: &str) -> &'static [OptionSpec] {
    match source {
        "csv" => CSV,
        "sqlite" | "postgres" | "mysql" => DATABASE,
        _ => &[],
    }
}
