use super::least_squares;
use super::model::{LinearModel, Link};
use crate::matrix::check;
use crate::options::Reader;
use crate::{FitContext, FitError, Fitted, Learner, Matrix, Pool, Target};

/// Least squares (`alpha` 0) and ridge regression, the intercept unpenalised.
pub struct LinearLearner {
    alpha: f64,
    fit_intercept: bool,
}

impl LinearLearner {
    pub(crate) fn read_least_squares(options: &mut Reader<'_>) -> Result<Self, FitError> {
        Ok(Self { alpha: 0.0, fit_intercept: options.bool("fit_intercept")? })
    }

    pub(crate) fn read_ridge(options: &mut Reader<'_>) -> Result<Self, FitError> {
        Ok(Self { alpha: options.float("alpha", 0.0, true)?, fit_intercept: options.bool("fit_intercept")? })
    }
}

impl Learner for LinearLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check(x, y, weights)?;
        let Target::Numbers(numbers) = y else {
            return Err(FitError::data("a linear regression learns numbers, not classes"));
        };
        let ones;
        let weights = match weights {
            Some(w) => w,
            None => {
                ones = vec![1.0; x.rows()];
                &ones
            }
        };
        let pool = Pool::new(cx.threads)?;
        let (coefficients, intercept) =
            least_squares::fit(x, numbers, weights, (self.alpha, self.fit_intercept), cx, &pool)?;
        Ok(Fitted::whole(LinearModel::numbers((x, weights), coefficients, intercept, Link::Identity, &pool)))
    }
}
