//! `strat offers refresh`

use clap::Args;
use futures::future::join_all;
use stratiform::provider::gather_facts;

use crate::args::TopologyArgs;
use crate::commands::cache;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::style::{UPDATE, paint};
use crate::render::table::table;

/// Ask every site of the topology what it sells and can do, and remember it for --offline.
///
/// One file a site, in the user's folder for caches (`$XDG_CACHE_HOME`, else `~/.cache`). A site that
/// does not answer keeps what was remembered of it. No credential, nor the name of one, is in there.
#[derive(Debug, Args)]
pub(super) struct Refresh {
    #[command(flatten)]
    topology: TopologyArgs,
}

impl Refresh {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load(&self.topology)?;
        let cache = cache::offers()?;
        let (rows, is_whole) = context.block_on(async {
            let (session, _events) = context.connect(workspace).await?;
            context.tell_problems(session.unreachable());
            let asked = session
                .sites()
                .iter()
                .map(|(site, provider)| async move { (site, gather_facts(&**provider).await) });
            let mut is_whole = session.unreachable().is_empty();
            let mut rows = Vec::new();
            for (site, facts) in join_all(asked).await {
                let Some(spec) = session.workspace().intent().sites.get(site) else {
                    continue;
                };
                let facts = match facts {
                    Ok(facts) => facts,
                    Err(error) => {
                        is_whole = false;
                        let head = paint(UPDATE.bold(), "warning:");
                        let view = error.view();
                        context.output.note(&format!("{head} {site}: {view}\n"));
                        continue;
                    }
                };
                let priced = facts
                    .offers
                    .iter()
                    .filter(|offer| offer.price_hour.is_some());
                let (priced, all) = (priced.count(), facts.offers.len());
                let path = cache
                    .write(spec, facts, session.clock().now())
                    .map_err(|error| context.failure(&error))?;
                rows.push(vec![
                    site.to_string(),
                    all.to_string(),
                    priced.to_string(),
                    path.display().to_string(),
                ]);
            }
            Ok((rows, is_whole))
        })?;
        let headings = ["site", "offers", "with a price", "file"];
        context.output.data(&table(&headings, rows, None))?;
        Ok(if is_whole { Exit::Done } else { Exit::Failed })
    }
}
