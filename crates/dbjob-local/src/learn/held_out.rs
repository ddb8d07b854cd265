//! What a fold holds out, with the predictions of the model that was fitted without it.

use std::collections::HashMap;

use dbjob_learn::{Scores, Target};
use dbjob_plan::{PART, PART_TRAIN, ROW, RunError, Task};
use polars::prelude::{self as pl, Column, DataFrame, Expr, IntoLazy, JoinArgs, JoinType};

use super::fit::{Fresh, take, weights};
use super::judge::{Judged, column, floats, predictions};
use super::predict::Meaning;
use super::slices;
use crate::fault::{engine_error, guarded};
use crate::map::MapStates;
use crate::types::value_of;
use crate::udf::col;

/// The rows of one fold.
pub struct HeldOut {
    /// Those with an output, as they are judged.
    judged: Judged,
    /// All of them: the number of the row if the table knows it, the prediction columns.
    all: Option<DataFrame>,
}

impl Fresh {
    /// The rows that the fold's table has as its test part, as `self`, fitted without them, predicts them. `whole` is the
    /// model of all train rows: it knows every class.
    pub fn held_out(&self, table: &DataFrame, maps: &MapStates, whole: &Fresh) -> Result<HeldOut, RunError> {
        let spec = &self.learned.spec;
        let (rows, truth) = (&self.parts.held, &self.parts.truth);
        let held = take(table, rows)?;
        let scores = as_in(&self.learned.scores(&held, maps, &|i| rows[i] as u64 + 1)?, self, whole);
        let meaning = Meaning {
            task: spec.task,
            output: &spec.output,
            classes: &whole.learned.classes,
            threshold: spec.fixed_threshold(),
            conformal: spec.conformal,
            maps,
        };
        let unmapped = meaning.restored(column(&held, &spec.output.column)?)?;
        let known: Vec<u32> = (0..rows.len() as u32).filter(|i| !truth.is_null(rows[*i as usize] as usize)).collect();
        let all = match table.column(ROW) {
            Ok(_) => {
                let mut columns = vec![column(&held, ROW)?.clone()];
                columns.extend(meaning.columns(&scores, "p")?);
                Some(DataFrame::new(held.height(), columns).map_err(engine_error)?)
            }
            Err(_) => None,
        };
        let picked = |values: &Vec<f64>| known.iter().map(|i| values[*i as usize]).collect::<Vec<f64>>();
        let scores = Scores { columns: scores.columns.iter().map(picked).collect() };
        let at = pl::IdxCa::from_vec("".into(), known.iter().map(|i| *i as pl::IdxSize).collect());
        let unmapped = unmapped.take(&at).map_err(engine_error)?;
        let (truth, numbers) = match spec.task {
            Task::Classification => (classes_of(&unmapped, whole)?, Vec::new()),
            Task::Clustering => return Err(RunError::new("E0799", "clusters of one fold are not those of another")),
            Task::Regression => {
                (Target::Numbers(floats(&unmapped)?), floats(&meaning.number(&scores.columns[0], "predicted")?)?)
            }
        };
        let held = take(&held, &known)?;
        let weights = weights(&held, spec, &|i| u64::from(rows[known[i] as usize]) + 1)?;
        let table = predictions(&held, spec, unmapped, |prefix| meaning.columns(&scores, prefix))?;
        let by = slices::columns(spec, &held)?;
        Ok(HeldOut { judged: Judged { truth, scores, numbers, weights, table, by }, all })
    }
}

impl HeldOut {
    pub(super) fn judged(&self) -> &Judged {
        &self.judged
    }

