use std::fs;
use std::path::{Path, PathBuf};

use dbjob_plan::{
    BinaryOp, DataType, Event, Field, FitSpec, Join, JoinKind, MapColumn, ModelReport, Node, Op, PackageStatus, Plan,
    Predictor, Projection, RunError, Schema, SourceFingerprint, Span, Target, Task, Value,
};
use polars::prelude::{DataFrame, IntoLazy};

use super::{Audit, Parts, deploy, open};
use crate::learn::Learned;
use crate::learn::tests::support::{
    Run, assert_bit_equal, base, fit, link, names, requirement, score, series, spec, table,
};
use crate::map::{Affine, MapState, MapStates};

struct Fitted {
    spec: FitSpec,
    table: DataFrame,
    learned: Learned,
    maps: MapStates,
    lookups: Vec<(String, DataFrame)>,
}

fn fitted(algorithm: &str, gate: &str) -> Fitted {
    let mut columns = base();
    let truth: Vec<bool> = score(&columns).iter().map(|s| *s > 3.0).collect();
    columns.push(series("late", truth));
    let table = table(columns);
    let mut spec = spec(algorithm, Task::Classification, "late", DataType::Bool, &["accuracy"]);
    spec.require = vec![requirement("accuracy", BinaryOp::Ge, gate)];
    let maps = MapStates([(77, MapState::Affine(Affine { shift: 0.1, scale: 3.0 }))].into());
    let learned = fit(&spec, &table, &maps).unwrap();
    Fitted { spec, table, learned, maps, lookups: vec![] }
}

impl Fitted {
    fn deploy(&self, base: &Path, run: &Run) -> Result<ModelReport, RunError> {
        self.deploy_as(base, run, &|| Ok(None))
    }

    fn deploy_as(
        &self,
        base: &Path,
        run: &Run,
        audit: &dyn Fn() -> Result<Option<Audit>, RunError>,
    ) -> Result<ModelReport, RunError> {
        let target = Target::Registry { path: "models".into(), deploy: "prod".into() };
        let plan = Plan { job: "job".into(), seed: 7, ..Plan::default() };
        let lineage =
            vec![SourceFingerprint { dataset: "d".into(), path: "d.csv".into(), bytes: 3, sha256: "00".into() }];
        run.with(base, 1, |cx| {
            let parts =
                Parts { learned: &self.learned, spec: &self.spec, maps: &self.maps, lookups: &self.lookups, audit };
            deploy(&target, &parts, lineage, None, &plan, cx)
        })
    }

    fn request(&self) -> DataFrame {
        self.table.select(["a", "b", "c"]).unwrap()
    }
}

fn current(base: &Path) -> Option<String> {
    fs::read_to_string(base.join("models/m/current")).ok()
}

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_stored_model_predicts_as_the_fitted_one() {
    for algorithm in ["logistic_regression", "random_forest"] {
        let base = tempfile::tempdir().unwrap();
        let (mut fitted, run) = (fitted(algorithm, "0.5"), Run::new());
        fitted.lookups = vec![("users".into(), table(vec![series("k", vec![1_i64, 2])]))];
        fitted.spec.serving.lookups = vec![("users".into(), fitted.spec.serving.output)];
        let report = fitted.deploy(base.path(), &run).unwrap();
        assert_eq!((report.version, report.promoted), (Some(1), true));
        let place = base.path().join("models/m/versions/1");
        assert_eq!(report.package.as_deref(), Some(place.as_path()));
        let files = ["lookup", "manifest.json", "maps.json", "test_predictions.parquet", "weights.safetensors"];
        assert_eq!(entries(&place), files);
        assert_eq!(entries(&base.path().join("models/m/versions")), ["1"]);
        assert!(matches!(&run.events.lock().unwrap()[..],
            [Event::Written { item, kind, version: Some(1), promoted: true, .. }] if item == "prod" && kind == "model"));

        let expected = fitted.learned.predict(&fitted.table, "p", &fitted.maps).unwrap();
        for path in [base.path().join("models/m"), place.clone()] {
            let package = open(&path).unwrap();
            assert_bit_equal(&package.predict(fitted.request().lazy(), "p").unwrap(), &expected);
            let one = package.predict(fitted.request().slice(17, 1).lazy(), "p").unwrap();
            assert_bit_equal(&one, &expected.iter().map(|c| c.slice(17, 1)).collect::<Vec<_>>());
        }
        let package = open(&place).unwrap();
        let manifest = package.manifest();
        assert_eq!((manifest.version, manifest.seed, manifest.status), (1, 7, PackageStatus::Promoted));
        assert_eq!(manifest.classes, [Value::Bool(false), Value::Bool(true)]);
        assert_eq!(manifest.metrics["accuracy"], fitted.learned.metrics()[0].1);
        assert_eq!((manifest.files.len(), manifest.lineage[0].dataset.as_str()), (4, "d"));
        assert!(package.maps.0.is_empty(), "the state of a map that serving does not use stays out");
    }
}

