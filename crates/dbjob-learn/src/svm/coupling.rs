/// Probabilities of `k` classes from those of each against each other: `pairs[i][j]` is that of i where it is i or j.
/// Source: T.-F. Wu, C.-J. Lin, R. Weng, "Probability Estimates for Multi-class Classification by Pairwise Coupling" (2004),
/// algorithm 2.
pub(super) fn couple(pairs: &[Vec<f64>]) -> Vec<f64> {
    let k = pairs.len();
    let mut q = vec![vec![0.0; k]; k];
    for t in 0..k {
        for j in (0..k).filter(|j| *j != t) {
            q[t][t] += pairs[j][t] * pairs[j][t];
            q[t][j] = -pairs[j][t] * pairs[t][j];
        }
    }
    let mut p = vec![1.0 / k as f64; k];
    let mut qp = vec![0.0; k];
    for _ in 0..k.max(100) {
        let mut pqp = 0.0;
        for t in 0..k {
            qp[t] = q[t].iter().zip(&p).map(|(q, p)| q * p).sum();
            pqp += p[t] * qp[t];
        }
        let off = qp.iter().fold(0.0_f64, |m, v| m.max((v - pqp).abs()));
        if off < 0.005 / k as f64 {
            break;
        }
        for t in 0..k {
            let step = (pqp - qp[t]) / q[t][t];
            p[t] += step;
            let scale = 1.0 + step;
            pqp = (pqp + step * (step * q[t][t] + 2.0 * qp[t])) / scale / scale;
            for j in 0..k {
                qp[j] = (qp[j] + step * q[t][j]) / scale;
                p[j] /= scale;
            }
        }
    }
    let total: f64 = p.iter().sum();
    p.iter().map(|p| (p / total).clamp(0.0, 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::couple;

    /// Pairs that come from one distribution give that distribution.
    #[test]
    fn a_distribution_comes_back_from_its_pairs() {
        let p = [0.5, 0.3, 0.15, 0.05];
        let pairs: Vec<Vec<f64>> = p.iter().map(|a| p.iter().map(|b| a / (a + b)).collect()).collect();
        let found = couple(&pairs);
        assert!(found.iter().zip(&p).all(|(f, p)| (f - p).abs() < 5e-3), "{found:?}");
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
