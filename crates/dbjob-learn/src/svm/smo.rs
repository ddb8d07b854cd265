use super::kernel::Rows;

/// In place of a curvature that is not positive.
const TAU: f64 = 1e-12;

/// The dual of a support vector machine: the least ½ αᵀQα + pᵀα with yᵀα = 0 and 0 ≤ α ≤ c, where Q is y yᵀ times the kernel.
///
/// Sequential minimal optimisation as libsvm does it. Source: R.-E. Fan, P.-H. Chen, C.-J. Lin, "Working Set Selection
/// Using Second Order Information for Training Support Vector Machines" (2005), algorithm 2.
pub(super) struct Dual {
    /// 1 or -1.
    pub y: Vec<f64>,
    pub p: Vec<f64>,
    pub c: Vec<f64>,
    /// The row of each variable.
    pub at: Vec<u32>,
    pub tol: f64,
}

/// Where an optimisation is. `h` is -y times the gradient, of inactive variables as it was when they were left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub alpha: Vec<f64>,
    pub h: Vec<f64>,
    /// The variables that may still move.
    pub active: Vec<u32>,
    /// Iterations until some of them are left out.
    pub patience: u32,
    /// Whether all were looked at again near the end.
    pub unshrunk: bool,
    pub iterations: u64,
}

pub(super) enum Ended {
    Solved,
    Stopped,
    /// It does not come to an end.
    Exhausted,
}

impl Dual {
    pub fn start(&self) -> Point {
        let n = self.y.len();
        Point {
            alpha: vec![0.0; n],
            h: self.y.iter().zip(&self.p).map(|(y, p)| -y * p).collect(),
            active: (0..n as u32).collect(),
            patience: self.patience(),
            unshrunk: false,
            iterations: 0,
        }
    }

    fn patience(&self) -> u32 {
        self.y.len().min(1000) as u32
    }

    /// Whether a variable may move along y.
    fn up(&self, v: usize, alpha: &[f64]) -> bool {
        if self.y[v] > 0.0 { alpha[v] < self.c[v] } else { alpha[v] > 0.0 }
    }

    fn low(&self, v: usize, alpha: &[f64]) -> bool {
        if self.y[v] > 0.0 { alpha[v] > 0.0 } else { alpha[v] < self.c[v] }
    }

    /// Goes on from `point` until no pair violates the conditions of the optimum by `tol`. `pause` is asked now and then,
    /// between two iterations; true stops.
    pub fn minimise(&self, rows: &mut Rows<'_>, point: &mut Point, pause: &mut dyn FnMut(&Point) -> bool) -> Ended {
        let diagonal = rows.diagonal();
        let most = (100 * self.y.len() as u64).max(10_000_000);
        let n = self.y.len();
        loop {
            if point.iterations.is_multiple_of(256) && pause(point) {
                return Ended::Stopped;
            }
            if point.iterations >= most {
                self.look_again(rows, point);
                return Ended::Exhausted;
            }
            point.patience -= 1;
            if point.patience == 0 {
                point.patience = self.patience();
                self.shrink(rows, point);
            }
            let pair = match self.pair(rows, point, &diagonal) {
                Some(pair) => pair,
                None if point.active.len() == n => return Ended::Solved,
                None => {
                    self.look_again(rows, point);
                    match self.pair(rows, point, &diagonal) {
                        Some(pair) => {
                            point.patience = 1;
                            pair
                        }
                        None => return Ended::Solved,
                    }
                }
            };
            self.step(rows, point, pair, &diagonal);
            point.iterations += 1;
        }
    }

    /// The variable that gains most to the first order, and its partner that gains most to the second.
    fn pair(&self, rows: &mut Rows<'_>, point: &Point, diagonal: &[f64]) -> Option<(usize, usize)> {
        let Point { alpha, h, active, .. } = point;
        let (mut first, mut most) = (None, f64::NEG_INFINITY);
        for v in active.iter().map(|v| *v as usize) {
            if h[v] > most && self.up(v, alpha) {
                (first, most) = (Some(v), h[v]);
            }
        }
        let i = first?;
        let kernel = rows.of(self.at[i] as usize);
        let own = diagonal[self.at[i] as usize];
        let (mut second, mut gain, mut least) = (None, f64::INFINITY, f64::INFINITY);
        for v in active.iter().map(|v| *v as usize) {
            if !self.low(v, alpha) {
                continue;
            }
            least = least.min(h[v]);
            let b = most - h[v];
            if b > 0.0 {
                let at = self.at[v] as usize;
                let a = own + diagonal[at] - 2.0 * f64::from(kernel[at]);
                let found = -(b * b) / if a > 0.0 { a } else { TAU };
                if found < gain {
                    (second, gain) = (Some(v), found);
                }
            }
        }
        second.filter(|_| most - least >= self.tol).map(|j| (i, j))
    }

