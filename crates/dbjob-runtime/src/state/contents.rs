use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dbjob_plan::Key;

/// Another change so shortly after the last one may show no other time.
const SAME_TIME: Duration = Duration::from_secs(2);

/// How a file looks without being read: size, time of change, and which file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub size: u64,
    /// Nanoseconds since 1970; the later of the times of its contents and of its metadata, because a tool may set the first.
    pub changed: i64,
    pub file: u64,
}

impl Look {
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::at(&fs::metadata(path)?))
    }

    /// Whether its last change lies so far back that another one would show another time.
    pub fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.as_nanos().saturating_sub(self.changed.max(0) as u128) > SAME_TIME.as_nanos()
    }

    fn at(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX));
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let status = metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec());
            Self { size: metadata.len(), changed: modified.max(status), file: metadata.ino() }
        }
        #[cfg(not(unix))]
        Self { size: metadata.len(), changed: modified, file: 0 }
    }
}

/// The hash of a file's bytes. A file that is there twice has one content.
pub(crate) fn content(path: &Path, stop: &dyn Fn() -> bool) -> io::Result<Option<Key>> {
    let mut file = File::open(path)?;
    let mut hash = blake3::Hasher::new();
    let mut buffer = vec![0; 4 << 20];
    loop {
        if stop() {
            return Ok(None);
        }
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(Some(Key(*hash.finalize().as_bytes())));
        }
        hash.update(&buffer[..n]);
    }
}

/// The content of a file, or of all files below a folder with their names.
pub(crate) fn content_below(path: &Path) -> Option<Key> {
    if !path.is_dir() {
        return content(path, &|| false).ok().flatten();
    }
    let mut names: Vec<_> = fs::read_dir(path).ok()?.flatten().map(|e| e.path()).collect();
    names.sort();
    let mut hash = blake3::Hasher::new();
    for name in names {
        hash.update(name.file_name()?.as_encoded_bytes());
        hash.update(&content_below(&name)?.0);
    }
    Some(Key(*hash.finalize().as_bytes()))
}

/// How an output looks: of a folder all that is in it. `None`: it is not there.
pub fn stamp(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_dir() {
        let look = Look::at(&metadata);
        return Some(format!("{} {}", look.size, look.changed));
    }
    let mut hash = blake3::Hasher::new();
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        let mut names: Vec<_> = fs::read_dir(&folder).ok()?.flatten().map(|e| e.path()).collect();
        names.sort();
        for name in names {
            let metadata = fs::metadata(&name).ok()?;
            if metadata.is_dir() {
                open.push(name);
            } else {
                let look = Look::at(&metadata);
                hash.update(name.as_os_str().as_encoded_bytes());
                hash.update(format!("\n{} {}\n", look.size, look.changed).as_bytes());
            }
        }
    }
    Some(hash.finalize().to_hex().to_string())
}
