//! docs/maps.md is written by the catalog: every map with its inverse, as the compiler derives it.

use std::fs;
use std::path::Path;

use dbjob::catalog::map;
use dbjob::hir::formula::undone_in_words;

#[test]
fn the_page_of_maps_is_that_of_the_catalog() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/maps.md");
    let wanted = map::page(&undone_in_words);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &wanted).expect("a writable page");
    } else {
        assert_eq!(fs::read_to_string(&path).expect("a page"), wanted, "BLESS=1 writes it");
    }
    for map in map::MAPS {
        if map.inverse == map::Inverse::Derived {
            let words = undone_in_words(map).expect("a formula");
            assert!(words.contains('x') && !words.contains("1000"), "{} is undone by {words}", map.name);
        }
    }
}
