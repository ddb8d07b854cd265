//! docs/metrics.md is written by the catalog.

use std::fs;
use std::path::Path;

use dbjob::catalog::metric;

#[test]
fn the_page_of_metrics_is_that_of_the_catalog() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let wanted = metric::page();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &wanted).expect("a writable page");
    } else {
        assert_eq!(fs::read_to_string(&path).expect("a page"), wanted, "BLESS=1 writes it");
    }
}
