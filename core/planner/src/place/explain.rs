//! Why machines go where they go.

use std::collections::BTreeMap;

use serde::Serialize;
use strat_model::{CapacityKind, Intent, LocalAddr, Money, Name, Preference};

use super::machines::{Allotment, Supply, permitted_zones, why_not};
use super::offers::Market;

/// How many offers of a site are shown: the nearest to being chosen.
const OFFERS_MAX: usize = 5;

/// Why a machine or fleet goes where it goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The machine or fleet.
    pub addr: LocalAddr,
    /// What makes one place better than another, in words.
    pub prefer: String,
    /// Where its machines are to be.
    pub chosen: Vec<Chosen>,
    /// How many find no place.
    pub missing: u32,
    /// Why what runs is moved, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<String>,
    /// Each site that the topology names for it, in order.
    pub sites: Vec<SiteExplanation>,
}

/// Machines of one size in one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// The site.
    pub site: Name,
    /// The zone.
    pub zone: Name,
    /// The machine type.
    pub machine_type: String,
    /// How it is bought.
    pub capacity: CapacityKind,
    /// How many.
    pub count: u32,
    /// The price of an hour of one; `None` where it is not known.
    pub price_hour: Option<Money>,
}

/// What is to be said of one site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteExplanation {
    /// The site.
    pub site: Name,
    /// How many machines go there.
    pub count: u32,
    /// Why not more, or none.
    pub why: String,
    /// The cheapest offers that would do.
    pub offers: Vec<Considered>,
    /// How many offers would not do, by reason.
    pub rejected: BTreeMap<String, usize>,
}

/// An offer that would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Considered {
    /// The zone.
    pub zone: Name,
    /// The machine type.
    pub machine_type: String,
    /// How it is bought.
    pub capacity: CapacityKind,
    /// The price of an hour; `None` where it is not known.
    pub price_hour: Option<Money>,
    /// Why it was chosen, or not.
    pub why: String,
}

pub(super) fn explain(
    allotment: &Allotment<'_>,
    intent: &Intent,
    supply: &Supply<'_>,
) -> Explanation {
    let placement = &allotment.machine.placement;
    let chosen: Vec<Chosen> = allotment.chosen();
    let sites = placement.sites.iter();
    let sites = sites
        .map(|site| at_site(allotment, site, intent, supply, &chosen))
        .collect();
    Explanation {
        addr: allotment.machine.common.addr.clone(),
        prefer: match placement.prefer {
            Preference::Order => "the first site with room, and there the cheapest",
            Preference::Owned => "owned hardware, then the cheapest",
            Preference::Cost => "the cheapest",
            Preference::Balance => "each site its weight's share, and there the cheapest",
        }
        .to_owned(),
        chosen,
        missing: allotment.missing,
        moved: allotment.moved.clone(),
        sites,
    }
}

fn at_site(
    allotment: &Allotment<'_>,
    site: &Name,
    intent: &Intent,
    supply: &Supply<'_>,
    chosen: &[Chosen],
) -> SiteExplanation {
    let here: Vec<&Chosen> = chosen
        .iter()
        .filter(|chosen| chosen.site == *site)
        .collect();
    let count = here.iter().map(|chosen| chosen.count).sum();
    let mut explanation = SiteExplanation {
        site: site.clone(),
        count,
        why: String::new(),
        offers: Vec::new(),
        rejected: BTreeMap::new(),
    };
    if !allotment.sites.contains(&site) {
        let labels = intent.sites.get(site).map(|spec| &spec.labels);
        let lacking = allotment.machine.placement.require.iter();
        let lacking: Vec<_> = lacking
            .filter(|(key, value)| labels.and_then(|labels| labels.get(*key)) != Some(value))
            .map(|(key, value)| format!("{key} = \"{value}\""))
            .collect();
        explanation.why = format!("it lacks the label {}", lacking.join(", "));
        return explanation;
    }
    let Some(market) = supply.markets.get(site) else {
        explanation.why = "it gave no answer".to_owned();
        return explanation;
    };
    offers(allotment, market, &here, &mut explanation);
    explanation.why = why(allotment, site, supply, count);
    explanation
}

/// The offers of a site that would do, and how many would not, by reason.
fn offers(
    allotment: &Allotment<'_>,
    market: &Market<'_>,
    here: &[&Chosen],
    explanation: &mut SiteExplanation,
) {
    let permitted = permitted_zones(allotment, market.facts());
    let mut fitting = Vec::new();
    for zone in &market.facts().zones {
        for offer in market.offers(zone) {
            let why_not = match market.fits(offer, allotment.machine) {
                _ if !permitted.contains(&zone) => Some("in a zone that is not permitted"),
                Err(unfit) => Some(unfit.why()),
                Ok(()) => None,
            };
            match why_not {
                Some(why) => *explanation.rejected.entry(why.to_owned()).or_default() += 1,
                None => fitting.push(*offer),
            }
        }
    }
    let price = |offer: &strat_model::Offer| offer.price_hour.map(|price| price.amount);
    let is_chosen = |offer: &strat_model::Offer| {
        here.iter().any(|chosen| {
            (&chosen.zone, &chosen.machine_type, chosen.capacity)
                == (&offer.zone, &offer.machine_type, offer.capacity)
        })
    };
    // Stable: of equals the first zone.
    fitting.sort_by_key(|offer| (!is_chosen(offer), price(offer).is_none(), price(offer)));
    let dearest = here
        .iter()
        .filter_map(|chosen| chosen.price_hour)
        .map(|p| p.amount);
    let dearest = dearest.max();
    for offer in fitting.into_iter().take(OFFERS_MAX) {
        let why = match (is_chosen(offer), price(offer), dearest) {
            (true, ..) => "chosen".to_owned(),
            (false, None, _) => "its price is not known".to_owned(),
            (false, Some(price), Some(dearest)) if price > dearest => {
                format!("{} dearer an hour", price - dearest)
            }
            (false, Some(_), Some(_)) => "no better than what was chosen".to_owned(),
            (false, Some(_), None) => "not needed".to_owned(),
        };
        explanation.offers.push(Considered {
            zone: offer.zone.clone(),
            machine_type: offer.machine_type.clone(),
            capacity: offer.capacity,
            price_hour: offer.price_hour,
            why,
        });
    }
}

/// Why a site has as many as it has.
fn why(allotment: &Allotment<'_>, site: &Name, supply: &Supply<'_>, count: u32) -> String {
    let placement = &allotment.machine.placement;
    if let Some((pinned, zone)) = &allotment.pin {
        return if pinned == site {
            format!("its volume is there, in {zone}")
        } else {
            format!("its volume is at {pinned}")
        };
    }
    let full = why_not(allotment, site, supply).map(|(_, text)| text);
    let rank = allotment.sites.iter().position(|s| *s == site);
    match (placement.prefer, full) {
        _ if placement.survive && count > 0 => {
            "so that any one loss leaves the whole count, at the least cost".to_owned()
        }
        (_, Some(full)) if count == 0 => full,
        (_, Some(full)) if allotment.count() > count => format!("as many as fit: {full}"),
        (Preference::Order, _) if count > 0 && rank == Some(0) => "the first in order".to_owned(),
        (Preference::Order, _) if count > 0 => "what had no room before it in order".to_owned(),
        (Preference::Order, _) => "those before it in order have room".to_owned(),
        (Preference::Balance, _) => "its share".to_owned(),
        (Preference::Owned, _) if count > 0 => "the best of owned and cheap".to_owned(),
        (_, _) if count > 0 => "the cheapest".to_owned(),
        _ => "others are better".to_owned(),
    }
}
