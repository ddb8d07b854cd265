//! What a row may be, and what is said of one that is not.

use serde_json::{Value, json};

use crate::support::{Reply, post, row, serve, with};

fn refused(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert!(reply.head.contains("content-type: application/problem+json"), "{}", reply.head);
    let json = reply.json();
    assert_eq!((&json["status"], &json["title"]), (&json!(422), &json!("Unprocessable Entity")));
    let error = &json["errors"][0];
    (error["field"].as_str().unwrap_or_default().to_owned(), error["reason"].as_str().unwrap().to_owned())
}

#[test]
fn a_row_is_answered_by_a_prediction() {
    let server = serve();
    for path in ["/predict", "/predict/wants"] {
        let reply = post(&server, path, row(300).to_string());
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.text(), r#"{"prediction":true,"prediction_probability":1.3}"#);
        assert!(reply.head.contains("x-model-version: 1"), "{}", reply.head);
    }
    assert_eq!(post(&server, "/predict/want", row(1).to_string()).status, 404);
}

#[test]
fn every_wrong_value_is_told_with_its_field() {
    let server = serve();
    let cases = [
        ("count", Some(json!(0)), "is 0, which is not in 1..=500"),
        ("count", Some(json!(1.5)), "is 1.5, not an integer of 64 bits"),
        ("count", Some(json!("10")), "is the string \"10\", not an integer of 64 bits"),
        ("count", Some(json!(18_446_744_073_709_551_615_u64)), "is 18446744073709551615, not an integer of 64 bits"),
        ("count", Some(json!(null)), "is null and may not be"),
        ("count", Some(json!([1])), "is a list, not an integer of 64 bits"),
        ("count", Some(json!({ "a": 1 })), "is an object, not an integer of 64 bits"),
        ("count", None, "is missing"),
        ("maybe", None, "is missing; send null where there is no value"),
        ("ratio", Some(json!(1.0)), "is 1, which is not in 0.0..1.0"),
        ("ratio", Some(json!(true)), "is true, not a number"),
        ("sure", Some(json!(1)), "is a number, not true or false"),
        ("code", Some(json!(1)), "is a number, not a string"),
        ("day", Some(json!("2024-02-30")), "is \"2024-02-30\", not a date as a string, \"2024-01-31\""),
        ("day", Some(json!("2019-12-31")), "is @2019-12-31, which is not in @2020-01-01.."),
        ("at", Some(json!("now")), "is \"now\", not a date and time as a string, \"2024-01-31T09:30:00Z\""),
        ("size", Some(json!("XL")), "has the unknown level \"XL\"; did you mean \"L\"?"),
        ("size", Some(json!("Medium")), "has the unknown level \"Medium\"; did you mean \"M\"?"),
        ("contry", Some(json!(1)), "is no field of this model"),
        ("coun", Some(json!(1)), "is no field of this model; did you mean `count`?"),
    ];
    for (field, value, reason) in cases {
        let reply = post(&server, "/predict", with(field, value.clone()).to_string());
        assert_eq!(refused(&reply), (field.to_owned(), reason.to_owned()), "{field} {value:?}");
    }
    let price = refused(&post(&server, "/predict", with("price", Some(json!("1.234"))).to_string()));
    assert!(price.1.starts_with("is \"1.234\", not a decimal number of at most 10 digits"), "{price:?}");
    let needed = post(&server, "/predict", with("day", None).to_string()).json();
    assert_eq!(needed["errors"][0]["inputs"], json!(["month"]));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let server = serve();
    let mut bad = row(0);
    bad["sure"] = json!("yes");
    bad.as_object_mut().unwrap().remove("kind");
    bad["more"] = json!([[[1]]]);
    let errors = post(&server, "/predict", bad.to_string()).json()["errors"].clone();
    let fields: Vec<&str> = errors.as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
    assert_eq!(fields.len(), 4);
    assert!(["count", "sure", "kind", "more"].iter().all(|f| fields.contains(f)), "{fields:?}");
}

