//! What a run was made of, as the history keeps it, and what has changed from one run to another: the reason why something
//! is computed again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dbjob_plan::{FitSpec, Identity, ItemKind, Key, NodeId, Op, Plan};
use serde::{Deserialize, Serialize};

use crate::identity::Digest;
use crate::keeper::Keeper;
use crate::session::Note;
use crate::state::History;

/// A step as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepText {
    pub file: String,
    /// From 1.
    pub line: u32,
    pub text: String,
}

/// How the job is written: its steps by node, and the values of its params.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    pub steps: HashMap<NodeId, StepText>,
    pub params: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Story {
    pub engine: String,
    pub seed: i64,
    pub params: BTreeMap<String, String>,
    /// By the item's kind and name: `model comes_back`.
    pub items: BTreeMap<String, ItemStory>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemStory {
    /// What the result is made of; `None` where only a run tells.
    pub key: Option<Key>,
    /// Of a table: the rows, without columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Key>,
    /// Of a table all columns that a user sees, of a model its inputs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Key>,
    pub steps: Vec<StepStory>,
    /// What a model is fitted with, by the name of the option.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// The items that it reads.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reads: BTreeSet<String>,
    /// Of a dataset: the content of its files, and their sizes by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Key>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepStory {
    /// Of the step by itself, names of columns included.
    pub own: Key,
    #[serde(flatten)]
    pub text: StepText,
}

/// Why a result is another one than before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum Cause {
    /// There was no such item.
    New {
        item: String,
    },
    /// Another version of dbjob or of its engine.
    Engine {
        was: String,
        now: String,
    },
    Seed {
        was: i64,
        now: i64,
    },
    Param {
        name: String,
        was: Option<String>,
        now: Option<String>,
    },
    /// Files were added, taken away or changed.
    Data {
        dataset: String,
        added: Vec<String>,
        removed: Vec<String>,
        changed: Vec<String>,
    },
    /// Where only reading tells: a database.
    Unknown {
        dataset: String,
    },
    /// A step is another one, is new (`was` is none) or is gone (`now` is none).
    Step {
        item: String,
        was: Option<StepText>,
        now: Option<StepText>,
    },
    /// An option of a model.
    Option {
        item: String,
        name: String,
        was: Option<String>,
        now: Option<String>,
        at: Option<StepText>,
    },
    /// The step reads as before, but a function that it calls does not.
    Meaning {
        item: String,
        at: StepText,
    },
}

impl Story {
    pub(crate) fn of(keeper: &Keeper, note: &Note) -> Self {
        let plan = &*keeper.plan;
        let mut items = BTreeMap::new();
        for item in &plan.items {
            let nodes: Vec<NodeId> =
                plan.topological().into_iter().filter(|id| of_item(plan, *id, &item.name, item.kind)).collect();
            let mut story = ItemStory::default();
            for id in &nodes {
                let node = plan.node(*id);
                match &node.op {
                    Op::Read(_) => {
                        story.content = keeper.identities.contents.get(id).copied().flatten();
                        let files = keeper.files(*id).into_iter();
                        story.files = files.map(|(path, bytes)| (path.display().to_string(), bytes)).collect();
                    }
                    Op::Fit(spec) => story.options = options(spec),
                    _ => {}
                }
                let text = note.texts.steps.get(id).cloned();
                let text = text.unwrap_or_else(|| StepText { file: String::new(), line: 0, text: String::new() });
                story.steps.push(StepStory { own: own(&node.op), text });
                let inputs = plan.inputs(*id).into_iter().map(|i| title_of(plan, i));
                story.reads.extend(inputs.filter(|title| *title != title_of(plan, *id)));
            }
            match keeper.identities.nodes.get(&item.output) {
                Some(Identity::Table(table)) => {
                    story.rows = Some(table.rows);
                    let schema = &plan.node(item.output).schema;
                    let visible = schema.visible().filter_map(|f| Some((f.name.clone(), *table.columns.get(&f.name)?)));
                    story.columns = visible.collect();
                    let all = story.columns.values().fold(Digest::new("table").key(&table.rows), |d, k| d.key(k));
                    story.key = Some(all.end());
                }
                Some(Identity::Model { key, .. }) => {
                    story.key = Some(*key);
                    if let Op::Fit(spec) = &plan.node(item.output).op
                        && let Some(table) = plan.inputs(item.output).first().and_then(|i| keeper.identities.table(*i))
                    {
                        story.rows = Some(table.rows);
                        let inputs = spec.inputs.iter().map(|i| &i.column);
                        story.columns = inputs.filter_map(|c| Some((c.clone(), *table.columns.get(c)?))).collect();
                    }
                }
                Some(Identity::Output(key)) => story.key = Some(*key),
                None => {}
            }
            items.insert(title(item.kind, &item.name), story);
        }
        Self { engine: keeper.engine(), seed: plan.seed, params: note.texts.params.clone(), items }
    }

