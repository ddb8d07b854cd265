//! What a run knows of earlier ones: the identities of its nodes, the results that are there, and what it adds.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dbjob_plan::{
    Backend, Cancel, Checkpoints, Delivery, Event, FetchContext, Identity, ItemKind, Key, NodeId, Op, Origin, Plan,
    Results, RunError, Source,
};
use rusqlite::Error as Sql;

use crate::identity::{Contents, Digest, Identities};
use crate::state::{self, History, ItemRecord, RuleRecord, Store};

/// The files that a source was read from, and how they looked.
type Looks = HashMap<NodeId, Vec<(PathBuf, state::Look)>>;

/// What is known of a plan and its data. Made anew for each run and each look ahead.
pub struct Keeper {
    pub(crate) plan: Arc<Plan>,
    backend: Arc<dyn Backend>,
    base: PathBuf,
    cancel: Cancel,
    pub identities: Identities,
    looks: Looks,
    state: PathBuf,
    store: Store,
    history: Option<Arc<History>>,
    /// The run that adds; `None`: a look ahead, which writes nothing.
    run: Option<i64>,
    /// Nothing of earlier runs is used.
    fresh: bool,
    /// The results that this run has kept or read, by item.
    kept: Mutex<HashMap<String, Key>>,
    delivered: Mutex<HashMap<String, PathBuf>>,
    /// Those that the history knows as used by this run.
    used: Mutex<HashSet<Key>>,
    emit: Box<dyn Fn(Event) + Send + Sync>,
}

/// How to look at a job.
pub(crate) struct Look<'a> {
    pub plan: Arc<Plan>,
    pub backend: Arc<dyn Backend>,
    pub base: &'a Path,
    pub state: &'a Path,
    pub goal: &'a [String],
    pub cancel: &'a Cancel,
    pub history: Option<Arc<History>>,
    pub run: Option<i64>,
    pub fresh: bool,
    pub emit: Box<dyn Fn(Event) + Send + Sync>,
}

impl Keeper {
    /// Looks at the sources of what is to run: reads the files that changed, and what only reading tells about.
    ///
    /// Errors: E0701, E0702, those of a fetch; E0718 when cancelled.
    pub(crate) fn look(look: Look<'_>) -> Result<Self, RunError> {
        let mut keeper = Self {
            plan: look.plan,
            backend: look.backend,
            base: look.base.to_owned(),
            cancel: look.cancel.clone(),
            identities: Identities::default(),
            looks: Looks::new(),
            state: look.state.to_owned(),
            store: Store::new(look.state.join("results")),
            history: look.history,
            run: look.run,
            fresh: look.fresh,
            kept: Mutex::default(),
            delivered: Mutex::default(),
            used: Mutex::default(),
            emit: look.emit,
        };
        let plan = Arc::clone(&keeper.plan);
        let mut contents = Contents::new();
        for id in upstream(&plan, look.goal) {
            let node = plan.node(id);
            let content = match &node.op {
                Op::Read(source) => keeper.source(id, source).map_err(|e| e.or_span(node.span))?,
                Op::Extern(process) => Some(keeper.named_files(id, &process.command)?),
                _ => continue,
            };
            contents.insert(id, content);
        }
        keeper.identities = Identities::of(&plan, &contents, &keeper.backend.version());
        Ok(keeper)
    }

    pub(crate) fn engine(&self) -> String {
        self.backend.version()
    }

    /// How the files of a dataset look: what they are, and their bytes.
    pub fn files(&self, id: NodeId) -> Vec<(PathBuf, u64)> {
        self.looks.get(&id).into_iter().flatten().map(|(path, look)| (path.clone(), look.size)).collect()
    }

    /// What the rows of a source are made from; `None` where only a fetch tells and nothing may be fetched.
    fn source(&mut self, id: NodeId, source: &Source) -> Result<Option<Key>, RunError> {
        match self.backend.origin(source, &self.base)? {
            Origin::Job => Ok(Some(Digest::new("job").end())),
            Origin::Files(files) | Origin::Packed(files) => self.content_of(id, &files).map(Some),
            Origin::Remote { version: Some(version) } => Ok(Some(remote(source, &version))),
            Origin::Remote { version: None } if self.run.is_none() => Ok(None),
            Origin::Remote { version: None } => self.fetch_to_know(id, source).map(Some),
        }
    }