#[test]
fn numbers_and_texts_are_what_they_are() {
    let server = serve();
    let fine = |field: &str, json: &str| {
        let text = with(field, Some(json!("HERE"))).to_string().replace("\"HERE\"", json);
        let reply = post(&server, "/predict", &text);
        assert_eq!(reply.status, 200, "{field} {json}: {}", reply.text());
    };
    for (field, json) in [
        ("code", "\"001\""),
        ("code", "\"\""),
        ("big", "9223372036854775807"),
        ("big", "-9223372036854775808"),
        ("count", "3.0"),
        ("count", "1e2"),
        ("ratio", "0"),
        ("ratio", "1e-320"),
        ("price", "\"12345678.90\""),
        ("price", "12345678.90"),
        ("price", "-0.5"),
        ("at", "null"),
        ("at", "\"2024-01-31T09:30:00.123456+02:00\""),
        ("kind", "\"never seen\""),
    ] {
        fine(field, json);
    }
    for (field, json, status) in [
        ("big", "9223372036854775808", 422),
        ("big", "9007199254740994.0", 422),
        ("ratio", "1e999", 400),
        ("ratio", "NaN", 400),
        ("ratio", "-Infinity", 400),
        ("count", "01", 400),
    ] {
        let text = with(field, Some(json!("HERE"))).to_string().replace("\"HERE\"", json);
        assert_eq!(post(&server, "/predict", &text).status, status, "{field} {json}");
    }
}

#[test]
fn a_field_twice_is_refused() {
    let server = serve();
    let text = row(10).to_string().replacen('{', "{\"count\": 11, ", 1);
    let (field, reason) = refused(&post(&server, "/predict", &text));
    assert_eq!((field.as_str(), reason.as_str()), ("count", "is there twice"));
}

#[test]
fn a_list_has_a_prediction_or_a_problem_for_each_row_in_order() {
    let server = serve();
    let rows = json!([row(100), with("sure", Some(json!(0))), row(450), {}, row(300), row(13 + 1)]);
    let answers = post(&server, "/predict", rows.to_string()).json();
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 6);
    assert_eq!(answers[0]["prediction_probability"], json!(1.1));
    assert_eq!(answers[1]["errors"][0]["row"], json!(2));
    assert_eq!(answers[1]["errors"][0]["field"], json!("sure"));
    // The model's own refusal, with the field that it is about.
    assert_eq!(
        answers[2]["errors"],
        json!([{ "row": 3, "field": "count", "reason": "is above 400", "inputs": ["count"] }])
    );
    assert_eq!(answers[3]["errors"][0]["reason"], json!("is missing"));
    assert_eq!((&answers[4]["prediction"], &answers[4]["prediction_probability"]), (&json!(true), &json!(1.3)));
    assert_eq!(answers[5]["prediction_probability"], json!(1.014));
    assert_eq!(post(&server, "/predict", "[]").json()["detail"], "the list has no row");
    let none = post(&server, "/predict", json!([row(1), [2]]).to_string());
    assert_eq!((none.status, none.json()["detail"].as_str().unwrap().starts_with("row 2 is a list;")), (422, true));
}

#[test]
fn a_panic_of_the_model_is_an_error_of_ours_and_the_server_goes_on() {
    let server = serve();
    let reply = post(&server, "/predict", row(13).to_string());
    assert_eq!(reply.status, 500);
    assert!(!reply.text().contains("unlucky"), "{}", reply.text());
    assert_eq!(post(&server, "/predict", row(14).to_string()).status, 200);
}

#[test]
fn requests_that_wait_are_scored_together_and_keep_their_rows() {
    let server = serve();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let server = &server;
            scope.spawn(move || {
                for i in 0..40 {
                    let count = 1 + (thread * 40 + i) % 500;
                    if count == 13 {
                        continue;
                    }
                    let reply = post(server, "/predict", row(count).to_string());
                    if count > 400 {
                        assert_eq!(reply.status, 422);
                    } else {
                        let expected: Value = json!(count as f64 / 1000.0 + 1.0);
                        assert_eq!(reply.json()["prediction_probability"], expected, "{count}");
                    }
                }
            });
        }
    });
}
