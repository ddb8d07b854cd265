//! `dbjob check --fix`: the fixes of the problems of a file, as far as they make it no worse.

use dbjob_plan::{FileId, Span};

use crate::cli::front::{Front, ParamArgs, Purpose, compile_source};
use crate::diagnostic::{Code, Problem};
use crate::source::{SourceFile, SourceMap};

/// Rounds after which fixing ends: a fix may show a problem that has a fix itself.
const MOST_ROUNDS: usize = 20;

/// A file's text with fixes made.
pub struct Mended {
    pub file: SourceFile,
    /// Each fix with the place it had in the text when it was made.
    pub made: Vec<Made>,
}

pub struct Made {
    pub line: usize,
    pub column: usize,
    pub code: Code,
    pub title: String,
}

/// Makes the fixes of a file. Afterwards nothing is wrong that was not wrong before, or hidden by what could not be read.
pub fn mend(file: SourceFile, params: &ParamArgs) -> Mended {
    let before = State::of(file, params);
    // All at once, over and over; where that ends with a new problem, one at a time.
    let (mut state, mut made) = (before.clone(), Vec::new());
    for _ in 0..MOST_ROUNDS {
        let chosen = state.apart();
        if chosen.is_empty() {
            break;
        }
        made.extend(chosen.iter().map(|at| state.told(*at)));
        state = state.after(&chosen, params);
    }
    if state.is_no_worse_than(&before) {
        return Mended { file: state.file, made };
    }
    (state, made) = (before, Vec::new());
    let mut from = 0;
    while let Some(at) = (from..state.problems.len()).find(|at| state.fixes[*at].is_some()) {
        let next = state.after(&[at], params);
        if next.is_no_worse_than(&state) && next.is_better_than(&state) {
            made.push(state.told(at));
            state = next;
        } else {
            from = at + 1;
        }
    }
    Mended { file: state.file, made }
}

/// A text, what is wrong in it, and the changes that would mend each problem.
#[derive(Clone)]
struct State {
    file: SourceFile,
    problems: Vec<Problem>,
    fixes: Vec<Option<Vec<(Span, String)>>>,
}

impl State {
    fn of(file: SourceFile, params: &ParamArgs) -> Self {
        let mut sources = SourceMap::default();
        let Front { problems, .. } = compile_source(file, params, Purpose::Look, &mut sources);
        // Files that it uses are mended when they are named.
        let own = |changes: &Vec<(Span, String)>| changes.iter().all(|(span, _)| span.file == FileId(0));
        let fixes = problems.iter().map(|p| p.fix.as_ref()?.changes(&sources).filter(own)).collect();
        Self { file: sources.get(FileId(0)).clone(), problems, fixes }
    }

    /// Problems whose fixes do not touch each other, in the order of the text.
    fn apart(&self) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        let mut taken: Vec<Span> = Vec::new();
        for (at, changes) in self.fixes.iter().enumerate() {
            let Some(changes) = changes else { continue };
            let touches = |span: &Span| taken.iter().any(|t| span.start <= t.end && t.start <= span.end);
            if !changes.iter().any(|(span, _)| touches(span)) {
                taken.extend(changes.iter().map(|(span, _)| *span));
                chosen.push(at);
            }
        }
        chosen
    }

    fn after(&self, chosen: &[usize], params: &ParamArgs) -> Self {
        let mut changes: Vec<&(Span, String)> = chosen.iter().flat_map(|at| self.fixes[*at].iter().flatten()).collect();
        changes.sort_by_key(|(span, _)| span.start);
        let mut text = self.file.text.clone();
        for (span, new) in changes.into_iter().rev() {
            text.replace_range(span.start as usize..span.end as usize, new);
        }
        Self::of(self.file.with_text(text), params)
    }

    fn told(&self, at: usize) -> Made {
        let problem = &self.problems[at];
        let (line, column) = problem.span.map_or((1, 1), |span| self.file.position(span.start));
        let title = problem.fix.as_ref().map_or_else(String::new, |fix| fix.title.clone());
        Made { line, column, code: problem.code, title }
    }

    /// How many problems are of the text itself. Such a one hides all others of its statement.
    fn unreadable(&self) -> usize {
        self.problems.iter().filter(|p| p.code.is_of_syntax()).count()
    }

    /// Whether it is a step on: fewer problems, or fewer that hide others.
    fn is_better_than(&self, before: &State) -> bool {
        self.unreadable() < before.unreadable()
            || (self.unreadable() == before.unreadable() && self.problems.len() < before.problems.len())
    }

    /// Whether each problem was there before, by its code and message; a problem that is there twice counts twice. What a
    /// statement shows that could not be read before is not counted.
    fn is_no_worse_than(&self, before: &State) -> bool {
        let mut known: Vec<(Code, &str)> = before.problems.iter().map(|p| (p.code, p.message.as_str())).collect();
        let shows_more = self.unreadable() < before.unreadable();
        self.problems.iter().filter(|p| !shows_more || p.code.is_of_syntax()).all(|p| {
            let at = known.iter().position(|k| *k == (p.code, p.message.as_str()));
            at.map(|at| known.swap_remove(at)).is_some()
        })
    }
}
