//! The files of an MLflow model.

use dbjob_plan::{DataType, Field};
use serde_json::{Value as Json, json};

use crate::run::ToLog;
use crate::signature::{answer, feed, signature};

/// What whoever loads it needs.
const REQUIREMENTS: &str = "mlflow>=2.9\nnumpy\nonnxruntime>=1.17\npandas\n";

/// The folder of the model below the run.
pub(crate) const MODEL: &str = "model";

/// Which loaders there are, as the file and the run tell it.
fn flavors() -> Json {
    json!({
        "onnx": { "code": "code", "data": "model.onnx", "providers": ["CPUExecutionProvider"] },
        "python_function": {
            "code": "code",
            "data": "model.onnx",
            "env": { "conda": "conda.yaml", "virtualenv": "python_env.yaml" },
            "loader_module": "dbjob_onnx",
            "python_version": "3.11.0",
        },
    })
}

/// What the run tells of its model.
pub(crate) fn about(what: &ToLog<'_>, run: &str, uuid: &str, created: &str) -> Json {
    let (inputs, outputs) = signature(&what.request, &answers(what));
    json!({
        "artifact_path": MODEL,
        "flavors": flavors(),
        "model_uuid": uuid,
        "run_id": run,
        // The lists are texts, as MLflow writes them.
        "signature": { "inputs": inputs.to_string(), "outputs": outputs.to_string(), "params": null },
        "utc_time_created": created,
    })
}

/// Each file below the folder of the model, with its bytes. `MLmodel` comes last: what has it is whole.
pub(crate) fn files(what: &ToLog<'_>, about: &Json) -> Vec<(&'static str, Vec<u8>)> {
    let columns: Vec<Json> =
        what.request.iter().map(|f: &Field| json!({ "name": f.name, "kind": feed(f), "null": f.nullable })).collect();
    let conda = "channels:\n- conda-forge\ndependencies:\n- python>=3.9\n- pip\n- pip:\n";
    let pip: String = REQUIREMENTS.lines().map(|line| format!("  - {line}\n")).collect();
    // JSON is YAML.
    let model = serde_json::to_string_pretty(about).expect("only string keys") + "\n";
    vec![
        ("model.onnx", what.onnx.unwrap_or_default().to_vec()),
        ("columns.json", Json::Array(columns).to_string().into_bytes()),
        ("code/dbjob_onnx.py", include_bytes!("loader.py").to_vec()),
        ("requirements.txt", REQUIREMENTS.into()),
        ("conda.yaml", format!("{conda}{pip}name: mlflow-env\n").into_bytes()),
        (
            "python_env.yaml",
            b"python: 3.11.0\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n".to_vec(),
        ),
        ("MLmodel", model.into_bytes()),
    ]
}

/// The columns of answers with MLflow's types.
fn answers(what: &ToLog<'_>) -> Vec<(String, &'static str)> {
    let of = |f: &Field| {
        // A category is text.
        let dtype = if f.dtype.is_text() { &DataType::String } else { &f.dtype };
        (f.name.clone(), answer(dtype))
    };
    what.answers.iter().map(of).chain([("prediction_refused".to_owned(), "boolean")]).collect()
}
