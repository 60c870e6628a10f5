//! `strat unlock`

use clap::Args;
use stratiform::StateDir;
use stratiform::engine::{FileLeaseStore, LeaseStore as _};
use stratiform::provider::TokioClock;

use crate::confirm;
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Take the lease away from a run that is surely dead.
///
/// A run that died on this host is taken over without this, and any lease expires by itself. A
/// run that still lives notices, and stops before its next change.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat unlock
  strat unlock shop.hcl --yes")]
pub(crate) struct Unlock {
    /// The topology: a file, or a folder of files.
    #[arg(default_value = ".", value_name = "PATH")]
    path: std::path::PathBuf,

    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

impl Unlock {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        confirm::possible(self.yes, "unlock")?;
        let state = StateDir::of(&self.path);
        context.block_on(async {
            let clock = std::sync::Arc::new(TokioClock::system());
            let store = FileLeaseStore::new(state.path(), clock);
            let failed = |error: stratiform::engine::LeaseError| Failure::told(error.view());
            let Some(lease) = store.current().await.map_err(failed)? else {
                context.output.note("Nobody holds the lease.\n");
                return Ok(Exit::Done);
            };
            let holder = &lease.holder;
            context.output.note(&format!(
                "{} runs `{}` since {:.0} (process {}).\n",
                holder.who(),
                holder.command,
                holder.since,
                holder.pid
            ));
            if !self.yes {
                confirm::ask(&context.output, "Take the lease away?", "yes")?;
            }
            store.break_().await.map_err(failed)?;
            context.output.note("The lease is free.\n");
            Ok(Exit::Done)
        })
    }
}
