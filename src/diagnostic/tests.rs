use dbjob_plan::{DataLocation, FileId, RunError, Span};

use super::{Code, Diagnostic, Problem, render_github, render_json, render_sarif, render_terminal};
use crate::source::{SourceFile, SourceMap};

fn sources(text: &str) -> SourceMap {
    let mut map = SourceMap::default();
    map.add(SourceFile::new("job.dbjob", text));
    map
}

fn span_of(text: &str, part: &str) -> Span {
    let start = text.find(part).unwrap();
    Span::new(FileId(0), start, start + part.len())
}

fn picture(text: &str, diagnostic: Diagnostic) -> String {
    render_terminal(&[diagnostic.into()], &sources(text), false, 80)
}

#[test]
fn a_picture_has_code_message_place_labels_and_help() {
    let text = "transform rows from t {\n  filter agee >= 18\n}\n";
    let diagnostic = Diagnostic::error(Code::E0203, span_of(text, "agee"), "unknown column `agee`")
        .label("not a column of `t`")
        .related(span_of(text, "t {"), "the table")
        .near("agee", ["age", "sex"]);
    assert_eq!(
        picture(text, diagnostic),
        "error[E0203]

  × unknown column `agee`
   ╭─[job.dbjob:2:10]
 1 │ transform rows from t {
   ·                     ─┬─
   ·                      ╰── the table
 2 │   filter agee >= 18
   ·          ──┬─
   ·            ╰── not a column of `t`
 3 │ }
   ╰────
  help: did you mean `age`?
"
    );
}

#[test]
fn the_caret_stands_under_wide_characters_and_columns_count_characters() {
    let text = "filter 年齡 > 价格\n";
    let diagnostic = Diagnostic::error(Code::E0203, span_of(text, "价格"), "unknown column `价格`").label("这里");
    let picture = picture(text, diagnostic);
    assert!(picture.contains("[job.dbjob:1:13]"), "{picture}");
    // 7 + 4 + 3 terminal columns before it, and it is 4 wide; the snippet begins after ` 1 │ `.
    assert!(picture.contains(&format!("\n   · {}──┬─\n", " ".repeat(14))), "{picture}");
}

#[test]
fn a_place_far_down_has_its_line_and_the_lines_around_it() {
    let text: String = (1..=5000).map(|line| format!("filter x{line} > 0\n")).collect();
    let diagnostic = Diagnostic::error(Code::E0203, span_of(&text, "x4000"), "unknown column `x4000`");
    assert_eq!(
        picture(&text, diagnostic),
        "error[E0203]

  × unknown column `x4000`
      ╭─[job.dbjob:4000:8]
 3999 │ filter x3999 > 0
 4000 │ filter x4000 > 0
      ·        ─────
 4001 │ filter x4001 > 0
      ╰────
"
    );
}

#[test]
fn no_carriage_return_escape_or_bidi_mark_is_printed() {
    let text = "a = 1\r\nb = \u{1b}[31m\u{202e}x\rc\r\n";
    let picture = picture(text, Diagnostic::error(Code::E0001, span_of(text, "x"), "syntax error"));
    assert!(!picture.contains(['\r', '\u{1b}', '\u{202e}']), "{picture:?}");
    assert!(picture.contains(" 2 │ b = ?[31m\u{fffd}x c\n"), "{picture}");
}

#[test]
fn the_end_of_a_file_can_be_pointed_at() {
    for text in ["", "\n", "a {", "a {\n", "a {\r\n\r\n", "名"] {
        let at = Span::new(FileId(0), text.len(), text.len());
        let picture = picture(text, Diagnostic::error(Code::E0002, at, "unclosed").label("here"));
        assert!(!picture.contains("Failed to read"), "{text:?}: {picture}");
        assert!(text.trim().is_empty() || picture.contains("╰── here"), "{text:?}: {picture}");
    }
}

