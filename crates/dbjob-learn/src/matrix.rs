use crate::FitError;

/// Rows x features, column by column. Names are those of the features, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    rows: usize,
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
        Ok(Self { names, columns, rows })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of features.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Feature `j`, all rows.
    pub fn column(&self, j: usize) -> &[f64] {
        &self.columns[j]
    }

    /// The first value that is NaN or infinite: (row, feature).
    pub fn first_non_finite(&self) -> Option<(usize, usize)> {
        self.columns.iter().enumerate().find_map(|(j, c)| c.iter().position(|v| !v.is_finite()).map(|i| (i, j)))
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
        Self {
            names: self.names.clone(),
            columns: self.columns.iter().map(|c| rows.iter().map(|i| c[*i]).collect()).collect(),
            rows: rows.len(),
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
    pub fn rows(&self) -> usize {
        match self {
            Self::Classes { codes, .. } => codes.len(),
            Self::Numbers(values) => values.len(),
            Self::Unlabelled(rows) => *rows,
        }
    }
}

/// What every learner asks of its input, checked once: rows, features, equal lengths, finite features, finite truth,
/// codes in range, weights that are finite, not negative and not all 0.
pub(crate) fn check(x: &Matrix, y: &Target, weights: Option<&[f64]>) -> Result<(), FitError> {
    if x.rows() == 0 {
        return Err(FitError::data("there are no rows to learn from"));
    }
    if x.width() == 0 {
        return Err(FitError::data("there are no features to learn from"));
    }
    if y.rows() != x.rows() {
        return Err(FitError::data(format!("{} targets for {} rows", y.rows(), x.rows())));
    }
    if let Some((row, j)) = x.first_non_finite() {
        let name = &x.names()[j];
        let value = x.column(j)[row];
        return Err(FitError::data(format!("feature `{name}` is {value} in row {}", row + 1))
            .help(format!(
                "this algorithm takes finite numbers only: filter such rows or `map {name} with impute(...)`"
            ))
            .at(name, row));
    }
    match y {
        Target::Classes { codes, count } => {
            if let Some(code) = codes.iter().find(|c| **c as usize >= *count) {
                return Err(FitError::data(format!("class {code} of {count} classes")));
            }
        }
        Target::Numbers(values) => {
            if let Some(row) = values.iter().position(|v| !v.is_finite()) {
                return Err(FitError::data(format!("the output is {} in row {}", values[row], row + 1)));
            }
        }
        Target::Unlabelled(_) => {}
    }
    if let Some(w) = weights {
        if w.len() != x.rows() {
            return Err(FitError::data(format!("{} weights for {} rows", w.len(), x.rows())));
        }
        if let Some(row) = w.iter().position(|v| !v.is_finite() || *v < 0.0) {
            return Err(FitError::data(format!("the weight is {} in row {}", w[row], row + 1))
                .help("weights are finite and not negative"));
        }
        if w.iter().all(|v| *v == 0.0) {
            return Err(FitError::data("every weight is 0: there are no rows to learn from"));
        }
    }
    Ok(())
}
