//! A look at the first file of a source, for its columns: of what is packed or elsewhere only as much as that takes.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use dbjob_plan::{Cancel, Format, RunError, Source, in_object_store};
use tempfile::TempDir;

use super::{Kept, keep};
use crate::packing::{Packing, Unpacked, Want, unpack};
use crate::sink::unwritable;
use crate::source::files;
use crate::store::{Object, Place, Store};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The names of the columns.
    Names,
    /// Their types too, where rows tell them.
    Types,
}

/// An object up to this size is fetched whole for its types, as a local file of that size is read whole.
const WHOLE: u64 = 64 << 20;
/// Of a larger one that much from its beginning.
const HEAD: u64 = 16 << 20;
/// What holds the header of any CSV file.
const HEADER: u64 = 1 << 20;
/// What holds the footer of most Parquet files.
const FOOTER: u64 = 64 << 10;

pub(crate) struct Look {
    /// All files of the source, as they are called.
    pub files: Vec<PathBuf>,
    /// A file of this machine with the beginning of the first one; of Parquet with its footer.
    pub first: PathBuf,
    /// Whether `first` has all of its rows.
    pub whole: bool,
    /// Where `first` is kept meanwhile.
    _folder: Option<TempDir>,
}

impl Look {
    /// Errors: E0701, E0702, E0712, E0713, E0740 to E0743.
    pub fn at(source: &Source, base: &Path, depth: Depth) -> Result<Self, RunError> {
        if in_object_store(&source.path) {
            return object(source, depth);
        }
        let files = files::resolve(base, source)?;
        let Some(packing) = Packing::of(&files[0]).filter(|_| super::came_from(&files[0]).is_none()) else {
            return Ok(Self { first: files[0].clone(), files, whole: true, _folder: None });
        };
        let folder = folder()?;
        let first = keep(folder.path(), 1, &Kept::File(&files[0]))?;
        let whole = unpacked(packing, (&files[0], &files[0]), &first, &source.format, depth)?;
        Ok(Self { files, first, whole, _folder: Some(folder) })
    }
}

fn folder() -> Result<TempDir, RunError> {
    let folder = tempfile::Builder::new().prefix(&dbjob_plan::temp_prefix()).tempdir();
    folder.map_err(|e| unwritable(&std::env::temp_dir(), &e.to_string()))
}

/// Whether the beginning of a file of that format tells its columns.
fn is_text(format: &Format) -> bool {
    matches!(format, Format::Csv(_) | Format::Ndjson)
}

/// Whether all was unpacked.
fn unpacked(
    packing: Packing,
    (from, name): (&Path, &Path),
    to: &Path,
    format: &Format,
    depth: Depth,
) -> Result<bool, RunError> {
    let want = match depth {
        _ if !is_text(format) => Want::All,
        Depth::Names => Want::Head(HEADER),
        Depth::Types => Want::Head(WHOLE),
    };
    let whole = unpack(packing, (from, name), to, want, &Cancel::default())? == Unpacked::Whole;
    if !whole {
        whole_lines(to)?;
    }
    Ok(whole)
}

/// Cuts the last line off if it is not whole.
fn whole_lines(path: &Path) -> Result<(), RunError> {
    const STEP: u64 = 1 << 16;
    let wrong = |e: std::io::Error| unwritable(path, &e.to_string());
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(wrong)?;
    let mut end = file.metadata().map_err(wrong)?.len();
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let mut bytes = vec![0; (end - start) as usize];
        file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut bytes)).map_err(wrong)?;
        if let Some(at) = memchr::memrchr(b'\n', &bytes) {
            return file.set_len(start + at as u64 + 1).map_err(wrong);
        }
        end = start;
    }
    // One line longer than the look: it is left as it is.
    Ok(())
}

fn object(source: &Source, depth: Depth) -> Result<Look, RunError> {
    let place = Place::parse(&source.path)?;
    let store = Store::open(&place.bucket)?;
    let objects = store.find(&place.key, &source.format, &Cancel::default())?;
    let called = |object: &Object| format!("{}/{}", place.bucket, object.key);
    let files = objects.iter().map(|object| PathBuf::from(format!("s3://{}", called(object)))).collect();
    let object = &objects[0];
    let folder = folder()?;
    let first = keep(folder.path(), 1, &Kept::Object(&called(object)))?;
    if object.size == 0 {
        let message = format!("s3://{} is empty", called(object));
        return Err(RunError::new("E0702", message).data(files::place(&first)));
    }
    let packing = Packing::of(Path::new(&object.key));
    let enough = match depth {
        Depth::Names => HEADER,
        Depth::Types if object.size > WHOLE => HEAD,
        Depth::Types => WHOLE,
    };
    let to = if packing.is_some() { folder.path().join("packed") } else { first.clone() };
    let mut whole = true;
    if is_text(&source.format) && object.size > enough {
        let bytes = store.bytes(object, 0..enough, &Cancel::default())?;
        std::fs::write(&to, bytes).map_err(|e| unwritable(&to, &e.to_string()))?;
        whole = false;
    } else if source.format == Format::Parquet && packing.is_none() {
        footer(&store, object, &to)?;
    } else {
        store.download(object, &to, &Cancel::default())?;
    }
    match packing {
        Some(packing) => whole &= unpacked(packing, (&to, &first), &first, &source.format, depth)?,
        None if !whole => whole_lines(&first)?,
        None => {}
    }
    Ok(Look { files, first, whole, _folder: Some(folder) })
}

/// A file of the object's size with nothing but its footer, which is all that the columns take.
fn footer(store: &Store, object: &Object, to: &Path) -> Result<(), RunError> {
    let mut from = object.size.saturating_sub(FOOTER);
    let mut tail = store.bytes(object, from..object.size, &Cancel::default())?;
    // It ends with the length of the footer, in four bytes, and `PAR1`.
    if let Some(length) = tail.len().checked_sub(8).and_then(|at| tail[at..at + 4].try_into().ok()) {
        let start = object.size.saturating_sub(u64::from(u32::from_le_bytes(length)) + 8);
        if start < from {
            from = start;
            tail = store.bytes(object, from..object.size, &Cancel::default())?;
        }
    }
    let write = || {
        let mut file = File::create(to)?;
        file.set_len(object.size)?;
        file.seek(SeekFrom::Start(from))?;
        file.write_all(&tail)
    };
    write().map_err(|e| unwritable(to, &e.to_string()))
}
