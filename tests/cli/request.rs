use serde_json::{Value, json};

use super::{dbjob, folder};

/// Renames, nulls and ranges that only training rows are free of, lookups, rules and dates.
const JOB: &str = "\
dataset sales from csv(\"sales.csv\") {
  id:     int key
  ## What was paid.
  amount: float?
  items:  int
  shop:   int?
  weight: float in 0.0..
  day:    date in @2020-01-01..
  kind:   category(\"a\", \"b\")?
  price:  float label
  expect items < 1000 and id > 0 else drop
  expect price > 0.0 else drop
  expect count() > 3 else fail
}

dataset shops from csv(\"shops.csv\") {
  shop: int key
  size: float?
}

transform rows from sales {
  filter amount > 0.0 and items != 0
  sample 50%
  left join shops on shop lookup
  filter size is not null
  derive {
    each = amount / items
    unit = log(amount)
    m = month(day)
  }
  filter each > 2.0
  derive deep = log(each - 1.0)
  split test 20%
  map kind with impute(mode), one_hot
}

model price_of from rows {
  input each, unit, deep, size, m, weight as \"weight-kg\", kind
  output price: float
  fit ridge
}
";

fn described(job: &str, args: &[&str]) -> String {
    let here = folder(&[("a.dbjob", job)]);
    let ended = dbjob(here.path(), &[&["describe", "a.dbjob"], args].concat());
    assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
    ended.out
}

fn json_of(job: &str, args: &[&str]) -> Value {
    serde_json::from_str(&described(job, args)).unwrap()
}

#[test]
fn the_request_is_told_with_its_reasons() {
    let expected = "\
request of price_of: a row of sales

  amount: float
    ## What was paid.
    for each: each = amount / items (a.dbjob:27)
    for unit: unit = log(amount) (a.dbjob:28)
    for deep: each = amount / items (a.dbjob:27), then deep = log(each - 1.0) (a.dbjob:32)
    never null: in training by filter amount > 0.0 and items != 0 (a.dbjob:22), and later steps rely on it

  items: int
    for each: each = amount / items (a.dbjob:27)
    for deep: each = amount / items (a.dbjob:27), then deep = log(each - 1.0) (a.dbjob:32)

  shop: int?
    for size: left join shops on shop lookup (a.dbjob:24)

  weight-kg: float in 0.0..  (in the job: weight)
    for weight: as it is

  day: date in @2020-01-01..
    for m: m = month(day) (a.dbjob:29)

  kind: category(\"a\", \"b\")?
    for kind: map kind with impute(mode), one_hot (a.dbjob:34)

refused (422) unless
  items < 1000 (a.dbjob:11)
  size is not null (a.dbjob:24): `left join shops on shop lookup` may give null, and later steps rely on a value; \
in training it holds by filter size is not null (a.dbjob:25)
  each is not null (a.dbjob:27): `amount / items` may give null, and later steps rely on a value; \
in training it holds by filter each > 2.0 (a.dbjob:31)
  amount > 0.0 (a.dbjob:28): `log(amount)` relies on it; \
in training it holds by filter amount > 0.0 and items != 0 (a.dbjob:22)
  each - 1.0 > 0.0 (a.dbjob:32): `log(each - 1.0)` relies on it; \
in training it holds by filter each > 2.0 (a.dbjob:31)

tables that travel with the model
  shops: size by shop; null without a match (a.dbjob:24)

not applied to a request: they choose or judge rows of training
  expect price > 0.0 else drop (a.dbjob:12)
  expect count() > 3 else fail (a.dbjob:13)
  filter amount > 0.0 and items != 0 (a.dbjob:22)
  sample 50% (a.dbjob:23)
  filter size is not null (a.dbjob:25)
  filter each > 2.0 (a.dbjob:31)
  split test 20% (a.dbjob:33)

a prediction has
  prediction: float
";
    assert_eq!(described(JOB, &["--request", "price_of"]), expected);
}

#[test]
fn a_field_of_json_schema_has_type_bounds_levels_nulls_and_reasons() {
    let schema = json_of(JOB, &["--request", "price_of", "--format", "json-schema"]);
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], json!(["amount", "items", "shop", "weight-kg", "day", "kind"]));
    let field = |name: &str| &schema["properties"][name];
    assert_eq!(
        *field("amount"),
        json!({
            "type": "number", "format": "double", "exclusiveMinimum": 0.0,
            "description": "What was paid. Needed by `each`, `unit`, `deep`."
        })
    );
    assert_eq!(field("items")["maximum"], 999);
    assert_eq!(field("items")["minimum"], i64::MIN);
    assert!(field("items")["not"].is_null(), "a division that may give null relies on nothing");
    assert_eq!((&field("shop")["type"], &field("shop")["format"]), (&json!(["integer", "null"]), &"int64".into()));
    assert_eq!(field("weight-kg")["minimum"], 0.0);
    assert_eq!(field("day")["format"], "date");
    assert_eq!(field("day")["description"], "Not before 2020-01-01. Needed by `m`.");
    assert_eq!(field("kind")["type"], json!(["string", "null"]));
    assert_eq!(field("kind")["enum"], json!(["a", "b", null]));
    let description = schema["description"].as_str().unwrap();
    assert!(description.contains("refused (422) unless `items < 1000` and `size is not null`"), "{description}");
}