#[test]
fn places_in_another_file_are_shown_from_that_file() {
    let mut map = sources("use \"b.dbjob\"\n");
    let other = map.add(SourceFile::new("b.dbjob", "dataset t from csv(\"t.csv\")\n"));
    let diagnostic = Diagnostic::error(Code::E0102, Span::new(FileId(0), 4, 13), "`t` is declared twice")
        .related(Span::new(other, 8, 9), "first here");
    let picture = render_terminal(&[diagnostic.into()], &map, false, 80);
    assert!(picture.contains("[job.dbjob:1:5]") && picture.contains("[b.dbjob:1:9]"), "{picture}");
    assert!(picture.contains("first here"), "{picture}");
}

#[test]
fn colour_is_only_there_when_asked_for() {
    let text = "x";
    let problem: Problem = Diagnostic::note(Code::N0001, span_of(text, "x"), "unchecked").into();
    let map = sources(text);
    assert!(render_terminal(std::slice::from_ref(&problem), &map, true, 80).contains("\u{1b}["));
    let plain = render_terminal(&[problem], &map, false, 80);
    assert!(plain.starts_with("note[N0001]") && !plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn json_counts_lines_and_columns_from_one_and_characters() {
    let text = "a\r\nfilter 年齡 > 1\n";
    let diagnostic =
        Diagnostic::error(Code::E0203, span_of(text, "年齡"), "unknown").related(span_of(text, "a"), "why");
    let json: serde_json::Value = serde_json::from_str(&render_json(&[diagnostic.into()], &sources(text))).unwrap();
    let d = &json["diagnostics"][0];
    assert_eq!((&d["code"], &d["severity"], &d["file"]), (&"E0203".into(), &"error".into(), &"job.dbjob".into()));
    let place = ["line", "column", "end_line", "end_column"].map(|k| d[k].as_u64().unwrap());
    assert_eq!(place, [2, 8, 2, 10]);
    assert_eq!((d["span"]["start"].as_u64(), d["span"]["end"].as_u64()), (Some(10), Some(16)));
    assert_eq!((&d["related"][0]["message"], &d["related"][0]["line"]), (&"why".into(), &1.into()));
    assert!(d["data"].is_null());
}

#[test]
fn a_failed_run_names_its_place_in_data() {
    let error = RunError::new("E0704", "not a number").data(DataLocation {
        file: Some("data/o.csv".into()),
        row: Some(17),
        line: Some(19),
        column: Some("amount".into()),
        value: Some("12,5\u{1b}".into()),
    });
    let problem = Problem::from(error);
    assert_eq!(problem.code, Code::E0704);
    let picture = render_terminal(std::slice::from_ref(&problem), &SourceMap::default(), false, 80);
    assert_eq!(
        picture,
        "error[E0704]

  × not a number
  │ in data/o.csv, row 17 (line 19), column `amount`: \"12,5\\u{1b}\"
"
    );
    let json: serde_json::Value = serde_json::from_str(&render_json(&[problem], &SourceMap::default())).unwrap();
    let d = &json["diagnostics"][0];
    assert_eq!((&d["data"]["row"], &d["data"]["column"]), (&17.into(), &"amount".into()));
    assert!(d["file"].is_null() && d["line"].is_null());
    assert_eq!(Problem::from(RunError::new("X", "what")).code, Code::E0799);
}

#[test]
fn sarif_has_rules_with_pages_results_with_regions_and_fixes() {
    let text = "a\r\nfilter 年齡 > 1\n";
    let mut map = SourceMap::default();
    map.add(SourceFile::new("jobs/å b.dbjob", text));
    let diagnostic = Diagnostic::error(Code::E0203, span_of(text, "年齡"), "unknown")
        .label("here")
        .related(span_of(text, "a"), "why")
        .near("年齡", ["年齢"]);
    let note = Diagnostic::note(Code::N0001, span_of(text, "a"), "unchecked");
    let failed = Problem::error(Code::E0701, "no file");
    let json: serde_json::Value =
        serde_json::from_str(&render_sarif(&[failed, diagnostic.into(), note.into()], &map)).unwrap();
    assert_eq!((&json["version"], &json["runs"][0]["columnKind"]), (&"2.1.0".into(), &"unicodeCodePoints".into()));
    let run = &json["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.iter().map(|r| r["id"].as_str().unwrap()).collect::<Vec<_>>(), ["E0203", "E0701", "N0001"]);
    assert_eq!(rules[0]["shortDescription"]["text"], "unknown column");
    assert!(rules[0]["help"]["markdown"].as_str().unwrap().contains("```dbjob\n"));
    assert_eq!(rules[2]["defaultConfiguration"]["level"], "note");
    let [failed, result, note] = &run["results"].as_array().unwrap()[..] else { panic!("{run}") };
    assert!(failed["locations"].is_null() && failed["ruleIndex"] == 1 && note["level"] == "note");
    assert_eq!(
        (&result["ruleId"], &result["ruleIndex"], &result["level"]),
        (&"E0203".into(), &0.into(), &"error".into())
    );
    assert_eq!(result["message"]["text"], "unknown; did you mean `年齢`?");
    let region = serde_json::json!({ "startLine": 2, "startColumn": 8, "endLine": 2, "endColumn": 10 });
    let uri = serde_json::json!({ "uri": "jobs/%C3%A5%20b.dbjob" });
    let location = &result["locations"][0];
    assert_eq!(location["physicalLocation"], serde_json::json!({ "artifactLocation": uri, "region": region }));
    assert_eq!(
        (&location["message"]["text"], &result["relatedLocations"][0]["message"]["text"]),
        (&"here".into(), &"why".into())
    );
    assert_eq!(
        result["fixes"],
        serde_json::json!([{
            "description": { "text": "write `年齢`" },
            "artifactChanges": [{
                "artifactLocation": uri,
                "replacements": [{ "deletedRegion": region, "insertedContent": { "text": "年齢" } }],
            }],
        }])
    );
}

#[test]
fn github_annotations_escape_what_would_end_them() {
    let text = "a {\n  b\n}\n";
    let mut map = SourceMap::default();
    map.add(SourceFile::new("100%, a:b.dbjob", text));
    let one_line = Diagnostic::error(Code::E0203, span_of(text, "b"), "100% `b`: no,\nno").help("try");
    let note = Diagnostic::note(Code::N0001, span_of(text, "a {\n  b"), "unchecked");
    let failed = Problem::error(Code::E0701, "no file");
    assert_eq!(
        render_github(&[one_line.into(), note.into(), failed], &map),
        "::error file=100%25%2C a%3Ab.dbjob,line=2,col=3,endColumn=4,title=E0203::100%25 `b`: no,%0Ano%0Ahelp: try\n\
         ::notice file=100%25%2C a%3Ab.dbjob,line=1,endLine=2,title=N0001::unchecked\n\
         ::error title=E0701::no file\n"
    );
}

#[test]
fn json_has_the_changes_of_a_fix() {
    let text = "fit a { x = 1, y = 2 }\n";
    let diagnostic = Diagnostic::error(Code::E0109, span_of(text, "y"), "no effect").needless(span_of(text, "y = 2"));
    let json: serde_json::Value = serde_json::from_str(&render_json(&[diagnostic.into()], &sources(text))).unwrap();
    let fix = &json["diagnostics"][0]["fix"];
    assert_eq!((&fix["title"], fix["edits"].as_array().unwrap().len()), (&"leave it out".into(), 1));
    let edit = &fix["edits"][0];
    assert_eq!((&edit["text"], &edit["span"]), (&"".into(), &serde_json::json!({ "start": 13, "end": 20 })));
    assert_eq!((&edit["file"], &edit["column"], &edit["end_column"]), (&"job.dbjob".into(), &14.into(), &21.into()));
}
