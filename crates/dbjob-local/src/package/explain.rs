use std::path::Path;

use dbjob_learn::Scale;
use dbjob_plan::{RunError, Value};
use polars::prelude::Column;

use super::open::Package;
use super::rows::{Sent, Which, cell};
use crate::fault::engine_error;
use crate::learn::ToldScore;
use crate::types::value_of;

/// What each column that a caller sends adds to the answers for some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    pub scale: Scale,
    pub rows: Vec<ExplainedRow>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedRow {
    /// Its number in the file, from 1.
    pub row: u64,
    /// What `predict` answers.
    pub prediction: Vec<(String, Value)>,
    /// One of numbers and of two classes; else one a class.
    pub scores: Vec<ExplainedScore>,
}

/// base + Σ parts is the score.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedScore {
    /// In the caller's units; `None` where numbers are learned.
    pub class: Option<Value>,
    pub base: f64,
    pub score: f64,
    /// What adds or takes most comes first.
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The columns that were sent, with their values: one, or several that an input is made of together.
    pub columns: Vec<(String, Value)>,
    /// The inputs that are made of them.
    pub inputs: Vec<String>,
    pub adds: f64,
}

impl Package {
    /// Explains the answers for rows of a file: Shapley values, those of an input summed up to the columns of the request
    /// that it is made of. Nothing of calibration and of the maps of the output is in them: they are of the learner's score.
    ///
    /// Errors: E0725 for a kind of model that cannot tell, E0719 and those of reading.
    pub fn explain(&self, input: &Path, which: &Which) -> Result<Explanation, RunError> {
        let sent = self.some(input, which)?;
        let inputs = self.inputs(&sent, true)?;
        let told = self.learned.told(&inputs, &self.maps, &|i| sent.number(i))?;
        let predictions = self.learned.predict(&inputs, "prediction", &self.maps)?;
        let groups = self.groups();
        let rows = (0..sent.table.height()).map(|row| {
            Ok(ExplainedRow {
                row: sent.number(row),
                prediction: predictions.iter().map(|column| answer(column, row)).collect::<Result<_, _>>()?,
                scores: told
                    .scores
                    .iter()
                    .map(|score| self.explained(score, &groups, &sent, row))
                    .collect::<Result<_, _>>()?,
            })
        });
        Ok(Explanation { scale: told.scale, rows: rows.collect::<Result<_, RunError>>()? })
    }

    fn explained(
        &self,
        score: &ToldScore,
        groups: &[(Vec<String>, Vec<usize>)],
        sent: &Sent,
        row: usize,
    ) -> Result<ExplainedScore, RunError> {
        let part = |(columns, inputs): &(Vec<String>, Vec<usize>)| {
            let value = |name: &String| Ok((name.clone(), cell(&sent.table, name, row)?));
            Ok(Part {
                columns: columns.iter().map(value).collect::<Result<_, RunError>>()?,
                inputs: self.input_names(inputs),
                adds: inputs.iter().map(|input| score.inputs[*input][row]).sum(),
            })
        };
        let mut parts: Vec<Part> = groups.iter().map(part).collect::<Result<_, RunError>>()?;
        let total = score.base + parts.iter().map(|part| part.adds).sum::<f64>();
        parts.sort_by(|a, b| b.adds.abs().total_cmp(&a.adds.abs()));
        Ok(ExplainedScore { class: score.class.clone(), base: score.base, score: total, parts })
    }
}

fn answer(column: &Column, row: usize) -> Result<(String, Value), RunError> {
    let value = column.get(row).map_err(engine_error)?;
    Ok((column.name().to_string(), value_of(&value)))
}
