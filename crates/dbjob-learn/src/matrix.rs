use std::any::Any;
use std::sync::Arc;

use crate::FitError;
use crate::flags::Flags;
use crate::made::Made;

/// The levels of a category by code; `None`: the feature is a number.
pub type Levels = Option<Arc<[String]>>;

/// Rows x features, column by column. Names are those of the features, in order. NaN is a missing value.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    names: Vec<String>,
    levels: Vec<Levels>,
    columns: Vec<Vec<f64>>,
    /// Of the features that are nothing but 0 and 1.
    flags: Vec<Option<Flags>>,
    rows: usize,
    made: Made,
}

impl Matrix {
    /// `columns`: one of `rows` values a name. Errors when the lengths do not agree.
    pub fn new(names: Vec<String>, columns: Vec<Vec<f64>>, rows: usize) -> Result<Self, FitError> {
        if names.len() != columns.len() {
            return Err(FitError::data(format!("{} names for {} features", names.len(), columns.len())));
        }
        if let Some(i) = columns.iter().position(|c| c.len() != rows) {
            return Err(FitError::data(format!(
                "feature `{}` has {} values where the matrix has {rows} rows",
                names[i],
                columns[i].len()
            )));
        }
        let flags = columns.iter().map(|c| Flags::of(c)).collect();
        Ok(Self { levels: vec![None; names.len()], names, columns, flags, rows, made: Made::default() })
    }

    /// The same with categories: one entry a feature. The values of a category are codes of its levels.
    /// Errors when the number of features does not agree or a value is no code.
    pub fn with_levels(self, levels: Vec<Levels>) -> Result<Self, FitError> {
        if levels.len() != self.width() {
            return Err(FitError::data(format!("{} entries of levels for {} features", levels.len(), self.width())));
        }
        for (j, levels) in levels.iter().enumerate() {
            let Some(levels) = levels else { continue };
            let is_code = |v: &f64| v.is_nan() || *v >= 0.0 && *v < levels.len() as f64 && v.fract() == 0.0;
            if let Some(row) = self.columns[j].iter().position(|v| !is_code(v)) {
                let (name, value) = (&self.names[j], self.columns[j][row]);
                let (before, behind) =
                    (format!("feature `{name}` is {value}"), format!(", of {} levels", levels.len()));
                return Err(FitError::in_row(before, row, behind).of(name));
            }
        }
        Ok(Self { levels, made: Made::default(), ..self })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What is made of it once for all that fit it; `number` tells forms of one type apart.
    pub(crate) fn made<T: Any + Send + Sync>(&self, number: usize, make: impl FnOnce() -> T) -> Arc<T> {
        self.made.get(number, make)
    }

    /// The number of features.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What the codes of feature `j` stand for; `None`: it is a number.
    pub fn levels(&self, j: usize) -> Option<&[String]> {
        self.levels[j].as_deref()
    }

    /// [`Matrix::levels`] of all features.
    pub fn all_levels(&self) -> &[Levels] {
        &self.levels
    }

    /// Feature `j`, all rows.
    pub fn column(&self, j: usize) -> &[f64] {
        &self.columns[j]
    }

    /// Feature `j`, if it is nothing but 0 and 1 in many rows.
    pub(crate) fn flags(&self, j: usize) -> Option<&Flags> {
        self.flags[j].as_ref()
    }

    /// What `of` makes of each row of a range, given its features.
    pub(crate) fn each_row(&self, rows: std::ops::Range<usize>, mut of: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
        let mut row = vec![0.0; self.columns.len()];
        rows.map(|i| {
            row.iter_mut().zip(&self.columns).for_each(|(v, column)| *v = column[i]);
            of(&row)
        })
        .collect()
    }

    /// The rows at these positions, in this order.
    pub fn take(&self, rows: &[usize]) -> Self {
        let columns: Vec<Vec<f64>> = self.columns.iter().map(|c| rows.iter().map(|i| c[*i]).collect()).collect();
        Self {
            names: self.names.clone(),
            levels: self.levels.clone(),
            flags: columns.iter().map(|c| Flags::of(c)).collect(),
            columns,
            rows: rows.len(),
            made: Made::default(),
        }
    }
}

/// What is to be learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    Classification,
    Regression,
    /// Groups of rows that nobody has named.
    Clustering,
}

