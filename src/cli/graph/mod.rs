//! A graph of boxes and arrows, and what it is drawn as.

mod dot;
mod mermaid;

pub use dot::dot;
pub use mermaid::mermaid;

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
    /// Lines; the first is the name.
    pub title: Vec<String>,
    /// Lines below the title that arrows may end at.
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
