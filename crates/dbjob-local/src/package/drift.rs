use std::path::Path;

use dbjob_drift::{Drift, Tally, drift};
use dbjob_plan::{DataType, Field, RunError, Schema};
use polars::prelude::{DataFrame, IntoLazy};

use super::open::Package;
use crate::drift::{fields_of, of_the_types, tallies};
use crate::fault::{engine_error, guarded};

/// So often the model is asked at most, to find the rows that it refuses.
const ASKED: usize = 2000;

/// How far the rows of a file are from those of the training.
#[derive(Debug)]
pub struct Drifted {
    pub drift: Drift,
    /// The rows that the model refuses; their predictions are not among those that are compared. `None`: so many that they
    /// were not counted, and no predictions are compared.
    pub refused: Option<u64>,
}

impl Package {
    /// Compares the rows of a file, and the predictions of them, with those of the training. A value that the model would
    /// refuse is counted, not an error: a null, a level that is not declared, a number beyond its range.
    ///
    /// Errors: E0716 when the package has no profile; those of reading the file; E0719 when hardly a row is taken.
    pub fn drift_file(&self, input: &Path) -> Result<Drifted, RunError> {
        let Some(profile) = &self.profile else {
            let message = format!("version {} of `{}` has no profile", self.manifest.version, self.manifest.model);
            return Err(RunError::new("E0716", message)
                .help("a model has one if its rows can be traced to what callers send; run the job again"));
        };
        let fields: Vec<Field> = self.manifest.request.iter().filter(|f| !f.hidden).map(lenient).collect();
        let rows = crate::read_request(input, &Schema::new(fields.clone()), &self.manifest.serving.nulls)?;
        let rows = guarded(|| rows.collect()).map_err(engine_error)?;
        let columns = tallies(&rows, &profile.columns, &fields)?;
        let declared: Vec<Field> = self.manifest.request.iter().filter(|f| !f.hidden).cloned().collect();
        let typed = rows.filter(&of_the_types(&rows, &declared)?).map_err(engine_error)?;
        let (mut asked, mut predictions) = (0, Vec::new());
        let parts = self.taken(&typed, &mut asked)?;
        let taken: Option<usize> = parts.as_ref().map(|parts| parts.iter().map(DataFrame::height).sum());
        for part in parts.unwrap_or_default() {
            let more = tallies(&part, &profile.predictions, &fields_of(&part))?;
            match predictions.is_empty() {
                true => predictions = more,
                false => predictions.iter_mut().zip(&more).for_each(|(all, more): (&mut Tally, _)| all.merge(more)),
            }
        }
        let refused = taken.map(|taken| (rows.height() - taken) as u64);
        Ok(Drifted { drift: drift(profile, &columns, &predictions), refused })
    }

    /// The predictions of the rows that are taken: of all at once, or where one is refused of each half. `None`: there are
    /// too many that are refused.
    fn taken(&self, rows: &DataFrame, asked: &mut usize) -> Result<Option<Vec<DataFrame>>, RunError> {
        if rows.height() == 0 {
            return Ok(Some(Vec::new()));
        }
        *asked += 1;
        match self.predict(rows.clone().lazy(), "prediction") {
            Ok(columns) => Ok(Some(vec![DataFrame::new(rows.height(), columns).map_err(engine_error)?])),
            Err(refused) if refused.code != "E0719" => Err(refused),
            Err(_) if *asked > ASKED => Ok(None),
            Err(_) if rows.height() == 1 => Ok(Some(Vec::new())),
            Err(_) => {
                let half = rows.height() / 2;
                let Some(mut parts) = self.taken(&rows.slice(0, half), asked)? else { return Ok(None) };
                let rest = self.taken(&rows.slice(half as i64, rows.height() - half), asked)?;
                Ok(rest.map(|rest| {
                    parts.extend(rest);
                    parts
                }))
            }
        }
    }
}

/// The field with all that a value of its type may be.
fn lenient(field: &Field) -> Field {
    let dtype = match &field.dtype {
        DataType::Category { .. } => DataType::Category { levels: None },
        other => other.clone(),
    };
    Field::new(field.name.clone(), dtype, true)
}