    /// What a run was made of, as the history keeps it.
    pub fn of_run(history: &History, run: i64) -> Option<Self> {
        serde_json::from_str(&history.story(run).ok().flatten()?).ok()
    }

    /// Why an item's result is another one than in an earlier story; nothing if it is the same.
    pub fn causes(&self, before: &Self, item: &str) -> Vec<Cause> {
        let mut causes = Vec::new();
        if self.engine != before.engine {
            causes.push(Cause::Engine { was: before.engine.clone(), now: self.engine.clone() });
        }
        self.collect(before, item, &mut BTreeSet::new(), &mut causes);
        causes
    }

    fn collect(&self, before: &Self, item: &str, seen: &mut BTreeSet<String>, causes: &mut Vec<Cause>) {
        if !seen.insert(item.to_owned()) {
            return;
        }
        let Some(now) = self.items.get(item) else { return };
        let Some(was) = before.items.get(item) else {
            causes.push(Cause::New { item: item.to_owned() });
            return;
        };
        if now.key.is_some() && now.key == was.key {
            return;
        }
        if now.content != was.content || now.content.is_none() && item.starts_with("dataset ") {
            causes.push(data(item, was, now));
        }
        for name in now.options.keys().chain(was.options.keys()).collect::<BTreeSet<_>>() {
            let (was, new) = (was.options.get(name).cloned(), now.options.get(name).cloned());
            if was != new {
                let at = now.steps.last().map(|s| s.text.clone());
                causes.push(Cause::Option { item: item.to_owned(), name: name.clone(), was, now: new, at });
            }
        }
        let told = causes.iter().any(|c| matches!(c, Cause::Option { item: other, .. } if other == item));
        if !told {
            self.steps(before, item, (was, now), causes);
        }
        for read in &now.reads {
            self.collect(before, read, seen, causes);
        }
        if self.seed != before.seed && !causes.iter().any(|c| matches!(c, Cause::Seed { .. })) {
            causes.push(Cause::Seed { was: before.seed, now: self.seed });
        }
    }

    /// Steps that are others than before, put against each other in their order.
    fn steps(&self, before: &Self, item: &str, (was, now): (&ItemStory, &ItemStory), causes: &mut Vec<Cause>) {
        let mut gone: Vec<&StepStory> =
            was.steps.iter().filter(|s| !now.steps.iter().any(|n| n.own == s.own)).collect();
        for step in now.steps.iter().filter(|s| !was.steps.iter().any(|w| w.own == s.own)) {
            // One that reads the same is the same step with another meaning.
            if let Some(at) = gone.iter().position(|g| g.text.text == step.text.text) {
                gone.remove(at);
                let params: Vec<_> = self
                    .params
                    .keys()
                    .chain(before.params.keys())
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .filter(|name| self.params.get(*name) != before.params.get(*name))
                    .collect();
                if params.is_empty() {
                    causes.push(Cause::Meaning { item: item.to_owned(), at: step.text.clone() });
                }
                for name in params {
                    let (was, now) = (before.params.get(name).cloned(), self.params.get(name).cloned());
                    let cause = Cause::Param { name: name.clone(), was, now };
                    if !causes.contains(&cause) {
                        causes.push(cause);
                    }
                }
                continue;
            }
            let was = if gone.is_empty() { None } else { Some(gone.remove(0).text.clone()) };
            causes.push(Cause::Step { item: item.to_owned(), was, now: Some(step.text.clone()) });
        }
        for step in gone {
            causes.push(Cause::Step { item: item.to_owned(), was: Some(step.text.clone()), now: None });
        }
    }

    /// The inputs of a model whose values are others than in an earlier story, and whether its rows are.
    pub fn changed_columns(&self, before: &Self, item: &str) -> (Vec<String>, bool) {
        let (Some(now), Some(was)) = (self.items.get(item), before.items.get(item)) else { return (Vec::new(), false) };
        let others = now.columns.iter().filter(|(name, key)| was.columns.get(*name) != Some(key));
        (others.map(|(name, _)| name.clone()).collect(), now.rows != was.rows)
    }
}

