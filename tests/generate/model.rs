//! Models: the steps that make a table fit for one, then inputs, output, algorithm, metrics and gates.

use dbjob::catalog::{ALGORITHMS, Algorithm, METRICS, Metric};
use dbjob::hir::table::Role;
use dbjob::hir::{Column, Table};
use dbjob_plan::{DataType, Task};
use fastrand::Rng;

use super::expr::Kind;
use super::options::options;
use super::{chance, name_of, pick, some};

/// Steps that often lead to a table that a model can learn from.
pub fn preparation(table: &Table, rng: &mut Rng) -> Vec<String> {
    let mut steps = Vec::new();
    if table.split.is_none() {
        let time = table.columns.iter().find(|c| c.dtype.is_temporal() && !c.nullable).map(|c| name_of(&c.name));
        let label = table.columns.iter().find(|c| c.role == Role::Label).map(|c| name_of(&c.name));
        steps.push(match (rng.u8(..14), time, label) {
            (0, ..) => "split by user { train 60%, valid 15%, test 25% }".into(),
            (1, ..) => "split by user { train 70%, test 30% }".into(),
            (2, ..) => "split folds 3 by user".into(),
            (3, ..) => "split test 20% by user, folds 3".into(),
            (4, Some(time), _) => format!("split at {time} folds 3"),
            (5, Some(time), _) => format!("split at {time} {{ train 70%, test 30% }}"),
            (6, _, Some(label)) => format!("split stratify {label} test 30%"),
            (7, ..) => "split train 100%".into(),
            _ => "split test 30%".into(),
        });
    }
    for column in &table.columns {
        let name = name_of(&column.name);
        let numeric = matches!(column.dtype, DataType::Int | DataType::Float);
        if column.role == Role::Label {
            continue;
        }
        if column.nullable && numeric {
            steps.push(format!("map {name} with impute({})", pick(rng, &["median", "mean", "mode", "0"])));
        } else if column.nullable && column.dtype == DataType::Bool {
            steps.push(format!("map {name} with impute(mode)"));
        }
        match Kind::of(&column.dtype) {
            Kind::Text => {
                let null = if column.nullable { "impute(mode), " } else { "" };
                steps.push(format!("map {name} with {null}{}", pick(rng, &["one_hot", "one_hot", "index"])));
            }
            Kind::Int | Kind::Float if chance(rng, 40) => {
                steps.push(format!("map {name} with {}", pick(rng, &["standardize", "min_max"])));
            }
            Kind::Date | Kind::Datetime if !column.nullable => {
                steps.push(format!("derive m_{} = month({name})", steps.len()))
            }
            _ => {}
        }
    }
    let unsplit = usize::from(table.split.is_none());
    rng.shuffle(&mut steps[unsplit..]);
    steps
}

/// One algorithm, with options that are searched now and then, or the best of two.
fn fit(algorithm: &str, fitting: &[&Algorithm], metrics: &[&str], rng: &mut Rng) -> String {
    match rng.u8(..8) {
        0 => {
            let other = pick(rng, fitting).name;
            let small = if other == "random_forest" { " { trees in [2, 3] }" } else { "" };
            format!("fit best by {} {{\n    {algorithm}\n    {other}{small}\n  }}", pick(rng, metrics))
        }
        1 if algorithm.contains("trees = 3") => format!("fit {}", algorithm.replace("trees = 3", "trees in [2, 3]")),
        _ => format!("fit {algorithm}"),
    }
}

/// Inputs with which predictions only rise or only fall.
fn directions(table: &Table, inputs: &[&String], rng: &mut Rng) -> Vec<String> {
    let ordered = |name: &str| {
        let column = table.columns.iter().find(|c| name_of(&c.name) == name);
        column.is_some_and(|c| matches!(Kind::of(&c.dtype), Kind::Int | Kind::Float | Kind::Decimal | Kind::Bool))
    };
    let (mut rise, mut fall): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for name in inputs.iter().filter(|name| ordered(name)) {
        match rng.u8(..3) {
            0 => rise.push(name),
            1 => fall.push(name),
            _ => {}
        }
    }
    let option = |(name, inputs): (&str, Vec<&str>)| format!("{name} = [{}]", inputs.join(", "));
    let both = [("increasing", rise), ("decreasing", fall)];
    both.into_iter().filter(|(_, inputs)| !inputs.is_empty()).map(option).collect()
}

