//! A look ahead: what a run would do, and why.

use std::path::PathBuf;
use std::sync::Arc;

use dbjob_plan::contract::ContractChange;
use dbjob_plan::{Backend, Cancel, Fate, Hold, ItemKind, Plan, RunContext, RunError};
use serde::{Deserialize, Serialize};

use crate::keeper::{Keeper, Look};
use crate::run::supported;
use crate::session::Note;
use crate::state::{History, ItemRecord, RunRecord};
use crate::story::{Cause, Story, title};

/// What to look at.
#[derive(Debug, Clone)]
pub struct AheadOptions {
    pub base: PathBuf,
    pub state: PathBuf,
    /// Items to compute; empty: all.
    pub goal: Vec<String>,
    pub threads: usize,
    pub fresh: bool,
    pub note: Note,
}

/// What a run would do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ahead {
    pub job: String,
    /// In the order of the plan.
    pub items: Vec<AheadItem>,
    /// The last run of the same file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<RunRecord>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AheadItem {
    pub item: String,
    pub kind: ItemKind,
    pub fate: Fate,
    /// Why it is computed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<Cause>,
    /// There is no cause in the job or its data: how it is that nothing is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// Of a model: its inputs whose values are others, and whether the rows are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_columns: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changed_rows: bool,
    /// From the last time that it was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contract: Vec<ContractChange>,
}

/// Why a result that should be there is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// It has never been computed to its end.
    NeverFinished,
    /// What was written is not as it was written, or not there.
    OutputChanged,
    /// It is not kept: it streams, was cleaned away or is damaged.
    NotKept,
    /// Something that needs it is computed.
    Needed,
    /// Everything is computed anew, as asked.
    Fresh,
}

/// Looks at a job without running it. Nothing is written but what files hold, to know them again.
///
/// Errors: E0901, E0701, E0702; those of the backend.
pub fn look_ahead(backend: Arc<dyn Backend>, plan: Arc<Plan>, options: &AheadOptions) -> Result<Ahead, RunError> {
    supported(&*backend, &plan)?;
    let history = History::look(&options.state).map(Arc::new);
    let cancel = Cancel::default();
    let keeper = Keeper::look(Look {
        plan: Arc::clone(&plan),
        backend: Arc::clone(&backend),
        base: &options.base,
        state: &options.state,
        goal: &options.goal,
        cancel: &cancel,
        history: history.clone(),
        run: None,
        fresh: options.fresh,
        emit: Box::new(|_| {}),
    })?;
    let observer = |_| {};
    let cx = RunContext {
        cancel,
        goal: options.goal.clone(),
        threads: options.threads.max(1),
        results: Some(&keeper),
        ..RunContext::new(options.base.clone(), &observer)
    };
    let outlook = backend.outlook(&plan, &cx)?;
    let story = Story::of(&keeper, &options.note);
    let file = &options.note.file;
    let past = Past { history: history.as_deref(), file, story: &story };
    let items = outlook.into_iter().map(|found| {
        let mut item = AheadItem {
            item: found.item,
            kind: found.kind,
            fate: found.fate,
            why: Vec::new(),
            lost: None,
            changed_columns: Vec::new(),
            changed_rows: false,
            rows: None,
            seconds: None,
            holds: found.holds,
            contract: found.contract,
        };
        past.tell(&mut item, options.fresh);
        item
    });
    let items = items.collect();
    let last = history.as_deref().and_then(|h| h.runs(Some(file), 1).ok()).and_then(|runs| runs.into_iter().next());
    Ok(Ahead { job: plan.job.clone(), items, last })
}

/// Earlier runs of a file.
struct Past<'a> {
    history: Option<&'a History>,
    file: &'a str,
    story: &'a Story,
}

impl Past<'_> {
    fn tell(&self, item: &mut AheadItem, fresh: bool) {
        let last: Option<ItemRecord> = self.history.and_then(|h| h.last(self.file, &item.item).ok().flatten());
        if let Some(last) = last {
            (item.rows, item.seconds) = (last.rows, last.seconds);
        }
        if !item.fate.runs() {
            return;
        }
        if fresh {
            item.lost = Some(Lost::Fresh);
            return;
        }
        let title = title(item.kind, &item.item);
        let Some(before) = self.before(&item.item) else {
            item.why = vec![Cause::New { item: title }];
            if self.history.is_some_and(|h| h.runs(Some(self.file), 1).is_ok_and(|runs| !runs.is_empty())) {
                (item.why, item.lost) = (Vec::new(), Some(Lost::NeverFinished));
            }
            return;
        };
        item.why = self.story.causes(&before, &title);
        if item.kind == ItemKind::Model {
            (item.changed_columns, item.changed_rows) = self.story.changed_columns(&before, &title);
        }
        if item.why.is_empty() {
            item.lost = Some(match item.kind {
                ItemKind::Deploy => Lost::OutputChanged,
                ItemKind::Model => Lost::NotKept,
                ItemKind::Dataset | ItemKind::Transform => Lost::Needed,
            });
        }
    }

    /// What the run was made of in which an item was last computed or found to be there.
    fn before(&self, item: &str) -> Option<Story> {
        let history = self.history?;
        let run = history.last_seen(self.file, item).ok().flatten()?;
        Story::of_run(history, run)
    }
}
