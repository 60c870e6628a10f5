//! `strat init`

use std::path::PathBuf;

use clap::Args;

use crate::context::{Context, Exit};
use crate::failure::Failure;

/// The first topology: it plans and applies as it stands, in a simulated cloud.
const FIRST: &str = include_str!("init.hcl");

/// Write a first topology to start from.
///
/// It runs in the embedded simulator, so it can be planned and applied at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat init shop && cd shop && strat plan")]
pub(crate) struct Init {
    /// The folder; it is made if it is not there.
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
}

impl Init {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let path = self.folder.join("main.hcl");
        let failed = |error: std::io::Error| {
            let failure = Failure::new(format!("`{}` cannot be written", path.display()));
            match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    failure.caused_by(&error).help("name another folder")
                }
                _ => failure.caused_by(&error),
            }
        };
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        let mut file = std::fs::File::create_new(&path).map_err(failed)?;
        std::io::Write::write_all(&mut file, FIRST.as_bytes()).map_err(failed)?;
        context.output.note(&format!(
            "Written: {}\nNext: strat plan {}\n",
            path.display(),
            self.folder.display()
        ));
        Ok(Exit::Done)
    }
}
