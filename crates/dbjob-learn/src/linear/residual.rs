use super::coordinate::Smooth;
use super::design::Design;
use super::objective::Objective;
use crate::Pool;
use crate::numeric::{shifted_dot, sum};

/// The squared error by its residuals: for so many features that their products with each other would not be held.
pub(super) struct Residual<'a> {
    objective: &'a Objective<'a>,
    /// w·(z - y) / W of each row, then the parameters of the moment.
    state: Vec<f64>,
    curvature: Vec<f64>,
}

impl<'a> Residual<'a> {
    /// Only the intercept of `start` is other than 0.
    pub fn new(objective: &'a Objective<'a>, y: &[f64], start: &[f64], pool: &Pool) -> Self {
        let design = &objective.design;
        let base = start.get(design.x.width()).copied().unwrap_or(0.0);
        let mut state: Vec<f64> = y.iter().zip(design.weights).map(|(y, w)| w * (base - y) / design.total).collect();
        state.extend_from_slice(start);
        let curvature = pool.run(start.len(), |j| match column(design, j) {
            Some(column) => {
                let (mean, scale) = (design.mean[j], design.scale[j]);
                let squares: f64 = column.iter().zip(design.weights).map(|(v, w)| w * (v - mean) * (v - mean)).sum();
                scale * scale * (squares / design.total + objective.l2)
            }
            None => 1.0,
        });
        Self { objective, state, curvature }
    }
}

/// Of a feature; none of the intercept.
fn column<'a>(design: &'a Design<'_>, j: usize) -> Option<&'a [f64]> {
    (j < design.x.width()).then(|| design.x.column(j))
}

impl Smooth for Residual<'_> {
    fn curvature(&self, j: usize) -> f64 {
        self.curvature[j]
    }

    fn slope(&self, j: usize) -> f64 {
        let (design, rows) = (&self.objective.design, self.objective.design.x.rows());
        let (residual, u) = self.state.split_at(rows);
        match column(design, j) {
            Some(column) => {
                let scale = design.scale[j];
                shifted_dot(column, design.mean[j], residual) * scale + self.objective.l2 * scale * scale * u[j]
            }
            None => sum(residual),
        }
    }

    fn step(&mut self, j: usize, by: f64) {
        let design = &self.objective.design;
        let (residual, u) = self.state.split_at_mut(design.x.rows());
        u[j] += by;
        match column(design, j) {
            Some(column) => {
                let (mean, factor) = (design.mean[j], by * design.scale[j] / design.total);
                for ((r, v), w) in residual.iter_mut().zip(column).zip(design.weights) {
                    *r += factor * (v - mean) * w;
                }
            }
            None => residual.iter_mut().zip(design.weights).for_each(|(r, w)| *r += by * w / design.total),
        }
    }

    fn state(&mut self) -> &mut [f64] {
        &mut self.state
    }
}
