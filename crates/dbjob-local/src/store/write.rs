//! A file becomes an object: whole, or not at all.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use dbjob_plan::{Cancel, RunError};
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};

use super::error::{Asked, failed};
use super::waiting::{Pending, wait};
use super::{Place, Store};
use crate::source::files::unreadable;

/// Up to this size a file is sent at once; a larger one in parts of that size at least.
const PART: u64 = 16 << 20;
/// The most parts that a store takes.
const PARTS: u64 = 10_000;
/// How many parts are on their way at once.
const AHEAD: usize = 3;

/// Errors: E0718, E0740 to E0742.
pub(crate) fn upload(file: &Path, place: &Place, cancel: &Cancel) -> Result<(), RunError> {
    let store = Store::open(&place.bucket)?;
    let cannot_read = |e: std::io::Error| unreadable(file, &e.to_string());
    let mut file = File::open(file).map_err(cannot_read)?;
    let size = file.metadata().map_err(cannot_read)?.len();
    let path = store.path(&place.key)?;
    let failed = |e: object_store::Error| failed(&e, &store, &place.key, Asked::Write);
    let client = store.client.clone();
    if size <= PART {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(cannot_read)?;
        let put = wait(async move { client.put(&path, PutPayload::from(bytes)).await }, cancel)?;
        return put.map(drop).map_err(failed);
    }
    let begun = wait(async move { client.put_multipart(&path).await }, cancel)?;
    let mut upload = begun.map_err(failed)?;
    let sent = parts(&mut *upload, &mut file, size, cancel, &cannot_read, &failed);
    if sent.is_ok() && !cancel.is_cancelled() {
        let (unfinished, done) = wait_to_the_end(async move {
            let done = upload.complete().await;
            (upload, done)
        })?;
        let Err(error) = done else { return Ok(()) };
        give_up(unfinished);
        return Err(failed(error));
    }
    give_up(upload);
    sent.and_then(|()| Err(RunError::new("E0718", "the run was stopped")))
}

/// What must not be left half done goes on when the run is asked to stop.
fn wait_to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T, RunError> {
    wait(work, &Cancel::default())
}

/// The store forgets the parts that it has. If it cannot be told any more, its own rules remove them.
fn give_up(mut upload: Box<dyn MultipartUpload>) {
    wait_to_the_end(async move { upload.abort().await }).ok();
}

fn parts(
    upload: &mut dyn MultipartUpload,
    file: &mut File,
    size: u64,
    cancel: &Cancel,
    cannot_read: &dyn Fn(std::io::Error) -> RunError,
    failed: &dyn Fn(object_store::Error) -> RunError,
) -> Result<(), RunError> {
    let length = size.div_ceil(PARTS).max(PART);
    let mut waiting: VecDeque<Pending<object_store::Result<()>>> = VecDeque::new();
    loop {
        let mut part = Vec::new();
        file.take(length).read_to_end(&mut part).map_err(cannot_read)?;
        if !part.is_empty() {
            waiting.push_back(Pending::start(upload.put_part(PutPayload::from(part)))?);
            if waiting.len() < AHEAD {
                continue;
            }
        }
        match waiting.pop_front() {
            Some(part) => part.wait(cancel)?.map_err(failed)?,
            None => return Ok(()),
        }
    }
}
