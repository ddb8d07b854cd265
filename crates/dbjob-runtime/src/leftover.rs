use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dbjob_plan::{Op, Plan, TEMP_PREFIX, Target, machine_prefix, temp_prefix};

/// An unfinished output of this age belongs to no run that is still going.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes what this process has begun to write of the plan's outputs. For a process that is about to end without
/// its engine having stopped; what cannot be removed stays.
pub fn remove_leftovers(plan: &Plan, base: &Path) {
    let ours = temp_prefix();
    remove(plan, base, |name, _| name.starts_with(&ours));
}

/// Removes unfinished outputs of processes that are gone: of this machine at once, of others after a day.
pub(crate) fn remove_stale(plan: &Plan, base: &Path) {
    let now = SystemTime::now();
    remove(plan, base, |name, changed| {
        name.starts_with(TEMP_PREFIX) && (is_gone(name) || now.duration_since(changed).is_ok_and(|age| age > STALE))
    });
}

/// Whether a name is of a process of this machine that has ended. Where that cannot be told it has not.
fn is_gone(name: &str) -> bool {
    let process = name.strip_prefix(machine_prefix()).and_then(|rest| rest.split('-').next());
    let Some(process) = process.and_then(|id| id.parse::<u32>().ok()) else { return false };
    Path::new("/proc/self").exists() && !Path::new("/proc").join(process.to_string()).exists()
}

fn remove(plan: &Plan, base: &Path, chosen: impl Fn(&str, SystemTime) -> bool) {
    for folder in output_folders(plan, base) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let Ok(changed) = metadata.modified() else { continue };
            if chosen(&entry.file_name().to_string_lossy(), changed) {
                // Nobody is left to tell if it fails, and the name says what it is.
                let _ =
                    if metadata.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
            }
        }
    }
}

/// The folders in which outputs appear.
fn output_folders(plan: &Plan, base: &Path) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for id in plan.graph.node_indices() {
        let Op::Deploy(target) = &plan.node(id).op else { continue };
        match target {
            Target::Registry { path, .. } => {
                let registry = base.join(path);
                for input in plan.inputs(id) {
                    if let Op::Fit(fit) = &plan.node(input).op {
                        folders.insert(registry.join(&fit.model));
                        folders.insert(registry.join(&fit.model).join("versions"));
                    }
                }
                folders.insert(registry);
            }
            Target::Folder(folder) => {
                let path = base.join(&folder.path);
                folders.extend(path.parent().map(Path::to_owned));
                partitions(&path, &mut folders);
            }
            target => {
                let file = target.written_path().map(|path| base.join(path));
                folders.extend(file.and_then(|file| file.parent().map(Path::to_owned)));
            }
        }
    }
    folders
}

/// A folder of files and those of its partitions (`day=2024-01-31`).
fn partitions(folder: &Path, folders: &mut BTreeSet<PathBuf>) {
    folders.insert(folder.to_owned());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().contains('=') && entry.path().is_dir() {
            partitions(&entry.path(), folders);
        }
    }
}
