//! The files that generated jobs read, and a world that knows them.

use std::path::{Path, PathBuf};

use dbjob::world::World;
use dbjob_plan::{RunError, Schema, Source};
use fastrand::Rng;

use super::data::{DataFile, FileFormat};

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
        for file in &self.files {
            std::fs::hard_link(self.folder.join(file.path()), folder.join(file.path())).expect("one file system");
        }
    }

    /// Writes the files; of a Parquet file the CSV file that it is to be made from.
    pub fn write_texts(&self) {
        for file in &self.files {
            let ending = if file.format == FileFormat::Parquet { "csv" } else { file.extension() };
            let path = self.folder.join(format!("{}.{ending}", file.stem));
            std::fs::write(path, file.text()).expect("the folder of the pool is writable");
        }
    }
}

impl World for Pool {
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
            };
            Field::new(&column.header, dtype, column.nulls)
        };
        Ok(file.map(|f| Schema::new(f.columns.iter().map(field).collect())))
    }
}
