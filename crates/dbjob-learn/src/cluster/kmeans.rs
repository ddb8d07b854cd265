use super::centers::Centers;
use super::lloyd::{Assignment, Pass, Rows, distance};
use super::seeding::seed;
use crate::checkpoint::Keeper;
use crate::matrix::check;
use crate::neighbors::refuse_far;
use crate::options::Reader;
use crate::rng::Rng;
use crate::store::Stored;
use crate::{Early, FitContext, FitError, Fitted, Learner, Matrix, Pool, Progress, Target, Tensor, Tensors};

/// k-means by Lloyd's iterations from k-means++ seeds, the best of some starts.
#[derive(Debug)]
pub struct KmeansLearner {
    k: usize,
    n_init: usize,
    max_iter: usize,
    tol: f64,
    seed: i64,
}

impl KmeansLearner {
    pub(crate) fn read(options: &mut Reader<'_>, seed: i64) -> Result<Self, FitError> {
        Ok(Self {
            k: options.int("k", 1, 1_000_000)?,
            n_init: options.int("n_init", 1, 10_000)?,
            max_iter: options.int("max_iter", 1, 1_000_000)?,
            tol: options.float("tol", 0.0, true)?,
            seed,
        })
    }

    fn total(&self) -> u64 {
        (self.n_init * self.max_iter) as u64
    }
}

/// All that is known between two iterations.
#[derive(Clone)]
struct State {
    /// The start, and how many of its iterations are done.
    start: usize,
    iteration: usize,
    centers: Vec<f64>,
    labels: Option<Vec<u32>>,
    /// The best of the starts before: its centres and inertia.
    best: Vec<f64>,
    inertia: f64,
}

impl State {
    fn tensors(&self) -> Tensors {
        let vector = |values: &[f64]| Tensor::f64(vec![values.len()], values);
        vec![
            ("at", Tensor::u32(&[self.start as u32, self.iteration as u32])),
            ("centers", vector(&self.centers)),
            ("labels", Tensor::u32(self.labels.as_deref().unwrap_or_default())),
            ("best", vector(&self.best)),
            ("inertia", vector(&[self.inertia])),
        ]
    }

    /// `None`: it is no state of such a fit.
    fn restore(stored: &Stored<'_>, learner: &KmeansLearner, rows: &Rows) -> Option<Self> {
        let [start, iteration] = *stored.u32("at").ok()?.as_slice() else { return None };
        let (centers, _) = stored.f64("centers").ok()?;
        let (best, _) = stored.f64("best").ok()?;
        let labels = stored.u32("labels").ok()?;
        let table = |values: &[f64]| values.len().is_multiple_of(rows.width) && values.len() <= learner.k * rows.width;
        let sound = (start as usize) < learner.n_init
            && (1..=learner.max_iter).contains(&(iteration as usize))
            && table(&centers)
            && !centers.is_empty()
            && table(&best)
            && labels.len() == rows.count()
            && (start == 0) == best.is_empty();
        let inertia = *stored.f64("inertia").ok()?.0.first()?;
        sound.then_some(Self {
            start: start as usize,
            iteration: iteration as usize,
            centers,
            labels: Some(labels),
            best,
            inertia,
        })
    }
}

/// Why the iterations of a start ended.
enum Ended {
    Converged,
    Exhausted,
    Stopped,
}

impl Learner for KmeansLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check(x, y, weights)?;
        refuse_far(x)?;
        let rows = Rows::new(x, weights);
        let some = rows.weights.iter().filter(|w| **w > 0.0).count();
        if self.k > some {
            return Err(FitError::data(format!("kmeans is to find {} clusters in {some} rows", self.k))
                .help(format!("write a `k` of at most {some}")));
        }
        let pool = Pool::new(cx.threads)?;
        let keeper = Keeper::new(cx, self, x, y, weights);
        let resumed = keeper.resume().and_then(|(_, stored)| State::restore(&stored, self, &rows));
        let mut state = resumed.unwrap_or(State {
            start: 0,
            iteration: 0,
            centers: vec![],
            labels: None,
            best: vec![],
            inertia: f64::INFINITY,
        });
        let mut exhausted = false;
        loop {
            let ended = self.run(&rows, &mut state, &pool, cx, &keeper);
            let inertia = match ended {
                Ended::Stopped => None,
                // The centres have moved since the rows were given to them.
                _ => Assignment::new(&rows, None).pass(&rows, &state.centers, &[], &pool, &|| cx.stops()),
            };
            let Some(Pass { inertia, .. }) = inertia else {
                if state.iteration > 0 {
                    keeper.keep(true, self.done(&state), || state.tensors());
                }
                if (cx.cancelled)() {
                    return Err(FitError::cancelled());
                }
                let early = Early { done: self.done(&state), total: self.total(), unit: "iterations" };
                let centers = if state.start > 0 { &state.best } else { &state.centers };
                return Ok(Fitted::ended(Centers::new(x.names(), centers), Some(early)));
            };
            if inertia < state.inertia {
                exhausted = matches!(ended, Ended::Exhausted);
                state.inertia = inertia;
                state.best = std::mem::take(&mut state.centers);
            }
            if state.start + 1 == self.n_init {
                break;
            }
            state = State { start: state.start + 1, iteration: 0, centers: vec![], labels: None, ..state };
        }
        if exhausted {
            (cx.warn)(format!(
                "kmeans stopped after max_iter = {} iterations while its centres still moved: raise max_iter",
                self.max_iter
            ));
        }
        let found = state.best.len() / rows.width;
        if found < self.k {
            (cx.warn)(format!("kmeans found {found} clusters, not {}: there are no more distinct rows", self.k));
        }
        Ok(Fitted::whole(Centers::new(x.names(), &state.best)))
    }
}

