use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use dbjob_plan::temp_prefix;

use crate::diagnostic::{Code, Problem, near_name};
use crate::source::SourceFile;

/// Reads a `.dbjob` file. A message for whatever prevents it.
pub fn read_source(path: &Path) -> Result<SourceFile, Problem> {
    decode(path, read_bytes(path)?)
}

/// The bytes of a `.dbjob` file.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    let shown = path.display();
    let unreadable = |why: String| Problem::error(Code::E0701, why);
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(path),
        _ => unreadable(format!("cannot read `{shown}`: {error}")),
    })?;
    if metadata.is_dir() {
        return Err(unreadable(format!("`{shown}` is a folder, not a .dbjob file")).help(in_folder(path)));
    }
    // Spans are 32 bits wide.
    if metadata.len() >= u64::from(u32::MAX) {
        return Err(unreadable(format!("`{shown}` is too large for a .dbjob file: {} bytes", metadata.len())));
    }
    fs::read(path).map_err(|error| unreadable(format!("cannot read `{shown}`: {error}")))
}

/// The text of a file's bytes.
pub fn decode(path: &Path, bytes: Vec<u8>) -> Result<SourceFile, Problem> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(SourceFile::new(path, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let line = bytes[..at].iter().filter(|b| **b == b'\n').count() + 1;
            let message = format!("`{}` is not UTF-8: byte 0x{:02X} in line {line}", path.display(), bytes[at]);
            Err(Problem::error(Code::E0714, message).help("save the file with the encoding UTF-8"))
        }
    }
}

fn missing(path: &Path) -> Problem {
    let problem = Problem::error(Code::E0701, format!("there is no file `{}`", path.display()));
    let folder = parent(path);
    let names = jobs_in(&folder);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match near_name(&name, names.iter().map(String::as_str)) {
        Some(near) => {
            let near =
                if path.parent().is_some_and(|p| !p.as_os_str().is_empty()) { folder.join(near) } else { near.into() };
            problem.help(format!("did you mean `{}`?", near.display()))
        }
        None => problem,
    }
}

fn in_folder(folder: &Path) -> String {
    match jobs_in(folder).first() {
        Some(job) => format!("name the file: `{}`", folder.join(job).display()),
        None => "name a file; there is no .dbjob file in this folder".into(),
    }
}

/// The names of the `.dbjob` files of a folder, sorted.
pub fn jobs_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".dbjob"))
        .collect();
    names.sort();
    names
}

/// The folder of a file; `.` for a bare name.
pub fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Puts `text` in the place of `path`: whole, or not at all. A link stays a link; permissions stay.
pub fn replace_file(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    let mut file = tempfile::Builder::new().prefix(&temp_prefix()).tempfile_in(parent(&path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|e| e.error)?;
    Ok(())
}

/// Writes a file whole or not at all, whether one is there or not; its folder is made if need be.
pub fn put_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = parent(path);
    fs::create_dir_all(&folder)?;
    let prefix = temp_prefix();
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask of the user decides, as for any file that a program makes.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// The only `.dbjob` file of the current folder.
pub fn only_job() -> Result<PathBuf, Problem> {
    match &jobs_in(Path::new("."))[..] {
        [file] => Ok(file.into()),
        [] => Err(Problem::error(Code::E0701, "there is no .dbjob file in this folder").help("name a file")),
        files => {
            let problem = Problem::error(Code::E0701, "there are several .dbjob files in this folder");
            Err(problem.help(format!("name one of {}", files.join(", "))))
        }
    }
}

/// Writes a file that must not be there yet.
pub fn create_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The path as it is shown: from the current folder when it is below it, without `.` parts.
pub fn shown(path: &Path) -> String {
    // A URL is none.
    if let Some(url) = path.to_str().filter(|p| p.contains("://")) {
        return url.to_owned();
    }
    let below = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    let clean: PathBuf = below.as_deref().unwrap_or(path).components().filter(|c| *c != Component::CurDir).collect();
    if clean.as_os_str().is_empty() { ".".into() } else { clean.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_here_are_shown_relative() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(shown(&here.join("models/m/1")), "models/m/1");
        assert_eq!(shown(Path::new("./a/./b")), "a/b");
        assert_eq!(shown(Path::new("/somewhere/else")), "/somewhere/else");
        assert_eq!(shown(&here), ".");
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_mode_and_a_link_stays_a_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.dbjob"), folder.path().join("link.dbjob"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("a.dbjob", &link).unwrap();
        replace_file(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "something temporary stayed");
    }
}