/// The truth of each row.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// `codes[i] < count`. A class may have no row: its probability will be 0.
    Classes {
        codes: Vec<u32>,
        count: usize,
    },
    Numbers(Vec<f64>),
    /// Nothing is known of so many rows.
    Unlabelled(usize),
}

impl Target {
    /// The rows at these positions, in this order.
    pub(crate) fn take(&self, rows: &[usize]) -> Self {
        match self {
            Self::Classes { codes, count } => {
                Self::Classes { codes: rows.iter().map(|i| codes[*i]).collect(), count: *count }
            }
            Self::Numbers(values) => Self::Numbers(rows.iter().map(|i| values[*i]).collect()),
            Self::Unlabelled(_) => Self::Unlabelled(rows.len()),
        }
    }

    pub fn rows(&self) -> usize {
        match self {
            Self::Classes { codes, .. } => codes.len(),
            Self::Numbers(values) => values.len(),
            Self::Unlabelled(rows) => *rows,
        }
    }
}

/// What every learner of finite numbers asks of its input: [`check_with_gaps`], no missing value, no category.
pub(crate) fn check(x: &Matrix, y: &Target, weights: Option<&[f64]>) -> Result<(), FitError> {
    if let Some(j) = (0..x.width()).find(|j| x.levels(*j).is_some()) {
        let name = &x.names()[j];
        return Err(FitError::data(format!("feature `{name}` is a category, and this algorithm takes numbers"))
            .help(format!("map it: `map {name} with one_hot`")));
    }
    check_rows(x, y, weights, |v| v.is_finite())
}

/// What every learner asks of its input, checked once: rows, features, equal lengths, features that are finite or
/// missing, finite truth, codes in range, weights that are finite, not negative and not all 0.
pub(crate) fn check_with_gaps(x: &Matrix, y: &Target, weights: Option<&[f64]>) -> Result<(), FitError> {
    check_rows(x, y, weights, |v| !v.is_infinite())
}

fn check_rows(x: &Matrix, y: &Target, weights: Option<&[f64]>, is_fit: impl Fn(f64) -> bool) -> Result<(), FitError> {
    if x.rows() == 0 {
        return Err(FitError::data("there are no rows to learn from"));
    }
    if x.width() == 0 {
        return Err(FitError::data("there are no features to learn from"));
    }
    if y.rows() != x.rows() {
        return Err(FitError::data(format!("{} targets for {} rows", y.rows(), x.rows())));
    }
    let unfit = |j: &usize| x.column(*j).iter().position(|v| !is_fit(*v)).map(|row| (row, *j));
    if let Some((row, j)) = (0..x.width()).find_map(|j| unfit(&j)) {
        let name = &x.names()[j];
        let value = x.column(j)[row];
        return Err(FitError::in_row(format!("feature `{name}` is {value}"), row, "")
            .help(format!(
                "this algorithm takes finite numbers only: filter such rows or `map {name} with impute(...)`"
            ))
            .of(name));
    }
    match y {
        Target::Classes { codes, count } => {
            if let Some(code) = codes.iter().find(|c| **c as usize >= *count) {
                return Err(FitError::data(format!("class {code} of {count} classes")));
            }
        }
        Target::Numbers(values) => {
            if let Some(row) = values.iter().position(|v| !v.is_finite()) {
                return Err(FitError::in_row(format!("the output is {}", values[row]), row, ""));
            }
        }
        Target::Unlabelled(_) => {}
    }
    if let Some(w) = weights {
        if w.len() != x.rows() {
            return Err(FitError::data(format!("{} weights for {} rows", w.len(), x.rows())));
        }
        if let Some(row) = w.iter().position(|v| !v.is_finite() || *v < 0.0) {
            return Err(FitError::in_row(format!("the weight is {}", w[row]), row, "")
                .help("weights are finite and not negative"));
        }
        if w.iter().all(|v| *v == 0.0) {
            return Err(FitError::data("every weight is 0: there are no rows to learn from"));
        }
    }
    Ok(())
}
