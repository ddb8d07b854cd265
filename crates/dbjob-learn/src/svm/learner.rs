use std::sync::{Mutex, PoisonError};

use super::kernel::{Kernel, Kind};
use super::model::SupportVectors;
use super::problem::{Decision, Problem, Progress as At};
use super::smo::{Ended, Point};
use super::state;
use crate::calibration::line;
use crate::checkpoint::Keeper;
use crate::matrix::check;
use crate::neighbors::refuse_far;
use crate::options::Reader;
use crate::rng::Rng;
use crate::weights::{ClassWeight, present_classes};
use crate::{Early, FitContext, FitError, FitErrorKind, Fitted, Learner, Matrix, OptionValue, Pool, Progress, Target};

/// With more rows a fit takes hours.
const MOST_ROWS: usize = 100_000;
/// With more rows it takes minutes.
const MANY_ROWS: usize = 20_000;
/// Parts of a pair's rows that are held out in turn to find its odds.
const FOLDS: usize = 5;
/// Log-odds where the folds could not say.
const PLAIN_ODDS: (f64, f64) = (1.0, 0.0);

/// Support vector machines with libsvm's objective: C-SVC one against one, epsilon-SVR.
#[derive(Debug)]
pub struct SvmLearner {
    kind: Kind,
    c: f64,
    gamma: Gamma,
    degree: i32,
    coef0: f64,
    tol: f64,
    epsilon: f64,
    class_weight: ClassWeight,
    seed: i64,
}

#[derive(Debug, Clone, Copy)]
enum Gamma {
    /// 1 / (features · variance of all values)
    Scale,
    /// 1 / features
    Auto,
    Value(f64),
}

impl Gamma {
    fn read(options: &mut Reader<'_>) -> Result<Self, FitError> {
        match options.peek("gamma") {
            Some(OptionValue::Word(_)) => options.word("gamma", &[("scale", Self::Scale), ("auto", Self::Auto)]),
            _ => options.float("gamma", 0.0, false).map(Self::Value),
        }
    }

    fn of(self, x: &Matrix, rows: &[u32]) -> f64 {
        let p = x.width() as f64;
        match self {
            Self::Value(gamma) => gamma,
            Self::Auto => 1.0 / p,
            Self::Scale => {
                let values = || (0..x.width()).flat_map(|j| rows.iter().map(move |row| x.column(j)[*row as usize]));
                let n = rows.len() as f64 * p;
                let mean = values().sum::<f64>() / n;
                let variance = values().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
                if variance > 0.0 { 1.0 / (p * variance) } else { 1.0 }
            }
        }
    }
}

impl SvmLearner {
    pub(crate) fn read(options: &mut Reader<'_>, seed: i64) -> Result<Self, FitError> {
        Ok(Self {
            kind: options.word("kernel", &Kind::WORDS)?,
            c: options.float("c", 0.0, false)?,
            gamma: Gamma::read(options)?,
            degree: options.int("degree", 1, 20)? as i32,
            coef0: options.float("coef0", f64::NEG_INFINITY, true)?,
            tol: options.float("tol", 0.0, false)?,
            epsilon: options.float("epsilon", 0.0, true)?,
            class_weight: ClassWeight::read(options)?,
            seed,
        })
    }

    /// Each pair of classes with all of its rows, then each with all but a fold.
    fn pairs(&self, codes: &[u32], learned: &[u32], rows: &[u32], weights: &[f64]) -> Vec<Problem> {
        let cost = |row: u32| self.c * weights[row as usize];
        let (mut whole, mut folds) = (vec![], vec![]);
        for (number, (a, b)) in pairs_of(learned).enumerate() {
            let of =
                |class: u32| rows.iter().copied().filter(|row| codes[*row as usize] == class).collect::<Vec<u32>>();
            let mut rng = Rng::new(self.seed, number as u64);
            let mut shuffled = [of(a), of(b)];
            shuffled.iter_mut().for_each(|side| rng.shuffle(side));
            let problem = |fold: usize| {
                let part = |held: bool| -> Vec<u32> {
                    let dealt = shuffled.iter().flat_map(|side| side.iter().enumerate());
                    let of = dealt.filter(|(i, _)| (i % FOLDS == fold) == held).map(|(_, row)| *row);
                    let mut rows: Vec<u32> = of.collect();
                    rows.sort_unstable();
                    rows
                };
                let (rows, held) = (part(false), part(true));
                let y = rows.iter().map(|row| if codes[*row as usize] == a { 1.0 } else { -1.0 }).collect();
                Problem::classes(rows, held, y, cost, self.tol)
            };
            // No row is dealt to a fold beyond the last.
            whole.push(problem(FOLDS));
            folds.extend((0..FOLDS).map(problem));
        }
        whole.extend(folds);
        whole
    }

