use std::fs;

use serde_json::Value;

use super::{SOUND, dbjob, folder};
use crate::ui::programs;

/// Code and message of each problem of a file, sorted.
fn problems(folder: &std::path::Path) -> Vec<(String, String)> {
    let ended = dbjob(folder, &["check", "--format", "json", "a.dbjob"]);
    let json: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
    let text = |v: &Value| v.as_str().expect("a text").to_owned();
    let mut found: Vec<_> = json["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|d| (text(&d["code"]), text(&d["message"])))
        .collect();
    found.sort();
    found
}

#[test]
fn no_program_is_worse_after_its_fixes() {
    let mut made = 0;
    for path in programs() {
        let text = fs::read_to_string(&path).expect("a readable program");
        let here = folder(&[("a.dbjob", &text)]);
        let before = problems(here.path());
        let fixed = dbjob(here.path(), &["check", "--fix", "a.dbjob"]);
        let after = problems(here.path());
        let mut known = before.clone();
        let unreadable = |found: &[(String, String)]| found.iter().filter(|(code, _)| code.starts_with("E00")).count();
        // What a statement shows that could not be read before was there before.
        let shows_more = unreadable(&after) < unreadable(&before);
        for problem in after.iter().filter(|(code, _)| !shows_more || code.starts_with("E00")) {
            let at = known.iter().position(|p| p == problem);
            let at = at.unwrap_or_else(|| panic!("{}: {problem:?} is new\n{}", path.display(), fixed.err));
            known.remove(at);
        }
        let wrong = after.iter().any(|(code, _)| code.starts_with('E'));
        assert_eq!(fixed.code, if wrong { 2 } else { 0 }, "{}: {fixed:?}", path.display());
        let lines = fixed.err.lines().filter(|l| l.starts_with("a.dbjob:")).count();
        assert!(lines >= before.len().saturating_sub(after.len()), "{}: {}", path.display(), fixed.err);
        assert_eq!(fs::read_to_string(here.path().join("a.dbjob")).unwrap() == text, lines == 0, "{}", path.display());
        made += lines;
        let again = dbjob(here.path(), &["check", "--diff", "a.dbjob"]);
        assert_eq!(again.out, "", "{}: a second time there is more to fix", path.display());
    }
    assert!(made >= 50, "only {made} fixes");
}

#[test]
fn a_fix_is_told_and_changes_nothing_else() {
    let wrong = "\u{feff}".to_owned()
        + &SOUND.replace("filter age >= 18  # of age", "where  agee >= 18  # of age").replace('\n', "\r\n");
    let here = folder(&[("a.dbjob", &wrong)]);
    let ended = dbjob(here.path(), &["check", "--fix", "a.dbjob"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "ok: 3 items, no problems\n"), "{ended:?}");
    assert_eq!(ended.err, "a.dbjob:8:3: E0103: write `filter`\na.dbjob:8:11: E0203: write `age`\nfixed 2 problems\n");
    let fixed = fs::read_to_string(here.path().join("a.dbjob")).unwrap();
    assert_eq!(fixed, wrong.replace("where  agee", "filter  age"));
}

#[test]
fn a_diff_writes_nothing() {
    let wrong = SOUND.replace("filter age", "filter agee").replace("  id:  int key", "  id:  int? key");
    let here = folder(&[("a.dbjob", &wrong)]);
    let ended = dbjob(here.path(), &["check", "--diff", "a.dbjob"]);
    assert_eq!((ended.code, ended.err.as_str()), (2, ""), "{ended:?}");
    assert_eq!(
        ended.out,
        "\
--- a.dbjob
+++ a.dbjob
@@ -1,11 +1,11 @@
 ## Grown-ups.
 dataset people from csv(\"people.csv\") {
-  id:  int? key
+  id:  int key
   age: int? in 0..=120
 }
 \u{20}
 transform adults from people {
-  filter agee >= 18  # of age
+  filter age >= 18  # of age
   derive decade = age // 10
 }
 \u{20}
"
        .replace("\u{20}\n", "\n")
    );
    assert_eq!(fs::read_to_string(here.path().join("a.dbjob")).unwrap(), wrong);
    let sound = folder(&[("a.dbjob", SOUND)]);
    let ended = dbjob(sound.path(), &["check", "--diff", "a.dbjob"]);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, "", ""));
}

/// A statement that could be read shows what else is wrong in it: that is no reason to leave it unreadable.
#[test]
fn what_a_mended_statement_shows_was_there_before() {
    let wrong = SOUND.replace("filter age >= 18", "filter age = 18 && agx == 1");
    let here = folder(&[("a.dbjob", &wrong)]);
    let ended = dbjob(here.path(), &["check", "--fix", "a.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let fixed = fs::read_to_string(here.path().join("a.dbjob")).unwrap();
    assert_eq!(fixed, SOUND.replace("filter age >= 18", "filter age == 18 and age == 1"));
    let unmended = SOUND.replace("filter age >= 18", "filter age = 18 && size == null");
    let here = folder(&[("a.dbjob", &unmended)]);
    let ended = dbjob(here.path(), &["check", "--fix", "a.dbjob"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    let fixed = fs::read_to_string(here.path().join("a.dbjob")).unwrap();
    assert!(fixed.contains("filter age == 18 and size == null"), "{fixed}");
    assert!(!ended.err.contains("`--fix` mends"), "{}", ended.err);
}

/// `cvs` is `csv`, but then it goes there twice.
#[test]
fn a_fix_that_makes_another_problem_is_not_made() {
    let wrong =
        SOUND.to_owned() + "\ndeploy adults {\n  to csv(\"o.csv\")\n  to cvs(\"o.csv\")\n  to csv(\"p.csv\")\n}\n";
    let here = folder(&[("a.dbjob", &wrong.replace("filter age", "filter agee"))]);
    let ended = dbjob(here.path(), &["check", "--fix", "a.dbjob"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.starts_with("a.dbjob:8:10: E0203: write `age`\nfixed 1 problem\nerror[E0101]"), "{}", ended.err);
    assert_eq!(fs::read_to_string(here.path().join("a.dbjob")).unwrap(), wrong);
}

#[cfg(unix)]
#[test]
fn a_fixed_file_keeps_its_mode_and_nothing_temporary_stays() {
    use std::os::unix::fs::PermissionsExt;
    let here = folder(&[("a.dbjob", &SOUND.replace("filter age", "filter agee"))]);
    let file = here.path().join("a.dbjob");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(dbjob(here.path(), &["check", "--fix", "a.dbjob"]).code, 0);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 1);
}
