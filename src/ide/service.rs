use std::ops::Range;
use std::path::PathBuf;

use dbjob_plan::{FileId, Span};

use super::pieces::cuts;
use crate::diagnostic::Diagnostic;
use crate::hir::{self, Checked, Given, Memory};
use crate::link::{self, Cache};
use crate::source::{SourceFile, SourceMap};
use crate::syntax::{self, Parsed, ast};
use crate::world::World;

/// A text that is edited and checked again and again. What an edit does not reach is neither read nor checked anew: the
/// text is read in parts of an item each, and an item is checked when it or one that it reads has changed.
///
/// Invariant: `check` says what a check of the whole text would say.
pub struct Service {
    sources: SourceMap,
    root: FileId,
    text: String,
    pieces: Vec<Piece>,
    cache: Cache,
    memory: Memory,
}

struct Piece {
    text: String,
    /// What follows, as far as it was read along: a message about something that is not closed says before what.
    ahead: String,
    parsed: Parsed,
}

impl Piece {
    fn read(part: &str, behind: &str, file: FileId) -> Self {
        let alone = syntax::parse(file, part);
        if alone.errors.is_empty() || behind.is_empty() {
            return Self { text: part.to_owned(), ahead: String::new(), parsed: alone };
        }
        let ahead = beginning(behind);
        let Parsed { mut ast, mut errors, .. } = syntax::parse(file, &format!("{part}{ahead}"));
        let inside = |span: &Span| (span.start as usize) < part.len();
        ast.items.retain(|item| inside(&item.span));
        ast.lost.retain(|name| inside(&name.span));
        ast.broken.retain(inside);
        ast.told.retain(inside);
        errors.retain(|error| inside(&error.span));
        let parsed = Parsed { ast, errors, ..alone };
        Self { text: part.to_owned(), ahead: ahead.to_owned(), parsed }
    }

    fn is(&self, part: &str, behind: &str) -> bool {
        self.text == part && (self.ahead.is_empty() || self.ahead == beginning(behind))
    }
}

/// The first line of an item with what stands above it.
fn beginning(part: &str) -> &str {
    let mut end = 0;
    for line in part.split_inclusive('\n') {
        end += line.len();
        let trimmed = line.trim_start();
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            break;
        }
    }
    &part[..end]
}

impl Service {
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let mut sources = SourceMap::default();
        let root = sources.add(SourceFile::new(path, ""));
        let mut service = Self {
            sources,
            root,
            text: String::new(),
            pieces: Vec::new(),
            cache: Cache::default(),
            memory: Memory::default(),
        };
        service.set(text.into());
        service
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Puts `with` in the place of a range of bytes, which must lie on character boundaries.
    pub fn edit(&mut self, range: Range<usize>, with: &str) {
        let mut text = std::mem::take(&mut self.text);
        text.replace_range(range, with);
        self.set(text);
    }

    fn set(&mut self, text: String) {
        let mut ends = cuts(&text);
        ends.push(text.len());
        let parts: Vec<&str> = ends.windows(2).map(|w| &text[w[0]..w[1]]).collect();
        let behind = |at: usize| parts.get(at + 1).copied().unwrap_or("");
        let pieces = &self.pieces;
        let head = (0..pieces.len().min(parts.len())).take_while(|at| pieces[*at].is(parts[*at], behind(*at))).count();
        let most = pieces.len().min(parts.len()) - head;
        let same = |back: &usize| {
            let at = parts.len() - back;
            pieces[pieces.len() - back].is(parts[at], behind(at))
        };
        let tail = (1..=most).take_while(same).count();
        let changed = (head..parts.len() - tail).map(|at| {
            let file = self.sources.add(SourceFile::new(self.sources.path(self.root), ""));
            Piece::read(parts[at], behind(at), file)
        });
        let changed: Vec<Piece> = changed.collect();
        self.pieces.splice(head..self.pieces.len() - tail, changed);
        self.text = text;
    }

    /// What is wrong with the text, in order of place; spans count bytes of the text, or are in used files.
    pub fn check(&mut self, world: &dyn World) -> Vec<Diagnostic> {
        let program = link::link_again(self.whole(), &mut self.sources, world, &mut self.cache);
        let stem = self.sources.path(self.root).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Checked { diagnostics, .. } = hir::check_again(&program, &stem, &Given::default(), world, &mut self.memory);
        let mut starts: Vec<(FileId, u32)> = Vec::with_capacity(self.pieces.len());
        let mut start = 0;
        for piece in &self.pieces {
            starts.push((piece.parsed.ast.span.file, start));
            start += piece.text.len() as u32;
        }
        starts.sort_unstable();
        let to = |span: Span| match starts.binary_search_by_key(&span.file, |(file, _)| *file) {
            Ok(at) => Span { file: self.root, start: span.start + starts[at].1, end: span.end + starts[at].1 },
            Err(_) => span,
        };
        let found = program.errors.into_iter().chain(diagnostics);
        crate::together(found.map(|diagnostic| diagnostic.moved(&to)).collect())
    }

    /// The parts as one tree.
    fn whole(&self) -> Parsed {
        let mut ast = ast::File {
            items: Vec::new(),
            span: Span::new(self.root, 0, self.text.len()),
            parts: Vec::with_capacity(self.pieces.len()),
            lost: Vec::new(),
            headless: false,
            broken: Vec::new(),
            told: Vec::new(),
        };
        let mut errors = Vec::new();
        for Piece { parsed, .. } in &self.pieces {
            ast.parts.push(parsed.ast.span.file);
            ast.items.extend(parsed.ast.items.iter().cloned());
            ast.lost.extend(parsed.ast.lost.iter().cloned());
            ast.headless |= parsed.ast.headless;
            ast.broken.extend(&parsed.ast.broken);
            ast.told.extend(&parsed.ast.told);
            errors.extend(parsed.errors.iter().cloned());
        }
        ast.told.sort_by_key(|span| (span.file, span.start));
        Parsed { ast, errors, tokens: Vec::new(), text: String::new(), marks: Default::default() }
    }
}