    /// Slope and intercept of each pair's log-odds, from what its folds say of the rows that they held out.
    fn odds(
        problems: &[Problem],
        solved: &[Option<At>],
        pairs: usize,
        codes: &[u32],
        learned: &[u32],
        (x, kernel): (&Matrix, Kernel),
        pool: &Pool,
    ) -> Vec<(f64, f64)> {
        let classes: Vec<(u32, u32)> = pairs_of(learned).collect();
        pool.run(pairs, |pair| {
            let (mut decisions, mut first) = (vec![], vec![]);
            for fold in 0..FOLDS {
                let at = pairs + pair * FOLDS + fold;
                let Some(At::Done(point)) = &solved[at] else { return PLAIN_ODDS };
                let problem = &problems[at];
                decisions.extend(problem.of_held(x, kernel, &problem.decision(point)));
                first.extend(problem.held.iter().map(|row| codes[*row as usize] == classes[pair].0));
            }
            let (odds, _) = line(&decisions, &first, None);
            if odds.0.is_finite() && odds.1.is_finite() { odds } else { PLAIN_ODDS }
        })
    }

    /// Solves what is left of the problems; those that were not solved in time are where they are.
    fn solve(
        &self,
        problems: &[Problem],
        before: Vec<Option<At>>,
        (x, kernel): (&Matrix, Kernel),
        pool: &Pool,
        cx: &FitContext<'_>,
        keeper: &Keeper<'_>,
    ) -> Vec<Option<At>> {
        let states = Mutex::new(before);
        let lock = || states.lock().unwrap_or_else(PoisonError::into_inner);
        let done = |all: &[Option<At>]| all.iter().filter(|at| matches!(at, Some(At::Done(_)))).count() as u64;
        let single = Pool::single();
        let (share, inner) = if problems.len() == 1 { (1, pool) } else { (cx.threads.min(problems.len()), &single) };
        let work = |number: usize| -> bool {
            let problem = &problems[number];
            let mut point = match lock()[number].clone() {
                Some(At::Done(_)) => return true,
                Some(At::Begun(point)) => point,
                None => problem.dual.start(),
            };
            let mut pause = |point: &Point| {
                keeper.keep_with(false, || {
                    let mut all = lock();
                    all[number] = Some(At::Begun(point.clone()));
                    Some((done(&all), state::tensors(&all)))
                });
                cx.stops()
            };
            let ended = problem.solve(x, kernel, (share, inner), &mut point, &mut pause);
            let stopped = matches!(ended, Ended::Stopped);
            if matches!(ended, Ended::Exhausted) {
                (cx.warn)(format!(
                    "svm did not come to an end after {} iterations: raise tol, or lower c",
                    point.iterations
                ));
            }
            let mut all = lock();
            all[number] = Some(if stopped { At::Begun(point) } else { At::Done(point) });
            if !stopped {
                (cx.progress)(Progress { done: done(&all), total: problems.len() as u64, loss: None, valid: None });
            }
            !stopped
        };
        if problems.len() == 1 {
            work(0);
        } else {
            pool.run_in_order(problems.len(), work);
        }
        let all = states.into_inner().unwrap_or_else(PoisonError::into_inner);
        if done(&all) < problems.len() as u64 {
            keeper.keep(true, done(&all), || state::tensors(&all));
        }
        all
    }
}

/// Each class against each later one.
fn pairs_of(learned: &[u32]) -> impl Iterator<Item = (u32, u32)> {
    learned.iter().enumerate().flat_map(|(i, a)| learned[i + 1..].iter().map(move |b| (*a, *b)))
}