    /// The content of files in their order; of a partitioned table also the parts of the paths that hold values.
    fn content_of(&mut self, id: NodeId, files: &[PathBuf]) -> Result<Key, RunError> {
        let mut digest = Digest::new("contents");
        for path in files {
            let unreadable = |e: io::Error| RunError::new("E0701", format!("cannot read {}: {e}", path.display()));
            let (content, look) = self.content(path).map_err(unreadable)?;
            let content = content.ok_or_else(|| RunError::new("E0718", "the run was stopped"))?;
            for part in path.components().filter_map(|c| c.as_os_str().to_str()).filter(|c| c.contains('=')) {
                digest = digest.text(part);
            }
            digest = digest.key(&content);
            self.looks.entry(id).or_default().push((path.clone(), look));
        }
        Ok(digest.end())
    }

    /// By its size and times where these are known, else by its bytes.
    fn content(&self, path: &Path) -> io::Result<(Option<Key>, state::Look)> {
        let full = std::path::absolute(path)?;
        let name = full.to_string_lossy();
        let look = state::Look::of(path)?;
        if let Some(known) = self.history.as_ref().and_then(|h| h.content(&name, &look)) {
            return Ok((Some(known), look));
        }
        loop {
            let before = state::Look::of(path)?;
            let Some(content) = state::content(path, &|| self.cancel.is_cancelled())? else {
                return Ok((None, before));
            };
            let after = state::Look::of(path)?;
            if before != after {
                continue;
            }
            if let Some(history) = &self.history {
                // A look ahead may not write; then it reads again next time.
                let _ = history.learn(&name, &after, &content, after.is_settled());
            }
            return Ok((Some(content), after));
        }
    }

    /// The files that a command names, as far as they are there: the script of an `extern`.
    fn named_files(&mut self, id: NodeId, command: &str) -> Result<Key, RunError> {
        let words = command.split_whitespace().map(|w| w.trim_matches(['"', '\'']));
        let files: Vec<PathBuf> = words.map(|w| self.base.join(w)).filter(|p| p.is_file()).collect();
        self.content_of(id, &files)
    }

    /// Fetches what only then is known; it is kept as the content that it turns out to be.
    fn fetch_to_know(&self, id: NodeId, source: &Source) -> Result<Key, RunError> {
        let staged = self.staged()?;
        let found = self.fetch(id, source, staged.path())?;
        let files = inside(staged.path());
        let mut digest = Digest::new("fetched").json(&found.format);
        for file in &files {
            let content = state::content_below(file);
            digest = digest.key(&content.ok_or_else(|| RunError::new("E0799", "what was fetched is gone"))?);
        }
        let content = digest.end();
        let key = self.fetched_key(id, source, &content);
        self.adopt(&key, &self.plan.node(id).item, &found, &files)?;
        Ok(content)
    }

    /// Under which key the fetched files of a source are: its content, and what is read of it.
    fn fetched_key(&self, id: NodeId, source: &Source, content: &Key) -> Key {
        let schema = &self.plan.node(id).schema;
        Digest::new("fetch").key(content).json(&(&source.format, &source.columns, schema)).end()
    }

    fn fetch(&self, id: NodeId, source: &Source, folder: &Path) -> Result<Source, RunError> {
        let node = self.plan.node(id);
        let cx = FetchContext { base: &self.base, folder, cancel: &self.cancel };
        self.backend.fetch(source, &node.schema, &cx).map_err(|e| e.or_span(node.span))
    }

