//! `strat offers`

use std::collections::BTreeMap;

use clap::Args;
use futures::future::join_all;
use serde_json::json;
use stratiform::Session;
use stratiform::model::{Bytes, Name, Offer};

use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::numbers::decimal;
use crate::render::table::table;

/// List what the topology's sites sell: sizes, zones, prices.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat offers --cpu 4 --memory 16GiB
  strat offers --site east --json | jq '.offers[] | {machine_type, price_hour}'")]
pub(crate) struct Offers {
    #[command(flatten)]
    topology: TopologyArgs,

    /// Only this site's.
    #[arg(long, value_name = "SITE")]
    site: Option<Name>,

    /// Only with at least this many virtual CPUs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    cpu: u32,

    /// Only with at least this much memory, such as `16GiB`.
    #[arg(long, value_name = "SIZE")]
    memory: Option<Bytes>,

    /// Write them as JSON.
    #[arg(long)]
    json: bool,
}

impl Offers {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load(&self.topology)?;
        if let Some(site) = &self.site
            && !workspace.intent().sites.contains_key(site)
        {
            let names: Vec<_> = workspace.intent().sites.keys().map(Name::as_str).collect();
            return Err(Failure::new(format!("the topology has no site `{site}`"))
                .help(format!("there are: {}", names.join(", "))));
        }
        let (offers, failed) = context.block_on(async {
            let (session, _events) = context.connect(workspace).await?;
            context.tell_problems(session.unreachable());
            Ok(gather(&session, context).await)
        })?;
        let offers: Vec<(&Name, &Offer)> = offers
            .iter()
            .flat_map(|(site, offers)| offers.iter().map(move |offer| (site, offer)))
            .filter(|(site, offer)| self.wants(site, offer))
            .collect();
        if self.json {
            let offers: Vec<_> = offers
                .iter()
                .map(|(site, offer)| to_json(site, offer))
                .collect();
            context.output.json(&json!({ "offers": offers }))?;
        } else {
            let headings = [
                "site",
                "zone",
                "machine type",
                "cpu",
                "memory",
                "gpu",
                "price/hour",
                "capacity",
            ];
            let rows = offers.iter().map(|(site, offer)| row(site, offer));
            context.output.data(&table(&headings, rows, None))?;
        }
        Ok(if failed { Exit::Failed } else { Exit::Done })
    }

    fn wants(&self, site: &Name, offer: &Offer) -> bool {
        self.site.as_ref().is_none_or(|wanted| wanted == site)
            && offer.cpu >= self.cpu
            && self.memory.is_none_or(|memory| offer.memory >= memory)
    }
}

/// The offers of every site, and whether one did not answer, which was told.
async fn gather(session: &Session, context: &Context) -> (BTreeMap<Name, Vec<Offer>>, bool) {
    let lists = session.sites().iter().map(|(site, provider)| async move {
        (site.clone(), provider.offers().list_offers().await)
    });
    let mut all = BTreeMap::new();
    let mut failed = !session.unreachable().is_empty();
    for (site, offers) in join_all(lists).await {
        match offers {
            Ok(offers) => {
                all.insert(site, offers);
            }
            Err(error) => {
                failed = true;
                let failure = Failure::of(&error);
                context
                    .output
                    .note(&format!("warning: {site}: {}\n", failure.message));
            }
        }
    }
    (all, failed)
}

fn row(site: &Name, offer: &Offer) -> Vec<String> {
    vec![
        site.to_string(),
        offer.zone.to_string(),
        offer.machine_type.clone(),
        offer.cpu.to_string(),
        offer.memory.to_string(),
        gpu(offer),
        offer
            .price_hour
            .map_or_else(|| "unknown".to_owned(), |price| price.to_string()),
        offer.capacity.as_str().to_owned(),
    ]
}

/// `4 x T4`, and nothing where there is none.
fn gpu(offer: &Offer) -> String {
    match (&offer.gpu, offer.gpus) {
        (_, 0) => String::new(),
        (Some(model), count) => format!("{count} x {model}"),
        (None, count) => count.to_string(),
    }
}

fn to_json(site: &Name, offer: &Offer) -> serde_json::Value {
    json!({
        "site": site,
        "zone": offer.zone,
        "machine_type": offer.machine_type,
        "family": offer.family,
        "arch": offer.arch,
        "cpu": offer.cpu,
        "memory_bytes": offer.memory.0,
        "gpus": offer.gpus,
        "gpu": offer.gpu,
        "price_hour": offer.price_hour.map(|price| decimal(price.amount)),
        "currency": offer.price_hour.map(|price| price.currency),
        "capacity": offer.capacity.as_str(),
    })
}