impl Learner for SvmLearner {
    fn fit(&self, x: &Matrix, y: &Target, weights: Option<&[f64]>, cx: &FitContext<'_>) -> Result<Fitted, FitError> {
        check(x, y, weights)?;
        refuse_far(x)?;
        let (codes, count, learned, weights) = match y {
            Target::Classes { codes, count } => {
                let weights = self.class_weight.rows(codes, *count, weights);
                let learned = present_classes(codes, *count, &weights)?;
                (codes.as_slice(), *count, learned, weights)
            }
            Target::Numbers(_) if self.class_weight != ClassWeight::None => {
                return Err(FitError::option("class_weight has no meaning where numbers are learned")
                    .help("leave class_weight out"));
            }
            Target::Numbers(_) => (&[][..], 0, vec![], weights.map_or_else(|| vec![1.0; x.rows()], <[f64]>::to_vec)),
            Target::Unlabelled(_) => return Err(FitError::data("svm learns classes or numbers")),
        };
        let rows: Vec<u32> = (0..x.rows() as u32).filter(|row| weights[*row as usize] > 0.0).collect();
        if rows.len() > MOST_ROWS {
            return Err(FitError::data(format!(
                "svm would take hours for {} rows: its time grows faster than their square, and it takes at most {MOST_ROWS}",
                rows.len()
            ))
            .help("learn from a `sample` of the rows, or with gradient_boosting or logistic_regression"));
        }
        if rows.len() > MANY_ROWS {
            (cx.warn)(format!("svm may take long: its time grows faster than the square of its {} rows", rows.len()));
        }
        let kernel = Kernel { kind: self.kind, gamma: self.gamma.of(x, &rows), coef0: self.coef0, degree: self.degree };
        let problems = match y {
            Target::Numbers(numbers) => {
                let cost = |row: u32| self.c * weights[row as usize];
                vec![Problem::numbers(rows, numbers, self.epsilon, cost, self.tol)]
            }
            _ => self.pairs(codes, &learned, &rows, &weights),
        };
        let pool = Pool::new(cx.threads)?;
        let keeper = Keeper::new(cx, self, x, y, Some(&weights));
        let resumed = keeper.resume().and_then(|(_, stored)| state::restore(&stored, &problems));
        let before = resumed.unwrap_or_else(|| problems.iter().map(|_| None).collect());
        let solved = self.solve(&problems, before, (x, kernel), &pool, cx, &keeper);
        if (cx.cancelled)() {
            return Err(FitError::cancelled());
        }
        let pairs = if learned.is_empty() { 1 } else { learned.len() * (learned.len() - 1) / 2 };
        let decisions: Vec<Decision> = (0..pairs)
            .map(|pair| match &solved[pair] {
                Some(at) => problems[pair].decision(at.point()),
                None => problems[pair].decision(&problems[pair].dual.start()),
            })
            .collect();
        let finite = |d: &Decision| d.offset.is_finite() && d.vectors.iter().all(|(_, c)| c.is_finite());
        if !decisions.iter().all(finite) {
            return Err(FitError::new(FitErrorKind::Diverged, "the kernels of svm are not finite numbers")
                .help("`map … with standardize` the inputs"));
        }
        let odds = if learned.is_empty() {
            vec![PLAIN_ODDS]
        } else {
            Self::odds(&problems, &solved, pairs, codes, &learned, (x, kernel), &pool)
        };
        let decisions: Vec<(Decision, (f64, f64))> = decisions.into_iter().zip(odds).collect();
        let model = SupportVectors::new(x, (count, learned), kernel, &decisions);
        let done = solved.iter().filter(|at| matches!(at, Some(At::Done(_)))).count() as u64;
        let total = problems.len() as u64;
        let ended_early = (done < total).then_some(Early { done, total, unit: "problems" });
        Ok(Fitted::ended(model, ended_early))
    }

    /// A row is compared with every support vector; measured with 5,000 rows of 30 features: 0.1.
    fn prediction_share(&self) -> f64 {
        0.2
    }
}
