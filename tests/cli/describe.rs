use serde_json::Value;

use super::{SOUND, dbjob, folder};

#[test]
fn text_shows_items_columns_steps_and_modules() {
    let here = folder(&[("a.dbjob", SOUND)]);
    let ended = dbjob(here.path(), &["describe", "a.dbjob"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    for part in [
        "job a",
        "dataset people from csv(\"people.csv\")\n  ## Grown-ups.\n",
        "    id:  int key\n    age: int? in 0..=120\n",
        "transform adults from people  (module night)\n  filter age >= 18\n  derive decade = age // 10\n",
        "    decade: int\n",
        "module night\n  runs adults\n",
    ] {
        assert!(ended.out.contains(part), "{part}\nis not in\n{}", ended.out);
    }
}

#[test]
fn json_has_the_items_with_their_columns() {
    let here = folder(&[("a.dbjob", SOUND)]);
    let ended = dbjob(here.path(), &["describe", "--format", "json", "a.dbjob"]);
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    let [people, adults] = &json["items"].as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!((&people["kind"], &people["source"]["path"]), (&"dataset".into(), &"people.csv".into()));
    assert_eq!(adults["inputs"], serde_json::json!(["people"]));
    assert_eq!(adults["steps"], serde_json::json!(["filter age >= 18", "derive decade = age // 10"]));
    assert_eq!(adults["columns"][2], serde_json::json!({ "name": "decade", "type": "int", "nullable": false }));
}

#[test]
fn graphs_have_the_edges() {
    let here = folder(&[("a.dbjob", SOUND)]);
    let dot = dbjob(here.path(), &["describe", "--format", "dot", "a.dbjob"]).out;
    assert!(dot.starts_with("digraph \"a\" {") && dot.contains("n0 -> n1;") && dot.contains("module night"), "{dot}");
    let mermaid = dbjob(here.path(), &["describe", "--format", "mermaid", "a.dbjob"]).out;
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains("  n0 --> n1\n"), "{mermaid}");
}

#[test]
fn a_wrong_job_is_not_described() {
    let here = folder(&[("a.dbjob", &SOUND.replace("age //", "agee //"))]);
    let ended = dbjob(here.path(), &["describe", "a.dbjob"]);
    assert!(ended.code == 2 && ended.out.is_empty() && ended.err.contains("E0203"), "{ended:?}");
}