impl KmeansLearner {
    fn done(&self, state: &State) -> u64 {
        (state.start * self.max_iter + state.iteration) as u64
    }

    /// The iterations of one start. Where it is stopped, `state` is that after the last whole iteration; before the first
    /// one its centres are rows, as good as there was time for.
    fn run(&self, rows: &Rows, state: &mut State, pool: &Pool, cx: &FitContext<'_>, keeper: &Keeper<'_>) -> Ended {
        let stops = || cx.stops();
        if state.iteration == 0 {
            let mut rng = Rng::new(self.seed, state.start as u64);
            state.centers.clear();
            if seed(rows, self.k, &mut rng, pool, &stops, &mut state.centers).is_none() {
                let some: Vec<usize> = (0..rows.count()).filter(|i| rows.weights[*i] > 0.0).collect();
                while state.centers.len() < self.k * rows.width {
                    state.centers.extend(rows.row(some[rng.below(some.len())]));
                }
                return Ended::Stopped;
            }
        }
        let assignment = Assignment::new(rows, state.labels.as_deref());
        let least = self.tol * rows.spread;
        let mut moved: Vec<f64> = vec![];
        while state.iteration < self.max_iter {
            let Some(pass) = assignment.pass(rows, &state.centers, &moved, pool, &stops) else { return Ended::Stopped };
            let centers = means(rows, &state.centers, &pass, &assignment);
            let (old, new) = (state.centers.chunks_exact(rows.width), centers.chunks_exact(rows.width));
            let squares: Vec<f64> = old.zip(new).map(|(a, b)| distance(a, b)).collect();
            state.centers = centers;
            state.iteration += 1;
            (cx.progress)(Progress {
                done: self.done(state),
                total: self.total(),
                loss: Some(pass.inertia),
                valid: None,
            });
            if cx.checkpoints.is_some() {
                state.labels = Some(assignment.labels());
                keeper.keep(false, self.done(state), || state.tensors());
            }
            if !pass.changed || squares.iter().sum::<f64>() <= least {
                return Ended::Converged;
            }
            moved = squares.iter().map(|d| d.sqrt()).collect();
        }
        Ended::Exhausted
    }
}

/// The mean of each centre's rows. A centre without rows goes to the row that is farthest from its own.
fn means(rows: &Rows, centers: &[f64], pass: &Pass, assignment: &Assignment) -> Vec<f64> {
    let p = rows.width;
    let (mut sums, mut weights) = (pass.sums.clone(), pass.weights.clone());
    let empty: Vec<usize> = (0..weights.len()).filter(|c| weights[*c] <= 0.0).collect();
    if !empty.is_empty() {
        let labels = assignment.labels();
        let center = |c: usize| &centers[c * p..(c + 1) * p];
        let far = |i: usize| distance(rows.row(i), center(labels[i] as usize));
        let mut order: Vec<(f64, usize)> =
            (0..rows.count()).filter(|i| rows.weights[*i] > 0.0).map(|i| (far(i), i)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (c, (_, i)) in empty.into_iter().zip(order) {
            let (own, weight) = (labels[i] as usize, rows.weights[i]);
            for (j, v) in rows.row(i).iter().enumerate() {
                sums[own * p + j] -= weight * v;
                sums[c * p + j] = weight * v;
            }
            weights[own] -= weight;
            weights[c] = weight;
        }
    }
    for (c, weight) in weights.iter().enumerate() {
        for j in 0..p {
            // A centre whose only row went to another one stays where it is.
            sums[c * p + j] = if *weight > 0.0 { sums[c * p + j] / weight } else { centers[c * p + j] };
        }
    }
    sums
}
