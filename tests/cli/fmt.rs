use std::fs;
use std::time::{Duration, SystemTime};

use super::{SOUND, dbjob, folder, with_stdin};

/// Not formatted: indentation and spaces.
fn untidy() -> String {
    SOUND.replace("  filter age >= 18", "     filter age>=18")
}

#[test]
fn files_are_formatted_in_place_and_then_left_alone() {
    let here = folder(&[("a.dbjob", &untidy()), ("b.dbjob", SOUND)]);
    let ended = dbjob(here.path(), &["fmt", "a.dbjob", "b.dbjob"]);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, "", "formatted 1 file\n"));
    assert_eq!(fs::read_to_string(here.path().join("a.dbjob")).unwrap(), SOUND);
    let path = here.path().join("a.dbjob");
    let old = SystemTime::now() - Duration::from_secs(1000);
    fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    assert_eq!(dbjob(here.path(), &["fmt", "a.dbjob"]).err, "");
    let touched = fs::metadata(&path).unwrap().modified().unwrap().duration_since(old).unwrap();
    assert!(touched < Duration::from_secs(10), "an unchanged file was written");
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 2, "something temporary stayed");
}

#[test]
fn check_lists_and_writes_nothing() {
    let here = folder(&[("a.dbjob", &untidy()), ("b.dbjob", SOUND)]);
    let ended = dbjob(here.path(), &["fmt", "--check", "a.dbjob", "b.dbjob"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, "a.dbjob\n"));
    assert_eq!(fs::read_to_string(here.path().join("a.dbjob")).unwrap(), untidy());
    assert_eq!(dbjob(here.path(), &["fmt", "--check", "b.dbjob"]).code, 0);
}

#[test]
fn stdin_goes_to_stdout() {
    let here = folder(&[]);
    let ended = with_stdin(here.path(), &["fmt", "-"], untidy().as_bytes());
    assert_eq!((ended.code, ended.out.as_str()), (0, SOUND));
    assert_eq!(with_stdin(here.path(), &["fmt", "--check", "-"], untidy().as_bytes()).code, 1);
    assert_eq!(with_stdin(here.path(), &["fmt", "--check", "-"], SOUND.as_bytes()).code, 0);
}

#[test]
fn a_file_that_does_not_parse_stays_as_it_is_and_the_others_are_formatted() {
    let broken = "dataset people from {\n";
    let here = folder(&[("a.dbjob", broken), ("b.dbjob", &untidy())]);
    let ended = dbjob(here.path(), &["fmt", "a.dbjob", "b.dbjob"]);
    assert!(ended.code == 2 && ended.err.contains("[a.dbjob:1:"), "{ended:?}");
    assert_eq!(fs::read_to_string(here.path().join("a.dbjob")).unwrap(), broken);
    assert_eq!(fs::read_to_string(here.path().join("b.dbjob")).unwrap(), SOUND);
}

#[test]
fn line_ends_stay_and_a_byte_order_mark_goes() {
    let crlf = SOUND.replace('\n', "\r\n");
    let here = folder(&[("a.dbjob", &crlf), ("b.dbjob", &format!("\u{feff}{SOUND}"))]);
    let ended = dbjob(here.path(), &["fmt", "--check", "a.dbjob", "b.dbjob"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, "b.dbjob\n"));
    fs::write(here.path().join("a.dbjob"), untidy().replace('\n', "\r\n")).unwrap();
    assert_eq!(dbjob(here.path(), &["fmt", "a.dbjob", "b.dbjob"]).code, 0);
    assert_eq!(fs::read_to_string(here.path().join("a.dbjob")).unwrap(), crlf);
    assert_eq!(fs::read_to_string(here.path().join("b.dbjob")).unwrap(), SOUND);
}
