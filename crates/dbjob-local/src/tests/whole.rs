//! The whole path: files, a lookup join, a split, fitted maps, a fit, a package; and three ways to one prediction.

use std::fmt::Write as _;

use dbjob_plan::{
    BinaryOp as B, DataType, Event, FitSpec, Input, ItemKind, Join, JoinKind, MapColumn, MapLink, NamedExpr, Op,
    Output, PART, PlanItem, Predictor, Projection, Schema, Serving, Shares, Split, SplitKey, SplitParts, Target, Task,
};

use super::*;
use crate::learn::tests::support::{algorithm, requirement};

fn link(id: u32, map: &str, from: DataType, to: DataType) -> MapLink {
    MapLink {
        id,
        map: map.into(),
        options: Default::default(),
        from,
        from_nullable: false,
        to,
        to_nullable: false,
        fitted: true,
        formula: None,
    }
}

/// The row-wise steps, which training and serving share: a lookup, a ratio, two maps.
fn prepare(bench: &mut Bench, rows: NodeId, users: NodeId, split: bool) -> NodeId {
    let mut fields = bench.plan.node(rows).schema.fields.clone();
    fields.extend([field("age", Float), field("plan", DataType::Category { levels: None })]);
    let over = |name: &str| Projection { from: name.into(), to: name.into() };
    let join = Join {
        kind: JoinKind::Inner,
        on: vec![("user".into(), "user".into())],
        right_columns: vec![over("age"), over("plan")],
        verify_unique_right: true,
        verify_unique_left: false,
        lookup: true,
        asof: None,
    };
    let joined = bench.step(Op::Join(join), fields.clone(), &[rows, users]);
    let expr = op(B::Div, col("amount", Float), call("float", vec![col("items", Int)], Float));
    fields.push(field("each", Float));
    let mut last =
        bench.step(Op::Derive { columns: vec![NamedExpr { name: "each".into(), expr }] }, fields.clone(), &[joined]);
    if split {
        fields.push(Field { hidden: true, ..required(PART, Int) });
        let shares = Shares { train: 0.7, valid: 0.0, test: 0.3 };
        let split = Split { parts: SplitParts::Hash { key: SplitKey::by(["user"]), shares }, folds: None };
        last = bench.step(Op::Split(split), fields.clone(), &[last]);
    }
    let category = DataType::Category { levels: None };
    for (id, column, link) in [
        (1, "each", link(1, "standardize", Float, Float)),
        (2, "age", link(2, "min_max", Float, Float)),
        (3, "plan", link(3, "one_hot", category, DataType::Vector { width: None })),
    ] {
        let at = fields.iter().position(|f| f.name == column).unwrap();
        fields[at].dtype = link.to.clone();
        let map = MapColumn::new(column, column, MapLink { id, ..link });
        last = bench.step(Op::Map { columns: vec![map] }, fields.clone(), &[last]);
    }
    last
}

fn orders() -> String {
    let mut text = String::from("id,user,amount,items,returned\n");
    for i in 0..600_u64 {
        let (user, items) = (i * 7 % 83, i % 5 + 1);
        let amount = (i * 37 % 101) as f64 / 3.0 + 1.0;
        let returned = (amount / items as f64 + (user % 3) as f64 * 2.0) > 7.0 + (i % 4) as f64 / 3.0;
        writeln!(text, "{i},{user},{amount},{items},{returned}").unwrap();
    }
    text
}

