//! The files that generated jobs read, and a world that knows them.

use std::path::{Path, PathBuf};

use dbjob::world::{TextFile, World};
use dbjob_plan::{RunError, Schema, Source};
use fastrand::Rng;

use super::data::{DataFile, FileFormat};
use super::expr::{Kind, OwnFn};

/// Files of data in one folder. Jobs share them: many small files cost more than many jobs.
pub struct Pool {
    pub files: Vec<DataFile>,
    pub folder: PathBuf,
}

impl Pool {
    /// So many files, by their seed. Nothing is written.
    pub fn new(folder: &Path, size: usize, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let files = (0..size).map(|n| DataFile::new(format!("data{n}"), &mut rng)).collect();
        Self { files, folder: folder.to_owned() }
    }

    /// Gives the files in another folder too.
    #[cfg(feature = "local")]
    pub fn link_into(&self, folder: &Path) {
        for file in self.files.iter().filter(|f| f.format != FileFormat::Inline) {
            std::fs::hard_link(self.folder.join(file.path()), folder.join(file.path())).expect("one file system");
        }
    }

    /// Writes the files; without the engine no files of columns.
    pub fn write(&self) {
        self.write_texts();
        #[cfg(feature = "local")]
        self.files.iter().filter(|f| f.format.is_made()).for_each(|file| super::run::make(file, self));
    }

    /// Of what the engine makes the CSV file that it is to be made from.
    fn write_texts(&self) {
        for file in self.files.iter().filter(|f| f.format != FileFormat::Inline) {
            let ending = if file.format.is_made() { "csv" } else { file.extension() };
            let path = self.folder.join(format!("{}.{ending}", file.stem));
            std::fs::write(path, file.text()).expect("the folder of the pool is writable");
        }
    }
}

/// The file of jobs' own that others use.
pub const LIBRARY: &str = "library.dbjob";

/// What is in it.
const LIBRARY_TEXT: &str = r#"
param library_limit: int = 4
fn library_half(x: float?): float? = x / 2
fn library_long(s: string?): bool? = length(s) > library_limit
fn library_next(d: date): date = d + 7d
dataset library_users from inline [
  { user: 1, grade: "red", since: @2023-11-01T00:00:00 },
  { user: 2, grade: "green", since: @2023-12-24T12:00:00 },
  { user: 5, grade: null, since: @2024-02-29T00:00:01 },
] {
  user: int key
  grade: category("red", "green", "blue")?
  since: datetime time
}
transform library_grades from library_users {
  derive library_better = grade == "red" or library_long(grade)
}
"#;

/// What the library's functions take and give, for the names of a job.
pub fn library_fns() -> Vec<OwnFn> {
    let own = |name: &str, takes, gives| OwnFn { name: name.to_owned(), params: vec![takes], gives };
    vec![
        own("library_half", Kind::Float, Kind::Float),
        own("library_long", Kind::Text, Kind::Bool),
        own("library_next", Kind::Date, Kind::Date),
    ]
}

impl World for Pool {
    fn text(&self, path: &str) -> Result<TextFile, RunError> {
        match path {
            LIBRARY => Ok(TextFile { path: LIBRARY.into(), text: LIBRARY_TEXT.into() }),
            _ => Err(RunError::new("E0701", format!("there is no `{path}`"))),
        }
    }

    #[cfg(feature = "local")]
    fn schema(&self, source: &Source) -> Result<Option<Schema>, RunError> {
        dbjob_plan::Backend::infer(&dbjob_local::LocalEngine, source, &self.folder).map(Some)
    }

    #[cfg(not(feature = "local"))]
    fn schema(&self, source: &Source) -> Result<Option<Schema>, RunError> {
        use super::data::Values;
        use dbjob_plan::{DataType, Field};
        let file = self.files.iter().find(|f| f.path() == source.path);
        let field = |column: &super::data::DataColumn| {
            let dtype = match column.values {
                Values::Key | Values::Int(..) | Values::AnyInt => DataType::Int,
                Values::Float(..) | Values::AnyFloat => DataType::Float,
                Values::Bool => DataType::Bool,
                Values::Level(_) | Values::Text | Values::Digits => DataType::String,
                Values::Date(..) => DataType::Date,
                Values::Datetime(..) => DataType::Datetime,
                Values::Texts => DataType::List { item: Box::new(DataType::String) },
                Values::Pair => DataType::List { item: Box::new(DataType::Float) },
            };
            Field::new(&column.header, dtype, column.nulls)
        };
        Ok(file.map(|f| Schema::new(f.columns.iter().map(field).collect())))
    }
}
