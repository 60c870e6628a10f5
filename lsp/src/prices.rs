//! What sites sell, as far as that is known without asking them.

use std::collections::BTreeMap;
use std::path::Path;

use stratiform::KnownOffers;
use stratiform::model::{CapacityKind, MachineIntent, Name, Offer};
use stratiform::planner::cheapest_offer;

use crate::server::Session;

/// What each site of the topology at a root sells; nothing before it could be evaluated.
pub(crate) fn offers<'s>(session: &'s mut Session, root: &Path) -> &'s BTreeMap<Name, KnownOffers> {
    let known = session.topologies.known(root);
    let workspace = known.workspace.as_deref();
    known.offers.get_or_insert_with(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let (Some(workspace), Ok(runtime)) = (workspace, runtime) else {
            return BTreeMap::new();
        };
        let offers = runtime.block_on(workspace.offers_without_network());
        offers.unwrap_or_default()
    })
}

/// What the machines of a block cost at least, one line for each site where they may run and that is
/// known to sell what will do. The block is known by where its head begins.
pub(crate) fn cheapest(session: &mut Session, root: &Path, file: &str, head: usize) -> Vec<String> {
    let Some(machine) = machine_at(session, root, file, head) else {
        return Vec::new();
    };
    let sites = machine.placement.sites.clone();
    let offers = offers(session, root);
    let lines = sites.iter().filter_map(|site| {
        let known = offers.get(site)?;
        let offer = cheapest_offer(&known.offers, &machine)?;
        Some(format!("`site.{site}`: {}", described(offer, known)))
    });
    lines.collect()
}

fn machine_at(
    session: &mut Session,
    root: &Path,
    file: &str,
    head: usize,
) -> Option<MachineIntent> {
    let workspace = session.topologies.known(root).workspace.as_deref()?;
    let mut machines = workspace.intent().machines.iter();
    let own = machines.find(|machine| {
        let block = machine.common.origins.block.as_ref();
        block.is_some_and(|block| *block.file == *file && block.start as usize == head)
    });
    own.cloned()
}

/// An offer in one line, with the day that its price is of.
fn described(offer: &Offer, known: &KnownOffers) -> String {
    let price = match (offer.price_hour, offer.capacity) {
        (Some(price), _) => format!("{price} an hour"),
        (None, CapacityKind::Owned) => "owned hardware".to_owned(),
        (None, _) => "of unknown price".to_owned(),
    };
    let day = known.as_of.map(|day| format!(", as of {day}"));
    format!(
        "`{}` ({}), {price}{}",
        offer.machine_type,
        size(offer),
        day.unwrap_or_default()
    )
}

/// How large an offer is.
fn size(offer: &Offer) -> String {
    format!("{} vCPU, {}", offer.cpu, offer.memory)
}

/// The types that the topology's sites sell and whose names begin so, each with its size and price at the
/// first site that sells it; at most so many.
pub(crate) fn types(
    session: &mut Session,
    root: &Path,
    beginning: &str,
    most: usize,
) -> Vec<(String, String)> {
    let mut found: BTreeMap<&str, (&Name, &Offer, &KnownOffers)> = BTreeMap::new();
    for (site, known) in offers(session, root) {
        for offer in &known.offers {
            if offer.machine_type.starts_with(beginning) && offer.capacity != CapacityKind::Spot {
                found
                    .entry(&offer.machine_type)
                    .or_insert((site, offer, known));
            }
        }
    }
    let found = found.into_iter().take(most);
    found
        .map(|(name, (site, offer, known))| {
            let detail = format!("{} at site.{site}", described(offer, known));
            (name.to_owned(), detail.replace('`', ""))
        })
        .collect()
}