#[test]
fn a_rejected_version_is_kept_and_not_live() {
    let base = tempfile::tempdir().unwrap();
    let run = Run::new();
    let bad = fitted("logistic_regression", "1.5");
    let report = bad.deploy(base.path(), &run).unwrap();
    assert_eq!((report.version, report.promoted, current(base.path())), (Some(1), false, None));
    let error = open(&base.path().join("models/m")).unwrap_err();
    assert!(error.code == "E0716" && error.help.unwrap().contains("versions/1"), "{}", error.message);
    assert_eq!(open(&base.path().join("models/m/versions/1")).unwrap().manifest().status, PackageStatus::Rejected);

    let good = fitted("logistic_regression", "0.5");
    assert_eq!(good.deploy(base.path(), &run).unwrap().version, Some(2));
    assert_eq!(current(base.path()).as_deref(), Some("2\n"));
    assert_eq!(bad.deploy(base.path(), &run).unwrap().version, Some(3));
    assert_eq!(current(base.path()).as_deref(), Some("2\n"));
    assert_eq!(open(&base.path().join("models/m")).unwrap().manifest().version, 2);
}

#[test]
fn writers_at_once_get_a_version_each() {
    let base = tempfile::tempdir().unwrap();
    let fitted = fitted("logistic_regression", "0.5");
    let mut versions: Vec<u64> = std::thread::scope(|scope| {
        let writers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| fitted.deploy(base.path(), &Run::new()).unwrap().version.unwrap())).collect();
        writers.into_iter().map(|w| w.join().unwrap()).collect()
    });
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<_>>());
    assert_eq!(current(base.path()).as_deref(), Some("8\n"));
    assert_eq!(entries(&base.path().join("models/m/versions")).len(), 8, "nothing half-written stays");
    assert_eq!(entries(&base.path().join("models/m")), [".lock", "current", "promotions.ndjson", "versions"]);
    for version in 1..=8 {
        let package = open(&base.path().join(format!("models/m/versions/{version}"))).unwrap();
        assert_eq!(package.manifest().version, version);
    }
}

