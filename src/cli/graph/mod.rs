//! A graph of boxes and arrows, and what it is drawn as.

mod dot;
mod layout;
mod mermaid;
mod order;
mod svg;
mod text;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

/// Boxes with arrows from left to right, without circles.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub name: String,
    pub boxes: Vec<Box>,
    pub groups: Vec<Group>,
    pub arrows: Vec<Arrow>,
}

#[derive(Debug, Clone)]
pub struct Box {
    pub shape: Shape,
    /// A word above the name: what kind of thing it is.
    pub kind: Option<String>,
    pub name: String,
    /// A line below the name.
    pub note: Option<String>,
    /// Lines below that, which arrows may end at.
    pub rows: Vec<String>,
    /// Position in `groups`.
    pub group: Option<usize>,
}

/// Boxes with a frame around them.
#[derive(Debug, Clone)]
pub struct Group {
    pub title: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Dataset,
    Step,
    Model,
    Deploy,
    /// Something about rows, not a column.
    Note,
}

/// From one box to another, or from a row to a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrow {
    pub from: End,
    pub to: End,
    /// It has a say, but its values do not go over: dashed.
    pub faint: bool,
    pub label: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    pub of: usize,
    pub row: Option<usize>,
}

impl End {
    pub fn whole(of: usize) -> Self {
        Self { of, row: None }
    }
}

impl Box {
    /// Kind, name and note.
    fn title(&self) -> impl Iterator<Item = &str> {
        self.kind.iter().map(String::as_str).chain([self.name.as_str()]).chain(self.note.as_deref())
    }
}
