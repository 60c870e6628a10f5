//! `strat unlock`

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use stratiform::engine::{Found, Holder, LeaseError, Spot, Watched, free, look, watch_renewals};
use stratiform::provider::{Clock, TokioClock};

use crate::args::TopologyArgs;
use crate::confirm;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::style::{UPDATE, paint};

/// Take leases away from a run that is surely dead.
///
/// A run that died on this host is taken over without this, and any lease ends by itself. A run
/// that still lives keeps its lease: it is looked whether the lease is renewed, for as long as a
/// run that lives needs to do so, and then this is refused.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat unlock
  strat unlock shop.hcl --yes")]
pub(crate) struct Unlock {
    #[command(flatten)]
    topology: TopologyArgs,

    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

impl Unlock {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        confirm::possible(self.yes, "unlock")?;
        let state = context.state(&self.topology.path);
        context.block_on(async {
            let clock: Arc<dyn Clock> = Arc::new(TokioClock::system());
            let folder = stratiform::folder_lease(&state, Duration::ZERO);
            let mut all = self.unlock(context, &folder, &*clock).await?;
            let (session, _events) = context.connect(context.load_sites(&self.topology)?).await?;
            let (places, problems) = session.lease_places(|_| true).await;
            context.tell_problems(session.unreachable());
            context.tell_problems(&problems);
            for place in places {
                all &= self.unlock(context, &place.spot, &*clock).await?;
            }
            Ok(if all && problems.is_empty() {
                Exit::Done
            } else {
                Exit::Failed
            })
        })
    }

    /// Takes one lease away, if it is held and its holder gives no sign of life. Whether it is free.
    async fn unlock(
        &self,
        context: &Context,
        spot: &Spot,
        clock: &dyn Clock,
    ) -> Result<bool, Failure> {
        let (output, place) = (&context.output, &spot.place);
        let failed = |error: LeaseError| Failure::told(error.view());
        let Some(found) = look(spot, clock).await.map_err(failed)? else {
            output.note(&format!("Nobody holds the lease of {place}.\n"));
            return Ok(true);
        };
        output.note(&format!("{}\n", told(&found, place)));
        let holder = found.lease.as_ref().map(|lease| &lease.holder);
        let is_gone = holder.is_some_and(Holder::is_gone);
        if let Some(holder) = holder.filter(|holder| holder.lives_here()) {
            let warning = paint(UPDATE.bold(), "warning:");
            output.note(&format!(
                "{warning} process {} runs on this host. End it (`kill {}`): it gives the lease back, \
                 and what it leaves is taken over without this command.\n",
                holder.pid, holder.pid
            ));
            if !holder.is_stopped() {
                return Err(refused(place));
            }
        }
        if !is_gone {
            output.note(&format!(
                "Looking for {} s whether it is renewed.\n",
                found.renews_every.as_secs()
            ));
            match watch_renewals(spot, &found, clock).await.map_err(failed)? {
                Watched::Silent => {}
                Watched::Renewed => return Err(refused(place)),
                Watched::Released => {
                    output.note("It was given back meanwhile.\n");
                    return Ok(true);
                }
            }
        }
        if !self.yes {
            confirm::ask(output, "Take the lease away?", "yes").await?;
        }
        if !free(spot, &found, clock).await.map_err(failed)? {
            return Err(refused(place));
        }
        output.note(&format!("The lease of {place} is free.\n"));
        Ok(true)
    }
}

/// Who holds it, since when and until when.
pub(super) fn told(found: &Found, place: &str) -> String {
    match &found.lease {
        None => format!("Somebody holds the lease of {place}; its record does not say who."),
        Some(lease) => format!(
            "{} holds the lease of {place}: `{}` since {:.0} (process {}), last renewed at {:.0}; \
             unless it is renewed it ends at {:.0}.",
            lease.holder.who(),
            lease.holder.command,
            lease.holder.since,
            lease.holder.pid,
            lease.renewed,
            lease.expires
        ),
    }
}

fn refused(place: &str) -> Failure {
    Failure::new(format!(
        "the lease of {place} was not taken away: its holder lives"
    ))
    .help("wait for it with `--lock-timeout 10m`, or end that run; its lease then ends by itself")
}