#[test]
fn every_altered_or_missing_file_is_found() {
    let base = tempfile::tempdir().unwrap();
    fitted("random_forest", "0.5").deploy(base.path(), &Run::new()).unwrap();
    let place = base.path().join("models/m/versions/1");
    for name in ["weights.safetensors", "maps.json", "test_predictions.parquet", "manifest.json"] {
        let path = place.join(name);
        let bytes = fs::read(&path).unwrap();
        let mut altered = bytes.clone();
        let at = altered.len() / 2;
        altered[at] ^= 0x80;
        for content in [Some(altered), Some(bytes[..bytes.len() / 2].to_vec()), None] {
            match &content {
                Some(content) => fs::write(&path, content).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let error = open(&place).unwrap_err();
            assert_eq!(error.code, "E0716", "{name}");
            assert!(error.help.is_some() && (content.is_none() || error.message.contains(name)), "{}", error.message);
        }
        fs::write(&path, bytes).unwrap();
    }
    open(&place).unwrap();

    // A manifest that still is JSON is no better for it.
    let path = place.join("manifest.json");
    let bytes = fs::read(&path).unwrap();
    for at in (0..bytes.len()).step_by(7) {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        fs::write(&path, &altered).unwrap();
        assert_eq!(open(&place).unwrap_err().code, "E0716", "byte {at}");
    }
    fs::write(&path, bytes).unwrap();
    open(&place).unwrap();

    let manifest = fs::read_to_string(place.join("manifest.json")).unwrap();
    fs::write(place.join("manifest.json"), manifest.replacen("\"format\": 1", "\"format\": 2", 1)).unwrap();
    let error = open(&place).unwrap_err();
    assert!(error.code == "E0716" && error.message.contains("format 2"), "{}", error.message);
}

#[test]
fn what_is_no_package_is_said_to_be_none() {
    let base = tempfile::tempdir().unwrap();
    let error = |path: PathBuf| {
        let error = open(&path).unwrap_err();
        assert_eq!(error.code, "E0716");
        error.help.unwrap()
    };
    assert!(error(base.path().join("nowhere")).contains("folder of a version"));
    fitted("logistic_regression", "0.5").deploy(base.path(), &Run::new()).unwrap();
    assert!(error(base.path().join("models")).contains("models/m"));
    fs::write(base.path().join("models/m/current"), "9").unwrap();
    assert!(error(base.path().join("models/m")).contains("promote"));
}

#[test]
fn a_registry_that_cannot_be_written_is_an_error() {
    let base = tempfile::tempdir().unwrap();
    fs::write(base.path().join("models"), "a file stands here").unwrap();
    let error = fitted("logistic_regression", "0.5").deploy(base.path(), &Run::new()).unwrap_err();
    assert_eq!(error.code, "E0713");
}

#[test]
fn a_file_comes_back_with_its_own_columns_and_the_predictions() {
    let base = tempfile::tempdir().unwrap();
    let fitted = fitted("logistic_regression", "0.5");
    fitted.deploy(base.path(), &Run::new()).unwrap();
    let package = open(&base.path().join("models/m")).unwrap();
    let (input, output) = (base.path().join("in.parquet"), base.path().join("out.parquet"));
    let mut sent = fitted.table.select(["c", "id", "b", "a"]).unwrap();
    crate::write_table(&mut sent, &input).unwrap();
    assert_eq!(package.predict_file(&input, &output, "p").unwrap(), 200);
    let written = crate::read_as_is(&output).unwrap();
    assert_eq!(names(written.columns()), ["c", "id", "b", "a", "p", "p_probability"]);
    let expected = fitted.learned.predict(&fitted.table, "p", &fitted.maps).unwrap();
    assert_bit_equal(&written.columns()[4..], &expected);

    let error = package.predict_file(&input, &base.path().join("other.parquet"), "id").unwrap_err();
    assert_eq!(error.code, "E0719");
    assert!(!base.path().join("other.parquet").exists());
}

const OPEN: DataType = DataType::Category { levels: None };

/// A request of `a` (float), `b` (int) and `user`; the user's `kind` is looked up and becomes a one-hot, `a` is
/// standardized. The states are given; the table to learn from is what the serving plan makes of the requests.
fn served() -> (Fitted, DataFrame) {
    let columns = base();
    let users: Vec<i64> = (0..200).map(|i| i * 7 % 5).collect();
    let request = table(vec![columns[1].clone(), columns[2].clone(), series("user", users)]);
    let kinds = table(vec![series("id", vec![0_i64, 1, 2, 3, 4]), series("kind", vec!["x", "y", "z", "x", "w"])]);

    let mut spec = spec("logistic_regression", Task::Classification, "late", DataType::Bool, &["accuracy"]);
    let vector = DataType::Vector { width: None };
    spec.inputs[2].column = "kind".into();
    spec.inputs[2].dtype = vector.clone();
    let field = |name: &str, dtype: &DataType| Field::new(name, dtype.clone(), false);
    let (float, int) = (DataType::Float, DataType::Int);
    let asked = vec![field("a", &float), field("b", &int), field("user", &int)];
    let node =
        |op, fields: Vec<Field>| Node { item: "m".into(), op, schema: Schema::new(fields), span: Span::default() };
    let mut plan = Plan { job: "job".into(), seed: 7, ..Plan::default() };
    let root = plan.add(node(Op::Request, asked.clone()), &[]);
    let users =
        plan.add(node(Op::Snapshot { name: "users".into() }, vec![field("id", &int), field("kind", &OPEN)]), &[]);
    let join = Join {
        kind: JoinKind::Inner,
        on: vec![("user".into(), "id".into())],
        right_columns: vec![Projection { from: "kind".into(), to: "kind".into() }],
        verify_unique_right: true,
        verify_unique_left: false,
        lookup: true,
        asof: None,
    };
    let joined = plan.add(node(Op::Join(join), [asked.clone(), vec![field("kind", &OPEN)]].concat()), &[root, users]);
    let map = |name: &str, link| MapColumn::new(name, name, link);
    let maps = vec![
        map("a", link(1, "standardize", float.clone(), float, true)),
        map("kind", link(2, "one_hot", OPEN, vector.clone(), true)),
    ];
    let mapped = [asked.clone(), vec![field("kind", &vector)]].concat();
    spec.serving.output = plan.add(node(Op::Map { columns: maps }, mapped), &[joined]);
    spec.serving.request = Schema::new(asked);
    spec.serving.lookups = vec![("users".into(), users)];
    spec.serving.plan = plan;

    let states = MapStates(
        [
            (1, MapState::Affine(Affine { shift: 4.9, scale: 0.1 + 0.2 })),
            (2, MapState::Levels { levels: ["x", "y", "z"].map(String::from).to_vec() }),
        ]
        .into(),
    );
    let lookups = vec![("users".to_owned(), kinds)];
    let inputs =
        crate::replay(&spec.serving, request.clone().lazy(), &lookups.iter().cloned().collect(), &states).unwrap();
    let late: Vec<bool> = score(&columns).iter().map(|s| *s > 3.0).collect();
    let learned_from = inputs.hstack(&[series("late", late), columns[0].clone(), columns[4].clone()]).unwrap();
    let learned = fit(&spec, &learned_from, &states).unwrap();
    (Fitted { spec, table: learned_from, learned, maps: states, lookups }, request)
}

#[test]
fn a_request_walks_the_steps_of_training_and_predicts_the_same_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let (fitted, request) = served();
    fitted.deploy(folder.path(), &Run::new()).unwrap();
    let package = open(&folder.path().join("models/m")).unwrap();
    assert_eq!(package.manifest().features, ["a", "b", "kind=x", "kind=y", "kind=z"]);
    assert_eq!(package.maps, fitted.maps);
    let expected = fitted.learned.predict(&fitted.table, "p", &fitted.maps).unwrap();
    assert_bit_equal(&package.predict(request.clone().lazy(), "p").unwrap(), &expected);

    for ending in ["csv", "ndjson", "parquet"] {
        let input = folder.path().join(format!("in.{ending}"));
        crate::write_table(&request.hstack(&[series("note", vec!["as, it \"is\""; 200])]).unwrap(), &input).unwrap();
        for other in ["csv", "parquet"] {
            let output = folder.path().join(format!("out-{ending}.{other}"));
            assert_eq!(package.predict_file(&input, &output, "p").unwrap(), 200);
            let written = crate::read_as_is(&output).unwrap();
            // The fields of a JSON object have no order.
            let mut own = names(&written.columns()[..4]);
            own.sort_unstable();
            assert_eq!(own, ["a", "b", "note", "user"], "{ending} {other}");
            assert_bit_equal(&written.columns()[4..], &expected);
            assert_eq!(written.column("note").unwrap().str().unwrap().get(7), Some("as, it \"is\""));
        }
    }
}

