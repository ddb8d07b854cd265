use dbjob_plan::{Field, Refinement};
use serde::Serialize;

use crate::hir;
use crate::hir::table::Role;
use crate::lineage::{ItemLink, Nature, Scope, one_line};
use crate::source::SourceMap;

/// A column with what is known of it before anything runs.
#[derive(Debug, Serialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    pub nullable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refinement: Option<String>,
    #[serde(flatten)]
    pub nature: Option<Marks>,
    #[serde(flatten)]
    pub attributes: Option<Attributes>,
    /// The columns of other items that it comes from; with `--columns`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Vec<ItemLink>>,
}

/// How exact its values are, and which rows they depend on.
#[derive(Debug, Serialize)]
pub struct Marks {
    pub exactness: &'static str,
    pub scope: Scope,
    /// Something of which nobody promises what it is went into it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unchecked: bool,
}

impl From<Nature> for Marks {
    fn from(nature: Nature) -> Self {
        Self { exactness: nature.exactness.word(), scope: nature.scope, unchecked: nature.unchecked }
    }
}

/// What machine learning needs to know of it.
#[derive(Debug, Serialize)]
pub struct Attributes {
    /// None of a feature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// The labels, late columns and predictions that it derives from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub knows: Vec<Known>,
    /// The source columns that it derives from, `dataset.column`; none of a source column itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origin: Vec<String>,
    /// The maps that it carries, the first applied first, as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maps: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Known {
    pub name: String,
    pub kind: &'static str,
    /// The column is that one itself.
    #[serde(skip)]
    own: bool,
}

impl Column {
    pub fn new(field: &Field) -> Self {
        Self {
            name: field.name.clone(),
            ty: field.dtype.to_string(),
            nullable: field.nullable,
            refinement: field.refinement.as_ref().map(Refinement::to_string),
            nature: None,
            attributes: None,
            from: None,
        }
    }

    /// `int? in 0..=120`
    pub fn display_type(&self) -> String {
        let null = if self.nullable { "?" } else { "" };
        let refinement = self.refinement.as_ref().map(|r| format!(" in {r}")).unwrap_or_default();
        format!("{}{null}{refinement}", self.ty)
    }

    /// `<- flown.built by planes.tailnum`: values, then what only has a say.
    pub fn comes_from(&self) -> Option<String> {
        let from = self.from.as_ref().filter(|f| !f.is_empty())?;
        let side = |value: bool| {
            let names: Vec<String> =
                from.iter().filter(|l| l.value == value).map(|l| format!("{}.{}", l.item, l.column)).collect();
            names.join(", ")
        };
        Some(match (side(true), side(false)) {
            (values, others) if others.is_empty() => format!("<- {values}"),
            (values, others) if values.is_empty() => format!("<- by {others}"),
            (values, others) => format!("<- {values} by {others}"),
        })
    }

    /// What is to be said of it beyond its type, in a few words each.
    pub fn remarks(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        if let Some(marks) = &self.nature {
            out.push(marks.exactness.to_owned());
        }
        if let Some(attributes) = &self.attributes {
            out.extend(attributes.role.map(str::to_owned));
        }
        match self.nature.as_ref().map(|m| m.scope) {
            Some(Scope::Rows) => out.push("of several rows".into()),
            Some(Scope::Fitted) => out.push("fitted".into()),
            Some(Scope::Row) | None => {}
        }
        if self.nature.as_ref().is_some_and(|m| m.unchecked) {
            out.push("unchecked".into());
        }
        if let Some(attributes) = &self.attributes {
            let (own, others): (Vec<&Known>, Vec<&Known>) = attributes.knows.iter().partition(|k| k.own);
            out.extend(own.iter().filter(|k| attributes.role != Some(k.kind)).map(|k| k.kind.to_owned()));
            if !others.is_empty() {
                let others: Vec<String> = others.iter().map(|k| format!("{} ({})", k.name, k.kind)).collect();
                out.push(format!("knows {}", others.join(", ")));
            }
            if !attributes.maps.is_empty() {
                out.push(format!("maps {}", attributes.maps.join(", ")));
            }
        }
        out
    }
}

impl Attributes {
    pub fn new(column: &hir::Column, sources: &SourceMap) -> Self {
        let role = match column.role {
            Role::Feature => None,
            Role::Key => Some("key"),
            Role::Id => Some("id"),
            Role::Time => Some("time"),
            Role::Label => Some("label"),
            Role::Weight => Some("weight"),
        };
        let origin: Vec<String> = column.origin.iter().map(|(dataset, name)| format!("{dataset}.{name}")).collect();
        let known = |(name, source): (&str, &hir::TaintSource)| Known {
            name: name.to_owned(),
            kind: source.kind.word(),
            own: column.plain && origin == [name] || column.role == Role::Label && name == column.name,
        };
        Self {
            role,
            knows: column.taint.iter().map(known).collect(),
            maps: column.maps.iter().map(|(_, span)| one_line(sources.slice(*span))).collect(),
            origin,
            doc: column.doc.as_deref().map(str::to_owned),
        }
    }
}
