//! Where models and tables go.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Outside, Value, without_password};

/// Where a model or a table goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A model: a new version under `<path>/<model>/`, promoted only if the gates hold.
    Registry {
        path: String,
        deploy: String,
    },
    /// A model with its maps as one ONNX file, written whole or not at all, and only if the gates hold.
    Onnx {
        path: String,
    },
    /// A table, written whole or not at all.
    Csv {
        path: String,
    },
    Parquet {
        path: String,
    },
    Ndjson {
        path: String,
    },
    /// The Arrow IPC file format.
    Arrow {
        path: String,
    },
    /// A table as files in a folder.
    Folder(Folder),
    /// A server or database.
    Service(Service),
}

impl Target {
    /// Its name in the catalog.
    pub fn word(&self) -> &str {
        match self {
            Self::Registry { .. } => "registry",
            Self::Onnx { .. } => "onnx",
            Self::Csv { .. } => "csv",
            Self::Parquet { .. } => "parquet",
            Self::Ndjson { .. } => "ndjson",
            Self::Arrow { .. } => "arrow",
            Self::Folder(folder) => folder.format.word(),
            Self::Service(service) => &service.kind,
        }
    }

    /// The path, or what else it is known by, without the password of a URL; empty if that comes from outside.
    pub fn place(&self) -> String {
        match self {
            Self::Registry { path, .. } | Self::Onnx { path } => path.clone(),
            Self::Service(service) => {
                let named = ["path", "url", "address", "bundle"].iter().find_map(|name| service.options.get(*name));
                without_password(named.and_then(Value::as_str).unwrap_or_default())
            }
            table => table.table_path().unwrap_or_default().to_owned(),
        }
    }

    /// The path of the file or folder that a table goes to.
    pub fn table_path(&self) -> Option<&str> {
        match self {
            Self::Csv { path } | Self::Parquet { path } | Self::Ndjson { path } | Self::Arrow { path } => Some(path),
            Self::Folder(folder) => Some(&folder.path),
            Self::Registry { .. } | Self::Onnx { .. } | Self::Service(_) => None,
        }
    }

    /// The path of what is replaced when it is written, or added to: of a table or of a model that is one file.
    pub fn written_path(&self) -> Option<&str> {
        if let Self::Onnx { path } = self { Some(path) } else { self.table_path() }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Folder {
    pub path: String,
    pub format: TableFormat,
    /// Adds to what is there; else the folder is replaced whole.
    pub append: bool,
    /// One folder `column=value` a value below it, in this order of columns; the files keep the columns.
    pub partition: Vec<String>,
}

/// The form of a table in a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableFormat {
    Csv,
    Parquet,
    Ndjson,
    Arrow,
}

impl TableFormat {
    /// By the ending of the file's name.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "parquet" | "pq" => Some(Self::Parquet),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "arrow" | "ipc" | "feather" => Some(Self::Arrow),
            _ => None,
        }
    }

    /// Its name in the catalog, and the ending of its files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Ndjson => "ndjson",
            Self::Arrow => "arrow",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its name in the catalog: `postgres`, `http`, `onnx`.
    pub kind: String,
    /// All of its options but those from outside, defaults filled in.
    pub options: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outside: BTreeMap<String, Outside>,
}