    fn step(&self, rows: &mut Rows<'_>, point: &mut Point, (i, j): (usize, usize), diagonal: &[f64]) {
        let (of_i, of_j) = (rows.of(self.at[i] as usize), rows.of(self.at[j] as usize));
        let (at_i, at_j) = (self.at[i] as usize, self.at[j] as usize);
        let curvature = diagonal[at_i] + diagonal[at_j] - 2.0 * f64::from(of_i[at_j]);
        // Along y both move by as much, i up and j down.
        let wanted = (point.h[i] - point.h[j]) / if curvature > 0.0 { curvature } else { TAU };
        let room = |v: usize, along: f64| if along > 0.0 { self.c[v] - point.alpha[v] } else { point.alpha[v] };
        let (room_i, room_j) = (room(i, self.y[i]), room(j, -self.y[j]));
        let t = wanted.min(room_i).min(room_j);
        let moved = |v: usize, along: f64, room: f64| match t >= room {
            // Bounds are met exactly.
            true if along > 0.0 => self.c[v],
            true => 0.0,
            false => (point.alpha[v] + along * t).clamp(0.0, self.c[v]),
        };
        let (alpha_i, alpha_j) = (moved(i, self.y[i], room_i), moved(j, -self.y[j], room_j));
        let by_i = self.y[i] * (alpha_i - point.alpha[i]);
        let by_j = self.y[j] * (alpha_j - point.alpha[j]);
        (point.alpha[i], point.alpha[j]) = (alpha_i, alpha_j);
        for v in &point.active {
            let at = self.at[*v as usize] as usize;
            point.h[*v as usize] -= f64::from(of_i[at]) * by_i + f64::from(of_j[at]) * by_j;
        }
    }

    /// Leaves out variables that are at a bound and would only be pushed against it.
    fn shrink(&self, rows: &mut Rows<'_>, point: &mut Point) {
        let (mut most, mut least) = (f64::NEG_INFINITY, f64::INFINITY);
        for v in point.active.iter().map(|v| *v as usize) {
            if self.up(v, &point.alpha) {
                most = most.max(point.h[v]);
            }
            if self.low(v, &point.alpha) {
                least = least.min(point.h[v]);
            }
        }
        if !point.unshrunk && most - least <= 10.0 * self.tol {
            point.unshrunk = true;
            self.look_again(rows, point);
        }
        let Point { alpha, h, active, .. } = point;
        active.retain(|v| {
            let v = *v as usize;
            match (self.up(v, alpha), self.low(v, alpha)) {
                (true, false) => h[v] >= least,
                (false, true) => h[v] <= most,
                _ => true,
            }
        });
    }

    /// Computes `h` of all variables that were left out, and makes them active.
    fn look_again(&self, rows: &mut Rows<'_>, point: &mut Point) {
        let n = self.y.len();
        if point.active.len() == n {
            return;
        }
        let mut left: Vec<bool> = vec![true; n];
        point.active.iter().for_each(|v| left[*v as usize] = false);
        let left: Vec<usize> = (0..n).filter(|v| left[*v]).collect();
        for v in &left {
            point.h[*v] = -self.y[*v] * self.p[*v];
        }
        for j in (0..n).filter(|j| point.alpha[*j] > 0.0) {
            let kernel = rows.of(self.at[j] as usize);
            let by = self.y[j] * point.alpha[j];
            for v in &left {
                point.h[*v] -= f64::from(kernel[self.at[*v] as usize]) * by;
            }
        }
        point.active = (0..n as u32).collect();
    }

    /// What is subtracted of a decision: the mean over the variables between their bounds, or the middle of what the
    /// others allow.
    pub fn offset(&self, point: &Point) -> f64 {
        let (mut sum, mut free) = (0.0, 0usize);
        let (mut upper, mut lower) = (f64::INFINITY, f64::NEG_INFINITY);
        for v in 0..self.y.len() {
            let g = -point.h[v];
            match (self.up(v, &point.alpha), self.low(v, &point.alpha)) {
                (true, true) => (sum, free) = (sum + g, free + 1),
                (true, false) => upper = upper.min(g),
                (false, true) => lower = lower.max(g),
                (false, false) => {}
            }
        }
        match free {
            0 if upper.is_finite() && lower.is_finite() => (upper + lower) / 2.0,
            0 if upper.is_finite() => upper,
            0 if lower.is_finite() => lower,
            0 => 0.0,
            free => sum / free as f64,
        }
    }
}
