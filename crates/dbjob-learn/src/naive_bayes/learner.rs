use super::model::{Kind, NaiveBayes};
use crate::matrix::check;
use crate::options::Reader;
use crate::weights::{class_totals, present_classes};
use crate::{FitContext, FitError, Fitted, Learner, Matrix, Pool, Target};

/// Naive Bayes with scikit-learn's estimates.
#[derive(Debug)]
pub struct NaiveBayesLearner {
    kind: Kind,
    /// This share of the largest variance of a feature is added to all variances.
    var_smoothing: f64,
    /// Added to each count.
    alpha: f64,
}

impl NaiveBayesLearner {
    pub(crate) fn read(options: &mut Reader<'_>) -> Result<Self, FitError> {
        Ok(Self {
            kind: options.word("type", &Kind::WORDS)?,
            var_smoothing: options.float("var_smoothing", 0.0, false)?,
            alpha: options.float("alpha", 0.0, false)?,
        })
    }
}

impl Learner for NaiveBayesLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check(x, y, weights)?;
        let Target::Classes { codes, count } = y else {
            return Err(FitError::data("naive_bayes learns classes, not numbers"));
        };
        let weights = weights.map_or_else(|| vec![1.0; x.rows()], <[f64]>::to_vec);
        let learned = present_classes(codes, *count, &weights)?;
        // Rows without weight may be of a class that is not learned; any place serves them.
        let places: Vec<u32> = codes.iter().map(|c| learned.binary_search(c).unwrap_or(0) as u32).collect();
        let rows =
            Rows { x, places: &places, weights: &weights, totals: class_totals(&places, learned.len(), &weights) };
        if self.kind == Kind::Multinomial {
            rows.refuse_negative()?;
        }
        let pool = Pool::new(cx.threads)?;
        let columns = pool.run(x.width(), |j| {
            if (cx.cancelled)() {
                return None;
            }
            Some(match self.kind {
                Kind::Gaussian => rows.moments(j),
                Kind::Multinomial => Column { first: rows.sums(|i| x.column(j)[i]), ..Column::default() },
                Kind::Bernoulli => {
                    Column { first: rows.sums(|i| f64::from(u8::from(x.column(j)[i] > 0.0))), ..Column::default() }
                }
            })
        });
        let Some(columns) = columns.into_iter().collect::<Option<Vec<Column>>>() else {
            return Err(FitError::cancelled());
        };
        let (first, second) = match self.kind {
            Kind::Gaussian => self.gaussian(&columns, x)?,
            Kind::Multinomial => (self.multinomial(&columns, learned.len()), vec![]),
            Kind::Bernoulli => self.bernoulli(&columns, &rows.totals),
        };
        let all: f64 = rows.totals.iter().sum();
        let priors = rows.totals.iter().map(|t| (t / all).ln()).collect();
        let model = NaiveBayes {
            features: x.names().to_vec(),
            classes: *count,
            kind: self.kind,
            learned,
            priors,
            first,
            second,
        };
        Ok(Fitted::whole(model))
    }
}

impl NaiveBayesLearner {
    fn gaussian(&self, columns: &[Column], x: &Matrix) -> Result<(Vec<f64>, Vec<f64>), FitError> {
        let largest = columns.iter().fold(0.0_f64, |m, c| m.max(c.variance));
        if let Some(j) = columns.iter().position(|c| !c.variance.is_finite()) {
            let name = &x.names()[j];
            return Err(FitError::data(format!("the variance of feature `{name}` is too large for a number"))
                .help(format!("`map {name} with standardize`")));
        }
        // Where no feature varies at all, any variance leaves the shares of the classes.
        let floor = (self.var_smoothing * largest).max(f64::MIN_POSITIVE);
        let by_class = |of: fn(&Column) -> &[f64]| -> Vec<f64> {
            let classes = columns[0].first.len();
            (0..classes).flat_map(|k| columns.iter().map(move |c| of(c)[k])).collect()
        };
        let variances = by_class(|c| &c.second).iter().map(|v| v + floor).collect();
        Ok((by_class(|c| &c.first), variances))
    }

    fn multinomial(&self, columns: &[Column], classes: usize) -> Vec<f64> {
        let total = |k: usize| columns.iter().map(|c| c.first[k] + self.alpha).sum::<f64>().ln();
        (0..classes)
            .flat_map(|k| {
                let total = total(k);
                columns.iter().map(move |c| (c.first[k] + self.alpha).ln() - total)
            })
            .collect()
    }

    fn bernoulli(&self, columns: &[Column], totals: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let log_share = |k: usize, count: f64| (count + self.alpha).ln() - (totals[k] + 2.0 * self.alpha).ln();
        let each = |count: &dyn Fn(usize, &Column) -> f64| -> Vec<f64> {
            (0..totals.len()).flat_map(|k| columns.iter().map(move |c| log_share(k, count(k, c)))).collect()
        };
        (each(&|k, c| c.first[k]), each(&|k, c| (totals[k] - c.first[k]).max(0.0)))
    }
}

/// What is learned of one feature: a number a class, and another one.
#[derive(Default)]
struct Column {
    first: Vec<f64>,
    second: Vec<f64>,
    /// Of the rows that have weight, as if all had the same.
    variance: f64,
}

struct Rows<'a> {
    x: &'a Matrix,
    /// The class of each row, as its place among those that are learned.
    places: &'a [u32],
    weights: &'a [f64],
    /// Σ weight of each class.
    totals: Vec<f64>,
}

impl Rows<'_> {
    /// Σ weight · value of each class, row after row.
    fn sums(&self, value: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.totals.len()];
        for (i, (place, weight)) in self.places.iter().zip(self.weights).enumerate() {
            sums[*place as usize] += weight * value(i);
        }
        sums
    }

    /// Means and variances.
    fn moments(&self, j: usize) -> Column {
        let column = self.x.column(j);
        let share = |sums: Vec<f64>| -> Vec<f64> { sums.iter().zip(&self.totals).map(|(s, t)| s / t).collect() };
        let means = share(self.sums(|i| column[i]));
        let spread = |i: usize| {
            let d = column[i] - means[self.places[i] as usize];
            d * d
        };
        let variances = share(self.sums(spread));
        let used = || column.iter().zip(self.weights).filter(|(_, w)| **w > 0.0).map(|(v, _)| *v);
        let n = used().count() as f64;
        let mean = used().sum::<f64>() / n;
        let variance = used().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
        Column { first: means, second: variances, variance }
    }

    fn refuse_negative(&self) -> Result<(), FitError> {
        for (j, name) in self.x.names().iter().enumerate() {
            if let Some(row) = self.x.column(j).iter().position(|v| *v < 0.0) {
                let value = self.x.column(j)[row];
                return Err(FitError::in_row(format!("feature `{name}` is {value}"), row, "")
                    .help("the type multinomial counts: its features are not negative; gaussian takes all numbers")
                    .of(name));
            }
        }
        Ok(())
    }
}