#[test]
fn a_request_that_is_not_valid_names_its_row_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (fitted, _) = served();
    fitted.deploy(folder.path(), &Run::new()).unwrap();
    let package = open(&folder.path().join("models/m")).unwrap();
    let (input, output) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
    for (text, code, row) in [
        ("a,user\n1.5,2\n", "E0705", None),
        ("a,b,user\n1.5,2,3\n,2,3\n", "E0706", Some(2)),
        ("a,b,user\n1.5,2,3\n1,two,3\n", "E0704", Some(2)),
        ("a,b,user\n1.5,2,3\n1,2,3\n1,2,99\n", "E0719", Some(3)),
        ("a,b,user\nNaN,2,3\n", "E0719", Some(1)),
    ] {
        fs::write(&input, text).unwrap();
        let error = package.predict_file(&input, &output, "p").unwrap_err();
        assert_eq!((error.code.as_str(), error.data.and_then(|d| d.row)), (code, row), "{text:?} {}", error.message);
        assert!(!output.exists());
    }
    assert_eq!(entries(folder.path()), ["in.csv", "models"]);
}

#[test]
fn a_package_whose_server_answers_otherwise_is_not_deployed() {
    let base = tempfile::tempdir().unwrap();
    let (fitted, request) = served();
    let predicted = fitted.learned.predict(&fitted.table, "prediction", &fitted.maps).unwrap();
    let answers = DataFrame::new(request.height(), predicted).unwrap();
    let audit = |answers: &DataFrame| {
        let (request, answers) = (request.clone(), answers.clone());
        Ok(Some(Audit { profile: Default::default(), request, answers }))
    };
    let report = fitted.deploy_as(base.path(), &Run::new(), &|| audit(&answers)).unwrap();
    assert!(report.promoted && base.path().join("models/m/versions/1/profile.json").is_file());

    // Someone else's answers: the 18th row says the last bit otherwise.
    let mut other = answers.clone();
    let mut shares: Vec<f64> =
        answers.column("prediction_probability").unwrap().f64().unwrap().iter().flatten().collect();
    shares[17] = f64::from_bits(shares[17].to_bits() ^ 1);
    other.with_column(series("prediction_probability", shares)).unwrap();
    let error = fitted.deploy_as(base.path(), &Run::new(), &|| audit(&other)).unwrap_err();
    let place = error.data.clone().unwrap();
    assert_eq!((error.code.as_str(), place.row), ("E0772", Some(18)), "{}", error.message);
    assert_eq!(place.column.as_deref(), Some("prediction_probability"));
    assert_eq!(entries(&base.path().join("models/m/versions")), ["1"], "nothing half-made stays");
    assert_eq!(current(base.path()).as_deref(), Some("1\n"));

    // One number of what a map has learned is another one in the package.
    let version = base.path().join("models/m/versions/1");
    let maps = fs::read_to_string(version.join("maps.json")).unwrap();
    let altered = maps.replacen("4.9", "4.8", 1);
    assert_ne!(maps, altered);
    fs::write(version.join("maps.json"), &altered).unwrap();
    let mut manifest = dbjob_registry::read_manifest(&version).unwrap();
    let hash = dbjob_registry::digest(&mut altered.as_bytes()).unwrap();
    manifest.files.insert("maps.json".into(), hash);
    dbjob_registry::seal_manifest(&version, &manifest).unwrap();
    let error = crate::serve::replay(open(&version).unwrap(), &request, &answers).unwrap_err();
    assert_eq!((error.code.as_str(), error.data.unwrap().row), ("E0772", Some(1)), "{}", error.message);
}
