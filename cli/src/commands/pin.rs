//! `strat pin`

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use futures::future::join_all;
use stratiform::model::Name;
use stratiform::topology::{PinnedFile, Pins, pin};
use stratiform::{Session, Workspace, new_lineage};

use crate::args::TopologyArgs;
use crate::confirm;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::write_file::write_file;

/// Write into the topology's files what sets it apart: its lineage, and the account of each site.
///
/// The lineage is a random word, written once and committed with the files: another topology of the
/// same name has another, and neither touches the other's things. With its account written down, a site
/// is never looked at with credentials for another one. What the files say already stays as it is, and
/// so do their comments and layout. No cloud is changed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat pin
  strat pin shop.hcl --yes
  strat pin --lineage-only   # asks no cloud")]
pub(crate) struct Pin {
    #[command(flatten)]
    topology: TopologyArgs,

    /// Write the lineage alone, and ask no site for its account.
    #[arg(long)]
    lineage_only: bool,

    /// Write without asking.
    #[arg(long)]
    yes: bool,
}

impl Pin {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load(&self.topology)?;
        let mut pins = Pins {
            lineage: Some(new_lineage()),
            accounts: BTreeMap::new(),
        };
        let sources = workspace.sources().clone();
        if !self.lineage_only {
            pins.accounts = self.accounts(workspace, context)?;
        }
        let pinned = pin(&sources, &pins).map_err(|error| {
            let what = &error.pinned;
            let help = format!(
                "write `{} = \"{}\"` into `{}` yourself",
                what.attribute, what.value, what.block
            );
            Failure::new(error.to_string()).help(&help)
        })?;
        if pinned.is_empty() {
            context
                .output
                .note("Nothing to write: all of it is there.\n");
            return Ok(Exit::Done);
        }
        context.output.data(&preview(&pinned))?;
        if !self.yes {
            confirm::possible(self.yes, "pin")?;
            let asked = confirm::ask(&context.output, "Write this?", "yes");
            context.block_on(asked)?;
        }
        for PinnedFile { file, .. } in &pinned {
            let before = sources.files().iter().find(|old| old.name == file.name);
            let before = before.map(|old| old.text.as_str());
            write_file(Path::new(&*file.name), before, &file.text)?;
            context.output.note(&format!("Written: {}\n", file.name));
        }
        Ok(Exit::Done)
    }

    /// The account of each site that says it. One that does not is told, and left without.
    fn accounts(
        &self,
        workspace: Workspace,
        context: &Context,
    ) -> Result<BTreeMap<Name, String>, Failure> {
        context.block_on(async {
            let (session, _) = context.connect(workspace).await?;
            context.tell_problems(session.unreachable());
            Ok(accounts(&session, context).await)
        })
    }
}

async fn accounts(session: &Session, context: &Context) -> BTreeMap<Name, String> {
    let asked = session.sites().iter().map(|(site, provider)| async move {
        let identity = provider.identity().await;
        (site.clone(), identity)
    });
    let mut accounts = BTreeMap::new();
    for (site, identity) in join_all(asked).await {
        match identity {
            Ok(identity) => {
                accounts.insert(site, identity.account);
            }
            Err(why) => {
                let told = format!("The site `{site}` did not say its account: {why}\n");
                context.output.note(&told);
            }
        }
    }
    accounts
}

/// What is to be written where.
fn preview(pinned: &[PinnedFile]) -> String {
    let mut text = String::new();
    for PinnedFile { file, pinned } in pinned {
        let _ = writeln!(text, "{}", file.name);
        for one in pinned {
            let (block, attribute, value) = (&one.block, one.attribute, &one.value);
            let _ = writeln!(text, "  + {block}  {attribute} = \"{value}\"");
        }
    }
    text
}
