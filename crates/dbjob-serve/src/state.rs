//! What all requests share, and the swap of versions.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::log::{Happened, Log};
use crate::metrics::Metrics;
use crate::model::Model;
use crate::openapi;
use crate::options::Options;
use crate::scorer::{Live, Shelf};

/// So many bytes of bodies are held at the same time, over all requests: memory stays bounded.
const BODIES: usize = 256 << 20;

/// The models that are served at one moment. A request keeps to those that it began with.
pub struct Models {
    pub by_name: BTreeMap<String, Arc<Model>>,
    /// The OpenAPI document of them.
    pub openapi: bytes::Bytes,
}

/// What could not be opened. It is told once, and tried again now and then: somebody may still be copying it.
struct Broken {
    version: u64,
    why: String,
    tried: Instant,
}

const AGAIN: Duration = Duration::from_secs(5);

pub struct State {
    pub options: Options,
    pub log: Log,
    pub metrics: Metrics,
    /// In units of 1 KiB.
    pub bodies: Arc<Semaphore>,
    models: RwLock<Arc<Models>>,
    shelf: Arc<dyn Shelf>,
    /// Versions that could not be opened, by model, and the registry itself under no name.
    broken: Mutex<BTreeMap<String, Broken>>,
}

impl State {
    pub fn new(shelf: Arc<dyn Shelf>, options: Options) -> Self {
        let models = Models::of(BTreeMap::new(), &options);
        Self {
            log: Log::new(options.log),
            metrics: Metrics::default(),
            bodies: Arc::new(Semaphore::new(BODIES.max(2 * options.limits.body) >> 10)),
            models: RwLock::new(Arc::new(models)),
            shelf,
            broken: Mutex::default(),
            options,
        }
    }

    pub fn models(&self) -> Arc<Models> {
        self.models.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves what is live now. What cannot be opened is told, and the version before it stays.
    ///
    /// Gives what was wrong, by model.
    pub fn look(&self) -> Vec<(String, String)> {
        let live = match self.shelf.live() {
            Ok(live) => live,
            Err(why) => {
                self.tell("registry unreadable", None, &why);
                return vec![(String::new(), why)];
            }
        };
        self.forget("");
        let now = self.models();
        let same = live.len() == now.by_name.len()
            && live.iter().all(|l| now.by_name.get(&l.model).is_some_and(|m| m.manifest().version == l.version));
        if same {
            return Vec::new();
        }
        let (mut by_name, mut failed) = (BTreeMap::new(), Vec::new());
        for one in &live {
            match now.by_name.get(&one.model) {
                Some(model) if model.manifest().version == one.version => {
                    by_name.insert(one.model.clone(), model.clone());
                }
                before => match self.open(one) {
                    Ok(model) => {
                        self.forget(&one.model);
                        self.metrics.swaps.fetch_add(u64::from(before.is_some()), Ordering::Relaxed);
                        self.happened("live", one, "");
                        by_name.insert(one.model.clone(), Arc::new(model));
                    }
                    Err(why) => {
                        self.tell("refused", Some(one), &why);
                        failed.push((one.model.clone(), why));
                        if let Some(before) = before {
                            by_name.insert(one.model.clone(), before.clone());
                        }
                    }
                },
            }
        }
        let versions = |m: &BTreeMap<String, Arc<Model>>| -> Vec<(String, u64)> {
            m.iter().map(|(name, m)| (name.clone(), m.manifest().version)).collect()
        };
        if versions(&by_name) != versions(&now.by_name) {
            for gone in now.by_name.values().filter(|m| !by_name.contains_key(m.name())) {
                let gone = Live { model: gone.name().to_owned(), version: gone.manifest().version };
                self.happened("withdrawn", &gone, "");
            }
            let models = Arc::new(Models::of(by_name, &self.options));
            *self.models.write().unwrap_or_else(PoisonError::into_inner) = models;
        }
        failed
    }

    fn open(&self, live: &Live) -> Result<Model, String> {
        if let Some(broken) = self.broken().get(&live.model)
            && broken.version == live.version
            && broken.tried.elapsed() < AGAIN
        {
            return Err(broken.why.clone());
        }
        let scorer = self.shelf.open(live).map_err(|e| e.message)?;
        let room = 8 * self.options.limits.rows;
        Model::start(scorer, self.options.replicas, room).map_err(|e| e.to_string())
    }

    fn broken(&self) -> MutexGuard<'_, BTreeMap<String, Broken>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells it, unless it was told before.
    fn tell(&self, event: &str, live: Option<&Live>, why: &str) {
        let (name, version) = live.map_or(("", 0), |l| (l.model.as_str(), l.version));
        let mut broken = self.broken();
        match broken.get_mut(name).filter(|b| b.version == version && b.why == why) {
            Some(known) if known.tried.elapsed() >= AGAIN => known.tried = Instant::now(),
            Some(_) => {}
            None => {
                broken.insert(name.to_owned(), Broken { version, why: why.to_owned(), tried: Instant::now() });
                drop(broken);
                self.metrics.failed_swaps.fetch_add(1, Ordering::Relaxed);
                let (model, version) = (live.map(|l| l.model.as_str()), live.map(|l| l.version));
                self.log.line(&Happened { event, model, version, message: why });
            }
        }
    }

    fn forget(&self, model: &str) {
        self.broken().remove(model);
    }

    pub fn happened(&self, event: &str, live: &Live, message: &str) {
        let (model, version) = (Some(live.model.as_str()), Some(live.version));
        self.log.line(&Happened { event, model, version, message });
    }
}

impl Models {
    fn of(by_name: BTreeMap<String, Arc<Model>>, options: &Options) -> Self {
        let document = openapi::document(&options.title, by_name.values().map(|m| &**m));
        let openapi = serde_json::to_vec(&document).expect("only string keys").into();
        Self { by_name, openapi }
    }

    /// The only model, where there is one.
    pub fn only(&self) -> Option<&Arc<Model>> {
        let mut all = self.by_name.values();
        all.next().filter(|_| all.next().is_none())
    }
}
