use std::fs;
use std::path::Path;

use dbjob_plan::{Manifest, RunError};

use crate::MANIFEST;
use crate::files::{place, sync_folder, unwritable};
use crate::manifest::{read_manifest, verify};

/// Copies the folder of a version to a folder that is not there yet: whole, verified, and on the disk.
///
/// Errors: E0716 when the version is damaged; E0713 when the folder is there or cannot be written.
pub fn export(version: &Path, to: &Path) -> Result<Manifest, RunError> {
    let manifest = read_manifest(version)?;
    verify(version, &manifest)?;
    if to.exists() {
        return Err(RunError::new("E0713", format!("{} is there already", to.display()))
            .help("name a folder that is not there yet")
            .data(place(to)));
    }
    let parent = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|e| unwritable(parent, e))?;
    let staged = tempfile::Builder::new().prefix(&dbjob_plan::temp_prefix()).tempdir_in(parent);
    let staged = staged.map_err(|e| unwritable(to, e))?;
    for name in manifest.files.keys().map(String::as_str).chain([MANIFEST]) {
        let (from, file) = (version.join(name), staged.path().join(name));
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(|e| unwritable(folder, e))?;
        }
        fs::copy(&from, &file).and_then(|_| fs::File::open(&file)?.sync_all()).map_err(|e| unwritable(&file, e))?;
    }
    #[cfg(unix)]
    {
        // As any folder of the user, not for the owner alone as temporary ones are.
        let of_parent = fs::metadata(parent).map(|m| m.permissions());
        of_parent.and_then(|p| fs::set_permissions(staged.path(), p)).map_err(|e| unwritable(to, e))?;
    }
    fs::rename(staged.path(), to).map_err(|e| unwritable(to, e))?;
    // The folder has its new name: nothing is left to clean up under the old one.
    let _ = staged.keep();
    sync_folder(parent);
    // Whether the copy is what was verified.
    verify(to, &read_manifest(to)?)?;
    Ok(manifest)
}
