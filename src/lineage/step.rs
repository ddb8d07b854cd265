//! What a step looks like: its text on one line, its place, the type of what it makes.

use dbjob_plan::{ColumnRef, DataType, ExprKind, NamedExpr, NodeId, Op, Source, Span, Target};

use super::trace::{Decision, Place, Step, Vertex};
use super::{Job, one_line};

impl Job<'_> {
    pub(super) fn place(&self, span: Span) -> Option<Place> {
        if span.is_empty() {
            return None;
        }
        let file = self.sources.get(span.file);
        Some(Place { file: file.path.clone(), line: file.position(span.start).0 })
    }

    pub(super) fn text(&self, span: Span) -> String {
        if span.is_empty() { String::new() } else { one_line(self.sources.slice(span)) }
    }

    /// The type of a column; of the columns whose names only data tell, that of probabilities.
    pub(super) fn dtype(&self, node: NodeId, column: &str) -> String {
        let field = self.plan.node(node).schema.get(column);
        field.map_or_else(
            || DataType::Float.to_string(),
            |f| format!("{}{}", f.dtype, if f.nullable { "?" } else { "" }),
        )
    }

    /// The step that makes a column.
    pub(super) fn column_vertex(&self, at: &ColumnRef) -> Vertex {
        let node = self.plan.node(at.node);
        let named = |columns: &[NamedExpr]| {
            let last = columns.iter().rev().find(|c| c.name == at.column)?;
            Some((self.named_text(last), last.expr.span)).filter(|(_, span)| *span != node.span && !span.is_empty())
        };
        let (kind, text, span) = match &node.op {
            Op::Read(source) => {
                let (text, span) = self.source_column(source, at, node.span);
                (Step::Source, text, span)
            }
            Op::Derive { columns } => {
                let (text, span) = named(columns).unwrap_or_else(|| (self.text(node.span), node.span));
                (Step::Column, text, span)
            }
            Op::Group { keys, aggregates } => {
                let (text, span) =
                    named(aggregates).or_else(|| named(keys)).unwrap_or_else(|| (self.text(node.span), node.span));
                let by: Vec<&str> = keys.iter().map(|k| k.name.as_str()).collect();
                let by = if by.is_empty() { "of the whole table".into() } else { format!("by {}", by.join(", ")) };
                (Step::Column, format!("{text}, {by}"), span)
            }
            Op::Window(window) => {
                let (text, span) = named(&window.columns).unwrap_or_else(|| (self.text(node.span), node.span));
                let by: Vec<String> = window.by.iter().map(|e| self.text(e.span)).collect();
                let by = if by.is_empty() { "over the whole table".into() } else { format!("by {}", by.join(", ")) };
                (Step::Column, format!("{text}, {by}"), span)
            }
            _ => (Step::Column, self.text(node.span), node.span),
        };
        Vertex {
            kind,
            item: node.item.clone(),
            column: Some(at.column.clone()),
            ty: Some(self.dtype(at.node, &at.column)),
            text,
            place: self.place(span),
        }
    }

    /// `total = amount + vat`; a column that a whole step puts there is told by the step.
    fn named_text(&self, column: &NamedExpr) -> String {
        let text = self.text(column.expr.span);
        match &column.expr.kind {
            ExprKind::Column(name) if text.trim_matches('`') != name => text,
            _ => format!("{} = {text}", column.name),
        }
    }

    /// The statements of a step. Neighbouring `derive`s are one step of the plan.
    pub fn statements(&self, id: NodeId) -> Vec<String> {
        let node = self.plan.node(id);
        let mut out = vec![self.text(node.span)];
        if let Op::Derive { columns } = &node.op {
            let inside =
                |span: Span| span.file == node.span.file && node.span.start <= span.start && span.end <= node.span.end;
            let others = columns.iter().filter(|c| !c.expr.span.is_empty() && !inside(c.expr.span));
            out.extend(others.map(|c| format!("derive {}", self.named_text(c))));
        }
        out.retain(|text| !text.is_empty());
        out
    }

    fn source_column(&self, source: &Source, at: &ColumnRef, dataset: Span) -> (String, Span) {
        let column = source.columns.iter().find(|c| c.name == at.column);
        let header = column.filter(|c| c.header != at.column).map(|c| format!(" named {:?}", c.header));
        let span = column.map_or(dataset, |c| c.span);
        (format!("in {}{}", source.place(), header.unwrap_or_default()), span)
    }

    pub(super) fn model_vertex(&self, fit: NodeId) -> Vertex {
        let node = self.plan.node(fit);
        let text = match &node.op {
            Op::Fit(spec) => match spec.target() {
                Some(output) => format!("{} of {output}", spec.algorithm.name),
                None => spec.algorithm.name.clone(),
            },
            _ => String::new(),
        };
        Vertex {
            kind: Step::Model,
            item: node.item.clone(),
            column: None,
            ty: None,
            text,
            place: self.place(node.span),
        }
    }

    /// A column as a model takes it.
    pub(super) fn input_vertex(&self, fit: NodeId, column: &str) -> Vertex {
        let node = self.plan.node(fit);
        let table = self.plan.inputs(fit)[0];
        let mut text = format!("input of {}", node.item);
        if let Op::Fit(spec) = &node.op {
            match spec.inputs.iter().find(|i| i.column == column) {
                Some(input) if input.name != column => text.push_str(&format!(" as {:?}", input.name)),
                Some(_) => {}
                None if spec.target() == Some(column) => text = format!("output of {}", node.item),
                None => text = format!("weight of {}", node.item),
            }
        }
        Vertex {
            kind: Step::Input,
            item: node.item.clone(),
            column: Some(column.to_owned()),
            ty: Some(self.dtype(table, column)),
            text,
            place: self.place(node.span),
        }
    }

    pub(super) fn deploy_vertex(&self, id: NodeId) -> Vertex {
        let node = self.plan.node(id);
        let text = match &node.op {
            Op::Deploy(target) => target_text(target),
            _ => String::new(),
        };
        Vertex {
            kind: Step::Deploy,
            item: node.item.clone(),
            column: None,
            ty: None,
            text,
            place: self.place(node.span),
        }
    }

    /// A choice of rows.
    pub(super) fn rows_vertex(&self, id: NodeId) -> Vertex {
        let Decision { item, text, place } = self.decision(id);
        Vertex { kind: Step::Rows, item, column: None, ty: None, text, place }
    }

    pub(super) fn decision(&self, id: NodeId) -> Decision {
        let node = self.plan.node(id);
        Decision { item: node.item.clone(), text: self.text(node.span), place: self.place(node.span) }
    }
}

fn target_text(target: &Target) -> String {
    format!("to {}({:?})", target.word(), target.place())
}
