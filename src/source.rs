use std::path::{Path, PathBuf};

use dbjob_plan::{FileId, Span};

/// One file's path and text with an index of its lines.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// As the user gave it, for messages.
    pub path: PathBuf,
    /// Without a byte order mark; line ends as they are.
    pub text: String,
    line_starts: Vec<u32>,
    byte_order_mark: bool,
}

impl SourceFile {
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let text: String = text.into();
        let byte_order_mark = text.starts_with('\u{feff}');
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at as u32 + 1)).collect();
        Self { path: path.into(), text, line_starts, byte_order_mark }
    }

    /// The same file with another text.
    pub fn with_text(&self, text: String) -> Self {
        Self { byte_order_mark: self.byte_order_mark, ..Self::new(&self.path, text) }
    }

    /// The text as it stands in the file, with the byte order mark that it had.
    pub fn written(&self) -> String {
        if self.byte_order_mark { format!("\u{feff}{}", self.text) } else { self.text.clone() }
    }

    /// 1-based line and 1-based column in characters (Unicode scalar values) of a byte offset.
    pub fn position(&self, offset: u32) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1] as usize;
        let end = (offset as usize).min(self.text.len());
        (line, self.text[start..end].chars().count() + 1)
    }

    /// The text of a 1-based line without its line end.
    pub fn line(&self, line: usize) -> &str {
        let start = self.line_starts[line - 1] as usize;
        let end = self.line_starts.get(line).map_or(self.text.len(), |next| *next as usize);
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }
}

/// The files of a job by their id.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    pub fn add(&mut self, file: SourceFile) -> FileId {
        self.files.push(file);
        FileId(self.files.len() as u32 - 1)
    }

    /// Panics on an id of another map.
    pub fn get(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    pub fn path(&self, id: FileId) -> &Path {
        &self.get(id).path
    }

    /// `job.dbjob:2:10`: where a span begins.
    pub fn place(&self, span: Span) -> String {
        let file = self.get(span.file);
        let (line, column) = file.position(span.start);
        format!("{}:{line}:{column}", file.path.display())
    }

    pub fn slice(&self, span: Span) -> &str {
        &self.get(span.file).text[span.start as usize..span.end as usize]
    }
}
