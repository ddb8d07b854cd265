use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dbjob_plan::{Key, temp_prefix};

use super::store::sync_folder;

/// The file of a fit that is still going: its state, behind the hash of that.
fn place(state: &Path, key: &Key) -> PathBuf {
    state.join("checkpoints").join(key.to_string())
}

/// The state of a fit under the key of its model, if one was saved whole.
pub(crate) fn load(state: &Path, key: &Key) -> Option<Vec<u8>> {
    let bytes = fs::read(place(state, key)).ok()?;
    let (hash, saved) = bytes.split_at_checked(32)?;
    (blake3::hash(saved).as_bytes() == hash).then(|| saved.to_vec())
}

/// Replaces what was saved before in one step.
pub(crate) fn save(state: &Path, key: &Key, bytes: &[u8]) -> io::Result<()> {
    let place = place(state, key);
    let folder = place.parent().expect("it is in a folder");
    fs::create_dir_all(folder)?;
    let temporary = folder.join(format!("{}{key}", temp_prefix()));
    let mut file = File::create(&temporary)?;
    file.write_all(blake3::hash(bytes).as_bytes())?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, &place)?;
    sync_folder(folder);
    Ok(())
}

pub(crate) fn clear(state: &Path, key: &Key) {
    // It may not be there.
    let _ = fs::remove_file(place(state, key));
}
