//! Objects of a store: listed without a look at their contents, fetched as they were listed.

use std::path::Path;

use dbjob_plan::{Cancel, FetchContext, Origin, RunError, Source};
use sha2::{Digest, Sha256};

use super::{Kept, keep, kept};
use crate::packing::{Packing, Want, unpack};
use crate::source::files::hex;
use crate::store::{Place, Store};

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

/// Errors: E0712, E0713, E0718, E0740 to E0743.
pub(super) fn fetch(source: &Source, cx: &FetchContext<'_>) -> Result<Source, RunError> {
    let place = Place::parse(&source.path)?;
    let store = Store::open(&place.bucket)?;
    for (number, object) in store.find(&place.key, &source.format, cx.cancel)?.iter().enumerate() {
        let to = keep(cx.folder, number + 1, &Kept::Object(&format!("{}/{}", place.bucket, object.key)))?;
        let Some(packing) = Packing::of(Path::new(&object.key)) else {
            store.download(object, &to, cx.cancel)?;
            continue;
        };
        let packed = cx.folder.join("packed");
        store.download(object, &packed, cx.cancel)?;
        // A file without a byte is told as such by who reads it.
        if object.size == 0 {
            std::fs::rename(&packed, &to).map_err(|e| crate::sink::unwritable(&to, &e.to_string()))?;
        } else {
            unpack(packing, (&packed, &to), &to, Want::All, cx.cancel)?;
            std::fs::remove_file(&packed).map_err(|e| crate::sink::unwritable(&packed, &e.to_string()))?;
        }
    }
    kept(source, cx.folder)
}
