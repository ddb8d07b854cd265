//! A registry on the command line. Its versions are made here, so that no engine is needed.

use std::path::Path;

use dbjob_plan::{
    Affine, Algorithm, DataType, Field, Manifest, MapColumn, MapLink, MapState, MapStates, MetricValue, Node, Op,
    Output, PackageStatus, Plan, Refinement, RequirementResult, RowCounts, Schema, Serving, SourceFingerprint, Task,
    Value,
};
use dbjob_registry::{MAPS, ModelFolder, WEIGHTS, digest, publish, stage};
use serde_json::Value as Json;

use super::{dbjob, folder};

fn age(low: i64) -> Field {
    let range = Refinement::Range { low: Some(Value::Int(low)), high: Some(Value::Int(120)), inclusive: true };
    Field { refinement: Some(range), ..Field::new("age", DataType::Int, true) }
}

fn manifest(request: Vec<Field>, held: bool, accuracy: f64) -> Manifest {
    let schema = Schema::new(request.clone());
    let (mut plan, float) = (Plan::default(), DataType::Float);
    let node = |op| Node { item: "people".into(), op, schema: schema.clone(), span: Default::default() };
    let root = plan.add(node(Op::Request), &[]);
    let link = MapLink {
        id: 1,
        map: "standardize".into(),
        options: Default::default(),
        from: float.clone(),
        from_nullable: false,
        to: float,
        to_nullable: false,
        fitted: true,
        formula: None,
    };
    let output = plan.add(node(Op::Map { columns: vec![MapColumn::new("age", "age", link)] }), &[root]);
    let serving = Serving {
        plan,
        request: schema,
        output,
        lookups: Vec::new(),
        dataset: Some("people".into()),
        behind: 0,
        nulls: Vec::new(),
        docs: Default::default(),
    };
    let options = [("trees".to_owned(), Value::Int((accuracy * 100.0) as i64))].into();
    Manifest {
        format: dbjob_registry::FORMAT,
        dbjob: "0.1.0".into(),
        job: "shop".into(),
        model: "stays".into(),
        version: 0,
        created: "2024-05-01T10:00:00Z".into(),
        status: if held { PackageStatus::Promoted } else { PackageStatus::Rejected },
        task: Task::Classification,
        algorithm: Algorithm { name: "random_forest".into(), options, span: Default::default() },
        threshold: None,
        calibration: None,
        conformal: None,
        inputs: Vec::new(),
        output: Output { column: "stays".into(), learned: DataType::Bool, dtype: DataType::Bool, unmap: Vec::new() },
        classes: vec![Value::Bool(false), Value::Bool(true)],
        features: request.iter().map(|f| f.name.clone()).collect(),
        request,
        serving,
        rows: RowCounts { train: 100, test: (accuracy * 100.0) as u64, ..RowCounts::default() },
        metrics: [("accuracy".to_owned(), MetricValue::new(accuracy, 0.5))].into(),
        confusion: None,
        requirements: vec![RequirementResult {
            text: "accuracy >= 0.8".into(),
            held,
            values: [("accuracy".to_owned(), accuracy)].into(),
        }],
        unfinished: Vec::new(),
        lineage: vec![SourceFingerprint {
            dataset: "people".into(),
            path: "people.csv".into(),
            bytes: 10,
            sha256: format!("{:064x}", (accuracy * 100.0) as u64),
        }],
        files: Default::default(),
        seed: 7,
        key: None,
        sha256: String::new(),
    }
}

/// A new version of the model `stays`; whether it is live.
fn version(registry: &Path, mut manifest: Manifest) -> bool {
    let model = ModelFolder::of(registry, &manifest.model);
    let staged = stage(&model).unwrap();
    let scale = manifest.metrics["accuracy"].value;
    let maps = MapStates([(1, MapState::Affine(Affine { shift: 30.0, scale }))].into());
    for (name, bytes) in [(WEIGHTS, b"weights".to_vec()), (MAPS, serde_json::to_vec(&maps).unwrap())] {
        std::fs::write(staged.path().join(name), &bytes).unwrap();
        manifest.files.insert(name.into(), digest(&mut bytes.as_slice()).unwrap());
    }
    publish(&model, staged, &mut manifest).unwrap().live
}

