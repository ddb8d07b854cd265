use crate::lineage::{Decision, Place, Request};

/// The request of a model with its reasons.
pub fn render(request: &Request, boundary: &[String]) -> String {
    let of = match (&request.dataset, boundary.is_empty()) {
        (Some(dataset), _) => format!(": a row of {dataset}"),
        (None, true) => ": the model's inputs".into(),
        (None, false) => String::new(),
    };
    let mut out = format!("request of {}{of}\n", request.model);
    boundary.iter().for_each(|line| out.push_str(&format!("  ! {line}\n")));
    for field in &request.fields {
        let null = if field.nullable { "?" } else { "" };
        let column = field.column.as_ref().map(|c| format!("  (in the job: {c})")).unwrap_or_default();
        let refinement = field.refinement.as_ref().map(|r| format!(" in {r}")).unwrap_or_default();
        out.push_str(&format!("\n  {}: {}{null}{refinement}{column}\n", field.name, field.ty));
        for line in field.doc.iter().flat_map(|d| d.lines()) {
            out.push_str(&format!("    ## {line}\n"));
        }
        for need in &field.needed_by {
            let steps: Vec<String> = need.through.iter().map(step).collect();
            let steps = if steps.is_empty() { "as it is".into() } else { steps.join(", then ") };
            out.push_str(&format!("    for {}: {steps}\n", need.input));
        }
        if let Some(by) = &field.not_null_by {
            out.push_str(&format!("    never null: in training by {}, and later steps rely on it\n", step(by)));
        }
    }
    section(
        &mut out,
        "refused (422) unless",
        request.rules.iter().map(|rule| {
            let mut line = format!("{}{}", rule.text, at(rule.place.as_ref()));
            if let Some(what) = &rule.relied_on_by {
                line.push_str(&format!(": `{what}` relies on it"));
            }
            if let Some(what) = &rule.may_be_null_by {
                line.push_str(&format!(": `{what}` may give null, and later steps rely on a value"));
            }
            if let Some(by) = &rule.holds_by {
                line.push_str(&format!("; in training it holds by {}", step(by)));
            }
            line
        }),
    );
    section(
        &mut out,
        "tables that travel with the model",
        request.lookups.iter().map(|lookup| {
            let missing = if lookup.required { "a row without a match is refused" } else { "null without a match" };
            let (columns, keys) = (lookup.columns.join(", "), lookup.keys.join(", "));
            format!("{}: {columns} by {keys}; {missing}{}", lookup.table, at(lookup.place.as_ref()))
        }),
    );
    section(
        &mut out,
        "not applied to a request: they choose or judge rows of training",
        request.not_applied.iter().map(step),
    );
    section(&mut out, "a prediction has", request.response.iter().map(|f| format!("{}: {}", f.name, f.ty)));
    out
}

fn section(out: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.map(|line| format!("  {line}\n")).collect();
    if !lines.is_empty() {
        out.push_str(&format!("\n{title}\n{}", lines.concat()));
    }
}

fn step(step: &Decision) -> String {
    format!("{}{}", step.text, at(step.place.as_ref()))
}

fn at(place: Option<&Place>) -> String {
    place.map(|p| format!(" ({}:{})", p.file.display(), p.line)).unwrap_or_default()
}
