use dbjob_plan::Task;

use super::super::item_title;
use super::outline::{Column, Item, Model, Outline};

/// Steps are cut to this many characters.
const LONGEST: usize = 100;

/// A tree, one item a branch.
pub fn render(outline: &Outline) -> String {
    let mut out = format!("job {}", outline.job);
    out.push_str(&format!("  seed {}", outline.seed));
    if let Some(limit) = &outline.run_time {
        out.push_str(&format!(", at most {limit}"));
    }
    out.push('\n');
    for item in &outline.items {
        out.push('\n');
        out.push_str(&headline(item));
        for line in item.doc.iter().flat_map(|d| d.lines()) {
            out.push_str(&format!("  ## {line}\n"));
        }
        for step in &item.steps {
            out.push_str(&format!("  {}\n", shortened(step)));
        }
        match &item.model {
            Some(model) => out.push_str(&of_model(model)),
            None if !item.columns.is_empty() => {
                out.push_str("  columns\n");
                out.push_str(&columns(&item.columns, "    "));
            }
            None => {}
        }
        for to in &item.targets {
            out.push_str(&format!("  to {}({:?})\n", to.kind, to.path));
        }
    }
    for module in &outline.modules {
        out.push_str(&format!("\nmodule {}\n  runs {}\n", module.name, module.runs.join(", ")));
    }
    out
}

fn headline(item: &Item) -> String {
    let mut line = item_title(item.kind, &item.name);
    if let Some(source) = &item.source {
        line.push_str(&format!(" from {}({:?})", source.format, source.path));
    } else if !item.inputs.is_empty() {
        line.push_str(&format!(" from {}", item.inputs.join(", ")));
    }
    if let Some(module) = &item.module {
        line.push_str(&format!("  (module {module})"));
    }
    line + "\n"
}

fn of_model(model: &Model) -> String {
    let task = match model.task {
        Task::Classification => "classification",
        Task::Regression => "regression",
    };
    let mut out = format!("  {task}: {}\n", model.algorithm);
    // What is null is chosen by the algorithm.
    for (name, value) in model.options.iter().filter(|(_, value)| !value.is_null()) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out.push_str(&format!("    {name} = {value}\n"));
    }
    out.push_str("  inputs\n");
    out.push_str(&columns(&model.inputs, "    "));
    out.push_str("  output\n");
    out.push_str(&columns(std::slice::from_ref(&model.output), "    "));
    if !model.metrics.is_empty() {
        out.push_str(&format!("  evaluate {}\n", model.metrics.join(", ")));
    }
    for condition in &model.require {
        out.push_str(&format!("  require {condition}\n"));
    }
    if !model.request.is_empty() {
        let of = model.request_dataset.as_ref().map(|d| format!(" (rows of {d})")).unwrap_or_default();
        out.push_str(&format!("  request{of}\n"));
        out.push_str(&columns(&model.request, "    "));
    }
    out
}

fn columns(columns: &[Column], indent: &str) -> String {
    let width = columns.iter().map(|c| c.name.chars().count()).max().unwrap_or(0) + 1;
    columns.iter().map(|c| format!("{indent}{:width$} {}\n", format!("{}:", c.name), c.display_type())).collect()
}

fn shortened(step: &str) -> String {
    if step.chars().count() <= LONGEST {
        return step.to_owned();
    }
    let cut: String = step.chars().take(LONGEST - 1).collect();
    cut + "…"
}
