//! `tf_idf`: texts as vectors of term weights, as scikit-learn's TfidfVectorizer.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dbjob_plan::{MapLink, RunError};
use polars::prelude::{self as pl, Column, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, PolarsResult};

use super::fit::Train;
use super::{Map, MapState, int_option, other_state};
use crate::fault::engine_error;

pub(super) struct TfIdf;

/// Words of at least two letters, digits or `_`, in lower case.
fn terms(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter(|w| w.chars().nth(1).is_some()).map(str::to_owned).collect()
}

impl Map for TfIdf {
    fn fit(&self, train: &Train<'_>, link: &MapLink) -> Result<MapState, RunError> {
        let text = train.column().cast(&pl::DataType::String).map_err(engine_error)?;
        // How often a term occurs, and in how many rows.
        let mut found: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        let mut rows = 0_u64;
        for text in text.str().map_err(engine_error)?.iter().flatten() {
            rows += 1;
            let terms = terms(text);
            for term in &terms {
                found.entry(term.clone()).or_default().0 += 1;
            }
            for term in terms.into_iter().collect::<BTreeSet<_>>() {
                found.entry(term).or_default().1 += 1;
            }
        }
        let at_least = int_option(link, "min_count", 1).max(1) as u64;
        let mut kept: Vec<(String, u64, u64)> =
            found.into_iter().filter(|(_, (_, n))| *n >= at_least).map(|(term, (all, n))| (term, all, n)).collect();
        if kept.is_empty() {
            let error = RunError::new("E0715", format!("no term has at least {at_least} train rows"));
            return Err(error.help("terms are words of two letters or more; lower `min_count`"));
        }
        // The most frequent, of equal ones the first by code point.
        kept.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        kept.truncate(int_option(link, "max_terms", 200).max(1) as usize);
        kept.sort_by(|a, b| a.0.cmp(&b.0));
        let weight = |n: u64| ((1.0 + rows as f64) / (1.0 + n as f64)).ln() + 1.0;
        let (terms, weights) = kept.into_iter().map(|(term, _, n)| (term, weight(n))).unzip();
        Ok(MapState::Terms { terms, weights })
    }

    fn apply(&self, columns: &[Column], _: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        let Some(MapState::Terms { terms: known, weights }) = state else { return Err(other_state()) };
        let place: HashMap<&str, usize> = known.iter().enumerate().map(|(i, term)| (term.as_str(), i)).collect();
        let text = columns[0].cast(&pl::DataType::String)?;
        let mut out = ListPrimitiveChunkedBuilder::<pl::Float64Type>::new(
            text.name().clone(),
            text.len(),
            text.len() * known.len(),
            pl::DataType::Float64,
        );
        let mut row = vec![0.0; known.len()];
        for text in text.str()?.iter() {
            row.fill(0.0);
            for term in terms(text.unwrap_or_default()) {
                if let Some(i) = place.get(term.as_str()) {
                    row[*i] += weights[*i];
                }
            }
            let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            if length > 0.0 {
                row.iter_mut().for_each(|x| *x /= length);
            }
            out.append_slice(&row);
        }
        Ok(out.finish().into_column())
    }
}

#[cfg(test)]
mod tests {
    use super::terms;

    #[test]
    fn words_of_two_characters_are_terms() {
        assert_eq!(terms("Der Hund, a_b: x 42 — Über-All!"), ["der", "hund", "a_b", "42", "über", "all"]);
    }
}
