//! What is not read in place, as it was fetched: once a run, whatever asks for it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use dbjob_plan::{FetchContext, NodeId, Origin, RunContext, RunError, Schema, Source};
use tempfile::TempDir;

use crate::fault::engine_error;
use crate::fetch;

/// The sources as they are read. Where nobody keeps results, a fetch has a folder that goes when the run is over.
#[derive(Default)]
pub(super) struct Fetched(Mutex<HashMap<NodeId, (Source, Option<TempDir>)>>);

impl Fetched {
    /// The source that reads a node's rows from files of this machine: itself, or what a fetch made of it.
    ///
    /// Errors: those of the fetch.
    pub fn source(
        &self,
        id: NodeId,
        source: &Source,
        wanted: &Schema,
        cx: &RunContext<'_>,
    ) -> Result<Source, RunError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((fetched, _)) = all.get(&id) {
            return Ok(fetched.clone());
        }
        let found = match cx.results {
            Some(results) => (results.fetched(id)?.unwrap_or_else(|| source.clone()), None),
            None => match fetch::origin(source, &cx.base)? {
                Origin::Job | Origin::Files(_) => (source.clone(), None),
                Origin::Packed(_) | Origin::Remote { .. } => {
                    let folder = tempfile::Builder::new().prefix(&dbjob_plan::temp_prefix()).tempdir();
                    let folder = folder.map_err(|e| engine_error(e.into()))?;
                    (fetch::fetch(source, wanted, &context(folder.path(), cx))?, Some(folder))
                }
            },
        };
        Ok(all.entry(id).or_insert(found).0.clone())
    }
}

fn context<'a>(folder: &'a Path, cx: &'a RunContext<'_>) -> FetchContext<'a> {
    FetchContext { base: &cx.base, folder, cancel: &cx.cancel }
}
