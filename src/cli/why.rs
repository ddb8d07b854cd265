//! `dbjob why`: why an item is computed again, or why it is not.

use std::path::PathBuf;

use dbjob_plan::{Fate, ItemKind};

use super::front::ParamArgs;
use super::plan::{ahead, causes};
use super::run::goal::GoalArgs;
use super::state::StateArgs;
use super::{Outcome, Output, item_title};
use crate::diagnostic::{Code, Problem, near_name};
use crate::source::SourceMap;

#[derive(clap::Args)]
pub struct Args {
    /// The .dbjob file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The item: `rows`, `comes_back`, `deploy.prod`
    #[arg(value_name = "ITEM")]
    item: String,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    state: StateArgs,
    #[command(flatten)]
    params: ParamArgs,
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    let mut sources = SourceMap::default();
    let ahead = match ahead(&args.file, &args.params, &args.state, (&GoalArgs::default(), false), &mut sources, output)
    {
        Ok(ahead) => ahead,
        Err(outcome) => return outcome,
    };
    let named = |name: &str, kind: ItemKind| {
        name == args.item || kind == ItemKind::Deploy && name.strip_prefix("deploy.") == Some(args.item.as_str())
    };
    let Some(item) = ahead.items.iter().find(|i| named(&i.item, i.kind)) else {
        let message = format!("a run of this job does nothing with an item `{}`", args.item);
        let problem = Problem::error(Code::E0101, message);
        output.problem(match near_name(&args.item, ahead.items.iter().map(|i| i.item.as_str())) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("`dbjob plan` lists the items"),
        });
        return Outcome::Wrong;
    };
    if args.json {
        output.result(&(serde_json::to_string_pretty(item).expect("an item has only string keys") + "\n"));
        return Outcome::Fine;
    }
    let title = item_title(item.kind, &item.item);
    let mut text = match item.fate {
        Fate::Computed => format!("{title} is computed by the next run, because\n"),
        Fate::Judged => format!("{title} is judged anew by the next run, and not learned again, because\n"),
        Fate::ReadBack => format!(
            "{title} is not computed: its steps, its data and its options are as they were, and its result is kept\n"
        ),
        Fate::UpToDate => {
            format!("{title} is not computed: what it is made of is as it was, and so is what was written\n")
        }
        Fate::NotNeeded => format!("{title} is not computed: everything that is made from it is up to date\n"),
    };
    if item.fate.runs() {
        for line in causes(item) {
            text.push_str(&format!("  {line}\n"));
        }
        if !item.changed_columns.is_empty() {
            let inputs = item.changed_columns.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ");
            text.push_str(&format!("  inputs with other values: {inputs}\n"));
        } else if item.changed_rows {
            text.push_str("  its rows are others; its inputs are computed as before\n");
        }
    }
    output.result(&text);
    Outcome::Fine
}
