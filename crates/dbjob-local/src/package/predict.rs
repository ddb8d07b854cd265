use std::collections::HashMap;
use std::path::Path;

use dbjob_drift::Profile;
use dbjob_plan::{Manifest, Predictor, RunError, Schema};
use polars::prelude::{Column, DataFrame, LazyFrame};

use super::open::Package;
use crate::fault::engine_error;
use crate::map::MapStates;

impl Package {
    /// The prediction columns for request rows, in their order: the serving plan is replayed, then the model asked.
    ///
    /// Errors: E0719 for a row that the plan or the model refuses, and what the plan's steps raise.
    pub fn predict(&self, request: LazyFrame, prefix: &str) -> Result<Vec<Column>, RunError> {
        let inputs = crate::replay(&self.manifest.serving, request, &self.lookups, &self.maps)?;
        self.ask(&inputs, prefix)
    }

    /// The prediction columns for rows of the model's inputs.
    ///
    /// Errors: E0719 for a row that the model refuses.
    pub(crate) fn ask(&self, inputs: &DataFrame, prefix: &str) -> Result<Vec<Column>, RunError> {
        self.learned.predict(inputs, prefix, &self.maps)
    }

    /// The tables that travel with the model, by snapshot name.
    pub(crate) fn lookups(&self) -> &HashMap<String, DataFrame> {
        &self.lookups
    }

    pub(crate) fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    pub(crate) fn maps(&self) -> &MapStates {
        &self.maps
    }

    /// The maps and the model as an ONNX file.
    ///
    /// Errors: E0603 naming what such a file cannot hold.
    pub fn onnx(&self) -> Result<Vec<u8>, RunError> {
        let whole = self.learned.onnx(&self.maps, &self.manifest.job);
        whole.map_err(|e| RunError { code: "E0603".into(), ..e })
    }
}

impl Predictor for Package {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The output has all columns of the input as they are (those that are no part of the request too), then the
    /// prediction columns.
    fn predict_file(&self, input: &Path, output: &Path, prefix: &str) -> Result<u64, RunError> {
        let schema = Schema::new(self.manifest.request.clone());
        let predictions = self.predict(crate::read_request(input, &schema, &self.manifest.serving.nulls)?, prefix)?;
        let mut table = crate::read_as_is(input)?;
        for column in &predictions {
            if table.get_column_index(column.name()).is_some() {
                let message = format!("{} already has a column `{}`", input.display(), column.name());
                return Err(RunError::new("E0719", message).help("choose another prefix for the prediction columns"));
            }
        }
        table = joined(&table, &predictions)?;
        crate::write_table(&mut table, output)?;
        Ok(table.height() as u64)
    }
}

fn joined(table: &DataFrame, predictions: &[Column]) -> Result<DataFrame, RunError> {
    if predictions.iter().any(|c| c.len() != table.height()) {
        let rows = predictions.first().map_or(0, Column::len);
        let message = format!("{rows} predictions for {} rows of the input", table.height());
        return Err(RunError::new("E0799", message));
    }
    table.hstack(predictions).map_err(engine_error)
}
