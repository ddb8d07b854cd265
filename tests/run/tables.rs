//! Tables of every type from every format to every format, and the steps that turn them around.

use std::fs;

use serde_json::Value;

use super::files_below;
use crate::cli::{dbjob, folder};

/// Runs a job over some files; the text of `out.ndjson`, line by line.
#[track_caller]
fn rows(job: &str, files: &[(&str, &str)]) -> Vec<String> {
    let mut all = vec![("job.dbjob", job)];
    all.extend_from_slice(files);
    let here = folder(&all);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let text = fs::read_to_string(here.path().join("out.ndjson")).expect("the output");
    text.lines().map(str::to_owned).collect()
}

/// Runs a job that must fail with the code; the message.
#[track_caller]
fn fails(job: &str, files: &[(&str, &str)], code: &str) -> String {
    let mut all = vec![("job.dbjob", job)];
    all.extend_from_slice(files);
    let here = folder(&all);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert!(ended.code != 0 && ended.err.contains(code), "{ended:?}");
    ended.err.clone()
}

#[test]
fn decimals_are_exact_through_every_format() {
    let job = r#"
dataset a from csv("a.csv", delimiter = ";", decimal_comma = true) {
  id:    int key
  price: decimal(20, 2)?
  rate:  decimal(6, 5)
}
transform t from a {
  derive {
    sum   = price + rate
    times = price * rate
    rest  = price % 7
    whole = price // 7
    r1    = round(price, 1)
    up    = ceil(price)
    ratio = price / rate
    same  = price == round(price, 1)
    text  = string(price)
    minus = -price
    three = price * 3
  }
}
deploy t { to ndjson("out.ndjson"); to csv("t.csv"); to parquet("t.parquet"); to arrow("t.arrow") }
"#;
    let csv = "id;price;rate\n1;123456789012345678,05;0,10000\n2;-7,50;1,00001\n3;;0,5\n4; 0,10 ;0,2\n";
    let here = folder(&[("job.dbjob", job), ("a.csv", csv)]);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let expected = "id,price,rate,sum,times,rest,whole,r1,up,ratio,same,text,minus,three\n\
        1,123456789012345678.05,0.10000,123456789012345678.15000,12345678901234567.8050000,1.05,17636684144620811.00,\
        123456789012345678.1,123456789012345679,1.2345678901234568e+18,false,123456789012345678.05,\
        -123456789012345678.05,370370367037037034.15\n\
        2,-7.50,1.00001,-6.49999,-7.5000750,6.50,-2.00,-7.5,-7,-7.499925000749992,true,-7.50,7.50,-22.50\n\
        3,,0.50000,,,,,,,,,,,\n\
        4,0.10,0.20000,0.30000,0.0200000,0.10,0.00,0.1,1,0.5,true,0.10,-0.10,0.30\n";
    let written = fs::read_to_string(here.path().join("t.csv")).expect("a CSV file");
    assert_eq!(written, expected);
    // What was written is read back as it is, from each format.
    for source in ["csv(\"t.csv\")", "parquet(\"t.parquet\")", "arrow(\"t.arrow\")", "ndjson(\"out.ndjson\")"] {
        let again = format!(
            "dataset b from {source} {{ id: int key; price: decimal(20, 2)?; times: decimal(26, 7)?; }}\n\
             transform t from b {{ derive twice = times + times }}\ndeploy t {{ to csv(\"again.csv\") }}\n"
        );
        fs::write(here.path().join("again.dbjob"), again).expect("a writable folder");
        let ended = dbjob(here.path(), &["run", "--quiet", "again.dbjob"]);
        assert_eq!(ended.code, 0, "{source}: {ended:?}");
        assert_eq!(
            fs::read_to_string(here.path().join("again.csv")).expect("a CSV file"),
            "id,price,times,twice\n1,123456789012345678.05,12345678901234567.8050000,24691357802469135.6100000\n\
             2,-7.50,-7.5000750,-15.0001500\n3,,,\n4,0.10,0.0200000,0.0400000\n",
            "{source}"
        );
    }
}