fn data(item: &str, was: &ItemStory, now: &ItemStory) -> Cause {
    let dataset = item.strip_prefix("dataset ").unwrap_or(item).to_owned();
    if now.content.is_none() {
        return Cause::Unknown { dataset };
    }
    let only = |a: &ItemStory, b: &ItemStory| -> Vec<String> {
        a.files.keys().filter(|f| !b.files.contains_key(*f)).cloned().collect()
    };
    let (added, removed) = (only(now, was), only(was, now));
    let both = now.files.iter().filter(|(name, _)| was.files.contains_key(*name));
    let resized: Vec<String> =
        both.clone().filter(|(name, bytes)| was.files[*name] != **bytes).map(|(name, _)| name.clone()).collect();
    // Of the same size, it is one of those that are in both.
    let changed = if resized.is_empty() && added.is_empty() && removed.is_empty() {
        both.map(|(name, _)| name.clone()).collect()
    } else {
        resized
    };
    Cause::Data { dataset, added, removed, changed }
}

fn options(spec: &FitSpec) -> BTreeMap<String, String> {
    let mut options: BTreeMap<String, String> =
        spec.algorithm.options.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    let list = |names: Vec<&str>| names.join(", ");
    options.insert("algorithm".into(), spec.algorithm.name.clone());
    if let Some(output) = spec.target() {
        options.insert("output".into(), format!("{output}: {}", spec.output.dtype));
    }
    options.insert("evaluate".into(), list(spec.metrics.iter().map(String::as_str).collect()));
    options.insert("require".into(), list(spec.require.iter().map(|r| r.text.as_str()).collect()));
    options.insert("input".into(), list(spec.inputs.iter().map(|i| i.column.as_str()).collect()));
    let mut say = |name: &str, text: Option<String>| options.extend(text.map(|text| (name.to_owned(), text)));
    say("weight", spec.weight.clone());
    say(
        "threshold",
        spec.threshold.as_ref().map(|t| match t {
            dbjob_plan::Threshold::Fixed(share) => share.to_string(),
            dbjob_plan::Threshold::Best(metric) => format!("best {metric}"),
        }),
    );
    say("calibrate", spec.calibration.as_ref().map(|c| c.method.word().to_owned()));
    say("conformal", spec.conformal.map(|c| c.coverage.to_string()));
    say("intervals", spec.intervals.map(|share| share.to_string()));
    say("refit", spec.refit.then(|| "on all".to_owned()));
    say("folds", spec.folds.map(|n| n.to_string()));
    say("search", spec.search.as_ref().map(|s| Digest::new("search").json(s).end().to_string()[..8].to_owned()));
    options
}

/// A step by itself: all that it says but where.
fn own(op: &Op) -> Key {
    match op {
        // The plan of serving is that of the steps above, and options are told by themselves.
        Op::Fit(spec) => Digest::new("fit")
            .json(&(&spec.inputs, &spec.output, &spec.weight, &spec.search, &spec.threshold, &spec.metrics))
            .json(&(
                &spec.slices,
                &spec.require,
                &spec.refit,
                &spec.folds,
                &spec.intervals,
                &spec.calibration,
                &spec.conformal,
            ))
            .end(),
        // Links are numbered through a whole plan.
        Op::Map { columns } => columns
            .iter()
            .fold(Digest::new("map"), |d, c| {
                d.json(&(&c.column, &c.out, &c.link.map, &c.link.options, &c.more, &c.out_of_fold))
            })
            .end(),
        Op::Unmap { columns } => columns.iter().fold(Digest::new("unmap"), |d, c| d.text(&c.column)).end(),
        other => Digest::new("step").json(other).end(),
    }
}

fn of_item(plan: &Plan, id: NodeId, name: &str, kind: ItemKind) -> bool {
    let node = plan.node(id);
    node.item == name && (kind == ItemKind::Deploy) == matches!(node.op, Op::Deploy(_))
}

fn title_of(plan: &Plan, id: NodeId) -> String {
    let node = plan.node(id);
    let kind = plan.item(&node.item).map_or(ItemKind::Transform, |i| i.kind);
    title(kind, &node.item)
}

/// `model comes_back`, `deploy prod`.
pub fn title(kind: ItemKind, name: &str) -> String {
    let name = if kind == ItemKind::Deploy { name.strip_prefix("deploy.").unwrap_or(name) } else { name };
    format!("{} {name}", kind.word())
}
