use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use dbjob_plan::{DataLocation, RunError};
use sha2::{Digest, Sha256};

/// E0713: `path` cannot be written.
pub fn unwritable(path: &Path, why: impl std::fmt::Display) -> RunError {
    RunError::new("E0713", format!("cannot write {}: {why}", path.display())).data(place(path))
}

/// A file as the place of an error.
pub fn place(path: &Path) -> DataLocation {
    DataLocation { file: Some(path.display().to_string()), ..DataLocation::default() }
}

/// Writes a new file; it is on the disk when this returns.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|e| unwritable(path, e))
}

/// Brings a file that something else wrote to the disk; gives its SHA-256.
pub fn seal(path: &Path) -> Result<String, RunError> {
    let seal = || -> std::io::Result<String> {
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        file.sync_all()?;
        digest(&mut file)
    };
    seal().map_err(|e| unwritable(path, e))
}

/// The names in a folder survive a crash once the folder is synced; not every system can do that.
pub fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(path) {
        let _ = folder.sync_all();
    }
}

/// SHA-256 of what is left to read, in hexadecimal digits.
pub fn digest(from: &mut impl Read) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match from.read(&mut buffer)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(hash.finalize().iter().fold(String::new(), |mut text, b| {
        write!(text, "{b:02x}").expect("writing to a string cannot fail");
        text
    }))
}
