//! `strat fmt`

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use stratiform::topology::{SourceFile, Sources, format_file, is_formatted};

use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::diagnostics::diagnostics;
use crate::write_file::write_file;

/// Lay topology files out in the one canonical way.
///
/// Only the white space between words changes. Files in YAML and JSON are left as they are, and
/// named. `-` formats stdin to stdout.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat fmt
  strat fmt --check          # exit with 1 if anything would change
  strat fmt - < shop.hcl")]
pub(crate) struct Fmt {
    /// A file, a folder of files, or `-`.
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,

    /// Change nothing; list what would change, and exit with 1 if anything would.
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.path == Path::new("-") {
            return self.stdin(context);
        }
        let sources = Sources::load(&self.path).map_err(|error| context.failure(&error.into()))?;
        let (mut changed, mut wrong) = (false, false);
        for file in sources.files() {
            if !is_formatted(&file.name) {
                context.output.note(&format!(
                    "{} is left as it is: only HCL is laid out; YAML and JSON have formatters of their own\n",
                    file.name
                ));
                continue;
            }
            match formatted(context, file) {
                None => wrong = true,
                Some(text) if *text == *file.text => {}
                Some(text) => {
                    changed = true;
                    if !self.check {
                        write_file(Path::new(&*file.name), None, &text)?;
                    }
                    context.output.data(&format!("{}\n", file.name))?;
                }
            }
        }
        Ok(if wrong || (self.check && changed) {
            Exit::Failed
        } else {
            Exit::Done
        })
    }

    fn stdin(&self, context: &Context) -> Result<Exit, Failure> {
        let mut text = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut text)
            .map_err(|error| Failure::new("stdin cannot be read").caused_by(&error))?;
        let file = SourceFile::from_bytes("stdin", text);
        let Some(formatted) = formatted(context, &file) else {
            return Ok(Exit::Failed);
        };
        if !self.check {
            context.output.data(&formatted)?;
        }
        let changed = *formatted != *file.text;
        Ok(if self.check && changed {
            Exit::Failed
        } else {
            Exit::Done
        })
    }
}

/// The text of a file in its canonical layout. What is wrong with it is told.
fn formatted(context: &Context, file: &SourceFile) -> Option<String> {
    match format_file(file) {
        Ok(text) => Some(text),
        Err(findings) => {
            let sources = Sources::from_files("", vec![file.clone()]);
            let text = diagnostics(&findings, &sources, context.look());
            context.output.note(&text);
            None
        }
    }
}
