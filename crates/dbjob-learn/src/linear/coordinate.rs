//! Coordinate descent for g·d + dᵀHd/2 + Σ l1·|x|, d the way from where the gradient is g to x.

use crate::numeric::dot;

/// The smooth part of the problem as the descent goes along.
pub(super) trait Smooth {
    /// The second derivative by coordinate `j`; 0 where nothing depends on it.
    fn curvature(&self, j: usize) -> f64;
    /// The derivative by coordinate `j` at the moment.
    fn slope(&self, j: usize) -> f64;
    /// Coordinate `j` grows by `by`.
    fn step(&mut self, j: usize, by: f64);
    /// All that changes by steps.
    fn state(&mut self) -> &mut [f64];
}

/// With H at hand, row after row and all of it, and the gradient of the moment.
pub(super) struct Known<'a> {
    pub hessian: &'a [f64],
    pub gradient: Vec<f64>,
}

impl Smooth for Known<'_> {
    fn curvature(&self, j: usize) -> f64 {
        self.hessian[j * self.gradient.len() + j]
    }

    fn slope(&self, j: usize) -> f64 {
        self.gradient[j]
    }

    fn step(&mut self, j: usize, by: f64) {
        let n = self.gradient.len();
        let row = &self.hessian[j * n..(j + 1) * n];
        self.gradient.iter_mut().zip(row).for_each(|(g, h)| *g += by * h);
    }

    fn state(&mut self) -> &mut [f64] {
        &mut self.gradient
    }
}

/// What a sweep did.
pub(super) struct Swept {
    /// How far the worst coordinate was from its minimum, as a derivative.
    pub worst: f64,
    /// Of the whole value; not positive.
    pub change: f64,
}

/// One step along each coordinate, to the minimum along it.
pub(super) fn sweep(smooth: &mut impl Smooth, l1: &[f64], x: &mut [f64]) -> Swept {
    let mut swept = Swept { worst: 0.0, change: 0.0 };
    for j in 0..x.len() {
        let curvature = smooth.curvature(j);
        if curvature <= 0.0 {
            continue;
        }
        let slope = smooth.slope(j);
        let pull = curvature * x[j] - slope;
        let to = pull.signum() * (pull.abs() - l1[j]).max(0.0) / curvature;
        let by = to - x[j];
        if by != 0.0 {
            swept.worst = swept.worst.max(by.abs() * curvature);
            swept.change += by * (slope + 0.5 * curvature * by) + l1[j] * (to.abs() - x[j].abs());
            x[j] = to;
            smooth.step(j, by);
        }
    }
    swept
}

/// The exact minimum with the signs of `x`, if it has these signs: what is not 0 solves a linear system. `gradient`: at `x`.
pub(super) fn polish(hessian: &[f64], gradient: &[f64], l1: &[f64], x: &[f64]) -> Option<Vec<f64>> {
    let n = x.len();
    let free: Vec<usize> = (0..n).filter(|j| x[*j] != 0.0 || l1[*j] == 0.0 && hessian[j * n + j] > 0.0).collect();
    let m = free.len();
    let units: Vec<f64> = free.iter().map(|j| hessian[j * n + j].sqrt()).collect();
    let mut system = vec![0.0; m * m];
    for (a, i) in free.iter().enumerate() {
        for (b, j) in free.iter().enumerate() {
            system[a * m + b] = hessian[i * n + j] / (units[a] * units[b]);
        }
    }
    let sign = |v: f64| if v == 0.0 { 0.0 } else { v.signum() };
    let right: Vec<f64> =
        free.iter().zip(&units).map(|(j, unit)| -(gradient[*j] + l1[*j] * sign(x[*j])) / unit).collect();
    let steps = super::cholesky::solve(system, m, &right, 1e-10)?;
    let mut better = x.to_vec();
    for ((j, unit), s) in free.iter().zip(&units).zip(&steps) {
        better[*j] += s / unit;
    }
    let change: Vec<f64> = better.iter().zip(x).map(|(a, b)| a - b).collect();
    let holds = |j: usize| match x[j] {
        0.0 if l1[j] > 0.0 => (gradient[j] + dot(&hessian[j * n..(j + 1) * n], &change)).abs() <= l1[j] * (1.0 + 1e-9),
        0.0 => true,
        was => was.signum() == better[j].signum(),
    };
    (0..n).all(holds).then_some(better)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_come_to_the_polished_point() {
        let hessian = [4.0, 1.0, 0.5, 1.0, 3.0, -0.2, 0.5, -0.2, 2.0];
        let gradient = vec![-3.0, 1.0, 0.1];
        let l1 = [0.5, 0.5, 1.0];
        let mut x = vec![0.0; 3];
        let mut smooth = Known { hessian: &hessian, gradient };
        for _ in 0..3 {
            sweep(&mut smooth, &l1, &mut x);
        }
        let polished = polish(&hessian, &smooth.gradient, &l1, &x).unwrap();
        let rounds = (0..200).take_while(|_| sweep(&mut smooth, &l1, &mut x).worst > 1e-15).count();
        assert!(rounds < 100 && x[2] == 0.0 && x[0] > 0.0 && x[1] < 0.0, "{x:?}");
        assert!(x.iter().zip(&polished).all(|(a, b)| (a - b).abs() < 1e-14), "{x:?} {polished:?}");
    }
}
