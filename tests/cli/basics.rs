//! init, explain, completions, usage, exit codes, closed pipes.

use std::fs;
use std::process::Stdio;

use dbjob::diagnostic::Code;

use super::{SOUND, dbjob, folder, program};

#[test]
fn explain_prints_the_page_in_any_case() {
    let here = folder(&[]);
    let page = dbjob(here.path(), &["explain", "E0203"]);
    assert_eq!(page.code, 0);
    assert!(page.out.starts_with("# E0203: unknown column\n"), "{}", page.out);
    assert_eq!(dbjob(here.path(), &["explain", "e0203"]).out, page.out);
}

#[test]
fn explain_of_an_unknown_code_names_near_ones() {
    let ended = dbjob(folder(&[]).path(), &["explain", "E0230"]);
    assert_eq!(ended.code, 2);
    assert!(ended.out.is_empty() && ended.err.contains("`E0203` (unknown column)"), "{ended:?}");
    let far = dbjob(folder(&[]).path(), &["explain", "what"]);
    assert!(far.code == 2 && far.err.contains("codes look like E0203"), "{far:?}");
}

#[test]
fn explain_without_a_code_lists_all() {
    let ended = dbjob(folder(&[]).path(), &["explain"]);
    assert_eq!((ended.code, ended.out.lines().count()), (0, Code::ALL.len()));
    for code in Code::ALL {
        assert!(ended.out.contains(&format!("{code}  {}\n", code.title())), "{code}");
    }
}

#[test]
fn completions_know_the_commands_and_their_options() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = dbjob(folder(&[]).path(), &["completions", shell]);
        assert_eq!(ended.code, 0, "{shell}");
        for word in ["describe", "explain", "format", "check"] {
            assert!(ended.out.contains(word), "{shell} lacks {word}");
        }
    }
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    let here = folder(&[]);
    for args in [&[][..], &["chekc"], &["check"], &["check", "--format", "xml", "a.dbjob"], &["completions", "tcsh"]] {
        let ended = dbjob(here.path(), args);
        assert!(ended.code == 2 && ended.out.is_empty() && !ended.err.is_empty(), "{args:?}: {ended:?}");
    }
    assert!(dbjob(here.path(), &["chekc"]).err.contains("'check'"));
    for args in [["--help"], ["--version"]] {
        let ended = dbjob(here.path(), &args);
        assert!(ended.code == 0 && ended.err.is_empty() && ended.out.contains("dbjob"), "{args:?}: {ended:?}");
    }
}

#[test]
fn files_that_cannot_be_read_are_2_with_the_reason() {
    let here = folder(&[("right.dbjob", SOUND)]);
    fs::write(here.path().join("latin.dbjob"), b"job caf\xe9 {\n}\n").unwrap();
    fs::create_dir(here.path().join("sub")).unwrap();
    for command in ["check", "describe", "fmt"] {
        for (file, code, reason) in [
            ("rihgt.dbjob", "E0701", "did you mean `right.dbjob`?"),
            ("sub", "E0701", "is a folder"),
            ("latin.dbjob", "E0714", "byte 0xE9 in line 1"),
        ] {
            let ended = dbjob(here.path(), &[command, file]);
            assert_eq!(ended.code, 2, "{command} {file}: {ended:?}");
            assert!(
                ended.out.is_empty() && ended.err.contains(code) && ended.err.contains(reason),
                "{command}: {ended:?}"
            );
        }
    }
}

#[test]
fn init_writes_a_job_that_checks_and_overwrites_nothing() {
    let here = folder(&[("new/.gitignore", "mine\n")]);
    let ended = dbjob(here.path(), &["init", "new"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.err.contains("dbjob run new/job.dbjob"), "{ended:?}");
    assert_eq!(fs::read_to_string(here.path().join("new/.gitignore")).unwrap(), "mine\n");
    assert_eq!(fs::read_to_string(here.path().join("new/data/penguins.csv")).unwrap().lines().count(), 345);
    let checked = dbjob(here.path(), &["check", "new/job.dbjob"]);
    assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{checked:?}");
    let formatted = dbjob(here.path(), &["fmt", "--check", "new/job.dbjob"]);
    assert_eq!(formatted.code, 0, "the starter is not formatted");

    fs::write(here.path().join("new/job.dbjob"), "precious").unwrap();
    fs::remove_file(here.path().join("new/data/penguins.csv")).unwrap();
    let again = dbjob(here.path(), &["init", "new"]);
    assert!(again.code == 2 && again.err.contains("new/job.dbjob"), "{again:?}");
    assert_eq!(fs::read_to_string(here.path().join("new/job.dbjob")).unwrap(), "precious");
    assert!(!here.path().join("new/data/penguins.csv").exists(), "it wrote although it refused");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let here = folder(&[]);
    let mut child = program(here.path(), &["explain"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stdout_is_an_error() {
    let here = folder(&[]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = program(here.path(), &["explain"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot write to stdout"));
}