/// A model of the table, if it has something to predict.
pub fn model(name: &str, from: &str, table: &Table, rng: &mut Rng) -> Option<String> {
    let outputs: Vec<&Column> = table
        .columns
        .iter()
        .filter(|c| {
            matches!(Kind::of(&c.dtype), Kind::Bool | Kind::Text | Kind::Int | Kind::Float)
                && !c.taint.iter().any(|(_, t)| t.kind.words() == "a prediction on rows that the model learned from")
        })
        .collect();
    let labels: Vec<&Column> = outputs.iter().copied().filter(|c| c.role == Role::Label).collect();
    let output = *if labels.is_empty() || chance(rng, 25) {
        pick(rng, outputs.get(..).filter(|o| !o.is_empty())?)
    } else {
        pick(rng, &labels)
    };
    let inputs: Vec<String> = table
        .columns
        .iter()
        .filter(|c| {
            c.name != output.name
                && !c.nullable
                && c.taint.is_empty()
                && matches!(Kind::of(&c.dtype), Kind::Int | Kind::Float | Kind::Decimal | Kind::Bool | Kind::Vector)
        })
        .map(|c| name_of(&c.name))
        .collect();
    let chosen = some(rng, inputs.get(..).filter(|i| !i.is_empty())?, 6);
    // The type before any maps: that is what is predicted.
    let natural = output.maps.first().map_or(&output.dtype, |(link, _)| &link.from);
    let (task, ty) = match Kind::of(natural) {
        Kind::Bool => (Task::Classification, ": bool"),
        Kind::Text => (Task::Classification, *pick(rng, &["", ": category"])),
        Kind::Int if rng.bool() => (Task::Classification, ": int classes"),
        Kind::Int => (Task::Regression, *pick(rng, &["", ": float", ": int"])),
        _ => (Task::Regression, *pick(rng, &["", ": float"])),
    };
    let fitting: Vec<_> = ALGORITHMS.iter().filter(|a| a.tasks.contains(&task)).collect();
    let algorithm = *pick(rng, &fitting);
    let mut given = options(rng, algorithm.options, 30, Kind::of(natural));
    // What costs time.
    for small in ["trees = 3", "epochs = 2"] {
        let name = small.split(' ').next().unwrap_or_default();
        if algorithm.options.iter().any(|o| o.name == name)
            && !given.iter().any(|g| g.starts_with(name))
            && name != "epochs"
        {
            given.push(small.into());
        }
    }
    if algorithm.name == "gradient_boosting" && (task == Task::Regression || ty == ": bool") && chance(rng, 50) {
        given.extend(directions(table, &chosen, rng));
    }
    let given = if given.is_empty() { String::new() } else { format!(" {{ {} }}", given.join(", ")) };
    let with_arguments = |m: &Metric| if m.options.is_empty() { m.name.to_owned() } else { format!("{}(0.9)", m.name) };
    let metrics: Vec<String> = METRICS.iter().filter(|m| m.task == task).map(with_arguments).collect();
    let metrics: Vec<&str> = metrics.iter().map(String::as_str).collect();
    let mut lines = vec![
        format!("input {}", chosen.into_iter().cloned().collect::<Vec<_>>().join(", ")),
        format!("output {}{ty}", name_of(&output.name)),
        fit(&format!("{}{given}", algorithm.name), &fitting, &metrics, rng),
    ];
    if lines[2].contains(" in [") {
        let by = if lines[2].starts_with("fit best") { String::new() } else { format!(" by {}", pick(rng, &metrics)) };
        lines.push(format!("{}{by}", pick(rng, &["tune grid", "tune random(2)", "tune halving(2)", "tune guided(3)"])));
    }
    if ty == ": bool" && chance(rng, 20) {
        let threshold = ["0.3", "best f1", "best accuracy", "best mcc", "best precision_macro"];
        lines.push(format!("threshold = {}", pick(rng, &threshold)));
    }
    if chance(rng, 10) {
        lines.push(if task == Task::Regression { "conformal = 50%" } else { "calibrate = sigmoid" }.into());
    }
    if chance(rng, 10) {
        lines.push("refit on all".into());
    }
    let slices: Vec<&Column> =
        table.columns.iter().filter(|c| matches!(Kind::of(&c.dtype), Kind::Text | Kind::Bool | Kind::Date)).collect();
    if !slices.is_empty() && chance(rng, 15) {
        let (metric, by) = (*pick(rng, &metrics), name_of(&pick(rng, &slices).name));
        lines.push(format!("evaluate {metric} by {by}"));
        if rng.bool() {
            lines.push(format!("require {metric} >= 0.0 or {metric} > deployed for each {by}"));
        }
    }
    if chance(rng, 85) {
        lines.push(format!("evaluate {}", some(rng, &metrics, 4).into_iter().copied().collect::<Vec<_>>().join(", ")));
    }
    let evaluates = lines.iter().any(|line| line.starts_with("evaluate ") && !line.contains(" by "));
    if evaluates && chance(rng, 15) {
        lines.push("intervals = 90%".into());
    }
    if chance(rng, 30) {
        let metric = pick(rng, &metrics);
        lines.push(match rng.u8(..3) {
            0 => format!("require {metric} > baseline"),
            1 => format!("require {metric} >= 0.1 or {metric} <= baseline"),
            _ => format!("require {metric} in 0.0..=1.0"),
        });
    }
    let weights: Vec<&Column> = table
        .columns
        .iter()
        .filter(|c| matches!(c.dtype, DataType::Int | DataType::Float) && !c.nullable && c.range.is_non_negative())
        .collect();
    if !weights.is_empty() && chance(rng, 15) {
        lines.push(format!("weight {}", name_of(&pick(rng, &weights).name)));
    }
    Some(format!("model {name} from {from} {{\n  {}\n}}\n", lines.join("\n  ")))
}
