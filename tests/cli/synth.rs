use std::fs;

use serde_json::Value;

use super::{dbjob, folder};

const JOB: &str = "\
dataset orders from csv(\"orders.csv\", delimiter = \";\", decimal_comma = true, nulls = [\"NA\"], skip = 2) {
  id:      int key
  user:    int id
  at:      datetime time
  day:     date in @2024-03-01..=@2024-03-31
  items:   int in 1..=5
  price:   float in 0.5..
  share:   float? named \"Share (%)\"
  country: category(\"DE\", \"FR\")
  size:    string in [\"s\", \"m\"]
  note:    string?
  label:   bool label
  expect share is not null else drop
  expect price <= 10.0 else fail
}

dataset lines from ndjson(\"lines.ndjson\") {
  order: int key
  line:  int in 1..=9 key
  tags:  list[string]
}

dataset few from csv(\"few.csv\") {
  level: category(\"a\", \"b\") key
}

dataset fixed from inline [{ a: 1 }] {
  a: int
}
";

fn shop() -> tempfile::TempDir {
    folder(&[("a.dbjob", JOB)])
}

#[test]
fn rows_keep_what_the_dataset_declares() {
    let here = shop();
    let ended = dbjob(here.path(), &["synth", "orders", "--rows", "500"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!(lines.len(), 503);
    assert_eq!(lines[2], "id;user;at;day;items;price;Share (%);country;size;note;label");
    let mut nulls = 0;
    for (index, line) in lines[3..].iter().enumerate() {
        let cells: Vec<&str> = line.split(';').collect();
        assert_eq!(cells.len(), 11, "{line}");
        assert_eq!(cells[0], (index + 1).to_string());
        assert!((1..=125).contains(&cells[1].parse::<i32>().unwrap()), "{line}");
        assert!(cells[2].len() == 19 && cells[2].starts_with("202"), "{line}");
        assert!(cells[3].starts_with("2024-03-"), "{line}");
        assert!((1..=5).contains(&cells[4].parse::<i32>().unwrap()), "{line}");
        let price: f64 = cells[5].replace(',', ".").parse().unwrap();
        // Its type says from 0.5, its rule up to 10.
        assert!((0.5..=10.0).contains(&price) && !cells[5].contains('.'), "{line}");
        assert_ne!(cells[6], "NA", "a rule drops nulls");
        assert!(["DE", "FR"].contains(&cells[7]) && ["s", "m"].contains(&cells[8]), "{line}");
        nulls += usize::from(cells[9] == "NA");
        assert!(["true", "false"].contains(&cells[10]), "{line}");
    }
    assert!((20..100).contains(&nulls), "{nulls} of 500 are null");
}

#[test]
fn a_seed_gives_the_same_rows_and_another_gives_others() {
    let here = shop();
    let rows = |args: &[&str]| dbjob(here.path(), &[&["synth", "a.dbjob", "orders"], args].concat()).out;
    assert_eq!(rows(&["--seed", "7"]), rows(&["--seed", "7"]));
    assert_ne!(rows(&["--seed", "7"]), rows(&["--seed", "8"]));
    // More rows begin with the fewer; but an id's range grows with the rows.
    let (few, many) = (rows(&["--rows", "10"]), rows(&["--rows", "20"]));
    let prices =
        |text: &str| text.lines().skip(3).take(10).map(|l| l.split(';').nth(5).unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(prices(&few), prices(&many));
}

#[test]
fn a_key_of_several_columns_is_distinct_together() {
    let here = shop();
    let ended = dbjob(here.path(), &["synth", "lines", "-o", "out/lines.ndjson", "--rows", "300"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{ended:?}");
    let text = fs::read_to_string(here.path().join("out/lines.ndjson")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(seen.insert((row["order"].as_i64().unwrap(), row["line"].as_i64().unwrap())), "{line}");
        assert!(row["tags"].as_array().unwrap().iter().all(Value::is_string), "{line}");
    }
    assert_eq!(seen.len(), 300);
}

#[test]
fn what_cannot_be_made_up_is_told() {
    let here = shop();
    for (args, code, part) in [
        (&["few", "--rows", "3"][..], 2, "`level` is a key, and has too few values for 3 rows"),
        (&["order"], 2, "did you mean `orders`?"),
        (&["fixed"], 1, "`fixed` comes from inline, which is no file"),
        (&["a.dbjob"], 2, "which dataset?"),
        (&["orders", "b.dbjob"], 2, "there is no file `b.dbjob`"),
    ] {
        let ended = dbjob(here.path(), &[&["synth"], args].concat());
        assert!(ended.code == code && ended.err.contains(part), "{args:?}: {ended:?}");
    }
    assert_eq!(dbjob(here.path(), &["synth", "few", "--rows", "2"]).out, "level\na\nb\n");
    assert_eq!(dbjob(here.path(), &["synth", "few", "--rows", "0"]).out, "level\n");
}

/// What was made up is read by the job without a complaint, in every format.
#[cfg(feature = "local")]
#[test]
fn made_up_rows_are_read_by_their_job() {
    for (format, options) in [
        ("csv", ", delimiter = \"|\", header = false, encoding = \"latin-1\", comment = \"#\""),
        ("csv", ", quote = \"'\", decimal_comma = true, delimiter = \";\""),
        ("parquet", ""),
        ("ndjson", ""),
        ("json", ""),
        ("arrow", ""),
    ] {
        let job = format!(
            "\
dataset rows from {format}(\"rows.{format}\"{options}) {{
  id:     int key
  a:      int? in -5..5
  b:      float? in -1.0..=1.0
  c:      bool?
  d:      string?
  e:      date?
  f:      datetime?
  g:      category(\"x\", \"y y\")?
  h:      category
  i:      decimal(8, 2)?
}}
transform kept from rows {{
  sort id
}}
deploy kept {{
  to csv(\"out.csv\")
}}
"
        );
        let here = folder(&[("a.dbjob", &job)]);
        let file = format!("rows.{format}");
        let made = dbjob(here.path(), &["synth", "rows", "a.dbjob", "-o", &file, "--rows", "200", "--seed", "5"]);
        assert_eq!((made.code, made.err.as_str()), (0, ""), "{format}{options}: {made:?}");
        let ended = dbjob(here.path(), &["run", "a.dbjob"]);
        assert_eq!(ended.code, 0, "{format}{options}: {ended:?}");
        let out = fs::read_to_string(here.path().join("out.csv")).unwrap();
        assert_eq!(out.lines().count(), 201, "{format}{options}");
    }
    let here = folder(&[("a.dbjob", "dataset p from parquet(\"p.parquet\") {\n  id: int key\n}\n")]);
    let ended = dbjob(here.path(), &["synth", "p"]);
    assert!(ended.code == 1 && ended.err.contains("say where: `-o rows.parquet`"), "{ended:?}");
}
