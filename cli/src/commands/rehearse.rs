//! `strat rehearse`

use clap::Args;
use strat_rehearsal::{Error as Rehearsal, Loss, rehearse};
use stratiform::Session;

use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render;
use crate::render::progress::Progress;
use crate::watch::watch;

/// Show what the loss of a site, a zone or a provider would do, and what the next apply would.
///
/// Looks at what there is, makes a simulated copy of it, fails there what you name, and runs the
/// next apply against the copy. Nothing real is changed, and no lease is taken.
///
/// A lost site gives no answer. A plain apply then makes nothing of it elsewhere; --without says
/// that it is really gone, and both are tried. In a lost zone machines are broken and nothing can
/// be had.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat rehearse --fail site.east
  strat rehearse --fail zone.east.us-east-1a     # or: site.east/us-east-1a
  strat rehearse --fail provider.aws
  strat rehearse --fail site.east --fail site.west
  strat rehearse --fail site.east --detailed-exitcode    # 0: the load holds, 2: it does not
  strat rehearse --fail site.east --json | jq .holds")]
pub(crate) struct Rehearse {
    #[command(flatten)]
    topology: TopologyArgs,

    /// What fails: `site.NAME`, `zone.SITE.ZONE` (or `site.NAME/ZONE`), `provider.NAME`. May be
    /// given more than once: all at the same time.
    #[arg(long = "fail", value_name = "WHAT", required = true)]
    losses: Vec<Loss>,

    /// Write the result as JSON.
    #[arg(long)]
    json: bool,

    /// Exit with 2 if the load does not hold with what is left.
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Rehearse {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load(&self.topology)?;
        // The rehearsal has a runtime of its own, whose clock jumps.
        let (session, observation) = context.block_on(async {
            let (session, mut events) = context.connect(workspace).await?;
            let mut progress = Progress::new(&context.output);
            let seen = watch(&mut events, &mut progress, session.observe()).await;
            progress.clear();
            let seen = seen.map_err(|error| context.failure(&error))?;
            Ok::<(Session, _), Failure>((session, seen))
        })?;
        context.tell_problems(&observation.problems);
        let rehearsal =
            rehearse(session.workspace(), &observation, &self.losses).map_err(|error| {
                if let Rehearsal::Library(error) = &error {
                    return context.failure(error);
                }
                let failure = Failure::of(&error);
                let help = match &error {
                    Rehearsal::NothingFails => {
                        Some("say what fails: `--fail site.NAME`".to_owned())
                    }
                    Rehearsal::NothingSeen => {
                        Some("`strat doctor` says why a site does not answer".to_owned())
                    }
                    other => other.help(),
                };
                match help {
                    Some(help) => failure.help(help),
                    None => failure,
                }
            })?;
        if self.json {
            context.output.json(&rehearsal)?;
        } else {
            let width = context.output.width();
            let text = render::rehearsal::rehearsal(&rehearsal, width);
            context.output.data(&text)?;
        }
        Ok(match (self.detailed_exitcode, rehearsal.holds) {
            (true, false) => Exit::Changes,
            _ => Exit::Done,
        })
    }
}
