//! What was found, for people and as JSON.

use stratiform::FactsSource;
use stratiform::answer::{OfferSource, OfferTold, Offered};
use stratiform::catalogue::{Cloud, PREMIUM_PERCENT};
use stratiform::model::{Name, Offer};

use super::find::{Found, Row};
use crate::commands::cache;
use crate::context::Context;
use crate::render::numbers::decimal;
use crate::render::table;

/// Says on stderr where the offers are from, if not from the sites themselves.
pub(super) fn sources(found: &Found, context: &Context) {
    for source in &found.sources {
        if source.kind != FactsSource::Live {
            let (as_of, age) = (source.as_of.as_deref(), source.age.as_deref());
            let line = cache::line(&source.of, source.kind, as_of, age);
            context.output.note(&line);
        }
    }
}

/// Says on stderr what is in no list: how its price is known, or how to find it.
pub(super) fn measures(found: &Found, has_size: bool, context: &Context) {
    if found.rows.iter().any(Row::is_made_to_measure) {
        context.output.note(&format!(
            "Prices of custom machine types are worked out: what predefined ones ask for a CPU and a GiB, and \
             {PREMIUM_PERCENT} %.\n"
        ));
    } else if !has_size
        && found
            .rows
            .iter()
            .any(|row| row.cloud == Cloud::Gcp.as_str())
    {
        let hint =
            "Custom machine types are made to measure: --cpu and --memory show those that fit.\n";
        context.output.note(hint);
    }
}

/// A table: of a topology's sites by site, of the catalogue by cloud and region.
pub(super) fn table(found: &Found) -> String {
    let by_site = found.rows.iter().any(|row| row.site.is_some());
    let places: &[&str] = match by_site {
        true => &["site", "zone"],
        false => &["cloud", "region", "zones"],
    };
    let facts = [
        "machine type",
        "cpu",
        "memory",
        "arch",
        "gpu",
        "price/hour",
        "capacity",
    ];
    let headings = [places, &facts].concat();
    let rows = found.rows.iter().map(|row| {
        let mut cells = places_of(row);
        cells.extend(facts_of(&row.offer));
        cells
    });
    table::table(&headings, rows, None)
}

fn places_of(row: &Row) -> Vec<String> {
    match &row.site {
        Some(site) => vec![site.to_string(), row.offer.zone.to_string()],
        None => {
            let region = row.region.clone().unwrap_or_default();
            let zones = row.zones.iter().map(|zone| short(zone, &region));
            let zones: Vec<_> = zones.collect();
            vec![row.cloud.clone(), region.clone(), zones.join(",")]
        }
    }
}

/// A zone beside its region: `b` for `eu-central-1b`.
fn short<'a>(zone: &'a Name, region: &str) -> &'a str {
    let rest = zone.as_str().strip_prefix(region);
    rest.map_or(zone.as_str(), |rest| rest.trim_start_matches('-'))
}

fn facts_of(offer: &Offer) -> [String; 7] {
    let price = offer.price_hour.map(|price| price.to_string());
    [
        offer.machine_type.clone(),
        offer.cpu.to_string(),
        offer.memory.to_string(),
        offer.arch.clone(),
        gpu(offer),
        price.unwrap_or_else(|| "unknown".to_owned()),
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

/// The offers, and where they are from.
pub(super) fn offered(found: &Found) -> Offered<'_> {
    let sources = found.sources.iter().map(|source| OfferSource {
        of: &source.of,
        source: source.kind.as_str(),
        as_of: source.as_of.as_deref(),
        detail: source.detail,
    });
    Offered {
        offers: found.rows.iter().map(|row| told(row, found)).collect(),
        sources: sources.collect(),
    }
}

fn told<'a>(row: &'a Row, found: &'a Found) -> OfferTold<'a> {
    let offer = &row.offer;
    let source = found.sources.get(row.source);
    OfferTold {
        site: row.site.as_ref(),
        cloud: &row.cloud,
        region: row.region.as_deref(),
        // A row of the catalogue stands for all of its zones.
        zone: row.site.is_some().then_some(&offer.zone),
        zones: &row.zones,
        machine_type: &offer.machine_type,
        family: &offer.family,
        arch: &offer.arch,
        cpu: offer.cpu,
        memory_bytes: offer.memory.0,
        gpus: offer.gpus,
        gpu: offer.gpu.as_deref(),
        burstable: offer.burstable,
        made_to_measure: row.is_made_to_measure(),
        price_hour: offer.price_hour.map(|price| decimal(price.amount)),
        currency: offer.price_hour.map(|price| price.currency),
        capacity: offer.capacity,
        source: source.map(|source| source.kind.as_str()),
        as_of: source.and_then(|source| source.as_of.as_deref()),
    }
}
