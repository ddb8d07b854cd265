//! Where models and tables go: what each target is called, what goes there, and its options.

use super::options::{Default, OptionSpec, OptionType};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    Model,
    Table,
}

/// A target of `to`.
#[derive(Debug, Clone, Copy)]
pub struct Sink {
    pub name: &'static str,
    pub takes: Takes,
    /// What the path or address is called that stands first.
    pub place: &'static str,
    /// How it is written, for messages.
    pub example: &'static str,
    /// Further options. `mode` and `partition` of files, and `mode` of databases, are words and columns of their own.
    pub options: &'static [OptionSpec],
}

const fn table(name: &'static str, example: &'static str) -> Sink {
    Sink { name, takes: Takes::Table, place: "path", example, options: &[] }
}

const fn database(name: &'static str, place: &'static str, example: &'static str) -> Sink {
    Sink { name, takes: Takes::Table, place, example, options: &[TABLE] }
}

const TABLE: OptionSpec =
    OptionSpec { name: "table", ty: OptionType::Text, default: Default::Required, doc: "The table that is written" };

const fn text(name: &'static str, doc: &'static str) -> OptionSpec {
    OptionSpec { name, ty: OptionType::Text, default: Default::Null, doc }
}

pub const SINKS: &[Sink] = &[
    Sink { name: "registry", takes: Takes::Model, place: "path", example: "to registry(\"models\")", options: &[] },
    table("csv", "to csv(\"out.csv\")"),
    table("parquet", "to parquet(\"out.parquet\")"),
    table("ndjson", "to ndjson(\"out.ndjson\")"),
    table("arrow", "to arrow(\"out.arrow\")"),
    database("sqlite", "path", "to sqlite(\"shop.db\", table = \"scores\")"),
    database("postgres", "url", "to postgres(secret(\"DATABASE\"), table = \"scores\")"),
    database("mysql", "url", "to mysql(secret(\"DATABASE\"), table = \"scores\")"),
    Sink {
        name: "http",
        takes: Takes::Model,
        place: "address",
        example: "to http(\"127.0.0.1:8080\")",
        options: &[
            OptionSpec {
                name: "timeout",
                ty: OptionType::Duration,
                default: Default::Null,
                doc: "The limit on one request",
            },
            text("token", "What a caller must show; a secret"),
        ],
    },
    Sink { name: "onnx", takes: Takes::Model, place: "path", example: "to onnx(\"model.onnx\")", options: &[] },
    Sink {
        name: "mlflow",
        takes: Takes::Model,
        place: "url",
        example: "to mlflow(\"http://localhost:5000\", experiment = \"shop\")",
        options: &[
            text(
                "experiment",
                "The experiment that the run is of; made if there is none. The job's name, if nothing is said",
            ),
            text("register", "The model in the server's registry that gets a new version"),
            text("token", "What the server wants to see as a bearer token; a secret"),
            OptionSpec {
                name: "timeout",
                ty: OptionType::Duration,
                default: Default::Null,
                doc: "The limit on one request; 30 s, if nothing is said",
            },
        ],
    },
    Sink {
        name: "databricks",
        takes: Takes::Model,
        place: "bundle",
        example: "to databricks(bundle = \"bundle\")",
        options: &[
            text("host", "The workspace"),
            text("catalog", "The catalog of Unity Catalog"),
            text("schema", "The schema of Unity Catalog"),
        ],
    },
];

/// What databases do with the rows that are there.
pub const MODES: &[&str] = &["replace", "append", "upsert"];

pub fn find(name: &str) -> Option<&'static Sink> {
    SINKS.iter().find(|s| s.name == name)
}
