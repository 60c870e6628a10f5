//! Places topologies with the built-in snapshot, and tells what each costs and how long it took.
//!
//! One request a line on stdin: `{"topology": "…HCL…", "families": ["m6i"] or null}`. One answer a
//! line on stdout: `{"price_hour", "micros", "places"}`, or `{"error"}`. `families` limits what is
//! on sale to those families. The `site` blocks of a request name a cloud of the catalogue as their
//! provider, and a region. `micros` is the placement alone; reading the topology and the snapshot
//! comes before it. `scripts/compare-skypilot` asks.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};

use serde::{Deserialize, Serialize};
use stratiform::Inputs;
use stratiform::catalogue::{Cloud, Listing, Snapshot};
use stratiform::model::{
    Bytes, Capabilities, Idempotency, Intent, Inventory, Kind, Limits, MarkStore, Name, Offer,
    PublicImages, ReservedAddresses, ResourceId, SiteFacts, SiteSpec, Sizing, Spec, SubnetScope,
};
use stratiform::planner::{Desired, place};
use stratiform::topology::{SourceFile, Sources, Topology};
use tokio::time::Instant;

#[derive(Deserialize)]
struct Request {
    topology: String,
    families: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Placed {
        /// Exact, as text.
        price_hour: String,
        micros: u128,
        places: Vec<String>,
    },
    Refused {
        error: String,
    },
}

fn main() -> std::io::Result<()> {
    let mut markets: BTreeMap<(Cloud, String), Vec<Offer>> = BTreeMap::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = serde_json::from_str(&line?)
            .map_err(|error| error.to_string())
            .and_then(|request| answer(&request, &mut markets))
            .unwrap_or_else(|error| Answer::Refused { error });
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn answer(
    request: &Request,
    markets: &mut BTreeMap<(Cloud, String), Vec<Offer>>,
) -> Result<Answer, String> {
    let intent = read(&request.topology)?;
    let mut facts = BTreeMap::new();
    for site in intent.sites.values() {
        facts.insert(
            site.name.clone(),
            facts_of(site, request, &intent, markets)?,
        );
    }
    let start = Instant::now();
    let placed = place(&intent, &facts, &Inventory::default());
    let micros = start.elapsed().as_micros();
    let desired = placed.map_err(|findings| {
        let first = findings.first().map(|one| one.finding.message.clone());
        first.unwrap_or_default()
    })?;
    told(&desired, micros)
}

fn read(text: &str) -> Result<Intent, String> {
    let file = SourceFile::new("request.hcl", text);
    let sources = Sources::from_files(std::path::Path::new("."), vec![file]);
    let evaluated =
        Topology::parse(&sources).and_then(|topology| topology.evaluate(&Inputs::default()));
    match evaluated {
        Ok(evaluated) => Ok(evaluated.intent),
        Err(findings) => Err(format!("{findings:?}")),
    }
}

fn facts_of(
    site: &SiteSpec,
    request: &Request,
    intent: &Intent,
    markets: &mut BTreeMap<(Cloud, String), Vec<Offer>>,
) -> Result<SiteFacts, String> {
    let cloud: Cloud = site.provider.parse().map_err(|error| format!("{error}"))?;
    let region = site.region.clone().unwrap_or_default();
    let market = markets
        .entry((cloud, region))
        .or_insert_with_key(|(cloud, region)| {
            let listings = Snapshot::of(*cloud).listings(Some(region));
            // What has no price is left out: SkyPilot's catalogue has no such row.
            let priced = listings.iter().flat_map(Listing::offers);
            priced.filter(|offer| offer.price_hour.is_some()).collect()
        });
    let families = request.families.as_ref();
    let is_wanted = |offer: &&Offer| families.is_none_or(|all| all.contains(&offer.family));
    let offers: Vec<Offer> = market.iter().filter(is_wanted).cloned().collect();
    let mut zones: Vec<Name> = offers.iter().map(|offer| offer.zone.clone()).collect();
    zones.sort();
    zones.dedup();
    if zones.is_empty() {
        // A site has a zone, though nothing be on sale in it.
        zones.push(site.name.clone());
    }
    let images = intent
        .machines
        .iter()
        .filter_map(|machine| machine.image.as_ref().ok());
    let images: PublicImages = images
        .map(|name| (name.clone(), ResourceId::from("any")))
        .collect();
    Ok(SiteFacts {
        changes: Default::default(),
        capabilities: capabilities(),
        zones,
        offers,
        free: None,
        quotas: Vec::new(),
        images,
    })
}

/// A cloud that can do everything.
fn capabilities() -> Capabilities {
    Capabilities {
        kinds: Kind::ALL.into_iter().collect(),
        subnets: SubnetScope::Regional,
        sizing: Sizing::Catalogue,
        idempotency: Idempotency::Name,
        marks: MarkStore::Metadata,
        labels: stratiform::model::LabelRules::Any,
        unreadable: BTreeMap::new(),
        create_batch: 100,
        ids_per_call: 100,
        delete_shuts_down: false,
        consistency_window_ms: 0,
        user_data_max: Bytes(16_384),
        public_ips: true,
        internet: stratiform::model::InternetWays::default(),
        reserved_addresses: ReservedAddresses::default(),
        limits: Limits::default(),
    }
}

fn told(desired: &Desired, micros: u128) -> Result<Answer, String> {
    let mut total = rust_decimal::Decimal::ZERO;
    let mut places = Vec::new();
    for (addr, entry) in &desired.entries {
        for goal in &entry.goals {
            let Spec::Machine(machine) = &goal.spec else {
                continue;
            };
            let price = goal.price_hour.ok_or("a machine has no price")?;
            total += price.amount * rust_decimal::Decimal::from(goal.count);
            let (kind, zone) = (&machine.machine_type, &machine.zone);
            let bought = machine.capacity.as_str();
            places.push(format!(
                "{} x {kind} {bought} in {zone}@{}",
                goal.count, addr.site
            ));
        }
    }
    Ok(Answer::Placed {
        price_hour: total.normalize().to_string(),
        micros,
        places,
    })
}
