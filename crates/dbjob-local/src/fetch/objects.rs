//! Objects of a store: listed without a look at their contents, fetched as they were listed.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use dbjob_plan::{Cancel, FetchContext, Origin, RunError, Source};
use sha2::{Digest, Sha256};

use super::{Kept, keep, kept};
use crate::packing::{Packing, Want, unpack};
use crate::sink::unwritable;
use crate::source::files::hex;
use crate::store::{Object, Place, Store};

/// The keys, sizes and tags of the objects as one text that changes with any of them.
///
/// Errors: E0740 to E0742.
pub(super) fn version(source: &Source) -> Result<Origin, RunError> {
    let place = Place::parse(&source.path)?;
    let mut hash = Sha256::new();
    for object in Store::open(&place.bucket)?.find(&place.key, &source.format, &Cancel::default())? {
        hash.update(format!("{}\n{}\n{}\n", object.key, object.size, object.tag.unwrap_or_default()));
    }
    Ok(Origin::Remote { version: Some(hex(&hash.finalize())) })
}

/// How many objects are on their way at once: small ones take little but the way.
const AT_ONCE: usize = 4;

/// Errors: E0712, E0713, E0718, E0740 to E0743.
pub(super) fn fetch(source: &Source, cx: &FetchContext<'_>) -> Result<Source, RunError> {
    let place = Place::parse(&source.path)?;
    let store = Store::open(&place.bucket)?;
    let objects = store.find(&place.key, &source.format, cx.cancel)?;
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<(usize, RunError)>> = Mutex::new(None);
    let failed_so_far = || failed.lock().unwrap_or_else(PoisonError::into_inner);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(object) = objects.get(at).filter(|_| failed_so_far().is_none()) else { return };
            if let Err(error) = one(&store, &place.bucket, object, at + 1, cx) {
                // Of several failures the first in the order of the objects is told.
                let mut failed = failed_so_far();
                if failed.as_ref().is_none_or(|(before, _)| at < *before) {
                    *failed = Some((at, error));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(objects.len()) {
            scope.spawn(work);
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => kept(source, cx.folder),
    }
}

/// Brings one object, and unpacks it if its name says so.
fn one(store: &Store, bucket: &str, object: &Object, number: usize, cx: &FetchContext<'_>) -> Result<(), RunError> {
    let to = keep(cx.folder, number, &Kept::Object(&format!("{bucket}/{}", object.key)))?;
    // One without a byte is told as such by who reads it.
    let Some(packing) = Packing::of(Path::new(&object.key)).filter(|_| object.size > 0) else {
        return store.download(object, &to, cx.cancel);
    };
    let packed = cx.folder.join(format!("packed-{number}"));
    store.download(object, &packed, cx.cancel)?;
    unpack(packing, (&packed, &to), &to, Want::All, cx.cancel)?;
    std::fs::remove_file(&packed).map_err(|e| unwritable(&packed, &e.to_string()))
}