    /// What was fetched of a source that changed since the run began must not be kept as what it was then.
    ///
    /// Errors: E0743, E0750.
    fn is_as_it_was(&self, id: NodeId, source: &Source, content: &Key) -> Result<(), RunError> {
        match self.backend.origin(source, &self.base)? {
            Origin::Remote { version: Some(version) } if remote(source, &version) != *content => {
                Err(RunError::new("E0743", format!("{} changed while it was read", source.place()))
                    .help("run it again when nobody writes to it")
                    .or_span(self.plan.node(id).span))
            }
            _ => self.unchanged(id),
        }
    }

    fn staged(&self) -> Result<tempfile::TempDir, RunError> {
        let folder = self.store.folder();
        fs::create_dir_all(folder)
            .and_then(|()| tempfile::Builder::new().prefix(&dbjob_plan::temp_prefix()).tempdir_in(folder))
            .map_err(|e| self.unusable(&e))
    }

    fn unusable(&self, e: &io::Error) -> RunError {
        state::unusable(self.store.folder(), &e.to_string())
    }

    /// Keeps fetched files, with a note how they are read.
    fn adopt(&self, key: &Key, item: &str, source: &Source, files: &[PathBuf]) -> Result<PathBuf, RunError> {
        let from = files.first().and_then(|f| f.parent()).map(|p| p.display().to_string()).unwrap_or_default();
        let mut write = |to: &Path| {
            for file in files {
                let name = file.file_name().expect("it was listed");
                fs::rename(file, to.join(name)).map_err(|e| self.unusable(&e))?;
            }
            let relative = source.path.strip_prefix(&from).unwrap_or(&source.path).trim_start_matches('/').to_owned();
            let note = serde_json::to_vec(&Source { path: relative, ..source.clone() }).expect("sources are JSON");
            fs::write(to.join(SOURCE), note).map_err(|e| self.unusable(&e))
        };
        let place = self.store.keep(key, item, &mut write).map_err(|e| self.unusable(&e))??;
        self.used(key, item);
        Ok(place)
    }

    /// Notes once that this run has kept or read a result.
    fn used(&self, key: &Key, item: &str) {
        if !lock(&self.used).insert(*key) {
            return;
        }
        if let (Some(history), Some(run)) = (&self.history, self.run) {
            let bytes = self.store.bytes(key);
            self.noted(history.used(key, item, bytes, run));
        }
    }

    /// A history that cannot be written is no reason to stop a run that goes well.
    pub(crate) fn noted(&self, result: Result<(), Sql>) {
        if let Err(e) = result {
            self.warn("", format!("the history of runs cannot be written: {e}"));
        }
    }

    fn warn(&self, item: &str, message: String) {
        (self.emit)(Event::Warning { item: item.to_owned(), message });
    }

    /// Writes down what an event tells.
    pub(crate) fn note(&self, event: &Event) {
        let (Some(history), Some(run)) = (&self.history, self.run) else { return };
        match event {
            Event::ItemFinished { item, kind, rows, seconds } => {
                let (kind, seconds) = (kind.word().into(), Some(*seconds));
                let (item, hash) = (item.clone(), self.hash(item));
                self.noted(history.item(run, &ItemRecord { item, kind, reused: false, rows: *rows, seconds, hash }));
            }
            Event::ItemReused { item, kind, rows, .. } => {
                let (item, kind) = (item.clone(), kind.word().into());
                let record = ItemRecord { item, kind, reused: true, rows: *rows, seconds: None, hash: None };
                self.noted(history.item(run, &record));
            }
            Event::Expected { item, rule, failed, action, path } => {
                let (item, rule, action) = (item.clone(), rule.clone(), action.clone());
                self.noted(history.rule(run, &RuleRecord { item, rule, action, failed: *failed, path: path.clone() }));
            }
            Event::Evaluated { item, metrics, .. } => {
                for (metric, value) in metrics {
                    self.noted(history.metric(run, item, metric, *value));
                }
            }
            _ => {}
        }
    }

