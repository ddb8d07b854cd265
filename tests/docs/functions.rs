//! docs/functions.md is what the catalog says. `BLESS=1` writes it.

use std::fs;
use std::path::Path;

#[test]
fn the_page_of_functions_is_that_of_the_catalog() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/functions.md");
    let page = dbjob::catalog::function::page();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &page).expect("a writable page");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "docs/functions.md is not what the catalog says; BLESS=1 writes it");
}
