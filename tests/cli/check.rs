use dbjob::diagnostic::Code;
use serde_json::Value;

use super::{SOUND, dbjob, folder};

#[test]
fn a_sound_job_is_0_with_a_line_on_stdout() {
    let here = folder(&[("a.dbjob", SOUND)]);
    let ended = dbjob(here.path(), &["check", "a.dbjob"]);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, "ok: 3 items, no problems\n", ""));
    let quiet = dbjob(here.path(), &["check", "--quiet", "a.dbjob"]);
    assert_eq!((quiet.code, quiet.out.as_str(), quiet.err.as_str()), (0, "", ""));
}

#[test]
fn a_wrong_job_is_2_with_a_picture_on_stderr() {
    let here = folder(&[("a.dbjob", &SOUND.replace("filter age", "filter agee")), ("b.dbjob", SOUND)]);
    let ended = dbjob(here.path(), &["check", "b.dbjob", "a.dbjob"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    for part in ["error[E0203]", "[a.dbjob:8:10]", "did you mean `age`?", "1 error; `dbjob explain E0203` says more"] {
        assert!(ended.err.contains(part), "{part}: {}", ended.err);
    }
}

#[test]
fn json_is_one_document_on_stdout() {
    let wrong = "\u{feff}dataset 人 from csv(\"p.csv\") {\r\n  年齡: int\r\n}\r\n\r\ntransform t from 人 {\r\n  filter 年 > 1\r\n}\r\n";
    let here = folder(&[("a.dbjob", wrong)]);
    let ended = dbjob(here.path(), &["check", "--format", "json", "a.dbjob", "no.dbjob"]);
    assert_eq!((ended.code, ended.err.as_str()), (2, ""));
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    let [column, file] = &json["diagnostics"].as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!(
        (&column["code"], &column["severity"], &column["file"]),
        (&"E0203".into(), &"error".into(), &"a.dbjob".into())
    );
    let place = ["line", "column", "end_line", "end_column"].map(|k| column[k].as_u64().unwrap());
    assert_eq!(place, [6, 10, 6, 11]);
    let text = wrong.trim_start_matches('\u{feff}');
    let span = ["start", "end"].map(|k| column["span"][k].as_u64().unwrap() as usize);
    assert_eq!(&text[span[0]..span[1]], "年");
    assert_eq!((&file["code"], &file["line"]), (&"E0701".into(), &Value::Null));
    let sound = folder(&[("a.dbjob", SOUND)]);
    let ended = dbjob(sound.path(), &["check", "--format", "json", "a.dbjob"]);
    assert_eq!(serde_json::from_str::<Value>(&ended.out).unwrap(), serde_json::json!({ "diagnostics": [] }));
}

#[test]
fn the_caret_stands_under_wide_characters_and_no_carriage_return_is_printed() {
    let text =
        "dataset 人 from csv(\"p.csv\") {\r\n  年齡: int\r\n}\r\ntransform t from 人 {\r\n  filter 年齢 > 1\r\n}\r\n";
    let here = folder(&[("a.dbjob", text)]);
    let err = dbjob(here.path(), &["check", "a.dbjob"]).err;
    assert!(!err.contains('\r'), "{err:?}");
    let lines: Vec<&str> = err.lines().collect();
    let at = lines.iter().position(|l| l.contains("filter 年齢 > 1")).unwrap_or_else(|| panic!("{err}"));
    // ` 5 │ ` and two spaces, `filter `, then two characters of two columns each.
    assert_eq!(lines[at + 1], format!("   · {}──┬─", " ".repeat(9)), "{err}");
}

#[test]
fn colour_follows_the_option() {
    let here = folder(&[("a.dbjob", "what\n")]);
    assert!(!dbjob(here.path(), &["check", "a.dbjob"]).err.contains('\u{1b}'));
    assert!(dbjob(here.path(), &["check", "--color", "always", "a.dbjob"]).err.contains("\u{1b}["));
    assert!(!dbjob(here.path(), &["--color=never", "check", "a.dbjob"]).err.contains('\u{1b}'));
}

#[test]
fn other_formats_are_on_stdout_and_end_alike() {
    let here = folder(&[("a.dbjob", &SOUND.replace("filter age", "filter agee")), ("b.dbjob", SOUND)]);
    let github = dbjob(here.path(), &["check", "--format", "github", "a.dbjob"]);
    assert_eq!((github.code, github.err.as_str()), (2, ""));
    let annotation =
        "::error file=a.dbjob,line=8,col=10,endColumn=14,title=E0203::there is no column `agee` here%0Ahelp: ";
    assert!(github.out.starts_with(annotation) && github.out.lines().count() == 1, "{}", github.out);
    let sound = dbjob(here.path(), &["check", "--format", "github", "b.dbjob"]);
    assert_eq!((sound.code, sound.out.as_str(), sound.err.as_str()), (0, "", ""));
    for (file, code, results) in [("a.dbjob", 2, 1), ("b.dbjob", 0, 0)] {
        let ended = dbjob(here.path(), &["check", "--format", "sarif", file]);
        let log: Value = serde_json::from_str(&ended.out).unwrap();
        let found = log["runs"][0]["results"].as_array().unwrap().len();
        assert_eq!((ended.code, ended.err.as_str(), found), (code, "", results), "{log}");
    }
}

#[test]
fn warnings_fail_only_where_they_are_denied() {
    let [example, _] = crate::docs::pages::halves(Code::W0412);
    let here = folder(&[("a.dbjob", example.job()), ("b.dbjob", SOUND)]);
    let ended = dbjob(here.path(), &["check", "a.dbjob"]);
    assert!(
        ended.code == 0 && ended.err.contains("warning[W0412]") && ended.out.contains(", 1 warning\n"),
        "{ended:?}"
    );
    let denied = dbjob(here.path(), &["check", "--deny", "warnings", "a.dbjob"]);
    assert!(denied.code == 2 && denied.out.is_empty() && denied.err.contains("warning[W0412]"), "{denied:?}");
    let json = dbjob(here.path(), &["check", "--deny", "warnings", "--format", "json", "a.dbjob"]);
    assert!(json.code == 2 && json.out.contains(r#""severity": "warning""#), "{json:?}");
    assert_eq!(dbjob(here.path(), &["check", "--deny", "warnings", "b.dbjob"]).code, 0);
}

#[cfg(feature = "local")]
#[test]
fn what_is_unchecked_is_counted_and_named_and_fails_nothing() {
    let open = SOUND.replace("  age: int? in 0..=120\n", "  age: int?\n  ..\n");
    let here = folder(&[("a.dbjob", &open), ("people.csv", "id,age,city\n1,20,Riga\n")]);
    let ended = dbjob(here.path(), &["check", "--deny", "warnings", "a.dbjob"]);
    let line = "a.dbjob:5:3: N0001 `people` has columns as its file has them: `city`";
    let expected = format!("ok: 3 items, no problems; 1 thing is unchecked:\n  {line}\n");
    assert_eq!((ended.code, ended.out, ended.err.as_str()), (0, expected, ""));
    let json = dbjob(here.path(), &["check", "--format", "json", "a.dbjob"]);
    assert!(json.code == 0 && json.out.contains(r#""severity": "note""#), "{json:?}");
    let github = dbjob(here.path(), &["check", "--format", "github", "a.dbjob"]);
    assert!(github.out.starts_with("::notice file=a.dbjob,line=5,"), "{github:?}");
}

/// A run would stop there. What is not there yet may come.
#[cfg(feature = "local")]
#[test]
fn a_file_that_is_there_and_no_such_file_is_told() {
    let parquet = SOUND.replace("csv(\"people.csv\")", "parquet(\"people.csv\")");
    for (job, data) in [(parquet.as_str(), "id,age\n1,20\n"), (SOUND, "")] {
        let here = folder(&[("a.dbjob", job), ("people.csv", data)]);
        let ended = dbjob(here.path(), &["check", "a.dbjob"]);
        assert!(ended.code == 2 && ended.err.contains("error[E0303]"), "{ended:?}");
        std::fs::remove_file(here.path().join("people.csv")).unwrap();
        assert_eq!(dbjob(here.path(), &["check", "a.dbjob"]).code, 0);
    }
}
