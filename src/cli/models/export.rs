use std::path::PathBuf;

use dbjob_plan::RunError;
use dbjob_registry::{export, locate};
use serde::Serialize;

use super::Place;
use crate::cli::locate::package;

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("goal").required(true))]
pub struct Args {
    /// A model's name (`NAME`: the live version, `NAME@3` another), or its folder, or a version's folder
    #[arg(value_name = "MODEL")]
    model: String,
    /// A folder that is not there yet: it gets a copy of the version that stands alone
    #[arg(long, value_name = "DIR", group = "goal")]
    to: Option<PathBuf>,
    /// An ONNX file with the maps and the model
    #[cfg(feature = "local")]
    #[arg(long, value_name = "FILE", group = "goal")]
    onnx: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Exported {
    model: String,
    version: u64,
    path: PathBuf,
}

pub fn tell(args: &Args) -> Result<String, RunError> {
    let folder = locate(&package(&args.model, &args.place.registry, None)?)?;
    let exported = match &args.to {
        Some(to) => {
            let manifest = export(&folder, to)?;
            Exported { model: manifest.model, version: manifest.version, path: to.clone() }
        }
        None => onnx(args, &folder)?,
    };
    Ok(args.place.told(&exported, |e| format!("{} version {}: {}\n", e.model, e.version, e.path.display())))
}

#[cfg(feature = "local")]
fn onnx(args: &Args, folder: &std::path::Path) -> Result<Exported, RunError> {
    use dbjob_plan::Predictor;

    let path = args.onnx.clone().expect("clap asks for one of both");
    let package = dbjob_local::package::open(folder)?;
    let bytes = package.onnx()?;
    crate::cli::files::put_file(&path, &bytes)
        .map_err(|e| RunError::new("E0713", format!("cannot write {}: {e}", path.display())))?;
    let manifest = package.manifest();
    Ok(Exported { model: manifest.model.clone(), version: manifest.version, path })
}

#[cfg(not(feature = "local"))]
fn onnx(_: &Args, _: &std::path::Path) -> Result<Exported, RunError> {
    unreachable!("without an engine clap asks for `--to`")
}