#[test]
fn decimals_group_join_and_sum_exactly() {
    let job = r#"
dataset a from inline [
  { k: 1.10, x: 0.1, n: 2 }, { k: 1.1, x: 0.2, n: 3 }, { k: 2, x: 0.3, n: null }, { k: 2, x: null, n: 4 },
] { k: decimal(4, 2); x: decimal(3, 1)?; n: int?; }
dataset b from inline [ { k: 1.1, name: "one" }, { k: 3, name: "three" } ] { k: decimal(4, 2) key; name: string; }
transform t from a {
  left join b on k
  group by k, name {
    total = sum(x), least = min(x), most = max(x), middle = mean(x), n = count(x), kinds = count_distinct(k), wide = sum(x * n)
  }
  sort k
}
deploy t { to ndjson("out.ndjson") }
"#;
    assert_eq!(
        rows(job, &[]),
        [
            r#"{"k":"1.10","name":"one","total":"0.3","least":"0.1","most":"0.2","middle":0.15000000000000002,"n":2,"kinds":1,"wide":"0.8"}"#,
            r#"{"k":"2.00","name":null,"total":"0.3","least":"0.3","most":"0.3","middle":0.3,"n":1,"kinds":1,"wide":null}"#,
        ]
    );
}

#[test]
fn decimals_without_room_stop_the_run() {
    let job = |derive: &str| {
        format!(
            "dataset a from inline [ {{ x: 1 }}, {{ x: \"900000000000000.5\" }} ] {{ x: decimal(38, 17) }}\n\
             transform t from a {{ derive y = {derive} }}\ndeploy t {{ to ndjson(\"out.ndjson\") }}\n"
        )
    };
    for (derive, code, text) in [
        ("x * 1000 * x", "E0709", "in row 2"),
        ("decimal(x, 5, 2)", "E0710", "does not fit a decimal(5, 2)"),
        ("int(x * 100000)", "E0709", "does not fit a 64-bit int"),
    ] {
        let message = fails(&job(derive), &[], code);
        assert!(message.contains(text), "{derive}: {message}");
    }
    assert_eq!(
        rows(&job("try_decimal(x, 5, 2)"), &[]),
        [r#"{"x":"1.00000000000000000","y":"1.00"}"#, r#"{"x":"900000000000000.50000000000000000","y":null}"#]
    );
    let csv = "dataset a from csv(\"a.csv\") { x: decimal(4, 2) }\ndeploy a { to ndjson(\"out.ndjson\") }\n";
    let message = fails(csv, &[("a.csv", "x\n1.5\n1.505\n")], "E0704");
    assert!(message.contains("row 2") && message.contains("1.505"), "{message}");
    let message = fails(csv, &[("a.csv", "x\n123\n")], "E0704");
    assert!(message.contains("decimal(4, 2)"), "{message}");
}

#[test]
fn lists_in_and_out() {
    let job = r#"
dataset a from ndjson("a.ndjson") {
  id:    int key
  tags:  list[string]?
  ns:    list[int]
  days:  list[date]?
  price: list[decimal(5, 2)]?
  place: vector(2)
}
transform t from a {
  derive {
    n      = length(tags)
    first  = get(tags, 1)
    last   = get(ns, -1)
    has    = "b" in tags
    sum    = list_sum(ns)
    mean   = list_mean(ns)
    most   = list_max(days)
    least  = list_min(tags)
    cents  = list_sum(price)
    joined = join(list_unique(list_sort(tags)), "+")
    both   = list_concat(ns, [id, 0])
    some   = slice(ns, 2)
    back   = list_reverse(ns)
    x      = get(place, 2)
    halves = [id, 0.5]
  }
}
deploy t { to ndjson("out.ndjson"); to csv("t.csv"); to parquet("t.parquet"); to arrow("t.arrow") }
"#;
    let data = concat!(
        r#"{"id": 1, "tags": ["b", null, "a", "b"], "ns": [3, 1, null], "days": ["2024-01-02", "2023-05-01"], "price": [1.5, "2.25"], "place": [1, 2.5]}"#,
        "\n",
        r#"{"id": 2, "tags": null, "ns": [], "days": [], "place": [0, 0]}"#,
        "\n",
    );
    let here = folder(&[("job.dbjob", job), ("a.ndjson", data)]);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let text = fs::read_to_string(here.path().join("out.ndjson")).expect("the output");
    let rows: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let expected: [Value; 2] = [
        serde_json::json!({
            "id": 1, "tags": ["b", null, "a", "b"], "ns": [3, 1, null], "days": ["2024-01-02", "2023-05-01"],
            "price": ["1.50", "2.25"], "place": [1.0, 2.5], "n": 4, "first": "b", "last": null, "has": true, "sum": 4,
            "mean": 2.0, "most": "2024-01-02", "least": "a", "cents": "3.75", "joined": "a+b",
            "both": [3, 1, null, 1, 0], "some": [1, null], "back": [null, 1, 3], "x": 2.5, "halves": [1.0, 0.5],
        }),
        serde_json::json!({
            "id": 2, "tags": null, "ns": [], "days": [], "price": null, "place": [0.0, 0.0], "n": null, "first": null,
            "last": null, "has": null, "sum": null, "mean": null, "most": null, "least": null, "cents": null,
            "joined": null, "both": [2, 0], "some": [], "back": [], "x": 0.0, "halves": [2.0, 0.5],
        }),
    ];
    assert_eq!(rows, expected);
    for source in ["parquet(\"t.parquet\")", "arrow(\"t.arrow\")"] {
        let again = format!(
            "dataset b from {source} {{ id: int key; tags: list[string]?; days: list[date]?; price: list[decimal(5, 2)]?; \
             place: vector(2); halves: list[float]; }}\ndeploy b {{ to ndjson(\"again.ndjson\") }}\n"
        );
        fs::write(here.path().join("again.dbjob"), again).expect("a writable folder");
        let ended = dbjob(here.path(), &["run", "--quiet", "again.dbjob"]);
        assert_eq!(ended.code, 0, "{source}: {ended:?}");
        let text = fs::read_to_string(here.path().join("again.ndjson")).expect("the output");
        let again: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
        for (row, before) in again.iter().zip(&rows) {
            for name in ["id", "tags", "days", "price", "place", "halves"] {
                assert_eq!(row[name], before[name], "{source}: {name}");
            }
        }
    }
}

#[test]
fn a_vector_has_its_length() {
    let job = "dataset a from ndjson(\"a.ndjson\") { v: vector(2) }\ndeploy a { to ndjson(\"out.ndjson\") }\n";
    for (data, text) in [("[1]", "another length"), ("[1, null]", "null in it")] {
        let message = fails(job, &[("a.ndjson", &format!("{{\"v\": [1, 2]}}\n{{\"v\": {data}}}\n"))], "E0704");
        assert!(message.contains(text) && message.contains("line 2"), "{message}");
    }
}

#[test]
fn json_and_arrow_files() {
    let job = r#"
dataset a from json("data/*.json") { id: int key; xs: list[int]?; at: datetime?; }
transform t from a { sort id }
deploy t { to ndjson("out.ndjson"); to arrow("t.arrow") }
"#;
    let files = [
        ("data/b.json", "[{\"id\": 2, \"xs\": [1], \"more\": {}}, {\"id\": 3, \"at\": \"2024-01-01T10:00:00Z\"}]"),
        ("data/a.json", " [ {\"id\": 1} ] "),
    ];
    let expected = [
        r#"{"id":1,"xs":null,"at":null}"#,
        r#"{"id":2,"xs":[1],"at":null}"#,
        r#"{"id":3,"xs":null,"at":"2024-01-01T10:00:00"}"#,
    ];
    let files: Vec<(&str, &str)> = files.to_vec();
    assert_eq!(rows(job, &files), expected);
    let inferred = "dataset a from json(\"a.json\")\ntransform t from a { derive y = x + 1 }\ndeploy t { to ndjson(\"out.ndjson\") }\n";
    assert_eq!(rows(inferred, &[("a.json", "[{\"x\": 1}, {\"x\": 2}]")]), [r#"{"x":1,"y":2}"#, r#"{"x":2,"y":3}"#]);
    let one = "dataset a from json(\"a.json\") { x: int }\ndeploy a { to ndjson(\"out.ndjson\") }\n";
    for (data, code, text) in [
        ("{\"x\": 1}", "E0712", "array of objects"),
        ("[{\"x\": 1}, {\"x\": \"a\"}]", "E0704", "object 2"),
        ("[{\"x\": 1}, ", "E0712", "a.json"),
        ("[{\"y\": 1}]", "E0705", "x"),
    ] {
        let message = fails(one, &[("a.json", data)], code);
        assert!(message.contains(text), "{message}");
    }
}

#[test]
fn pivot_and_back() {
    let job = r#"
dataset a from inline [
  { shop: "A", month: 1, x: 10, s: "p" }, { shop: "A", month: 2, x: 20, s: null }, { shop: "A", month: 1, x: 5, s: "q" },
  { shop: "B", month: 3, x: 7, s: "r" }, { shop: null, month: 9, x: 1, s: "s" },
] { shop: string?; month: int; x: int; s: string?; }
transform wide from a {
  pivot month in [1, 2, 3] values x = sum(x), n = count(), first = first(s), kinds = count_distinct(s)
  sort shop
}
transform long from wide {
  select shop, x_1, x_2, x_3
  unpivot where int as month, value
}
deploy wide { to ndjson("out.ndjson") }
deploy long { to csv("long.csv") }
"#;
    let here = folder(&[("job.dbjob", job)]);
    let ended = dbjob(here.path(), &["run", "--quiet", "job.dbjob"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let text = fs::read_to_string(here.path().join("out.ndjson")).expect("the output");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"shop":"A","x_1":15,"x_2":20,"x_3":null,"n_1":2,"n_2":1,"n_3":0,"first_1":"p","first_2":null,"first_3":null,"kinds_1":2,"kinds_2":0,"kinds_3":0}"#,
            r#"{"shop":"B","x_1":null,"x_2":null,"x_3":7,"n_1":0,"n_2":0,"n_3":1,"first_1":null,"first_2":null,"first_3":"r","kinds_1":0,"kinds_2":0,"kinds_3":1}"#,
            r#"{"shop":null,"x_1":null,"x_2":null,"x_3":null,"n_1":0,"n_2":0,"n_3":0,"first_1":null,"first_2":null,"first_3":null,"kinds_1":0,"kinds_2":0,"kinds_3":0}"#,
        ]
    );
    assert_eq!(
        fs::read_to_string(here.path().join("long.csv")).expect("a CSV file"),
        "shop,month,value\nA,x_1,15\nA,x_2,20\nA,x_3,\nB,x_1,\nB,x_2,\nB,x_3,7\n,x_1,\n,x_2,\n,x_3,\n"
    );
}

#[test]
fn a_pivot_below_a_split_by_its_keys() {
    let job = r#"
dataset a from inline [ { u: 1, m: "a", x: 1.5 }, { u: 1, m: "b", x: 2.5 }, { u: 2, m: "a", x: 3.5 } ] {
  u: int id; m: category("a", "b"); x: float;
}
transform t from a {
  split by u { train 90%, test 10% }
  pivot m in ["a", "b"] values x = sum(x)
  map x_a with standardize
  unmap x_a
  sort u
}
deploy t { to ndjson("out.ndjson") }
"#;
    let rows = rows(job, &[]);
    assert_eq!(rows, [r#"{"u":1,"x_a":1.5,"x_b":2.5}"#, r#"{"u":2,"x_a":3.5,"x_b":null}"#]);
}

#[test]
fn exploded_lists() {
    let job = r#"
dataset a from inline [
  { id: 1, xs: [1, 2], ys: ["a", "b"] }, { id: 2, xs: [], ys: null }, { id: 3, xs: [null], ys: ["c"] },
] { id: int key; xs: list[int]?; ys: list[string]?; }
transform t from a { explode xs, ys; filter id != 9 }
deploy t { to csv("t.csv"); to ndjson("out.ndjson") }
"#;
    assert_eq!(
        rows(job, &[]),
        [
            r#"{"id":1,"xs":1,"ys":"a"}"#,
            r#"{"id":1,"xs":2,"ys":"b"}"#,
            r#"{"id":2,"xs":null,"ys":null}"#,
            r#"{"id":3,"xs":null,"ys":"c"}"#,
        ]
    );
    let wrong = job.replace("ys: [\"c\"]", "ys: []");
    let message = fails(&wrong, &[], "E0720");
    assert!(message.contains("row 3") && message.contains("`xs` has 1 items and `ys` has 0"), "{message}");
}

#[test]
fn a_folder_of_files_grows_and_is_replaced() {
    let job = |mode: &str| {
        format!(
            "dataset a from csv(\"a.csv\") {{ id: int key; day: date?; kind: string; }}\n\
             deploy a {{ to parquet(\"out/days\", {mode}partition = [day, kind]); to csv(\"out/log\", mode = append) }}\n"
        )
    };
    let back = "dataset b from parquet(\"out/days/*/*/*.parquet\") { id: int key; day: date?; kind: string; }\n\
                transform s from b { sort id }\ndeploy s { to ndjson(\"back.ndjson\") }\n";
    let data = "id,day,kind\n1,2024-01-31,a/b\n2,,c\n3,2024-01-31,a/b\n";
    let here = folder(&[("job.dbjob", &job("")), ("back.dbjob", back), ("a.csv", data)]);
    // The same rows again: with its state a run would find that nothing is to be done.
    let run = |file: &str| dbjob(here.path(), &["run", "--quiet", "--no-state", file]);
    for _ in 0..2 {
        let ended = run("job.dbjob");
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let days = |n: &str| {
        [
            format!("day=2024-01-31/kind=a%2Fb/part-{n}.parquet"),
            format!("day=__HIVE_DEFAULT_PARTITION__/kind=c/part-{n}.parquet"),
        ]
    };
    assert_eq!(files_below(&here.path().join("out/days")), days("00001"), "replaced");
    assert_eq!(files_below(&here.path().join("out/log")), ["part-00001.csv", "part-00002.csv"], "appended");
    fs::write(here.path().join("job.dbjob"), job("mode = append, ")).expect("a writable folder");
    let ended = run("job.dbjob");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(files_below(&here.path().join("out/days")).len(), 4);
    let ended = run("back.dbjob");
    assert_eq!(ended.code, 0, "{ended:?}");
    let back = fs::read_to_string(here.path().join("back.ndjson")).expect("the output");
    assert_eq!(back.lines().count(), 6);
    assert!(back.starts_with("{\"id\":1,\"day\":\"2024-01-31\",\"kind\":\"a/b\"}"), "{back}");
    // What it did not write it does not remove.
    fs::write(here.path().join("out/days/notes.txt"), "mine").expect("a writable folder");
    fs::write(here.path().join("job.dbjob"), job("")).expect("a writable folder");
    let ended = run("job.dbjob");
    assert!(ended.code == 1 && ended.err.contains("E0713") && ended.err.contains("notes.txt"), "{ended:?}");
    assert_eq!(files_below(&here.path().join("out/days")).len(), 5);
}

#[test]
fn what_no_engine_reaches_is_said_before_anything_runs() {
    let job = r#"
dataset a from inline [ { id: 1 } ] { id: int key; }
dataset b from csv(secret("PATH")) { id: int key; }
deploy a { to parquet("s3://bucket/a", mode = append) }
"#;
    let here = folder(&[("job.dbjob", job)]);
    let ended = dbjob(here.path(), &["check", "job.dbjob"]);
    for text in ["E0901", "`secret(\"PATH\")`", "s3://"] {
        assert!(ended.code == 2 && ended.err.contains(text), "{text}: {ended:?}");
    }
}

#[test]
fn functions_of_awkward_values() {
    let job = r#"
dataset a from inline [
  { id: 1, s: " Zoë ", n: 3, t: @2024-03-31T00:30:00, x: -0.5 },
  { id: 2, s: "", n: -1, t: @2024-10-27T01:30:00, x: 0.0 },
  { id: 3, s: null, n: null, t: null, x: null },
] { id: int key; s: string?; n: int?; t: datetime?; x: float?; }
transform t from a {
  derive {
    a = left(s, n)
    b = right(s, 3)
    c = pad_left(trim(s), 5, "ab")
    d = repeat("xy", n)
    e = position(s, "o")
    f = extract(s, "(\\S+)")
    g = local(t, "Europe/Paris")
    h = from_local(t, "Europe/Paris")
    i = format(t, "%d.%m. %H:%M")
    j = add_months(t, n)
    k = last_day(t)
    l = acos(x)
    m = log(2.0, x)
    o = atan2(x, 0)
    p = epoch(t, "ms")
    q = make_datetime(2024, 2, n + 28, 0, 0, 0)
    r = ltrim(s) + "|" + rtrim(s)
    u = n * 1d
    v = sign(x)
    w = split(s, "o")
    y = nullif(x, 0)
  }
  drop s, n, t, x
  derive replace u = hours(u)
}
deploy t { to ndjson("out.ndjson") }
"#;
    let rows: Vec<Value> = rows(job, &[]).iter().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let expected = [
        serde_json::json!({
            "id": 1, "a": " Zo", "b": "oë ", "c": "abZoë", "d": "xyxyxy", "e": 3, "f": "Zoë",
            "g": "2024-03-31T01:30:00", "h": "2024-03-30T23:30:00", "i": "31.03. 00:30", "j": "2024-06-30T00:30:00",
            "k": "2024-03-31", "l": (-0.5_f64).acos(), "m": null, "o": (-0.5_f64).atan2(0.0), "p": 1_711_845_000_000_i64,
            "q": null, "r": "Zoë | Zoë", "u": 72.0, "v": -1.0, "w": [" Z", "ë "], "y": -0.5,
        }),
        serde_json::json!({
            "id": 2, "a": "", "b": "", "c": "ababa", "d": "", "e": 0, "f": null, "g": "2024-10-27T02:30:00",
            "h": "2024-10-26T23:30:00", "i": "27.10. 01:30", "j": "2024-09-27T01:30:00", "k": "2024-10-31",
            "l": 0.0_f64.acos(), "m": null, "o": 0.0, "p": 1_729_992_600_000_i64, "q": "2024-02-27T00:00:00", "r": "|",
            "u": -24.0, "v": 0.0, "w": [""], "y": null,
        }),
    ];
    assert_eq!(rows[..2], expected);
    let third = rows[2].as_object().expect("an object");
    assert!(third.iter().all(|(name, value)| name == "id" || value.is_null()), "{third:?}");
}

#[test]
fn what_is_made_of_aggregates_has_one_value_a_group() {
    let data = r#"
dataset a from inline [ { g: "a", n: 1, v: 5 }, { g: "a", n: 2, v: 7 }, { g: "b", n: 1, v: 9 } ]
"#;
    let pivoted = r#"
transform t from a {
  pivot n in [1, 2] values day = @2024-07-26 + 7d, mid = quantile(v, 0.5) + 1, less = if min(v) > 6 then min(v) - 1 else 0
}
deploy t { to ndjson("out.ndjson") }
"#;
    assert_eq!(
        rows(&format!("{data}{pivoted}"), &[]),
        [
            concat!(
                r#"{"g":"a","day_1":"2024-08-02","day_2":"2024-08-02","mid_1":6.0,"mid_2":8.0,"#,
                r#""less_1":0,"less_2":6}"#
            ),
            concat!(
                r#"{"g":"b","day_1":"2024-08-02","day_2":"2024-08-02","mid_1":10.0,"mid_2":null,"#,
                r#""less_1":8,"less_2":0}"#
            ),
        ]
    );
    let grouped = r#"
transform t from a {
  group by g { n = count_distinct(1), s = sum(2) - min(v), c = if count() > 1 then mode(7d) else 1d, k = "x" + "y" }
  sort g
}
deploy t { to ndjson("out.ndjson") }
"#;
    assert_eq!(
        rows(&format!("{data}{grouped}"), &[]),
        [r#"{"g":"a","n":1,"s":-1,"c":604800000000,"k":"xy"}"#, r#"{"g":"b","n":1,"s":-7,"c":86400000000,"k":"xy"}"#]
    );
    // A rule of the whole table that fails inside tells its own code.
    let rule = "transform t from a {\n  expect max_by(v, v + 9223372036854775806) > 0\n}\n";
    let job = format!("{data}{rule}deploy t {{ to ndjson(\"out.ndjson\") }}\n");
    assert!(fails(&job, &[], "E0709").contains("does not fit a 64-bit int"));
}

#[test]
fn a_given_part_may_be_the_same_in_all_rows() {
    let job = r#"
dataset a from inline [ { n: 1 }, { n: 2 } ]
transform t from a {
  derive part = if n > 0 or true then "train" else "test"
  split using part
}
deploy t { to ndjson("out.ndjson") }
"#;
    assert_eq!(rows(job, &[]).len(), 2);
    assert_eq!(rows(&job.replace("if n > 0 or true", "if true"), &[]).len(), 2);
}

#[test]
fn an_appended_int_beside_a_float_becomes_one_and_a_date_its_midnight() {
    let job = r#"
dataset a from inline [ { x: 1, t: @2024-01-02 } ] { x: int; t: date }
dataset b from inline [ { t: @2024-01-02T03:04:05, x: 2.5 }, { t: null, x: null } ] { t: datetime?; x: float? }
transform t from a { union b }
deploy t { to ndjson("out.ndjson") }
"#;
    assert_eq!(
        rows(job, &[]),
        [r#"{"x":1.0,"t":"2024-01-02T00:00:00"}"#, r#"{"x":2.5,"t":"2024-01-02T03:04:05"}"#, r#"{"x":null,"t":null}"#]
    );
}

#[test]
fn a_bound_that_is_null_gives_null() {
    let job = r#"
dataset a from inline [ { x: 5, low: 1, high: 3 }, { x: 5, low: null, high: 3 }, { x: 5, low: 7, high: null } ]
transform t from a {
  derive c = clip(x, low, high), d = clip(x, 0, high)
  select c, d
}
deploy t { to ndjson("out.ndjson") }
"#;
    assert_eq!(rows(job, &[]), [r#"{"c":3,"d":3}"#, r#"{"c":null,"d":3}"#, r#"{"c":null,"d":null}"#]);
}

#[test]
fn the_ends_of_the_ints_come_back_from_a_map() {
    let job = r#"
dataset a from csv("a.csv") {
  n: int
}
transform t from a {
  split train 100%
  map n with robust
  unmap n
}
deploy t { to ndjson("out.ndjson") }
"#;
    let files = [("a.csv", "n\n-9223372036854775808\n9223372036854775807\n-9223372036854775808\n0\n")];
    let ends = [r#"{"n":-9223372036854775808}"#, r#"{"n":9223372036854775807}"#, r#"{"n":-9223372036854775808}"#];
    assert_eq!(rows(job, &files)[..3], ends);
}

#[test]
fn a_join_may_compare_one_column_with_two() {
    let job = r#"
dataset a from inline [ { id: 1 }, { id: 2 } ] {
  id: int key
}
dataset b from inline [ { x: 1, y: 1 }, { x: 2, y: 3 } ] {
  x: int key
  y: int key
}
transform t from a {
  left join b as r on id == r.x and id == r.y one_to_many
  select id, y
}
deploy t { to ndjson("out.ndjson") }
"#;
    assert_eq!(rows(job, &[]), [r#"{"id":1,"y":1}"#, r#"{"id":2,"y":null}"#]);
}