fn current(place: &Path) -> String {
    std::fs::read_to_string(place.join("models/stays/current")).unwrap_or_default().trim().to_owned()
}

/// Versions 1 and 2 alike, 3 rejected, 4 with a further field.
fn registry() -> tempfile::TempDir {
    let place = folder(&[]);
    let models = place.path().join("models");
    assert!(version(&models, manifest(vec![age(0)], true, 0.81)));
    assert!(version(&models, manifest(vec![age(0)], true, 0.85)));
    assert!(!version(&models, manifest(vec![age(0)], false, 0.62)));
    let wider = vec![age(18), Field::new("plan", DataType::String, false)];
    assert!(!version(&models, manifest(wider, true, 0.92)));
    assert_eq!(current(place.path()), "2");
    place
}

fn json(place: &Path, args: &[&str]) -> Json {
    let ended = dbjob(place, args);
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.out).unwrap()
}

#[test]
fn the_list_tells_of_every_version() {
    let place = registry();
    let ended = dbjob(place.path(), &["models", "list"]);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!((ended.code, lines.len()), (0, 5), "{ended:?}");
    assert!(lines[1].starts_with("stays  4") && lines[1].contains("held back"), "{ended:?}");
    assert!(lines[2].contains("rejected") && lines[3].contains("live"), "{ended:?}");
    assert!(lines[3].contains("2024-05-01T10:00:00Z") && lines[3].contains("accuracy 0.8500"), "{ended:?}");

    let found = json(place.path(), &["models", "list", "stays", "--format", "json"]);
    assert_eq!((&found[0]["live"], found[0]["versions"].as_array().unwrap().len()), (&Json::from(2), 4));
    assert_eq!(found[0]["versions"][1]["status"], "rejected");

    let ended = dbjob(place.path(), &["models", "list", "stay"]);
    assert!(ended.code == 1 && ended.err.contains("did you mean `stays`?"), "{ended:?}");
    let ended = dbjob(place.path(), &["models", "list", "--registry", "elsewhere"]);
    assert!(ended.code == 1 && ended.err.contains("E0716"), "{ended:?}");
    let ended = dbjob(place.path(), &["models", "list", "--registry", "s3://bucket/models"]);
    assert!(ended.code == 1 && ended.err.contains("E0901"), "{ended:?}");
}

#[test]
fn a_version_is_shown_in_full() {
    let place = registry();
    let ended = dbjob(place.path(), &["models", "show", "stays"]);
    for part in ["stays version 2: promoted, live", "trees  85", "age  int? in 0..=120", "accuracy >= 0.8", "SHA-256"] {
        assert!(ended.out.contains(part), "{part}: {ended:?}");
    }
    let found = json(place.path(), &["models", "show", "stays@4", "--json"]);
    assert_eq!((&found["live"], &found["manifest"]["version"]), (&Json::from(false), &Json::from(4)));
    assert_eq!(found["manifest"]["status"], "held_back");
}

