use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use terminal_size::{Width, terminal_size_of};

use crate::diagnostic::{Problem, render_terminal};
use crate::source::SourceMap;

/// Width of pictures where there is no terminal.
const PLAIN_WIDTH: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

/// Where a command writes: results to stdout, everything else to stderr. Neither ever panics.
pub struct Output {
    quiet: bool,
    colour: Colour,
    /// Stdout does not take more: its reader has gone away (`| head`), or writing failed.
    closed: AtomicBool,
    broken: AtomicBool,
}

impl Output {
    pub fn new(colour: Colour, quiet: bool) -> Self {
        Self { quiet, colour, closed: AtomicBool::new(false), broken: AtomicBool::new(false) }
    }

    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Writes a part of the result, at once.
    pub fn result(&self, text: &str) {
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            self.closed.store(true, Ordering::Relaxed);
            if error.kind() != ErrorKind::BrokenPipe {
                self.broken.store(true, Ordering::Relaxed);
                self.error(&format!("error: cannot write to stdout: {error}\n"));
            }
        }
    }

    /// Whether a result could not be written although somebody wants it.
    pub fn broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Writes to stderr, also with `--quiet`. If stderr is gone there is nobody to tell.
    pub fn error(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Writes to stderr unless `--quiet`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// Writes pictures of the problems to stderr.
    pub fn problems(&self, problems: &[Problem], sources: &SourceMap) {
        self.error(&render_terminal(problems, sources, self.colour_on_stderr(), self.width()));
    }

    pub fn problem(&self, problem: Problem) {
        self.problems(&[problem], &SourceMap::default());
    }

    #[cfg(feature = "local")]
    pub fn live(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    pub fn colour_on_stderr(&self) -> bool {
        self.coloured(io::stderr().is_terminal())
    }

    #[cfg(feature = "local")]
    pub fn colour_on_stdout(&self) -> bool {
        self.coloured(io::stdout().is_terminal())
    }

    fn coloured(&self, terminal: bool) -> bool {
        match self.colour {
            Colour::Always => true,
            Colour::Never => false,
            // https://no-color.org: set and not empty.
            Colour::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        }
    }

    pub fn width(&self) -> usize {
        terminal_size_of(io::stderr()).map_or(PLAIN_WIDTH, |(Width(columns), _)| usize::from(columns))
    }
}
