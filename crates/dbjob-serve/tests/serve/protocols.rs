use serde_json::{Value, json};

use crate::support::{get, post, row, send, serve};

fn names() -> Vec<String> {
    row(1).as_object().unwrap().keys().cloned().collect()
}

fn tensor(name: &str, datatype: &str, data: Value) -> Value {
    json!({ "name": name, "datatype": datatype, "shape": [data.as_array().unwrap().len()], "data": data })
}

fn tensors(counts: &[i64]) -> Value {
    let inputs: Vec<Value> = row(1)
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            let datatype = match name.as_str() {
                "count" | "maybe" | "big" | "shop" => "INT64",
                "ratio" | "A, B & C" => "FP64",
                "sure" => "BOOL",
                _ => "BYTES",
            };
            let data = counts.iter().map(|c| if name == "count" { json!(c) } else { value.clone() }).collect();
            tensor(name, datatype, data)
        })
        .collect();
    json!({ "id": "7", "inputs": inputs })
}

#[test]
fn mlflow_in_all_its_forms() {
    let server = serve();
    let values = |count: i64| -> Vec<Value> { row(count).as_object().unwrap().values().cloned().collect() };
    let split =
        json!({ "dataframe_split": { "data": [values(100), values(300)], "columns": names(), "index": [0, 1] } });
    let records = json!({ "dataframe_records": [row(100), row(300)] });
    let instances = json!({ "instances": [row(100), row(300)] });
    let columns: serde_json::Map<_, _> =
        names().into_iter().map(|n| (n.clone(), json!([row(100)[&n], row(300)[&n]]))).collect();
    let inputs = json!({ "inputs": columns, "params": null });
    for body in [split, records, instances, inputs] {
        let reply = post(&server, "/invocations", body.to_string());
        assert_eq!(reply.status, 200, "{body}: {}", reply.text());
        let expected = json!({ "predictions": [
            { "prediction": false, "prediction_probability": 1.1 },
            { "prediction": true, "prediction_probability": 1.3 },
        ] });
        assert_eq!(reply.json(), expected, "{body}");
    }
    let csv = "count,maybe,big,ratio,sure,code,day,at,price,size,kind,shop,town,\"A, B & C\"\n\
               100,,1,0.5,true,001,2024-01-31,,12.50,M,x,1,Ulm,1\n\
               300,,1,0.5,true,001,2024-01-31,2024-01-31T09:30:00Z,12.50,,x,1,Ulm,1\n";
    let reply = send(&server, "POST", "/invocations", &[("Content-Type", "text/csv; charset=utf-8")], csv.as_bytes());
    assert_eq!(reply.json()["predictions"][1]["prediction"], json!(true), "{}", reply.text());
}