/// Of the order in the table, not of the alphabet.
#[test]
fn fields_stand_in_the_order_of_the_table() {
    let text = described(JOB, &["--request", "price_of", "--format", "json-schema"]);
    let places: Vec<usize> = ["\"amount\": {", "\"items\": {", "\"shop\": {", "\"weight-kg\": {", "\"day\": {"]
        .iter()
        .map(|name| text.find(name).unwrap())
        .collect();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn rules_speak_in_the_names_of_callers() {
    let job = JOB
        .replace("  weight: float in 0.0..\n", "  weight: float\n  expect weight / items > 0.1 else fail\n")
        .replace("expect items < 1000 and id > 0 else drop\n", "expect weight > 0.5 else drop\n");
    let schema = json_of(&job, &["--request", "price_of", "--format", "json-schema"]);
    let description = schema["description"].as_str().unwrap();
    assert!(description.contains("`weight-kg / items > 0.1` and `weight-kg > 0.5`"), "{description}");
    assert_eq!(schema["properties"]["weight-kg"]["exclusiveMinimum"], 0.5);
}

#[test]
fn openapi_has_a_path_for_each_model() {
    let job = format!(
        "{JOB}\n## Two.\nmodel `a kind/of` from rows {{\n  input weight, m\n  output kind2: category\n  fit logistic_regression\n}}\n"
    )
    .replace("  price:  float label\n", "  price:  float label\n  kind2:  category label\n");
    let api = json_of(&job, &["--format", "openapi"]);
    assert_eq!((&api["openapi"], &api["info"]["title"]), (&"3.1.0".into(), &"a".into()));
    let paths: Vec<&String> = api["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/predict/a%20kind%2Fof", "/predict/price_of"]);
    let post = &api["paths"]["/predict/a%20kind%2Fof"]["post"];
    assert_eq!((&post["operationId"], &post["description"]), (&"predict_a_kind_of".into(), &"Two.".into()));
    let row = json!({ "$ref": "#/components/schemas/a_kind_of.row" });
    let list = json!({ "type": "array", "minItems": 1, "items": row });
    assert_eq!(post["requestBody"]["content"]["application/json"]["schema"], json!({ "oneOf": [row, list] }));
    let prediction = &api["components"]["schemas"]["a_kind_of.prediction"];
    assert_eq!(prediction["properties"]["prediction"], json!({ "type": "string" }));
    let share = json!({ "type": "number", "format": "double", "minimum": 0.0, "maximum": 1.0 });
    assert_eq!(prediction["patternProperties"]["^prediction_probability_"], share);
    for status in ["200", "400", "413", "415", "422"] {
        assert!(post["responses"][status]["description"].is_string(), "{status}");
    }
    // One model alone.
    let one = json_of(&job, &["--format", "openapi", "--request", "price_of"]);
    assert_eq!(one["paths"].as_object().unwrap().len(), 1);
}

/// A group between the dataset and the inputs.
const GROUPED: &str = "\
dataset sales from csv(\"sales.csv\") {
  id:   int key
  user: int
  paid: float
}

