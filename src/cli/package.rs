use std::path::PathBuf;

use dbjob_local::package::{Package, open};
use dbjob_plan::RunError;

use super::locate;

/// Which stored model a command is about.
#[derive(clap::Args)]
pub struct PackageArgs {
    /// A model's name in the registry (`NAME`, or `NAME@3` for a version), or its folder, or a package's folder
    #[arg(value_name = "MODEL_OR_DIR")]
    pub model: String,
    /// The folder that `to registry(...)` names
    #[arg(long, value_name = "DIR", default_value = "models")]
    pub registry: PathBuf,
    /// The version; the live one if not given
    #[arg(long, value_name = "N")]
    pub version: Option<u64>,
}

impl PackageArgs {
    /// Errors: E0716.
    pub fn open(&self) -> Result<Package, RunError> {
        open(&locate::package(&self.model, &self.registry, self.version)?)
    }
}