    /// The content of what an item gave: of what is kept of it, or of what was written.
    fn hash(&self, item: &str) -> Option<String> {
        if let Some(key) = lock(&self.kept).get(item) {
            return self.store.hash(key).map(|hash| hash.to_string());
        }
        let path = lock(&self.delivered).get(item).cloned()?;
        state::content_below(&path).map(|hash| hash.to_string())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is elsewhere, as it is there now.
fn remote(source: &Source, version: &str) -> Key {
    Digest::new("remote").text(&source.place()).text(version).end()
}

/// What is in a folder, in order of name.
fn inside(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    found.sort();
    found
}

/// The note beside fetched files.
const SOURCE: &str = "source.json";

impl Results for Keeper {
    fn identity(&self, id: NodeId) -> Option<&Identity> {
        self.identities.nodes.get(&id)
    }

    fn map(&self, link: u32) -> Option<Key> {
        self.identities.maps.get(&link).copied()
    }

    fn fetched(&self, id: NodeId) -> Result<Option<Source>, RunError> {
        let Op::Read(source) = &self.plan.node(id).op else { return Ok(None) };
        let origin = self.backend.origin(source, &self.base)?;
        let content = match origin {
            Origin::Job | Origin::Files(_) => return Ok(None),
            Origin::Packed(_) | Origin::Remote { .. } => self.identities.contents.get(&id).copied().flatten(),
        };
        let Some(content) = content else {
            return Err(RunError::new("E0799", "what a source holds was not found out"));
        };
        let key = self.fetched_key(id, source, &content);
        let item = &self.plan.node(id).item;
        let place = match self.whole(&key, item) {
            Some(place) => place,
            None => {
                let staged = self.staged()?;
                let found = self.fetch(id, source, staged.path())?;
                self.is_as_it_was(id, source, &content)?;
                let files = inside(staged.path());
                self.adopt(&key, item, &found, &files)?
            }
        };
        let note = fs::read(place.join(SOURCE)).map_err(|e| self.unusable(&e))?;
        let note: Source = serde_json::from_slice(&note)
            .map_err(|e| RunError::new("E0799", format!("{}: {e}", place.join(SOURCE).display())))?;
        let path = place.join(&note.path).display().to_string();
        // Where columns are declared is not stored with them.
        let columns = note.columns.into_iter().map(|column| {
            let span = source.columns.iter().find(|c| c.name == column.name).map(|c| c.span).unwrap_or_default();
            dbjob_plan::SourceColumn { span, ..column }
        });
        Ok(Some(Source { path, columns: columns.collect(), ..note }))
    }

    fn combine(&self, kind: &str, parts: &[Key]) -> Key {
        Digest::new(kind).keys(parts).end()
    }

    fn find(&self, key: &Key) -> Option<PathBuf> {
        if self.fresh { None } else { self.whole(key, "") }
    }

    fn keep(
        &self,
        key: &Key,
        item: &str,
        write: &mut dyn FnMut(&Path) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        if self.run.is_none() {
            return Ok(());
        }
        match self.store.keep(key, item, write) {
            Ok(Ok(_)) => {
                self.used(key, item);
                if !item.is_empty() {
                    lock(&self.kept).insert(item.to_owned(), *key);
                    // An item that streams into a later one is finished before its rows are there.
                    if let (Some(history), Some(run), Some(hash)) = (&self.history, self.run, self.hash(item)) {
                        self.noted(history.found(run, item, &hash));
                    }
                }
                Ok(())
            }
            Ok(Err(error)) if error.code == "E0713" => {
                self.warn(item, format!("the result is not kept: {}", error.message));
                Ok(())
            }
            Ok(Err(error)) => Err(error),
            Err(e) => {
                self.warn(item, format!("the result is not kept: {}: {e}", self.store.folder().display()));
                Ok(())
            }
        }
    }

    fn scratch(&self) -> Option<PathBuf> {
        let folder = self.store.folder();
        self.run.and_then(|_| fs::create_dir_all(folder).ok()).map(|()| folder.to_owned())
    }

    fn delivery(&self, key: &Key) -> Option<Delivery> {
        if self.fresh { None } else { self.history.as_ref()?.delivery(key) }
    }

    fn deliver(&self, key: &Key, place: &str, delivery: Delivery) {
        if let Some(path) = delivery.path.as_ref().filter(|_| delivery.model.is_none()) {
            lock(&self.delivered).insert(delivery.item.clone(), path.clone());
        }
        if let (Some(history), Some(_)) = (&self.history, self.run) {
            self.noted(history.deliver(key, place, &delivery));
        }
    }

    fn unchanged(&self, id: NodeId) -> Result<(), RunError> {
        for above in above(&self.plan, [id]) {
            for (path, look) in self.looks.get(&above).into_iter().flatten() {
                if state::Look::of(path).ok() != Some(*look) {
                    let node = self.plan.node(above);
                    let message = format!("{} was changed while the run read it", path.display());
                    return Err(RunError::new("E0750", message)
                        .help("run again; nothing was written from it")
                        .or_span(node.span));
                }
            }
        }
        Ok(())
    }
}

impl Checkpoints for Keeper {
    fn load(&self, node: NodeId) -> Option<Vec<u8>> {
        if self.fresh { None } else { state::checkpoint::load(&self.state, &self.fit(node)?) }
    }

    fn save(&self, node: NodeId, saved: &[u8]) {
        let Some(key) = self.fit(node) else { return };
        if let Err(e) = state::checkpoint::save(&self.state, &key, saved) {
            self.warn(&self.plan.node(node).item, format!("the checkpoint is not kept: {e}"));
        }
    }

    fn clear(&self, node: NodeId) {
        if let Some(key) = self.fit(node) {
            state::checkpoint::clear(&self.state, &key);
        }
    }

    fn trials(&self, node: NodeId) -> Option<Vec<u8>> {
        if self.fresh { None } else { state::checkpoint::load(&self.state, &self.tried(node)?) }
    }

    fn keep_trials(&self, node: NodeId, trials: &[u8]) {
        let Some(key) = self.tried(node) else { return };
        if let Err(e) = state::checkpoint::save(&self.state, &key, trials) {
            self.warn(&self.plan.node(node).item, format!("the trials are not kept: {e}"));
        }
    }
}

impl Keeper {
    /// The key of the very model that a fit is to give.
    fn fit(&self, node: NodeId) -> Option<Key> {
        match self.identities.nodes.get(&node)? {
            Identity::Model { whole, .. } => Some(*whole),
            _ => None,
        }
    }

    /// The key of the trials before a fit.
    fn tried(&self, node: NodeId) -> Option<Key> {
        match self.identities.nodes.get(&node)? {
            Identity::Model { tried, .. } => Some(*tried),
            _ => None,
        }
    }

    /// The folder of a result if it is whole; what is damaged goes.
    fn whole(&self, key: &Key, item: &str) -> Option<PathBuf> {
        match self.store.find(key) {
            state::Found::Whole(place) => {
                self.used(key, item);
                Some(place)
            }
            state::Found::Nothing => None,
            state::Found::Damaged(why) => {
                if self.run.is_some() {
                    self.warn(item, format!("a kept result is damaged and is computed again: {why}"));
                    if let Err(e) = self.store.remove(key) {
                        self.warn(item, format!("it cannot be removed: {e}"));
                    }
                }
                None
            }
        }
    }
}

/// The nodes of what is to run, and all that they are made of.
fn upstream(plan: &Plan, goal: &[String]) -> BTreeSet<NodeId> {
    let wanted = |node: &dbjob_plan::Node| {
        if goal.is_empty() {
            plan.item(&node.item).is_some_and(|i| i.kind != ItemKind::Dataset)
        } else {
            goal.contains(&node.item)
        }
    };
    above(plan, plan.graph.node_indices().filter(|id| wanted(plan.node(*id))))
}

/// Nodes and all that they are made of; of a model also the tables that it takes along.
fn above(plan: &Plan, nodes: impl IntoIterator<Item = NodeId>) -> BTreeSet<NodeId> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<NodeId> = nodes.into_iter().collect();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(plan.inputs(id));
            if let Op::Fit(spec) = &plan.node(id).op {
                open.extend(spec.serving.lookups.iter().map(|(_, lookup)| *lookup));
            }
        }
    }
    seen
}