transform users from sales {
  group by user { n = count(), spent = sum(paid) }
  filter n > 1
  split test 20%
}

model spends from users {
  input n
  output spent: float
  fit ridge
}
";

#[test]
fn what_needs_more_than_a_row_is_told_with_the_place() {
    let text = described(GROUPED, &["--request", "spends"]);
    for part in [
        "request of spends\n  ! it cannot be computed from one row of the dataset: a group needs more than one row (a.dbjob:8)\n",
        "\n  n: int\n    for n: as it is\n",
        "\n  filter n > 1 (a.dbjob:9)\n",
    ] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
    let here = folder(&[("a.dbjob", GROUPED)]);
    for format in ["json-schema", "openapi"] {
        let ended = dbjob(here.path(), &["describe", "a.dbjob", "--request", "spends", "--format", format]);
        assert!(ended.code == 2 && ended.out.is_empty() && ended.err.contains("error[E0601]"), "{ended:?}");
        assert!(ended.err.contains("a group needs more than one row"), "{}", ended.err);
    }
    // A deployment that accepts the inputs.
    let job = format!("{GROUPED}\ndeploy spends {{\n  accept inputs\n  to registry(\"models\")\n}}\n");
    let text = described(&job, &["--request", "spends"]);
    assert!(text.starts_with("request of spends: the model's inputs\n\n  n: int\n"), "{text}");
    let schema = json_of(&job, &["--request", "spends", "--format", "json-schema"]);
    assert_eq!(schema["required"], json!(["n"]));
}

#[test]
fn wrong_questions_get_answers() {
    let here = folder(&[("a.dbjob", JOB)]);
    for (args, code, help) in [
        (&["--request", "price_off"][..], "E0101", "did you mean `price_of`?"),
        (&["--request", "zzz"], "E0101", "the models are price_of"),
        (&["--format", "json-schema"], "E0108", "write `--request MODEL`"),
        (&["--request", "price_of", "--format", "svg"], "E0105", "`json-schema` or `openapi`"),
    ] {
        let ended = dbjob(here.path(), &[&["describe", "a.dbjob"], args].concat());
        assert!(ended.code == 2 && ended.out.is_empty(), "{ended:?}");
        assert!(ended.err.contains(code) && ended.err.contains(help), "{args:?}: {}", ended.err);
    }
}

#[test]
fn json_has_the_reasons() {
    let request = json_of(JOB, &["--request", "price_of", "--format", "json"]);
    assert_eq!((&request["dataset"], &request["fields"][3]["column"]), (&"sales".into(), &"weight".into()));
    let through = &request["fields"][0]["needed_by"][2]["through"][1];
    assert_eq!((&through["text"], &through["place"]["line"]), (&"deep = log(each - 1.0)".into(), &32.into()));
    assert_eq!(request["rules"][3]["relied_on_by"], "log(amount)");
    assert_eq!(
        request["lookups"][0],
        json!({
            "table": "shops", "keys": ["shop"], "columns": ["size"], "required": false,
            "place": { "file": "a.dbjob", "line": 24 }
        })
    );
}

#[test]
fn a_branch_that_guards_itself_is_no_rule() {
    let job = "\
dataset sales from csv(\"sales.csv\") {
  id:    int key
  a:     float
  b:     float
  c:     float?
  price: float label
}

transform rows from sales {
  filter a >= 0.0 and b > 0.0
  derive {
    guarded = if a > 0.0 then log(a) else 0.0
    other   = if a > 0.0 then log(b) else 0.0
    given   = if c is null then 0.0 else c
  }
  split test 20%
}

model price_of from rows {
  input guarded, other, given
  output price: float
  fit ridge
}
";
    let told = described(job, &["--request", "price_of"]);
    let rules: Vec<&str> =
        told.lines().skip_while(|l| !l.starts_with("refused")).skip(1).take_while(|l| !l.is_empty()).collect();
    assert!(
        matches!(rules[..], [rule] if rule.starts_with("  if a > 0.0 then b > 0.0 else true (a.dbjob:13)")),
        "{told}"
    );
    assert!(told.contains("  c: float?\n"), "{told}");
}