#[test]
fn what_is_no_scoring_request_is_told() {
    let server = serve();
    let detail = |body: &str| {
        let reply = post(&server, "/invocations", body);
        assert!(reply.status == 400 || reply.status == 422, "{}", reply.text());
        reply.json()["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(detail("{}"), "the body has none of `dataframe_split`, `dataframe_records`, `inputs` or `instances`");
    assert_eq!(detail(r#"{"inputs": [], "instances": []}"#), "the body has both `inputs` and `instances`");
    assert!(
        detail(r#"{"inputs": {"count": [1], "coun": [1]}}"#).contains("`coun` is no field of this model; did you mean")
    );
    assert!(detail(r#"{"inputs": [], "params": {"a": 1}}"#).contains("takes no `params`"));
    assert!(detail(r#"{"data": []}"#).contains("unknown field `data`"));
    let body = json!({ "dataframe_records": [row(100), row(0), row(450)] });
    let problem = post(&server, "/invocations", body.to_string()).json();
    assert_eq!(problem["errors"][0]["row"], json!(2));
    assert_eq!(problem["errors"][1]["row"], json!(3));
}

#[test]
fn the_open_inference_protocol() {
    let server = serve();
    assert_eq!(get(&server, "/v2").json()["name"], json!("dbjob"));
    for path in ["/v2/health/live", "/v2/health/ready", "/v2/models/wants/ready", "/v2/models/wants/versions/1/ready"] {
        assert_eq!(get(&server, path).status, 200, "{path}");
    }
    let about = get(&server, "/v2/models/wants").json();
    assert_eq!(about["inputs"][0], json!({ "name": "count", "datatype": "INT64", "shape": [-1] }));
    assert_eq!(about["outputs"][1]["name"], json!("prediction_probability"));
    for path in ["/v2/models/wants/infer", "/v2/models/wants/versions/1/infer"] {
        let reply = post(&server, path, tensors(&[100, 300]).to_string());
        assert_eq!(
            reply.json(),
            json!({ "model_name": "wants", "model_version": "1", "id": "7", "outputs": [
                { "name": "prediction", "datatype": "BOOL", "shape": [2], "data": [false, true] },
                { "name": "prediction_probability", "datatype": "FP64", "shape": [2], "data": [1.1, 1.3] },
            ] })
        );
    }
    let mut one = tensors(&[100]);
    one["outputs"] = json!([{ "name": "prediction_probability" }]);
    one["inputs"][0]["shape"] = json!([1, 1]);
    assert_eq!(post(&server, "/v2/models/wants/infer", one.to_string()).json()["outputs"][0]["data"], json!([1.1]));
    for (path, status) in [("/v2/models/none", 404), ("/v2/models/wants/versions/2", 404)] {
        let reply = get(&server, path);
        assert_eq!(reply.status, status);
        assert!(reply.json()["error"].as_str().unwrap().len() > 10, "{}", reply.text());
    }
    let mut wrong = tensors(&[100]);
    let count = wrong["inputs"].as_array_mut().unwrap().iter_mut().find(|t| t["name"] == "count").unwrap();
    count["datatype"] = json!("FP64");
    let reply = post(&server, "/v2/models/wants/infer", wrong.to_string());
    assert_eq!(
        (reply.status, reply.json()["error"].as_str().unwrap().contains("INT64")),
        (422, true),
        "{}",
        reply.text()
    );
}

#[test]
fn pages_and_documents() {
    let server = serve();
    for path in ["/ping", "/health", "/ready", "/version", "/metrics", "/docs", "/openapi.json"] {
        assert_eq!(get(&server, path).status, 200, "{path}");
    }
    post(&server, "/predict", json!([row(100), row(450)]).to_string());
    let metrics = get(&server, "/metrics").text();
    for line in [
        "dbjob_requests_total{call=\"predict\",status=\"200\"} 1",
        "dbjob_rows_total{model=\"wants\",version=\"1\"} 2",
        "dbjob_refused_rows_total{model=\"wants\",version=\"1\"} 1",
        "dbjob_request_seconds_bucket{le=\"+Inf\"}",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    let api = get(&server, "/openapi.json").json();
    let row = &api["components"]["schemas"]["wants.row"];
    assert_eq!(row["properties"]["count"]["maximum"], json!(500));
    assert!(row["properties"]["day"]["description"].as_str().unwrap().contains("Needed by `month`"));
    let head = get(&server, "/docs").head;
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    let none = get(&server, "/../../etc/passwd");
    assert_eq!(none.status, 404);
    let method = send(&server, "DELETE", "/predict", &[], b"");
    assert_eq!(method.status, 405);
    assert!(method.head.contains("allow: post"), "{}", method.head);
}

#[test]
fn tables_go_to_the_scorer() {
    let server = serve();
    let kind = [("Content-Type", "application/vnd.apache.parquet")];
    let reply = send(&server, "POST", "/predict", &kind, b"100 300 200");
    assert_eq!((reply.status, reply.text().as_str()), (200, "Bool([Some(false), Some(true), Some(false)])"));
    assert!(reply.head.contains("content-type: application/vnd.apache.parquet"));
    assert_eq!(send(&server, "POST", "/predict/wants", &kind, b"\xff").status, 400);
    assert_eq!(send(&server, "POST", "/predict", &kind, b"1 x").json()["errors"][0]["field"], "count");
    let refused = send(&server, "POST", "/predict", &kind, b"1 0 450").json();
    assert_eq!((&refused["errors"][0]["row"], &refused["errors"][1]["row"]), (&json!(2), &json!(3)));
    assert_eq!(send(&server, "POST", "/predict", &[("Content-Type", "text/xml")], b"<a/>").status, 415);
}
