//! From the path of a source to files, and their fingerprints.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use dbjob_plan::{DataLocation, Format, RunError, Source, SourceFingerprint, Value, near};
use sha2::{Digest, Sha256};

/// The files of a path or glob, sorted by name; all exist and none is empty.
///
/// Errors: E0701 (with near names of the folder), E0702.
pub(crate) fn resolve(base: &Path, path: &str) -> Result<Vec<PathBuf>, RunError> {
    let full = base.join(path);
    let files = if !full.exists() && path.contains(['*', '?', '[']) { expand(&full, path)? } else { vec![full] };
    for file in &files {
        let size = match std::fs::metadata(file) {
            Ok(meta) if meta.is_dir() => {
                return Err(unreadable(file, "it is a folder").help("write a file or a pattern such as \"data/*.csv\""));
            }
            Ok(meta) => meta.len(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(missing(file)),
            Err(e) => return Err(unreadable(file, &e.to_string())),
        };
        if size == 0 {
            return Err(RunError::new("E0702", format!("{} is empty", file.display())).data(place(file)));
        }
    }
    Ok(files)
}

fn expand(full: &Path, path: &str) -> Result<Vec<PathBuf>, RunError> {
    let pattern = full.to_str().ok_or_else(|| unreadable(full, "its name is not valid Unicode"))?;
    let found = glob::glob(pattern).map_err(|e| RunError::new("E0701", format!("{path:?} is not a pattern: {e}")))?;
    let mut files = Vec::new();
    for entry in found {
        let file = entry.map_err(|e| unreadable(e.path(), &e.error().to_string()))?;
        if file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(RunError::new("E0701", format!("no file matches {}", full.display())).data(place(full)));
    }
    files.sort();
    Ok(files)
}

/// The place "this file" for messages.
pub(crate) fn place(file: &Path) -> DataLocation {
    DataLocation { file: Some(file.display().to_string()), ..DataLocation::default() }
}

pub(crate) fn unreadable(file: &Path, why: &str) -> RunError {
    RunError::new("E0701", format!("cannot read {}: {why}", file.display())).data(place(file))
}

fn missing(file: &Path) -> RunError {
    let error = RunError::new("E0701", format!("there is no file {}", file.display())).data(place(file));
    let (Some(folder), Some(name)) = (file.parent(), file.file_name().and_then(|n| n.to_str())) else { return error };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return error.help(format!("the folder {} does not exist either", folder.display()));
    };
    let names: Vec<String> = entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    match near(name, names.iter().map(String::as_str)).as_slice() {
        [] => error,
        near => error.help(format!("in that folder there is {}", near.join(", "))),
    }
}

/// What the data were: size and SHA-256 of the bytes; for several files, of the sorted list of (path, hash); of rows in
/// the job, of their text.
///
/// Errors: E0701.
pub(crate) fn fingerprint(dataset: &str, base: &Path, source: &Source) -> Result<SourceFingerprint, RunError> {
    let path = source.path.as_str();
    if let Format::Inline { rows } = &source.format {
        let text: Vec<String> = rows.iter().map(|row| Value::List(row.clone()).to_string()).collect();
        let text = text.join("\n");
        let (bytes, sha256) = (text.len() as u64, hex(&Sha256::digest(&text)));
        return Ok(SourceFingerprint { dataset: dataset.into(), path: path.into(), bytes, sha256 });
    }
    let files = resolve(base, path)?;
    let mut bytes = 0;
    let mut hashes = Vec::new();
    for file in &files {
        let (size, hash) = hash_file(file).map_err(|e| unreadable(file, &e.to_string()))?;
        bytes += size;
        hashes.push((file.strip_prefix(base).unwrap_or(file).display().to_string(), hash));
    }
    let sha256 = match hashes.as_slice() {
        [(_, hash)] => hash.clone(),
        many => {
            let mut list = Sha256::new();
            for (name, hash) in many {
                list.update(format!("{name}\n{hash}\n"));
            }
            hex(&list.finalize())
        }
    };
    Ok(SourceFingerprint { dataset: dataset.into(), path: path.into(), bytes, sha256 })
}

fn hash_file(file: &Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(file)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((size, hex(&hash.finalize())));
        }
        hash.update(&buffer[..n]);
        size += n as u64;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, b| {
        write!(text, "{b:02x}").expect("writing to a string cannot fail");
        text
    })
}