    /// The rows of all folds; `None` without folds.
    pub(super) fn pooled(folds: &[Self], classes: usize) -> Result<Option<Judged>, RunError> {
        let mut pooled: Option<Judged> = None;
        for HeldOut { judged, .. } in folds {
            let Some(all) = &mut pooled else {
                let truth = match &judged.truth {
                    Target::Classes { codes, .. } => Target::Classes { codes: codes.clone(), count: classes },
                    numbers => numbers.clone(),
                };
                let (scores, numbers) = (Scores { columns: judged.scores.columns.clone() }, judged.numbers.clone());
                let (table, by, weights) = (judged.table.clone(), judged.by.clone(), judged.weights.clone());
                pooled = Some(Judged { truth, scores, numbers, weights, table, by });
                continue;
            };
            match (&mut all.truth, &judged.truth) {
                (Target::Classes { codes, .. }, Target::Classes { codes: more, .. }) => codes.extend(more),
                (Target::Numbers(numbers), Target::Numbers(more)) => numbers.extend(more),
                _ => return Err(RunError::new("E0799", "the folds are of several tasks")),
            }
            all.scores.columns.iter_mut().zip(&judged.scores.columns).for_each(|(all, more)| all.extend(more));
            all.numbers.extend(&judged.numbers);
            all.weights.iter_mut().zip(&judged.weights).for_each(|(all, more)| all.extend(more));
            all.table.vstack_mut(&judged.table).map_err(engine_error)?;
            for (column, more) in all.by.values_mut().zip(judged.by.values()) {
                column.append(more).map_err(engine_error)?;
            }
        }
        Ok(pooled)
    }
}

/// The scores of the model of a fold in the order of all classes; a class that the fold has not seen has the
/// probability 0.
fn as_in(scores: &Scores, fold: &Fresh, whole: &Fresh) -> Scores {
    let rows = scores.columns.first().map_or(0, Vec::len);
    let known = &fold.learned.classes;
    if known.is_empty() {
        return Scores { columns: scores.columns.clone() };
    }
    let column = |class| match known.iter().position(|k| k == class) {
        Some(at) => scores.columns[at].clone(),
        None => vec![0.0; rows],
    };
    Scores { columns: whole.learned.classes.iter().map(column).collect() }
}

/// Values in the caller's units as codes of the whole model's classes; of a value that it does not know: their number.
fn classes_of(unmapped: &Column, whole: &Fresh) -> Result<Target, RunError> {
    let classes = &whole.learned.classes;
    let by_text: HashMap<String, u32> = classes.iter().zip(0..).map(|(c, code)| (c.to_string(), code)).collect();
    let code = |row| {
        let value = unmapped.get(row).map(|v| value_of(&v).to_string()).map_err(engine_error)?;
        Ok(by_text.get(&value).copied().unwrap_or(classes.len() as u32))
    };
    let codes = (0..unmapped.len()).map(code).collect::<Result<_, RunError>>()?;
    Ok(Target::Classes { codes, count: classes.len() })
}

/// The predictions of all held-out rows by the number of the row at the split.
#[derive(Debug)]
pub(super) struct OutOfFold(pub(super) DataFrame);

impl OutOfFold {
    /// `None`: there are no folds, or their rows are not known again.
    pub fn of(folds: &[HeldOut]) -> Result<Option<Self>, RunError> {
        let mut all: Option<DataFrame> = None;
        for fold in folds.iter().filter_map(|f| f.all.as_ref()) {
            match &mut all {
                Some(all) => {
                    all.vstack_mut(fold).map_err(engine_error)?;
                }
                None => all = Some(fold.clone()),
            }
        }
        Ok(all.map(Self))
    }

    /// `whole` for the rows of other parts than train, and what was said out of fold for those.
    pub fn over(&self, table: &DataFrame, whole: Vec<Column>) -> Result<Vec<Column>, RunError> {
        let names: Vec<String> = whole.iter().map(|c| c.name().to_string()).collect();
        let mut keys = vec![column(table, ROW)?.clone(), column(table, PART)?.clone()];
        keys.extend(whole);
        let left = DataFrame::new(table.height(), keys).map_err(engine_error)?;
        let ours: Vec<Expr> = self.0.get_column_names()[1..]
            .iter()
            .zip(&names)
            .map(|(from, to)| col((*from).clone()).alias(format!("__out_of_fold {to}")))
            .collect();
        let right = self.0.clone().lazy().select([col(ROW)].into_iter().chain(ours).collect::<Vec<_>>());
        let args = JoinArgs { maintain_order: pl::MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Left) };
        let chosen: Vec<Expr> = names
            .iter()
            .map(|name| {
                pl::when(col(PART).eq(pl::lit(PART_TRAIN)))
                    .then(col(format!("__out_of_fold {name}")))
                    .otherwise(col(name.as_str()))
                    .alias(name.as_str())
            })
            .collect();
        let query = left.lazy().join(right, [col(ROW)], [col(ROW)], args).select(chosen);
        let rows = guarded(|| query.collect()).map_err(engine_error)?;
        Ok(rows.into_columns())
    }
}