#[test]
fn what_breaks_callers_is_live_only_when_somebody_says_so() {
    let place = registry();
    let ended = dbjob(place.path(), &["models", "promote", "stays"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    for part in
        ["E0771", "requests need the new field plan: string", "in 18..=120 instead of in 0..=120", "--allow-breaking"]
    {
        assert!(ended.err.replace("\n  \u{2502} ", " ").contains(part), "{part}: {ended:?}");
    }
    assert_eq!(current(place.path()), "2");
    let found = json(place.path(), &["models", "promote", "stays", "4", "--allow-breaking", "--format", "json"]);
    assert_eq!((&found["before"], &found["version"], current(place.path()).as_str()), (&2.into(), &4.into(), "4"));
    assert_eq!(found["contract"].as_array().unwrap().len(), 2);

    let ended = dbjob(place.path(), &["models", "promote", "stays", "3", "--allow-breaking"]);
    assert!(ended.code == 1 && ended.err.contains("E0770") && ended.err.contains("accuracy >= 0.8"), "{ended:?}");
    let ended = dbjob(place.path(), &["models", "promote", "stays@9"]);
    assert!(ended.code == 1 && ended.err.contains("there is 1, 2, 3, 4"), "{ended:?}");
}

#[test]
fn a_rollback_goes_to_what_was_live_before() {
    let place = registry();
    assert_eq!(dbjob(place.path(), &["models", "promote", "stays", "4", "--allow-breaking"]).code, 0);
    let ended = dbjob(place.path(), &["models", "rollback", "stays"]);
    assert!(ended.code == 0 && ended.out.starts_with("stays: version 2 is live now, 4 was\n"), "{ended:?}");
    assert!(ended.out.contains("breaking: requests may not have the field `plan` any more"), "{ended:?}");
    assert_eq!(dbjob(place.path(), &["models", "rollback", "stays"]).code, 0);
    assert_eq!(current(place.path()), "1");
    let ended = dbjob(place.path(), &["models", "rollback", "stays"]);
    assert!(ended.code == 1 && ended.err.contains("E0770"), "{ended:?}");
    assert_eq!(current(place.path()), "1");
}

#[test]
fn an_altered_version_is_never_live() {
    let place = registry();
    std::fs::write(place.path().join("models/stays/versions/1/maps.json"), "{}").unwrap();
    for args in [["models", "promote", "stays@1"], ["models", "rollback", "stays"]] {
        let ended = dbjob(place.path(), &args);
        assert!(ended.code == 1 && ended.err.contains("E0716") && ended.err.contains("maps.json"), "{ended:?}");
    }
    assert_eq!(current(place.path()), "2");
}

#[test]
fn two_versions_are_compared() {
    let place = registry();
    let ended = dbjob(place.path(), &["models", "diff", "stays@1", "stays"]);
    let parts = [
        "stays@1 (promoted, 2024-05-01T10:00:00Z) -> stays@2",
        "contract: the same for callers",
        "accuracy  0.8100  0.8500  +0.0400",
        "trees: 81 -> 85",
        "`age` standardize: shift 30, scale 0.81 -> shift 30, scale 0.85",
        "test: 81 -> 85",
        "people: people.csv, 10 bytes",
    ];
    for part in parts {
        assert!(ended.out.contains(part), "{part}: {ended:?}");
    }
    let found = json(place.path(), &["models", "diff", "stays@1", "4", "--format", "json"]);
    assert_eq!(found["breaking"], true);
    let breaking: Vec<&Json> = found["contract"].as_array().unwrap().iter().map(|c| &c["breaking"]).collect();
    assert_eq!(breaking, [true, true]);
    assert_eq!(found["features"]["new"][0], "plan");
    assert_eq!(json(place.path(), &["models", "diff", "stays@4", "@2", "--json"])["b"]["version"], 2);
}

#[test]
fn a_version_that_is_exported_stands_alone() {
    let place = registry();
    let ended = dbjob(place.path(), &["models", "export", "stays@1", "--to", "out/one"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    std::fs::remove_dir_all(place.path().join("models")).unwrap();
    let found = json(place.path(), &["models", "show", "out/one", "--json"]);
    assert_eq!((&found["manifest"]["version"], &found["live"]), (&Json::from(1), &Json::from(false)));
    let ended = dbjob(place.path(), &["models", "export", "out/one", "--to", "out/one"]);
    assert!(ended.code == 1 && ended.err.contains("is there already"), "{ended:?}");
    assert_eq!(dbjob(place.path(), &["models", "export", "out/one"]).code, 2);
}
