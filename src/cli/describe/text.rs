use dbjob_plan::Task;

use super::super::item_title;
use super::choice::Search;
use super::column::Column;
use super::outline::{Item, Model, Outline};

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
        out.push_str(&format!("\nmodule {}\n", module.name));
        for line in module.doc.iter().flat_map(|d| d.lines()) {
            out.push_str(&format!("  ## {line}\n"));
        }
        out.push_str(&format!("  runs {}\n", module.runs.join(", ")));
        if !module.after.is_empty() {
            out.push_str(&format!("  after {}\n", module.after.join(", ")));
        }
        out.extend(module.role.iter().map(|role| format!("  role {role}\n")));
    }
    if !outline.unchecked.is_empty() {
        out.push_str("\nunchecked\n");
    }
    for note in &outline.unchecked {
        let place = note.place.as_ref().map(|p| format!("{p}  ")).unwrap_or_default();
        out.push_str(&format!("  {place}{}\n", note.message));
    }
    out
}

fn headline(item: &Item) -> String {
    let mut line = item_title(item.kind, &item.name);
    if let Some(source) = item.source.as_ref().filter(|source| source.format == "inline") {
        line.push_str(&format!(" from {} [ … ]", source.format));
    } else if let Some(source) = &item.source {
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
        Task::Clustering => "clustering",
    };
    let mut out = match &model.search {
        Some(search) => searched(task, search),
        None => format!("  {task}: {}\n", model.algorithm),
    };
    // What is null is chosen by the algorithm; of a search the options are those of its first candidate.
    for (name, value) in model.options.iter().filter(|(_, value)| model.search.is_none() && !value.is_null()) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out.push_str(&format!("    {name} = {value}\n"));
    }
    if let Some(threshold) = &model.threshold {
        out.push_str(&format!("  threshold = {threshold}\n"));
    }
    if let Some(method) = model.calibrate {
        out.push_str(&format!("  calibrate = {method}\n"));
    }
    if let Some(share) = model.conformal {
        out.push_str(&format!("  conformal = {share}\n"));
    }
    if model.refit {
        out.push_str("  refit on all\n");
    }
    out.push_str("  inputs\n");
    out.push_str(&columns(&model.inputs, "    "));
    out.push_str("  output\n");
    out.push_str(&columns(std::slice::from_ref(&model.output), "    "));
    if !model.metrics.is_empty() {
        out.push_str(&format!("  evaluate {}\n", model.metrics.join(", ")));
    }
    for slice in &model.slices {
        out.push_str(&format!("  evaluate {slice}\n"));
    }
    if let Some(share) = model.intervals {
        out.push_str(&format!("  intervals = {share}\n"));
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

/// What is tried, a line for each algorithm.
fn searched(task: &str, search: &Search) -> String {
    let mut out = format!("  {task}: the best by {} of a search, {}\n", search.metric, search.strategy);
    for candidate in &search.candidates {
        let spaces: Vec<String> = candidate.spaces.iter().map(|(name, space)| format!("{name} in {space}")).collect();
        out.push_str(format!("    {}  {}", candidate.algorithm, spaces.join(", ")).trim_end());
        out.push('\n');
    }
    out
}

/// Types are aligned up to this width: a long list of levels pushes its own remarks only.
const WIDEST_TYPE: usize = 32;

fn columns(columns: &[Column], indent: &str) -> String {
    let wide = |text: &str| text.chars().count();
    let width = columns.iter().map(|c| wide(&c.name)).max().unwrap_or(0) + 1;
    let types: Vec<String> = columns.iter().map(Column::display_type).collect();
    let type_width = types.iter().map(|t| wide(t)).filter(|w| *w <= WIDEST_TYPE).max().unwrap_or(0);
    let mut out = String::new();
    for (column, ty) in columns.iter().zip(&types) {
        let name = format!("{}:", column.name);
        let mut remarks = column.remarks().join("; ");
        if let Some(from) = column.comes_from() {
            remarks.push_str(&format!("  {from}"));
        }
        out.push_str(format!("{indent}{name:width$} {ty:type_width$}  {remarks}").trim_end());
        let doc = column.attributes.as_ref().and_then(|a| a.doc.as_deref()).unwrap_or_default();
        for line in doc.lines().take(1) {
            out.push_str(&format!("  ## {line}"));
        }
        out.push('\n');
    }
    out
}

fn shortened(step: &str) -> String {
    if step.chars().count() <= LONGEST {
        return step.to_owned();
    }
    let cut: String = step.chars().take(LONGEST - 1).collect();
    cut + "…"
}
