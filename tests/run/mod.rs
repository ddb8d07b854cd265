//! Jobs on the local engine, from the file to what they leave behind.

mod clusters;
mod examples;
mod explain;
mod functions;
mod limits;
mod maps;
mod networks;
mod outside;
mod own_tests;
mod packed;
mod pages;
mod places;
mod predictions;
#[cfg(unix)]
mod process;
mod registry;
mod requests;
mod rows;
mod searches;
mod settled;
mod state;
mod stops;
mod tables;
mod threads;
mod windows;
mod wrong_data;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A table by its header: each column's cells as they stand in the file.
fn columns(path: &Path) -> BTreeMap<String, Vec<String>> {
    let mut reader = csv::Reader::from_path(path).expect("a CSV file");
    let names: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let mut columns: BTreeMap<String, Vec<String>> = names.iter().map(|n| (n.clone(), Vec::new())).collect();
    for record in reader.records() {
        for (name, cell) in names.iter().zip(record.expect("a row").iter()) {
            columns.get_mut(name).expect("named above").push(cell.to_owned());
        }
    }
    columns
}

/// Every file below a folder but what a run keeps for the next, relative, sorted.
fn files_below(folder: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.ends_with(".dbjob") {
                continue;
            }
            if path.is_dir() {
                walk(root, &path, out);
            } else {
                out.push(path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned());
            }
        }
    }
    let mut out = Vec::new();
    walk(folder, folder, &mut out);
    out.sort();
    out
}

/// The examples and their data in a folder of their own.
fn copy_of_examples() -> tempfile::TempDir {
    let here = tempfile::tempdir().expect("a temporary folder");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    fs::create_dir(here.path().join("data")).expect("a folder for data");
    for folder in ["", "data"] {
        for entry in fs::read_dir(examples.join(folder)).expect("examples are there") {
            let path = entry.expect("a readable entry").path();
            if path.extension().is_some_and(|e| e == "dbjob" || e == "csv") {
                let name = path.file_name().expect("a file has a name");
                fs::copy(&path, here.path().join(folder).join(name)).expect("a copy");
            }
        }
    }
    here
}
