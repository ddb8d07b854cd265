//! What a server costs that does nothing but to read the same JSON and to answer: the yardstick of `bench/serve`.
//!
//! usage: bare ADDRESS

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "user-id")]
    user: i64,
    #[serde(rename = "product-id")]
    product: i64,
    price: f64,
}

#[derive(Serialize)]
struct Prediction {
    prediction: i64,
    prediction_probability_0: f64,
    prediction_probability_1: f64,
}

async fn predict(body: Bytes) -> impl IntoResponse {
    let Ok(row) = serde_json::from_slice::<Row>(&body) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, [(header::CONTENT_TYPE, "application/json")], Vec::new());
    };
    // So that nothing of it is left out.
    let share = 1.0 / (1.0 + row.price + (row.user % 7) as f64 + (row.product % 11) as f64);
    let answer = Prediction { prediction: 0, prediction_probability_0: 1.0 - share, prediction_probability_1: share };
    let body = serde_json::to_vec(&answer).expect("numbers can be written");
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body)
}

fn main() {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8090".to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(&address).await.expect("a free address");
        axum::serve(listener, Router::new().route("/predict", post(predict))).await.expect("a server");
    });
}
