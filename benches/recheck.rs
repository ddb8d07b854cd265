//! How long a change of one line takes in a text that is open: `cargo bench --no-default-features --bench recheck -- FILE`.
//! Prints medians in milliseconds; see bench/check/README.md.

use std::time::Instant;

use dbjob::ide::Service;
use dbjob::world::NoWorld;

const EDITS: usize = 101;

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let path = std::env::args().skip(1).find(|a| !a.starts_with('-')).expect("the path of a .dbjob file is given");
    let text = std::fs::read_to_string(&path).expect("the file is readable");
    let start = Instant::now();
    let mut service = Service::new(path.as_str(), text);
    let found = service.check(&NoWorld).len();
    let first = start.elapsed().as_secs_f64() * 1e3;
    // A condition in the middle of the file gets another number, which is one line of one transform.
    let half = service.text().len() / 2;
    let half = (half..).find(|at| service.text().is_char_boundary(*at)).expect("the end is a boundary");
    let filter =
        service.text()[half..].find("  filter ").map(|at| half + at).expect("there is a filter in the second half");
    let line_end = service.text()[filter..].find('\n').map(|at| filter + at).expect("a filter is not the last line");
    let line = service.text()[filter..line_end].to_owned();
    let mut times = Vec::with_capacity(EDITS);
    let mut here = line.len();
    for n in 0..EDITS {
        let with = if n % 2 == 0 { format!("{line} and {n} > 0") } else { line.clone() };
        let start = Instant::now();
        service.edit(filter..filter + here, &with);
        let found_again = service.check(&NoWorld).len();
        times.push(start.elapsed().as_secs_f64() * 1e3);
        here = with.len();
        assert_eq!(found_again, found, "the edit changes what is wrong: {with}");
    }
    println!("first check {first:.1} ms, a changed line {:.1} ms (median of {EDITS})", median(times));
}
