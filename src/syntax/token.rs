use dbjob_plan::{FileId, Span};

/// A piece of the text. Tokens do not overlap, are in order, and leave out only spaces, tabs and lone carriage returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub start: u32,
    pub end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    LineEnd,
    /// `# …` to the end of the line.
    Comment,
    /// `## …` to the end of the line.
    DocComment,
    String,
    /// From a quote that is not closed on its line.
    OpenString,
    /// `'…'` or `“…”`.
    WrongString,
    /// With its backticks.
    Backtick,
    Date,
    /// With its unit or `%`.
    Number,
    Word,
    Open,
    Close,
    Comma,
    Semicolon,
    Symbol,
    /// Nothing of the language; also the full-width twin of a symbol.
    Wrong,
}

impl Token {
    pub fn text(self, source: &str) -> &str {
        &source[self.start as usize..self.end as usize]
    }

    pub fn span(self, file: FileId) -> Span {
        Span { file, start: self.start, end: self.end }
    }

    pub fn is_comment(self) -> bool {
        matches!(self.kind, TokenKind::Comment | TokenKind::DocComment)
    }

    /// Neither a comment nor a line end.
    pub fn is_significant(self) -> bool {
        !self.is_comment() && self.kind != TokenKind::LineEnd
    }
}

pub use crate::name::RESERVED;

pub const ITEM_KEYWORDS: [&str; 12] =
    ["job", "use", "param", "profile", "cluster", "dataset", "transform", "model", "deploy", "module", "fn", "test"];

/// The ASCII symbol that a full-width or typographic character stands for.
pub fn ascii_twin(text: &str) -> Option<&'static str> {
    Some(match text {
        "，" | "、" => ",",
        "：" => ":",
        "；" => ";",
        "（" => "(",
        "）" => ")",
        "［" | "【" => "[",
        "］" | "】" => "]",
        "｛" => "{",
        "｝" => "}",
        "＝" => "=",
        "＜" => "<",
        "＞" => ">",
        "＋" => "+",
        "－" | "–" | "—" | "−" => "-",
        "＊" | "×" => "*",
        "／" | "÷" => "/",
        "％" => "%",
        "？" => "?",
        "≤" => "<=",
        "≥" => ">=",
        "≠" => "!=",
        "…" => "..",
        "\u{a0}" | "\u{3000}" | "\u{2002}" | "\u{2003}" | "\u{2009}" | "\u{202f}" | "\u{feff}" | "\u{200b}"
        | "\u{b}" | "\u{c}" | "\u{85}" | "\u{2028}" | "\u{2029}" => " ",
        _ => return None,
    })
}