fn job() -> (Bench, NodeId, NodeId) {
    let mut bench = Bench::new();
    let request = vec![required("id", Int), required("user", Int), required("amount", Float), required("items", Int)];
    let mut fields = request.clone();
    fields.push(required("returned", Bool));
    let orders = bench.csv("orders", &orders(), fields);
    let mut users = String::from("user,age,plan\n");
    for user in 0..83 {
        writeln!(users, "{user},{},{}", 20 + user % 40, ["free", "pro", "team"][user % 3]).unwrap();
    }
    let columns =
        vec![required("user", Int), required("age", Float), required("plan", DataType::Category { levels: None })];
    let users = bench.csv("users", &users, columns.clone());
    let rows = prepare(&mut bench, orders, users, true);

    let mut serving = Bench::new();
    serving.plan.seed = bench.plan.seed;
    let root = serving.step(Op::Request, request[1..].to_vec(), &[]);
    let table = serving.node("users", Op::Snapshot { name: "users".into() }, columns, &[]);
    let output = prepare(&mut serving, root, table, false);
    let serving = Serving {
        plan: serving.plan,
        request: Schema::new(request[1..].to_vec()),
        output,
        lookups: vec![("users".into(), users)],
        dataset: Some("orders".into()),
        behind: 0,
        nulls: Vec::new(),
        docs: Default::default(),
    };
    let input = |name: &str, dtype: DataType| Input { column: name.into(), name: name.into(), dtype, nullable: false };
    let spec = FitSpec {
        model: "comes_back".into(),
        inputs: vec![input("each", Float), input("age", Float), input("plan", DataType::Vector { width: None })],
        output: Output { column: "returned".into(), learned: Bool, dtype: Bool, unmap: vec![] },
        task: Task::Classification,
        weight: None,
        algorithm: algorithm("logistic_regression"),
        search: None,
        refit: false,
        threshold: None,
        calibration: None,
        conformal: None,
        slices: Vec::new(),
        split: true,
        folds: None,
        judged_by_folds: false,
        metrics: vec!["accuracy".into(), "auc".into()],
        intervals: None,
        require: vec![requirement("auc", B::Ge, "0.9")],
        serving,
        identify: vec!["id".into()],
    };
    let prediction = vec![field("prediction", Bool), field("prediction_probability", Float)];
    let model = bench.node("comes_back", Op::Fit(Box::new(spec)), prediction, &[rows]);
    let item = |name: &str, kind, output| PlanItem { name: name.into(), kind, output, module: None, doc: None };
    bench.plan.items.push(item("rows", ItemKind::Transform, rows));
    bench.plan.items.push(item("comes_back", ItemKind::Model, model));
    bench.deploy("prod", Target::Registry { path: "models".into(), deploy: "prod".into() }, model);
    for (name, input, replay) in [("as_is", rows, false), ("again", orders, true)] {
        let mut fields = bench.plan.node(input).schema.fields.clone();
        fields.extend([field("p", Bool), field("p_probability", Float)]);
        let predicted =
            bench.node(name, Op::Predict { prefix: "p".into(), replay, out_of_fold: false }, fields, &[input, model]);
        bench.deploy(name, Target::Parquet { path: format!("{name}.parquet") }, predicted);
    }
    (bench, orders, model)
}

fn bits(table: &DataFrame, column: &str) -> Vec<Option<u64>> {
    table.column(column).unwrap().f64().unwrap().iter().map(|x| x.map(f64::to_bits)).collect()
}

#[test]
fn three_ways_to_one_prediction() {
    let (bench, ..) = job();
    let report = bench.run().unwrap();
    let model = &report.models[0];
    assert!(model.promoted && report.gates_held(), "{model:?}");
    assert_eq!(model.rows.train + model.rows.test, 600);
    let as_is = read_parquet(&bench.path("as_is.parquet"));
    let again = read_parquet(&bench.path("again.parquet"));
    assert_eq!(values(&as_is, "id"), values(&again, "id"), "rows keep their order");
    assert_eq!(bits(&as_is, "p_probability"), bits(&again, "p_probability"));
    assert_eq!(names(&again), "id user amount items returned p p_probability");

    let package = crate::package::open(&bench.path("models/comes_back")).unwrap();
    assert_eq!(package.manifest().lineage.len(), 2);
    for name in ["out.parquet", "out.ndjson"] {
        let rows = package.predict_file(&bench.path("orders.csv"), &bench.path(name), "p").unwrap();
        assert_eq!(rows, 600);
        let served = crate::read_as_is(&bench.path(name)).unwrap();
        assert_eq!(bits(&served, "p_probability"), bits(&again, "p_probability"), "{name}");
    }
    // Two runs of one job learn the same model.
    let weights =
        |version: u64| std::fs::read(bench.path(&format!("models/comes_back/versions/{version}/weights.safetensors")));
    let report = bench.run().unwrap();
    assert_eq!(report.models[0].version, Some(2));
    assert_eq!(weights(1).unwrap(), weights(2).unwrap());
}

#[test]
fn a_request_that_no_user_fits_is_named() {
    let (bench, ..) = job();
    bench.run().unwrap();
    let package = crate::package::open(&bench.path("models/comes_back")).unwrap();
    bench.file("new.csv", "user,amount,items\n1,2.5,1\n99,2.5,1\n");
    let error = package.predict_file(&bench.path("new.csv"), &bench.path("out.csv"), "p").unwrap_err();
    assert_eq!((error.code.as_str(), error.data.unwrap().row), ("E0719", Some(2)), "{}", error.message);
    assert!(!bench.path("out.csv").exists());
}

#[test]
fn a_goal_computes_no_more_than_it_needs() {
    let (mut bench, ..) = job();
    bench.plan.items.retain(|i| i.kind != ItemKind::Deploy);
    let report = bench.run().unwrap();
    assert!(report.models[0].package.is_none() && !report.models[0].metrics.is_empty());
    assert!(!bench.names().contains(&"models".to_string()));
    let events = bench.events.lock().unwrap();
    assert!(events.iter().any(|e| matches!(e, Event::Evaluated { item, .. } if item == "comes_back")));
}
