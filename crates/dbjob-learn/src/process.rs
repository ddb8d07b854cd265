//! A Gaussian process: what a few noisy values say of a function everywhere.
//! Source: C. E. Rasmussen, C. K. I. Williams, "Gaussian Processes for Machine Learning" (2006), algorithm 2.1 and chapter 5.

use crate::linear::Cholesky;
use crate::numeric::dot;

/// How far a value says something, by coordinate, and how much of the values is noise: what is tried.
const SCALES: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];
const NOISES: [f64; 4] = [0.003, 0.01, 0.03, 0.1];
const USUAL: (f64, f64) = (1.0, 0.03);
/// How far these lie from what is usual, on a log scale: the standard deviations of a prior.
const SPREAD: (f64, f64) = (1.0, 1.5);

/// Values at points of the unit cube, as the most probable of some Gaussian processes sees them: normalised, so that the prior
/// has mean 0.
#[derive(Debug)]
pub struct Process {
    points: Vec<Vec<f64>>,
    scales: Vec<f64>,
    factor: Cholesky,
    /// The inverse covariance times the values.
    weights: Vec<f64>,
    /// Of the prior.
    variance: f64,
    centre: f64,
}

impl Process {
    /// Points of the same length, each with a finite value; `None` where there are no two different values.
    pub fn fit(points: &[Vec<f64>], values: &[f64]) -> Option<Self> {
        let centre = values.iter().sum::<f64>() / values.len() as f64;
        let centred: Vec<f64> = values.iter().map(|v| v - centre).collect();
        let mut scales = vec![USUAL.0; points.first()?.len()];
        let mut noise = USUAL.1;
        let mut best = evidence(points, &centred, &scales, noise)?;
        // Coordinate by coordinate, twice.
        for at in (0..=scales.len()).chain(0..=scales.len()) {
            let of_noise = at == scales.len();
            for tried in if of_noise { &NOISES[..] } else { &SCALES[..] } {
                let mut other = scales.clone();
                if !of_noise {
                    other[at] = *tried;
                }
                let noise_of = if of_noise { *tried } else { noise };
                match evidence(points, &centred, &other, noise_of) {
                    Some(found) if found > best => (best, scales, noise) = (found, other, noise_of),
                    _ => {}
                }
            }
        }
        let factor = Cholesky::of(covariance(points, &scales, noise), points.len())?;
        let weights = factor.solve(&centred);
        let variance = dot(&weights, &centred) / points.len() as f64;
        Some(Self { points: points.to_vec(), scales, factor, weights, variance, centre })
    }

    /// The mean and the standard deviation of the function at a point.
    pub fn at(&self, point: &[f64]) -> (f64, f64) {
        let near: Vec<f64> = self.points.iter().map(|other| alike(point, other, &self.scales)).collect();
        let half = self.factor.half(&near);
        let left = (1.0 - dot(&half, &half)).max(0.0);
        (self.centre + dot(&near, &self.weights), (left * self.variance).sqrt())
    }
}

/// Of values of two points: 1 of the same.
fn alike(a: &[f64], b: &[f64], scales: &[f64]) -> f64 {
    let far: f64 = a.iter().zip(b).zip(scales).map(|((a, b), scale)| ((a - b) / scale).powi(2)).sum();
    (-0.5 * far).exp()
}

/// Row by row, the lower triangle.
fn covariance(points: &[Vec<f64>], scales: &[f64], noise: f64) -> Vec<f64> {
    let n = points.len();
    let mut all = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..i {
            all[i * n + j] = alike(&points[i], &points[j], scales);
        }
        all[i * n + i] = 1.0 + noise;
    }
    all
}

/// The logarithm of how probable values are, but for a constant, with the variance that suits them best.
fn evidence(points: &[Vec<f64>], values: &[f64], scales: &[f64], noise: f64) -> Option<f64> {
    let n = points.len();
    let factor = Cholesky::of(covariance(points, scales, noise), n)?;
    let half = factor.half(values);
    let variance = dot(&half, &half) / n as f64;
    let from_usual = |is: f64, usual: f64, spread: f64| ((is / usual).ln() / spread).powi(2) / 2.0;
    let prior: f64 =
        scales.iter().map(|s| from_usual(*s, USUAL.0, SPREAD.0)).sum::<f64>() + from_usual(noise, USUAL.1, SPREAD.1);
    let found = -(n as f64) / 2.0 * variance.ln() - factor.log_root() - prior;
    found.is_finite().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(n: usize) -> Vec<Vec<f64>> {
        let part = |i: usize, by: f64| (i as f64 * by).fract();
        (0..n).map(|i| vec![part(i, 0.754_877_666), part(i, 0.569_840_291)]).collect()
    }

    #[test]
    fn a_smooth_function_is_known_between_its_values_and_surest_near_them() {
        let smooth = |p: &[f64]| 5.0 + (2.0 * p[0]).sin() - (p[1] - 0.3).powi(2);
        let known = points(30);
        let values: Vec<f64> = known.iter().map(|p| smooth(p)).collect();
        let process = Process::fit(&known, &values).unwrap();
        for point in [[0.31, 0.62], [0.5, 0.5], [0.77, 0.12]] {
            let (mean, deviation) = process.at(&point);
            assert!((mean - smooth(&point)).abs() < 0.02, "{mean} at {point:?}");
            assert!(deviation < process.at(&[2.0, 2.0]).1);
        }
        // What is far from all is as the mean of all.
        let mean = values.iter().sum::<f64>() / 30.0;
        assert!((process.at(&[90.0, 90.0]).0 - mean).abs() < 1e-12);
    }

    #[test]
    fn a_coordinate_that_says_nothing_is_far_reaching() {
        let known = points(25);
        let values: Vec<f64> = known.iter().map(|p| (5.0 * p[0]).sin()).collect();
        let process = Process::fit(&known, &values).unwrap();
        assert!(process.scales[1] > 2.0 * process.scales[0], "{:?}", process.scales);
    }

    #[test]
    fn two_values_of_a_point_are_noise_and_equal_ones_are_no_function() {
        let process = Process::fit(&[vec![0.5], vec![0.5], vec![0.9]], &[1.0, 2.0, 1.4]).unwrap();
        let (mean, _) = process.at(&[0.5]);
        assert!((1.3..1.7).contains(&mean), "{mean}");
        assert!(Process::fit(&points(4), &[1.0; 4]).is_none());
        assert!(Process::fit(&[], &[]).is_none());
    }
}
