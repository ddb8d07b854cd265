//! Packages as the models of a server: rows of requests in, predictions out, by the serving plan that was stored.

mod compiled;
mod file;
mod lookup;
mod prepared;
mod shelf;
mod skew;
mod watched;

use std::sync::{Mutex, PoisonError};

use dbjob_plan::{Field, Manifest, Predictor, RunError, TableFormat};
use dbjob_serve::{Columns, FileError, FileLimits, Refusal, Scored, Scorer, Values};
use polars::prelude::{DataFrame, IntoLazy};

pub use shelf::{Place, Registry};

use crate::chunks;
use crate::fault::engine_error;
use crate::package::Package;
use crate::replay::reason;
use prepared::{Counts, Prepared};
pub(crate) use skew::replay;
use watched::Watched;

/// How the columns of predictions begin.
const PREFIX: &str = "prediction";

/// A package that answers requests.
pub struct Served {
    package: Package,
    fields: Vec<Field>,
    predictions: Vec<Field>,
    /// The serving plan made ready, one for each thread that scores at the moment; each has a slot for faults of its own.
    /// `None`: it has a step that cannot be made ready, and is done as `dbjob predict` does it.
    ready: Option<Mutex<Vec<Prepared>>>,
    /// Rows that a rule only warns of.
    warned: Counts,
    /// Where the package has a profile.
    watched: Option<Watched>,
}

impl Served {
    /// Errors: E0708 or E0716 when a table that travels with the model is not right.
    pub fn new(package: Package) -> Result<Self, RunError> {
        let manifest = package.manifest();
        let fields: Vec<Field> = manifest.request.iter().filter(|f| !f.hidden).cloned().collect();
        let predictions: Vec<Field> = manifest.predictions().fields;
        let first = Prepared::new(&package)?;
        let warned = first.as_ref().map(Prepared::counts).unwrap_or_default();
        let ready = first.map(|first| Mutex::new(vec![first]));
        let watched = package.profile().map(|profile| Watched::new(profile, &fields, &predictions));
        Ok(Self { fields, predictions, ready, warned, watched, package })
    }

    /// All rows at once, where none of them fails; rules and lookups may refuse some.
    fn quick(&self, table: &DataFrame) -> Option<Scored> {
        let ready = self.ready.as_ref()?;
        let free = ready.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut prepared = free.or_else(|| Prepared::new(&self.package).ok().flatten())?;
        let replayed = prepared.run(table, &self.warned);
        ready.lock().unwrap_or_else(PoisonError::into_inner).push(prepared);
        let (inputs, refused) = replayed.ok()?;
        let columns = self.package.ask(&inputs, PREFIX).ok()?;
        Some(Scored { columns: self.named(columns).ok()?, refused })
    }

    /// The same by halves, until the rows stand alone that fail.
    fn halves(&self, table: &DataFrame, first: usize, out: &mut Vec<Scored>) {
        let rows = table.height();
        let failed = match self.slowly(table) {
            Ok(columns) => return out.push(Scored { columns, refused: Vec::new() }),
            Err(error) => error,
        };
        if rows > 1 && failed.code != "E0716" {
            let half = rows / 2;
            self.halves(&table.slice(0, half), first, out);
            return self.halves(&table.slice(half as i64, rows - half), first + half, out);
        }
        let refusal = match failed.code.as_str() {
            "E0719" => {
                Refusal::Row { reason: reason(&failed), column: failed.data.as_ref().and_then(|d| d.column.clone()) }
            }
            _ => Refusal::Failed(failed.message),
        };
        out.push(Scored {
            columns: Vec::new(),
            refused: (first..first + rows).map(|r| (r, refusal.clone())).collect(),
        });
    }

    /// As `dbjob predict` does.
    fn slowly(&self, table: &DataFrame) -> Result<Vec<(String, Values)>, RunError> {
        self.named(self.package.predict(table.clone().lazy(), PREFIX)?)
    }

    fn named(&self, columns: Vec<polars::prelude::Column>) -> Result<Vec<(String, Values)>, RunError> {
        let of = |field: &Field| {
            let found = columns.iter().find(|c| c.name().as_str() == field.name);
            let column = found.ok_or_else(|| RunError::new("E0799", format!("there is no `{}`", field.name)))?;
            Ok((field.name.clone(), chunks::values(column, &field.dtype).map_err(engine_error)?))
        };
        self.predictions.iter().map(of).collect()
    }
}

impl Scorer for Served {
    fn manifest(&self) -> &Manifest {
        self.package.manifest()
    }

    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn score(&self, rows: &Columns) -> Scored {
        let count = rows.rows();
        let all = |why: String| Scored {
            columns: Vec::new(),
            refused: (0..count).map(|row| (row, Refusal::Failed(why.clone()))).collect(),
        };
        let table = match chunks::table(rows.rows(), &rows.columns, &self.fields) {
            Ok(table) => table,
            Err(error) => return all(engine_error(error).message),
        };
        let scored = self.quick(&table).unwrap_or_else(|| {
            let mut parts = Vec::new();
            self.halves(&table, 0, &mut parts);
            joined(parts, &self.predictions)
        });
        if let Some(watched) = &self.watched {
            watched.see(rows, &self.fields, &scored, &self.predictions);
        }
        scored
    }

    fn read_table(&self, format: TableFormat, file: &[u8], limits: FileLimits) -> Result<Columns, FileError> {
        file::read(format, file, &self.fields, limits)
    }

    fn write_table(&self, format: TableFormat, columns: &[(String, Values)]) -> Result<Vec<u8>, String> {
        file::write(format, columns, &self.predictions).map_err(|e| e.message)
    }

    fn metrics(&self, labels: &str) -> String {
        self.warned.text(labels) + &self.watched.as_ref().map(|w| w.text(labels)).unwrap_or_default()
    }
}

fn joined(parts: Vec<Scored>, predictions: &[Field]) -> Scored {
    let empty = predictions.iter().map(|f| (f.name.clone(), Values::new(&f.dtype))).collect();
    let mut all = Scored { columns: empty, refused: Vec::new() };
    for part in parts {
        all.refused.extend(part.refused);
        for ((_, values), (_, more)) in all.columns.iter_mut().zip(part.columns) {
            values.append(more);
        }
    }
    all
}
