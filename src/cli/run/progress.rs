use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use dbjob_plan::{Event, ItemKind};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::clean::human;
use super::super::{Output, item_title};
use super::units::{rows, seconds};

/// Shows how a run goes, on stderr: bars on a terminal, elsewhere a line for each item that is finished.
pub struct Progress<'a> {
    output: &'a Output,
    live: Option<Live>,
}

impl<'a> Progress<'a> {
    /// `lines`: no bars although stderr is a terminal.
    pub fn new(output: &'a Output, lines: bool) -> Self {
        let live = (output.live() && !lines).then(|| Live::new(output.colour_on_stderr()));
        Self { output, live }
    }

    pub fn show(&self, event: &Event) {
        if let Some(live) = &self.live {
            live.show(event);
        } else if let Some(line) = line(event) {
            self.output.note(&format!("{line}\n"));
        }
    }
}

/// What is worth a line that stays.
fn line(event: &Event) -> Option<String> {
    match event {
        Event::ItemFinished { item, kind, rows: n, seconds: s } => {
            let size = n.map(|n| format!("{}, ", rows(n))).unwrap_or_default();
            Some(format!("{}: {size}{}", item_title(*kind, item), seconds(*s)))
        }
        Event::ItemReused { item, kind, rows: n, path } => {
            let size = n.map(|n| format!("{}, ", rows(n))).unwrap_or_default();
            let what = if path.is_some() { "up to date" } else { "reused" };
            Some(format!("{}: {size}{what}", item_title(*kind, item)))
        }
        Event::Waiting { process } => {
            let who = process.map(|id| format!(" (process {id})")).unwrap_or_default();
            Some(format!("waiting for another run{who} that is using the state directory"))
        }
        Event::Expected { item, rule, failed, action, .. } if *failed > 0 => {
            Some(format!("{item}: {} against `expect {rule}`: {action}", rows(*failed)))
        }
        Event::Retried { item, attempt, of, message, wait } => {
            Some(format!("{item}: {message}; attempt {attempt} of {of} in {}", seconds(*wait)))
        }
        Event::Warning { item, message } if item.is_empty() => Some(format!("warning: {message}")),
        Event::Warning { item, message } => Some(format!("warning: {item}: {message}")),
        _ => None,
    }
}

/// One bar for each item at work.
struct Live {
    all: MultiProgress,
    bars: Mutex<BTreeMap<String, ProgressBar>>,
    spinning: ProgressStyle,
    counting: ProgressStyle,
    rows: ProgressStyle,
}

impl Live {
    fn new(colour: bool) -> Self {
        let style = |text: &str| {
            let text = if colour { text.to_owned() } else { text.replace(".cyan", "").replace(".dim", "") };
            ProgressStyle::with_template(&text).expect("the template is valid")
        };
        Self {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            bars: Mutex::new(BTreeMap::new()),
            spinning: style("{spinner:.cyan} {prefix} {msg} {elapsed:.dim}"),
            rows: style(
                "{spinner:.cyan} {prefix} {bar:24.cyan} {human_pos}/{human_len} rows {per_sec} ETA {eta} {msg}{elapsed:.dim}",
            ),
            counting: style("{spinner:.cyan} {prefix} {bar:24.cyan} {pos}/{len} ETA {eta} {msg} {elapsed:.dim}"),
        }
    }

    fn show(&self, event: &Event) {
        let mut bars = self.bars.lock().expect("drawing does not panic");
        match event {
            Event::ItemStarted { item, kind } => {
                let bar = self.all.add(ProgressBar::new_spinner().with_style(self.spinning.clone()));
                bar.set_prefix(item_title(*kind, item));
                bar.enable_steady_tick(Duration::from_millis(100));
                bars.insert(item_title(*kind, item), bar);
            }
            Event::Progress { item, done, total, loss } => {
                if let Some(bar) = bars.get(&item_title(ItemKind::Model, item)) {
                    if bar.length() != Some(*total) {
                        bar.set_length(*total);
                        bar.set_style(self.counting.clone());
                    }
                    bar.set_position(*done);
                    if let Some(loss) = loss {
                        bar.set_message(format!("loss {loss:.4}"));
                    }
                }
            }
            Event::Working { item, rows: n, of, memory } => {
                let bar = bars.iter().find(|(title, _)| title.split_once(' ').is_some_and(|(_, name)| name == *item));
                let Some((_, bar)) = bar else { return };
                let memory = memory.map(|bytes| format!("{} ", human(bytes))).unwrap_or_default();
                match (n, of) {
                    (Some(n), Some(of)) if n <= of => {
                        bar.set_length(*of);
                        bar.set_style(self.rows.clone());
                        bar.set_position(*n);
                        bar.set_message(memory);
                    }
                    (Some(n), _) => bar.set_message(format!("{} {memory}", rows(*n))),
                    (None, _) if bar.length().is_none() => bar.set_message(memory),
                    (None, _) => {}
                }
            }
            Event::ItemFinished { item, kind, .. } => {
                if let Some(bar) = bars.remove(&item_title(*kind, item)) {
                    bar.finish_and_clear();
                }
            }
            Event::RunFinished { .. } => {
                for (_, bar) in std::mem::take(&mut *bars) {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
        if let Some(line) = line(event) {
            // A terminal that does not take it has gone away.
            let _ = self.all.println(line);
        }
    }
}
