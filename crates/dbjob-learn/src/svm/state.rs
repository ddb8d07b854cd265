use super::problem::{Problem, Progress};
use super::smo::Point;
use crate::store::Stored;
use crate::{Tensor, Tensors};

/// What a checkpoint holds of the problems, one after another.
const NOT_BEGUN: u8 = 0;
const BEGUN: u8 = 1;
const DONE: u8 = 2;

pub(super) fn tensors(all: &[Option<Progress>]) -> Tensors {
    let status = |p: &Option<Progress>| match p {
        None => NOT_BEGUN,
        Some(Progress::Begun(_)) => BEGUN,
        Some(Progress::Done(_)) => DONE,
    };
    let points = || all.iter().flatten().map(Progress::point);
    let floats = |of: fn(&Point) -> &[f64]| -> Tensor {
        let values: Vec<f64> = points().flat_map(of).copied().collect();
        Tensor::f64(vec![values.len()], &values)
    };
    let counters = |p: &Point| {
        let (low, high) = (p.iterations as u32, (p.iterations >> 32) as u32);
        [p.active.len() as u32, p.patience, u32::from(p.unshrunk), low, high]
    };
    vec![
        ("status", Tensor::u8(all.iter().map(status).collect())),
        ("alpha", floats(|p| &p.alpha)),
        ("h", floats(|p| &p.h)),
        ("active", Tensor::u32(&points().flat_map(|p| p.active.clone()).collect::<Vec<u32>>())),
        ("counters", Tensor::u32(&points().flat_map(counters).collect::<Vec<u32>>())),
    ]
}

/// `None`: it is no state of these problems.
pub(super) fn restore(stored: &Stored<'_>, problems: &[Problem]) -> Option<Vec<Option<Progress>>> {
    let status = stored.u8("status").ok().filter(|s| s.len() == problems.len())?;
    let (alpha, h) = (stored.f64("alpha").ok()?.0, stored.f64("h").ok()?.0);
    let (active, counters) = (stored.u32("active").ok()?, stored.u32("counters").ok()?);
    let (mut alpha, mut h) = (alpha.into_iter(), h.into_iter());
    let (mut active, mut counters) = (active.into_iter(), counters.into_iter());
    let mut all = Vec::with_capacity(problems.len());
    for (status, problem) in status.iter().zip(problems) {
        if *status == NOT_BEGUN {
            all.push(None);
            continue;
        }
        let n = problem.dual.y.len();
        let [count, patience, unshrunk, low, high] = [(); 5].map(|()| counters.next());
        let point = Point {
            alpha: alpha.by_ref().take(n).collect(),
            h: h.by_ref().take(n).collect(),
            active: active.by_ref().take(count? as usize).collect(),
            patience: patience?,
            unshrunk: unshrunk? == 1,
            iterations: u64::from(low?) | u64::from(high?) << 32,
        };
        let sound = point.alpha.len() == n
            && point.h.len() == n
            && point.patience > 0
            && point.active.len() == count? as usize
            && point.active.is_sorted_by(|a, b| a < b)
            && point.active.last().is_none_or(|v| (*v as usize) < n);
        if !sound {
            return None;
        }
        all.push(Some(if *status == DONE { Progress::Done(point) } else { Progress::Begun(point) }));
    }
    Some(all)
}
