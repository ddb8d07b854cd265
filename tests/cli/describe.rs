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
        "    id:  int              exact; key\n    age: int? in 0..=120  exact\n",
        "transform adults from people  (module night)\n  filter age >= 18\n  derive decade = age // 10\n",
        "    decade: int             exact\n",
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
    let decade = serde_json::json!({
        "name": "decade", "type": "int", "nullable": false, "exactness": "exact", "scope": "row", "origin": ["people.age"]
    });
    assert_eq!(adults["columns"][2], decade);
}

/// What each step does to exactness, scope, roles, taint and maps.
#[test]
fn columns_show_what_is_known_of_them() {
    let job = "\
dataset orders from csv(\"orders.csv\") {
  ## The shop's own number.
  id:     int key
  at:     date time
  amount: float in 0.0..
  items:  int
  seen:   date? late
  back:   bool label
}

transform totals from orders {
  group by at { n = count(), spent = sum(amount), bought = sum(items), one = first(items) }
  derive root = sqrt(spent), grown = exp(float(n)), half = n / 2
  sort at
  take 5
}

transform rows from orders {
  left join totals on at
  derive quick = seen < at, risky = back
  take 7
  split test 20% by id
  map amount with log1p, standardize
  map items with impute(0)
}
";
    let here = folder(&[("a.dbjob", job)]);
    let ended = dbjob(here.path(), &["describe", "a.dbjob"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    let squeezed: String =
        ended.out.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect();
    for part in [
        "\nid: int exact; key ## The shop's own number.\n",
        "\nat: date exact; time\n",
        "\nseen: date? exact; late\n",
        "\nback: bool exact; label\n",
        "\nat: date exact; time\n",
        "\nn: int exact; of several rows\n",
        "\nspent: float approximate; of several rows\n",
        "\nbought: int exact; of several rows\n",
        "\none: int ordered; of several rows\n",
        "\nroot: float approximate; of several rows\n",
        "\ngrown: float approximate; of several rows\n",
        "\nhalf: float exact; of several rows\n",
        "\namount: float approximate; fitted; maps log1p, standardize\n",
        "\nitems: int ordered; maps impute(0)\n",
        "\nseen: date? ordered; late\n",
        "\none: int? ordered; of several rows\n",
        "\nquick: bool? ordered; knows orders.seen (late)\n",
        "\nrisky: bool ordered; label\n",
    ] {
        assert!(squeezed.contains(part), "{part}\nis not in\n{}", ended.out);
    }
    let json: Value =
        serde_json::from_str(&dbjob(here.path(), &["describe", "--format", "json", "a.dbjob"]).out).unwrap();
    let columns = json["items"][2]["columns"].as_array().unwrap();
    let quick = columns.iter().find(|c| c["name"] == "quick").unwrap();
    assert_eq!(quick["knows"], serde_json::json!([{ "name": "orders.seen", "kind": "late" }]));
    assert_eq!(quick["origin"], serde_json::json!(["orders.at", "orders.seen"]));
    let amount = columns.iter().find(|c| c["name"] == "amount").unwrap();
    assert_eq!((&amount["scope"], &amount["maps"]), (&"fitted".into(), &serde_json::json!(["log1p", "standardize"])));
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
fn columns_say_where_they_come_from() {
    let here = folder(&[("a.dbjob", SOUND)]);
    let text = dbjob(here.path(), &["describe", "--columns", "a.dbjob"]).out;
    assert!(text.contains("decade: int             exact  <- people.age\n"), "{text}");
    let json = dbjob(here.path(), &["describe", "--columns", "--format", "json", "a.dbjob"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    let from = serde_json::json!([{ "item": "people", "column": "age", "value": true }]);
    assert_eq!(json["items"][1]["columns"][2]["from"], from);
    let dot = dbjob(here.path(), &["describe", "--columns", "--format", "dot", "a.dbjob"]).out;
    assert!(
        dot.contains("<td port=\"r2\" align=\"left\">decade: int</td>") && dot.contains("n0:r1 -> n1:r2;"),
        "{dot}"
    );
    let mermaid = dbjob(here.path(), &["describe", "--columns", "--format", "mermaid", "a.dbjob"]).out;
    assert!(mermaid.contains("n1r2[\"decade: int\"]") && mermaid.contains("  n0r1 --> n1r2\n"), "{mermaid}");
}

#[test]
fn a_picture_is_well_formed_and_shows_every_item_and_column() {
    let job = SOUND.replace(" people ", " `pe<o>ple & \"co\"` ");
    let here = folder(&[("a.dbjob", &job)]);
    let ended = dbjob(here.path(), &["describe", "--columns", "--format", "svg", "a.dbjob"]);
    let svg = roxmltree::Document::parse(&ended.out).unwrap_or_else(|e| panic!("{e}\n{}", ended.out));
    let texts: Vec<&str> = svg.descendants().filter(|n| n.has_tag_name("text")).filter_map(|n| n.text()).collect();
    for text in ["pe<o>ple & \"co\"", "adults", "module night", "decade: int", "age: int? in 0..=120"] {
        assert!(texts.contains(&text), "{text} is not in {texts:?}");
    }
    let arrows = svg.descendants().filter(|n| n.attribute("marker-end").is_some()).count();
    assert_eq!(arrows, 3, "id, age and age again: {}", ended.out);
    assert!(!ended.out.contains("NaN") && !ended.out.contains("inf"), "{}", ended.out);
}

#[test]
fn warnings_are_shown_and_do_not_hinder() {
    // Two models of one test part are a doubt.
    let job = "dataset d from csv(\"d.csv\") {\n  id: int key\n  x: float\n  y: float label\n}\n\
        transform t from d {\n  split test 20%\n}\n\
        model a from t {\n  input x\n  output y: float\n  fit ridge\n  evaluate r2\n}\n\
        model b from t {\n  input x\n  output y: float\n  fit linear_regression\n  evaluate r2\n}\n";
    let here = folder(&[("a.dbjob", job)]);
    let ended = dbjob(here.path(), &["describe", "a.dbjob"]);
    assert!(ended.code == 0 && ended.err.contains("warning[W0412]") && ended.out.contains("model b"), "{ended:?}");
    let ended = dbjob(here.path(), &["--quiet", "describe", "a.dbjob"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[test]
fn a_wrong_job_is_not_described() {
    let here = folder(&[("a.dbjob", &SOUND.replace("age //", "agee //"))]);
    let ended = dbjob(here.path(), &["describe", "a.dbjob"]);
    assert!(ended.code == 2 && ended.out.is_empty() && ended.err.contains("E0203"), "{ended:?}");
}

/// Neighbouring `derive`s are one step of the plan, and still several statements.
#[test]
fn each_derive_is_told() {
    let job = SOUND.replace(
        "derive decade = age // 10",
        "derive decade = age // 10\n  derive next = decade + 1, last = decade - 1",
    );
    let here = folder(&[("a.dbjob", &job)]);
    let text = dbjob(here.path(), &["describe", "a.dbjob"]).out;
    assert!(
        text.contains("  derive decade = age // 10\n  derive next = decade + 1\n  derive last = decade - 1\n"),
        "{text}"
    );
    let lineage = dbjob(here.path(), &["lineage", "a.dbjob", "adults.last", "--up"]).out;
    assert!(lineage.contains("a.dbjob:10  last = decade - 1\n"), "{lineage}");
}

/// What a process makes is unchecked, and so is what is made of it; what only stands beside it is not.
#[test]
fn what_nobody_promises_is_told_of_all_that_comes_of_it() {
    let job = "\
dataset people from csv(\"people.csv\") {
  id:   int key
  city: string
}

transform placed from people {
  extern \"python3 enrich.py\" { returns { geo: string? } }
  derive {
    place = geo ?? \"nowhere\"
    short = length(city)
  }
}
";
    let here = folder(&[("a.dbjob", job)]);
    let json: Value =
        serde_json::from_str(&dbjob(here.path(), &["describe", "--format", "json", "a.dbjob"]).out).unwrap();
    let unchecked: Vec<&str> = json["items"][1]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["unchecked"] == true)
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(unchecked, ["geo", "place"]);
    assert_eq!(json["unchecked"][0]["code"], "N0002");
    assert_eq!(json["unchecked"][0]["place"], "a.dbjob:7");
    let text = dbjob(here.path(), &["describe", "a.dbjob"]).out;
    assert!(text.contains("\nunchecked\n  a.dbjob:7  "), "{text}");
}

/// What is chosen before a fit, by what, and what follows the judgement.
#[test]
fn a_search_shows_what_is_tried() {
    let job = "\
dataset a from csv(\"a.csv\") {
  id: int key
  x:  float
  who: category(\"b\", \"c\")
  y:  bool label
}
transform t from a { split test 20% by id }
model m from t {
  input x
  output y: bool
  fit best by auc {
    random_forest { trees in [10, 20], max_depth in 3..=6 }
    logistic_regression { c in log(0.1..=10.0) }
  }
  tune random(5)
  threshold = best f1
  refit on all
  evaluate auc by who
  require auc > 0.5 for each who
}
";
    let here = folder(&[("a.dbjob", job)]);
    let text = dbjob(here.path(), &["describe", "a.dbjob"]).out;
    for part in [
        "  classification: the best by auc of a search, random(5)\n    random_forest  max_depth in 3..=6, trees in [10, 20]\n    \
         logistic_regression  c in log(0.1..=10.0)\n  threshold = best f1\n  refit on all\n",
        "  evaluate auc by who\n  require auc > 0.5 for each who\n",
    ] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
    let json: Value =
        serde_json::from_str(&dbjob(here.path(), &["describe", "--format", "json", "a.dbjob"]).out).unwrap();
    let model = json["items"].as_array().unwrap().iter().find(|item| item["name"] == "m").unwrap()["model"].clone();
    assert_eq!(model["search"]["candidates"][0]["spaces"]["max_depth"], "3..=6");
    assert_eq!((&model["threshold"], &model["refit"]), (&"best f1".into(), &true.into()));
}
