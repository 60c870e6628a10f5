//! `strat init`

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use stratiform::new_lineage;
use stratiform::topology::{Pins, SourceFile, Sources, pin};

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
        let text = first()?;
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        let mut file = std::fs::File::create_new(&path).map_err(failed)?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
        context.output.note(&format!(
            "Written: {}\nNext: strat plan {}\n",
            path.display(),
            self.folder.display()
        ));
        Ok(Exit::Done)
    }
}

/// The first topology, with a lineage of its own.
fn first() -> Result<String, Failure> {
    let file = SourceFile::new("main.hcl", FIRST);
    let pins = Pins {
        lineage: Some(new_lineage()),
        accounts: BTreeMap::new(),
    };
    let pinned = pin(&Sources::from_files("", vec![file]), &pins);
    let pinned = pinned.map_err(|error| Failure::new(error.to_string()))?;
    Ok(pinned
        .into_iter()
        .map(|file| file.file.text.to_string())
        .collect())
}
