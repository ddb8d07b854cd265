//! `dbjob models`: what is in a registry, and which version is live.

mod diff;
mod export;
mod list;
mod show;

use std::path::PathBuf;

use dbjob_plan::RunError;
use dbjob_registry::{ModelFolder, Promoted, promote, rollback};
use serde::Serialize;

use super::told::{Format, document, ended};
use super::{Outcome, Output, locate};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// List the models of a registry with their versions, the latest first
    List {
        /// The name of a model; if not given, all of them
        #[arg(value_name = "MODEL")]
        model: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Show a version: what it takes, gives, has learned and is made from
    Show {
        /// A model's name (`NAME`: the live version, `NAME@3` another), or its folder, or a version's folder
        #[arg(value_name = "MODEL")]
        model: String,
        #[command(flatten)]
        place: Place,
    },
    /// Make a version the live one
    Promote {
        /// A model's name, or its folder
        #[arg(value_name = "MODEL")]
        model: String,
        /// The version; if not given, the latest whose requirements held
        #[arg(value_name = "VERSION")]
        version: Option<u64>,
        /// Also if callers of the live version are broken by it
        #[arg(long)]
        allow_breaking: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Make the version live again that was live before
    Rollback {
        /// A model's name, or its folder
        #[arg(value_name = "MODEL")]
        model: String,
        #[command(flatten)]
        place: Place,
    },
    /// Say how two versions differ, and whether callers of the first can go on
    Diff {
        /// A version: `NAME@3`, `NAME` for the live one, or its folder
        #[arg(value_name = "A")]
        a: String,
        /// The other one; `@4` or `4` is one of the same model
        #[arg(value_name = "B")]
        b: String,
        #[command(flatten)]
        place: Place,
    },
    /// Copy a version to a folder of its own, or write it as an ONNX file
    Export(export::Args),
}

#[derive(clap::Args)]
struct Place {
    /// The folder that `to registry(...)` names
    #[arg(long, value_name = "DIR", default_value = "models")]
    registry: PathBuf,
    /// Text to be read, or a JSON document
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,
    /// As `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl Place {
    fn is_json(&self) -> bool {
        self.json || self.format == Format::Json
    }

    /// A result in the format that is asked for.
    fn told<T: Serialize>(&self, result: &T, text: impl FnOnce(&T) -> String) -> String {
        if self.is_json() { document(result) } else { text(result) }
    }
}

pub fn run(args: &Args, output: &Output) -> Outcome {
    ended(tell(args), output)
}

fn tell(args: &Args) -> Result<String, RunError> {
    match &args.what {
        What::List { model, place } => list::tell(model.as_deref(), place),
        What::Show { model, place } => show::tell(model, place),
        What::Promote { model, version, allow_breaking, place } => {
            let (folder, named) = locate::model(model, &place.registry)?;
            let promoted = promote(&folder, version.or(named), *allow_breaking)?;
            Ok(live(&folder, promoted, place))
        }
        What::Rollback { model, place } => {
            let (folder, _) = locate::model(model, &place.registry)?;
            Ok(live(&folder, rollback(&folder)?, place))
        }
        What::Diff { a, b, place } => diff::tell(a, b, place),
        What::Export(args) => export::tell(args),
    }
}

/// What `promote` and `rollback` did.
#[derive(Serialize)]
struct Live {
    model: String,
    version: u64,
    before: Option<u64>,
    folder: PathBuf,
    contract: Vec<dbjob_plan::contract::ContractChange>,
}

fn live(folder: &ModelFolder, promoted: Promoted, place: &Place) -> String {
    let Promoted { model, version, before, changes } = promoted;
    let live = Live { folder: folder.version(version), model, version, before, contract: changes };
    place.told(&live, |live| {
        let Live { model, version, before, .. } = live;
        let mut out = match before {
            Some(before) if before == version => format!("{model}: version {version} is live already\n"),
            Some(before) => format!("{model}: version {version} is live now, {before} was\n"),
            None => format!("{model}: version {version} is live now\n"),
        };
        live.contract.iter().for_each(|change| out.push_str(&diff::change(change)));
        out
    })
}
