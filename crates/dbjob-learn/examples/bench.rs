//! Fits one algorithm on matrices of bench/learning/prepare.py, predicts their test rows, and prints one line of JSON:
//! seconds of the fit and of predicting, the same of all cores together, resident memory before the fit and the peak while
//! it ran, in KiB. The predictions go to a file, column by column.
//!
//! usage: bench FOLDER ALGORITHM OPTIONS THREADS PREDICTIONS      (OPTIONS: a JSON object)

use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use dbjob_learn::{FitContext, Matrix, OptionValue, Options, Pool, Target, Task, learner};
use serde_json::Value;

/// Predicting is repeated until it took this long, in seconds.
const PREDICT_FOR: f64 = 0.5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, algorithm, options, threads, out] = arguments.as_slice() else {
        return Err("usage: bench FOLDER ALGORITHM OPTIONS THREADS PREDICTIONS".into());
    };
    let (folder, threads) = (Path::new(folder), threads.parse()?);
    let meta: Value = serde_json::from_str(&fs::read_to_string(folder.join("meta.json"))?)?;
    let classes = meta["classes"].as_u64().ok_or("no classes")? as usize;
    let task = if classes > 0 { Task::Classification } else { Task::Regression };
    let learner = learner(algorithm, task, &read_options(options)?, 7)?;
    let (x, y) = (matrix(folder, &meta, "train")?, target(folder, classes)?);
    forget_peak()?;
    let before = resident("VmRSS")?;
    let (began, cores) = (Instant::now(), of_all_cores()?);
    let fitted = learner.fit(&x, &y, None, &FitContext::quiet(threads))?;
    let (fit, fit_cores) = (began.elapsed().as_secs_f64(), of_all_cores()? - cores);
    let during = resident("VmHWM")?;
    drop((x, y));
    let test = matrix(folder, &meta, "test")?;
    let pool = Pool::new(threads)?;
    let (began, cores, mut times) = (Instant::now(), of_all_cores()?, 0);
    let scores = loop {
        let scores = fitted.model.predict(&test, &pool)?;
        times += 1;
        if began.elapsed().as_secs_f64() > PREDICT_FOR {
            break scores;
        }
    };
    let predict = began.elapsed().as_secs_f64() / f64::from(times);
    let predict_cores = (of_all_cores()? - cores) / f64::from(times);
    let bytes: Vec<u8> = scores.columns.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
    fs::write(out, bytes)?;
    let told = serde_json::json!({
        "fit": fit, "fit_cores": fit_cores, "predict": predict, "predict_cores": predict_cores, "before": before, "peak": during,
    });
    println!("{told}");
    Ok(())
}

fn read_options(json: &str) -> Result<Options, Box<dyn Error>> {
    let Value::Object(map) = serde_json::from_str(json)? else { return Err("options are an object".into()) };
    let option = |value: Value| match value {
        Value::Bool(b) => OptionValue::Bool(b),
        Value::String(word) => OptionValue::Word(word),
        Value::Array(all) => OptionValue::Ints(all.iter().filter_map(Value::as_i64).collect()),
        Value::Number(n) => {
            n.as_i64().map_or_else(|| OptionValue::Float(n.as_f64().unwrap_or(f64::NAN)), OptionValue::Int)
        }
        _ => OptionValue::Null,
    };
    Ok(map.into_iter().map(|(name, value)| (name, option(value))).collect())
}

fn matrix(folder: &Path, meta: &Value, part: &str) -> Result<Matrix, Box<dyn Error>> {
    let rows = meta[part].as_u64().ok_or("no rows")? as usize;
    let features = meta["features"].as_array().ok_or("no features")?;
    let names = features.iter().map(|f| f["name"].as_str().unwrap_or_default().to_owned()).collect();
    let mut file = fs::File::open(folder.join(format!("{part}.f64")))?;
    let mut bytes = vec![0; rows * 8];
    let mut column = || file.read_exact(&mut bytes).map(|()| floats(&bytes));
    let columns = (0..features.len()).map(|_| column()).collect::<Result<_, _>>()?;
    // A category is named by its codes alone.
    let levels = features.iter().map(|f| f["levels"].as_u64().map(|n| (0..n).map(|i| i.to_string()).collect()));
    Ok(Matrix::new(names, columns, rows)?.with_levels(levels.collect())?)
}

fn target(folder: &Path, classes: usize) -> Result<Target, Box<dyn Error>> {
    let bytes = fs::read(folder.join("train.y"))?;
    if classes == 0 {
        return Ok(Target::Numbers(floats(&bytes)));
    }
    let codes = bytes.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
    Ok(Target::Classes { codes, count: classes })
}

fn floats(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
}

/// Resident memory in KiB: `VmRSS` now, `VmHWM` at most since [`forget_peak`].
fn resident(what: &str) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|l| l.starts_with(what)).ok_or("no such line")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}

/// Seconds that the process has had of all cores; the system counts hundredths.
fn of_all_cores() -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, behind) = stat.rsplit_once(')').ok_or("no name")?;
    let ticks = behind.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}

fn forget_peak() -> Result<(), Box<dyn Error>> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}
