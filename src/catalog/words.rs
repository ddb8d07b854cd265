//! The words of items, steps, settings, sources and sinks: what exists, and what is known but not built yet.

/// A word of the language and whether this version carries it out.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    pub name: &'static str,
    pub built: bool,
    pub doc: &'static str,
}

const fn built(name: &'static str, doc: &'static str) -> Word {
    Word { name, built: true, doc }
}

const fn later(name: &'static str, doc: &'static str) -> Word {
    Word { name, built: false, doc }
}

pub const ITEMS: &[Word] = &[
    built("job", "Run-wide settings"),
    built("use", "Items of another file"),
    built("param", "A typed value set from outside"),
    built("profile", "A named set of param values"),
    built("cluster", "Where work runs"),
    built("dataset", "A source, its columns and expectations"),
    built("transform", "A table computed from others"),
    built("model", "What is learned from a table"),
    built("deploy", "Where a model or a table goes"),
    built("module", "A named group of nodes"),
    built("fn", "A pure function of columns"),
    built("test", "Rows in, rows out"),
];

pub const STEPS: &[Word] = &[
    built("filter", "Keeps the rows where it is true"),
    built("derive", "Adds columns"),
    built("select", "Keeps these columns"),
    built("drop", "Leaves these columns out"),
    built("rename", "Gives columns other names"),
    built("join", "Adds the columns of another table by key (left, full, semi, anti, cross)"),
    built("group", "One row a group, with aggregates"),
    built("window", "Computes over neighbouring rows"),
    built("sort", "Orders the rows; nulls last"),
    built("take", "Keeps the first rows"),
    built("distinct", "Keeps one row of each"),
    built("sample", "Keeps a share of the rows, by a hash"),
    built("union", "Appends the rows of other tables"),
    built("pivot", "Turns values into columns"),
    built("unpivot", "Turns columns into rows"),
    built("explode", "One row for each item of a list"),
    built("split", "Marks train, valid and test rows and folds"),
    built("map", "Applies maps to columns"),
    built("unmap", "Undoes the maps of columns"),
    built("predict", "Adds a model's predictions"),
    built("expect", "Checks rows or the table"),
    built("extern", "A process that reads and writes the table"),
];

pub const SOURCES: &[Word] = &[
    built("csv", "Comma-separated text"),
    built("parquet", "Parquet files"),
    built("ndjson", "One JSON object a line"),
    built("json", "A JSON array of objects"),
    built("arrow", "Arrow IPC files"),
    built("sqlite", "A table or query of SQLite"),
    built("postgres", "A table or query of PostgreSQL"),
    built("mysql", "A table or query of MySQL or MariaDB"),
    built("inline", "Rows written in the job"),
];

pub const SINKS: &[Word] = &[
    built("registry", "A folder of versioned models"),
    built("csv", "Comma-separated text"),
    built("parquet", "A Parquet file"),
    built("ndjson", "One JSON object a line"),
    built("arrow", "An Arrow IPC file"),
    built("http", "A server: `dbjob serve`"),
    built("onnx", "An ONNX file"),
    built("mlflow", "An MLflow tracking server"),
    later("databricks", "A Databricks bundle"),
    built("sqlite", "A table of SQLite"),
    built("postgres", "A table of PostgreSQL"),
    built("mysql", "A table of MySQL or MariaDB"),
];

pub const MODEL_VERBS: &[&str] = &["input", "output", "weight", "fit", "tune", "refit", "evaluate", "require"];
pub const DEPLOY_VERBS: &[&str] = &["to", "accept"];
pub const TYPES: &[Word] = &[
    built("int", "64-bit whole number"),
    built("float", "64-bit floating-point number"),
    built("decimal", "Exact decimal number"),
    built("bool", "true or false"),
    built("string", "Unicode text"),
    built("date", "A day"),
    built("datetime", "A moment in UTC, to the microsecond"),
    built("duration", "A length of time; of expressions only"),
    built("category", "One of some levels"),
    built("list", "A list of values"),
    built("vector", "A list of floats of one length"),
];
pub const ROLES: &[&str] = &["key", "id", "time", "label", "weight", "late"];

/// The word of that name, if the language has it.
pub fn find<'a>(words: &'a [Word], name: &str) -> Option<&'a Word> {
    words.iter().find(|w| w.name == name)
}
