//! Contents of objects, in pieces, each with the tag that the object was listed with.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use dbjob_plan::{Cancel, RunError};
use object_store::{GetOptions, GetRange, ObjectStore, Result};

use super::error::{Asked, failed};
use super::waiting::Pending;
use super::{Object, Store};
use crate::sink::unwritable;

/// How much is asked for at once.
const PIECE: u64 = 8 << 20;
/// How many pieces of one object are on their way at once.
const AHEAD: usize = 2;

impl Store {
    /// Some of the contents.
    ///
    /// Errors: E0718, E0740 to E0743.
    pub fn bytes(&self, object: &Object, range: Range<u64>, cancel: &Cancel) -> std::result::Result<Vec<u8>, RunError> {
        let mut out = Vec::new();
        self.pieces(object, range, cancel, |piece| {
            out.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(out)
    }

    /// All contents, into a new file.
    ///
    /// Errors: E0713, E0718, E0740 to E0743.
    pub fn download(&self, object: &Object, to: &Path, cancel: &Cancel) -> std::result::Result<(), RunError> {
        let wrong = |e: std::io::Error| unwritable(to, &e.to_string());
        let mut file = File::create(to).map_err(wrong)?;
        self.pieces(object, 0..object.size, cancel, |piece| file.write_all(piece).map_err(wrong))
    }

    /// Hands the contents of a range over in order. At most [`AHEAD`] pieces are in memory.
    fn pieces(
        &self,
        object: &Object,
        range: Range<u64>,
        cancel: &Cancel,
        mut take: impl FnMut(&[u8]) -> std::result::Result<(), RunError>,
    ) -> std::result::Result<(), RunError> {
        let end = range.end.min(object.size);
        let mut next = range.start;
        let mut waiting = VecDeque::new();
        loop {
            while next < end && waiting.len() < AHEAD {
                let piece = next..(next + PIECE).min(end);
                next = piece.end;
                waiting.push_back((piece.end - piece.start, self.piece(object, piece)?));
            }
            let Some((length, piece)) = waiting.pop_front() else { return Ok(()) };
            let bytes: Result<_> = piece.wait(cancel)?;
            let bytes = bytes.map_err(|e| failed(&e, self, &object.key, Asked::Read))?;
            let bytes = bytes.as_ref();
            if bytes.len() as u64 != length {
                return Err(super::error::changed(self, &object.key));
            }
            take(bytes)?;
        }
    }

    fn piece(
        &self,
        object: &Object,
        range: Range<u64>,
    ) -> std::result::Result<Pending<Result<impl AsRef<[u8]> + Send + use<>>>, RunError> {
        let (client, path) = (self.client.clone(), self.path(&object.key)?);
        let options =
            GetOptions { if_match: object.tag.clone(), range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        Pending::start(async move { client.get_opts(&path, options).await?.bytes().await })
    }
}
