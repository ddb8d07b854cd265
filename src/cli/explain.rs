use super::{Outcome, Output};
use crate::diagnostic::{Code, Problem, explain};

#[derive(clap::Args)]
pub struct Args {
    /// A code such as E0203, in any case
    code: Option<String>,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let Some(text) = &args.code else {
        let list: String = Code::ALL.iter().map(|c| format!("{c}  {}\n", c.title())).collect();
        output.result(&list);
        return Outcome::Fine;
    };
    match Code::parse(text) {
        Some(code) => {
            output.result(explain(code));
            Outcome::Fine
        }
        None => {
            output.problem(Problem::error(Code::E0101, format!("there is no code `{text}`")).help(near_codes(text)));
            Outcome::Wrong
        }
    }
}

fn near_codes(text: &str) -> String {
    let upper = text.to_uppercase();
    let mut near: Vec<(usize, Code)> = Code::ALL
        .iter()
        .map(|c| (strsim::damerau_levenshtein(&upper, c.as_str()), *c))
        .filter(|(distance, _)| *distance <= 2)
        .collect();
    near.sort();
    if near.is_empty() {
        return "codes look like E0203; `dbjob explain` lists them all".into();
    }
    let near: Vec<String> = near.iter().take(3).map(|(_, c)| format!("`{c}` ({})", c.title())).collect();
    format!("did you mean {}?", near.join(" or "))
}
