//! From the path of a source to files, and their fingerprints.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use dbjob_plan::{DataLocation, Format, RunError, Source, SourceFingerprint, Value, near};
use sha2::{Digest, Sha256};

/// The files of a source's path, sorted by name; all exist and none is empty. A folder stands for the files below it that
/// end as its format does.
///
/// Errors: E0701 (with near names of the folder), E0702.
pub(crate) fn resolve(base: &Path, source: &Source) -> Result<Vec<PathBuf>, RunError> {
    let path = source.path.as_str();
    let full = base.join(path);
    let files = if full.is_dir() {
        let mut files = Vec::new();
        let all = crate::fetch::is_kept(&full);
        below(&full, &|name| all || belongs(name, &source.format), &mut files)?;
        if files.is_empty() {
            let message = format!("no file below the folder {} ends in {}", shown(&full), endings(&source.format));
            return Err(RunError::new("E0701", message)
                .help("write a file or a pattern such as \"data/*.csv\"")
                .data(place(&full)));
        }
        files.sort();
        files
    } else if !full.exists() && is_pattern(path) {
        expand(base, path)?
    } else {
        vec![full]
    };
    files.iter().try_for_each(|file| resolve_one(file))?;
    Ok(files)
}

/// How many bytes the files of a source have, as far as they are there.
pub(crate) fn bytes(base: &Path, source: &Source) -> u64 {
    if !source.format.is_file() {
        return 0;
    }
    let files = resolve(base, source).unwrap_or_default();
    files.iter().filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

/// That there is such a file, and something in it.
///
/// Errors: E0701 (with near names of the folder), E0702.
pub(crate) fn resolve_one(file: &Path) -> Result<(), RunError> {
    match std::fs::metadata(file) {
        Ok(meta) if meta.is_dir() => Err(unreadable(file, "it is a folder")),
        Ok(meta) if meta.len() == 0 => {
            Err(RunError::new("E0702", format!("{} is empty", shown(file))).data(place(file)))
        }
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(missing(file)),
        Err(e) => Err(unreadable(file, &e.to_string())),
    }
}

pub(crate) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Whether a file of that name in a folder belongs to a table: hidden files and those of other programs' making
/// (`_SUCCESS`) do not.
pub(crate) fn belongs(name: &str, format: &Format) -> bool {
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    let ending = plain.rsplit_once('.').map_or("", |(_, ending)| ending);
    !name.starts_with(['_', '.']) && ends(format).iter().any(|e| e.eq_ignore_ascii_case(ending))
}

fn ends(format: &Format) -> &'static [&'static str] {
    match format {
        Format::Csv(_) => &["csv"],
        Format::Parquet => &["parquet", "pq"],
        Format::Ndjson => &["ndjson", "jsonl"],
        Format::Json => &["json"],
        Format::Arrow => &["arrow", "ipc", "feather"],
        Format::Inline { .. } | Format::Database(_) => &[],
    }
}

/// In words: `.csv`, `.parquet or .pq`.
pub(crate) fn endings(format: &Format) -> String {
    let all: Vec<String> = ends(format).iter().map(|e| format!(".{e}")).collect();
    all.join(" or ")
}

/// The files of a folder and of all folders in it. What cannot be looked into is an error: a table with a part of its rows
/// would be a wrong one.
fn below(folder: &Path, is_one: &dyn Fn(&str) -> bool, files: &mut Vec<PathBuf>) -> Result<(), RunError> {
    let wrong = |e: std::io::Error| unreadable(folder, &e.to_string());
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            // Of a folder that a program hides nothing is taken either, unless all is.
            if !name.starts_with(['_', '.']) || is_one(&name) {
                below(&path, is_one, files)?;
            }
        } else if is_one(&name) {
            files.push(path);
        }
    }
    Ok(())
}

fn expand(base: &Path, path: &str) -> Result<Vec<PathBuf>, RunError> {
    let full = base.join(path);
    let no_text = || unreadable(&full, "its name is not valid Unicode");
    // The folder of the job is no pattern, whatever its name.
    let folder = glob::Pattern::escape(base.to_str().ok_or_else(no_text)?);
    let pattern = Path::new(&folder).join(path);
    let found = glob::glob(pattern.to_str().ok_or_else(no_text)?)
        .map_err(|e| RunError::new("E0701", format!("{path:?} is not a pattern: {e}")))?;
    let mut files = Vec::new();
    for entry in found {
        let file = entry.map_err(|e| unreadable(e.path(), &e.error().to_string()))?;
        if file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(RunError::new("E0701", format!("no file matches {}", full.display())).data(place(&full)));
    }
    files.sort();
    Ok(files)
}

/// A file as messages call it: a fetched one by the place that it came from.
pub(crate) fn shown(file: &Path) -> String {
    crate::fetch::came_from(file).unwrap_or_else(|| file.display().to_string())
}

/// The place "this file" for messages.
pub(crate) fn place(file: &Path) -> DataLocation {
    DataLocation { file: Some(shown(file)), ..DataLocation::default() }
}

pub(crate) fn unreadable(file: &Path, why: &str) -> RunError {
    RunError::new("E0701", format!("cannot read {}: {why}", shown(file))).data(place(file))
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
    let files = resolve(base, source)?;
    let mut bytes = 0;
    let mut hashes = Vec::new();
    for file in &files {
        let (size, hash) = hash_file(file).map_err(|e| unreadable(file, &e.to_string()))?;
        bytes += size;
        hashes.push((shown(file.strip_prefix(base).unwrap_or(file)), hash));
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

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, b| {
        write!(text, "{b:02x}").expect("writing to a string cannot fail");
        text
    })
}
